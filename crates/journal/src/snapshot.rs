//! Snapshots: what the records to some sequence lead to, so that recovery need not begin at the first.
//!
//! Each is one file: a header of 144 bytes, then the payload, compressed. It is written beside, synced, renamed and the
//! directory synced; read back before an older one is removed.

use crate::disk::read_all;
use crate::layout::{array_at, put, snapshot_name, snapshot_sequence, u32_at, u64_at};
use crate::open::keep;
use crate::{Damage, Digest, Disk, Error, LogId, VERSION};

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Of which journal.
    pub id: LogId,
    /// The last record that it has in it.
    pub sequence: u64,
    /// The hash of the journal to there.
    pub digest: Digest,
    /// What was made of the records.
    pub payload: Vec<u8>,
}

/// Snapshots of a directory.
#[derive(Clone, Copy, Debug)]
pub struct Snapshots;

const MAGIC: [u8; 8] = *b"PLIMSNAP";
const HEADER: usize = 144;

/// Fast to write; the state of a venue shrinks to a third all the same.
const LEVEL: i32 = 1;

/// The most that a byte unpacks to: a header that claims more is not believed.
const UNPACKED_MAX: u64 = 1 << 16;

impl Snapshots {
    /// Writes a snapshot, in place of any of the same sequence.
    ///
    /// # Errors
    /// What the disk says; the log is not touched.
    pub fn write(disk: &mut impl Disk, snapshot: &Snapshot) -> Result<(), Error> {
        let name = snapshot_name(snapshot.sequence);
        let packed = zstd::bulk::compress(&snapshot.payload, LEVEL).map_err(|e| Error::io("compress", &name, e))?;
        let mut bytes = vec![0; HEADER];
        put(&mut bytes, 8, &VERSION.to_le_bytes());
        put(&mut bytes, 16, &snapshot.id.0);
        put(&mut bytes, 32, &snapshot.sequence.to_le_bytes());
        put(&mut bytes, 40, &crate::disk::length(snapshot.payload.len()).to_le_bytes());
        put(&mut bytes, 48, &snapshot.digest.0);
        put(&mut bytes, 80, blake3::hash(&snapshot.payload).as_bytes());
        put(&mut bytes, 112, blake3::hash(&packed).as_bytes());
        let crc = crc32c::crc32c(bytes.get(8..).unwrap_or_default());
        put(&mut bytes, 0, &MAGIC);
        put(&mut bytes, 12, &crc.to_le_bytes());
        bytes.extend_from_slice(&packed);
        keep(disk, &name, &bytes)
    }

    /// Sequences of all snapshots by their names, ascending.
    ///
    /// # Errors
    /// What the disk says.
    pub fn list(disk: &impl Disk) -> Result<Vec<u64>, Error> {
        let names = disk.list().map_err(|source| Error::io("list", "the directory", source))?;
        let mut sequences: Vec<u64> = names.iter().filter_map(|name| snapshot_sequence(name)).collect();
        sequences.sort_unstable();
        Ok(sequences)
    }

    /// Reads and checks one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not as it was written; [`Error::Newer`]; what the disk says.
    pub fn read(disk: &impl Disk, sequence: u64) -> Result<Snapshot, Error> {
        let name = snapshot_name(sequence);
        let bytes = read_all(disk, &name).map_err(|source| Error::io("read", &name, source))?;
        let damaged = |what| Error::Damaged(Damage { name: name.clone(), offset: 0, good_to: 0, what });
        if !bytes.starts_with(&MAGIC) {
            return Err(damaged("no header of a snapshot"));
        }
        match u32_at(&bytes, 8) {
            Some(version) if version > VERSION => return Err(Error::Newer { name, version }),
            _ => {}
        }
        let snapshot = unpack(&bytes).ok_or_else(|| damaged("a snapshot that is not as it was written"))?;
        if snapshot.sequence == sequence { Ok(snapshot) } else { Err(damaged("a snapshot under another name")) }
    }

    /// The newest of a journal that can be read, and what is wrong with the newer ones.
    ///
    /// # Errors
    /// What the disk says when it lists; [`Error::OtherHistory`]; [`Error::Newer`].
    pub fn newest(disk: &impl Disk, id: LogId) -> Result<(Option<Snapshot>, Vec<Error>), Error> {
        let mut bad = Vec::new();
        for sequence in Self::list(disk)?.into_iter().rev() {
            match Self::read(disk, sequence) {
                Ok(snapshot) if snapshot.id == id => return Ok((Some(snapshot), bad)),
                Ok(other) => {
                    let name = snapshot_name(sequence);
                    return Err(Error::OtherHistory { name, found: other.id, expected: id });
                }
                Err(error @ Error::Newer { .. }) => return Err(error),
                Err(error) => bad.push(error),
            }
        }
        Ok((None, bad))
    }

    /// Keeps the newest ones and removes those before, once the newest has been read back. Gives how many were removed.
    ///
    /// # Errors
    /// As [`Self::read`] for the newest: then none is removed.
    pub fn keep_newest(disk: &mut impl Disk, count: usize) -> Result<usize, Error> {
        let sequences = Self::list(disk)?;
        let Some(newest) = sequences.last() else { return Ok(0) };
        Self::read(disk, *newest)?;
        let old = sequences.len().saturating_sub(count.max(1));
        for sequence in sequences.iter().take(old) {
            let name = snapshot_name(*sequence);
            disk.remove(&name).map_err(|source| Error::io("remove", &name, source))?;
        }
        disk.sync_directory().map_err(|source| Error::io("sync", "the directory", source))?;
        Ok(old)
    }
}

fn unpack(bytes: &[u8]) -> Option<Snapshot> {
    let (header, packed) = bytes.split_at_checked(HEADER)?;
    let mut unsigned = header.get(8..)?.to_vec();
    put(&mut unsigned, 4, &[0; 4]);
    let length = u64_at(header, 40)?;
    let believed = length / UNPACKED_MAX <= crate::disk::length(packed.len());
    let whole = believed
        && u32_at(header, 12)? == crc32c::crc32c(&unsigned)
        && blake3::hash(packed) == blake3::Hash::from_bytes(array_at(header, 112)?);
    if !whole {
        return None;
    }
    let payload = zstd::bulk::decompress(packed, usize::try_from(length).ok()?).ok()?;
    let good = crate::disk::length(payload.len()) == length
        && blake3::hash(&payload) == blake3::Hash::from_bytes(array_at(header, 80)?);
    good.then_some(Snapshot {
        id: LogId(array_at(header, 16)?),
        sequence: u64_at(header, 32)?,
        digest: Digest(array_at(header, 48)?),
        payload,
    })
}
