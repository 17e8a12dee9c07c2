//! Every published Binance ladder, where the data folder lies beside the repository (it is not shipped).

use crate::number::{m, r};
use crate::vectors::root;
use plimsoll_rules::TierTable;
use serde_json::Value;
use std::fs;
use std::io::Write;
use units::{Money, Rate};

/// Money that may be written with an exponent: 2.80463E7.
fn money(text: &str) -> Money {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return m(text) };
    let exponent: u32 = exponent.parse().unwrap();
    m(mantissa).share(10i128.pow(exponent), 1, units::Round::Down)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Rows are [floor, cap, maintenance rate, greatest leverage, cum].
fn check(symbol: &str, rows: &[Value]) {
    let mut steps = Vec::new();
    for row in rows {
        let leverage: i64 = row[3].to_string().parse().unwrap();
        let initial = Rate::new((1_000_000_000 + leverage - 1) / leverage).unwrap();
        steps.push((money(&text(&row[1])), initial, r(&text(&row[2]))));
    }
    let table = TierTable::derive(&steps).unwrap_or_else(|error| panic!("{symbol}: {error}"));
    for (tier, row) in table.tiers().iter().zip(rows) {
        assert_eq!(tier.floor, money(&text(&row[0])), "{symbol}: floor");
        assert_eq!(tier.deduction, money(&text(&row[4])), "{symbol}: cum at {}", tier.floor);
    }
}

#[test]
fn published_cums_are_the_derived_deductions() {
    let folder = root().join("../shared/data/tiers");
    if !folder.is_dir() {
        // Not println!, which the test harness hides when a test passes.
        writeln!(std::io::stderr(), "skipped: ../shared/data absent, published ladders not compared").unwrap();
        return;
    }
    let read = |name: &str| -> Value { serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    let mut count = 0;
    let all = read("binance_tiers_all_2026-09-29.json");
    let history = read("binance_tiers_history_6syms.json");
    let days = history.as_object().unwrap().values().chain([&all["symbols"]]);
    for (symbol, rows) in days.flat_map(|day| day.as_object().unwrap()) {
        check(symbol, rows.as_array().unwrap());
        count += 1;
    }
    assert!(count > 900, "only {count} ladders were found");
}
