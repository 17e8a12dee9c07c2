//! `rulebooks/plimsoll/vectors/options.json`: values with 50 digits, given ones and a sweep made by the script beside them.
//!
//! Prices must be met to 1e-12 where they are a millionth of the strike or more, and to 1e-18 of the strike below; greeks as said at
//! each.

use super::{dated, error_of_price, perpetual};
use crate::vectors::root;
use plimsoll_rules::options::{DatedGreeks, PerpetualGreeks, Right};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    given: Given,
    columns: Vec<String>,
    perpetual: Vec<Vec<String>>,
    dated: Vec<Vec<String>>,
}

type Row = BTreeMap<String, serde_json::Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    everlasting: Vec<Row>,
    everlasting_with_rate: Vec<Row>,
    black76: Vec<Row>,
}

fn file() -> File {
    let text = fs::read_to_string(root().join("rulebooks/plimsoll/vectors/options.json")).unwrap();
    let file: File = serde_json::from_str(&text).unwrap();
    assert_eq!(file.schema, "plimsoll.options/1");
    let columns = "spot strike volatility hours interest|discount call put delta_call gamma vega";
    assert_eq!(file.columns.join(" "), columns);
    file
}

/// The worst of many errors, each a part of what is allowed for its figure, by figure.
#[derive(Default)]
struct Worst(BTreeMap<&'static str, (f64, String)>);

impl Worst {
    fn see(&mut self, figure: &'static str, error: f64, case: &str) {
        let worst = self.0.entry(figure).or_insert((0.0, String::new()));
        // A NaN is worse than all.
        if error.is_nan() || error > worst.0 {
            *worst = (error, case.to_owned());
        }
    }

    /// None above `part` of what is allowed: what is far better than promised shall stay so.
    fn assert(&self, what: &str, figures: usize, part: f64) {
        println!("{what}: error as a part of what is allowed");
        for (figure, (error, case)) in &self.0 {
            println!("  {figure:<10} {error:.4} at {case}");
        }
        assert_eq!(self.0.len(), figures, "{:?}", self.0.keys());
        let bad: Vec<_> = self.0.iter().filter(|(_, (error, _))| error.is_nan() || *error > part).collect();
        assert!(bad.is_empty(), "{what}: {bad:?}");
    }
}

/// Relative error over 1e-12, where the figure times `scale` is not below a millionth; a millionth stands for what is smaller.
fn relative(ours: f64, exact: f64, scale: f64) -> f64 {
    (ours - exact).abs() / (1e-12 * exact.abs().max(1e-6 / scale))
}

fn number(row: &Row, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| row[key].as_str().unwrap().parse().unwrap())
}

/// Spot, strike, volatility, hours, extra, call, put, delta, gamma, vega.
fn numbers(row: &[String]) -> [f64; 10] {
    let numbers: Vec<f64> = row.iter().map(|text| text.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

fn see_perpetual(worst: &mut Worst, case: &str, terms: [f64; 5], call: f64, put: f64) -> [PerpetualGreeks; 2] {
    let [spot, strike, volatility, period, interest] = terms;
    let option = perpetual(spot, strike, volatility, period, interest);
    worst.see("call", error_of_price(option.price(Right::Call), call, strike), case);
    worst.see("put", error_of_price(option.price(Right::Put), put, strike), case);
    [option.greeks(Right::Call), option.greeks(Right::Put)]
}

fn given_perpetual(file: &File) -> [Worst; 2] {
    let (mut worst, mut rated) = (Worst::default(), Worst::default());
    for row in &file.given.everlasting {
        let of = |key| number(row, key);
        let (spot, strike) = (of("S"), of("K"));
        let case = format!("{spot} {strike} {} {}", of("sigma"), of("T_days"));
        let terms = [spot, strike, of("sigma"), of("T_days") / 365.0, 0.0];
        let [call, put] = see_perpetual(&mut worst, &case, terms, of("call"), of("put"));
        let time_value = perpetual(spot, strike, of("sigma"), of("T_days") / 365.0, 0.0).time_value(Right::Call);
        worst.see("time value", (time_value / of("time_value") - 1.0).abs() / 1e-12, &case);
        worst.see("delta call", (call.delta - of("delta_call")).abs() / 1e-13, &case);
        worst.see("delta put", (put.delta - of("delta_put")).abs() / 1e-13, &case);
        worst.see("gamma", relative(call.gamma, of("gamma"), spot), &case);
        worst.see("vega", relative(call.vega, of("vega_per_1_00_vol"), 1.0 / spot), &case);
        worst.see("funding", (put.funding / 365.0 / of("funding_per_day") - 1.0).abs() / 1e-12, &case);
    }
    for row in &file.given.everlasting_with_rate {
        let of = |key| number(row, key);
        let terms = [of("S"), of("K"), of("sigma"), of("T_days") / 365.0, of("r")];
        let [call, _] = see_perpetual(&mut rated, &format!("{terms:?}"), terms, of("call"), of("put"));
        rated.see("delta call", (call.delta - of("delta_call")).abs() / 1e-13, "");
        rated.see("gamma", relative(call.gamma, of("gamma"), of("S")), "");
    }
    [worst, rated]
}

fn given_dated(file: &File) -> Worst {
    let mut worst = Worst::default();
    for row in &file.given.black76 {
        let of = |key| number(row, key);
        let case = format!("{} {} {} {}", of("F"), of("K"), of("sigma"), of("t_days"));
        let option = dated(of("F"), of("K"), of("sigma"), of("t_days") / 365.0, of("discount"));
        worst.see("call", error_of_price(option.price(Right::Call), of("call"), of("K")), &case);
        worst.see("put", error_of_price(option.price(Right::Put), of("put"), of("K")), &case);
        let (call, put) = (option.greeks(Right::Call), option.greeks(Right::Put));
        worst.see("delta call", (call.delta - of("fwd_delta_call")).abs() / 1e-13, &case);
        worst.see("delta put", (put.delta - of("fwd_delta_put")).abs() / 1e-13, &case);
        worst.see("gamma", relative(call.gamma, of("gamma_fwd"), of("F")), &case);
        worst.see("vega", relative(put.vega, of("vega_per_1_00_vol"), 1.0 / of("F")), &case);
    }
    worst
}

fn swept_perpetual(file: &File) -> [Worst; 2] {
    let (mut plain, mut rated) = (Worst::default(), Worst::default());
    for row in &file.perpetual {
        let [spot, strike, volatility, hours, interest, call, put, delta, gamma, vega] = numbers(row);
        let case = row[..5].join(" ");
        let worst = if interest == 0.0 { &mut plain } else { &mut rated };
        let terms = [spot, strike, volatility, hours / 8760.0, interest];
        let ours = see_perpetual(worst, &case, terms, call, put);
        for (greeks, delta) in ours.iter().zip([delta, delta - 1.0]) {
            worst.see("delta", (greeks.delta - delta).abs() / 1e-13, &case);
            worst.see("gamma", relative(greeks.gamma, gamma, spot), &case);
            worst.see("vega", relative(greeks.vega, vega, 1.0 / strike), &case);
        }
    }
    [plain, rated]
}

fn swept_dated(file: &File) -> Worst {
    let mut worst = Worst::default();
    for row in &file.dated {
        let [forward, strike, volatility, hours, discount, call, put, delta, gamma, vega] = numbers(row);
        let case = row[..5].join(" ");
        let option = dated(forward, strike, volatility, hours / 8760.0, discount);
        worst.see("call", error_of_price(option.price(Right::Call), call, strike), &case);
        worst.see("put", error_of_price(option.price(Right::Put), put, strike), &case);
        for (right, delta) in [(Right::Call, delta), (Right::Put, delta - discount)] {
            let DatedGreeks { delta: ours, gamma: curved, vega: steep, .. } = option.greeks(right);
            worst.see("delta", (ours - delta).abs() / 1e-13, &case);
            worst.see("gamma", relative(curved, gamma, forward), &case);
            worst.see("vega", relative(steep, vega, 1.0 / strike), &case);
        }
    }
    worst
}

#[test]
fn given_options_are_met() {
    let file = file();
    let [plain, rated] = given_perpetual(&file);
    plain.assert("given perpetual options", 8, 0.05);
    rated.assert("given perpetual options with interest", 4, 0.05);
    given_dated(&file).assert("given dated options", 6, 0.05);
    let Given { everlasting, everlasting_with_rate, black76 } = &file.given;
    assert_eq!([everlasting.len(), everlasting_with_rate.len(), black76.len()], [26, 7, 26]);
}

#[test]
fn options_are_met_over_the_whole_range() {
    let file = file();
    let [plain, rated] = swept_perpetual(&file);
    plain.assert("perpetual options without interest", 5, 0.05);
    rated.assert("perpetual options with interest", 5, 1.0);
    swept_dated(&file).assert("dated options", 5, 0.05);
    assert!(file.perpetual.len() > 1200 && file.dated.len() > 800, "{} {}", file.perpetual.len(), file.dated.len());
}

/// A row of `docs/conformance.md`: what was compared, how many options, and the worst errors of prices, deltas, other figures.
pub fn table() -> Vec<[String; 5]> {
    let file = file();
    let [given, given_rated] = given_perpetual(&file);
    let [plain, rated] = swept_perpetual(&file);
    let is_plain = |row: &&Vec<String>| row[4] == "0.0";
    let swept = file.perpetual.iter().filter(is_plain).count();
    let rows = [
        ("given: perpetual, no interest", file.given.everlasting.len(), given),
        ("given: perpetual, interest", file.given.everlasting_with_rate.len(), given_rated),
        ("given: dated", file.given.black76.len(), given_dated(&file)),
        ("own: perpetual, no interest", swept, plain),
        ("own: perpetual, interest", file.perpetual.len() - swept, rated),
        ("own: dated", file.dated.len(), swept_dated(&file)),
    ];
    let cells = rows.map(|(what, count, worst)| {
        // Errors are parts of what is allowed, 1e-12 of prices and greeks and 1e-13 of deltas.
        let of = |named: &dyn Fn(&str) -> bool, allowed: f64| {
            let errors = worst.0.iter().filter(|(figure, _)| named(figure)).map(|(_, (error, _))| *error);
            format!("{:.1e}", errors.fold(0.0, f64::max) * allowed)
        };
        let price = |figure: &str| figure == "call" || figure == "put";
        let delta = |figure: &str| figure.starts_with("delta");
        let other = |figure: &str| !price(figure) && !delta(figure);
        [what.to_owned(), count.to_string(), of(&price, 1e-12), of(&delta, 1e-13), of(&other, 1e-12)]
    });
    cells.to_vec()
}
