//! Several runs side by side, and the settings of all of them.

use super::chart::{Ink, Size, Span, escape, place, tick};
use super::data::Run;
use super::figures::{cut, figure, moments, over_time, rows, twice};
use super::table::{folded, open};
use super::words::{amount, interest, named, share, sum, term};
use crate::replay::table::count;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const INKS: [&str; 6] = ["c-v0", "c-v1", "c-v2", "c-v3", "c-v4", "c-v5"];

/// Key, the number, and how it is written.
type Row = (&'static str, fn(&Run) -> f64, fn(&Run) -> String);

const ROWS: [Row; 12] = [
    ("below", |r| place_of(r.total.counts.below_line), |r| count(r.total.counts.below_line)),
    ("share", |r| r.total.counts.forced() / interest(r), |r| share(r.total.counts.forced(), interest(r))),
    ("book", |r| r.total.counts.reduced.notional.f(), |r| amount(&r.total.counts.reduced.notional)),
    ("volunteers", |r| r.total.counts.backstop.notional.f(), |r| amount(&r.total.counts.backstop.notional)),
    ("fund-took", |r| r.total.counts.taken_over.notional.f(), |r| amount(&r.total.counts.taken_over.notional)),
    ("adl", |r| r.total.counts.deleveraged.notional.f(), |r| amount(&r.total.counts.deleveraged.notional)),
    ("receipts", |r| place_of(r.total.adl_receipts), |r| count(r.total.adl_receipts)),
    ("broken", |r| place_of(r.total.counts.hedges_broken.steps), |r| count(r.total.counts.hedges_broken.steps)),
    ("fund-low", |r| r.total.fund.low.f(), |r| amount(&r.total.fund.low)),
    ("fund-paid", |r| r.total.fund.paid.f(), |r| amount(&r.total.fund.paid)),
    ("deficits", |r| r.total.deficits.f(), |r| amount(&r.total.deficits)),
    (
        "slippage",
        |r| r.total.counts.slippage.f() + r.total.counts.unwind_slippage.f(),
        |r| sum([&r.total.counts.slippage, &r.total.counts.unwind_slippage]),
    ),
];

fn place_of(n: u64) -> f64 {
    place(usize::try_from(n).unwrap_or(usize::MAX))
}

/// Rows are figures, columns are runs; each says its difference to the first.
pub fn section(runs: &[Run]) -> String {
    let mut head = vec![named("difference", "figure")];
    head.extend(runs.iter().map(|r| escape(&r.variant)));
    let row = |(key, number, text): &Row| {
        let base = runs.first().map_or(0.0, number);
        let cell = |(at, run): (usize, &Run)| {
            let change = number(run) / base - 1.0;
            let sign = if change > 0.0 { "+" } else { "" };
            let small = match (at, base == 0.0) {
                (0, _) | (_, true) => String::new(),
                _ => format!("<small>{sign}{}</small>", share(change, 1.0)),
            };
            format!("{}{small}", text(run))
        };
        std::iter::once(term(key)).chain(runs.iter().enumerate().map(cell)).collect()
    };
    let rows: Vec<Vec<String>> = ROWS.iter().map(row).collect();
    let said = if runs.windows(2).all(|pair| matches!(pair, [a, b] if alike(a, b))) {
        "The same accounts and prices under each variant; below each figure its difference to the first"
    } else {
        "NOT the same accounts or prices under each variant; below each figure its difference to the first"
    };
    let table = open(said, &head, &rows);
    format!("<section><h2 id=\"compare\">Comparison</h2>{table}{}</section>", fund(runs))
}

/// Began with the same accounts and went through the same prices.
fn alike(a: &Run, b: &Run) -> bool {
    let prices = |run: &Run| -> Vec<String> {
        run.series.markets.iter().flat_map(|m| &m.index).map(|price| price.0.clone()).collect()
    };
    a.population.get("digest") == b.population.get("digest") && a.series.at == b.series.at && prices(a) == prices(b)
}

fn fund(runs: &[Run]) -> String {
    if runs.windows(2).any(|pair| matches!(pair, [a, b] if a.series.at != b.series.at)) {
        return "<p>The variants have different times: the fund of each is drawn under its own figures.</p>".to_owned();
    }
    let Some(first) = runs.first() else { return String::new() };
    let lists: Vec<Vec<f64>> = runs.iter().map(|r| r.series.fund.iter().map(super::data::Num::f).collect()).collect();
    let draw = |size: Size, class: &str| {
        let mut chart = over_time(first, size, Span::of(lists.iter().flatten().copied()).with_zero(), "quote", &tick);
        lists.iter().zip(INKS.iter().cycle()).for_each(|(list, class)| chart.line(Ink { class, label: "" }, list));
        chart.finish(class, "Equity of the fund over time, one line per variant.")
    };
    let inks: Vec<Ink<'_>> =
        runs.iter().zip(INKS.iter().cycle()).map(|(run, class)| Ink { class, label: &run.variant }).collect();
    let mut head = vec![term("time")];
    head.extend(runs.iter().map(|r| format!("{} {}", named("fund", "fund"), escape(&r.variant))));
    let columns: Vec<Vec<String>> = runs.iter().map(|r| cut(&r.series.fund)).collect();
    let table = folded("fund equity of each variant", "Quote", &head, &rows(&moments(first), &columns));
    figure("Equity of the insurance fund", "", &inks, &twice(&draw), &table)
}

/// Every knob of every run, by name.
pub fn settings(runs: &[Run]) -> String {
    let flat: Vec<BTreeMap<String, String>> = runs
        .iter()
        .map(|r| {
            let mut out = BTreeMap::new();
            flatten("", &r.config, &mut out);
            flatten("population drawn", &r.population, &mut out);
            out
        })
        .collect();
    let keys: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
    let row = |key: &&String| {
        let cells = flat.iter().map(|f| escape(f.get(*key).map_or("–", String::as_str)));
        std::iter::once(escape(key)).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    let mut head = vec![term("knob")];
    head.extend(runs.iter().map(|r| if r.variant.is_empty() { named("knob", "value") } else { escape(&r.variant) }));
    format!(
        "<h3>Every setting</h3>{}",
        open("Shares as fractions; what each does stands in docs/replay.md", &head, &rows)
    )
}

fn flatten(path: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let path =
                if path.is_empty() { key.replace('_', " ") } else { format!("{path}: {}", key.replace('_', " ")) };
            flatten(&path, value, out);
        }),
        // A digest of 64 digits would push every other column off a phone and off paper.
        Value::String(text) if text.len() > 40 => {
            drop(out.insert(path.to_owned(), format!("{}…", text.get(..16).unwrap_or(text))));
        }
        Value::String(text) => drop(out.insert(path.to_owned(), text.clone())),
        other => drop(out.insert(path.to_owned(), other.to_string())),
    }
}
