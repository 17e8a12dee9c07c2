//! `plimsoll replay`: figures in, a table or JSON out. It reads files, shows progress and prints; the run is in `sim`.

mod args;
mod compare;
mod events;
mod files;
mod progress;
pub mod table;
mod tiers;

pub use args::{Args, percent};
pub use compare::split as words;

use crate::data;
use crate::out;
use crate::save::Target;
use clap::Parser;
use events::Events;
pub use files::{Failure, is_parquet, not_parquet, unreadable_csv};
use sim::replay::{
    BOOK_COLUMNS, Book, Config, EventTable, Figures, ReplayError, Report, RowError, Sources, Window, apply_rulebook,
    book_rows, generate, named,
};
use std::cell::RefCell;
use std::path::Path;
use std::process::ExitCode;

/// Runs the replay and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    if args.variant {
        compare::end_with_parent();
    }
    let result = if args.compare.is_empty() { replay(args).map(|text| (text, true)) } else { compared(args) };
    match result {
        Ok((text, whole)) => {
            out::print(&text);
            // A comparison shows what it has; a variant without a result is still an error.
            if whole { ExitCode::SUCCESS } else { ExitCode::from(2) }
        }
        Err(failure) => {
            out::print_error(&format!("error: {failure}\n"));
            failure.code()
        }
    }
}

/// A comparison, and its page where one is asked for.
fn compared(args: &Args) -> Result<(String, bool), Failure> {
    let [page, markdown] = [&args.report, &args.markdown].map(|path| target(path.as_deref(), args.force));
    compare::run(&args.compare, &args.symbols, args.json, args.quiet, markdown?, page?)
}

/// What a run needs.
struct Prepared {
    config: Config,
    figures: Figures,
    book: Option<Book>,
}

/// What `plimsoll replay` takes, as a line of its own.
#[derive(Parser)]
#[command(name = "plimsoll replay", no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// What would stand after `plimsoll replay`, in one text, for a command that takes `--replay`.
///
/// # Errors
/// A usage error of the replay.
pub fn line(line: &str) -> Result<Args, Failure> {
    let parsed = Line::try_parse_from(words(line)).map_err(|why| {
        let text = why.to_string();
        let text = text.trim().trim_start_matches("error: ");
        Failure::usage(format!("--replay cannot be `{line}`: {text}"))
    })?;
    Ok(parsed.args)
}

/// Runs the replay for someone who watches its commands and their events; the digest of the last state.
///
/// # Errors
/// As the replay itself; options that ask for more than one run or for files.
pub fn observed(args: &Args, watcher: &mut dyn FnMut(&engine::Command, &[engine::Event])) -> Result<String, Failure> {
    refuse_files(args)?;
    let Prepared { config, figures, book } = prepared(args)?;
    let mut observer = |_, command: &_, _: &_, events: &[engine::Event], _: &_| watcher(command, events);
    let report = sim::replay::run_with(&config, &figures, book.as_ref(), &mut |_, _| {}, &mut observer, &mut |_| {})?;
    Ok(report.state_digest)
}

/// The venue of the replay after the first price that is not before a moment, or after its first price, and the first account of
/// its population.
///
/// # Errors
/// As [`observed`]; a moment after the last price.
pub fn venue_at(args: &Args, at: Option<&str>) -> Result<(engine::Engine, engine::AccountId), Failure> {
    refuse_files(args)?;
    let at = at.map(args::time).transpose()?;
    let Prepared { config, figures, book } = prepared(args)?;
    let (engine, from) = sim::replay::venue_at(&config, &figures, book.as_ref(), at.unwrap_or_default())?;
    let last = engine.state().now;
    if at.is_some_and(|at| at > last) {
        return Err(Failure::usage(format!("--at is after the last price of the replay, which is at {last}")));
    }
    Ok((engine, from))
}

fn refuse_files(args: &Args) -> Result<(), Failure> {
    let others = [
        ("--compare", !args.compare.is_empty()),
        ("--report", args.report.is_some()),
        ("--events", args.events.is_some()),
        ("--population-out", args.population_out.is_some()),
        ("--data", args.data.is_some()),
    ];
    if let Some((name, _)) = others.iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!("{name} cannot be part of --replay: nothing but the run is looked at")));
    }
    Ok(())
}

fn prepared(args: &Args) -> Result<Prepared, Failure> {
    // What can be refused at once, before files are read.
    args.config(Config::default())?;
    let book = args.population.as_ref().map(|path| files::book(path, args.balance.as_deref())).transpose()?;
    let (sources, window) = (sources(args)?, args.window()?);
    let mut figures = match args.path()? {
        // A path begins where the window does and has its own length.
        Some(plan) => {
            let window = Window { to_ms: None, ..window };
            Figures::new(&generate(&sources, &window, &plan)?, &window)?
        }
        None => Figures::new(&sources, &window)?,
    };
    let mut config = Config::default();
    if let Some(name) = &args.rulebook {
        let day = Figures::day(&figures);
        let rulebook = rulebooks::named_near(name, &day)?;
        apply_rulebook(&rulebook, &mut config, &mut figures)?;
    }
    let mut config = args.config(config)?;
    if let Some(book) = &book {
        config.accounts = u32::try_from(book.len()).unwrap_or(u32::MAX).max(2);
    }
    Ok(Prepared { config, figures, book })
}

fn replay(args: &Args) -> Result<String, Failure> {
    let Prepared { config, figures, book } = prepared(args)?;
    let reproduce = args.reproduce();
    let events = match &args.events {
        Some(path) => {
            let table = EventTable::new(&figures).only(&args.events_only).map_err(Failure::usage)?;
            Some(Events::new(path, args.force, table, &reproduce)?)
        }
        None => None,
    };
    let [page, rows] = [&args.report, &args.population_out].map(|path| target(path.as_deref(), args.force));
    let (page, rows) = (page?, rows?);
    let report = watched(&config, &figures, book.as_ref(), args, rows, events)?;
    if page.is_none() && !args.json {
        return Ok(table::text(&report, &reproduce));
    }
    let value = json(&report, &reproduce)?;
    if let Some(page) = page {
        let html = crate::report::page(std::slice::from_ref(&value)).map_err(Failure::usage)?;
        page.save(html.as_bytes())?;
    }
    Ok(if args.json { format!("{value:#}\n") } else { table::text(&report, &reproduce) })
}

/// The result with the line that repeats it.
fn json(report: &Report, reproduce: &str) -> Result<serde_json::Value, Failure> {
    let mut value = serde_json::to_value(report).map_err(|why| Failure::usage(why.to_string()))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("reproduce".into(), reproduce.into());
    }
    Ok(value)
}

/// A file that is asked for, opened before the run.
fn target(path: Option<&Path>, force: bool) -> Result<Option<Target>, Failure> {
    path.map(|path| Target::new(path, force)).transpose()
}

fn watched(
    config: &Config,
    figures: &Figures,
    book: Option<&Book>,
    args: &Args,
    rows: Option<Target>,
    events: Option<Events>,
) -> Result<Report, Failure> {
    let symbols: Vec<(String, u32)> = figures.markets.iter().map(|m| (m.symbol.clone(), m.power)).collect();
    let (mut rows, mut written, events) = (rows, Ok(()), RefCell::new(events));
    let mut opened = |state: &engine::State, first: engine::AccountId| {
        if let Some(events) = events.borrow_mut().as_mut() {
            events.opened();
        }
        if let (Some(path), Some(target)) = (&args.population_out, rows.take()) {
            written = files::write_rows(path, target, &BOOK_COLUMNS, &book_rows(state, first, &symbols));
        }
    };
    let mut journal = args.data.as_deref().map(data::Copy::new).transpose()?;
    let mut kept = Ok(());
    let mut observer = |at, command: &_, _: &_, of_command: &[engine::Event], engine: &engine::Engine| {
        if let (Some(journal), Ok(())) = (&mut journal, &kept) {
            kept = journal.take(at, command);
        }
        if let Some(events) = events.borrow_mut().as_mut() {
            events.take(of_command, engine.state());
        }
    };
    let mut bar = progress::Bar::new(args.quiet || args.json);
    let lines = args.variant;
    let report = sim::replay::run_with(config, figures, book, &mut opened, &mut observer, &mut |p| {
        if lines {
            out::print_error(&format!("{} {} {}\n", compare::PROGRESS, p.step, p.steps));
        }
        bar.tell(p);
    });
    bar.finish();
    let report = report?;
    written?;
    kept?;
    if let Some(journal) = journal {
        data::same(&journal.finish()?, &report.state_digest)?;
    }
    if let Some(events) = events.into_inner() {
        events.finish()?;
    }
    Ok(report)
}

/// The figures of a name, or of files.
fn sources(args: &Args) -> Result<Sources, Failure> {
    let mut sources = match (&args.name, &args.prices) {
        (Some(name), None) => named(name)?,
        (None, Some(path)) => files::sources(path)?,
        _ => return Err(Failure::usage(usage())),
    };
    if let Some(path) = &args.marks {
        sources.marks = Some(files::candles(path)?);
        sources.notes.retain(|note| !note.starts_with("marks:"));
        sources.notes.push(format!("marks: {}", path.display()));
    }
    if let Some(path) = &args.funding {
        sources.funding = Some(files::funding(path)?);
        sources.notes.retain(|note| !note.starts_with("funding:"));
        sources.notes.push(format!("funding: {}", path.display()));
    }
    if let Some(path) = &args.tiers {
        tiers::read(path, &mut sources.tiers)?;
        sources.notes.push(format!("tiers: {}", path.display()));
    }
    Ok(sources)
}

fn usage() -> String {
    let names = sim::replay::NAMES.join(", ");
    format!("name a replay ({names}) or give --prices FILE\n  hint: plimsoll replay 2025-10-10")
}

impl From<RowError> for Failure {
    fn from(error: RowError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<Box<rulebooks::Problem>> for Failure {
    fn from(problem: Box<rulebooks::Problem>) -> Self {
        let text = problem.to_string();
        Self::usage(text.strip_prefix("error: ").unwrap_or(&text).to_owned())
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        Self::usage(error.to_string())
    }
}

#[cfg(test)]
mod tests;
