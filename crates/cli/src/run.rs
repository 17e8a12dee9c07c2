//! `plimsoll run`: scenario files in, differences out.

use crate::data::{self, Failed};
use crate::out;
use serde_json::{Value, json};
use sim::scenario::{self, Mismatch, Report};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `plimsoll run` takes.
#[derive(clap::Args)]
#[command(after_help = "\
Each FILE is a scenario, or a folder whose *.txt files are. docs/scenarios.md is the language.

Exit codes: 0 all golden lines agree, 1 some differ, 2 a file cannot be understood, 3 a file cannot be read or written.

Examples:
  plimsoll run scenarios/liquidation/threshold.txt
  plimsoll run scenarios                   # all of them
  plimsoll run --update my.txt             # write what came out into the `>` lines
  plimsoll run scenarios/liquidation/threshold.txt --data venue    # and leave a journal of it there
  plimsoll run --json scenarios | jq '.[] | select(.ok | not)'")]
pub struct Args {
    /// Scenario files or folders
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON array with an object per file: file, ok, statements, golden, commands, digests, mismatches, error
    #[arg(long)]
    json: bool,
    /// Rewrite the `>` lines of files that differ
    #[arg(long)]
    update: bool,
    /// Leave a journal of the scenario's commands in an empty directory; of one scenario only
    #[arg(long, value_name = "DIR", conflicts_with = "update")]
    data: Option<PathBuf>,
}

/// How bad a file came out; the exit code is that of the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Agrees,
    Differs,
    NotUnderstood,
    Unreadable,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(match verdict {
            Verdict::Agrees => 0,
            Verdict::Differs => 1,
            Verdict::NotUnderstood => 2,
            Verdict::Unreadable => 3,
        })
    }
}

struct Outcome {
    verdict: Verdict,
    text: String,
    json: Value,
}

/// Runs all files and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    if let Some(dir) = &args.data
        && (args.files.len() != 1 || args.files.iter().any(|path| path.is_dir()))
    {
        let hint = "hint: plimsoll run scenarios/liquidation/threshold.txt --data venue";
        out::print_error(&format!("error: --data {} keeps one scenario\n  {hint}\n", dir.display()));
        return Verdict::NotUnderstood.into();
    }
    let (mut worst, mut all, mut files) = (Verdict::Agrees, Vec::new(), 0usize);
    for given in &args.files {
        let (paths, failed) = match found(given) {
            Ok(paths) => (paths, None),
            Err(why) => (Vec::new(), Some(unreadable(given, &why))),
        };
        for outcome in paths.iter().map(|path| one(path, args)).chain(failed) {
            files += 1;
            worst = worst.max(outcome.verdict);
            let heard = args.json
                || match outcome.verdict {
                    Verdict::Agrees | Verdict::Differs => out::print(&outcome.text),
                    Verdict::NotUnderstood | Verdict::Unreadable => out::print_error(&outcome.text),
                };
            if !heard {
                return worst.into();
            }
            all.push(outcome.json);
        }
    }
    if args.json {
        out::print(&format!("{:#}\n", Value::Array(all)));
    } else if files > 1 {
        let good = all.iter().filter(|file| file["ok"] == true).count();
        out::print(&format!("{good} of {files} scenarios agree\n"));
    }
    worst.into()
}

/// The file itself, or the `*.txt` files below a folder in the order of their names.
fn found(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = std::fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            files.extend(found(&entry)?);
        } else if entry.extension().is_some_and(|extension| extension == "txt") {
            files.push(entry);
        }
    }
    Ok(files)
}

fn one(path: &Path, args: &Args) -> Outcome {
    let file = path.display().to_string();
    let text = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(why)) => return not_understood(&file, &format!("{file}: expected UTF-8 text: {why}")),
        Err(why) => return unreadable(path, &why),
    };
    let ran = scenario::run(&text);
    if let (Some(dir), Ok(report)) = (&args.data, &ran)
        && let Err(Failed { text, .. }) = data::keep_scenario(dir, report)
    {
        let json = object(&file, false, None, Some(&text));
        return Outcome { verdict: Verdict::Unreadable, text: format!("error: {text}\n"), json };
    }
    match ran {
        Err(error) => not_understood(&file, &error.show(&file, &text)),
        Ok(report) if args.update && report.text != text => match std::fs::write(path, &report.text) {
            Ok(()) => agrees(&file, &report, " (rewritten)"),
            Err(why) => unreadable(path, &why),
        },
        Ok(report) if report.mismatches.is_empty() => agrees(&file, &report, ""),
        Ok(report) => differs(&file, &report),
    }
}

fn agrees(file: &str, report: &Report, note: &str) -> Outcome {
    let text = format!("ok  {file}: {} statements, {} golden lines{note}\n", report.statements, report.golden);
    Outcome { verdict: Verdict::Agrees, text, json: object(file, true, Some(report), None) }
}

fn differs(file: &str, report: &Report) -> Outcome {
    let shown = report.mismatches.iter().take(20).map(|mismatch| show(file, mismatch));
    let mut text: String = shown.collect();
    text += &format!("  hint: plimsoll run --update {file}, then read the difference as you would read code\n");
    Outcome { verdict: Verdict::Differs, text, json: object(file, false, Some(report), None) }
}

/// `file:line`, expected, got.
fn show(file: &str, mismatch: &Mismatch) -> String {
    let line = |text: &Option<String>| text.as_ref().map_or("(nothing)".to_owned(), |text| format!("> {text}"));
    let (expected, got) = (line(&mismatch.expected), line(&mismatch.got));
    format!("{file}:{}: golden line differs\n  expected: {expected}\n  got:      {got}\n", mismatch.line)
}

fn not_understood(file: &str, message: &str) -> Outcome {
    let json = object(file, false, None, Some(message));
    Outcome { verdict: Verdict::NotUnderstood, text: format!("error: {message}\n"), json }
}

fn unreadable(path: &Path, why: &std::io::Error) -> Outcome {
    let file = path.display().to_string();
    let message = format!("cannot use {file}: {why}");
    let json = object(&file, false, None, Some(&message));
    Outcome { verdict: Verdict::Unreadable, text: format!("error: {message}\n"), json }
}

fn object(file: &str, ok: bool, report: Option<&Report>, error: Option<&str>) -> Value {
    let mut object = json!({ "file": file, "ok": ok });
    if let Some(report) = report {
        object["statements"] = report.statements.into();
        object["golden"] = report.golden.into();
        object["commands"] = report.commands.len().into();
        object["event_digest"] = report.event_digest.to_string().into();
        object["state_digest"] = report.state_digest.to_string().into();
        let line = |m: &Mismatch| json!({ "line": m.line, "expected": m.expected, "got": m.got });
        object["mismatches"] = report.mismatches.iter().map(line).collect();
    }
    if let Some(error) = error {
        object["error"] = error.into();
    }
    object
}
