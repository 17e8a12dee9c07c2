//! The referee agrees with the engine after every command: of random sequences, of every scenario, of a short replay.
//!
//! `PLIMSOLL_REFEREE_SEQUENCES` says how many random sequences (2,000), `PLIMSOLL_REFEREE_SEED` runs one of them alone.

use super::scenarios::files;
use engine::{Command, Engine, Event};
use plimsoll_sim::random::{Coverage, play};
use plimsoll_sim::referee::Referee;
use plimsoll_sim::replay::{self, Config, Figures, Window, named};
use plimsoll_sim::scenario;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Commands of one sequence, after those that set the venue up.
const COMMANDS: usize = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Plays seeds from a common counter until it reaches the end, or one fails.
fn work(next: &AtomicU64, end: u64) -> Result<Coverage, String> {
    let mut seen = Coverage::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return Ok(seen);
        }
        if let Err(failure) = play(seed, COMMANDS, &mut |event, state| seen.see(event, state)) {
            next.store(end, Ordering::Relaxed);
            return Err(failure.to_string());
        }
    }
}

#[test]
fn referee_agrees_on_random_sequences() {
    let alone = number("PLIMSOLL_REFEREE_SEED");
    let first = alone.unwrap_or(0);
    let end = alone.map_or_else(|| number("PLIMSOLL_REFEREE_SEQUENCES").unwrap_or(2_000), |seed| seed + 1);
    let next = AtomicU64::new(first);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let results: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(&next, end))).collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    let mut seen = Coverage::default();
    for result in results {
        match result {
            Ok(part) => seen.add(&part),
            Err(failure) => panic!("\n{failure}\n"),
        }
    }
    println!("seeds {first} to {}: {} commands\n{seen}", end - 1, seen.commands);
    // A few seeds need not reach every stage of the ladder; hundreds must.
    if end - first >= 500 {
        assert_eq!(seen.missing(), Vec::<&str>::new(), "kinds of events that the random work never reached");
    }
}

#[test]
fn referee_agrees_on_every_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut wrong = String::new();
    for path in files(&root.join("scenarios")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let (mut referee, mut verdict) = (Referee::new(), Ok(()));
        let mut watch = |step: scenario::Step<'_>| {
            if verdict.is_ok() {
                verdict = referee
                    .observe(step.at, step.command, step.result, step.engine.events(), step.engine)
                    .map_err(|mismatch| format!("{mismatch}\n  after {:?}", step.command));
            }
        };
        // A text that cannot be read is the business of its own test.
        let _ = scenario::run_observed(&text, &mut watch);
        if let Err(mismatch) = verdict {
            wrong += &format!("{}: {mismatch}\n", path.strip_prefix(&root).unwrap_or(&path).display());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn referee_agrees_on_a_replay() {
    let figures = Figures::new(&named("2025-10-10").unwrap(), &Window::default()).unwrap();
    let config = Config { accounts: 2_000, ..Config::default() };
    // Everyone's line is looked at whenever the engine says it did; all numbers of all accounts every 2,000 commands and at
    // the end, in between those of the accounts that a command touched.
    let (mut referee, mut verdict, mut seen) = (Referee::full_every(2_000), Ok(()), Coverage::default());
    let mut watch = |at, command: &Command, answer: &_, events: &[Event], engine: &Engine| {
        events.iter().for_each(|event| seen.see(event, engine.state()));
        if verdict.is_ok() {
            verdict =
                referee.observe(at, command, answer, events, engine).map_err(|m| format!("{m}\n  after {command:?}"));
        }
    };
    let report = replay::run(&config, &figures, &mut watch, &mut |_| {}).unwrap();
    assert_eq!(verdict, Ok(()));
    println!("{} commands\n{seen}", report.commands);
}
