//! How a disagreement reads.

use std::fmt;

/// A number or rule on which referee and engine do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Number of the command.
    pub sequence: u64,
    /// The invariant (I-01 …) or the rule.
    pub rule: &'static str,
    /// Whose or what number.
    pub what: String,
    /// What the referee found.
    pub ours: String,
    /// What the engine said.
    pub theirs: String,
}

impl Mismatch {
    /// The same, at a command.
    pub(super) fn at(mut self, sequence: u64) -> Self {
        self.sequence = sequence;
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, rule, what, ours, theirs } = self;
        write!(f, "command {sequence}: {rule}: {what}: referee {ours}, engine {theirs}")
    }
}

impl std::error::Error for Mismatch {}

/// A verdict.
pub type Verdict = Result<(), Mismatch>;

/// Fails unless both are the same.
pub fn same<T: PartialEq + fmt::Debug>(
    rule: &'static str,
    what: impl FnOnce() -> String,
    ours: T,
    theirs: T,
) -> Verdict {
    if ours == theirs {
        return Ok(());
    }
    Err(Mismatch { sequence: 0, rule, what: what(), ours: format!("{ours:?}"), theirs: format!("{theirs:?}") })
}

/// Fails unless `ok`; says what should hold.
pub fn holds(rule: &'static str, ok: bool, what: impl FnOnce() -> String) -> Verdict {
    if ok {
        return Ok(());
    }
    Err(Mismatch { sequence: 0, rule, what: what(), ours: "must hold".into(), theirs: "does not".into() })
}
