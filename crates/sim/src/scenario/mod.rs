//! Scenarios: what goes in and what must come out, as text.
//!
//! Each statement ends in commands of the engine; the lines under it that begin with `>` say what it prints.
//! `docs/scenarios.md` is the grammar. This module knows no files: text goes in, and a report comes out.

mod error;
mod golden;
mod names;
mod print;
mod scene;
mod verbs;
mod words;

pub use error::Error;
pub use golden::Mismatch;
pub(crate) use names::name_of_leg;
pub use names::{Names, OrderOwners};
pub(crate) use print::{event_line, tagged, two_decimals};
pub use scene::{Observer, START};
pub use verbs::{VERBS, Verb};
pub(crate) use words::percent;
pub use words::{duration, moment};

use engine::{Answer, Command, Digest, Engine, Reject};
use golden::{Printed, Under, compare, is_blank, is_golden};
use scene::{Actor, Scene};
use units::Time;
use words::Words;

/// A command as it was applied; the engine still has its events.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// After the command.
    pub engine: &'a Engine,
    /// The time it carried.
    pub at: Time,
    /// The command.
    pub command: &'a Command,
    /// Its answer.
    pub result: &'a Result<Answer, Reject>,
}

/// What a scenario did.
#[derive(Clone, Debug)]
pub struct Report {
    /// Statements run.
    pub statements: usize,
    /// Golden lines compared.
    pub golden: usize,
    /// Golden lines that differ, in the order of the file.
    pub mismatches: Vec<Mismatch>,
    /// The text with the golden lines as they came out.
    pub text: String,
    /// Every command with its time, built-ins included: the scenario for whoever drives an engine without text.
    pub commands: Vec<(Time, Command)>,
    /// Hash chain over all events.
    pub event_digest: Digest,
    /// Hash of the last state.
    pub state_digest: Digest,
}

/// Runs a scenario, and its commands a second time on a new engine.
///
/// # Errors
/// When a line cannot be read, or when the engine breaks a promise: the second run gives other digests, an encoding does
/// not read back, money is not conserved. Golden lines that differ are no error but in the report.
pub fn run(text: &str) -> Result<Report, Error> {
    run_observed(text, &mut |_| ())
}

/// The same, with a look at the engine after each command. Commands inside `what_if` are not shown: they do not happen.
///
/// # Errors
/// As [`run`].
pub fn run_observed(text: &str, observer: &mut Observer<'_>) -> Result<Report, Error> {
    let mut play = Play { scenes: vec![Scene::new(observer)?], ..Play::default() };
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        at = play.statement(&lines, at, observer)?;
    }
    play.finish(lines.len())
}

#[derive(Default)]
struct Play {
    /// The venue, and the copies inside `what_if`.
    scenes: Vec<Scene>,
    statements: usize,
    golden: usize,
    mismatches: Vec<Mismatch>,
    out: Vec<String>,
}

impl Play {
    /// Runs the statement that begins at line `at` and compares the lines under it; the answer is the line after them.
    fn statement(&mut self, lines: &[&str], at: usize, observer: &mut Observer<'_>) -> Result<usize, Error> {
        let first = lines[at];
        if is_blank(first) {
            self.out.push(first.to_owned());
            return Ok(at + 1);
        }
        if is_golden(first) {
            let hint = "golden lines stand under the statement whose output they are";
            return Err(Error::new(at + 1, 1, 1, "expected a statement, found a golden line").hint(hint));
        }
        let end = end_of_statement(lines, at);
        let text = lines[at..end].join("\n");
        self.perform(at + 1, &text, observer)?;
        self.statements += 1;
        self.out.extend(lines[at..end].iter().map(|line| (*line).to_owned()));
        let under = end + lines[end..].iter().take_while(|line| is_blank(line) || is_golden(line)).count();
        let lines_under: Vec<Under> =
            (end..under).map(|at| Under { line: at + 1, text: lines[at].to_owned() }).collect();
        self.compare(end, first, &lines_under);
        Ok(under)
    }

    fn perform(&mut self, line: usize, text: &str, observer: &mut Observer<'_>) -> Result<(), Error> {
        let mut words = Words::new(line, text);
        let depth = self.scenes.len();
        let Some(scene) = self.scenes.last_mut() else { return Err(Error::new(line, 1, 1, "no scene")) };
        if words.eat("what_if") {
            if !words.eat("{") {
                return Err(words
                    .wrong_last("expected `{` after `what_if`")
                    .hint("what_if { … } on lines of their own"));
            }
            let mut copy = scene.clone();
            copy.commands.clear();
            self.scenes.push(copy);
            return words.end();
        }
        if words.eat("}") {
            words.end()?;
            if depth == 1 {
                return Err(words.wrong_last("expected a statement, found `}` without `what_if {`"));
            }
            return self.close_what_if(line);
        }
        let mut blind = |_: Step<'_>| ();
        let observer: &mut Observer<'_> = if depth == 1 { observer } else { &mut blind };
        verbs::perform(&mut Actor { scene, observer }, &mut words)
    }

    /// The engine's own what-if over the same commands must give the same state.
    fn close_what_if(&mut self, line: usize) -> Result<(), Error> {
        let (Some(copy), Some(base)) = (self.scenes.pop(), self.scenes.last()) else { return Ok(()) };
        let at_once = copy.commands.iter().all(|(time, _)| *time == base.now);
        let commands: Vec<Command> = copy.commands.iter().map(|(_, command)| command.clone()).collect();
        let answer = base.engine.what_if(base.now, &commands);
        if at_once && answer.engine.state_digest() != copy.engine.state_digest() {
            return Err(Error::new(line, 1, 1, "what_if of the engine differs from applying the same commands")
                .hint(error::BUG));
        }
        Ok(())
    }

    fn compare(&mut self, line: usize, text: &str, under: &[Under]) {
        let Some(scene) = self.scenes.last_mut() else { return };
        let said = scene.take_said();
        self.golden += under.iter().filter(|line| line.golden().is_some()).count();
        let verb = words::split(text).into_iter().next().map(|word| word.text).unwrap_or_default();
        let is_query = matches!(verb.as_str(), "show" | "book" | "queue" | "auctions" | "state" | "income");
        let scene = &*scene;
        let state = |words: &[String]| if is_query { None } else { verbs::state_line(scene, words) };
        let printed = Printed { line, text, lines: &said, state: &state };
        self.out.extend(compare(&printed, under, &mut self.mismatches));
    }

    fn finish(mut self, lines: usize) -> Result<Report, Error> {
        let (Some(scene), true) = (self.scenes.pop(), self.scenes.is_empty()) else {
            return Err(Error::new(lines, 1, 1, "expected `}`: a `what_if {` is open"));
        };
        let (event_digest, state_digest) = (scene.engine.event_digest(), scene.engine.state_digest());
        if replay(&scene.commands) != (event_digest, state_digest) {
            return Err(
                Error::new(lines, 1, 1, "a second run of the same commands gives other digests").hint(error::BUG)
            );
        }
        self.mismatches.sort_by_key(|mismatch| mismatch.line);
        let mut text = self.out.join("\n");
        text.push('\n');
        Ok(Report {
            statements: self.statements,
            golden: self.golden,
            mismatches: self.mismatches,
            text,
            commands: scene.commands,
            event_digest,
            state_digest,
        })
    }
}

/// The line after a statement: a `cmd` goes on until its braces are closed.
fn end_of_statement(lines: &[&str], at: usize) -> usize {
    if !matches!(lines[at].split_whitespace().next(), Some("cmd" | "batch")) {
        return at + 1;
    }
    let mut depth = 0i64;
    for (line, text) in lines.iter().enumerate().skip(at) {
        let count = |brace: char| i64::try_from(text.matches(brace).count()).unwrap_or(0);
        depth += count('{') - count('}');
        if depth <= 0 {
            return line + 1;
        }
    }
    lines.len()
}

/// Digests of events and state after the commands, on a new engine.
fn replay(commands: &[(Time, Command)]) -> (Digest, Digest) {
    let mut engine = Engine::new();
    for (at, command) in commands {
        engine.apply(*at, command).ok(); // refusals are part of the events
        engine.end_batch();
    }
    (engine.event_digest(), engine.state_digest())
}
