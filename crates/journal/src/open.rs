//! Opening a journal: what the disk has is read to its end, made durable, and gone on from.
//!
//! Recovery is a function of the bytes on the disk. Nothing is written but the sync, unless an operator drops the tail.

use crate::disk::{length, write_all};
use crate::layout::{BatchHeader, UNFINISHED, dropped_name, segment_name};
use crate::{Batch, Digest, Disk, Error, Journal, Kind, Options, Reader};
use std::fmt;

/// What is done with a last batch that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// The journal is not opened: [`Error::UnreadableTail`].
    #[default]
    Ask,
    /// It is kept beside the log in a file of its own and removed from it; the log says so from then on.
    Drop,
}

/// A last batch that cannot be read, after which nothing can: torn by a crash before it was acknowledged, or rotten after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableTail {
    /// Which segment.
    pub name: String,
    /// Where it begins, bytes.
    pub offset: u64,
    /// Bytes to the last that is not zero.
    pub bytes: u64,
    /// The last sequence that is whole: where the log ends when the tail is dropped.
    pub good_to: u64,
    /// How many records its header says it has; none when that is unreadable too.
    pub records: Option<u32>,
    /// How many of them, from the first, are whole.
    pub whole: u64,
}

impl fmt::Display for UnreadableTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, offset, bytes, good_to, .. } = self;
        write!(
            f,
            "{name}: the last batch, {bytes} bytes from byte {offset}, cannot be read and may have been acknowledged"
        )?;
        match self.records {
            Some(records) => write!(f, "; it had {records} records, of which the first {} are whole", self.whole)?,
            None => f.write_str("; how many records it had cannot be read")?,
        }
        write!(f, "; without it the log ends at sequence {good_to}")
    }
}

/// A journal that is being opened: its batches in order, then [`Self::finish`].
#[derive(Debug)]
pub struct Recovery<D> {
    disk: D,
    options: Options,
    tail: Tail,
    reader: Reader,
    found: Option<UnreadableTail>,
}

impl<D: Disk> Journal<D> {
    /// Begins to open a journal, at the segment that has the record after a sequence, which is that of a snapshot or zero.
    ///
    /// # Errors
    /// As [`Reader::after`].
    pub fn open(disk: D, options: Options, tail: Tail, after: u64) -> Result<Recovery<D>, Error> {
        let reader = Reader::after(&disk, after)?;
        Ok(Recovery { disk, options, tail, reader, found: None })
    }
}

impl<D: Disk> Recovery<D> {
    /// The next batch that is whole; none at the end.
    ///
    /// # Errors
    /// As [`Reader::next_batch`]; an unreadable tail is no error when it is to be dropped.
    pub fn next_batch(&mut self) -> Result<Option<Batch<'_>>, Error> {
        match self.reader.next_batch(&self.disk) {
            Err(Error::UnreadableTail(tail)) if self.tail == Tail::Drop => {
                self.found = Some(tail);
                Ok(None)
            }
            read => read,
        }
    }

    /// The last sequence that was read.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.reader.sequence()
    }

    /// The hash of everything that was read.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.reader.digest()
    }

    /// What is there.
    #[must_use]
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Reads what is left, makes all of it durable, drops the tail if there is one to drop, and gives the journal, with what
    /// was dropped.
    ///
    /// # Errors
    /// As [`Self::next_batch`] and [`Journal::commit`].
    pub fn finish(mut self) -> Result<(Journal<D>, Option<UnreadableTail>), Error> {
        while self.next_batch()?.is_some() {}
        let mut at = self.reader.position();
        let rest = self.reader.rest().to_vec();
        let claimed = BatchHeader::read(&rest, at.place, at.offset).map_or(0, |header| header.epoch);
        at.epoch = at.epoch.max(claimed) + 1;
        let disk = &mut self.disk;
        let names = disk.list().map_err(|source| Error::io("list", "the directory", source))?;
        for name in names.iter().filter(|name| name.ends_with(UNFINISHED)) {
            disk.remove(name).map_err(|source| Error::io("remove", name, source))?;
        }
        // A process that was killed may have left in memory what it never synced: it counts from here on.
        let name = segment_name(at.place.number);
        disk.sync(&name).map_err(|source| Error::io("sync", &name, source))?;
        disk.sync_directory().map_err(|source| Error::io("sync", "the directory", source))?;
        let Some(tail) = self.found else {
            let bytes = self.reader.segment_bytes().max(at.offset);
            return Ok((Journal::of(self.disk, self.options, at, bytes), None));
        };
        let digest = Digest(*blake3::hash(&rest).as_bytes());
        keep(disk, &dropped_name(at.next, digest), &rest)?;
        write_all(disk, &name, length(at.offset), &vec![0; rest.len()])
            .and_then(|()| disk.sync(&name))
            .map_err(|source| Error::io("clear the tail of", &name, source))?;
        let bytes = self.reader.segment_bytes().max(at.offset);
        let mut journal = Journal::of(self.disk, self.options, at, bytes);
        let mut notice = length(rest.len()).to_le_bytes().to_vec();
        notice.extend_from_slice(&digest.0);
        journal.append(&notice)?;
        journal.commit_as(Kind::TailDropped)?;
        Ok((journal, Some(tail)))
    }
}

/// A file of some bytes beside the log, whole and durable, in place of any of that name. Its name has to begin with `node-` and
/// end in `.plim`, or the directory is not ours any more.
///
/// # Errors
/// What the disk says; then the file is as it was.
pub fn keep(disk: &mut impl Disk, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let beside = format!("{name}{UNFINISHED}");
    let io = |source| Error::io("write", name, source);
    disk.create(&beside, length(bytes.len())).map_err(io)?;
    write_all(disk, &beside, 0, bytes).and_then(|()| disk.sync(&beside)).map_err(io)?;
    disk.rename(&beside, name).and_then(|()| disk.sync_directory()).map_err(io)
}
