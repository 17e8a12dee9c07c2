//! Applies what a journal has, batch by batch, and compares what it had become: recovery, verification and snapshots.

use crate::answers::Answers;
use crate::node::{payload, said};
use crate::record::{self, Line};
use crate::{Error, Refusal};
use engine::{Answer, Command, Engine, Reject};
use journal::{Batch, Digest, Disk, Kind, LogId, Reader, Snapshot, Snapshots};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One command of a batch, after it was applied again.
#[derive(Debug)]
pub struct Step<'a> {
    /// Its sequence.
    pub sequence: u64,
    /// The record.
    pub line: &'a Line,
    /// What it was answered.
    pub answer: &'a Result<Answer, Reject>,
    /// The engine after it, with the events of the batch so far.
    pub engine: &'a Engine,
}

/// An engine that goes the way of a journal.
#[derive(Clone, Debug)]
pub struct Follower {
    pub(crate) engine: Engine,
    pub(crate) answers: Answers,
    sequence: u64,
    digest: Digest,
    /// It has come to a batch that follows what it began at.
    joined: bool,
}

impl Default for Follower {
    fn default() -> Self {
        Self::new()
    }
}

impl Follower {
    /// At the beginning.
    #[must_use]
    pub fn new() -> Self {
        Self {
            engine: Engine::new(),
            answers: Answers::default(),
            sequence: 0,
            digest: Digest::default(),
            joined: false,
        }
    }

    /// Where a journal can be followed from: its beginning, or its oldest readable snapshot when older segments are gone.
    ///
    /// # Errors
    /// They are gone and no snapshot leads to what is left.
    pub fn beginning(disk: &impl Disk, reader: &Reader) -> Result<Self, Error> {
        let begun = reader.sequence();
        if begun == 0 {
            return Ok(Self::new());
        }
        let mut later = Snapshots::list(disk)?.into_iter().filter(|at| *at >= begun);
        match later.find_map(|at| Snapshots::read(disk, at).ok()) {
            Some(snapshot) => Self::at(&snapshot),
            None => Err(journal::Error::NoSnapshot { first: begun + 1 }.into()),
        }
    }

    /// At a snapshot.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when it is not one of an engine of this version.
    pub fn at(snapshot: &Snapshot) -> Result<Self, Error> {
        let read = || {
            let (length, rest) = snapshot.payload.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (state, answers) = rest.split_at_checked(length)?;
            Some((Engine::restore(state).ok()?, Answers::read(answers)?))
        };
        let Snapshot { sequence, digest, .. } = *snapshot;
        match read() {
            Some((engine, answers)) => Ok(Self { engine, answers, sequence, digest, joined: false }),
            None => Err(Error::Snapshot { sequence, what: "not one of this version" }),
        }
    }

    /// Applies a batch, when it is the next, and passes over those before. `see` is shown each command after it was applied.
    ///
    /// # Errors
    /// [`Error::Record`], [`Error::Diverged`], [`Error::Broke`]; [`Error::Snapshot`] when the follower began at one that is
    /// not of this past.
    pub fn apply(&mut self, batch: &Batch<'_>, see: &mut dyn FnMut(Step<'_>)) -> Result<(), Error> {
        if batch.before != self.digest {
            // Before the snapshot that this began at; the one that leads to it has its hash.
            let records = if batch.kind == Kind::Records { u64::from(batch.records) } else { 0 };
            let last = batch.first.saturating_add(records).saturating_sub(1);
            return if last <= self.sequence && !self.joined { Ok(()) } else { Err(self.other_past()) };
        }
        self.joined = true;
        if batch.kind == Kind::Records && batch.records > 0 {
            self.replay(batch, see)?;
        }
        self.digest = batch.after;
        Ok(())
    }

    fn replay(&mut self, batch: &Batch<'_>, see: &mut dyn FnMut(Step<'_>)) -> Result<(), Error> {
        let (mut before, mut events) = (None, None);
        for found in batch.iter() {
            let sequence = found.sequence;
            let line = record::read(found.bytes, before).map_err(|why| Error::Record { sequence, why })?;
            before = Some(line.time);
            events = events.or(line.head.map(|head| head.events));
            let command = if line.quarantined { &Command::Tick } else { &line.command };
            let engine = &mut self.engine;
            let answer = catch_unwind(AssertUnwindSafe(|| engine.apply(line.time, command)))
                .map_err(|panic| Error::Broke { sequence, what: said(&*panic) })?;
            if let Some(id) = line.id {
                let outcome = match &answer {
                    _ if line.quarantined => Err(Refusal::Quarantined),
                    Ok(done) => Ok(done.clone()),
                    Err(reject) => Err(Refusal::Rejected(*reject)),
                };
                self.answers.remember(id, sequence, outcome);
            }
            self.sequence = sequence;
            see(Step { sequence, line: &line, answer: &answer, engine: &self.engine });
        }
        if events != Some(*self.engine.end_batch().bytes()) {
            return Err(Error::Diverged { sequence: self.sequence });
        }
        Ok(())
    }

    /// Applies what a journal has beyond this, to its end. Gives how many commands that were.
    ///
    /// # Errors
    /// As [`Self::apply`] and [`Reader::next_batch`].
    pub fn catch_up(&mut self, disk: &impl Disk) -> Result<u64, Error> {
        let from = self.sequence;
        self.joined = false;
        let mut reader = Reader::after(disk, from)?;
        while let Some(batch) = reader.next_batch(disk)? {
            self.apply(&batch, &mut |_| {})?;
        }
        self.end(reader.digest())?;
        Ok(self.sequence - from)
    }

    /// Says that the journal ends, with a hash.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when that is not where this is: it began at a snapshot of another past.
    pub fn end(&self, digest: Digest) -> Result<(), Error> {
        if digest == self.digest { Ok(()) } else { Err(self.other_past()) }
    }

    fn other_past(&self) -> Error {
        Error::Snapshot { sequence: self.sequence, what: "not of this journal's past" }
    }

    /// A snapshot of here, for whoever may write to the journal's directory.
    #[must_use]
    pub fn snapshot(&self, id: LogId) -> Option<Snapshot> {
        let payload = payload(&self.engine, &self.answers)?;
        Some(Snapshot { id, sequence: self.sequence, digest: self.digest, payload })
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The last sequence that was applied.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The hash of the journal to there.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
