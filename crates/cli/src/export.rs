//! `plimsoll export`: a journal in, tables for other people's analysis out. What a row holds is decided in the files below; how a
//! cell is stored, in [`crate::table`].

mod flow;
mod sheets;
mod stock;

use crate::data::{self, Failed};
use crate::out;
use crate::replay::Failure;
use flow::Flow;
use indicatif::{ProgressBar, ProgressStyle};
use journal::{Reader, RealDisk};
use node::{Follower, Step};
use serde_json::json;
use sheets::{Format, Name, Sheets, Written};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `plimsoll export` takes.
#[derive(clap::Args)]
#[command(after_help = "\
One file a table, from the journal alone: every batch is applied again and compared with the events it had. Each file appears under its
name when all are whole. Nothing is written to DIR; of a venue that runs, export up to a sequence that was answered (--at).
docs/export.md has every column.

Exit codes: 0 written, 1 the journal is not as it should be, 2 usage, 3 something cannot be read or written.

Examples:
  plimsoll export venue --to tables
  plimsoll export venue --to tables --format csv --only balances,positions --at 120000
  plimsoll export venue --to tables --json | jq '.tables[].rows'")]
pub struct Args {
    /// The directory of the venue
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The folder that the tables go to; made when it is not there
    #[arg(long, value_name = "OUT")]
    to: PathBuf,
    /// What the files are
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only these tables
    #[arg(long, value_name = "TABLE,…", value_enum, value_delimiter = ',')]
    only: Vec<Name>,
    /// Only up to this sequence: what happened by then, and what there was
    #[arg(long, value_name = "SEQUENCE", value_parser = clap::value_parser!(u64).range(1..))]
    at: Option<u64>,
    /// Write over files that exist
    #[arg(long)]
    force: bool,
    /// Print one JSON object (plimsoll.export/1)
    #[arg(long)]
    json: bool,
}

/// Exports and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    match export(args) {
        Ok(done) => {
            out::print(&if args.json { as_json(&done) } else { as_text(&done) });
            ExitCode::SUCCESS
        }
        Err(failure) => {
            out::print_error(&format!("error: {failure}\n"));
            failure.code()
        }
    }
}

/// What was written.
struct Done {
    journal: String,
    from: u64,
    end: End,
    tables: Vec<Written>,
}

/// Where the tables end.
struct End {
    sequence: u64,
    state_digest: String,
}

fn export(args: &Args) -> Result<Done, Failure> {
    let disk = data::read(&args.dir)?;
    let (reader, follower) = begin(&disk)?;
    let (journal, from) = (reader.id().to_string(), follower.sequence() + 1);
    if let Some(at) = args.at.filter(|at| *at < from) {
        let hint = format!("hint: older segments are gone, and a snapshot leads to {}", from - 1);
        return Err(Failure::usage(format!("--at {at} is before the journal, which begins at {from}\n  {hint}")));
    }
    let made = folder(&args.to, &args.dir)?;
    let done = Sheets::new(&args.to, args.format, &args.only, args.force, &journal).and_then(|sheets| {
        let (end, sheets) = follow(&disk, reader, follower, args.at, sheets)?;
        Ok(Done { journal, from, end, tables: sheets.finish()? })
    });
    if made && done.is_err() {
        let _ = std::fs::remove_dir(&args.to); // only when it is empty, which it was
    }
    done
}

fn begin(disk: &RealDisk) -> Result<(Reader, Follower), Failed> {
    let reader = Reader::first(disk)?;
    let follower = Follower::beginning(disk, &reader)?;
    Ok((reader, follower))
}

/// Makes the folder when it is not there, and says whether it did. It may not lie in the venue's, where a journal opens no more.
fn folder(to: &Path, dir: &Path) -> Result<bool, Failure> {
    let missing = !to.exists();
    let parent = to.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let whole = |path: &Path| path.canonicalize().map_err(|why| Failure::unwritable(to, &why.to_string()));
    let place = if missing { whole(parent)? } else { whole(to)? };
    if place.starts_with(whole(dir)?) {
        let hint = "hint: name a folder beside it; a data directory with other files in it is not opened";
        return Err(Failure::usage(format!("{} is in the data directory {}\n  {hint}", to.display(), dir.display())));
    }
    if missing {
        std::fs::create_dir(to).map_err(|why| Failure::unwritable(to, &why.to_string()))?;
    } else if !place.is_dir() {
        return Err(Failure::unwritable(to, "it is no folder\n  hint: --to names the folder that the tables go to"));
    }
    Ok(missing)
}

/// Applies the journal up to `at`, or to its end, and writes the rows of what happens and, there, of what there is.
fn follow(
    disk: &RealDisk,
    mut reader: Reader,
    mut follower: Follower,
    at: Option<u64>,
    mut sheets: Sheets,
) -> Result<(End, Sheets), Failure> {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} sequence {pos}, {per_sec}") {
        bar.set_style(style);
    }
    let mut flow = Flow::new(follower.engine().state(), &sheets);
    let mut end = None;
    while let Some(batch) = reader.next_batch(disk).map_err(Failed::from)? {
        let mut seen = 0;
        let mut see = |step: Step<'_>| {
            let events = step.engine.events();
            if at.is_none_or(|at| step.sequence <= at) {
                flow.take(events.get(seen..).unwrap_or_default(), step.engine.state(), &mut sheets);
            }
            seen = events.len();
            if at == Some(step.sequence) {
                end = Some(finish(step.sequence, step.engine, &mut flow, &mut sheets));
            }
        };
        follower.apply(&batch, &mut see).map_err(Failed::from)?;
        bar.set_position(follower.sequence());
        sheets.check()?;
        if end.is_some() {
            break;
        }
    }
    bar.finish_and_clear();
    let sequence = follower.sequence();
    match (end, at) {
        (Some(end), _) => Ok((end, sheets)),
        (None, Some(at)) => {
            let hint = format!("hint: --at {sequence}, or leave it out");
            Err(Failure::usage(format!("--at {at} is after the end of the journal, which is at {sequence}\n  {hint}")))
        }
        (None, None) => {
            follower.end(reader.digest()).map_err(Failed::from)?;
            let end = finish(sequence, follower.engine(), &mut flow, &mut sheets);
            sheets.check()?;
            Ok((end, sheets))
        }
    }
}

fn finish(sequence: u64, engine: &engine::Engine, flow: &mut Flow, sheets: &mut Sheets) -> End {
    flow.finish(engine.state(), sheets);
    stock::write(engine, sheets);
    End { sequence, state_digest: engine.state_digest().to_string() }
}

fn as_text(done: &Done) -> String {
    let Done { journal, from, end: End { sequence, state_digest }, tables } = done;
    let mut text = format!("journal {journal}: sequences {from} to {sequence}\n");
    for Written { name, path, rows } in tables {
        text += &format!("{:<13}{rows:>12} rows  {}\n", name.text(), path.display());
    }
    text + &format!("state {state_digest}\n")
}

fn as_json(done: &Done) -> String {
    let Done { journal, from, end: End { sequence, state_digest }, tables } = done;
    let table = |Written { name, path, rows }: &Written| json!({ "table": name.text(), "file": path, "rows": rows });
    let value = json!({
        "schema": "plimsoll.export/1",
        "journal": journal,
        "from": from,
        "to": sequence,
        "state_digest": state_digest,
        "tables": tables.iter().map(table).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}
