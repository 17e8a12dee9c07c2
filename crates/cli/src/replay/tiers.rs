//! Size tiers from JSON: `{"as_of": DATE, "symbols": {SYMBOL: [[floor, cap, rate, leverage, deduction], …]}}`, or
//! `{DATE: {SYMBOL: […]}}`. Symbols are written `BTC/USDT:USDT` or `BTCUSDT`.

use super::files::Failure;
use serde_json::Value;
use sim::replay::{TierBook, step};
use std::path::Path;

/// Reads tables into a book; those of the same symbol and date are replaced.
pub fn read(path: &Path, book: &mut TierBook) -> Result<(), Failure> {
    let text = std::fs::read_to_string(path).map_err(|why| Failure::file(path, &why.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|why| problem(path, &why.to_string()))?;
    let fields = value.as_object().ok_or_else(|| problem(path, "not an object"))?;
    match (fields.get("as_of").and_then(Value::as_str), fields.get("symbols")) {
        (Some(date), Some(symbols)) => tables(path, book, date, symbols),
        _ => fields.iter().try_for_each(|(date, symbols)| tables(path, book, date, symbols)),
    }
}

fn problem(path: &Path, what: &str) -> Failure {
    let form = r#"{"as_of": "2026-09-29", "symbols": {"BTCUSDT": [["0", "300000", "0.004", 150, "0.0"], …]}}"#;
    Failure::usage(format!(
        "{}: {what}\n  expected: {form}\n  hint: columns are floor, cap, maintenance rate, greatest leverage, deduction",
        path.display()
    ))
}

fn tables(path: &Path, book: &mut TierBook, date: &str, symbols: &Value) -> Result<(), Failure> {
    let is_date = date.len() == 10
        && date.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    let symbols =
        symbols.as_object().filter(|_| is_date).ok_or_else(|| problem(path, &format!("no tables under `{date}`")))?;
    for (symbol, rows) in symbols {
        let bad = || problem(path, &format!("tiers of {symbol} of {date} cannot be read"));
        let rows = rows.as_array().ok_or_else(bad)?;
        let steps: Option<Vec<_>> = rows.iter().map(|row| one(row.as_array()?)).collect();
        book.insert(&path.display().to_string(), &plain(symbol), date, &steps.ok_or_else(bad)?)?;
    }
    Ok(())
}

fn one(row: &[Value]) -> Option<sim::replay::TierStep> {
    let text = |at: usize| match row.get(at)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    };
    step(&text(1)?, &text(3)?, &text(2)?)
}

/// `BTC/USDT:USDT` is `BTCUSDT`.
fn plain(symbol: &str) -> String {
    let pair = symbol.split(':').next().unwrap_or(symbol);
    pair.replace('/', "")
}
