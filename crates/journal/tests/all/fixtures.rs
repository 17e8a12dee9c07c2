//! Files of every form that was ever written: they open for ever, and today's form is written as it was.

use crate::kit::{ID, batch, create, open};
use plimsoll_journal::{Digest, FaultyDisk, Snapshot, Snapshots, Tail};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn folder(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/v{version}"))
}

fn stored(version: u32) -> FaultyDisk {
    let mut disk = FaultyDisk::new();
    for entry in std::fs::read_dir(folder(version)).unwrap() {
        let entry = entry.unwrap();
        disk.set_bytes(entry.file_name().to_str().unwrap(), std::fs::read(entry.path()).unwrap());
    }
    disk
}

/// What this version writes: two segments, a dropped tail, a snapshot and an end marker.
fn made() -> BTreeMap<String, Vec<u8>> {
    let mut journal = create(FaultyDisk::new());
    for _ in 0..7 {
        batch(&mut journal, 4).unwrap();
    }
    let at = journal.committed();
    Snapshots::write(journal.disk(), &Snapshot { id: ID, sequence: 28, digest: at.digest, payload: vec![5; 900] })
        .unwrap();
    batch(&mut journal, 4).unwrap();
    let mut disk = journal.into_disk();
    let mut torn = disk.bytes("segment-00000002.plim").unwrap().to_vec();
    let end = torn.iter().rposition(|byte| *byte != 0).unwrap();
    torn[end] ^= 1;
    disk.set_bytes("segment-00000002.plim", torn);
    let (mut journal, _) = open(disk, Tail::Drop).unwrap();
    batch(&mut journal, 3).unwrap();
    journal.close().unwrap().all()
}

#[test]
fn version_1_opens_and_is_still_written() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder(1)).unwrap();
        for (name, bytes) in made() {
            std::fs::write(folder(1).join(name), bytes).unwrap();
        }
    }
    let disk = stored(1);
    let (journal, dropped) = open(disk.clone(), Tail::Ask).unwrap();
    assert_eq!((journal.committed().sequence, dropped), (31, None));
    let snapshot = Snapshots::read(&disk, 28).unwrap();
    assert_eq!((snapshot.id, snapshot.payload), (ID, vec![5; 900]));
    assert_ne!(snapshot.digest, Digest::default());
    // The compressor may write a snapshot otherwise one day: it has to read this one.
    for (name, bytes) in made().into_iter().filter(|(name, _)| !name.starts_with("snapshot-")) {
        assert!(disk.bytes(&name).is_some_and(|stored| stored == bytes), "{name} is written otherwise");
    }
}
