//! Appends: records gather in memory, a commit writes them with one write and one sync.

use crate::disk::{length, write_all};
use crate::error::is_full;
use crate::layout::{BATCH_HEADER, BatchHeader, Place, SECTOR, SegmentHeader, UNFINISHED};
use crate::layout::{chain, put, record_header, sectors, segment_name, segment_number};
use crate::read::Position;
use crate::{Digest, Disk, Error, Kind, LogId, RECORD_BYTES_MAX};

/// What is chosen when a journal is created or opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of a new segment, bytes: reserved at once, so that a batch that has room never meets a full disk.
    pub segment_bytes: u32,
    /// Name and version of whoever writes, kept in each segment.
    pub writer: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, writer: format!("plimsoll-journal {}", env!("CARGO_PKG_VERSION")) }
    }
}

/// A log that is appended to.
#[derive(Debug)]
pub struct Journal<D> {
    disk: D,
    options: Options,
    at: Position,
    segment_bytes: usize,
    /// Header and records of the batch that gathers.
    batch: Vec<u8>,
    records: u32,
    /// The last batch has no records.
    ended: bool,
    failed: bool,
}

/// How far a journal is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The last record's sequence; zero before the first.
    pub sequence: u64,
    /// The hash of everything to there.
    pub digest: Digest,
}

impl<D: Disk> Journal<D> {
    /// A new journal in an empty directory. `id` is to be unlike that of any other.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::NoRoom`]; what the disk says.
    pub fn create(mut disk: D, id: LogId, options: Options) -> Result<Self, Error> {
        let names = disk.list().map_err(|source| Error::io("list", "the directory", source))?;
        if names.iter().any(|name| segment_number(name).is_some()) {
            return Err(Error::Exists);
        }
        let place = Place { id, number: 1 };
        let at = Position { place, offset: SECTOR, next: 1, epoch: 1, chain: Digest::default() };
        make_segment(&mut disk, &options, &at)?;
        let segment_bytes = size_of(&options);
        Ok(Self::of(disk, options, at, segment_bytes))
    }

    /// The journal that goes on from a position.
    pub(crate) fn of(disk: D, options: Options, at: Position, segment_bytes: usize) -> Self {
        let batch = vec![0; BATCH_HEADER];
        Self { disk, options, at, segment_bytes, batch, records: 0, ended: false, failed: false }
    }

    /// Adds a record to the batch that gathers; nothing is durable before [`Self::commit`]. Gives the record's sequence.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a record or batch that has no place in a segment, then nothing is added; [`Error::Failed`].
    pub fn append(&mut self, record: &[u8]) -> Result<u64, Error> {
        self.working()?;
        let large = |bytes, max| Err(Error::TooLarge { bytes: length(bytes), max: length(max) });
        if record.len() > RECORD_BYTES_MAX {
            return large(record.len(), RECORD_BYTES_MAX);
        }
        let bytes = self.batch.len() + crate::RECORD_HEADER + record.len();
        if bytes > self.batch_bytes_max() {
            return large(bytes, self.batch_bytes_max());
        }
        let sequence = self.at.next + u64::from(self.records);
        self.batch.extend_from_slice(&record_header(self.at.place.id, self.at.epoch, sequence, record));
        self.batch.extend_from_slice(record);
        self.records += 1;
        Ok(sequence)
    }

    /// Makes the batch durable with one write and one sync. Without records nothing is written.
    ///
    /// # Errors
    /// [`Error::NoRoom`] and what the disk says: whether the batch is durable is then unknown, and the journal takes nothing
    /// more. Use [`Self::ensure_room`] before there is something to lose.
    pub fn commit(&mut self) -> Result<Committed, Error> {
        self.working()?;
        if self.records > 0 {
            self.commit_as(Kind::Records)?;
        }
        Ok(self.committed())
    }

    /// Makes sure that a batch of so many bytes, record headers included, finds its room: reserves the next segment when this one
    /// is too full.
    ///
    /// # Errors
    /// [`Error::NoRoom`] when the disk is full: nothing has changed, and it may be tried again; [`Error::TooLarge`];
    /// [`Error::Failed`]; what else the disk says ends the journal.
    pub fn ensure_room(&mut self, bytes: usize) -> Result<(), Error> {
        self.working()?;
        let bytes = bytes.saturating_add(BATCH_HEADER);
        if bytes > self.batch_bytes_max() {
            return Err(Error::TooLarge { bytes: length(bytes), max: length(self.batch_bytes_max()) });
        }
        if self.at.offset + sectors(bytes) <= self.segment_bytes {
            return Ok(());
        }
        self.next_segment()
    }

    /// Goes on in a new segment, which names the writer.
    ///
    /// # Errors
    /// As [`Self::ensure_room`].
    pub fn next_segment(&mut self) -> Result<(), Error> {
        self.working()?;
        let mut at = self.at;
        at.place.number += 1;
        at.offset = SECTOR;
        let made = make_segment(&mut self.disk, &self.options, &at);
        self.failed = matches!(made, Err(Error::Io { .. }));
        made?;
        self.at = at;
        self.segment_bytes = size_of(&self.options);
        Ok(())
    }

    /// Gives the last batch its end marker, so that nothing is left that could be unreadable and acknowledged.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn end(&mut self) -> Result<(), Error> {
        self.commit()?;
        if self.ended { Ok(()) } else { self.commit_as(Kind::Records) }
    }

    /// Ends the journal in order.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn close(mut self) -> Result<D, Error> {
        self.end()?;
        Ok(self.disk)
    }

    /// How far it is durable.
    #[must_use]
    pub fn committed(&self) -> Committed {
        Committed { sequence: self.at.next - 1, digest: self.at.chain }
    }

    /// Which journal this is.
    #[must_use]
    pub fn id(&self) -> LogId {
        self.at.place.id
    }

    /// In which run of the writer it is: one more at each opening that writes.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.at.epoch
    }

    /// The disk, for snapshots and what else is kept beside.
    pub fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// The disk, without an end marker: as after a crash.
    #[must_use]
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// Removes the segments whose records are all at or before a sequence, as a snapshot of it makes them needless. The log
    /// then cannot be verified from its beginning any more. Gives how many.
    ///
    /// # Errors
    /// What the disk says; [`Error::Failed`].
    pub fn remove_to(&mut self, sequence: u64) -> Result<usize, Error> {
        self.working()?;
        let names = self.disk.list().map_err(|source| Error::io("list", "the directory", source))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
        numbers.sort_unstable();
        let mut removed = 0;
        for pair in numbers.windows(2) {
            let &[old, next] = pair else { continue };
            let name = segment_name(next);
            let mut sector = [0; SECTOR];
            self.disk.read(&name, 0, &mut sector).map_err(|source| Error::io("read", &name, source))?;
            if SegmentHeader::read(&sector).map_or(true, |header| header.first > sequence) {
                break;
            }
            let name = segment_name(old);
            self.disk.remove(&name).map_err(|source| Error::io("remove", &name, source))?;
            removed += 1;
        }
        self.disk.sync_directory().map_err(|source| Error::io("sync", "the directory", source))?;
        Ok(removed)
    }

    pub(crate) fn commit_as(&mut self, kind: Kind) -> Result<(), Error> {
        let room = self.ensure_room(self.batch.len() - BATCH_HEADER);
        self.failed |= room.is_err();
        room?;
        let bytes = self.batch.len() - BATCH_HEADER;
        let header = BatchHeader {
            offset: u32::try_from(self.at.offset).unwrap_or(u32::MAX),
            kind: kind.code(),
            first: self.at.next,
            records: self.records,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            epoch: self.at.epoch,
            before: self.at.chain,
        };
        put(&mut self.batch, 0, &header.write(self.at.place));
        let (head, body) = self.batch.split_at(BATCH_HEADER);
        let after = chain(head, body);
        self.batch.resize(sectors(self.batch.len()), 0);
        let name = segment_name(self.at.place.number);
        let written = write_all(&mut self.disk, &name, length(self.at.offset), &self.batch);
        let synced = written.and_then(|()| self.disk.sync(&name));
        if let Err(source) = synced {
            self.failed = true;
            return Err(Error::io("write and sync", name, source));
        }
        self.at.offset += self.batch.len();
        if kind == Kind::Records {
            self.at.next += u64::from(self.records);
        }
        self.at.chain = after;
        self.ended = self.records == 0;
        self.batch.truncate(BATCH_HEADER);
        self.records = 0;
        Ok(())
    }

    fn working(&self) -> Result<(), Error> {
        if self.failed { Err(Error::Failed) } else { Ok(()) }
    }

    /// The most bytes of a batch, record headers and its own included.
    #[must_use]
    pub fn batch_bytes_max(&self) -> usize {
        size_of(&self.options) - SECTOR
    }
}

/// A new segment that begins where the log is: written beside, synced, renamed, and the directory synced, so that a segment of
/// that name is whole.
fn make_segment(disk: &mut impl Disk, options: &Options, at: &Position) -> Result<(), Error> {
    let name = segment_name(at.place.number);
    let beside = format!("{name}{UNFINISHED}");
    let Position { place, next, epoch, chain, .. } = *at;
    let writer = options.writer.clone();
    let header = SegmentHeader { id: place.id, number: place.number, first: next, epoch, before: chain, writer };
    let bytes = length(size_of(options));
    let written = disk.create(&beside, bytes).and_then(|()| {
        write_all(disk, &beside, 0, &header.write())?;
        disk.sync(&beside)
    });
    match written {
        Err(error) if is_full(&error) => {
            // What is there of it would only take room; when it stays, the next opening removes it.
            let _ = disk.remove(&beside);
            return Err(Error::NoRoom { bytes });
        }
        written => written.map_err(|source| Error::io("make", &beside, source))?,
    }
    disk.rename(&beside, &name).map_err(|source| Error::io("rename", &beside, source))?;
    disk.sync_directory().map_err(|source| Error::io("sync", "the directory", source))
}

/// Whole sectors, at least two.
fn size_of(options: &Options) -> usize {
    let bytes = usize::try_from(options.segment_bytes).unwrap_or(usize::MAX);
    (bytes / SECTOR * SECTOR).max(2 * SECTOR)
}
