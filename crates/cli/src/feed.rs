//! `plimsoll feed`: commands in as JSON lines, answers out as JSON lines, each when it is durable.

use crate::data::{self, Failed, TailArg};
use crate::out;
use journal::Disk;
use node::{Node, NotTaken, Refusal, Request, RequestId, Told};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};
use units::Time;

/// What `plimsoll feed` takes.
#[derive(clap::Args)]
#[command(after_help = "\
Each line of standard input is {\"client\": N, \"number\": N, \"command\": …}: the commands of docs/scenarios.md (`cmd`) and of every
journal. Without client and number the request is the venue's own and is not remembered. The numbers of a client only grow; a request
that is sent again, also after a restart, gets its first answer. \"time\": NS stands for this machine's clock in tests.

Each answer is a line: client and number, the sequence of the command, and `answer`, `refused` or `not_taken`. It is printed after the
command and everything before it is on the disk. At the end of the input the journal is closed in order, with a snapshot.

Exit codes: 0 the input ended, 1 the journal is not as it was written, 2 usage, 3 the disk fails.

Examples:
  echo '{\"client\":1,\"number\":1,\"command\":\"tick\"}' | plimsoll feed venue
  plimsoll feed venue < commands.jsonl > answers.jsonl
  plimsoll feed venue --tail drop < /dev/null      # an unreadable last batch is kept beside, and the log goes on")]
pub struct Args {
    /// The directory of the venue, made when it is not there
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What to do with a last batch that cannot be read
    #[arg(long, value_enum, default_value_t)]
    tail: TailArg,
    /// Write a snapshot after so many commands, besides the one at the end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_every: Option<u64>,
}

/// A line of the input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    client: Option<u64>,
    number: Option<u64>,
    time: Option<i64>,
    command: engine::Command,
}

/// The most lines of one batch.
const BATCH: usize = 8_192;

/// Feeds and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    match feed(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { text, code }) => {
            out::print_error(&format!("error: {text}\n"));
            ExitCode::from(code)
        }
    }
}

fn feed(args: &Args) -> Result<(), Failed> {
    let (mut node, opened) = data::open(&args.dir, args.tail.into())?;
    let state = match &opened {
        None => "a new journal".to_owned(),
        Some(opened) => {
            for error in &opened.bad {
                out::print_error(&format!("warning: {error}; an older snapshot was taken\n"));
            }
            if let Some(tail) = &opened.dropped {
                out::print_error(&format!("dropped: {tail}\n"));
            }
            let from =
                if opened.snapshot > 0 { format!("snapshot {}", opened.snapshot) } else { "the beginning".into() };
            format!("recovered to sequence {} from {from}", opened.sequence)
        }
    };
    if opened.is_some_and(|opened| opened.read_only) {
        let text = "the work that is due ends the process: the venue is open to read only\n  hint: plimsoll verify";
        return Err(Failed { text: text.to_owned(), code: 1 });
    }
    out::print_error(&format!("{}: {state}\n", args.dir.display()));
    let lines = lines();
    let mut numbered = 0;
    let mut since = 0;
    while let Ok(first) = lines.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(lines.try_iter().take(BATCH - 1)).collect();
        since += u64::try_from(batch.len()).unwrap_or(0);
        let told = work(&mut node, batch, &mut numbered)?;
        if !out::print(&told) {
            break; // nobody listens any more
        }
        if args.snapshot_every.is_some_and(|every| since >= every) {
            node.snapshot()?;
            since = 0;
        }
    }
    let last = node.committed().sequence;
    node.close()?;
    out::print_error(&format!("{}: closed at sequence {last}\n", args.dir.display()));
    Ok(())
}

/// Lines of standard input as they come.
fn lines() -> Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(2 * BATCH);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Submits what fits together, works it off, and gives the lines to print.
fn work<D: Disk>(
    node: &mut Node<D>,
    batch: Vec<std::io::Result<Vec<u8>>>,
    numbered: &mut u64,
) -> Result<String, Failed> {
    let mut text = String::new();
    let mut asked: HashMap<u64, Option<RequestId>> = HashMap::new();
    let mut clock = None;
    for line in batch {
        *numbered += 1;
        let read = line.map_err(|error| error.to_string()).and_then(|bytes| parse(&bytes));
        let line = match read {
            Ok(Some(line)) => line,
            Ok(None) => continue,
            Err(why) => {
                text += &format!("{}\n", json!({ "line": *numbered, "error": why }));
                continue;
            }
        };
        // A time of its own is a batch of its own.
        if line.time.is_some() && clock != line.time {
            text += &worked_off(node, clock, &mut asked)?;
            clock = line.time;
        }
        let id = line.client.zip(line.number).map(|(client, number)| RequestId { client, number });
        match node.submit(Request { id, command: line.command }) {
            Ok(ticket) => {
                asked.insert(ticket, id);
            }
            Err(why) => text += &told_line(id, node.committed().sequence, &Err(why)),
        }
    }
    text += &worked_off(node, clock, &mut asked)?;
    Ok(text)
}

fn worked_off<D: Disk>(
    node: &mut Node<D>,
    clock: Option<i64>,
    asked: &mut HashMap<u64, Option<RequestId>>,
) -> Result<String, Failed> {
    let mut text = String::new();
    while node.waiting() > 0 {
        for Told { ticket, sequence, outcome } in node.run(clock.map_or_else(data::now, Time::from_ns))? {
            text += &told_line(asked.remove(&ticket).flatten(), sequence, &outcome);
        }
    }
    Ok(text)
}

fn parse(bytes: &[u8]) -> Result<Option<Line>, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let line: Line = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
    match (line.client, line.number) {
        (Some(_), Some(0)) => Err("number begins at 1".to_owned()),
        (Some(_), None) | (None, Some(_)) => Err("client and number go together".to_owned()),
        _ => Ok(Some(line)),
    }
}

fn told_line(id: Option<RequestId>, sequence: u64, outcome: &Result<node::Outcome, NotTaken>) -> String {
    let mut value = json!({ "sequence": sequence });
    if let Some(id) = id {
        value["client"] = id.client.into();
        value["number"] = id.number.into();
    }
    match outcome {
        Ok(Ok(answer)) => value["answer"] = serde_json::to_value(answer).unwrap_or(Value::Null),
        Ok(Err(refusal)) => {
            value["refused"] = refusal.to_string().into();
            if let Refusal::Rejected(reject) = refusal {
                value["code"] = reject.code().into();
            }
        }
        Err(why) => value["not_taken"] = why.to_string().into(),
    }
    format!("{value}\n")
}
