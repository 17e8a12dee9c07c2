//! Durable appends of 64-byte records in batches, beside a plain `write` and `fdatasync` of the same bytes to a file with the
//! same room reserved. Both take turns on the same disk in the same run; the ratio is what counts.
//!
//! Estimate: a sync takes 0.1 to 1 ms, hashing and checking 64 kB some 20 µs; so from 64 records up the disk is all there is.

use plimsoll_journal::{Disk, Journal, LogId, Options, RealDisk};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const RECORD: usize = 64;
const BATCHES: [usize; 4] = [1, 64, 1_024, 8_192];
const TURNS: usize = 8;

struct Times(Vec<Duration>);

impl Times {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn at(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        self.0[(self.0.len() - 1) * percent / 100].as_secs_f64() * 1e6
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<Duration>().as_secs_f64() * 1e6 / self.0.len() as f64
    }
}

fn main() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("append");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("64-byte records, each batch one write and one sync; load {}", load.split(' ').next().unwrap_or("?"));
    println!("    batch   raw p50 µs    p99  journal p50 µs    p99   records/s  bytes each  journal ÷ raw");
    for batch in BATCHES {
        measure(&folder, batch);
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn measure(folder: &Path, batch: usize) {
    let _ = std::fs::remove_dir_all(folder);
    let mut journal =
        Journal::create(RealDisk::open(&folder.join("ours")).unwrap(), LogId([1; 16]), Options::default()).unwrap();
    let mut raw = RealDisk::open(&folder.join("raw")).unwrap();
    let bytes = (72 + batch * (16 + RECORD)).next_multiple_of(512);
    let each = (64 / TURNS).max(2_000_000 / (bytes * TURNS)).min(60);
    let (mut ours, mut theirs) = (Times::new(), Times::new());
    let plain: Vec<u8> = (0..bytes).map(|at| at.to_le_bytes()[0]).collect();
    let mut offset = 64 << 20;
    for turn in 0..TURNS {
        if offset + bytes * each > 64 << 20 {
            raw.create(&format!("node-{turn}.plim"), 64 << 20).unwrap();
            raw.sync(&format!("node-{turn}.plim")).unwrap();
            offset = 0;
        }
        let name = raw.list().unwrap().into_iter().max().unwrap();
        for _ in 0..each {
            let begin = Instant::now();
            let mut at = 0;
            while at < bytes {
                at += raw.write(&name, (offset + at) as u64, &plain[at..]).unwrap();
            }
            raw.sync(&name).unwrap();
            theirs.0.push(begin.elapsed());
            offset += bytes;
        }
        for _ in 0..each {
            journal.ensure_room(batch * (16 + RECORD)).unwrap();
            let begin = Instant::now();
            for record in plain.iter().cycle().take(batch) {
                journal.append(&[*record; RECORD]).unwrap();
            }
            journal.commit().unwrap();
            ours.0.push(begin.elapsed());
        }
    }
    let (raw_50, raw_99, our_50, our_99) = (theirs.at(50), theirs.at(99), ours.at(50), ours.at(99));
    let rate = batch as f64 * 1e6 / ours.mean();
    let each = bytes as f64 / batch as f64;
    println!(
        "{batch:9} {raw_50:12.0} {raw_99:6.0} {our_50:15.0} {our_99:6.0} {rate:11.0} {each:11.1} {:14.2}",
        raw_50 / our_50
    );
}
