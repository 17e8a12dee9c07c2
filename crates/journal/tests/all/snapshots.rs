//! Snapshots: whole or not there, and the older one stays until the newer is proved.

use crate::kit::{ID, batch, chooser, create, open, options, record};
use plimsoll_journal::{Digest, Error, FaultyDisk, Journal, LogId, Snapshot, Snapshots, Tail};

fn snapshot(sequence: u64, digest: Digest) -> Snapshot {
    Snapshot { id: ID, sequence, digest, payload: (0..200).flat_map(|n| record(n + sequence)).collect() }
}

#[test]
fn recovery_goes_on_from_the_newest_that_is_good() {
    let mut journal = create(FaultyDisk::new());
    let mut digests = Vec::new();
    for _ in 0..60 {
        batch(&mut journal, 4).unwrap();
        digests.push(journal.committed());
    }
    for at in [9, 29, 49] {
        let made = snapshot(digests[at].sequence, digests[at].digest);
        Snapshots::write(journal.disk(), &made).unwrap();
    }
    let mut disk = journal.into_disk();
    let (newest, bad) = Snapshots::newest(&disk, ID).unwrap();
    assert_eq!((newest.unwrap(), bad.len()), (snapshot(200, digests[49].digest), 0));
    // The newest rots: the one before is taken, and the bad one is named.
    let name = "snapshot-00000000000000000200.plim";
    let mut bytes = disk.bytes(name).unwrap().to_vec();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    disk.set_bytes(name, bytes);
    let (newest, bad) = Snapshots::newest(&disk, ID).unwrap();
    let newest = newest.unwrap();
    assert_eq!((newest.sequence, bad.len()), (120, 1));
    assert!(Snapshots::keep_newest(&mut disk, 1).is_err(), "nothing is removed on the word of a bad one");
    assert_eq!(Snapshots::list(&disk).unwrap().len(), 3);
    // From there only the segments that are needed.
    let mut recovery = Journal::open(disk, options(), Tail::Ask, newest.sequence).unwrap();
    let (mut first, mut digest) = (None, None);
    while let Some(found) = recovery.next_batch().unwrap() {
        first.get_or_insert(found.first);
        if found.first == newest.sequence + 1 {
            digest = Some(found.before);
        }
    }
    assert!(first.unwrap() > 1 && first.unwrap() <= newest.sequence + 1);
    assert_eq!(digest, Some(newest.digest));
    assert_eq!(recovery.finish().unwrap().0.committed().sequence, 240);
}

#[test]
fn a_crash_while_it_is_written_leaves_the_older_one() {
    for seed in 1..=300 {
        let mut choose = chooser(seed);
        let mut journal = create(FaultyDisk::new());
        batch(&mut journal, 4).unwrap();
        let first = journal.committed();
        Snapshots::write(journal.disk(), &snapshot(first.sequence, first.digest)).unwrap();
        batch(&mut journal, 4).unwrap();
        let second = journal.committed();
        let fail = choose(3);
        let faults = &mut journal.disk().faults;
        if fail == 0 {
            faults.fail_write = Some(0)
        } else {
            faults.fail_sync = Some(fail - 1)
        }
        let written = Snapshots::write(journal.disk(), &snapshot(second.sequence, second.digest));
        let mut disk = journal.into_disk();
        disk.crash(&mut choose);
        let (newest, bad) = Snapshots::newest(&disk, ID).unwrap();
        let sequence = newest.unwrap().sequence;
        assert!(bad.is_empty(), "seed {seed}: {bad:?}");
        assert!(sequence == second.sequence || (sequence == first.sequence && written.is_err()), "seed {seed}");
        assert_eq!(open(disk, Tail::Ask).unwrap().0.committed().sequence, 8);
    }
}

#[test]
fn of_another_journal_or_form_is_refused() {
    let mut journal = create(FaultyDisk::new());
    batch(&mut journal, 4).unwrap();
    let at = journal.committed();
    let other = Snapshot { id: LogId([1; 16]), ..snapshot(at.sequence, at.digest) };
    Snapshots::write(journal.disk(), &other).unwrap();
    assert!(matches!(Snapshots::newest(journal.disk(), ID), Err(Error::OtherHistory { .. })));
    let name = "snapshot-00000000000000000004.plim";
    let mut bytes = journal.disk().bytes(name).unwrap().to_vec();
    bytes[8] = 7;
    journal.disk().set_bytes(name, bytes);
    let text = "snapshot-00000000000000000004.plim has form 7, this version knows up to 1";
    assert_eq!(Snapshots::newest(journal.disk(), ID).unwrap_err().to_string(), text);
}

/// Any byte turned is found.
#[test]
fn a_turned_byte_is_found() {
    let mut disk = FaultyDisk::new();
    Snapshots::write(&mut disk, &snapshot(4, Digest([3; 32]))).unwrap();
    let name = "snapshot-00000000000000000004.plim";
    let whole = disk.bytes(name).unwrap().to_vec();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        disk.set_bytes(name, bytes);
        assert!(Snapshots::read(&disk, 4).is_err(), "{at}");
    }
    // Under the name of another sequence.
    disk.set_bytes("snapshot-00000000000000000005.plim", whole);
    assert!(matches!(Snapshots::read(&disk, 5), Err(Error::Damaged(_))));
}

#[test]
fn segments_that_a_snapshot_makes_needless_can_go() {
    let mut journal = create(FaultyDisk::new());
    for _ in 0..60 {
        batch(&mut journal, 4).unwrap();
    }
    let before = journal.disk().all().len();
    assert_eq!(journal.remove_to(0).unwrap(), 0);
    let removed = journal.remove_to(120).unwrap();
    assert!(removed > 2 && journal.disk().all().len() == before - removed);
    batch(&mut journal, 4).unwrap();
    let disk = journal.into_disk();
    assert!(matches!(Journal::open(disk.clone(), options(), Tail::Ask, 0), Err(Error::NoSnapshot { .. })));
    let (journal, _) = Journal::open(disk, options(), Tail::Ask, 120).unwrap().finish().unwrap();
    assert_eq!(journal.committed().sequence, 244);
}

/// A dropped tail leaves its notice behind the last record. When the next segment begins there, a snapshot of that record still leads to
/// it: the segment before is the one to go on from, and is not removed.
#[test]
fn a_snapshot_leads_over_a_dropped_tail_at_the_end_of_a_segment() {
    let mut journal = create(FaultyDisk::new());
    batch(&mut journal, 4).unwrap();
    let snapshot = journal.committed();
    batch(&mut journal, 4).unwrap();
    let mut disk = journal.into_disk();
    let name = "segment-00000001.plim";
    let mut bytes = disk.bytes(name).unwrap().to_vec();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last] ^= 1;
    disk.set_bytes(name, bytes);
    let (mut journal, dropped) = Journal::open(disk, options(), Tail::Drop, 4).unwrap().finish().unwrap();
    assert!(dropped.is_some());
    assert_eq!(journal.committed().sequence, 4);
    assert_ne!(journal.committed().digest, snapshot.digest, "the notice");
    journal.next_segment().unwrap();
    batch(&mut journal, 4).unwrap();
    assert_eq!(journal.remove_to(4).unwrap(), 0);
    let disk = journal.into_disk();
    let mut reader = plimsoll_journal::Reader::after(&disk, snapshot.sequence).unwrap();
    let mut joined = 0;
    while let Some(found) = reader.next_batch(&disk).unwrap() {
        if found.before == snapshot.digest {
            joined = found.first;
        }
    }
    assert_eq!((joined, reader.sequence()), (5, 8));
}
