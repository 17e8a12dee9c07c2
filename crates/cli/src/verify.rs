//! `plimsoll verify`: a journal in, whether it can be trusted out, and how far.

use crate::data::{self, Failed};
use crate::out;
use indicatif::{ProgressBar, ProgressStyle};
use node::Verified;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `plimsoll verify` takes.
#[derive(clap::Args)]
#[command(after_help = "\
Every batch is applied again, from the beginning and from every snapshot, and compared with the events it had; money, sizes and open
interest are added up from nothing. Nothing is written, and a venue that runs may be verified: what it is writing then is an unreadable tail.

Exit codes: 0 all holds, 1 something does not, 2 usage, 3 the directory cannot be read.

Examples:
  plimsoll verify venue
  plimsoll verify venue --json | jq .state_digest")]
pub struct Args {
    /// The directory of the venue
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Print one JSON object (plimsoll.verify/1)
    #[arg(long)]
    json: bool,
}

/// Verifies and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    match verify(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(Failed { text, code }) => {
            out::print_error(&format!("error: {text}\n"));
            ExitCode::from(code)
        }
    }
}

fn verify(args: &Args) -> Result<bool, Failed> {
    let disk = data::read(&args.dir)?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} sequence {pos}, {per_sec}") {
        bar.set_style(style);
    }
    let found = node::verify(&disk, &mut |sequence| bar.set_position(sequence));
    bar.finish_and_clear();
    let found = found?;
    out::print(&if args.json { as_json(&found) } else { as_text(&found) });
    Ok(found.holds())
}

fn as_text(found: &Verified) -> String {
    let Verified { id, from, to, batches, dropped, writers, .. } = found;
    let mut text = format!("journal {id}, written by {}\n", writers.join(", then "));
    text += &format!("sequences {from} to {to} in {batches} batches: events as they were\n");
    for sequence in dropped {
        text += &format!("after sequence {sequence} an operator dropped an unreadable tail\n");
    }
    for (sequence, wrong) in &found.snapshots {
        text += &match wrong {
            None => format!("snapshot {sequence}: leads to the same state\n"),
            Some(wrong) => format!("snapshot {sequence}: WRONG: {wrong}\n"),
        };
    }
    match &found.wrong {
        None => text += "money, sizes and open interest add up\n",
        Some(wrong) => {
            text += &format!("WRONG: {wrong}\n");
            text += &format!("what can be trusted ends at sequence {to}, with these digests\n");
            if let node::Wrong::Error(error) = wrong {
                text += &format!("hint: {}\n", error.hint());
            }
        }
    }
    text + &format!(
        "journal {}\nevents  {}\nstate   {}\n",
        found.journal_digest, found.event_digest, found.state_digest
    )
}

fn as_json(found: &Verified) -> String {
    let snapshot = |(sequence, wrong): &(u64, Option<node::Wrong>)| json!({ "sequence": sequence, "wrong": wrong.as_ref().map(ToString::to_string) });
    let value = json!({
        "schema": "plimsoll.verify/1",
        "holds": found.holds(),
        "journal": found.id.to_string(),
        "writers": found.writers,
        "from": found.from,
        "to": found.to,
        "batches": found.batches,
        "dropped_tails": found.dropped,
        "snapshots": found.snapshots.iter().map(snapshot).collect::<Vec<_>>(),
        "wrong": found.wrong.as_ref().map(ToString::to_string),
        "journal_digest": found.journal_digest.to_string(),
        "event_digest": found.event_digest.to_string(),
        "state_digest": found.state_digest.to_string(),
    });
    format!("{value:#}\n")
}
