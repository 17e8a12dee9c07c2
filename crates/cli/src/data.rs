//! Data directories: opening one to write, with what was found told on standard error.

use journal::{LogId, RealDisk, Tail};
use node::{Ended, Node, Opened, Options};
use sim::scenario;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use units::Time;

/// What went wrong, and its exit code.
pub struct Failed {
    /// The message, with its hint.
    pub text: String,
    /// 1 what was written is not as it should be, 3 what cannot be read or written.
    pub code: u8,
}

impl From<node::Error> for Failed {
    fn from(error: node::Error) -> Self {
        let code = match error {
            node::Error::Journal(journal::Error::Io { .. }) => 3,
            _ => 1,
        };
        Self { text: format!("{error}\n  hint: {}", error.hint()), code }
    }
}

impl From<journal::Error> for Failed {
    fn from(error: journal::Error) -> Self {
        node::Error::from(error).into()
    }
}

impl From<Ended> for Failed {
    fn from(ended: Ended) -> Self {
        let hint = match &ended {
            Ended::Journal(error) => error.hint(),
            Ended::Command { .. } => "open it again: the command is refused from then on; please report it",
            Ended::Before => "open it again",
        };
        Self { text: format!("{ended}\n  hint: {hint}"), code: 3 }
    }
}

/// What is done with an unreadable last batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TailArg {
    /// Stop and say what there is
    #[default]
    Ask,
    /// Keep its bytes in a file beside, go on without it, and record so
    Drop,
}

impl From<TailArg> for Tail {
    fn from(tail: TailArg) -> Self {
        match tail {
            TailArg::Ask => Self::Ask,
            TailArg::Drop => Self::Drop,
        }
    }
}

/// The node of a directory, made when there is none.
pub fn open(path: &Path, tail: Tail) -> Result<(Node<RealDisk>, Option<Opened>), Failed> {
    let options = Options { tail, ..Options::default() };
    let disk = RealDisk::open(path)?;
    if is_empty(path) {
        return Ok((Node::create(disk, new_id(), &options)?, None));
    }
    let (node, opened) = Node::open(disk, &options)?;
    Ok((node, Some(opened)))
}

/// The node of a directory that must have none yet: what is written there is one run.
pub fn create(path: &Path) -> Result<Node<RealDisk>, Failed> {
    let disk = RealDisk::open(path)?;
    Ok(Node::create(disk, new_id(), &Options::default())?)
}

/// A directory to read only.
pub fn read(path: &Path) -> Result<RealDisk, Failed> {
    Ok(RealDisk::read_only(path)?)
}

/// Nothing but a lock.
fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|e| e.file_name() == "lock")))
}

/// Unlike any other: from the seed that the standard library draws for its hashes, the time and the process.
fn new_id() -> LogId {
    let mut bytes = [0; 16];
    for (at, half) in bytes.chunks_mut(8).enumerate() {
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_usize(at);
        hasher.write_u32(std::process::id());
        hasher.write_i64(now().ns());
        half.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    LogId(bytes)
}

/// The time of this machine.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Commands that were applied already, with their times, as a journal; the state that they lead to.
pub struct Copy {
    node: Node<RealDisk>,
    at: Option<Time>,
    open: usize,
}

/// The most commands of one batch.
const BATCH: usize = 4_096;

impl Copy {
    /// Into a directory of its own.
    pub fn new(path: &Path) -> Result<Self, Failed> {
        Ok(Self { node: create(path)?, at: None, open: 0 })
    }

    /// One more; those of one time are a batch.
    pub fn take(&mut self, at: Time, command: &engine::Command) -> Result<(), Failed> {
        if self.at != Some(at) || self.open >= BATCH {
            self.node.commit()?;
            (self.at, self.open) = (Some(at), 0);
        }
        self.open += 1;
        let _ = self.node.apply(at, None, command)?; // refused or not, as it was
        Ok(())
    }

    /// The state digest at the end; the journal is closed with a snapshot.
    pub fn finish(mut self) -> Result<String, Failed> {
        self.node.commit()?;
        let digest = self.node.engine().state_digest().to_string();
        self.node.close()?;
        Ok(digest)
    }
}

/// All commands of a scenario.
pub fn keep_scenario(path: &Path, report: &scenario::Report) -> Result<(), Failed> {
    let mut copy = Copy::new(path)?;
    for (at, command) in &report.commands {
        copy.take(*at, command)?;
    }
    same(&copy.finish()?, &report.state_digest.to_string())
}

/// The journal leads where the run did.
pub fn same(journal: &str, run: &str) -> Result<(), Failed> {
    if journal == run {
        return Ok(());
    }
    let text =
        format!("the journal leads to state {journal}, the run to {run}\n  hint: this is a bug, please report it");
    Err(Failed { text, code: 1 })
}
