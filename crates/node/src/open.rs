//! Making and opening a node.

use crate::answers::Answers;
use crate::quarantine::Quarantine;
use crate::queue::Queues;
use crate::{Error, Follower, Node, RULES_VERSION};
use engine::Engine;
use journal::{Disk, Journal, LogId, Reader, Snapshot, Snapshots, Tail, UnreadableTail};

/// What is chosen when a node is made or opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Of its journal; the writer's name is the node's own.
    pub journal: journal::Options,
    /// What is done with an unreadable tail.
    pub tail: Tail,
}

impl Options {
    fn journal(&self) -> journal::Options {
        journal::Options { writer: RULES_VERSION.to_owned(), ..self.journal.clone() }
    }
}

/// What was found when a node was opened.
#[derive(Debug)]
pub struct Opened {
    /// Sequence of the snapshot that it began at; zero: at the beginning.
    pub snapshot: u64,
    /// The last sequence.
    pub sequence: u64,
    /// The tail that was dropped.
    pub dropped: Option<UnreadableTail>,
    /// Snapshots that could not be read.
    pub bad: Vec<journal::Error>,
    /// Even the work that is due ends the process: the node takes nothing.
    pub read_only: bool,
}

impl<D: Disk> Node<D> {
    /// A new venue in an empty directory. `id` is to be unlike that of any other.
    ///
    /// # Errors
    /// As [`Journal::create`].
    pub fn create(disk: D, id: LogId, options: &Options) -> Result<Self, Error> {
        let journal = Journal::create(disk, id, options.journal())?;
        Ok(Self {
            engine: Engine::new(),
            journal,
            answers: Answers::default(),
            quarantine: Quarantine::default(),
            queues: Queues::default(),
            open: Vec::new(),
            bytes: Vec::new(),
            told: Vec::new(),
            ended: false,
        })
    }

    /// The venue of a directory: the newest good snapshot and every command after it, each batch compared with the events it
    /// had. Every answer that was told is in it, and what is in it may be told.
    ///
    /// # Errors
    /// [`Error`], each with what is safe to do next; nothing was changed.
    pub fn open(disk: D, options: &Options) -> Result<(Self, Opened), Error> {
        let last = Reader::after(&disk, u64::MAX - 1)?;
        let (snapshot, bad) = Snapshots::newest(&disk, last.id())?;
        let at_end = snapshot.as_ref().map(|snapshot| snapshot.sequence);
        let written = last.writer().to_owned();
        drop(last);
        let mut follower = snapshot.as_ref().map_or_else(|| Ok(Follower::new()), Follower::at)?;
        let quarantine = Quarantine::read(&disk)?;
        let mut recovery = Journal::open(disk, options.journal(), options.tail, follower.sequence())?;
        while let Some(batch) = recovery.next_batch()? {
            if written != RULES_VERSION && batch.records > 0 && Some(batch.first) > at_end {
                return Err(Error::OtherRules { written });
            }
            follower.apply(&batch, &mut |_| {})?;
        }
        ahead(snapshot.as_ref(), recovery.sequence())?;
        follower.end(recovery.digest())?;
        let (mut journal, dropped) = recovery.finish()?;
        if written != RULES_VERSION {
            journal.next_segment()?;
        }
        let Follower { engine, answers, .. } = follower;
        let read_only = quarantine.is_due_work(&engine);
        let opened =
            Opened { snapshot: at_end.unwrap_or(0), sequence: journal.committed().sequence, dropped, bad, read_only };
        let queues = Queues::default();
        let node = Self {
            engine,
            journal,
            answers,
            quarantine,
            queues,
            open: Vec::new(),
            bytes: Vec::new(),
            told: Vec::new(),
            ended: read_only,
        };
        Ok((node, opened))
    }
}

/// A snapshot is never of more than the log has.
fn ahead(snapshot: Option<&Snapshot>, log: u64) -> Result<(), Error> {
    match snapshot {
        Some(snapshot) if snapshot.sequence > log => {
            let name = format!("the snapshot of sequence {}", snapshot.sequence);
            Err(journal::Error::SnapshotAhead { name, snapshot: snapshot.sequence, log }.into())
        }
        _ => Ok(()),
    }
}
