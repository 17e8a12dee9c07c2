//! Who is below the line, at every tick: the triggers of the engine beside two scans of the same accounts.
//!
//! `cargo bench -p plimsoll-engine --bench index [-- ACCOUNTS]` (1,000,000). Means are of thread CPU time, percentiles and the screen of
//! wall clock; the load average and the CPU come first.
//!
//! - F1: the exact terms of every account, one after the other.
//! - F2: a screen of packed numbers, size × price summed by account, accounts with the same number of positions together; it
//!   only says whose equity is below a share of the notional. The bandwidth that it reaches stands beside that of a plain sum.
//! - Prices alone: the same commands to a venue with the same markets and nobody in it.
//!
//! The population: 100 markets (the n-th is 1/n as popular as the first), 1 to 5 positions (45, 25, 15, 9, 6 %), notional with a
//! median of 3,000, leverage with a median of 3 (σ 0.9, at most 40); longs and shorts in pairs. Prices: one factor, correlation 0.8,
//! volatility 60 % to 120 % a year, a tick a second, all markets in one command.
//!
//! Estimate before measuring: a calm tick compares 200 keys and evaluates about one account: under 5 µs beside what prices
//! cost; F1 at 100 ns an account is 100 ms.
#![allow(missing_docs, clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // a bench, with numbers far below

use plimsoll_engine::params::{
    AdlPolicy, AdlPrice, AssetParams, CollateralSchedule, IndexParams, LiquidationParams, LiquidationPolicy,
    MarketGuards, MarketParams,
};
use plimsoll_engine::{
    AccountId, AssetId, Basis, Command, Engine, IndexId, MarketId, Moved, Name, OwnerId, PlaceOrder, Quote, Role,
    Shock, Side, TimeInForce, Work,
};
use rules::{Contract, FundingRule, IndexRule, Ladder, MarkRule, TierTable};
use std::time::Instant;
use units::{Money, Price, Rate, Size, Time};

const MARKETS: u16 = 100;
const START: i64 = 1_760_000_000_000_000_000;
const YEAR_S: f64 = 31_557_600.0;

fn main() {
    let asked = std::env::args().filter_map(|a| a.parse().ok()).next();
    let accounts: u32 = asked.unwrap_or(1_000_000);
    let copies = accounts <= 2_000_000; // a second engine of ten million is more than a machine has
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name")).unwrap_or("model name: unknown");
    println!("{} load {}", model, std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let mut random = Random(7);
    let before = resident();
    let mut engine = venue();
    let positions = open(&mut engine, accounts, &mut random);
    let mut path = Path::new();
    let first = tick(&mut engine, &path.calm(&mut random, 0.0));
    let bytes = (resident() - before) / u64::from(accounts);
    let work = engine.work();
    println!(
        "{accounts} accounts, {positions} positions, {MARKETS} markets: {bytes} bytes an account in all; triggers {} of 16 bytes, {} stored; arming everyone {:.0} ms",
        work.triggers,
        work.stored,
        first as f64 / 1e6
    );

    let f1 = scan(&engine);
    let (f2, bandwidth, plain) = screen(&engine);
    println!(
        "F1 exact scan {:.2} ms ({:.0} ns an account); F2 screen {:.2} ms at {bandwidth:.1} GB/s, a plain sum reads {plain:.1} GB/s",
        f1 / 1e6,
        f1 / f64::from(accounts),
        f2 / 1e6
    );
    for (what, moved, down, up) in [
        ("all marks, 5 % both ways", Moved::All, 5, 5),
        ("all marks, −50 % to +100 %", Moved::All, 50, 100),
        ("the first market, −50 % to +100 %", Moved::Mark(MarketId(0)), 50, 100),
    ] {
        map(&engine, what, &Shock::new(moved, Rate::bps(100), down, up).expect("a shock"), f1);
    }
    // Who a gap of −10 % finds, as one step of a map: detection alone, no command, nothing closed.
    map(&engine, "all marks, −10 % in one step", &Shock::new(Moved::All, Rate::bps(1_000), 1, 0).expect("a shock"), f1);
    println!(
        "\n| what | ticks | mean µs | p99 µs | prices alone µs | × F1 mean | × F1 p99 | × F2 mean | found | evaluated per found |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let row = |what: &str, times: &Times, alone: f64, work: Work, before: Work| {
        // What prices cost is there with every way of looking; a difference below a microsecond is noise.
        let own = |t: f64| (t - alone).max(1_000.0);
        let (found, evaluated) = (work.below - before.below, work.evaluated - before.evaluated);
        println!(
            "| {what} | {} | {:.1} | {:.1} | {:.1} | {:.0} | {:.0} | {:.1} | {found} | {:.2} |",
            times.count,
            times.mean / 1e3,
            times.p99 / 1e3,
            alone / 1e3,
            f1 / own(times.mean),
            f1 / own(times.p99),
            f2 / own(times.mean),
            evaluated as f64 / found.max(1) as f64
        );
    };
    let mut alone = venue();
    let mut nobody = |ticks: &[Vec<f64>]| run(&mut alone, ticks).mean;

    let ticks: Vec<Vec<f64>> = (0..3_600).map(|_| path.calm(&mut random, 1.0)).collect();
    let before = engine.work();
    let times = run(&mut engine, &ticks);
    row("calm, 1 s", &times, nobody(&ticks), engine.work(), before);

    if copies {
        let mut gapped = engine.clone();
        let ticks = [path.moved(-0.10)];
        let before = gapped.work();
        let times = run(&mut gapped, &ticks);
        row("gap of −10 %, first 4,096 closed", &times, nobody(&ticks), gapped.work(), before);
    }

    let crash = |path: &mut Path, random: &mut Random| {
        path.drift((0.7f64).ln() / 1_200.0);
        path.calm(random, 5.0)
    };
    let ticks: Vec<Vec<f64>> = (0..1_200).map(|_| crash(&mut path, &mut random)).collect();
    let before = engine.work();
    let times = run(&mut engine, &ticks);
    row("crash of 30 % in 20 minutes, all closed through the fund", &times, nobody(&ticks), engine.work(), before);
    let work = engine.work();
    println!("\n{work:?}");
    drop(engine);
    if copies {
        funding(accounts);
        everything(10_000, everything(100_000, 0.0));
    }
}

/// The tick that posts the funding of all markets beside one that does not, and beside a loop that would pay every holder.
fn funding(accounts: u32) {
    let (mut engine, mut random) = (venue(), Random(7));
    let positions = open(&mut engine, accounts, &mut random);
    let mut path = Path::new();
    let due = |engine: &Engine| engine.state().markets[0].funding_next;
    tick(&mut engine, &path.calm(&mut random, 0.0));
    // Prices must be fresh when it is due: half-hours up to the last second before it.
    let step = |engine: &mut Engine, at: Time| {
        let quotes = (0..MARKETS).map(|n| Quote { index: IndexId(n), source: 0, price: Price::whole(100), time: at });
        let command = Command::SetPrices { quotes: quotes.collect() };
        let started = Instant::now();
        engine.apply(at, &command).expect("prices are good");
        let took = started.elapsed().as_nanos() as f64;
        engine.end_batch();
        took
    };
    let (mut posting, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let next = due(&engine);
        while engine.state().now.plus_ns(1_800 * Time::SECOND_NS) < next {
            let at = engine.state().now.plus_ns(1_800 * Time::SECOND_NS);
            step(&mut engine, at);
        }
        step(&mut engine, next.plus_ns(-2 * Time::SECOND_NS));
        plain.push(step(&mut engine, next.plus_ns(-Time::SECOND_NS)));
        posting.push(step(&mut engine, next));
        assert!(due(&engine) > next, "funding was posted");
    }
    let median = |all: &mut Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let (posting, plain) = (median(&mut posting), median(&mut plain));
    let eager = (0..3)
        .map(|_| {
            let started = cpu_ns();
            let state = engine.state();
            let mut sum = Money::ZERO;
            for account in &state.accounts {
                for e in &account.exposures {
                    let index = state.market(e.market).funding_index;
                    sum += rules::funding_payment(e.size, index - e.funding).map_or(Money::ZERO, |p| p.amount);
                }
            }
            std::hint::black_box(sum);
            cpu_ns() - started
        })
        .min()
        .unwrap_or(0) as f64;
    let each = ((posting - plain) / f64::from(MARKETS)).max(1.0);
    println!(
        "\nfunding of {MARKETS} markets, {accounts} accounts, {positions} positions: a tick that posts {:.1} µs, one that does not {:.1} µs: {each:.0} ns a market; paying every holder in a loop, without writing it {:.1} ms, × {:.0}",
        posting / 1e3,
        plain / 1e3,
        eager / 1e6,
        eager / (each * f64::from(MARKETS))
    );
}

/// All marks 30 % lower in one tick, nobody in the book and a fund that is soon at its limit: ticks of the same prices until nobody is left
/// in liquidation. ms; those of another number of accounts are compared.
fn everything(accounts: u32, other: f64) -> f64 {
    let (mut engine, mut random) = (venue(), Random(7));
    open(&mut engine, accounts, &mut random);
    let mut path = Path::new();
    tick(&mut engine, &path.calm(&mut random, 0.0));
    let prices = path.moved(-0.30);
    let (before, started) = (engine.work(), cpu_ns());
    let (mut commands, mut first) = (0u32, 0);
    loop {
        let took = tick(&mut engine, &prices);
        first = if commands == 0 { took } else { first };
        commands += 1;
        if engine.state().liquidating.is_empty() || commands == 10_000 {
            break;
        }
    }
    let took = (cpu_ns() - started) as f64 / 1e6;
    let found = engine.work().below - before.below;
    let left = engine.state().liquidating.len();
    let ratio = if other > 0.0 {
        format!(", 10 times the accounts cost {:.1} times as much", other / took)
    } else {
        String::new()
    };
    println!(
        "one −30 % mark, no book, {accounts} accounts: {found} fell, all closed in {took:.0} ms over {commands} commands ({:.1} µs each, the first command {:.1} ms), {left} left{ratio}",
        took * 1e3 / found.max(1) as f64,
        first as f64 / 1e6
    );
    took
}

/// What a number of commands cost, ns: the mean of CPU time, which the system counts in slices too long for one of them, and
/// the 99th percentile of wall clock.
struct Times {
    count: usize,
    mean: f64,
    p99: f64,
}

fn run(engine: &mut Engine, ticks: &[Vec<f64>]) -> Times {
    let (started, wall) = (cpu_ns(), Instant::now());
    let mut each: Vec<u64> = ticks.iter().map(|prices| tick(engine, prices)).collect();
    let (cpu, wall) = ((cpu_ns() - started) as f64, wall.elapsed().as_nanos() as f64);
    each.sort_unstable();
    // Digests and the making of commands are in the totals alone: CPU time is split as wall clock is.
    let inside = each.iter().sum::<u64>() as f64 / wall;
    let count = each.len();
    Times { count, mean: cpu * inside / count as f64, p99: each[count * 99 / 100] as f64 }
}

/// Wall clock of one command that moves all prices.
fn tick(engine: &mut Engine, prices: &[f64]) -> u64 {
    let time = engine.state().now.plus_ns(Time::SECOND_NS);
    let quote = |(n, price): (u16, &f64)| {
        let price = Price::new((price * 1e8) as i64).expect("a price");
        Quote { index: IndexId(n), source: 0, price, time }
    };
    let command = Command::SetPrices { quotes: (0..MARKETS).zip(prices).map(quote).collect() };
    let started = Instant::now();
    engine.apply(time, &command).expect("prices are good");
    let took = started.elapsed().as_nanos() as u64;
    engine.end_batch();
    took
}

/// A liquidation map in steps of 1 %, beside as many exact scans as it has prices.
fn map(engine: &Engine, what: &str, shock: &Shock, f1: f64) {
    let started = cpu_ns();
    let map = engine.liquidation_map(shock, &|_| true).expect("the market is there");
    let took = (cpu_ns() - started) as f64;
    let prices = f64::from(map.down + map.up + 1);
    let found: usize = map.steps.iter().map(|step| step.accounts.len()).sum();
    println!(
        "map of {what}: {:.0} ms, {} asked, {} evaluated, {found} found; {prices} scans {:.0} ms, × {:.1}",
        took / 1e6,
        map.candidates,
        map.evaluated,
        f1 * prices / 1e6,
        f1 * prices / took
    );
}

/// F1, ns: the exact terms of everyone, the best of three.
fn scan(engine: &Engine) -> f64 {
    let once = || {
        let started = cpu_ns();
        let state = engine.state();
        let all = (0..state.accounts.len()).map(AccountId::at);
        let below = all.filter(|id| state.terms_at(*id, Basis::Mark).headroom().is_negative()).count();
        std::hint::black_box(below);
        cpu_ns() - started
    };
    (0..3).map(|_| once()).min().unwrap_or(0) as f64
}

/// F2, ns, the GB/s that it reads at, and those of a plain sum of the same memory.
fn screen(engine: &Engine) -> (f64, f64, f64) {
    let state = engine.state();
    let prices: Vec<f32> = state.markets.iter().map(|m| m.mark.units() as f32 / 1e8).collect();
    // Columns for each number of positions: what does not move, then size and market of each position.
    type Group = (Vec<f32>, Vec<Vec<f32>>, Vec<Vec<u16>>);
    let mut groups: Vec<Group> = (0..=5).map(|k| (Vec::new(), vec![Vec::new(); k], vec![Vec::new(); k])).collect();
    for account in &state.accounts {
        let open: Vec<_> = account.exposures.iter().filter(|e| !e.size.is_zero()).take(5).collect();
        let group = &mut groups[open.len()];
        let cost: i128 = open.iter().map(|e| e.cost.units()).sum();
        let cash: i128 = account.wallets.iter().map(|w| w.amount.units()).sum();
        group.0.push(((cash - cost) / 10_000_000_000) as f32 / 1e6);
        for (k, e) in open.iter().enumerate() {
            group.1[k].push(e.size.units() as f32 / 1e8);
            group.2[k].push(e.market.0);
        }
    }
    let mut equity = vec![0f32; state.accounts.len()];
    let mut best = u64::MAX;
    let mut bytes = 0;
    for _ in 0..20 {
        let started = Instant::now();
        bytes = 0;
        let mut below = 0usize;
        for (fixed, sizes, markets) in &groups {
            let out = &mut equity[..fixed.len()];
            out.copy_from_slice(fixed);
            bytes += fixed.len() * 8;
            for (size, market) in sizes.iter().zip(markets) {
                for ((out, size), market) in out.iter_mut().zip(size).zip(market) {
                    let price = prices[usize::from(*market).min(99)];
                    *out += size * price - size.abs() * price * 0.01;
                }
                bytes += size.len() * 14;
            }
            below += out.iter().filter(|equity| **equity < 0.0).count();
        }
        std::hint::black_box(below);
        best = best.min(started.elapsed().as_nanos() as u64);
    }
    let words = vec![1u64; 32 << 20];
    let plain = (0..3)
        .map(|_| {
            let started = Instant::now();
            std::hint::black_box(words.iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
            started.elapsed().as_nanos() as u64
        })
        .min()
        .unwrap_or(1);
    (best as f64, bytes as f64 / best as f64, (words.len() * 8) as f64 / plain as f64)
}

/// Prices of all markets, 100 at first.
struct Path {
    logs: Vec<f64>,
}

impl Path {
    fn new() -> Self {
        Self { logs: vec![100f64.ln(); usize::from(MARKETS)] }
    }

    /// One second later, at so many times the usual volatility.
    fn calm(&mut self, random: &mut Random, times: f64) -> Vec<f64> {
        let common = random.normal();
        for (n, log) in self.logs.iter_mut().enumerate() {
            let volatility = 0.6 + 0.6 * n as f64 / f64::from(MARKETS);
            let own = random.normal();
            *log += times * volatility * (1.0 / YEAR_S).sqrt() * (0.8 * common + 0.6 * own);
        }
        self.prices()
    }

    fn drift(&mut self, by: f64) {
        self.logs.iter_mut().for_each(|log| *log += by);
    }

    /// All at once, not kept.
    fn moved(&self, by: f64) -> Vec<f64> {
        self.prices().iter().map(|price| price * (1.0 + by)).collect()
    }

    fn prices(&self) -> Vec<f64> {
        self.logs.iter().map(|log| log.exp()).collect()
    }
}

/// Pairs of a long and a short account with the same positions and each its own leverage. How many positions there are.
fn open(engine: &mut Engine, accounts: u32, random: &mut Random) -> u64 {
    let popular: f64 = (1..=MARKETS).map(|n| 1.0 / f64::from(n)).sum();
    let (mut at, mut count) = (START, 0u64);
    let name = Name::new("a").expect("a good name");
    for pair in 0..accounts / 2 {
        let k = [1, 2, 3, 4, 5][random.pick(&[45, 25, 15, 9, 6])];
        let mut markets: Vec<u16> = Vec::new();
        while markets.len() < k {
            let mut left = random.unit() * popular;
            let drawn = (1..=MARKETS)
                .find(|n| {
                    left -= 1.0 / f64::from(*n);
                    left <= 0.0
                })
                .unwrap_or(MARKETS)
                - 1;
            if !markets.contains(&drawn) {
                markets.push(drawn);
            }
        }
        let notional = (3_000f64.ln() + random.normal()).exp().clamp(200.0, 90_000.0);
        let lots = ((notional / 100.0 / k as f64 * 1_000.0) as i64).max(1);
        for n in 0..2u32 {
            let leverage = (3f64.ln() + 0.9 * random.normal()).exp().clamp(0.3, 40.0);
            let amount =
                Money::from_units((lots as f64 * k as f64 / 10.0 / leverage * 1e6 + 1e6) as i128 * 10_000_000_000);
            let id = 1 + pair * 2 + n;
            let mut apply = |command: &Command| engine.apply(Time::from_ns(at), command).expect("set-up is good");
            apply(&Command::OpenAccount { owner: OwnerId(id), role: Role::Trading, name });
            apply(&Command::Deposit { account: AccountId(id), asset: AssetId(0), amount, reference: u64::from(id) });
        }
        for market in markets {
            for n in 0..2u32 {
                at += 1_000;
                let side = if n == 0 { Side::Buy } else { Side::Sell };
                let size = Size::new(lots * 100_000).expect("a size");
                let order =
                    PlaceOrder::limit(AccountId(1 + pair * 2 + n), MarketId(market), side, size, Price::whole(100));
                let order = PlaceOrder { force: TimeInForce::Gtc, ..order };
                engine.apply(Time::from_ns(at), &Command::PlaceOrder(order)).expect("opening orders are good");
            }
            count += 2;
        }
        if pair % 1_024 == 0 {
            engine.end_batch();
        }
    }
    engine.end_batch();
    count
}

fn venue() -> Engine {
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
            weights: vec![1],
            rule: IndexRule { quorum: 1, max_deviation: rate("0.03") },
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
            mark_band: rate("0.5"),
            mark_speed: rate("1"),
            order_band: rate("0.2"),
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
                fund_limit: Money::whole(1_000_000_000_000),
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
            option: None,
        })));
    }
    apply(&Command::Deposit {
        account: AccountId(0),
        asset: AssetId(0),
        amount: Money::whole(1_000_000_000),
        reference: 0,
    });
    let all = |n: u16| Quote { index: IndexId(n), source: 0, price: Price::whole(100), time: at };
    apply(&Command::SetPrices { quotes: (0..MARKETS).map(all).collect() });
    engine.end_batch();
    engine
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

    fn unit(&mut self) -> f64 {
        (self.below(1 << 53) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn pick(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|w| {
                let here = left < *w;
                left = left.saturating_sub(*w);
                here
            })
            .unwrap_or(0)
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
