//! The command as a process: what outlives it, and what it leaves behind.

mod accounts;
mod docs;
mod explain;
mod export;
mod feed;
mod import;
mod map;
mod margin;
mod portfolio;
mod proof;

use std::process::{Command, Stdio};

fn plimsoll(line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["replay", "2025-10-10", "--quiet"]).args(line).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_variant_ends_when_its_standard_input_does() {
    let mut child = plimsoll(&["--json", "--variant", "--accounts", "20000"]).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(2), "it was run to the end");
}

#[cfg(target_os = "linux")]
#[test]
fn the_variants_of_a_comparison_do_not_outlive_it() {
    use std::time::{Duration, Instant};
    // Name in brackets, state, parent: processes that have ended but were not waited for are not alive.
    let stat = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut rest = text.rsplit_once(')')?.1.split_whitespace();
        let (state, parent) = (rest.next()?.to_owned(), rest.next()?.parse::<u32>().ok()?);
        (state != "Z" && state != "X").then_some(parent)
    };
    let pids = || {
        let names = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.to_str()?.parse::<u32>().ok()).collect::<Vec<_>>()
    };
    let within = |seconds, done: &mut dyn FnMut() -> bool| {
        let end = Instant::now() + Duration::from_secs(seconds);
        while !done() {
            assert!(Instant::now() < end, "not within {seconds} s");
            std::thread::sleep(Duration::from_millis(20)); // between two looks; nothing depends on its length
        }
    };
    let mut parent = plimsoll(&["--accounts", "1000000", "--compare", "seeds"]).spawn().unwrap();
    let mut variants = Vec::new();
    within(60, &mut || {
        variants = pids().into_iter().filter(|pid| stat(*pid) == Some(parent.id())).collect();
        !variants.is_empty()
    });
    parent.kill().unwrap();
    parent.wait().unwrap();
    within(60, &mut || variants.iter().all(|pid| stat(*pid).is_none()));
}

#[test]
fn files_are_refused_before_the_run() {
    let folder = std::env::temp_dir().join(format!("plimsoll-refused-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let there = folder.join("there.csv");
    std::fs::write(&there, "kept").unwrap();
    let (there, missing) = (there.to_str().unwrap(), folder.join("no/rows.csv"));
    for (line, code, wanted) in [
        (vec!["--population-out", there], 3, "it exists"),
        (vec!["--compare", "a: --seed 1", "--markdown", there], 3, "it exists"),
        (vec!["--events", there], 3, "it exists"),
        (vec!["--events", missing.to_str().unwrap()], 3, "cannot write"),
        (vec!["--events", "events.json"], 2, "expected: a name that ends in .csv or .parquet"),
        (vec!["--events", "e.csv", "--events-only", "trades"], 2, "expected: ladder, began, refused"),
        (vec!["--events", "e.csv", "--compare", "a: --seed 1"], 2, "cannot be used with"),
        (vec!["--rulebook", "binance"], 2, "error: there is no rulebook \"binance\"\n  --> binance\nhint: "),
    ] {
        let output = plimsoll(&line).stderr(Stdio::piped()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(code) && text.contains(wanted) && !text.contains("error: error"),
            "{line:?}: {:?} {text}",
            output.status
        );
    }
    assert_eq!(std::fs::read_to_string(there).unwrap(), "kept");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "something was left behind");
    std::fs::remove_dir_all(&folder).unwrap();
}
