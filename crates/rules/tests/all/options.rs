//! Option values and greeks against numbers with 25 digits, by what must hold of any, and to the bit.

use plimsoll_rules::{
    DatedOption, OptionError, OptionKind, OptionPair, OptionTerms, PerpetualOption, Quoted, option_price,
    perpetual_prices,
};
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;
use units::{Price, Round};

/// From here up, of the strike, a value has [`DIGITS`]; below it is off by less than [`ABSOLUTE`] of the strike.
const TOLD: f64 = 1e-6;
const DIGITS: f64 = 1e-12;
const ABSOLUTE: f64 = 1e-18;

fn rows(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["schema"], "plimsoll.options/1");
    whole["rows"].as_array().unwrap().clone()
}

fn number(row: &Value, name: &str) -> f64 {
    let text = row[name].as_str().unwrap_or_else(|| panic!("{name} of {row}"));
    text.parse().unwrap_or_else(|_| panic!("{name} of {row}"))
}

/// Years, from days where the row has days.
fn years(row: &Value, name: &str) -> f64 {
    if row["days"].is_null() { number(row, name) } else { number(row, "days") / 365.0 }
}

fn dated(row: &Value) -> DatedOption {
    DatedOption {
        forward: number(row, "forward"),
        strike: number(row, "strike"),
        volatility: number(row, "volatility"),
        time: years(row, "time"),
        discount: number(row, "discount"),
    }
}

fn perpetual(row: &Value) -> PerpetualOption {
    PerpetualOption {
        spot: number(row, "spot"),
        strike: number(row, "strike"),
        volatility: number(row, "volatility"),
        period: years(row, "period"),
        rate: number(row, "rate"),
    }
}

/// The largest relative error of what is large enough to be told.
#[derive(Debug, Default)]
struct Worst {
    rows: usize,
    told: usize,
    value: f64,
    delta: f64,
    gamma: f64,
    vega: f64,
}

impl Worst {
    /// A value: relative where it is told, absolute elsewhere.
    fn value(&mut self, ours: f64, row: &Value, name: &str, strike: f64) {
        let theirs = number(row, name);
        if theirs >= TOLD * strike {
            self.told += 1;
            let off = (ours - theirs).abs() / theirs;
            assert!(off <= DIGITS, "{name}: {ours} is off by {off:e}: {row}");
            self.value = self.value.max(off);
        } else {
            let off = (ours - theirs).abs() / strike;
            assert!(ours >= 0.0 && off <= ABSOLUTE, "{name}: {ours} is off by {off:e} of the strike: {row}");
        }
    }

    /// A greek: relative where it is at least a millionth of its usual size, absolute in that size elsewhere.
    fn greek(slot: &mut f64, ours: f64, row: &Value, name: &str, size: f64) {
        if row[name].is_null() {
            return;
        }
        let theirs = number(row, name);
        let off = (ours - theirs).abs() / theirs.abs().max(TOLD * size);
        assert!(off <= 1e-11, "{name}: {ours} for {theirs} is off by {off:e}: {row}");
        *slot = slot.max(off);
    }

    fn terms(&mut self, ours: &OptionTerms, row: &Value, (underlying, strike, spread): (f64, f64, f64)) {
        self.rows += 1;
        self.value(ours.value.call, row, "call", strike);
        self.value(ours.value.put, row, "put", strike);
        Self::greek(&mut self.delta, ours.delta.call, row, "delta_call", 1.0);
        Self::greek(&mut self.delta, ours.delta.put, row, "delta_put", 1.0);
        Self::greek(&mut self.gamma, ours.gamma, row, "gamma", 1.0 / (underlying * spread));
        Self::greek(&mut self.vega, ours.vega, row, "vega", strike);
    }
}

fn compared(file: &str) -> (Worst, Worst) {
    let (mut of_dated, mut of_perpetual) = (Worst::default(), Worst::default());
    for row in rows(file) {
        match row["kind"].as_str().unwrap() {
            "dated" => {
                let option = dated(&row);
                let spread = option.volatility * option.time.sqrt();
                let terms = option.terms().unwrap();
                assert_eq!(terms.value, option.value().unwrap());
                of_dated.terms(&terms, &row, (option.forward, option.strike, spread));
            }
            "perpetual" => {
                let option = perpetual(&row);
                let spread = option.volatility * option.period.sqrt();
                let terms = option.terms().unwrap();
                assert_eq!(terms.value, option.value().unwrap());
                of_perpetual.terms(&terms, &row, (option.spot, option.strike, spread));
                if !row["funding_per_day"].is_null() {
                    let theirs = number(&row, "funding_per_day") * 365.0;
                    let ours = option.funding().unwrap();
                    // A difference to the payoff: as exact as the value.
                    let size = terms.value.call.max(terms.value.put) / option.period;
                    assert!((ours.call - theirs).abs() <= 1e-12 * size, "funding {ours:?} for {theirs}: {row}");
                }
            }
            other => panic!("a row of kind {other}"),
        }
    }
    (of_dated, of_perpetual)
}

#[test]
fn options_have_the_given_values() {
    let (dated, perpetual) = compared("options_given.json");
    println!("given, dated {dated:?}\ngiven, perpetual {perpetual:?}");
    assert_eq!((dated.rows, perpetual.rows), (26, 33));
}

/// Volatility from 1 % to 500 %, an hour to a year, a thousandfold moneyness either way.
#[test]
fn options_have_twelve_digits_over_their_domain() {
    let (dated, perpetual) = compared("options.json");
    println!("domain, dated {dated:?}\ndomain, perpetual {perpetual:?}");
    assert_eq!((dated.rows, perpetual.rows), (350, 395));
    assert!(dated.told > 400 && perpetual.told > 500);
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        f64::from_bits(0x3ff0_0000_0000_0000 | (z >> 12)) - 1.0
    }
}

/// Every machine gives these bits, one at a time and side by side.
#[test]
fn options_have_the_same_bits_everywhere() {
    let mut random = Random(7);
    let count = 100_000;
    let mut column = |scale: &dyn Fn(f64) -> f64| (0..count).map(|_| scale(random.unit())).collect::<Vec<f64>>();
    let spot = column(&|x| 100.0 + 99_900.0 * x);
    let strike = column(&|x| 100.0 + 99_900.0 * x);
    let volatility = column(&|x| 0.01 + 4.99 * x);
    let period = column(&|x| 0.000_115 + x);
    let mut side_by_side = vec![OptionPair::default(); count];
    assert_eq!(perpetual_prices(&spot, &strike, &volatility, &period, &mut side_by_side), count);
    let mut hash = blake3::Hasher::new();
    for at in 0..count {
        let option = PerpetualOption {
            spot: spot[at],
            strike: strike[at],
            volatility: volatility[at],
            period: period[at],
            rate: 0.0,
        };
        let alone = option.value().unwrap();
        let bits = |pair: OptionPair| (pair.call.to_bits(), pair.put.to_bits());
        assert_eq!(bits(alone), bits(side_by_side[at]), "{option:?}");
        let terms = PerpetualOption { rate: 0.05, ..option }.terms().unwrap();
        let dated = DatedOption {
            forward: spot[at],
            strike: strike[at],
            volatility: volatility[at],
            time: period[at],
            discount: 0.99,
        };
        for terms in [terms, dated.terms().unwrap()] {
            let OptionTerms { value, delta, gamma, vega } = terms;
            for number in [value.call, value.put, delta.call, delta.put, gamma, vega, alone.call, alone.put] {
                hash.update(&number.to_bits().to_le_bytes());
            }
        }
    }
    let found = hash.finalize().to_hex();
    assert_eq!(found.as_str(), BITS, "hint: a compiler or a formula changed what is computed; both are faults here");
}

const BITS: &str = "53a1e54b64a02addea50142ff05a6800aa14888d098ab934626db2b60f666608";

fn pairs() -> impl Strategy<Value = (f64, f64, f64, f64)> {
    (1.0..200_000.0_f64, 0.05..20.0_f64, 0.01..5.0_f64, 0.0002..1.0_f64).prop_map(|(k, m, v, t)| (k * m, k, v, t))
}

proptest! {
    /// C − P = S − K ÷ (1 + rT), and D (F − K) of dated ones.
    #[test]
    fn options_keep_parity((s, k, v, t) in pairs(), r in -0.2..0.5_f64) {
        let pair = PerpetualOption { spot: s, strike: k, volatility: v, period: t, rate: r }.value().unwrap();
        let parity = s - k / (1.0 + r * t);
        prop_assert!((pair.call - pair.put - parity).abs() <= 1e-14 * (s + k), "{pair:?} {parity}");
        let pair = DatedOption { forward: s, strike: k, volatility: v, time: t, discount: 0.9 }.value().unwrap();
        prop_assert!((pair.call - pair.put - 0.9 * (s - k)).abs() <= 1e-14 * (s + k), "{pair:?}");
    }

    /// Without interest what a holder pays is ½ σ² S² gamma, and never less than nothing.
    #[test]
    fn options_pay_funding_for_their_gamma((s, k, v, t) in pairs()) {
        let option = PerpetualOption { spot: s, strike: k, volatility: v, period: t, rate: 0.0 };
        let (terms, funding) = (option.terms().unwrap(), option.funding().unwrap());
        let of_gamma = 0.5 * v * v * s * s * terms.gamma;
        prop_assert!((funding.call - of_gamma).abs() <= 1e-13 * (s + k) / t, "{funding:?} {of_gamma}");
        prop_assert!((funding.put - of_gamma).abs() <= 1e-13 * (s + k) / t, "{funding:?} {of_gamma}");
        prop_assert!(funding.call >= -1e-13 * (s + k) / t);
    }

    /// More for a higher price, never by more than the price; less by less; more for more volatility; convex.
    #[test]
    fn options_are_monotone_and_convex((s, k, v, t) in pairs(), up in 1.0001..2.0_f64, is_dated: bool) {
        let at = |s: f64, v: f64| -> OptionPair {
            if is_dated {
                DatedOption { forward: s, strike: k, volatility: v, time: t, discount: 1.0 }.value().unwrap()
            } else {
                PerpetualOption { spot: s, strike: k, volatility: v, period: t, rate: 0.0 }.value().unwrap()
            }
        };
        let slack = 1e-14 * (s * up * up + k);
        let (low, middle, high) = (at(s, v), at(s * up, v), at(s * up * up, v));
        prop_assert!(middle.call >= low.call - slack && middle.put <= low.put + slack);
        prop_assert!(middle.call - low.call <= s * up - s + slack);
        // The middle lies below the line between the ends.
        let weight = 1.0 / (1.0 + up);
        prop_assert!(middle.call <= low.call * (1.0 - weight) + high.call * weight + slack);
        let more = at(s, v * up.min(2.0));
        prop_assert!(more.call >= low.call - slack && more.put >= low.put - slack);
        prop_assert!(low.call >= (s - k).max(0.0) - slack && low.put >= (k - s).max(0.0) - slack);
    }

    /// A price leads back to its volatility, as far as the price tells it.
    #[test]
    fn options_lead_back_to_their_volatility((s, k, v, t) in pairs(), call: bool, is_dated: bool) {
        let kind = if call { OptionKind::Call } else { OptionKind::Put };
        let dated = DatedOption { forward: s, strike: k, volatility: v, time: t, discount: 0.97 };
        let perpetual = PerpetualOption { spot: s, strike: k, volatility: v, period: t, rate: 0.0 };
        let terms = if is_dated { dated.terms() } else { perpetual.terms() }.unwrap();
        let price = terms.value.of(kind);
        prop_assume!(terms.vega * v > 1e-6 * k);
        let found = if is_dated {
            Quoted { option: dated, kind, price }.volatility()
        } else {
            Quoted { option: perpetual, kind, price }.volatility()
        };
        // What one bit of price and strike is worth in volatility.
        let told = 1e-14 * (s + k) / terms.vega + 1e-13 * v;
        prop_assert!((found.unwrap() - v).abs() <= told, "{found:?} for {v}");
    }

    /// On the tick, on the side that was asked for, and within one of it.
    #[test]
    fn option_values_become_prices(value in 0.0..1e6_f64, tick in prop::sample::select(vec!["0.00000001", "0.01", "0.5", "5"])) {
        let tick: Price = tick.parse().unwrap();
        let units = value * 1e8;
        for round in [Round::Down, Round::TowardZero, Round::Up] {
            let price = option_price(value, tick, round).unwrap();
            prop_assert_eq!(price.units() % tick.units(), 0);
            let off = price.units() as f64 - units;
            let step = tick.units() as f64;
            match round {
                Round::Up => prop_assert!((-0.5..step + 0.5).contains(&off), "{} {}", off, step),
                Round::Down | Round::TowardZero => prop_assert!(off > -step - 0.5 && off <= 0.5, "{} {}", off, step),
            }
        }
    }
}

#[test]
fn bad_options_are_refused() {
    let good = PerpetualOption { spot: 100.0, strike: 100.0, volatility: 0.5, period: 0.02, rate: 0.0 };
    let dated = DatedOption { forward: 100.0, strike: 100.0, volatility: 0.5, time: 0.02, discount: 1.0 };
    for (option, why) in [
        (PerpetualOption { spot: 0.0, ..good }, OptionError::Underlying),
        (PerpetualOption { spot: f64::NAN, ..good }, OptionError::Underlying),
        (PerpetualOption { spot: f64::INFINITY, ..good }, OptionError::Underlying),
        (PerpetualOption { strike: -1.0, ..good }, OptionError::Strike),
        (PerpetualOption { strike: 1e-9, ..good }, OptionError::Moneyness),
        (PerpetualOption { volatility: -0.1, ..good }, OptionError::Volatility),
        (PerpetualOption { volatility: 11.0, ..good }, OptionError::Volatility),
        (PerpetualOption { volatility: f64::NAN, ..good }, OptionError::Volatility),
        (PerpetualOption { period: 0.0, ..good }, OptionError::Time),
        (PerpetualOption { period: 11.0, ..good }, OptionError::Time),
        (PerpetualOption { rate: 2.0, ..good }, OptionError::Rate),
        (PerpetualOption { rate: -1.0, period: 1.0, ..good }, OptionError::Rate),
    ] {
        assert_eq!(option.value(), Err(why), "{option:?}");
        assert_eq!(option.terms(), Err(why), "{option:?}");
        assert!(!why.to_string().is_empty());
    }
    for (option, why) in [
        (DatedOption { forward: 0.0, ..dated }, OptionError::Underlying),
        (DatedOption { strike: f64::NAN, ..dated }, OptionError::Strike),
        (DatedOption { time: -0.001, ..dated }, OptionError::Time),
        (DatedOption { discount: 0.0, ..dated }, OptionError::Rate),
    ] {
        assert_eq!(option.value(), Err(why), "{option:?}");
    }
    // Nothing to come is the payoff.
    for option in [DatedOption { volatility: 0.0, ..dated }, DatedOption { time: 0.0, ..dated }] {
        let inside = DatedOption { forward: 110.0, ..option }.terms().unwrap();
        assert_eq!((inside.value.call, inside.value.put, inside.delta.call, inside.vega), (10.0, 0.0, 1.0, 0.0));
    }
    let still = PerpetualOption { volatility: 0.0, spot: 90.0, ..good }.terms().unwrap();
    assert_eq!((still.value.call, still.value.put, still.delta.put), (0.0, 10.0, -1.0));
    // Interest makes a call worth less than its payoff now: then the short pays.
    let carried = PerpetualOption { spot: 200.0, rate: -0.5, period: 1.0, ..good };
    assert!(carried.funding().unwrap().call < 0.0);
    let quoted = |price| Quoted { option: good, kind: OptionKind::Call, price }.volatility();
    assert_eq!(quoted(101.0), Err(OptionError::NoVolatility));
    assert_eq!(quoted(f64::NAN), Err(OptionError::NoVolatility));
    assert!((quoted(good.value().unwrap().call).unwrap() - 0.5).abs() < 1e-12);
    let past = Quoted { option: DatedOption { time: 0.0, ..dated }, kind: OptionKind::Call, price: 1.0 };
    assert_eq!(past.volatility(), Err(OptionError::Time));
    let tick: Price = "0.01".parse().unwrap();
    for value in [-1.0, f64::NAN, f64::INFINITY, 1e12] {
        assert_eq!(option_price(value, tick, Round::Down), Err(OptionError::OutOfRange), "{value}");
    }
    assert_eq!(option_price(1_761.865_594_6, "0.5".parse().unwrap(), Round::Up), Ok(Price::whole(1_762)));
}
