//! What is not taken, what ends a node, and what keeps one from opening.

use crate::Class;
use engine::DecodeError;
use std::fmt;

/// A request was not taken: nothing happened, nothing is remembered, and it may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Too many wait already.
    Overloaded {
        /// In which queue.
        class: Class,
        /// How many may.
        limit: usize,
    },
    /// The disk is full.
    NoRoom,
    /// The node only reads.
    ReadOnly,
    /// The client has gone on, and this request is not remembered: it may have been answered or never arrived.
    Forgotten {
        /// The client's newest number.
        last: u64,
    },
    /// The command is larger than any may be.
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded { class, limit } => {
                write!(f, "overloaded: {limit} requests of class {class:?} wait already")
            }
            Self::NoRoom => f.write_str("no room on the disk: nothing new is taken until there is"),
            Self::ReadOnly => f.write_str("the node only reads"),
            Self::Forgotten { last } => {
                write!(f, "this request may have been answered before: the client's newest is {last}")
            }
            Self::TooLarge { bytes } => {
                write!(f, "a command of {bytes} bytes, at most {} fit", engine::limits::COMMAND_BYTES_MAX)
            }
        }
    }
}

/// The node has ended: nothing of the batch was told, and it has to be opened again.
#[derive(Debug)]
pub enum Ended {
    /// The disk failed: what of the batch is durable is known at the next opening.
    Journal(journal::Error),
    /// A command broke an invariant or the code. It is in quarantine: after the next opening it has never happened.
    Command {
        /// What was said.
        what: String,
    },
    /// It had ended before.
    Before,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Command { what } => write!(f, "a command ended the node and is in quarantine: {what}"),
            Self::Before => f.write_str("the node has ended"),
        }
    }
}

impl std::error::Error for Ended {}

/// Why a node does not open, or what is wrong with a journal.
#[derive(Debug)]
pub enum Error {
    /// The journal says so.
    Journal(journal::Error),
    /// A record is no command of ours.
    Record {
        /// Its sequence.
        sequence: u64,
        /// Why.
        why: DecodeError,
    },
    /// The same commands gave other events than they did.
    Diverged {
        /// The last sequence of the batch.
        sequence: u64,
    },
    /// A command that was applied once ends the process now.
    Broke {
        /// Its sequence.
        sequence: u64,
        /// What was said.
        what: String,
    },
    /// A snapshot is not of this journal's past, or cannot be read as an engine.
    Snapshot {
        /// Its sequence.
        sequence: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The journal goes on under other rules than these, and has no snapshot at its end.
    OtherRules {
        /// Which.
        written: String,
    },
}

impl Error {
    /// What is safe to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Journal(error) => error.hint(),
            Self::Record { .. } => "open it with the version that wrote it; nothing was changed",
            Self::Diverged { .. } | Self::Broke { .. } => {
                "keep a copy of the directory and verify it with the version that the segment names; nothing was changed"
            }
            Self::Snapshot { .. } => "move the snapshot away: the journal leads there without it",
            Self::OtherRules { .. } => "stop the version that wrote it in order: it leaves a snapshot to go on from",
        }
    }
}

impl From<journal::Error> for Error {
    fn from(error: journal::Error) -> Self {
        Self::Journal(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Record { sequence, why } => write!(f, "record {sequence}: {why}"),
            Self::Diverged { sequence } => {
                write!(f, "events differ from those that were written, in the batch that ends at sequence {sequence}")
            }
            Self::Broke { sequence, what } => write!(f, "the command of sequence {sequence} cannot be applied: {what}"),
            Self::Snapshot { sequence, what } => write!(f, "snapshot of sequence {sequence}: {what}"),
            Self::OtherRules { written } => {
                write!(f, "written by `{written}`, this is `{}`", crate::RULES_VERSION)
            }
        }
    }
}

impl std::error::Error for Error {}
