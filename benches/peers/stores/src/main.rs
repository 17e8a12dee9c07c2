//! Durable appends of 64-byte records, a batch at a time: our journal, SQLite, redb and fjall on the same disk in the same run, taking
//! turns. Each batch is one transaction that is durable when it returns; keys are sequences.
//!
//!     cargo run --release --manifest-path benches/peers/stores/Cargo.toml
//!
//! Estimate: all of them pay the sync; beside it ours writes once, what a tree or a log of trees adds is what differs.

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use journal::{Journal, LogId, Options, RealDisk};
use redb::{Durability, TableDefinition};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const RECORD: usize = 64;
const BATCHES: [usize; 4] = [1, 64, 1_024, 8_192];
const TURNS: usize = 6;
const TABLE: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("records");

/// Makes a batch of records durable; the sequence of its first is given.
type Append = Box<dyn FnMut(u64, &[[u8; RECORD]])>;

fn main() {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let folder = target.join("stores");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("64-byte records, each batch durable when it returns; load {}", load.split(' ').next().unwrap_or("?"));
    println!("| batch | store | p50 µs | p99 µs | records/s | ours ÷ it |");
    println!("| ---: | --- | ---: | ---: | ---: | ---: |");
    for batch in BATCHES {
        measure(&folder, batch);
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn measure(folder: &Path, batch: usize) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).expect("a folder");
    let mut stores: Vec<(&str, Append, Vec<Duration>)> = vec![
        ("Plimsoll journal", ours(&folder.join("ours")), Vec::new()),
        ("SQLite, WAL, synchronous=FULL", sqlite(&folder.join("sqlite")), Vec::new()),
        ("redb, immediate", redb(&folder.join("redb")), Vec::new()),
        ("fjall, SyncAll", fjall(&folder.join("fjall")), Vec::new()),
    ];
    let each = (20_000 / batch).clamp(6, 60);
    let mut first = 1;
    for _ in 0..TURNS {
        let from = first;
        for (_, append, times) in &mut stores {
            first = from;
            for _ in 0..each {
                let records: Vec<[u8; RECORD]> = (0..batch).map(|at| record(first + at as u64)).collect();
                let begin = Instant::now();
                append(first, &records);
                times.push(begin.elapsed());
                first += batch as u64;
            }
        }
    }
    let rate = |times: &[Duration]| (batch * times.len()) as f64 / times.iter().sum::<Duration>().as_secs_f64();
    let own = rate(&stores[0].2);
    for (name, _, times) in &mut stores {
        let rate = rate(times);
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
        println!("| {batch} | {name} | {} | {} | {rate:.0} | {:.1} |", at(50), at(99), own / rate);
    }
}

/// Bytes that do not compress: what a command looks like is not what is measured.
fn record(sequence: u64) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    let mut state = sequence;
    for part in bytes.chunks_mut(8) {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(0x9e37_79b9_7f4a_7c15);
        part.copy_from_slice(&state.to_le_bytes());
    }
    bytes
}

fn ours(folder: &Path) -> Append {
    let disk = RealDisk::open(folder).expect("a folder");
    let mut journal = Journal::create(disk, LogId([1; 16]), Options::default()).expect("a journal");
    Box::new(move |_, records| {
        journal.ensure_room(records.len() * (16 + RECORD)).expect("room");
        for record in records {
            journal.append(record).expect("taken");
        }
        journal.commit().expect("durable");
    })
}

fn sqlite(folder: &Path) -> Append {
    std::fs::create_dir_all(folder).expect("a folder");
    let mut database = rusqlite::Connection::open(folder.join("records.db")).expect("a database");
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE records (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL);",
        )
        .expect("a table");
    Box::new(move |first, records| {
        let transaction = database.transaction().expect("a transaction");
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO records VALUES (?1, ?2)").expect("a statement");
            for (sequence, record) in (first..).zip(records) {
                insert.execute((sequence as i64, &record[..])).expect("taken");
            }
        }
        transaction.commit().expect("durable");
    })
}

fn redb(folder: &Path) -> Append {
    std::fs::create_dir_all(folder).expect("a folder");
    let database = redb::Database::create(folder.join("records.redb")).expect("a database");
    Box::new(move |first, records| {
        let mut transaction = database.begin_write().expect("a transaction");
        transaction.set_durability(Durability::Immediate).expect("durable");
        {
            let mut table = transaction.open_table(TABLE).expect("a table");
            for (sequence, record) in (first..).zip(records) {
                table.insert(sequence, &record[..]).expect("taken");
            }
        }
        transaction.commit().expect("durable");
    })
}

fn fjall(folder: &Path) -> Append {
    let database = Database::builder(folder).open().expect("a database");
    let records_of = database.keyspace("records", KeyspaceCreateOptions::default).expect("a keyspace");
    Box::new(move |first, records| {
        let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
        for (sequence, record) in (first..).zip(records) {
            batch.insert(&records_of, sequence.to_be_bytes(), &record[..]);
        }
        batch.commit().expect("durable");
    })
}
