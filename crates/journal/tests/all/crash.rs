//! A crash at every byte and between every two steps: I-26 to I-29.

use crate::kit::{batch, chooser, create, next, open, written};
use plimsoll_journal::{Error, FaultyDisk, Tail};

/// The last sequence that ended before a place, and whether that place is inside the last batch or after it.
fn before(ends: &[(String, u64, u64)], name: &str, offset: u64) -> u64 {
    let ended = |end: &&(String, u64, u64)| (end.0.as_str(), end.1) <= (name, offset);
    ends.iter().rev().find(ended).map_or(0, |end| end.2)
}

/// Every byte of every segment: the log ends there, as a crash while it was being written leaves it. What ended before is there;
/// nothing else is, and opening twice gives the same bytes.
#[test]
fn cut_at_every_byte_keeps_what_ended_before() {
    let (disk, ends) = written(300);
    let names: Vec<String> = disk.all().into_keys().collect();
    let mut asked = 0;
    for name in &names {
        let whole = disk.bytes(name).unwrap().to_vec();
        for offset in 512..whole.len() {
            let mut cut = FaultyDisk::new();
            for earlier in names.iter().filter(|earlier| *earlier < name) {
                cut.set_bytes(earlier, disk.bytes(earlier).unwrap().to_vec());
            }
            let mut bytes = whole.clone();
            bytes[offset..].fill(0);
            cut.set_bytes(name, bytes);
            let expected = before(&ends, name, u64::try_from(offset).unwrap());
            let refused = open(cut.clone(), Tail::Ask);
            let (journal, dropped) = open(cut.clone(), Tail::Drop).unwrap();
            // A batch whose last bytes happen to be zero, or padding, is whole without them.
            let sequence = journal.committed().sequence;
            let next_end = ends.iter().map(|end| end.2).find(|end| *end > expected).unwrap_or(expected);
            assert!(sequence == expected || (sequence == next_end && dropped.is_none()), "{name} {offset}");
            assert_eq!(refused.is_err(), dropped.is_some(), "{name} {offset}");
            asked += u64::from(dropped.is_some());
            if dropped.is_some() {
                let again = open(cut, Tail::Drop).unwrap().0;
                assert_eq!(journal.into_disk().all(), again.into_disk().all());
            }
        }
    }
    assert!(asked > 20_000, "{asked}");
}

/// Every byte of every segment turned: it is never taken for what was written, and never dropped without a word.
#[test]
fn a_turned_byte_anywhere_is_found() {
    let (disk, ends) = written(300);
    let last = &ends[ends.len() - 1];
    let begin = ends[ends.len() - 2].clone();
    let names: Vec<String> = disk.all().into_keys().collect();
    for name in &names {
        let whole = disk.bytes(name).unwrap().to_vec();
        for offset in 0..whole.len() {
            let mut turned = disk.clone();
            let mut bytes = whole.clone();
            bytes[offset] ^= 1 << (offset % 8);
            turned.set_bytes(name, bytes);
            let at = u64::try_from(offset).unwrap();
            let in_last = *name == last.0 && at >= (if begin.0 == last.0 { begin.1 } else { 512 }) && at < last.1;
            let behind = *name == last.0 && at >= last.1;
            match open(turned.clone(), Tail::Ask) {
                Err(Error::UnreadableTail(tail)) if in_last || behind => {
                    assert_eq!(tail.good_to, if behind { last.2 } else { begin.2 });
                    let (journal, dropped) = open(turned, Tail::Drop).unwrap();
                    assert_eq!((journal.committed().sequence, dropped), (tail.good_to, Some(tail)));
                }
                Err(Error::Damaged(damage)) if !in_last && !behind => {
                    assert!(damage.good_to <= before(&ends, name, at), "{name} {offset} {damage}");
                    assert!(open(turned, Tail::Drop).is_err(), "an operator's word is for the tail only");
                }
                Err(Error::Newer { .. }) if (8..12).contains(&offset) => {}
                other => panic!("{name} {offset}: {:?}", other.map(|(journal, _)| journal.committed())),
            }
        }
    }
}

/// Every sector zeroed: found, unless it is the whole of the last batch, which then was as good as never written.
#[test]
fn a_zeroed_sector_is_found() {
    let (disk, ends) = written(300);
    let last = &ends[ends.len() - 1];
    for (name, whole) in disk.all() {
        for offset in (0..whole.len()).step_by(512) {
            if whole[offset..offset + 512].iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut bytes = whole.clone();
            bytes[offset..offset + 512].fill(0);
            let gone = name == last.0 && bytes[offset..].iter().all(|byte| *byte == 0);
            let mut zeroed = disk.clone();
            zeroed.set_bytes(&name, bytes);
            assert_eq!(open(zeroed, Tail::Ask).is_ok(), gone, "{name} {offset}");
        }
    }
}

/// Power fails at a random point of random work, over and over in one directory: nothing acknowledged is ever missing, no
/// record is doubled, and what is recovered twice is the same.
#[test]
fn nothing_acknowledged_is_lost_whatever_survives() {
    for seed in 1..=2_000_u64 {
        let mut choose = chooser(seed);
        let mut journal = create(FaultyDisk::new());
        let (mut acknowledged, mut dropped) = (0, 0);
        for _ in 0..6 {
            for _ in 0..choose(8) {
                acknowledged = batch(&mut journal, choose(7) + 1).unwrap();
            }
            // The next batch is written, and the power fails at one of its writes or syncs.
            let at = choose(3);
            let faults = &mut journal.disk().faults;
            if at == 0 {
                faults.fail_write = Some(0)
            } else {
                faults.fail_sync = Some(at - 1)
            }
            if let Ok(sequence) = batch(&mut journal, choose(7) + 1) {
                acknowledged = sequence;
            } else {
                assert!(matches!(batch(&mut journal, 1), Err(Error::Failed)), "no work after an error");
            }
            let mut disk = journal.into_disk();
            disk.crash(&mut choose);
            let twice = open(disk.clone(), Tail::Drop).unwrap().0;
            let (opened, tail) = open(disk, Tail::Drop).unwrap();
            dropped += u64::from(tail.is_some());
            assert!(opened.committed().sequence >= acknowledged, "seed {seed}: {:?}", opened.committed());
            assert_eq!(opened.committed(), twice.committed());
            acknowledged = opened.committed().sequence;
            journal = opened;
        }
        assert!(dropped <= 6);
    }
}

/// What a killed process had written and not synced counts once it was recovered, so recovery has to make it durable.
#[test]
fn what_is_recovered_is_durable() {
    for seed in 1..=200 {
        let mut journal = create(FaultyDisk::new());
        batch(&mut journal, 3).unwrap();
        journal.disk().faults.lose_sync = Some(0);
        batch(&mut journal, 4).unwrap();
        let mut disk = journal.into_disk();
        disk.kill();
        let (journal, _) = open(disk, Tail::Ask).unwrap();
        assert_eq!(journal.committed().sequence, 7);
        let mut disk = journal.into_disk();
        disk.crash(&mut chooser(seed));
        assert_eq!(open(disk, Tail::Ask).unwrap().0.committed().sequence, 7, "seed {seed}");
    }
}

/// The chain makes two logs that differ anywhere differ in their digest, and epochs tell runs apart.
#[test]
fn a_run_has_an_epoch_of_its_own() {
    let mut disk = FaultyDisk::new();
    let mut state = 7;
    let mut journal = create(disk);
    for epoch in 1..=5 {
        assert_eq!(journal.epoch(), epoch);
        batch(&mut journal, next(&mut state) % 4 + 1).unwrap();
        disk = journal.into_disk();
        journal = open(disk, Tail::Ask).unwrap().0;
    }
}
