//! What can be wrong with a directory or a disk, where, and what is safe to do next.

use crate::{LogId, UnreadableTail};
use std::fmt;
use std::io;

/// Why the journal does not go on.
#[derive(Debug)]
pub enum Error {
    /// The disk says so. After one of a write or a sync the journal takes nothing more.
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        name: String,
        /// What the disk said.
        source: io::Error,
    },
    /// There is no room for the next batch; nothing was written of it.
    NoRoom {
        /// Bytes that were to be reserved.
        bytes: u64,
    },
    /// An earlier write or sync failed: what is on the disk is not known before it is opened again.
    Failed,
    /// A record or batch is larger than the layout has room for.
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// The most there may be.
        max: u64,
    },
    /// Another process has the directory.
    Locked {
        /// Which.
        path: String,
    },
    /// The directory has a file that no journal makes.
    NotOurs {
        /// Which directory.
        path: String,
        /// Which file.
        name: String,
    },
    /// There is no journal here.
    Empty,
    /// There is a journal here already.
    Exists,
    /// A file was written in a form that this version does not know.
    Newer {
        /// Which file.
        name: String,
        /// Its form.
        version: u32,
    },
    /// A segment of another journal.
    OtherHistory {
        /// Which file.
        name: String,
        /// Whose it is.
        found: LogId,
        /// Whose it should be.
        expected: LogId,
    },
    /// Something that was acknowledged cannot be read any more.
    Damaged(Damage),
    /// The last batch cannot be read: it may have been acknowledged or not.
    UnreadableTail(UnreadableTail),
    /// A snapshot is of a sequence that the log does not reach.
    SnapshotAhead {
        /// Its name.
        name: String,
        /// Its sequence.
        snapshot: u64,
        /// The last sequence of the log.
        log: u64,
    },
    /// The log begins after what is needed, and no snapshot leads there.
    NoSnapshot {
        /// The first sequence of the log.
        first: u64,
    },
}

/// A place that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which file.
    pub name: String,
    /// Where in it, bytes.
    pub offset: u64,
    /// The last sequence that can be trusted.
    pub good_to: u64,
    /// What is wrong.
    pub what: &'static str,
}

impl Error {
    pub(crate) fn io(what: &'static str, name: impl fmt::Display, source: io::Error) -> Self {
        Self::Io { what, name: name.to_string(), source }
    }

    /// What is safe to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if is_full(source) => {
                "make room and start again: the journal recovers what was acknowledged"
            }
            Self::Io { source, .. }
                if matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) =>
            {
                "the directory can be read as it is; to go on it has to be writable"
            }
            Self::Io { .. } | Self::Failed => {
                "stop, look at the disk, and open again: what was acknowledged is recovered"
            }
            Self::NoRoom { .. } => "make room on the disk; what was acknowledged is safe, and new work goes on then",
            Self::TooLarge { .. } => "split it",
            Self::Locked { .. } => "stop the other process, or read without writing",
            Self::NotOurs { .. } => "name an empty directory, or one that a journal made; nothing was changed",
            Self::Empty => "name a directory that has segment files, or create a journal there",
            Self::Exists => "open it instead, or name another directory; nothing was changed",
            Self::Newer { .. } => "open it with the version that wrote it or a later one; nothing was changed",
            Self::OtherHistory { .. } => "move the files of one of the two elsewhere; nothing was changed",
            Self::Damaged(_) => {
                "keep a copy of the directory; take the file from a backup or a follower, or read up to the last good sequence"
            }
            Self::UnreadableTail(_) => {
                "ask a client or follower whether it has an answer from this batch; if none has, open with the tail dropped"
            }
            Self::SnapshotAhead { .. } => {
                "the log has lost its end: restore its newest segments from a backup, or move the snapshot away and accept the loss"
            }
            Self::NoSnapshot { .. } => "restore the older segments or a snapshot from a backup",
        }
    }
}

/// The disk has no room, or no more for this user.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, name, source } => write!(f, "cannot {what} {name}: {source}"),
            Self::NoRoom { bytes } => write!(f, "no room for {bytes} bytes more"),
            Self::Failed => f.write_str("an earlier write or sync failed"),
            Self::TooLarge { bytes, max } => write!(f, "{bytes} bytes, at most {max} fit"),
            Self::Locked { path } => write!(f, "{path} is in use by another process"),
            Self::NotOurs { path, name } => write!(f, "{path} has a file that no journal makes: {name}"),
            Self::Empty => f.write_str("no journal here"),
            Self::Exists => f.write_str("a journal is here already"),
            Self::Newer { name, version } => {
                write!(f, "{name} has form {version}, this version knows up to {}", crate::VERSION)
            }
            Self::OtherHistory { name, found, expected } => {
                write!(f, "{name} belongs to journal {found}, the others to {expected}")
            }
            Self::Damaged(damage) => damage.fmt(f),
            Self::UnreadableTail(tail) => tail.fmt(f),
            Self::SnapshotAhead { name, snapshot, log } => {
                write!(f, "{name} is of sequence {snapshot}, the log ends at {log}")
            }
            Self::NoSnapshot { first } => {
                write!(f, "the log begins at sequence {first}, and no readable snapshot leads there")
            }
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, offset, good_to, what } = self;
        write!(f, "{name}: {what} at byte {offset}; good to sequence {good_to}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
