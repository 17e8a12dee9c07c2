//! What a disk does wrong while the journal works.

use crate::kit::{batch, create, open, written};
use plimsoll_journal::{Error, Faults, FaultyDisk, Kind, Reader, Tail};

#[test]
fn short_and_interrupted_writes_double_nothing() {
    let mut journal = create(FaultyDisk::new());
    journal.disk().faults = Faults { short_writes: true, ..Faults::default() };
    for _ in 0..40 {
        batch(&mut journal, 3).unwrap();
    }
    assert_eq!(open(journal.into_disk(), Tail::Ask).unwrap().0.committed().sequence, 120);
}

#[test]
fn after_a_failed_write_or_sync_nothing_more_is_taken() {
    for sync in [false, true] {
        let mut journal = create(FaultyDisk::new());
        batch(&mut journal, 2).unwrap();
        let faults = &mut journal.disk().faults;
        if sync {
            faults.fail_sync = Some(0)
        } else {
            faults.fail_write = Some(0)
        }
        assert!(matches!(batch(&mut journal, 2), Err(Error::Io { .. })));
        journal.disk().faults = Faults::default();
        assert!(matches!(journal.append(b"more"), Err(Error::Failed)));
        assert!(matches!(journal.commit(), Err(Error::Failed)));
        assert!(matches!(journal.ensure_room(1), Err(Error::Failed)));
    }
}

/// Found before there is something to lose, a full disk changes nothing, and work goes on when there is room.
#[test]
fn no_room_is_found_before_and_goes_away() {
    let mut journal = create(FaultyDisk::new());
    journal.disk().faults.room = Some(5_000);
    let mut last = 0;
    while journal.ensure_room(500).is_ok() {
        last = batch(&mut journal, 3).unwrap();
    }
    assert!(matches!(journal.ensure_room(500), Err(Error::NoRoom { bytes: 4096 })));
    assert_eq!(journal.committed().sequence, last);
    assert!(journal.ensure_room(1).is_ok() || last > 0);
    journal.disk().faults.room = None;
    journal.ensure_room(500).unwrap();
    assert_eq!(batch(&mut journal, 3).unwrap(), last + 3);
    assert_eq!(open(journal.into_disk(), Tail::Ask).unwrap().0.committed().sequence, last + 3);
}

#[test]
fn a_write_that_went_elsewhere_or_nowhere_is_found() {
    // Elsewhere: a sector further. Nowhere: the batch after it shows the hole.
    for faults in
        [Faults { misdirect: Some((0, 512)), ..Faults::default() }, Faults { lose_write: Some(0), ..Faults::default() }]
    {
        let mut journal = create(FaultyDisk::new());
        batch(&mut journal, 2).unwrap();
        journal.disk().faults = faults.clone();
        batch(&mut journal, 2).unwrap();
        batch(&mut journal, 2).unwrap();
        let found = open(journal.into_disk(), Tail::Drop);
        assert!(matches!(found, Err(Error::Damaged(_))), "{faults:?} {:?}", found.map(|(j, _)| j.committed()));
    }
}

/// An old version of a sector comes back.
#[test]
fn a_stale_sector_is_found() {
    let mut journal = create(FaultyDisk::new());
    batch(&mut journal, 9).unwrap();
    let old = journal.disk().all();
    for _ in 0..3 {
        batch(&mut journal, 2).unwrap();
    }
    let disk = journal.into_disk();
    let name = "segment-00000001.plim";
    for offset in (0..4096).step_by(512) {
        let mut bytes = disk.bytes(name).unwrap().to_vec();
        bytes[offset..offset + 512].copy_from_slice(&old[name][offset..offset + 512]);
        if bytes == disk.bytes(name).unwrap() {
            continue;
        }
        let last = bytes[offset + 512..].iter().all(|byte| *byte == 0);
        let mut stale = disk.clone();
        stale.set_bytes(name, bytes);
        assert_eq!(open(stale, Tail::Drop).is_ok(), last, "{offset}");
    }
}

/// A batch of this journal at another place of it.
#[test]
fn a_batch_at_anothers_place_is_found() {
    let (disk, ends) = written(40);
    let name = "segment-00000001.plim";
    let whole = disk.bytes(name).unwrap();
    let starts: Vec<usize> =
        ends.iter().filter(|end| end.0 == name).map(|end| usize::try_from(end.1).unwrap()).collect();
    let mut bytes = whole.to_vec();
    bytes.copy_within(512..1024, starts[0]);
    assert_ne!(bytes, whole);
    let mut moved = disk.clone();
    moved.set_bytes(name, bytes);
    assert!(matches!(open(moved, Tail::Drop), Err(Error::Damaged(_))));
}

/// The word of an operator stands in the log, with what was dropped beside it.
#[test]
fn a_dropped_tail_is_recorded_and_kept() {
    let (disk, ends) = written(40);
    let (name, ..) = ends.last().unwrap();
    let begin = usize::try_from(ends[ends.len() - 2].1).unwrap();
    let mut bytes = disk.bytes(name).unwrap().to_vec();
    bytes[begin + 100] ^= 255;
    let lost = bytes[begin..].to_vec();
    let mut torn = disk.clone();
    torn.set_bytes(name, bytes);
    let (mut journal, dropped) = open(torn, Tail::Drop).unwrap();
    let dropped = dropped.unwrap();
    assert_eq!(dropped.good_to, ends[ends.len() - 2].2);
    batch(&mut journal, 2).unwrap();
    let disk = journal.into_disk();
    let kept = disk.all().into_iter().find(|(name, _)| name.starts_with("dropped-")).unwrap().1;
    assert!(lost.starts_with(&kept) && lost[kept.len()..].iter().all(|byte| *byte == 0));
    let mut reader = Reader::first(&disk).unwrap();
    let mut notices = 0;
    while let Some(found) = reader.next_batch(&disk).unwrap() {
        notices += u64::from(found.kind == Kind::TailDropped);
        if found.kind == Kind::TailDropped {
            assert_eq!(found.first, dropped.good_to + 1);
            let record = found.iter().next().unwrap();
            assert_eq!(record.bytes[..8], u64::try_from(kept.len()).unwrap().to_le_bytes());
        }
    }
    assert_eq!((notices, reader.sequence()), (1, dropped.good_to + 2));
}
