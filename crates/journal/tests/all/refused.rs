//! Directories that are not opened, each with what it says.

use crate::kit::{ID, batch, create, open, options, written};
use plimsoll_journal::{Error, FaultyDisk, Journal, LogId, Options, RECORD_BYTES_MAX, Reader, Tail};

fn said(found: Result<(Journal<FaultyDisk>, Option<plimsoll_journal::UnreadableTail>), Error>) -> String {
    found.map(|(journal, _)| journal.committed()).unwrap_err().to_string()
}

#[test]
fn an_empty_directory_and_one_that_is_taken() {
    assert_eq!(said(open(FaultyDisk::new(), Tail::Drop)), "no journal here");
    let disk = create(FaultyDisk::new()).into_disk();
    assert_eq!(Journal::create(disk, ID, options()).unwrap_err().to_string(), "a journal is here already");
}

#[test]
fn a_segment_that_is_missing_from_the_middle() {
    let (disk, _) = written(200);
    let mut hole = FaultyDisk::new();
    for (name, bytes) in disk.all().into_iter().filter(|(name, _)| name != "segment-00000002.plim") {
        hole.set_bytes(&name, bytes);
    }
    let text = "segment-00000002.plim: a segment is missing at byte 0; good to sequence 0";
    assert_eq!(said(open(hole, Tail::Drop)), text);
}

#[test]
fn a_segment_that_is_missing_from_the_beginning() {
    let (disk, _) = written(200);
    let mut late = FaultyDisk::new();
    for (name, bytes) in disk.all().into_iter().skip(1) {
        late.set_bytes(&name, bytes);
    }
    let first = Reader::first(&late).unwrap().sequence() + 1;
    let text = format!("the log begins at sequence {first}, and no readable snapshot leads there");
    assert_eq!(said(open(late, Tail::Drop)), text);
}

#[test]
fn a_segment_of_another_journal_and_of_another_past() {
    let (disk, _) = written(100);
    let name = "segment-00000002.plim";
    let mut other = Journal::create(FaultyDisk::new(), LogId([7; 16]), options()).unwrap();
    let mut past = create(FaultyDisk::new());
    for journal in [&mut other, &mut past] {
        while journal.committed().sequence < 60 {
            batch(journal, 4).unwrap();
        }
    }
    let with = |from: Journal<FaultyDisk>| {
        let mut disk = disk.clone();
        disk.set_bytes(name, from.into_disk().bytes(name).unwrap().to_vec());
        said(open(disk, Tail::Drop))
    };
    let text = with(other);
    assert!(text.starts_with("segment-00000002.plim belongs to journal 0707070707"), "{text}");
    let text = with(past);
    assert!(text.starts_with("segment-00000002.plim: "), "{text}");
}

#[test]
fn a_form_of_a_later_version() {
    let (disk, _) = written(20);
    let name = "segment-00000001.plim";
    let mut bytes = disk.bytes(name).unwrap().to_vec();
    bytes[8] = 9;
    let mut newer = disk.clone();
    newer.set_bytes(name, bytes);
    assert_eq!(said(open(newer, Tail::Drop)), "segment-00000001.plim has form 9, this version knows up to 1");
}

#[test]
fn a_record_or_batch_that_is_too_large() {
    let mut journal = create(FaultyDisk::new());
    journal.append(&[1; 100]).unwrap();
    let text = "4204 bytes, at most 3584 fit";
    assert_eq!(journal.append(&[2; 4000]).unwrap_err().to_string(), text);
    assert_eq!(journal.ensure_room(3513).unwrap_err().to_string(), "3585 bytes, at most 3584 fit");
    journal.ensure_room(3512).unwrap();
    assert_eq!(journal.commit().unwrap().sequence, 1, "what was appended before is there");
    let large = Options { segment_bytes: 40 << 20, ..options() };
    let mut journal = Journal::create(FaultyDisk::new(), ID, large).unwrap();
    assert!(matches!(journal.append(&vec![3; RECORD_BYTES_MAX + 1]), Err(Error::TooLarge { .. })));
    journal.append(&vec![3; RECORD_BYTES_MAX]).unwrap();
}

/// Whatever the bytes are: an error or what was written, and never a panic.
#[test]
fn bytes_of_any_kind() {
    let (disk, _) = written(60);
    let mut choose = crate::kit::chooser(5);
    for _ in 0..3_000 {
        let mut wild = disk.clone();
        for (name, mut bytes) in disk.all() {
            for _ in 0..choose(6) {
                let at = usize::try_from(choose(4096)).unwrap();
                let many = usize::try_from(choose(40)).unwrap();
                let end = (at + many).min(bytes.len());
                bytes[at..end].fill(u8::try_from(choose(256)).unwrap());
            }
            bytes.truncate(usize::try_from(4096 - choose(2) * choose(4096)).unwrap());
            wild.set_bytes(&name, bytes);
        }
        let _ = open(wild.clone(), Tail::Ask);
        let _ = open(wild, Tail::Drop);
    }
}
