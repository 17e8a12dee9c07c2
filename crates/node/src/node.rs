//! The node: what waits, what is applied and not durable, what is told.

use crate::answers::{Answers, Known};
use crate::quarantine::Quarantine;
use crate::queue::Queues;
use crate::record::{self, At, Head};
use crate::{Ended, NotTaken};
use engine::{Answer, Command, Engine, Event, Reject, State};
use journal::{Committed, Disk, Journal, Snapshot, Snapshots};
use std::panic::{AssertUnwindSafe, catch_unwind};
use units::Time;

/// Who asked, so that asking again is the same request. The numbers of a client only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestId {
    /// The client.
    pub client: u64,
    /// Its request, from 1.
    pub number: u64,
}

/// A command that somebody wants applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// None for the venue's own: it is not remembered.
    pub id: Option<RequestId>,
    /// What.
    pub command: Command,
}

/// Why an applied request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The engine says so.
    Rejected(Reject),
    /// This very command ended a process once. It has not been applied and will not be.
    Quarantined,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(reject) => reject.fmt(f),
            Self::Quarantined => f.write_str("this command ended the venue's process once and is not applied"),
        }
    }
}

/// What a request was answered.
pub type Outcome = Result<Answer, Refusal>;

/// An answer that may be told: everything that it was made of is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What [`Node::submit`] gave.
    pub ticket: u64,
    /// The sequence of its command; for what was not taken, the last durable one.
    pub sequence: u64,
    /// The answer, or why it was not taken after all.
    pub outcome: Result<Outcome, NotTaken>,
}

/// The most commands of one batch.
const BATCH_MAX: usize = 8_192;

/// The most bytes of their records.
const BATCH_BYTES: usize = 4 << 20;

/// Bytes of a record beside its command, at most: its header, flags, head, and two numbers of ten bytes.
const RECORD_BESIDE: usize = 16 + 1 + 40 + 20;

/// A venue whose journal is written.
#[derive(Debug)]
pub struct Node<D> {
    pub(crate) engine: Engine,
    pub(crate) journal: Journal<D>,
    pub(crate) answers: Answers,
    pub(crate) quarantine: Quarantine,
    pub(crate) queues: Queues,
    /// Applied and not durable.
    pub(crate) open: Vec<Applied>,
    /// The commands of those, one after the other.
    pub(crate) bytes: Vec<u8>,
    pub(crate) told: Vec<Told>,
    pub(crate) ended: bool,
}

#[derive(Debug)]
pub(crate) struct Applied {
    time: Time,
    id: Option<RequestId>,
    quarantined: bool,
    /// Where its command ends in the bytes of all.
    end: usize,
}

impl<D: Disk> Node<D> {
    /// Takes a request to be worked off by [`Self::run`], and gives its ticket.
    ///
    /// # Errors
    /// [`NotTaken::Overloaded`], [`NotTaken::TooLarge`].
    pub fn submit(&mut self, request: Request) -> Result<u64, NotTaken> {
        self.queues.push(request)
    }

    /// Works off a batch: applies what waits and what is due at a time, makes it durable, and gives what may be told. The time is
    /// used when it is not before the last one.
    ///
    /// # Errors
    /// [`Ended`]: nothing of the batch was told.
    pub fn run(&mut self, clock: Time) -> Result<Vec<Told>, Ended> {
        self.working()?;
        for _ in 0..BATCH_MAX {
            let Some((ticket, request)) = self.queues.pop() else { break };
            if let Some((ticket, request)) = self.take(clock, ticket, request)? {
                self.queues.put_back(ticket, request);
                break;
            }
        }
        let time = clock.max(self.engine.state().now);
        if self.open.is_empty() && time >= self.engine.state().next_due && self.room(0, 64)?.is_ok() {
            let _ = self.apply(time, None, &Command::Tick)?; // it cannot be refused
        }
        self.commit()?;
        Ok(std::mem::take(&mut self.told))
    }

    /// Applies one request at once; it is durable, and may be told, after [`Self::commit`].
    ///
    /// # Errors
    /// [`Ended`].
    pub fn apply(&mut self, clock: Time, id: Option<RequestId>, command: &Command) -> Result<(u64, Outcome), Ended> {
        self.working()?;
        let begin = self.bytes.len();
        engine::encode_into(command, &mut self.bytes);
        self.apply_encoded(clock, id, command, begin)
    }

    /// The same, when the command's binary form stands at the end of the batch's bytes.
    fn apply_encoded(
        &mut self,
        clock: Time,
        id: Option<RequestId>,
        command: &Command,
        begin: usize,
    ) -> Result<(u64, Outcome), Ended> {
        let time = clock.max(self.engine.state().now);
        let quarantined = self.quarantine.has(self.bytes.get(begin..).unwrap_or_default());
        let applied = if quarantined { &Command::Tick } else { command };
        let engine = &mut self.engine;
        let answer = match catch_unwind(AssertUnwindSafe(|| engine.apply(time, applied))) {
            Ok(answer) => answer.map_err(Refusal::Rejected),
            Err(panic) => return Err(self.broke(time, applied, &*panic)),
        };
        let outcome = if quarantined { Err(Refusal::Quarantined) } else { answer };
        let sequence = self.journal.committed().sequence + 1 + u64::try_from(self.open.len()).unwrap_or(0);
        if let Some(id) = id {
            self.answers.remember(id, sequence, outcome.clone());
        }
        self.open.push(Applied { time, id, quarantined, end: self.bytes.len() });
        Ok((sequence, outcome))
    }

    /// Makes everything that was applied durable, with the digest of its events: one write, one sync.
    ///
    /// # Errors
    /// [`Ended::Journal`].
    pub fn commit(&mut self) -> Result<Committed, Ended> {
        self.working()?;
        if self.open.is_empty() {
            return Ok(self.journal.committed());
        }
        let events = *self.engine.end_batch().bytes();
        let written = self.write(events).and_then(|()| self.journal.commit());
        self.ended = written.is_err();
        let committed = written.map_err(Ended::Journal)?;
        self.open.clear();
        self.bytes.clear();
        Ok(committed)
    }

    fn write(&mut self, events: [u8; 32]) -> Result<(), journal::Error> {
        let mut bytes = Vec::new();
        let (mut before, mut begin) = (None, 0);
        for Applied { time, id, quarantined, end } in &self.open {
            let command = self.bytes.get(begin..*end).unwrap_or_default();
            let at = before.map_or(At::First(Head { time: *time, events }), At::Since);
            record::write(at, *time, *id, *quarantined, command, &mut bytes);
            self.journal.append(&bytes)?;
            (before, begin) = (Some(*time), *end);
        }
        Ok(())
    }

    /// Applies a request that waited, unless it was answered before or finds no room; gives it back when the batch is full.
    fn take(&mut self, clock: Time, ticket: u64, request: Request) -> Result<Option<(u64, Request)>, Ended> {
        let durable = self.journal.committed().sequence;
        let known = request.id.map_or(Known::New, |id| self.answers.find(id));
        let (sequence, outcome) = match known {
            Known::Answered(answer) => (answer.sequence, Ok(answer.outcome.clone())),
            Known::Forgotten { last } => (durable, Err(NotTaken::Forgotten { last })),
            Known::New => {
                let begin = self.bytes.len();
                engine::encode_into(&request.command, &mut self.bytes);
                match self.room(begin, self.bytes.len() - begin)? {
                    Ok(()) => {
                        let (sequence, outcome) = self.apply_encoded(clock, request.id, &request.command, begin)?;
                        (sequence, Ok(outcome))
                    }
                    Err(why) => {
                        self.bytes.truncate(begin);
                        if matches!(why, NotTaken::TooLarge { .. }) && !self.open.is_empty() {
                            return Ok(Some((ticket, request)));
                        }
                        (durable, Err(why))
                    }
                }
            }
        };
        self.told.push(Told { ticket, sequence, outcome });
        Ok(None)
    }

    /// Whether a command of so many bytes finds its room after those of the batch, asked before it is applied.
    fn room(&mut self, before: usize, bytes: usize) -> Result<Result<(), NotTaken>, Ended> {
        let batch = before + bytes + (self.open.len() + 1) * RECORD_BESIDE;
        if bytes > engine::limits::COMMAND_BYTES_MAX || (batch > BATCH_BYTES && !self.open.is_empty()) {
            return Ok(Err(NotTaken::TooLarge { bytes }));
        }
        match self.journal.ensure_room(batch) {
            Ok(()) => Ok(Ok(())),
            Err(journal::Error::NoRoom { .. }) => Ok(Err(NotTaken::NoRoom)),
            Err(journal::Error::TooLarge { .. }) => Ok(Err(NotTaken::TooLarge { bytes })),
            Err(error) => {
                self.ended = true;
                Err(Ended::Journal(error))
            }
        }
    }

    /// A command broke something: it is put in quarantine and the node ends. What was applied of the batch is forgotten with
    /// the process.
    fn broke(&mut self, at: Time, command: &Command, panic: &(dyn std::any::Any + Send)) -> Ended {
        self.ended = true;
        let what = said(panic);
        match self.quarantine.add(at, &engine::encode(command), self.journal.disk()) {
            Ok(()) => Ended::Command { what },
            Err(error) => Ended::Journal(error),
        }
    }

    /// What is durable: everything that was applied, since nothing else is open between two calls of [`Self::run`].
    #[must_use]
    pub fn state(&self) -> &State {
        self.engine.state()
    }

    /// The engine, as far as it has come; ahead of the disk between [`Self::apply`] and [`Self::commit`].
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Events of the last batch, which is durable after [`Self::run`].
    #[must_use]
    pub fn events(&self) -> &[Event] {
        self.engine.events()
    }

    /// How far it is durable.
    #[must_use]
    pub fn committed(&self) -> Committed {
        self.journal.committed()
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queues.len()
    }

    /// The disk, as the journal has it.
    pub fn disk(&mut self) -> &mut D {
        self.journal.disk()
    }

    /// The disk, as a process that ends leaves it.
    #[must_use]
    pub fn into_disk(self) -> D {
        self.journal.into_disk()
    }

    /// Writes a snapshot of what is durable and keeps the two newest. It costs the time of a walk of the state; a
    /// [`crate::Follower`] makes one without it.
    ///
    /// # Errors
    /// [`Ended::Journal`]; the log is not touched, and work may go on.
    pub fn snapshot(&mut self) -> Result<(), Ended> {
        self.working()?;
        let Some(snapshot) = snapshot_of(&self.engine, &self.answers, &self.journal) else { return Err(Ended::Before) };
        Snapshots::write(self.journal.disk(), &snapshot).map_err(Ended::Journal)?;
        Snapshots::keep_newest(self.journal.disk(), 2).map(|_| ()).map_err(Ended::Journal)
    }

    /// Stops in order: a snapshot, and the end marker of the last batch.
    ///
    /// # Errors
    /// [`Ended::Journal`].
    pub fn close(mut self) -> Result<D, Ended> {
        self.commit()?;
        self.journal.end().map_err(Ended::Journal)?;
        self.snapshot()?;
        Ok(self.journal.into_disk())
    }

    fn working(&self) -> Result<(), Ended> {
        if self.ended { Err(Ended::Before) } else { Ok(()) }
    }
}

/// Engine and table of answers; none inside a batch.
fn snapshot_of<D: Disk>(engine: &Engine, answers: &Answers, journal: &Journal<D>) -> Option<Snapshot> {
    let Committed { sequence, digest } = journal.committed();
    Some(Snapshot { id: journal.id(), sequence, digest, payload: payload(engine, answers)? })
}

/// Length of the engine's bytes, they, and the answers.
pub(crate) fn payload(engine: &Engine, answers: &Answers) -> Option<Vec<u8>> {
    let state = engine.snapshot()?;
    let mut bytes = u64::try_from(state.len()).ok()?.to_le_bytes().to_vec();
    bytes.extend_from_slice(&state);
    answers.write(&mut bytes);
    Some(bytes)
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use engine::{Name, OwnerId, Role};
    use journal::{FaultyDisk, LogId};

    fn open_account(name: &str) -> Command {
        Command::OpenAccount { owner: OwnerId(1), role: Role::Trading, name: Name::new(name).unwrap() }
    }

    /// The path of a broken invariant, from where the panic was caught: the command is in quarantine, what was applied of the
    /// batch has never happened, and after the next opening the command is answered and not applied.
    #[test]
    fn a_command_that_broke_something_has_never_happened() {
        let options = Options::default();
        let mut node = Node::create(FaultyDisk::new(), LogId([1; 16]), &options).unwrap();
        let id = |number| Some(RequestId { client: 1, number });
        node.submit(Request { id: id(1), command: open_account("ann") }).unwrap();
        node.run(Time::from_ns(5)).unwrap();
        let digest = node.engine.state_digest();
        let _ = node.apply(Time::from_ns(6), id(2), &open_account("bob")).unwrap();
        let ended = node.broke(Time::from_ns(6), &open_account("eve"), &"broken invariant: a test's");
        assert_eq!(ended.to_string(), "a command ended the node and is in quarantine: broken invariant: a test's");
        assert!(matches!(node.run(Time::from_ns(7)), Err(Ended::Before)));
        let (mut node, opened) = Node::open(node.into_disk(), &options).unwrap();
        assert_eq!((opened.sequence, opened.read_only, node.engine.state_digest()), (1, false, digest));
        for (number, name) in [(2, "bob"), (3, "eve"), (4, "dan")] {
            node.submit(Request { id: id(number), command: open_account(name) }).unwrap();
        }
        let told = node.run(Time::from_ns(8)).unwrap();
        assert_eq!(told[1].outcome, Ok(Err(Refusal::Quarantined)));
        assert_eq!(node.state().accounts.len(), 3);
        // The refusal is journalled, and a retry gets it.
        let (mut node, opened) = Node::open(node.into_disk(), &options).unwrap();
        assert_eq!((opened.sequence, node.state().accounts.len()), (4, 3));
        node.submit(Request { id: id(3), command: open_account("eve") }).unwrap();
        let again = node.run(Time::from_ns(9)).unwrap();
        assert_eq!((again[0].sequence, &again[0].outcome), (3, &told[1].outcome));
    }

    #[test]
    fn due_work_that_broke_something_leaves_a_node_that_only_reads() {
        let options = Options::default();
        let mut node = Node::create(FaultyDisk::new(), LogId([1; 16]), &options).unwrap();
        node.submit(Request { id: None, command: open_account("ann") }).unwrap();
        node.run(Time::from_ns(5)).unwrap();
        let _ = node.broke(Time::from_ns(6), &Command::Tick, &"broken invariant: a test's");
        let (mut node, opened) = Node::open(node.into_disk(), &options).unwrap();
        assert!(opened.read_only);
        assert_eq!(node.state().accounts.len(), 1);
        assert!(matches!(node.run(Time::from_ns(7)), Err(Ended::Before)));
    }
}
