//! What the price of a perpetual option takes: the system's mathematics one at a time, ours one at a time, ours in columns.
//!
//! `cargo bench -p plimsoll-rules --bench options`, and with `RUSTFLAGS="-C target-cpu=native"`. Wall clock, the best of many short
//! rounds, all in one run; the digest of all results comes last and must not depend on the processor or the flags.
//!
//! Estimate before measuring: a price is 120 additions and multiplications and four divisions, none waiting for another option. Two
//! to a vector (SSE2) and two or three instructions a cycle that is 30 cycles, 10 ns; eight to a vector a third of it or less. The system's
//! square root is one instruction, its exponential and logarithm 4 to 8 ns each, or its power 15 ns.
#![allow(missing_docs)]

use plimsoll_rules::options::{
    Dated, DatedColumns, DatedTerms, Perpetual, PerpetualColumns, PerpetualTerms, dated_prices, perpetual_prices,
};
use std::hint::black_box;
use std::time::Instant;

/// Fits the second-level cache with all columns.
const OPTIONS: usize = 4_096;
const ROUNDS: usize = 400;

struct Columns {
    spot: Vec<f64>,
    strike: Vec<f64>,
    volatility: Vec<f64>,
    period: Vec<f64>,
    discount: Vec<f64>,
}

fn main() {
    println!("{}, load {}", processor(), std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("target features: {}", features());
    let columns = columns();
    let (mut calls, mut puts) = (vec![0.0; OPTIONS], vec![0.0; OPTIONS]);
    println!("{OPTIONS} perpetual options without interest, call and put of each, best of {ROUNDS} rounds:");
    let theirs = time(&mut calls, &mut puts, |calls, puts| with_std(&columns, calls, puts, exp_of_ln));
    let reference = calls.clone();
    let power = time(&mut calls, &mut puts, |calls, puts| with_std(&columns, calls, puts, f64::powf));
    let checked = time(&mut calls, &mut puts, |calls, puts| one_at_a_time(&columns, calls, puts));
    let alone = calls.clone();
    let batch = time(&mut calls, &mut puts, |calls, puts| {
        perpetual_prices(perpetual(&columns), calls, puts).expect("same lengths");
    });
    assert!(alone.iter().zip(&calls).all(|(a, b)| a.to_bits() == b.to_bits()), "scalar and columns differ");
    let worst = reference.iter().zip(&calls).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-11, "ours and the system's differ by {worst:e}");
    line("baseline: std, exp of ln, one at a time", theirs, theirs);
    line("baseline: std, powf, one at a time", power, theirs);
    line("ours, checked, one at a time", checked, theirs);
    line("ours, in columns", batch, theirs);
    println!("  the same through powf takes {:.2} times ours in columns", power / batch);
    let mut digest = digest(0, &calls);
    println!("{OPTIONS} dated options, call and put of each:");
    let checked = time(&mut calls, &mut puts, |calls, puts| dated_one_at_a_time(&columns, calls, puts));
    let batch = time(&mut calls, &mut puts, |calls, puts| {
        dated_prices(dated(&columns), calls, puts).expect("same lengths");
    });
    line("ours, checked, one at a time", checked, checked);
    line("ours, in columns", batch, checked);
    digest = self::digest(digest, &calls);
    println!("digest of all calls: {digest:016x}");
}

fn perpetual(columns: &Columns) -> PerpetualColumns<'_> {
    let Columns { spot, strike, volatility, period, .. } = columns;
    PerpetualColumns { spot, strike, volatility, period }
}

fn dated(columns: &Columns) -> DatedColumns<'_> {
    let Columns { spot, strike, volatility, period, discount } = columns;
    DatedColumns { forward: spot, strike, volatility, years: period, discount }
}

/// The closed form as one would write it with the standard library.
fn with_std(columns: &Columns, calls: &mut [f64], puts: &mut [f64], power: impl Fn(f64, f64) -> f64) {
    for at in 0..OPTIONS {
        let (spot, strike) = (columns.spot[at], columns.strike[at]);
        let variance = columns.volatility[at] * columns.volatility[at] * columns.period[at];
        let u = (1.0 + 8.0 / variance).sqrt();
        let exponent = if spot >= strike { (1.0 - u) / 2.0 } else { (1.0 + u) / 2.0 };
        let time_value = strike / u * power(spot / strike, exponent);
        calls[at] = (spot - strike).max(0.0) + time_value;
        puts[at] = (strike - spot).max(0.0) + time_value;
    }
}

fn exp_of_ln(base: f64, exponent: f64) -> f64 {
    (exponent * base.ln()).exp()
}

fn one_at_a_time(columns: &Columns, calls: &mut [f64], puts: &mut [f64]) {
    for at in 0..OPTIONS {
        let (spot, strike, volatility) = (columns.spot[at], columns.strike[at], columns.volatility[at]);
        let terms = PerpetualTerms { spot, strike, volatility, period: columns.period[at], interest: 0.0 };
        let option: Perpetual = terms.check().expect("in range");
        (calls[at], puts[at]) = option.prices();
    }
}

fn dated_one_at_a_time(columns: &Columns, calls: &mut [f64], puts: &mut [f64]) {
    for at in 0..OPTIONS {
        let (forward, strike, volatility) = (columns.spot[at], columns.strike[at], columns.volatility[at]);
        let (years, discount) = (columns.period[at], columns.discount[at]);
        let option: Dated = DatedTerms { forward, strike, volatility, years, discount }.check().expect("in range");
        (calls[at], puts[at]) = option.prices();
    }
}

/// Nanoseconds per option.
fn time(calls: &mut [f64], puts: &mut [f64], mut run: impl FnMut(&mut [f64], &mut [f64])) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        run(black_box(calls), black_box(puts));
        best = best.min(start.elapsed().as_secs_f64());
    }
    best * 1e9 / OPTIONS as f64
}

fn line(what: &str, ns: f64, baseline: f64) {
    println!("  {what:<44} {ns:>6.2} ns an option, {:>5.2} times as fast as the first", baseline / ns);
}

/// A chain as it stands on a screen: strikes from half to twice the spot, 20 to 150 %, an hour to a year.
fn columns() -> Columns {
    let mut random = Random(11);
    let mut column = |low: f64, high: f64| (0..OPTIONS).map(|_| low + (high - low) * random.unit()).collect();
    Columns {
        spot: column(55_000.0, 65_000.0),
        strike: column(30_000.0, 120_000.0),
        volatility: column(0.2, 1.5),
        period: column(1.0 / 8760.0, 1.0),
        discount: column(0.9, 1.0),
    }
}

struct Random(u64);

impl Random {
    /// From 0 to 1, by exact operations only.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as f64 / 4_294_967_296.0
    }
}

/// FNV-1a over the bits.
fn digest(start: u64, values: &[f64]) -> u64 {
    let bytes = values.iter().flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(start ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn features() -> String {
    let known = [
        ("avx512f", cfg!(target_feature = "avx512f")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("fma", cfg!(target_feature = "fma")),
        ("sse4.2", cfg!(target_feature = "sse4.2")),
        ("sse2", cfg!(target_feature = "sse2")),
        ("neon", cfg!(target_feature = "neon")),
    ];
    let on: Vec<&str> = known.into_iter().filter_map(|(name, on)| on.then_some(name)).collect();
    if on.is_empty() { "none of those named".to_owned() } else { on.join(" ") }
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(':').nth(1));
    name.map_or("unknown processor", str::trim).to_owned()
}
