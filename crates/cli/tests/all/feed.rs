//! A venue as a process: answers only when they are durable, whatever kills it.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn plimsoll(words: &[&str], path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(words).arg(path).output().unwrap()
}

fn feed(path: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["feed", "--tail", "drop"]).arg(path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Each opens an account, so that a command that is lost or doubled shows in the numbers of all after it.
fn line(number: u64) -> String {
    let name = format!("a{number}");
    let command = json!({ "open_account": { "owner": number, "role": "trading", "name": name } });
    format!("{}\n", json!({ "client": 7, "number": number, "command": command }))
}

/// Sends from a number on until the process is killed, and gives what was answered by then.
fn killed_under_load(path: &Path, from: u64, after: Duration) -> Vec<Value> {
    let mut child = feed(path);
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let sender = std::thread::spawn(move || {
        let mut number = from;
        // A dozen at a time, so that batches are of many sizes; until the pipe breaks.
        loop {
            let lines: String = (number..number + 1 + number % 23).map(line).collect();
            number += 1 + number % 23;
            if input.write_all(lines.as_bytes()).and_then(|()| input.flush()).is_err() {
                return;
            }
        }
    });
    let reader = std::thread::spawn(move || {
        // The last line may be cut; nobody was answered by half a line.
        BufReader::new(output).lines().map_while(Result::ok).filter_map(|l| serde_json::from_str(&l).ok()).collect()
    });
    std::thread::sleep(after);
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    sender.join().unwrap();
    reader.join().unwrap()
}

/// How often; `cargo xtask long kills` says a hundred.
fn kills() -> u64 {
    std::env::var("PLIMSOLL_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

#[test]
fn nothing_answered_is_lost_or_doubled_by_kill_9() {
    let folder = Folder::new("feed-killed");
    let mut answers: BTreeMap<u64, Value> = BTreeMap::new();
    let mut state = 0x9E37_79B9_u64;
    for kill in 0..kills() {
        // All are sent again from a little before the last that was answered.
        let from = answers.keys().next_back().map_or(1, |last| last.saturating_sub(20).max(1));
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let after = Duration::from_millis(120 + (state >> 33) % 500);
        let got = killed_under_load(&folder.0, from, after);
        // Of what was durable and not heard of, all but the newest is not remembered, and said to be: no answer, and not applied.
        for answer in got.into_iter().filter(|answer| answer.get("not_taken").is_none()) {
            let number = answer["number"].as_u64().unwrap();
            if let Some(before) = answers.insert(number, answer.clone()) {
                assert_eq!(before, answer, "kill {kill}: {number} was answered otherwise");
            }
        }
    }
    let last = *answers.keys().next_back().expect("something was answered in time");
    // The n-th account is that of number n, so nothing was lost and nothing doubled.
    let mut before = 0;
    for (number, answer) in &answers {
        assert_eq!(answer["answer"]["account"].as_u64(), Some(number - 1), "{answer}");
        // Ticks of the venue's own stand between them.
        let sequence = answer["sequence"].as_u64().unwrap();
        assert!(sequence > before && sequence >= *number, "{answer}");
        before = sequence;
    }
    let opened = plimsoll(&["feed", "--tail", "drop"], &folder.0);
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let verified = plimsoll(&["verify", "--json"], &folder.0);
    let found: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(found["holds"], true, "{found:#}");
    let to = found["to"].as_u64().unwrap();
    assert!(to >= last, "answered {last}, there to {to}");
    println!("{} kills; {last} commands answered, {to} durable", kills());
}

/// A file system that lets no file grow beyond a size: writes come out short, then fail. The process ends in the middle of its work, and
/// nothing that it answered is lost.
#[cfg(target_os = "linux")]
#[test]
fn nothing_answered_is_lost_when_a_file_must_not_grow() {
    let folder = Folder::new("feed-limited");
    let mut child = feed(&folder.0);
    let mut input = child.stdin.take().unwrap();
    input.write_all((1..=50).map(line).collect::<String>().as_bytes()).unwrap();
    drop(input);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let mut answered = 50;
    for blocks in [150, 300, 600] {
        // The signal of the limit is ignored, so that the write fails instead. Blocks are of 512 bytes or, in some shells, 1,024.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" feed --tail drop \"$1\"");
        let mut limited = Command::new("sh");
        limited.args(["-c", &script, env!("CARGO_BIN_EXE_plimsoll")]).arg(&folder.0);
        let mut child = limited.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let from = answered + 1;
        // One is answered before the flood: the first batch of a flood may be as large as all the room there is.
        input.write_all(line(from).as_bytes()).unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        output.read_line(&mut text).unwrap();
        let sender = std::thread::spawn(move || {
            for number in from + 1..from + 40_000 {
                if input.write_all(line(number).as_bytes()).is_err() {
                    return;
                }
            }
        });
        output.read_to_string(&mut text).unwrap();
        let ended = child.wait_with_output().unwrap();
        sender.join().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_ne!(ended.status.code(), Some(0), "{blocks} blocks: {told}");
        assert!(told.contains("no room") || told.contains("cannot write"), "{blocks} blocks: {told}");
        let answers = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let answers: Vec<Value> = answers.filter(|answer| answer.get("answer").is_some()).collect();
        for answer in &answers {
            let number = answer["number"].as_u64().unwrap();
            assert_eq!(answer["answer"]["account"].as_u64(), Some(number - 1), "{answer}");
            answered = answered.max(number);
        }
        assert!(!answers.is_empty(), "{blocks} blocks: something was answered before: {told}");
        let verified = plimsoll(&["verify", "--json"], &folder.0);
        let found: Value = serde_json::from_slice(&verified.stdout).unwrap();
        let to = found["to"].as_u64().unwrap();
        assert!(to >= answered, "{blocks} blocks: answered {answered}, there to {to}");
    }
    let opened = plimsoll(&["feed", "--tail", "drop"], &folder.0);
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let verified = plimsoll(&["verify", "--json"], &folder.0);
    let found: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(found["holds"], true, "{found:#}");
}

#[test]
fn a_directory_in_use_or_of_others_is_refused() {
    let folder = Folder::new("feed-locked");
    let mut child = feed(&folder.0);
    let mut input = child.stdin.take().unwrap();
    input.write_all(line(1).as_bytes()).unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("\"account\":0"), "{first}");
    let second = plimsoll(&["feed"], &folder.0);
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && text.contains("is in use by another process"), "{text}");
    assert!(text.contains("hint: stop the other process, or read without writing"), "{text}");
    // Who reads is let in.
    assert!(plimsoll(&["verify"], &folder.0).status.success());
    drop(input);
    assert!(child.wait().unwrap().success());
    let foreign = Folder::new("feed-foreign");
    std::fs::create_dir_all(&foreign.0).unwrap();
    std::fs::write(foreign.0.join("thesis.doc"), "years of work").unwrap();
    let refused = plimsoll(&["feed"], &foreign.0);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("has a file that no journal makes: thesis.doc"), "{text}");
}

/// A scenario and a replay leave journals that verify and lead to their states; a turned bit is found.
#[test]
fn a_run_leaves_a_journal_that_verifies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = Folder::new("feed-scenario");
    let scenario = root.join("scenarios/adl/by_rank.txt");
    let ran = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["run", "--json", "--data"])
        .arg(&folder.0)
        .arg(&scenario)
        .output()
        .unwrap();
    let ran: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let verified = plimsoll(&["verify", "--json"], &folder.0);
    let found: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&found["holds"], &found["state_digest"]), (&json!(true), &ran[0]["state_digest"]));
    // The working of a journal is that of the scenario.
    let of_journal = plimsoll(&["explain", "--kind", "adl"], &folder.0);
    let of_scenario = plimsoll(&["explain", "--kind", "adl"], &scenario);
    assert_eq!(String::from_utf8_lossy(&of_journal.stdout), String::from_utf8_lossy(&of_scenario.stdout));
    let replayed = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["replay", "2025-10-10", "--accounts", "300", "--hours", "1", "--quiet", "--json", "--data"])
        .arg(&folder.0)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&replayed.stderr).into_owned();
    assert!(text.contains("a journal is here already") || text.contains("error"), "{text}");
    let segment = folder.0.join("segment-00000001.plim");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[700] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let spoiled = plimsoll(&["verify"], &folder.0);
    let text = String::from_utf8_lossy(&spoiled.stdout).into_owned();
    assert_eq!(spoiled.status.code(), Some(1), "{text}");
    assert!(text.contains("WRONG: segment-00000001.plim: a batch that is not whole at byte 512"), "{text}");
    assert!(text.contains("what can be trusted ends at sequence 0"), "{text}");
}

#[test]
fn bad_lines_are_told_and_passed_over() {
    let folder = Folder::new("feed-bad");
    let mut child = feed(&folder.0);
    let mut input = child.stdin.take().unwrap();
    let lines = [
        "{\"client\":1,\"number\":0,\"command\":\"tick\"}\n",
        "{\"client\":1,\"command\":\"tick\"}\n",
        "{\"command\":{\"no_such\":1}}\n",
        "\n",
        "{\"client\":1,\"number\":1,\"command\":{\"deposit\":{\"account\":9,\"asset\":0,\"amount\":\"5\",\"reference\":1}}}\n",
        "{\"client\":1,\"number\":2,\"time\":5,\"command\":\"tick\"}\n",
    ];
    input.write_all(lines.concat().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let told: Vec<Value> = BufReader::new(output.stdout.as_slice())
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    let errors: Vec<&str> = told.iter().filter_map(|line| line["error"].as_str()).collect();
    assert_eq!(errors.len(), 3, "{told:#?}");
    assert!(errors[0].contains("number begins at 1") && errors[1].contains("go together"), "{errors:?}");
    let refused = told.iter().find(|line| line["number"] == 1).unwrap();
    assert!(refused["refused"].as_str().unwrap().contains("unknown account"), "{refused}");
    assert_eq!(told.iter().find(|line| line["number"] == 2).unwrap()["answer"], "done");
    assert!(output.status.success());
}
