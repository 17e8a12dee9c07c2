//! A small journal and what is in it.

use plimsoll_journal::{Disk, Error, FaultyDisk, Journal, LogId, Options, Reader, Tail, UnreadableTail};

pub const ID: LogId = LogId(*b"a test's journal");

/// Segments of eight sectors: a few batches each.
pub fn options() -> Options {
    Options { segment_bytes: 4096, writer: "test 1".to_owned() }
}

/// The record of a sequence: its length differs from its neighbours', and its bytes from any other's.
pub fn record(sequence: u64) -> Vec<u8> {
    let length = 20 + usize::try_from(sequence * 37 % 90).unwrap();
    let seed = blake3_of(sequence);
    (0..length).map(|at| seed[at % 32] ^ u8::try_from(at).unwrap()).collect()
}

fn blake3_of(sequence: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut state = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for byte in &mut bytes {
        *byte = u8::try_from(next(&mut state) & 255).unwrap();
    }
    bytes
}

/// A number that follows from the one before, and looks as if it did not.
pub fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Below a number, as a crash chooses.
pub fn chooser(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |n| next(&mut state) % n.max(1)
}

pub fn create(disk: FaultyDisk) -> Journal<FaultyDisk> {
    Journal::create(disk, ID, options()).unwrap()
}

/// Appends the records after what there is, as one batch.
pub fn batch<D: Disk>(journal: &mut Journal<D>, records: u64) -> Result<u64, Error> {
    let from = journal.committed().sequence;
    for sequence in from + 1..=from + records {
        assert_eq!(journal.append(&record(sequence))?, sequence);
    }
    Ok(journal.commit()?.sequence)
}

/// A journal of batches of one to five records, and where each ends: segment name, offset behind it, sequence.
pub fn written(records: u64) -> (FaultyDisk, Vec<(String, u64, u64)>) {
    let mut journal = create(FaultyDisk::new());
    let mut ends = Vec::new();
    while journal.committed().sequence < records {
        let many = journal.committed().sequence % 5 + 1;
        batch(&mut journal, many).unwrap();
    }
    let disk = journal.into_disk();
    let mut reader = Reader::first(&disk).unwrap();
    while let Some(found) = reader.next_batch(&disk).unwrap() {
        let last = found.first + u64::from(found.records) - 1;
        assert!(found.iter().all(|r| r.bytes == record(r.sequence)));
        let (name, end) = reader.place();
        ends.push((name, end, last));
    }
    assert_eq!(reader.sequence(), ends.last().unwrap().2);
    (disk, ends)
}

/// Opens, checks every record, and gives the journal with its last sequence.
pub fn open(disk: FaultyDisk, tail: Tail) -> Result<(Journal<FaultyDisk>, Option<UnreadableTail>), Error> {
    let mut recovery = Journal::open(disk, options(), tail, 0)?;
    let mut last = 0;
    while let Some(batch) = recovery.next_batch()? {
        for found in batch.iter().filter(|_| batch.kind == plimsoll_journal::Kind::Records) {
            assert_eq!(found.sequence, last + 1);
            assert_eq!(found.bytes, record(found.sequence));
            last = found.sequence;
        }
    }
    assert_eq!(last, recovery.sequence());
    recovery.finish()
}
