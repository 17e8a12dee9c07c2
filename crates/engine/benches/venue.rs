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

use plimsoll_engine::params::{
    AdlPolicy, AdlPrice, AssetParams, CollateralSchedule, IndexParams, LiquidationParams, LiquidationPolicy,
    MarketGuards, MarketParams,
};
use plimsoll_engine::{
    AccountId, AssetId, Callback, Command, Engine, IndexId, MarketId, Name, OwnerId, PlaceOrder, Quote, Role, Side,
    TimeInForce, Trigger, TriggerBy, TriggerWhen,
};
use rules::{Contract, FundingRule, IndexRule, Ladder, MarkRule, TierTable};
use std::time::Instant;
use units::{Money, Price, Rate, Size, Time};

const MARKETS: u16 = 20;
const START: i64 = 1_760_000_000_000_000_000;

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
    open_positions(&mut engine, accounts, &mut random);
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
        fills += engine.events().iter().filter(|e| matches!(e, plimsoll_engine::Event::Filled { .. })).count() as u64;
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

fn random_order(accounts: u32, spread: u16, random: &mut Random) -> Command {
    let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
    let offset = random.below(40) as i64 - 20;
    let price = Price::new((10_000 + offset) * 1_000_000).expect("in range");
    let force = if random.below(2) == 0 { TimeInForce::Gtc } else { TimeInForce::Ioc };
    let account = random.below(u64::from(accounts)) as u32;
    let market = home(account, random.below(u64::from(spread)) as u32);
    order(account + 1, market, side, price, force)
}

fn order(account: u32, market: u16, side: Side, price: Price, force: TimeInForce) -> Command {
    let order = PlaceOrder::limit(AccountId(account), MarketId(market), side, Size::whole(1), price);
    Command::PlaceOrder(PlaceOrder { force, ..order })
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
        let triggered = |e: &&plimsoll_engine::Event| matches!(e, plimsoll_engine::Event::OrderTriggered { .. });
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

fn open_positions(engine: &mut Engine, accounts: u32, random: &mut Random) {
    let mut at = START;
    for n in 0..accounts {
        for k in 0..2u32 {
            let market = home(n, k);
            let side = if n % 2 == 0 { Side::Buy } else { Side::Sell };
            at += 1_000;
            let command = order(n + 1, market, side, Price::whole(100), TimeInForce::Gtc);
            engine.apply(Time::from_ns(at), &command).expect("opening orders are good");
        }
        if n % 1_024 == 0 {
            engine.end_batch();
            let _ = random.below(2);
        }
    }
    engine.end_batch();
}

/// The k-th market of an account; neighbours share theirs, so that they can trade with each other.
fn home(account: u32, k: u32) -> u16 {
    ((account / 2 + k * 7) % u32::from(MARKETS)) as u16
}

fn venue(accounts: u32) -> Engine {
    let mut engine = Engine::new();
    let at = Time::from_ns(START);
    let mut apply = |command: &Command| engine.apply(at, command).expect("set-up is good");
    let name = |text: &str| Name::new(text).expect("a good name");
    apply(&Command::OpenAccount { owner: OwnerId(0), role: Role::Fund, name: name("fund") });
    let rate = |text: &str| text.parse::<Rate>().expect("a rate");
    let asset = AssetParams {
        name: name("USDC"),
        decimals: 6,
        index: None,
        haircut: Rate::ONE,
        conversion_discount: Rate::ZERO,
        schedule: CollateralSchedule::default(),
        borrow: Default::default(),
    };
    apply(&Command::AddAsset(Box::new(asset)));
    let tiers = [("100000", "0.02", "0.01"), ("1000000", "0.04", "0.02"), ("1000000000", "0.1", "0.05")];
    let tiers = tiers.map(|(cap, i, m)| (cap.parse().expect("money"), rate(i), rate(m)));
    for n in 0..MARKETS {
        let index = IndexParams {
            name: name(&format!("I{n}")),
            weights: vec![1, 1, 1],
            rule: IndexRule { quorum: 2, max_deviation: rate("0.03") },
            stale_ns: 3_600 * Time::SECOND_NS,
            speed: rate("0.1"),
            reduce_only_after_ns: 3_600 * Time::SECOND_NS,
            redemption: None,
            last_resort: Default::default(),
            own: None,
        };
        apply(&Command::AddIndex(Box::new(index)));
        apply(&Command::ListMarket(Box::new(MarketParams {
            name: name(&format!("M{n}-PERP")),
            contract: Contract::Linear,
            settlement: AssetId(0),
            index: IndexId(n),
            tick: "0.01".parse().expect("price"),
            lot: "0.001".parse().expect("size"),
            taker_fee: rate("0.0005"),
            maker_fee: rate("0.0002"),
            closing_fee: Rate::ZERO,
            ladder: Ladder::Tiers(TierTable::derive(&tiers).expect("tiers")),
            mark: MarkRule::Index,
            mark_band: rate("0.05"),
            mark_speed: rate("0.1"),
            order_band: rate("0.1"),
            funding: FundingRule {
                interval_ns: 28_800 * Time::SECOND_NS,
                interest: rate("0.0001"),
                clamp: rate("0.0005"),
                cap: rate("0.003"),
                floor: rate("-0.003"),
            },
            impact_notional: Money::whole(10_000),
            funding_gap_ns: 86_400 * Time::SECOND_NS,
            liquidation: LiquidationParams {
                fee: rate("0.01"),
                band: rate("0.02"),
                depth_share: rate("0.5"),
                fund_limit: Money::whole(10_000_000),
                adl_price: AdlPrice::Bankruptcy,
                policy: LiquidationPolicy::ToTarget,
                adl_policy: AdlPolicy::ProfitLeverage,
                loss: Default::default(),
            },
            fund: AccountId(0),
            rulebook: [0; 16],
            guards: MarketGuards::default(),
            fee_tiers: Vec::new(),
            kind: Default::default(),
            realise_every_ns: 0,
        })));
    }
    for n in 1..=accounts {
        apply(&Command::OpenAccount { owner: OwnerId(n), role: Role::Trading, name: name("a") });
        apply(&Command::Deposit {
            account: AccountId(n),
            asset: AssetId(0),
            amount: Money::whole(10_000),
            reference: u64::from(n),
        });
    }
    apply(&prices(at, 10_000_000_000));
    engine.end_batch();
    engine
}

fn prices(at: Time, units: i64) -> Command {
    let price = Price::new(units).expect("a price");
    let quote = |n: u16| (0..3u8).map(move |source| Quote { index: IndexId(n), source, price, time: at });
    Command::SetPrices { quotes: (0..MARKETS).flat_map(quote).collect() }
}

/// SplitMix64: a bench's inputs, the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// CPU time of this thread so far.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 4_096
}
