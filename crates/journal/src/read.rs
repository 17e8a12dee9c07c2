//! Reads a journal from a batch onward, one after the other, and says where it stops being what was written. Never writes.

use crate::disk::{length, read_all};
use crate::layout::{BATCH_HEADER, BatchHeader, NoHeader, Place, SECTOR, SegmentHeader};
use crate::layout::{chain, record_at, record_header, sectors, segment_name, segment_number};
use crate::{Damage, Digest, Disk, Error, LogId, UnreadableTail};

/// What a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Records, each with the next sequence.
    Records,
    /// The word of an operator that an unreadable tail was dropped; its one record says what of, and has no sequence of its own.
    TailDropped,
}

impl Kind {
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Records => 0,
            Self::TailDropped => 1,
        }
    }

    fn of(code: u32) -> Option<Self> {
        [Self::Records, Self::TailDropped].into_iter().find(|kind| kind.code() == code)
    }
}

/// A batch that is as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// What it is.
    pub kind: Kind,
    /// Sequence of its first record.
    pub first: u64,
    /// How many records it has.
    pub records: u32,
    /// In which run of the writer it was written.
    pub epoch: u64,
    /// Number of its segment.
    pub segment: u64,
    /// Where in that, bytes.
    pub offset: u64,
    /// The hash of everything before it.
    pub before: Digest,
    /// The hash of everything to its end.
    pub after: Digest,
    id: LogId,
    body: &'a [u8],
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number, from 1.
    pub sequence: u64,
    /// What was appended.
    pub bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> BatchPlace {
        let Self { segment, offset, first, epoch, before, id, .. } = *self;
        BatchPlace { id, segment, offset, first, epoch, before }
    }

    /// Its records, in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let (mut rest, mut sequence, step) = (self.body, self.first, self.kind == Kind::Records);
        let (id, epoch) = (self.id, self.epoch);
        std::iter::from_fn(move || {
            let (bytes, after) = record_at(rest, id, epoch, sequence)?;
            let record = Record { sequence, bytes };
            rest = after;
            sequence += u64::from(step);
            Some(record)
        })
    }
}

/// Where a batch of records stands and what it follows: with its records, all that its hash is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchPlace {
    /// Which journal.
    pub id: LogId,
    /// Number of the segment.
    pub segment: u64,
    /// Where in that, bytes.
    pub offset: u64,
    /// Sequence of the first record.
    pub first: u64,
    /// In which run of the writer it was written.
    pub epoch: u64,
    /// The hash of everything before it.
    pub before: Digest,
}

impl BatchPlace {
    /// The hash of everything to the end of a batch with these records at this place; `None` where it could not stand.
    #[must_use]
    pub fn digest<'a>(&self, records: impl IntoIterator<Item = &'a [u8]>) -> Option<Digest> {
        let (mut body, mut count) = (Vec::new(), 0_u32);
        for record in records {
            let sequence = self.first.checked_add(count.into())?;
            body.extend_from_slice(&record_header(self.id, self.epoch, sequence, record));
            body.extend_from_slice(record);
            count = count.checked_add(1)?;
        }
        let header = BatchHeader {
            offset: u32::try_from(self.offset).ok()?,
            kind: Kind::Records.code(),
            first: self.first,
            records: count,
            bytes: u32::try_from(body.len()).ok()?,
            epoch: self.epoch,
            before: self.before,
        };
        Some(chain(&header.write(Place { id: self.id, number: self.segment }), &body))
    }
}

/// Where a journal has been read to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub place: Place,
    /// Where the next batch begins.
    pub offset: usize,
    /// Sequence of the next record.
    pub next: u64,
    pub epoch: u64,
    pub chain: Digest,
}

/// Reads batches in order.
#[derive(Debug)]
pub struct Reader {
    /// Numbers of all segments, ascending.
    numbers: Vec<u64>,
    /// The segment that is being read.
    bytes: Vec<u8>,
    writer: String,
    at: Position,
}

/// What is at a place.
enum Found {
    Batch(BatchHeader, Digest),
    /// Zeros to the end of the segment.
    End,
    /// Neither.
    Unreadable(&'static str),
}

impl Reader {
    /// At the first batch that the directory has.
    ///
    /// # Errors
    /// [`Error::Empty`] without a segment; a first segment that cannot be read; what the disk says.
    pub fn first(disk: &impl Disk) -> Result<Self, Error> {
        Self::at_segment(disk, |_| false)
    }

    /// At the first batch of the segment that has the record of a sequence, or of the first segment there is: a batch without records may
    /// stand between that record and the next segment, and whoever goes on from the record has to see it.
    ///
    /// # Errors
    /// As [`Self::first`]; [`Error::NoSnapshot`] when the log begins later.
    pub fn after(disk: &impl Disk, sequence: u64) -> Result<Self, Error> {
        let reader = Self::at_segment(disk, |header| header.first <= sequence)?;
        match reader.at.next <= sequence.saturating_add(1) {
            true => Ok(reader),
            false => Err(Error::NoSnapshot { first: reader.at.next }),
        }
    }

    /// The last segment that fits, else the first.
    fn at_segment(disk: &impl Disk, fits: impl Fn(&SegmentHeader) -> bool) -> Result<Self, Error> {
        let names = disk.list().map_err(|source| Error::io("list", "the directory", source))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
        numbers.sort_unstable();
        let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else {
            return Err(Error::Empty);
        };
        gaps(&numbers)?;
        // Headers are read from the end, so that a damaged one in the past does not hide that a later one fits.
        let mut number = last;
        let (header, bytes) = loop {
            let bytes = load(disk, number)?;
            let header = header_of(&bytes, number)?;
            if number == first || fits(&header) {
                break (header, bytes);
            }
            number -= 1;
        };
        let place = Place { id: header.id, number };
        let at = Position { place, offset: SECTOR, next: header.first, epoch: header.epoch, chain: header.before };
        Ok(Self { numbers, bytes, writer: header.writer, at })
    }

    /// The next batch; none at the end of a journal that is whole.
    ///
    /// # Errors
    /// [`Error::Damaged`] where something is not as it was written and something after it is; [`Error::UnreadableTail`] where
    /// nothing is; [`Error::OtherHistory`]; what the disk says.
    pub fn next_batch(&mut self, disk: &impl Disk) -> Result<Option<Batch<'_>>, Error> {
        let (header, after) = loop {
            match self.look() {
                Found::Batch(header, after) => break (header, after),
                Found::End if self.is_last() => return Ok(None),
                Found::End => self.next_segment(disk)?,
                Found::Unreadable(what) => return Err(self.unreadable(what)),
            }
        };
        let Some(kind) = Kind::of(header.kind) else { return Err(self.damaged("a batch of an unknown kind")) };
        let offset = self.at.offset;
        let body = self.at.offset + BATCH_HEADER..self.at.offset + BATCH_HEADER + usize_of(header.bytes);
        self.at.offset = sectors(body.end);
        self.at.next = match kind {
            Kind::Records => header.first + u64::from(header.records),
            Kind::TailDropped => header.first,
        };
        self.at.epoch = header.epoch;
        self.at.chain = after;
        Ok(Some(Batch {
            kind,
            first: header.first,
            records: header.records,
            epoch: header.epoch,
            segment: self.at.place.number,
            offset: length(offset),
            before: header.before,
            after,
            id: self.at.place.id,
            body: self.bytes.get(body).unwrap_or_default(),
        }))
    }

    /// Which journal this is.
    #[must_use]
    pub fn id(&self) -> LogId {
        self.at.place.id
    }

    /// Who wrote the segment that is being read.
    #[must_use]
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// The last sequence that was read; zero before the first record.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.at.next - 1
    }

    /// The hash of everything that was read.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.at.chain
    }

    /// Bytes that are left in the segment from here, and its file.
    #[must_use]
    pub fn place(&self) -> (String, u64) {
        (segment_name(self.at.place.number), length(self.at.offset))
    }

    pub(crate) fn position(&self) -> Position {
        self.at
    }

    /// What stands from here to the end of the segment, without the zeros at its end.
    pub(crate) fn rest(&self) -> &[u8] {
        let rest = self.bytes.get(self.at.offset..).unwrap_or_default();
        let end = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        rest.get(..end).unwrap_or_default()
    }

    pub(crate) fn segment_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn is_last(&self) -> bool {
        self.numbers.last() == Some(&self.at.place.number)
    }

    fn look(&self) -> Found {
        let rest = self.bytes.get(self.at.offset..).unwrap_or_default();
        let Some(header) = BatchHeader::read(rest, self.at.place, self.at.offset) else {
            return if is_zero(rest) { Found::End } else { Found::Unreadable("neither a batch nor the end") };
        };
        if header.before != self.at.chain {
            return Found::Unreadable("a batch that follows another past");
        }
        if header.first != self.at.next || header.epoch < self.at.epoch {
            return Found::Unreadable("a batch out of its order");
        }
        match self.body(rest, &header) {
            Some(body) => Found::Batch(header, chain(rest.get(..BATCH_HEADER).unwrap_or_default(), body)),
            None => Found::Unreadable("a batch that is not whole"),
        }
    }

    /// The records of a batch, when all of them are whole and zeros follow to the end of its last sector.
    fn body<'a>(&self, rest: &'a [u8], header: &BatchHeader) -> Option<&'a [u8]> {
        let end = BATCH_HEADER + usize_of(header.bytes);
        let body = rest.get(BATCH_HEADER..end)?;
        let (mut left, mut sequence) = (body, header.first);
        for _ in 0..header.records {
            (_, left) = record_at(left, self.at.place.id, header.epoch, sequence)?;
            sequence += u64::from(header.kind == Kind::Records.code());
        }
        let padding = rest.get(end..sectors(end).min(rest.len()))?;
        (left.is_empty() && is_zero(padding)).then_some(body)
    }

    fn damaged(&self, what: &'static str) -> Error {
        let (name, offset) = self.place();
        Error::Damaged(Damage { name, offset, good_to: self.sequence(), what })
    }

    /// Damage where something readable follows, which was written after this had been synced; else the tail.
    fn unreadable(&self, what: &'static str) -> Error {
        let rest = self.bytes.get(self.at.offset..).unwrap_or_default();
        let here = BatchHeader::read(rest, self.at.place, self.at.offset);
        let other_past = here.is_some_and(|h| h.before != self.at.chain || h.first != self.at.next);
        let later = (self.at.offset..self.bytes.len()).step_by(SECTOR).skip(1).any(|offset| {
            let at = self.bytes.get(offset..).unwrap_or_default();
            BatchHeader::read(at, self.at.place, offset).is_some_and(|later| later.epoch >= self.at.epoch)
        });
        if !self.is_last() || later || other_past {
            return self.damaged(what);
        }
        let (name, offset) = self.place();
        let whole = here.map_or(0, |header| {
            let mut left = rest.get(BATCH_HEADER..).unwrap_or_default();
            let whole = |sequence: &u64| match record_at(left, self.at.place.id, header.epoch, *sequence) {
                Some((_, after)) => {
                    left = after;
                    true
                }
                None => false,
            };
            length((header.first..header.first.saturating_add(u64::from(header.records))).take_while(whole).count())
        });
        Error::UnreadableTail(UnreadableTail {
            name,
            offset,
            bytes: length(self.rest().len()),
            good_to: self.sequence(),
            records: here.map(|header| header.records),
            whole,
        })
    }

    fn next_segment(&mut self, disk: &impl Disk) -> Result<(), Error> {
        let number = self.at.place.number + 1;
        let bytes = load(disk, number)?;
        let header = header_of(&bytes, number)?;
        let name = segment_name(number);
        if header.id != self.at.place.id {
            return Err(Error::OtherHistory { name, found: header.id, expected: self.at.place.id });
        }
        if header.first != self.at.next || header.before != self.at.chain {
            let what = match header.first > self.at.next {
                true => "records are missing before this segment, or at the end of the one before",
                false => "a segment that follows another past",
            };
            return Err(Error::Damaged(Damage { name, offset: 0, good_to: self.sequence(), what }));
        }
        self.at.place.number = number;
        self.at.offset = SECTOR;
        self.writer = header.writer;
        self.bytes = bytes;
        Ok(())
    }
}

fn load(disk: &impl Disk, number: u64) -> Result<Vec<u8>, Error> {
    let name = segment_name(number);
    read_all(disk, &name).map_err(|source| Error::io("read", &name, source))
}

fn header_of(bytes: &[u8], number: u64) -> Result<SegmentHeader, Error> {
    let name = segment_name(number);
    let damaged = |name, what| Error::Damaged(Damage { name, offset: 0, good_to: 0, what });
    match SegmentHeader::read(bytes) {
        Ok(header) if header.number == number => Ok(header),
        Ok(_) => Err(damaged(name, "the header of another segment")),
        Err(NoHeader::Newer(version)) => Err(Error::Newer { name, version }),
        Err(NoHeader::Damaged) => Err(damaged(name, "no header that was written here")),
    }
}

/// Every number between the first and the last is there.
fn gaps(numbers: &[u64]) -> Result<(), Error> {
    for pair in numbers.windows(2) {
        let &[before, after] = pair else { continue };
        if after != before + 1 {
            let name = segment_name(before + 1);
            let what = "a segment is missing";
            return Err(Error::Damaged(Damage { name, offset: 0, good_to: 0, what }));
        }
    }
    Ok(())
}

/// In runs without an exit, so that many bytes are looked at at once: the rest of a segment is long.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(1 << 12).all(|run| run.iter().fold(0, |or, byte| or | byte) == 0)
}

fn usize_of(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
