//! What portfolio margin costs: a table of 2,000 options and 31 scenarios, and the worst scenario of 500,000 accounts of ten positions.
//!
//! `cargo bench -p plimsoll-rules --bench portfolio`, and with `RUSTFLAGS="-C target-cpu=native"`. One thread, wall clock, the best of many
//! rounds, everything in one run on the same arrays; results are compared before anything is printed. With `python3` and NumPy the
//! same arrays are also summed there (`portfolio.py` beside this file).
//!
//! Estimate before measuring: an account is ten rows of 32 columns, each widened, multiplied and added: 960 of them, 8 to a vector 120
//! operations and 15 ns with AVX-512, twice that with AVX2; SSE2 has no such multiplication and needs six instructions for it. A table is
//! 1,000 strikes × 32 prices, call and put together, at 8 to 25 ns: 0.3 to 0.8 ms.
#![allow(missing_docs)]

use plimsoll_rules::options::{DatedTerms, Right};
use plimsoll_rules::portfolio::{
    Book, COLUMNS, Held, Instrument, InstrumentKind, Market, PlimsollRules, Table, VolatilityMove, Worst,
};
use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;
use units::{Money, Price, Rate, Size};

const ACCOUNTS: usize = 500_000;
const POSITIONS: usize = 10;
const ROUNDS: usize = 40;
const DAY_NS: i64 = 86_400_000_000_000;
/// 1e-8 quote per lot of 0.001.
const UNIT: i128 = 100_000_000;

fn main() {
    println!("{}, load {}", processor(), std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("target features: {}", features());
    let rules = PlimsollRules::with_step(Rate::new(40_000_000).expect("in range")).expect("a grid");
    for count in [500, 2_000, 20_000] {
        run(&rules, count);
    }
}

fn run(rules: &PlimsollRules, count: usize) {
    let (market, instruments) = (market(), instruments(count));
    let build = || rules.table(&market, &instruments, Money::from_units(UNIT)).expect("priced");
    let mut table = build();
    println!("{count} options, {} scenarios:", table.moves().len());
    let ms = best(ROUNDS, || table.rebuild(&rules.volatility, &market, black_box(&instruments)).expect("priced")) * 1e3;
    let each = best(3, || {
        black_box(one_at_a_time(rules, &table));
    }) * 1e3;
    println!("  table rebuilt                            {ms:>9.3} ms");
    println!("  the same prices one at a time            {each:>9.3} ms, {:.1} times", each / ms);
    let positions = positions(count);
    let mut book = Book::new();
    positions.chunks(POSITIONS).for_each(|account| book.push(account));
    let mut worst = Vec::new();
    let ours = best(ROUNDS, || {
        let beside = book.worst(&table, &mut worst).expect("all known");
        assert!(beside.is_empty(), "all of them the short way");
    });
    println!("  {ACCOUNTS} accounts of {POSITIONS} positions, the worst scenario of each:");
    let line = |what: &str, seconds: f64, accounts: usize| {
        let ns = seconds * 1e9 / accounts as f64;
        let ratio = ns / (ours * 1e9 / ACCOUNTS as f64);
        println!("    {what:<46} {ns:>9.1} ns {:>7.2} M/s  {ratio:>7.1} times ours", 1e3 / ns);
    };
    line("ours, exact", ours, ACCOUNTS);
    // The others read what ours reads: places in 32 bits and sizes beside them.
    let all = Arrays {
        instruments: positions.iter().map(|(at, _)| *at).collect(),
        lots: positions.iter().map(|(_, lots)| *lots as f64).collect(),
    };
    // Fewer accounts where one takes long.
    let some = &positions[..POSITIONS * 50_000];
    line("128 bits, exact, column by column", best(5, || exact(&table, some, &worst)), 50_000);
    let doubles = doubles(&table);
    line("naive: doubles, scenario by scenario", best(ROUNDS / 4, || naive(&doubles, &all, &worst)), ACCOUNTS);
    line("doubles, row by row, fused where allowed", best(ROUNDS / 4, || rows(&doubles, &all, &worst)), ACCOUNTS);
    line("as NumPy: gather, multiply, add, least", best(ROUNDS / 4, || gathered(&doubles, &all, &worst)), ACCOUNTS);
    line("ours, every term of the requirement", best(5, || terms(rules, &table, some)), 50_000);
    let few = &positions[..POSITIONS * 200];
    line("no table: every position repriced", best(10, || repriced(rules, &table, few)), 200);
    numpy(&doubles, count, &positions, &worst, &line);
}

/// A chain: strikes from half to twice the price, eight expiries, call and put of each next to each other.
fn instruments(count: usize) -> Vec<Instrument> {
    const DAYS: [i64; 8] = [1, 3, 7, 14, 30, 60, 120, 365];
    let option = |at: usize| {
        let (right, pair) = (if at.is_multiple_of(2) { Right::Call } else { Right::Put }, at / 2);
        let days = DAYS[pair % 8];
        let strike = 30_000 + 90_000 * (pair / 8) as i64 / (count as i64 / 16).max(1);
        let kind = InstrumentKind::DatedOption {
            right,
            strike: Price::new(strike * 100_000_000).expect("in range"),
            forward: Price::new((60_000 + days * 8) * 100_000_000).expect("in range"),
            forward_fixed: Price::ZERO,
            volatility: Rate::new(550_000_000 + (pair as i64 % 97) * 2_000_000),
            left_ns: days * DAY_NS,
            interest: Rate::new(50_000_000).expect("in range"),
        };
        Instrument { kind, lot: Size::new(100_000).expect("in range"), quote: 0 }
    };
    (0..count).map(option).collect()
}

fn market() -> Market {
    Market { spot: Price::whole(60_000), confidence: Rate::ZERO, horizon_ns: DAY_NS / 3 }
}

fn positions(count: usize) -> Vec<(u32, i64)> {
    let mut random = Random(7);
    (0..ACCOUNTS * POSITIONS)
        .map(|_| (u32::try_from(random.below(count as u64)).expect("few"), random.below(20_001) as i64 - 10_000))
        .collect()
}

/// By a plain loop over instruments and scenarios; the sum keeps it.
fn one_at_a_time(rules: &PlimsollRules, table: &Table) -> f64 {
    (0..table.instruments().len()).map(|at| priced(rules, table, at).iter().sum::<f64>()).sum()
}

/// Results of one lot, in the unit of the table.
fn priced(rules: &PlimsollRules, table: &Table, at: usize) -> Vec<f64> {
    let instrument = table.instruments()[at];
    let InstrumentKind::DatedOption { right, strike, forward, volatility, left_ns, interest, .. } = instrument.kind
    else {
        unreachable!("a chain of options")
    };
    let ratio = |rate: Rate| rate.units() as f64 / 1e9;
    let (years, volatility) = (left_ns as f64 / (365 * DAY_NS) as f64, ratio(volatility.expect("given")));
    let (up, down) = rules.volatility.shocked(volatility, rules.volatility.growth(left_ns));
    let (forward, strike) = (forward.units() as f64, strike.units() as f64);
    let discount = (-ratio(interest) * years).exp();
    let of = |forward, volatility| {
        DatedTerms { forward, strike, volatility, years, discount }.check().expect("in range").price(right)
    };
    let now = of(forward, volatility);
    let cells = table.grid().scenarios().iter().zip(table.moves());
    cells
        .map(|(scenario, moved)| {
            let volatility = match scenario.volatility {
                VolatilityMove::Up => up,
                VolatilityMove::Down => down,
                _ => volatility,
            };
            let damp = scenario.damp.units() as f64 / 1e18;
            (of(forward * (1.0 + ratio(*moved)), volatility) - now) * damp * instrument.lot.units() as f64 / UNIT as f64
        })
        .collect()
}

fn repriced(rules: &PlimsollRules, table: &Table, positions: &[(u32, i64)]) {
    for account in positions.chunks(POSITIONS) {
        let mut sums = vec![0.0; table.moves().len()];
        for (at, lots) in account {
            for (sum, result) in sums.iter_mut().zip(priced(rules, table, *at as usize)) {
                *sum += result * *lots as f64;
            }
        }
        black_box(sums.into_iter().fold(f64::INFINITY, f64::min));
    }
}

/// What `explain` would show: all scenarios, all charges, initial and maintenance.
fn terms(rules: &PlimsollRules, table: &Table, positions: &[(u32, i64)]) {
    let size = |at: usize, lots: i64| Size::new(table.instruments()[at].lot.units() * lots).expect("in range");
    for account in positions.chunks(POSITIONS) {
        let held: [Held; POSITIONS] = std::array::from_fn(|at| {
            let (instrument, lots) = (account[at].0 as usize, account[at].1);
            Held { instrument, size: size(instrument, lots) }
        });
        let part = rules.underlying(table, Price::whole(60_000), Money::whole(1_000_000), &held).expect("in range");
        black_box(rules.portfolio(&[part], &[], Price::ONE).expect("in range"));
    }
}

fn exact(table: &Table, positions: &[(u32, i64)], worst: &[Worst]) {
    for (account, worst) in positions.chunks(POSITIONS).zip(worst) {
        let mut sums = [0_i128; COLUMNS];
        for (at, lots) in account {
            for (sum, entry) in sums.iter_mut().zip(table.row(*at as usize).expect("in the table")) {
                *sum += i128::from(*entry) * i128::from(*lots);
            }
        }
        let (at, least) = sums.iter().enumerate().min_by_key(|(at, sum)| (**sum, *at)).expect("columns");
        assert!((i128::from(worst.result()), worst.scenario()) == (*least, at), "the fast sum differs");
    }
}

type Rows = Vec<[f64; COLUMNS]>;

struct Arrays {
    instruments: Vec<u32>,
    lots: Vec<f64>,
}

impl Arrays {
    fn accounts(&self) -> impl Iterator<Item = (&[u32], &[f64])> {
        self.instruments.chunks(POSITIONS).zip(self.lots.chunks(POSITIONS))
    }
}

fn doubles(table: &Table) -> Rows {
    let row = |at| {
        let row = table.row(at).expect("in the table");
        std::array::from_fn(|column| row.get(column).map_or(row[0] as f64, |entry| *entry as f64))
    };
    (0..table.instruments().len()).map(row).collect()
}

fn check(sum: f64, worst: &Worst) {
    assert!(
        (sum - worst.result() as f64).abs() < 1e-6 * (sum.abs() + 1.0),
        "doubles differ by more than their rounding"
    );
}

fn naive(rows: &Rows, arrays: &Arrays, worst: &[Worst]) {
    for ((instruments, lots), worst) in arrays.accounts().zip(worst) {
        let positions = || instruments.iter().zip(lots);
        let of = |column: usize| positions().map(|(at, lots)| rows[*at as usize][column] * lots).sum::<f64>();
        check((0..COLUMNS).map(of).fold(f64::INFINITY, f64::min), worst);
    }
}

fn rows(rows: &Rows, arrays: &Arrays, worst: &[Worst]) {
    for ((instruments, lots), worst) in arrays.accounts().zip(worst) {
        let mut sums = [0.0; COLUMNS];
        for (at, lots) in instruments.iter().zip(lots) {
            for (sum, entry) in sums.iter_mut().zip(&rows[*at as usize]) {
                // Not fused on a machine that lacks it: a call there would take many times as long.
                *sum = if cfg!(target_feature = "fma") { entry.mul_add(*lots, *sum) } else { *sum + entry * lots };
            }
        }
        check(sums.iter().fold(f64::INFINITY, |least, sum| least.min(*sum)), worst);
    }
}

/// In blocks of 1,000 accounts: copies of all rows, times lots, added up, the least: each step through memory, as arrays do it.
fn gathered(rows: &Rows, arrays: &Arrays, worst: &[Worst]) {
    const BLOCK: usize = 1_000;
    let mut copies = vec![[0.0; COLUMNS]; BLOCK * POSITIONS];
    let mut sums = vec![[0.0; COLUMNS]; BLOCK];
    let blocks = arrays.instruments.chunks(BLOCK * POSITIONS).zip(arrays.lots.chunks(BLOCK * POSITIONS));
    for ((instruments, lots), worst) in blocks.zip(worst.chunks(BLOCK)) {
        for (copy, at) in copies.iter_mut().zip(instruments) {
            *copy = rows[*at as usize];
        }
        for (copy, lots) in copies.iter_mut().zip(lots) {
            copy.iter_mut().for_each(|entry| *entry *= lots);
        }
        for (sum, copies) in sums.iter_mut().zip(copies.chunks(POSITIONS)) {
            *sum = [0.0; COLUMNS];
            copies.iter().for_each(|copy| sum.iter_mut().zip(copy).for_each(|(sum, entry)| *sum += entry));
        }
        for (sums, worst) in sums.iter().zip(worst) {
            check(sums.iter().fold(f64::INFINITY, |least, sum| least.min(*sum)), worst);
        }
    }
}

/// The same in NumPy, where there is one; says so where there is none.
fn numpy(rows: &Rows, count: usize, positions: &[(u32, i64)], worst: &[Worst], line: &dyn Fn(&str, f64, usize)) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/portfolio.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let child =
        Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else { return println!("    NumPy: no python3") };
    let mut input = Vec::new();
    for number in [count, COLUMNS, ACCOUNTS, POSITIONS] {
        input.extend((number as i64).to_le_bytes());
    }
    rows.iter().flatten().for_each(|entry| input.extend(entry.to_le_bytes()));
    positions.iter().for_each(|(at, _)| input.extend(i64::from(*at).to_le_bytes()));
    positions.iter().for_each(|(_, lots)| input.extend((*lots as f64).to_le_bytes()));
    let mut stdin = child.stdin.take().expect("piped");
    // A script without NumPy ends without reading.
    let _ = stdin.write_all(&input);
    drop(stdin);
    let output = child.wait_with_output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let fields: Vec<f64> =
        output.unwrap_or_default().split_whitespace().filter_map(|field| field.parse().ok()).collect();
    let [einsum, matrix, sum] = fields[..] else { return println!("    NumPy: not installed") };
    let ours: f64 = worst.iter().map(|worst| worst.result() as f64).sum();
    assert!((sum / ours - 1.0).abs() < 1e-9, "NumPy differs: {sum} and {ours}");
    line("NumPy: gather and einsum, blocks, one thread", einsum, ACCOUNTS);
    if matrix > 0.0 {
        line("SciPy: sparse rows times the table, least", matrix, ACCOUNTS);
    }
}

/// Seconds of the fastest round.
fn best(rounds: usize, mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn features() -> String {
    let known = [
        ("avx512f", cfg!(target_feature = "avx512f")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("fma", cfg!(target_feature = "fma")),
        ("sse4.1", cfg!(target_feature = "sse4.1")),
        ("sse2", cfg!(target_feature = "sse2")),
        ("neon", cfg!(target_feature = "neon")),
    ];
    let on: Vec<&str> = known.into_iter().filter_map(|(name, on)| on.then_some(name)).collect();
    if on.is_empty() { "none of those named".to_owned() } else { on.join(" ") }
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).and_then(|line| line.split(':').nth(1));
        line.map_or("unknown", str::trim).to_owned()
    };
    format!("{}, family {} model {}", field("model name"), field("cpu family"), field("model\t"))
}
