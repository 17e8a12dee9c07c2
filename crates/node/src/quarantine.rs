//! Commands that ended a process: remembered by their hash in a small file, so that they never do it twice.

use engine::{Command, Engine};
use journal::{Disk, Error};
use std::panic::{AssertUnwindSafe, catch_unwind};
use units::Time;

const FILE: &str = "node-quarantine.plim";
const MAGIC: [u8; 8] = *b"PLIMQUA\x01";

/// Their hashes, and when the last of them was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quarantine {
    at: Time,
    hashes: Vec<[u8; 32]>,
}

impl Quarantine {
    /// What the directory has; nothing when there is no file.
    pub fn read(disk: &impl Disk) -> Result<Self, Error> {
        let Some(bytes) = journal::read_file(disk, FILE)? else { return Ok(Self::default()) };
        let parts = bytes.strip_prefix(&MAGIC).and_then(<[u8]>::split_first_chunk::<8>);
        match parts.map(|(at, hashes)| (at, hashes.as_chunks::<32>())) {
            Some((at, (hashes, []))) => {
                Ok(Self { at: Time::from_ns(i64::from_le_bytes(*at)), hashes: hashes.to_vec() })
            }
            _ => Err(Error::NotOurs { path: "the directory".to_owned(), name: FILE.to_owned() }),
        }
    }

    pub fn has(&self, command: &[u8]) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(blake3::hash(command).as_bytes())
    }

    /// Whether it was the work that was due, and not what was asked, that ended the process: then a tick at that time does
    /// too. Costs a copy of the state, when something is in quarantine that has not been passed.
    pub fn is_due_work(&self, engine: &Engine) -> bool {
        if self.hashes.is_empty() || self.at < engine.state().now {
            return false;
        }
        self.has(&engine::encode(&Command::Tick))
            || catch_unwind(AssertUnwindSafe(|| engine.what_if(self.at, &[Command::Tick]))).is_err()
    }

    /// Adds one, durably.
    pub fn add(&mut self, at: Time, command: &[u8], disk: &mut impl Disk) -> Result<(), Error> {
        self.at = at;
        self.hashes.push(*blake3::hash(command).as_bytes());
        let bytes = [MAGIC.as_slice(), &at.ns().to_le_bytes(), self.hashes.as_flattened()].concat();
        journal::write_file(disk, FILE, &bytes)
    }
}
