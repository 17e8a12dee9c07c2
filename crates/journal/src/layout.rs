//! The bytes of a segment: one sector of header, then batches that begin on a sector each, zeros between and after.
//!
//! All numbers are little-endian. `docs/journal.md` draws this; the files under `tests/fixtures` hold it still.

use std::fmt;

/// The form that is written. Every form that was ever written is read.
pub const VERSION: u32 = 1;

/// Bytes of a sector: what a disk writes as a whole or not at all. Batches begin on one, so that writing a batch never writes to
/// a sector of another that was acknowledged.
pub const SECTOR: usize = 512;

/// Bytes that each record costs beside its own.
pub const RECORD_HEADER: usize = 16;

/// The most bytes of one record.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

pub(crate) const BATCH_HEADER: usize = 72;

/// Sequences of a segment's first record stay below this, so that none overflows.
const FIRST_MAX: u64 = 1 << 62;

const SEGMENT_MAGIC: [u8; 8] = *b"PLIMSEG\0";
const BATCH_MAGIC: [u8; 4] = *b"PBAT";

/// A hash of everything up to the end of a batch.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(
    // tidy: index — a type
    pub [u8; 32],
);

/// Which journal a file belongs to; whoever creates it makes it unlike any other.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(
    // tidy: index — a type
    pub [u8; 16],
);

macro_rules! hexadecimal {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = NotHexadecimal;

            /// All its digits, lower case.
            fn from_str(text: &str) -> Result<Self, NotHexadecimal> {
                bytes_of(text).map(Self).ok_or(NotHexadecimal)
            }
        }
    };
}
hexadecimal!(Digest);
hexadecimal!(LogId);

/// Why a text is no digest and no name of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHexadecimal;

impl fmt::Display for NotHexadecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not all of its digits, 0 to 9 and a to f")
    }
}

impl std::error::Error for NotHexadecimal {}

fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let value = |digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(value(high)? << 4 | value(low)?)).collect();
    bytes.filter(|_| rest.is_empty())?.try_into().ok()
}

/// The first sector of a segment.
///
/// ```text
///   0  8  "PLIMSEG\0"        40  8  first sequence
///   8  4  form               48  8  epoch
///  12  4  CRC-32C of 16..512 56 32  hash of everything before
///  16 16  journal            88  1  length of the writer's name, at most 63
///  32  8  number             89 63  the writer's name, UTF-8
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub id: LogId,
    pub number: u64,
    pub first: u64,
    pub epoch: u64,
    pub before: Digest,
    pub writer: String,
}

/// Why a header is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    Damaged,
    Newer(u32),
}

impl SegmentHeader {
    pub fn write(&self) -> [u8; SECTOR] {
        let mut to = [0; SECTOR];
        let text = cut(&self.writer, 63);
        let length = u8::try_from(text.len()).unwrap_or(0);
        put(&mut to, 8, &VERSION.to_le_bytes());
        put(&mut to, 16, &self.id.0);
        put(&mut to, 32, &self.number.to_le_bytes());
        put(&mut to, 40, &self.first.to_le_bytes());
        put(&mut to, 48, &self.epoch.to_le_bytes());
        put(&mut to, 56, &self.before.0);
        put(&mut to, 88, &[length]);
        put(&mut to, 89, text.as_bytes());
        let crc = crc32c::crc32c(to.get(16..).unwrap_or_default());
        put(&mut to, 0, &SEGMENT_MAGIC);
        put(&mut to, 12, &crc.to_le_bytes());
        to
    }

    pub fn read(from: &[u8]) -> Result<Self, NoHeader> {
        let sector = from.get(..SECTOR).ok_or(NoHeader::Damaged)?;
        let whole = sector.starts_with(&SEGMENT_MAGIC) && u32_at(sector, 12) == sector.get(16..).map(crc32c::crc32c);
        // The place of the form never moves, whatever else a later one changes.
        match u32_at(sector, 8) {
            Some(VERSION) if whole => Self::fields(sector).ok_or(NoHeader::Damaged),
            Some(version) if version > VERSION && sector.starts_with(&SEGMENT_MAGIC) => Err(NoHeader::Newer(version)),
            _ => Err(NoHeader::Damaged),
        }
    }

    fn fields(sector: &[u8]) -> Option<Self> {
        let length = usize::from(*sector.get(88)?);
        Some(Self {
            id: LogId(array_at(sector, 16)?),
            number: u64_at(sector, 32)?,
            first: u64_at(sector, 40).filter(|first| (1..=FIRST_MAX).contains(first))?,
            epoch: u64_at(sector, 48)?,
            before: Digest(array_at(sector, 56)?),
            writer: String::from_utf8(sector.get(89..89 + length)?.to_vec()).ok()?,
        })
    }
}

/// What a batch begins with.
///
/// ```text
///   0  4  "PBAT"                      24  4  records
///   4  4  CRC-32C of journal,         28  4  bytes of the records
///         segment and 8..72           32  8  epoch
///   8  4  where in the segment        40 32  hash of everything before: the end marker of
///  12  4  kind                               the batch before
///  16  8  sequence of its first record
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub offset: u32,
    pub kind: u32,
    pub first: u64,
    pub records: u32,
    pub bytes: u32,
    pub epoch: u64,
    pub before: Digest,
}

/// Which segment of which journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub id: LogId,
    pub number: u64,
}

impl BatchHeader {
    pub fn write(&self, place: Place) -> [u8; BATCH_HEADER] {
        let mut to = [0; BATCH_HEADER];
        put(&mut to, 8, &self.offset.to_le_bytes());
        put(&mut to, 12, &self.kind.to_le_bytes());
        put(&mut to, 16, &self.first.to_le_bytes());
        put(&mut to, 24, &self.records.to_le_bytes());
        put(&mut to, 28, &self.bytes.to_le_bytes());
        put(&mut to, 32, &self.epoch.to_le_bytes());
        put(&mut to, 40, &self.before.0);
        let crc = header_crc(&to, place);
        put(&mut to, 0, &BATCH_MAGIC);
        put(&mut to, 4, &crc.to_le_bytes());
        to
    }

    /// `None` when it is not one that was written at this place.
    pub fn read(from: &[u8], place: Place, offset: usize) -> Option<Self> {
        let from = from.get(..BATCH_HEADER)?;
        if !from.starts_with(&BATCH_MAGIC) || u32_at(from, 4)? != header_crc(from, place) {
            return None;
        }
        let header = Self {
            offset: u32_at(from, 8)?,
            kind: u32_at(from, 12)?,
            first: u64_at(from, 16)?,
            records: u32_at(from, 24)?,
            bytes: u32_at(from, 28)?,
            epoch: u64_at(from, 32)?,
            before: Digest(array_at(from, 40)?),
        };
        (usize::try_from(header.offset) == Ok(offset)).then_some(header)
    }
}

fn header_crc(header: &[u8], place: Place) -> u32 {
    let seed = crc32c::crc32c_append(crc32c::crc32c(&place.id.0), &place.number.to_le_bytes());
    crc32c::crc32c_append(seed, header.get(8..BATCH_HEADER).unwrap_or_default())
}

/// The header of a record: length, CRC-32C of journal, epoch, sequence, length and bytes, sequence. A sequence is given once
/// in an epoch, so a record at another's place does not pass.
pub(crate) fn record_header(id: LogId, epoch: u64, sequence: u64, record: &[u8]) -> [u8; RECORD_HEADER] {
    let mut to = [0; RECORD_HEADER];
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    put(&mut to, 0, &length.to_le_bytes());
    put(&mut to, 4, &record_crc(id, epoch, sequence, record).to_le_bytes());
    put(&mut to, 8, &sequence.to_le_bytes());
    to
}

/// The record at the beginning of some bytes and what follows; `None` when it is not the one of that sequence.
pub(crate) fn record_at(from: &[u8], id: LogId, epoch: u64, sequence: u64) -> Option<(&[u8], &[u8])> {
    let (header, rest) = from.split_at_checked(RECORD_HEADER)?;
    let length = usize::try_from(u32_at(header, 0)?).ok()?;
    let (record, rest) = rest.split_at_checked(length)?;
    let whole = u64_at(header, 8)? == sequence && u32_at(header, 4)? == record_crc(id, epoch, sequence, record);
    whole.then_some((record, rest))
}

fn record_crc(id: LogId, epoch: u64, sequence: u64, record: &[u8]) -> u32 {
    let mut seed = [0; 36];
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    put(&mut seed, 0, &id.0);
    put(&mut seed, 16, &epoch.to_le_bytes());
    put(&mut seed, 24, &sequence.to_le_bytes());
    put(&mut seed, 32, &length.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&seed), record)
}

/// The hash after a batch: of its header, which has the hash before it, and its records.
pub(crate) fn chain(header: &[u8], body: &[u8]) -> Digest {
    let mut hash = blake3::Hasher::new();
    hash.update(header);
    hash.update(body);
    Digest(*hash.finalize().as_bytes())
}

/// Rounded up to whole sectors.
pub(crate) fn sectors(bytes: usize) -> usize {
    bytes.next_multiple_of(SECTOR)
}

const SEGMENT: &str = "segment-";
const SNAPSHOT: &str = "snapshot-";
const END: &str = ".plim";

/// Added to the name of a file that is not whole yet.
pub(crate) const UNFINISHED: &str = ".tmp";

pub(crate) fn segment_name(number: u64) -> String {
    format!("{SEGMENT}{number:08}{END}")
}

pub(crate) fn segment_number(name: &str) -> Option<u64> {
    number(name, SEGMENT).filter(|number| segment_name(*number) == name)
}

pub(crate) fn snapshot_name(sequence: u64) -> String {
    format!("{SNAPSHOT}{sequence:020}{END}")
}

pub(crate) fn snapshot_sequence(name: &str) -> Option<u64> {
    number(name, SNAPSHOT).filter(|sequence| snapshot_name(*sequence) == name)
}

/// Where bytes that an operator dropped are kept, by the sequence they would have begun with and what they were.
pub(crate) fn dropped_name(first: u64, digest: Digest) -> String {
    let begin: String = digest.to_string().chars().take(8).collect();
    format!("dropped-{first:020}-{begin}{END}")
}

/// Whether a journal, or what keeps one, makes files of that name.
pub(crate) fn is_ours(name: &str) -> bool {
    let whole = name.strip_suffix(UNFINISHED).unwrap_or(name);
    let known = [SEGMENT, SNAPSHOT, "dropped-", "node-"];
    name == "lock" || (whole.ends_with(END) && known.iter().any(|begin| whole.starts_with(begin)))
}

fn number(name: &str, begin: &str) -> Option<u64> {
    name.strip_prefix(begin)?.strip_suffix(END)?.parse().ok()
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

pub(crate) fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(to) = to.get_mut(at..at + bytes.len()) {
        to.copy_from_slice(bytes);
    }
}

pub(crate) fn array_at<const N: usize>(from: &[u8], at: usize) -> Option<[u8; N]> {
    from.get(at..at + N)?.try_into().ok()
}

pub(crate) fn u32_at(from: &[u8], at: usize) -> Option<u32> {
    array_at(from, at).map(u32::from_le_bytes)
}

pub(crate) fn u64_at(from: &[u8], at: usize) -> Option<u64> {
    array_at(from, at).map(u64::from_le_bytes)
}
