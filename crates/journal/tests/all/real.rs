//! The same on a directory of the file system.

use crate::kit::{ID, batch, options, record};
use plimsoll_journal::{Error, Journal, RealDisk, Tail};
use std::path::PathBuf;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_was_written_is_read_again() {
    let folder = Folder::new("journal-again");
    let mut journal = Journal::create(RealDisk::open(&folder.0).unwrap(), ID, options()).unwrap();
    for _ in 0..30 {
        batch(&mut journal, 5).unwrap();
    }
    let at = journal.committed();
    drop(journal.close().unwrap());
    let mut recovery = Journal::open(RealDisk::open(&folder.0).unwrap(), options(), Tail::Ask, 0).unwrap();
    let mut last = 0;
    while let Some(found) = recovery.next_batch().unwrap() {
        for found in found.iter() {
            assert_eq!(found.bytes, record(found.sequence));
            last = found.sequence;
        }
    }
    assert_eq!(last, at.sequence);
    let (mut journal, _) = recovery.finish().unwrap();
    assert_ne!(journal.committed().digest, at.digest, "the end marker is part of the chain");
    assert_eq!(batch(&mut journal, 5).unwrap(), 155);
}

#[test]
fn a_second_one_is_kept_out() {
    let folder = Folder::new("journal-locked");
    let first = RealDisk::open(&folder.0).unwrap();
    let error = RealDisk::open(&folder.0).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.to_string().ends_with("is in use by another process"));
    drop(first);
    RealDisk::open(&folder.0).unwrap();
}

#[test]
fn a_directory_that_is_not_ours_is_left_as_it_is() {
    let folder = Folder::new("journal-foreign");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("thesis.doc"), "years of work").unwrap();
    let error = RealDisk::open(&folder.0).unwrap_err();
    assert!(error.to_string().ends_with("has a file that no journal makes: thesis.doc"), "{error}");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "no lock was left");
}

#[test]
fn read_only_writes_nothing() {
    let folder = Folder::new("journal-read");
    let mut journal = Journal::create(RealDisk::open(&folder.0).unwrap(), ID, options()).unwrap();
    batch(&mut journal, 5).unwrap();
    let disk = RealDisk::read_only(&folder.0).unwrap();
    let mut recovery = Journal::open(disk, options(), Tail::Ask, 0).unwrap();
    assert!(recovery.next_batch().unwrap().is_some());
    let error = recovery.finish().unwrap_err();
    assert!(matches!(error, Error::Io { what: "sync", .. }), "{error}");
    assert!(error.hint().contains("to go on it has to be writable"));
}
