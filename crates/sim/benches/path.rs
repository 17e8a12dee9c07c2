//! The whole path, command → engine → journal → answer, on a real disk: beside the engine without a journal, and beside a plain write and
//! sync of the same bytes; then the way back: how fast a journal is replayed, and a snapshot of a million accounts loaded.
//!
//! `cargo bench -p plimsoll-sim --bench path [-- ACCOUNTS [SNAPSHOT_ACCOUNTS]]`. The orders are those of the engine's bench `venue`, by
//! 100,000 accounts in their two markets.
//!
//! Estimate: an order costs the engine 1.1 µs; encoding, hashing and copying 60 bytes and remembering an answer 0.3 µs more; a sync 0.1 to
//! 1 ms, so from batches of 1,024 up the disk is less than a third.
#![allow(missing_docs, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a bench, with numbers far below

#[path = "../../engine/benches/flow/mod.rs"]
mod flow;

use engine::{Command, Engine};
use flow::{Random, START, cpu_ns, openings, prices, random_order, setup};
use journal::{Disk, LogId, Reader, RealDisk, Snapshots};
use node::{Follower, Node, Options, Request, RequestId};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use units::Time;

/// How many orders, for each size of a batch.
const BATCHES: [(usize, usize); 4] = [(1, 500), (64, 40_000), (1_024, 300_000), (8_192, 600_000)];

fn main() {
    let asked: Vec<u32> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let (accounts, loaded) = (asked.first().copied().unwrap_or(100_000), asked.get(1).copied().unwrap_or(1_000_000));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("path");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{}load {}", cpu(), load.trim());
    println!(
        "\n{accounts} accounts, each order in one of its two markets; the node beside the engine alone, same orders"
    );
    println!("    batch   orders  orders/s  engine alone/s  ÷ engine  bytes each  p50 µs    p99  raw p50    p99");
    for (batch, count) in BATCHES {
        path(&folder, accounts, batch, count);
    }
    recovery(&folder, accounts);
    snapshot(&folder, loaded);
    let _ = std::fs::remove_dir_all(&folder);
}

fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    model.map_or(String::new(), |name| format!("{name}, "))
}

fn fresh(folder: &Path) -> RealDisk {
    let _ = std::fs::remove_dir_all(folder);
    RealDisk::open(folder).expect("a folder")
}

/// A venue with its positions, made by a node. Snapshots are left to who wants them.
fn node(folder: &Path, accounts: u32) -> Node<RealDisk> {
    let mut node = Node::create(fresh(folder), LogId([7; 16]), &Options::default()).expect("a node");
    let mut open = 0;
    let mut apply = |node: &mut Node<RealDisk>, at: i64, command: &Command| {
        node.apply(Time::from_ns(at), None, command).expect("it goes on").1.expect("set-up is good");
        open += 1;
        if open % 4_096 == 0 {
            node.commit().expect("durable");
        }
    };
    setup(accounts, &mut |command| apply(&mut node, START, command));
    for (at, command) in openings(accounts) {
        apply(&mut node, at, &command);
    }
    node.commit().expect("durable");
    node
}

/// The same without a node, in the same batches: the digest of events hangs on them.
fn engine(accounts: u32) -> Engine {
    let mut engine = Engine::new();
    let mut open = 0;
    let mut apply = |engine: &mut Engine, at: i64, command: &Command| {
        engine.apply(Time::from_ns(at), command).expect("set-up is good");
        open += 1;
        if open % 4_096 == 0 {
            engine.end_batch();
        }
    };
    setup(accounts, &mut |command| apply(&mut engine, START, command));
    for (at, command) in openings(accounts) {
        apply(&mut engine, at, &command);
    }
    engine.end_batch();
    engine
}

fn orders(accounts: u32, count: usize) -> Vec<Command> {
    let mut random = Random(7);
    (0..count).map(|_| random_order(accounts, 2, &mut random)).collect()
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn at(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        self.0.get((self.0.len() - 1) * percent / 100).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }

    fn sum(&self) -> f64 {
        self.0.iter().sum::<Duration>().as_secs_f64()
    }
}

fn path(folder: &Path, accounts: u32, batch: usize, count: usize) {
    let commands = orders(accounts, count);
    let mut node = node(&folder.join("venue"), accounts);
    let mut alone = engine(accounts);
    let mut raw = fresh(&folder.join("raw"));
    let (mut ours, mut engines, mut raws) = (Times::default(), Times::default(), Times::default());
    let (mut bytes, mut number) = (0, 0);
    let mut at = START + 10_000_000_000;
    let (mut file, mut offset, room) = (0, 0, 64 << 20);
    for chunk in commands.chunks(batch) {
        at += 1_000_000;
        let requests: Vec<Request> = chunk
            .iter()
            .map(|command| {
                number += 1;
                let id = RequestId { client: number % 1_000, number: number / 1_000 + 1 };
                Request { id: Some(id), command: command.clone() }
            })
            .collect();
        let begin = Instant::now();
        for request in requests {
            node.submit(request).expect("room in the queue");
        }
        let told = node.run(Time::from_ns(at)).expect("durable");
        ours.0.push(begin.elapsed());
        assert_eq!(told.len(), chunk.len());

        let begin = Instant::now();
        for command in chunk {
            let _ = alone.apply(Time::from_ns(at), command);
        }
        alone.end_batch();
        engines.0.push(begin.elapsed());

        // The same bytes, without anything else.
        let size = batch_bytes(chunk);
        bytes += size;
        if file == 0 || offset + size > room {
            file += 1;
            offset = 0;
            raw.create(&name(file), room as u64).expect("a file");
            raw.sync(&name(file)).expect("a sync");
        }
        let plain = vec![1; size];
        let begin = Instant::now();
        let mut done = 0;
        while done < size {
            done += raw.write(&name(file), (offset + done) as u64, &plain[done..]).expect("a write");
        }
        raw.sync(&name(file)).expect("a sync");
        raws.0.push(begin.elapsed());
        offset += size;
    }
    assert_eq!(node.engine().event_digest(), alone.event_digest(), "the same events");
    let each = count as f64;
    println!(
        "{batch:9} {count:8} {:9.0} {:15.0} {:9.2} {:11.1} {:7.0} {:6.0} {:8.0} {:6.0}",
        each / ours.sum(),
        each / engines.sum(),
        engines.sum() / ours.sum(),
        bytes as f64 / each,
        ours.at(50),
        ours.at(99),
        raws.at(50),
        raws.at(99),
    );
}

fn name(file: usize) -> String {
    format!("node-{file:04}.plim")
}

/// What a batch of these takes on the disk: header, records with their ids and times, and the rest of its last sector.
fn batch_bytes(chunk: &[Command]) -> usize {
    let record = |command: &Command| 16 + 1 + 1 + 4 + engine::encode(command).len();
    (72 + 40 + chunk.iter().map(record).sum::<usize>()).next_multiple_of(512)
}

/// A journal of orders, replayed from its beginning.
fn recovery(folder: &Path, accounts: u32) {
    let count = 600_000;
    let folder = folder.join("venue");
    let commands = orders(accounts, count);
    let mut venue = node(&folder, accounts);
    let before = venue.committed().sequence;
    let (begin, cpu) = (Instant::now(), cpu_ns());
    let mut at = START + 10_000_000_000;
    for chunk in commands.chunks(8_192) {
        at += 1_000_000;
        for command in chunk {
            venue.submit(Request { id: None, command: command.clone() }).expect("room in the queue");
        }
        venue.run(Time::from_ns(at)).expect("durable");
    }
    let (live, live_cpu) = (begin.elapsed(), cpu_ns() - cpu);
    let digest = venue.engine().event_digest();
    let disk = venue.into_disk();

    // The orders alone are timed: the set-up before them is another kind of work.
    let mut reader = Reader::first(&disk).expect("a journal");
    let mut follower = Follower::new();
    let (mut replayed, mut replay_cpu) = (Duration::ZERO, 0);
    let mut bytes = 0;
    loop {
        let (cpu, begin) = (cpu_ns(), Instant::now());
        let place = reader.place().1;
        let Some(batch) = reader.next_batch(&disk).expect("whole") else { break };
        let first = batch.first;
        follower.apply(&batch, &mut |_| {}).expect("as it was");
        if first > before {
            replayed += begin.elapsed();
            replay_cpu += cpu_ns() - cpu;
            bytes += reader.place().1.saturating_sub(place);
        }
    }
    assert_eq!(follower.engine().event_digest(), digest);
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "\nrecovery of {count} orders: {:.0} a second, live {:.0}; {:.2} × live by the clock, {:.2} × by CPU; {:.1} bytes an order in the journal, no ids",
        rate(replayed),
        rate(live),
        live.as_secs_f64() / replayed.as_secs_f64(),
        live_cpu as f64 / replay_cpu as f64,
        bytes as f64 / count as f64
    );
}

/// A snapshot, from the file to an engine that has looked at a price.
fn snapshot(folder: &Path, accounts: u32) {
    let folder = folder.join("loaded");
    let mut venue = node(&folder, accounts);
    let begin = Instant::now();
    venue.snapshot().expect("a snapshot");
    let made = begin.elapsed();
    let sequence = venue.committed().sequence;
    let disk = venue.into_disk();
    let names = disk.list().expect("names");
    let file = names.iter().find(|name| name.starts_with("snapshot-")).expect("a snapshot");
    let size = std::fs::metadata(folder.join(file)).map_or(0, |file| file.len());

    let begin = Instant::now();
    let read = Snapshots::read(&disk, sequence).expect("a snapshot");
    let unpacked = begin.elapsed();
    let begin = Instant::now();
    let follower = Follower::at(&read).expect("an engine");
    let decoded = begin.elapsed();
    let mut engine = follower.engine().clone();
    drop(follower);
    let at = engine.state().now.plus_ns(1_000_000);
    let begin = Instant::now();
    engine.apply(at, &prices(at, 10_000_000_001)).expect("prices are good");
    let looked = begin.elapsed();
    let total = unpacked + decoded + looked;
    println!(
        "\nsnapshot of {accounts} accounts, {} positions: {} MB packed, {} MB unpacked; made in {:.2} s\n  read, unpacked and checked {:.2} s, decoded {:.2} s, first look at everyone {:.2} s: {:.2} s, {:.1} × reading it alone",
        accounts * 2,
        size >> 20,
        read.payload.len() >> 20,
        made.as_secs_f64(),
        unpacked.as_secs_f64(),
        decoded.as_secs_f64(),
        looked.as_secs_f64(),
        total.as_secs_f64(),
        total.as_secs_f64() / unpacked.as_secs_f64()
    );
}
