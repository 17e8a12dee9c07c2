//! Reads a journal to its end and believes nothing: every batch is applied again, from the beginning and from every snapshot, and
//! compared with the events and states it had; sums are added up. Never writes.

use crate::{Broken, Error, Follower, audit};
use journal::{Digest, Disk, Kind, LogId, Reader, Snapshots};

/// What was found.
#[derive(Debug)]
pub struct Verified {
    /// Which journal.
    pub id: LogId,
    /// The sequence it was read from: 1, or the one after the oldest snapshot when older segments are gone.
    pub from: u64,
    /// The last sequence that can be trusted.
    pub to: u64,
    /// Batches of commands.
    pub batches: u64,
    /// Words of operators that a tail was dropped: after which sequence.
    pub dropped: Vec<u64>,
    /// Who wrote the segments, in their order, each once.
    pub writers: Vec<String>,
    /// The hash of the journal to there.
    pub journal_digest: Digest,
    /// The chain of events to there.
    pub event_digest: engine::Digest,
    /// The state there.
    pub state_digest: engine::Digest,
    /// Sequences of snapshots, each with what is wrong with it.
    pub snapshots: Vec<(u64, Option<Wrong>)>,
    /// The first thing that is wrong with the log.
    pub wrong: Option<Wrong>,
}

/// Why a journal or snapshot cannot be trusted.
#[derive(Debug)]
pub enum Wrong {
    /// It cannot be read or does not lead where it did.
    Error(Error),
    /// A sum does not hold.
    Broken(Broken),
    /// A snapshot leads to another state than the log.
    State,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Broken(broken) => broken.fmt(f),
            Self::State => f.write_str("its state is not the one that the log leads to"),
        }
    }
}

impl Verified {
    /// Nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.wrong.is_none() && self.snapshots.iter().all(|(_, wrong)| wrong.is_none())
    }
}

/// Commands between two audits: each adds up everything.
const AUDIT_EVERY: u64 = 100_000;

/// Verifies a directory. `progress` is told the sequence after each batch.
///
/// # Errors
/// Where there is nothing to begin with: no journal, no readable first segment or snapshot. Everything else is in what is found.
pub fn verify(disk: &impl Disk, progress: &mut dyn FnMut(u64)) -> Result<Verified, Error> {
    let mut reader = Reader::first(disk)?;
    let sequences = Snapshots::list(disk)?;
    let mut follower = Follower::beginning(disk, &reader)?;
    let mut found = Verified {
        id: reader.id(),
        from: follower.sequence() + 1,
        to: follower.sequence(),
        batches: 0,
        dropped: Vec::new(),
        writers: vec![reader.writer().to_owned()],
        journal_digest: follower.digest(),
        event_digest: follower.engine().event_digest(),
        state_digest: follower.engine().state_digest(),
        snapshots: Vec::new(),
        wrong: None,
    };
    let mut states: Vec<(u64, engine::Digest)> = vec![(found.to, found.state_digest)];
    found.wrong = follow(disk, &mut reader, &mut follower, &sequences, &mut found, &mut states, progress).err();
    found.to = follower.sequence();
    found.journal_digest = follower.digest();
    found.event_digest = follower.engine().event_digest();
    found.state_digest = follower.engine().state_digest();
    let end = (found.to, found.state_digest);
    for sequence in sequences {
        let state = states.iter().find(|(at, _)| *at == sequence).map(|(_, state)| *state);
        let wrong = from_snapshot(disk, sequence, state, end, found.wrong.is_none()).err();
        found.snapshots.push((sequence, wrong));
    }
    Ok(found)
}

fn follow(
    disk: &impl Disk,
    reader: &mut Reader,
    follower: &mut Follower,
    sequences: &[u64],
    found: &mut Verified,
    states: &mut Vec<(u64, engine::Digest)>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Wrong> {
    let mut audited = follower.sequence();
    while let Some(batch) = reader.next_batch(disk).map_err(|error| Wrong::Error(error.into()))? {
        let (kind, before, records) = (batch.kind, batch.first.saturating_sub(1), batch.records);
        follower.apply(&batch, &mut |_| {}).map_err(Wrong::Error)?;
        match kind {
            Kind::TailDropped => found.dropped.push(before),
            Kind::Records => found.batches += u64::from(records > 0),
        }
        if found.writers.last().is_none_or(|last| last != reader.writer()) {
            found.writers.push(reader.writer().to_owned());
        }
        let at = follower.sequence();
        if sequences.contains(&at) {
            states.push((at, follower.engine().state_digest()));
        }
        if at >= audited + AUDIT_EVERY {
            audit(follower.engine().state()).map_err(Wrong::Broken)?;
            audited = at;
        }
        progress(at);
    }
    follower.end(reader.digest()).map_err(Wrong::Error)?;
    audit(follower.engine().state()).map_err(Wrong::Broken)
}

/// A snapshot is of the state that the log leads to, and leads to the log's end.
fn from_snapshot(
    disk: &impl Disk,
    sequence: u64,
    state: Option<engine::Digest>,
    end: (u64, engine::Digest),
    whole: bool,
) -> Result<(), Wrong> {
    let snapshot = Snapshots::read(disk, sequence).map_err(|error| Wrong::Error(error.into()))?;
    let mut follower = Follower::at(&snapshot).map_err(Wrong::Error)?;
    if state.is_some_and(|state| state != follower.engine().state_digest()) {
        return Err(Wrong::State);
    }
    audit(follower.engine().state()).map_err(Wrong::Broken)?;
    if sequence > end.0 {
        let name = format!("the snapshot of sequence {sequence}");
        return Err(Wrong::Error(journal::Error::SnapshotAhead { name, snapshot: sequence, log: end.0 }.into()));
    }
    if !whole {
        return Ok(()); // there is no end to compare with
    }
    follower.catch_up(disk).map_err(Wrong::Error)?;
    if (follower.sequence(), follower.engine().state_digest()) == end { Ok(()) } else { Err(Wrong::State) }
}
