//! A disk in memory that forgets what was not synced, and fails, lies and rots when it is told to.
//!
//! It is for tests and simulations, and has no randomness of its own: whoever crashes it chooses. Unsynced writes survive a
//! crash sector by sector, each or not, in the order they were made, and one may be torn at any byte. Names survive in the order
//! they were made, up to any one of them: no more can be hoped for, and no less is promised by a journaling file system.

use crate::{Disk, SECTOR};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

/// What goes wrong, counted from now. Zero-based: `Some(0)` is the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// This write fails.
    pub fail_write: Option<u64>,
    /// This sync fails, and so does every later one.
    pub fail_sync: Option<u64>,
    /// This sync says that it succeeded, and does nothing.
    pub lose_sync: Option<u64>,
    /// This write is taken, and reaches nothing.
    pub lose_write: Option<u64>,
    /// This write goes so many bytes further than it was meant to.
    pub misdirect: Option<(u64, u64)>,
    /// Every write takes half of what it could, and every other one is interrupted first.
    pub short_writes: bool,
    /// Bytes that all files together may have reserved.
    pub room: Option<u64>,
}

/// A directory in memory.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    unsynced_names: Vec<Naming>,
    /// What goes wrong from now on.
    pub faults: Faults,
    /// Writes, syncs and directory syncs so far.
    pub calls: u64,
    interrupted: bool,
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    seen: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone, Debug)]
enum Naming {
    Made(String, usize),
    Renamed(String, String),
    Removed(String),
}

impl std::fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyDisk")
            .field("names", &self.names.keys())
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl FaultyDisk {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The power fails: of what was not synced, some remains. `choose(n)` gives a number below n.
    pub fn crash(&mut self, choose: &mut dyn FnMut(u64) -> u64) {
        for file in &mut self.files {
            for (offset, bytes) in core::mem::take(&mut file.unsynced) {
                survive(&mut file.durable, offset, &bytes, choose);
            }
            file.seen = file.durable.clone();
        }
        let unsynced = core::mem::take(&mut self.unsynced_names);
        let many = u64::try_from(unsynced.len()).unwrap_or(0);
        let kept = usize::try_from(choose(many + 1)).unwrap_or(0);
        for naming in unsynced.into_iter().take(kept) {
            apply(&mut self.durable_names, naming);
        }
        self.names = self.durable_names.clone();
        self.faults = Faults::default();
    }

    /// The process is killed: the file system keeps what it was given, synced or not.
    pub fn kill(&mut self) {
        self.faults = Faults::default();
    }

    /// The bytes of a file as they would be read now; none when there is no such file.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.names.get(name).and_then(|at| self.files.get(*at)).map(|file| file.seen.as_slice())
    }

    /// Changes bytes behind everyone's back: rot, a stale block, someone's hand. A file that is not there is made.
    pub fn set_bytes(&mut self, name: &str, bytes: Vec<u8>) {
        let file = File { durable: bytes.clone(), seen: bytes, unsynced: Vec::new() };
        let at = self.files.len();
        self.files.push(file);
        self.names.insert(name.to_owned(), at);
        self.durable_names.insert(name.to_owned(), at);
    }

    /// All files with their bytes, for comparison.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Vec<u8>> {
        let bytes = |at: &usize| self.files.get(*at).map(|file| file.seen.clone()).unwrap_or_default();
        self.names.iter().map(|(name, at)| (name.clone(), bytes(at))).collect()
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let at = *self.names.get(name).ok_or(ErrorKind::NotFound)?;
        self.files.get_mut(at).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn named(&mut self, naming: Naming) {
        apply(&mut self.names, naming.clone());
        self.unsynced_names.push(naming);
    }

    fn reserved(&self) -> u64 {
        let size = |at: &usize| self.files.get(*at).map_or(0, |file| crate::disk::length(file.seen.len()));
        self.names.values().map(size).sum()
    }
}

/// Counts down to a fault.
fn now(fault: &mut Option<u64>) -> bool {
    match fault {
        Some(0) => {
            *fault = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

fn survive(to: &mut Vec<u8>, offset: usize, bytes: &[u8], choose: &mut dyn FnMut(u64) -> u64) {
    let (mut at, mut left) = (offset, bytes);
    while !left.is_empty() {
        let (sector, rest) = left.split_at(left.len().min(SECTOR - at % SECTOR));
        match choose(8) {
            0..=3 => place(to, at, sector),
            4 => {
                let torn = usize::try_from(choose(crate::disk::length(sector.len()))).unwrap_or(0);
                place(to, at, sector.get(..torn).unwrap_or_default());
            }
            _ => {}
        }
        at += sector.len();
        left = rest;
    }
}

fn place(to: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if to.len() < at + bytes.len() {
        to.resize(at + bytes.len(), 0);
    }
    crate::layout::put(to, at, bytes);
}

fn apply(names: &mut BTreeMap<String, usize>, naming: Naming) {
    match naming {
        Naming::Made(name, at) => {
            names.insert(name, at);
        }
        Naming::Renamed(from, to) => {
            if let Some(at) = names.remove(&from) {
                names.insert(to, at);
            }
        }
        Naming::Removed(name) => {
            names.remove(&name);
        }
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names.keys().cloned().collect())
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        self.bytes(name).map(|bytes| crate::disk::length(bytes.len())).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn create(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        if self.faults.room.is_some_and(|room| self.reserved() + bytes > room) {
            return Err(ErrorKind::StorageFull.into());
        }
        let zeros = vec![0; usize::try_from(bytes).map_err(|_| ErrorKind::FileTooLarge)?];
        self.files.push(File { durable: zeros.clone(), seen: zeros, unsynced: Vec::new() });
        self.named(Naming::Made(name.to_owned(), self.files.len() - 1));
        Ok(())
    }

    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes(name).ok_or(ErrorKind::NotFound)?;
        let from = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        let n = from.len().min(into.len());
        crate::layout::put(into, 0, from.get(..n).unwrap_or_default());
        Ok(n)
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        let mut taken = bytes;
        if self.faults.short_writes {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(ErrorKind::Interrupted.into());
            }
            taken = bytes.get(..bytes.len().div_ceil(2)).unwrap_or(bytes);
        }
        if now(&mut self.faults.fail_write) {
            return Err(io::Error::other("injected write error"));
        }
        let mut at = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)?;
        if now(&mut self.faults.lose_write) {
            return Ok(taken.len());
        }
        if let Some((left, by)) = self.faults.misdirect {
            let mut left = Some(left);
            let here = now(&mut left);
            at += if here { usize::try_from(by).unwrap_or(0) } else { 0 };
            self.faults.misdirect = left.map(|left| (left, by));
        }
        let file = self.file(name)?;
        place(&mut file.seen, at, taken);
        file.unsynced.push((at, taken.to_vec()));
        Ok(taken.len())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.calls += 1;
        if self.faults.fail_sync == Some(0) {
            return Err(io::Error::other("injected sync error"));
        }
        now(&mut self.faults.fail_sync);
        if now(&mut self.faults.lose_sync) {
            return Ok(());
        }
        let file = self.file(name)?;
        for (at, bytes) in core::mem::take(&mut file.unsynced) {
            place(&mut file.durable, at, &bytes);
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        if !self.names.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        self.named(Naming::Renamed(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        if !self.names.contains_key(name) {
            return Err(ErrorKind::NotFound.into());
        }
        self.named(Naming::Removed(name.to_owned()));
        Ok(())
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.faults.fail_sync == Some(0) {
            return Err(io::Error::other("injected sync error"));
        }
        for naming in core::mem::take(&mut self.unsynced_names) {
            apply(&mut self.durable_names, naming);
        }
        Ok(())
    }
}
