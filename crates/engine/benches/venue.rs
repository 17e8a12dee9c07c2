//! How fast one core runs a venue: orders with all checks on, a mark tick without liquidations, memory per account, a
//! price that many trailing orders follow, or many stop orders wait for.
//!
//! `cargo bench -p plimsoll-engine --bench venue [-- ACCOUNTS…]`. Thread CPU time, beside two baselines of the same run: the
//! dependent random loads that an order cannot avoid, and a plain scan of the same accounts' numbers.
//!
//! Estimates before measuring: an order looks at two cold accounts (about 3 lines each) and a book level: 8 dependent
//! loads of 100 ns, 0.2 µs of arithmetic, 0.1 µs of events and digest: about 1 µs. A tick visits every account once: three
//! lines and 30 ns of arithmetic, about 100 ns an account. A new high that trailing
//! orders of one group follow: one event and four searches in trees, 1 µs more than a tick that moves nothing, however many
//! they are; the one that makes one group of a thousand: four searches each, 1 ms. A tick that reaches none of many stop orders:
//! one look at the first of each ladder, as much as with none; each that is reached: an order, about 1 µs.
#![allow(missing_docs, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a bench, with numbers far below

extern crate plimsoll_engine as engine;

mod flow;

use engine::{AccountId, Callback, Command, Engine, MarketId, PlaceOrder, Side, Trigger, TriggerBy, TriggerWhen};
use flow::{MARKETS, Random, START, cpu_ns, openings, prices, random_order, setup};
use std::time::Instant;
use units::{Price, Rate, Size, Time};

fn main() {
    let asked: Vec<u32> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![100_000, 1_000_000] } else { asked };
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    for accounts in sizes {
        run(accounts);
    }
    for highs in [1, 100, 390] {
        trailing(highs);
    }
    for each in [0, 1, 100, 390] {
        stops(each);
    }
}

fn run(accounts: u32) {
    let before = resident();
    let (mut engine, mut random) = (venue(accounts), Random(7));
    open_positions(&mut engine, accounts);
    let bytes = (resident() - before) / u64::from(accounts);
    println!("\n{accounts} accounts, {MARKETS} markets, 2 positions each: {bytes} bytes an account");
    ticks(&mut engine, accounts);
    orders(&mut engine, "each account in its two markets", accounts, 2, &mut random);
    orders(&mut engine, "each account in any market", accounts, MARKETS, &mut random);
    baselines(accounts, &mut random);
}

/// Random orders over all accounts: half cross the spread, the rest rest near it; a tenth of the resting are cancelled.
fn orders(engine: &mut Engine, what: &str, accounts: u32, spread: u16, random: &mut Random) {
    let count = 1_000_000u32;
    let commands: Vec<Command> = (0..count).map(|_| random_order(accounts, spread, random)).collect();
    let mut at = engine.state().now.ns();
    let (mut worst, mut fills, mut refused) = (Vec::new(), 0u64, 0u64);
    let started = cpu_ns();
    for batch in commands.chunks(1_000) {
        let batch_started = Instant::now();
        for command in batch {
            at += 10_000;
            refused += u64::from(engine.apply(Time::from_ns(at), command).is_err());
        }
        fills += engine.events().iter().filter(|e| matches!(e, engine::Event::Filled { .. })).count() as u64;
        engine.end_batch();
        worst.push(batch_started.elapsed().as_nanos() / 1_000);
    }
    let total = cpu_ns() - started;
    worst.sort_unstable();
    let per = total / u64::from(count);
    println!(
        "orders, {what}: {per} ns each ({:.2} M/s), wall clock of each thousand: median {} ns p99 {} ns an order; {fills} fills, {refused} refused, events and digest included",
        1_000.0 / per as f64,
        worst[worst.len() / 2],
        worst[worst.len() * 99 / 100]
    );
}

/// Mark ticks of all markets, nobody below the line.
fn ticks(engine: &mut Engine, accounts: u32) {
    let count = 50i64;
    let mut walls = Vec::new();
    let started = cpu_ns();
    for n in 0..count {
        let at = engine.state().now.plus_ns(1_000_000);
        let command = prices(at, 100_000_000 * (1_000_000 + n % 3) / 10_000);
        let wall = Instant::now();
        engine.apply(at, &command).expect("prices are good");
        engine.end_batch();
        walls.push(wall.elapsed().as_micros());
    }
    let each = (cpu_ns() - started) / 50;
    walls.sort_unstable();
    println!(
        "mark tick of {MARKETS} markets, no liquidation: {} µs of CPU, {} ns an account; wall clock median {} µs, worst {} µs",
        each / 1_000,
        each / u64::from(accounts),
        walls[walls.len() / 2],
        walls[walls.len() - 1]
    );
}

/// Price ticks while 1,000 accounts have an order each for each of so many highs of one market, which trail its mark: none
/// moves, all move as one group, and the one tick that makes one group of all.
fn trailing(highs: u32) {
    let accounts = 1_000;
    let mut engine = venue(accounts);
    let mut random = Random(9);
    let mut at = START;
    let mut tick = |engine: &mut Engine, units: i64| {
        at += 100_000_000;
        let command = prices(Time::from_ns(at), units);
        let started = Instant::now(); // CPU time is counted in slices that are longer than a tick
        engine.apply(Time::from_ns(at), &command).expect("prices are good");
        let took = started.elapsed().as_nanos() as u64;
        engine.end_batch();
        took
    };
    for high in 0..highs {
        for account in 1..=accounts {
            let callback = Callback::Rate(Rate::bps(1_000 + random.below(3_000) as i16));
            let trigger = Trigger {
                by: TriggerBy::Mark,
                when: TriggerWhen::AtOrBelow,
                price: Price::ZERO,
                trail: Some(callback),
            };
            let order = PlaceOrder::limit(AccountId(account), MarketId(0), Side::Sell, Size::whole(1), Price::whole(1));
            let order = PlaceOrder { trigger: Some(trigger), ..order };
            let at = engine.state().now;
            engine.apply(at, &Command::PlaceOrder(order)).expect("trailing orders are good");
        }
        tick(&mut engine, 9_999_999_999 - i64::from(high));
    }
    let median = |mut all: Vec<u64>| {
        all.sort_unstable();
        all[all.len() / 2]
    };
    let orders = engine.state().orders.len();
    let merge = tick(&mut engine, 10_000_000_001);
    let still = median((0..500).map(|_| tick(&mut engine, 10_000_000_000)).collect());
    let moved = median((0..500).map(|n| tick(&mut engine, 10_000_000_002 + n)).collect());
    println!(
        "{orders} trailing orders: tick of {MARKETS} markets {still} ns, with a new high {moved} ns, the one that made one group of {highs} {merge} ns"
    );
}

/// Price ticks while 1,000 accounts have so many stop orders each at a level of its own, half of them on the mark and half on the
/// index: none is reached, and a hundred are.
fn stops(each: u32) {
    const REACHED: i64 = 100;
    let mut engine = venue(1_000);
    let level = |n: i64| Price::new(9_500_000_000 - n * 10_000).expect("a price");
    for n in 0..each * 1_000 {
        let by = if n % 2 == 0 { TriggerBy::Mark } else { TriggerBy::Index };
        let trigger = Trigger { by, when: TriggerWhen::AtOrBelow, price: level(n.into()), trail: None };
        let order =
            PlaceOrder::limit(AccountId(1 + n % 1_000), MarketId(0), Side::Sell, Size::whole(1), Price::whole(90));
        let at = engine.state().now;
        engine.apply(at, &Command::PlaceOrder(PlaceOrder { trigger: Some(trigger), ..order })).expect("stops are good");
        engine.end_batch();
    }
    let orders = engine.state().orders.len();
    let mut at = START;
    let mut tick = |units: i64| {
        at += 1_000_000_000;
        let command = prices(Time::from_ns(at), units);
        let started = Instant::now();
        engine.apply(Time::from_ns(at), &command).expect("prices are good");
        let took = started.elapsed().as_nanos() as u64;
        let triggered = |e: &&engine::Event| matches!(e, engine::Event::OrderTriggered { .. });
        let reached = engine.events().iter().filter(triggered).count();
        engine.end_batch();
        (took, reached)
    };
    let mut calm: Vec<u64> = (0..500).map(|n| tick(10_000_000_000 + n % 2).0).collect();
    calm.sort_unstable();
    let (took, reached) = tick(level(REACHED - 1).units());
    println!(
        "{orders} stop orders: tick of {MARKETS} markets {} ns, the one that reached {reached} {took} ns",
        calm[250]
    );
}

fn baselines(accounts: u32, random: &mut Random) {
    let lines = accounts as usize * 8;
    let mut chain: Vec<u32> = (0..lines as u32).collect();
    for at in (1..lines).rev() {
        chain.swap(at, random.below(at as u64) as usize); // one cycle through all of it
    }
    let spread: Vec<[u32; 16]> = chain.iter().map(|next| [*next; 16]).collect();
    let (mut at, loads) = (0u32, 2_000_000u64);
    let started = cpu_ns();
    for _ in 0..loads {
        at = spread[at as usize][0];
    }
    let load = (cpu_ns() - started) as f64 / loads as f64;
    let started = cpu_ns();
    let mut sum = 0i128;
    for line in &spread {
        sum += i128::from(line[0]) * i128::from(line[1]);
    }
    let scan = (cpu_ns() - started) as f64 / f64::from(accounts);
    println!(
        "baseline: dependent random load {load:.0} ns (an order needs about 8), plain scan of 8 lines {scan:.0} ns an account [{at} {sum}]"
    );
}

fn venue(accounts: u32) -> Engine {
    let mut engine = Engine::new();
    setup(accounts, &mut |command| drop(engine.apply(Time::from_ns(START), command).expect("set-up is good")));
    engine.end_batch();
    engine
}

fn open_positions(engine: &mut Engine, accounts: u32) {
    for (n, (at, command)) in openings(accounts).enumerate() {
        engine.apply(Time::from_ns(at), &command).expect("opening orders are good");
        if n % 2_048 == 0 {
            engine.end_batch();
        }
    }
    engine.end_batch();
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 4_096
}
