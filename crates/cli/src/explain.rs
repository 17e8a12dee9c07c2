//! `plimsoll explain`: a scenario, a journal or a replay in, the working of its events out. It reads files and prints; the working is in `sim`.

use crate::{data, out, replay};
use serde_json::json;
use sim::explain::{Explained, Explainer, Kind, Missing, Selection};
use sim::scenario;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `plimsoll explain` takes.
#[derive(clap::Args)]
#[command(after_help = "\
Without --event, --kind and --account every event with a working is shown. Events are numbered from 1 over the whole run; the number
stands before each working. docs/explain.md shows every kind.

Exit codes: 0 every figure comes out again, 1 one does not, 2 usage, no such event or account, or a scenario that cannot be understood,
3 a file that cannot be read.

Examples:
  plimsoll explain scenarios/liquidation/threshold.txt
  plimsoll explain scenarios/adl/by_rank.txt --kind adl
  plimsoll explain scenarios/funding/sums_to_zero.txt --kind funding --account ann
  plimsoll explain scenarios/liquidation/threshold.txt --event 24 --json | jq .events[0].working
  plimsoll explain venue --account ann --at 2025-10-10T21:19
  plimsoll explain --replay '2025-10-10 --accounts 2000' --kind adl")]
pub struct Args {
    /// The scenario, or the data directory of a venue
    #[arg(value_name = "SCENARIO|DIR", required_unless_present = "replay", conflicts_with = "replay")]
    scenario: Option<PathBuf>,
    /// A replay instead: what would stand after `plimsoll replay`, in quotes
    #[arg(long, value_name = "'DAY OPTIONS'")]
    replay: Option<String>,
    /// Only the event of this number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    event: Option<u64>,
    /// Only events of this kind: liquidation, funding, fee, adl, sale, interest or loss
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Only events that concern this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only what happened at this time, or a part of it from its beginning
    #[arg(long, value_name = "2025-10-10T21:19")]
    at: Option<String>,
    /// Print one JSON object (plimsoll.explain/1)
    #[arg(long)]
    json: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    let names: Vec<&str> = Kind::ALL.iter().map(|(name, _)| *name).collect();
    Kind::named(text).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

/// What went wrong, and its exit code.
struct Failed {
    text: String,
    code: u8,
}

impl From<replay::Failure> for Failed {
    fn from(failure: replay::Failure) -> Self {
        Self { text: failure.to_string(), code: failure.number() }
    }
}

/// Explains and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    match explain(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(Failed { text, code }) => {
            out::print_error(&format!("error: {text}\n"));
            ExitCode::from(code)
        }
    }
}

/// Whether every figure came out again.
fn explain(args: &Args) -> Result<bool, Failed> {
    let selection = Selection { event: args.event, kind: args.kind, account: args.account.clone() };
    let mut told = Told { json: args.json, at: args.at.clone(), ..Told::default() };
    let (found, source) = match (&args.scenario, &args.replay) {
        (Some(path), _) if path.is_dir() => (of_journal(path, selection, &mut told)?, path.display().to_string()),
        (Some(path), _) => (of_scenario(path, selection, &mut told)?, path.display().to_string()),
        (None, Some(line)) => (of_replay(line, selection, &mut told)?, format!("plimsoll replay {line}")),
        (None, None) => return Err(Failed { text: "name a scenario, or give --replay".to_owned(), code: 2 }),
    };
    match found {
        Ok(()) => {}
        // Not a fault: what was asked for is shown, and it is nothing.
        Err(Missing::Nothing) => {}
        Err(bug @ Missing::State) => return Err(Failed { text: bug.to_string(), code: 1 }),
        Err(missing) => {
            let hint = "without --event, --kind and --account every working is shown with its number";
            return Err(Failed { text: format!("{source}: {missing}\n  hint: {hint}"), code: 2 });
        }
    }
    Ok(told.finish(&source))
}

fn of_scenario(path: &Path, selection: Selection, told: &mut Told) -> Result<Result<(), Missing>, Failed> {
    let file = path.display().to_string();
    let text = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(why)) => return Err(Failed { text: format!("{file}: expected UTF-8 text: {why}"), code: 2 }),
        Err(why) => return Err(Failed { text: format!("cannot read {file}: {why}"), code: 3 }),
    };
    let mut explainer = Explainer::new(selection);
    let report = scenario::run_observed(&text, &mut |step| {
        told.take(explainer.take(step.command, step.engine.events()));
    });
    let report = report.map_err(|error| Failed { text: error.show(&file, &text), code: 2 })?;
    Ok(explainer.finish(report.state_digest))
}

/// From the journal alone: its commands again, and what they did.
fn of_journal(path: &Path, selection: Selection, told: &mut Told) -> Result<Result<(), Missing>, Failed> {
    let failed = |data::Failed { text, code }| Failed { text, code };
    let disk = data::read(path).map_err(failed)?;
    let refusals = selection.event.is_none() && selection.kind.is_none();
    let account = selection.account.clone();
    let mut explainer = Explainer::new(selection);
    let mut follower = node::Follower::new();
    let mut reader = journal::Reader::first(&disk).map_err(|error| failed(error.into()))?;
    while let Some(batch) = reader.next_batch(&disk).map_err(|error| failed(error.into()))? {
        let mut seen = 0;
        let mut see = |step: node::Step<'_>| {
            let events = step.engine.events();
            told.take(explainer.take(&step.line.command, events.get(seen..).unwrap_or_default()));
            seen = events.len();
            if let (true, Err(reject)) = (refusals, step.answer) {
                told.refused(&step, account.as_deref(), reject);
            }
        };
        follower.apply(&batch, &mut see).map_err(|error| failed(error.into()))?;
    }
    Ok(explainer.finish(follower.engine().state_digest()))
}

fn of_replay(line: &str, selection: Selection, told: &mut Told) -> Result<Result<(), Missing>, Failed> {
    let args = replay::line(line)?;
    let mut explainer = Explainer::new(selection);
    let digest = replay::observed(&args, &mut |command, events| {
        told.take(explainer.take(command, events));
    })?;
    let same = digest == explainer.digest().to_string();
    Ok(if same { explainer.finish(explainer.digest()) } else { Err(Missing::State) })
}

/// What was told, and how it came out.
#[derive(Default)]
struct Told {
    json: bool,
    at: Option<String>,
    /// The reader has gone.
    deaf: bool,
    rows: Vec<Explained>,
    refusals: Vec<serde_json::Value>,
    events: usize,
    checks: usize,
    broken: usize,
}

impl Told {
    fn take(&mut self, found: Vec<Explained>) {
        let at = self.at.clone().unwrap_or_default();
        for row in found.into_iter().filter(|row| row.time.starts_with(&at)) {
            self.events += 1;
            self.checks += row.checks.len();
            self.broken += row.checks.iter().filter(|check| !check.holds).count();
            if self.json {
                self.rows.push(row);
            } else if !self.deaf {
                self.deaf = !out::print(&format!("{row}\n"));
            }
        }
    }

    /// A request that was refused, with what was needed and what there was.
    fn refused(&mut self, step: &node::Step<'_>, account: Option<&str>, reject: &engine::Reject) {
        let command = serde_json::to_value(&step.line.command).unwrap_or_default();
        let fields = command.as_object().and_then(|object| object.values().next());
        let number = fields.and_then(|fields| fields.get("account")).and_then(serde_json::Value::as_u64);
        let row = number.and_then(|at| step.engine.state().accounts.get(usize::try_from(at).ok()?));
        let name = row.and_then(|row| row.name.as_ref()).map(ToString::to_string);
        let time = step.line.time.to_string();
        let asked = account.is_none_or(|account| name.as_deref() == Some(account));
        if !asked || !time.starts_with(self.at.as_deref().unwrap_or_default()) {
            return;
        }
        let (sequence, why) = (step.sequence, reject.to_string());
        if self.json {
            let code = reject.code();
            self.refusals
                .push(json!({ "time": time, "sequence": sequence, "command": command, "code": code, "why": why }));
        } else if !self.deaf {
            self.deaf = !out::print(&format!("{time}  command {sequence}  refused: {why}\n  {command}\n\n"));
        }
    }

    /// The last line, or the JSON; whether all figures came out again.
    fn finish(self, source: &str) -> bool {
        let Self { events, checks, broken, .. } = self;
        if self.json {
            let value = json!({
                "schema": "plimsoll.explain/1",
                "source": source,
                "events": self.rows,
                "refusals": self.refusals,
                "checks": checks,
                "broken": broken,
            });
            out::print(&format!("{value:#}\n"));
        } else if !self.deaf {
            let verdict = if broken == 0 { "all hold".to_owned() } else { format!("{broken} DO NOT HOLD") };
            out::print(&format!("events explained: {events}; figures checked: {checks}, {verdict}\n"));
        }
        broken == 0
    }
}
