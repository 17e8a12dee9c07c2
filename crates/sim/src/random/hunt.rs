//! Runs random work under the referee, and makes what fails small: commands are dropped for as long as it still fails.

use super::Random;
use crate::referee::{Judge, Mismatch};
use engine::{Command, Event, State};
use std::panic::{AssertUnwindSafe, catch_unwind};
use units::Time;

/// A sequence on which referee and engine do not agree.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What went wrong, with the commands that are left.
    pub what: String,
    /// The smallest list of commands found that still fails.
    pub commands: Vec<(Time, Command)>,
    /// What the last of them did.
    pub events: Vec<Event>,
}

/// Plays one seed: the venue and then `commands` more. `seen` is told every event, with the state after its command.
///
/// # Errors
/// The failure, made small.
pub fn play(seed: u64, commands: usize, seen: &mut dyn FnMut(&Event, &State)) -> Result<(), Box<Failure>> {
    let mut random = Random::new(seed);
    let all = random.setup() + commands;
    let mut done: Vec<(Time, Command)> = Vec::with_capacity(all);
    let mut judge = Judge::new();
    for _ in 0..all {
        let (at, command) = random.next(judge.engine());
        done.push((at, command.clone()));
        match step(&mut judge, at, &command) {
            Ok(()) => judge.events().iter().for_each(|event| seen(event, judge.engine().state())),
            Err(what) => return Err(Box::new(smaller(seed, what, done))),
        }
    }
    Ok(())
}

fn step(judge: &mut Judge, at: Time, command: &Command) -> Result<(), String> {
    let applied = catch_unwind(AssertUnwindSafe(|| judge.apply(at, command)));
    match applied {
        Ok(verdict) => verdict.map(|_| ()).map_err(|m: Mismatch| m.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            Err(format!("panic: {}", text.unwrap_or("without a message")))
        }
    }
}

/// What a list of commands ends in, if it fails; the list up to there.
fn fails(commands: &[(Time, Command)]) -> Option<(String, usize)> {
    let mut judge = Judge::new();
    for (at, (time, command)) in commands.iter().enumerate() {
        if let Err(what) = step(&mut judge, *time, command) {
            return Some((what, at + 1));
        }
    }
    None
}

/// The rule that failed, which must stay the same while commands are dropped.
fn rule(what: &str) -> &str {
    what.split_once(": ").map_or(what, |(_, rest)| rest.split_once(": ").map_or(rest, |(rule, _)| rule))
}

fn smaller(seed: u64, what: String, mut commands: Vec<(Time, Command)>) -> Failure {
    let mut last = what;
    let mut chunk = commands.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < commands.len() {
            let mut fewer = commands.clone();
            fewer.drain(at..(at + chunk).min(commands.len()));
            match fails(&fewer) {
                Some((what, end)) if rule(&what) == rule(&last) => {
                    fewer.truncate(end);
                    (commands, last) = (fewer, what);
                }
                _ => at += chunk,
            }
        }
        chunk /= 2;
    }
    let mut judge = Judge::new();
    for (time, command) in &commands {
        let _ = step(&mut judge, *time, command); // the last one fails
    }
    Failure { seed, what: last, commands, events: judge.events().to_vec() }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        for (time, command) in &self.commands {
            writeln!(f, "  {} {}", time.ns(), serde_json::to_string(command).unwrap_or_default())?;
        }
        writeln!(f, "events of the last command:")?;
        for event in &self.events {
            writeln!(f, "  {}", serde_json::to_string(event).unwrap_or_default())?;
        }
        write!(
            f,
            "repeat: PLIMSOLL_REFEREE_SEED={} cargo test -p plimsoll-sim referee_agrees_on_random_sequences",
            self.seed
        )
    }
}
