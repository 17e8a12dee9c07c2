//! An engine with its referee: every command is applied, watched and judged.

use super::{Mismatch, Referee};
use engine::{Answer, Command, Engine, Event, Reject};
use units::Time;

/// An engine that is never left alone.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    engine: Engine,
    referee: Referee,
    last: Vec<Event>,
}

impl Judge {
    /// An empty venue; all accounts are compared after every command.
    #[must_use]
    pub fn new() -> Self {
        Self { engine: Engine::new(), referee: Referee::new(), last: Vec::new() }
    }

    /// The engine as it is.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Events of the last command.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.last
    }

    /// Applies a command as a batch of its own.
    ///
    /// # Errors
    /// What the referee does not agree with; a refusal that changed more than the clock (I-31).
    pub fn apply(&mut self, at: Time, command: &Command) -> Result<Result<Answer, Reject>, Mismatch> {
        let before = self.engine.clone();
        let answer = self.engine.apply(at, command);
        self.last = self.engine.events().to_vec();
        self.engine.end_batch();
        if answer.is_err() {
            self.unchanged(before, at, &answer)?;
        }
        self.referee.observe(at, command, &answer, &self.last, &self.engine)?;
        Ok(answer)
    }

    /// I-31: after a refusal the state is that after a bare tick at the same time.
    fn unchanged(&self, mut bare: Engine, at: Time, answer: &Result<Answer, Reject>) -> Result<(), Mismatch> {
        if !matches!(answer, Err(Reject::TimeBackwards { .. })) {
            let ticked = bare.apply(at, &Command::Tick);
            debug_assert!(ticked.is_ok());
        }
        let (ours, theirs) = (bare.state_digest(), self.engine.state_digest());
        let what = || format!("state after {answer:?} against a bare tick");
        super::mismatch::same("I-31", what, ours, theirs).map_err(|m| m.at(self.engine.state().sequence))
    }
}
