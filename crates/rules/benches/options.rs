//! What a perpetual option's price costs: one at a time with the system's mathematics, one at a time with ours, many side by side.
//!
//! `cargo bench -p plimsoll-rules --bench options`, and again with `RUSTFLAGS="-C target-cpu=native"`: the bits are the same, and more of them
//! are made at once. Wall clock, the best of 30 rounds over 100,000 options; the three take turns.
//!
//! Estimate: five divisions, two polynomials and a root, some 70 operations in a chain of perhaps 150 cycles: 50 ns alone; side by side
//! the divisions are what is left, two at a time 10 ns.
#![allow(missing_docs)]

use plimsoll_rules::{OptionPair, PerpetualOption, perpetual_prices};
use std::time::Instant;

const COUNT: usize = 100_000;

fn main() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |m| m.1);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{model}, load {}, compiled for {}", load.split(' ').next().unwrap_or("?"), features());
    let mut state = 7_u64;
    let mut unit = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from_bits(0x3ff0_0000_0000_0000 | (state >> 12)) - 1.0
    };
    let mut column = |from: f64, width: f64| (0..COUNT).map(|_| from + width * unit()).collect::<Vec<f64>>();
    let (spot, strike) = (column(50_000.0, 20_000.0), column(50_000.0, 20_000.0));
    let (volatility, period) = (column(0.3, 1.2), column(0.002, 0.1));
    let mut values = vec![OptionPair::default(); COUNT];
    let mut best = [f64::INFINITY; 4];
    let options: Vec<PerpetualOption> = (0..COUNT)
        .map(|at| PerpetualOption {
            spot: spot[at],
            strike: strike[at],
            volatility: volatility[at],
            period: period[at],
            rate: 0.0,
        })
        .collect();
    for _ in 0..30 {
        let mut time = |slot: usize, run: &mut dyn FnMut()| {
            let begin = Instant::now();
            run();
            best[slot] = best[slot].min(begin.elapsed().as_nanos() as f64 / COUNT as f64);
        };
        time(0, &mut || {
            for (value, option) in values.iter_mut().zip(&options) {
                *value = system(option);
            }
            std::hint::black_box(&values);
        });
        let by_system = values[COUNT / 2].call;
        time(1, &mut || {
            for (value, option) in values.iter_mut().zip(&options) {
                *value = option.value().expect("a good option");
            }
            std::hint::black_box(&values);
        });
        let alone = values.clone();
        time(2, &mut || {
            perpetual_prices(&spot, &strike, &volatility, &period, &mut values);
            std::hint::black_box(&values);
        });
        assert_eq!(alone, values, "one at a time and side by side");
        assert!((by_system / values[COUNT / 2].call - 1.0).abs() < 1e-9);
        time(3, &mut || {
            for option in &options {
                std::hint::black_box(option.terms().expect("a good option"));
            }
        });
    }
    let [system, alone, side, terms] = best;
    println!("| what | ns an option | × the system's |");
    println!("| --- | ---: | ---: |");
    println!("| call and put, the system's mathematics, one at a time | {system:.1} | 1.0 |");
    println!("| call and put, one at a time, inputs checked | {alone:.1} | {:.1} |", system / alone);
    println!("| call and put, side by side | {side:.1} | {:.1} |", system / side);
    println!("| call, put and greeks, one at a time | {terms:.1} | – |");
}

/// The same formula with the mathematics of the standard library.
fn system(o: &PerpetualOption) -> OptionPair {
    let u = (1.0 + 8.0 / (o.volatility * o.volatility * o.period)).sqrt();
    let exponent = if o.spot >= o.strike { (1.0 - u) / 2.0 } else { (1.0 + u) / 2.0 };
    let time = o.strike / u * (o.spot / o.strike).powf(exponent);
    let intrinsic = o.spot - o.strike;
    OptionPair { call: intrinsic.max(0.0) + time, put: (-intrinsic).max(0.0) + time }
}

fn features() -> &'static str {
    if cfg!(target_feature = "avx512f") {
        "AVX-512"
    } else if cfg!(target_feature = "avx2") {
        "AVX2"
    } else {
        "any x86-64, or another machine"
    }
}
