//! `plimsoll replay`: figures in, a table or JSON out. It reads files, shows progress and prints; the run is in `sim`.

mod args;
mod compare;
mod files;
mod progress;
pub mod table;
mod tiers;

pub use args::Args;

use crate::out;
use crate::save::Target;
pub use files::Failure;
use sim::replay::{
    BOOK_COLUMNS, Book, Config, Figures, ReplayError, Report, RowError, Sources, Window, book_rows, generate, named,
};
use std::process::ExitCode;

/// Runs the replay and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
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
    let page = args.report.as_ref().map(|path| Target::new(path, args.force)).transpose()?;
    compare::run(&args.compare, args.json, args.quiet, args.markdown.as_deref(), page)
}

fn replay(args: &Args) -> Result<String, Failure> {
    let mut config = args.config()?;
    let book = args.population.as_ref().map(|path| files::book(path, args.balance.as_deref())).transpose()?;
    if let Some(book) = &book {
        config.accounts = u32::try_from(book.len()).unwrap_or(u32::MAX).max(2);
    }
    let (sources, window) = (sources(args)?, args.window()?);
    let figures = match args.path()? {
        // A path begins where the window does and has its own length.
        Some(plan) => {
            let window = Window { to_ms: None, ..window };
            Figures::new(&generate(&sources, &window, &plan)?, &window)?
        }
        None => Figures::new(&sources, &window)?,
    };
    let page = args.report.as_ref().map(|path| Target::new(path, args.force)).transpose()?;
    let report = watched(&config, &figures, book.as_ref(), args)?;
    let reproduce = args.reproduce();
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

fn watched(config: &Config, figures: &Figures, book: Option<&Book>, args: &Args) -> Result<Report, Failure> {
    let symbols: Vec<(String, u32)> = figures.markets.iter().map(|m| (m.symbol.clone(), m.power)).collect();
    let mut rows = Vec::new();
    let mut opened = |state: &engine::State, first: engine::AccountId| {
        if args.population_out.is_some() {
            rows = book_rows(state, first, &symbols);
        }
    };
    let mut bar = progress::Bar::new(args.quiet || args.json);
    let lines = args.progress_lines;
    let report = sim::replay::run_with(config, figures, book, &mut opened, &mut |_, _, _, _, _| {}, &mut |p| {
        if lines {
            out::print_error(&format!("{} {} {}\n", compare::PROGRESS, p.step, p.steps));
        }
        bar.tell(p);
    });
    bar.finish();
    let report = report?;
    if let Some(path) = &args.population_out {
        files::write_rows(path, &BOOK_COLUMNS, &rows)?;
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

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        Self::usage(error.to_string())
    }
}

#[cfg(test)]
mod tests;
