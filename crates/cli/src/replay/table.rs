//! The result as a table for people. Amounts are cut to three or four figures; `--json` has all digits.

use sim::replay::{Counts, FILE_DECIMALS, MarketReport, Report, TierOrigin};
use std::fmt::Write;
use units::{Decimal, Money};

/// The whole text.
pub fn text(report: &Report, reproduce: &str) -> String {
    let mut out = String::new();
    let (from, to) = (report.from, report.to);
    let _ = writeln!(
        out,
        "{}  {from} to {to}  {} accounts, seed {}, a price every {} s\n",
        report.name,
        count(report.population.accounts),
        report.config.seed,
        report.config.step_ms / 1_000
    );
    out += &markets(report);
    out.push('\n');
    out += &totals(report);
    out.push('\n');
    out += &notes(report);
    let _ = write!(
        out,
        "\nevent digest  {}\nstate digest  {}\nreproduce     {reproduce}\n",
        report.event_digest, report.state_digest
    );
    out
}

const HEAD: [&str; 14] = [
    "market",
    "interest",
    "index low",
    "move",
    "below",
    "cancelled",
    "book",
    "backstop",
    "fund",
    "adl",
    "receipts",
    "slippage",
    "fees",
    "worst minute",
];

fn markets(report: &Report) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(report.markets.iter().map(market));
    let interest = report.markets.iter().map(|m| m.interest_before).sum();
    let labels = ["total".to_owned(), short(interest), String::new(), String::new()];
    rows.push(labels.into_iter().chain(counts(&report.total.counts)).collect());
    aligned(&rows)
}

fn market(market: &MarketReport) -> Vec<String> {
    let (first, low) = (&market.index.first, &market.index.low);
    let labels = [market.symbol.clone(), short(market.interest_before), plain(low), change(first, low)];
    labels.into_iter().chain(counts(&market.counts)).collect()
}

fn counts(counts: &Counts) -> Vec<String> {
    let minute = counts.worst_minute.map_or_else(String::new, |m| {
        let at = m.at.to_string();
        format!("{} {}", at.get(11..16).unwrap_or(&at), short(m.closed))
    });
    vec![
        count(counts.below_line),
        count(counts.orders_cancelled),
        short(counts.reduced.notional),
        short(counts.backstop.notional),
        short(counts.taken_over.notional),
        short(counts.deleveraged.notional),
        count(counts.deleveraged.steps),
        short(counts.slippage + counts.unwind_slippage),
        short(counts.trading_fees + counts.liquidation_fees),
        minute,
    ]
}

fn totals(report: &Report) -> String {
    let t = &report.total;
    let lines = [
        (
            "below the line",
            format!(
                "{} of {} accounts, {} liquidations",
                count(t.counts.below_line),
                count(report.population.accounts),
                count(t.liquidations)
            ),
        ),
        (
            "of these",
            format!("{} restored, {} closed, {} not ended", count(t.restored), count(t.closed), count(t.unfinished)),
        ),
        ("closed by force", format!("{}, {} of the opening interest", short(t.counts.forced()), share(report))),
        ("unwound by the fund", short(t.counts.unwound.notional)),
        (
            "fund",
            format!(
                "before {}, low {}, after {}, paid {}",
                short(t.fund.before),
                short(t.fund.low),
                short(t.fund.after),
                short(t.fund.paid)
            ),
        ),
        (
            "deficits nobody paid",
            format!("{}, debts beside coins nobody bought {}", short(t.deficits), short(t.debts_unconverted)),
        ),
        (
            "deleveraged",
            format!(
                "{} accounts, {} receipts, {}",
                count(t.adl_accounts),
                count(t.adl_receipts),
                short(t.counts.deleveraged.notional)
            ),
        ),
        (
            "hedges broken by it",
            format!(
                "{} receipts, {}; profit of winners on what was closed {}, taken {}",
                count(t.counts.hedges_broken.steps),
                short(t.counts.hedges_broken.notional),
                short(t.winners_profit),
                short(t.winners_profit_taken)
            ),
        ),
        (
            "fees",
            format!("{} of orders, {} of the ladder", short(t.counts.trading_fees), short(t.counts.liquidation_fees)),
        ),
    ];
    let rows: Vec<String> = lines.iter().map(|(label, value)| format!("{label:<22}{value}\n")).collect();
    rows.concat()
}

fn notes(report: &Report) -> String {
    let mut out = String::new();
    for moved in report.feedback.iter().flatten() {
        let _ =
            writeln!(out, "FEEDBACK moved the index of {}: {} to {} of its path", moved.symbol, moved.low, moved.high);
    }
    for source in &report.sources {
        let _ = writeln!(out, "{source}");
    }
    let listed = |origin: TierOrigin| {
        let markets = report.markets.iter().filter(move |m| m.tiers_origin == origin);
        let texts = markets.map(|m| format!("{} {}", m.symbol, m.tiers_date).trim().to_owned());
        Some(texts.collect::<Vec<_>>().join(", ")).filter(|t| !t.is_empty())
    };
    let tiers = [
        (TierOrigin::OnOrBefore, "tiers dated on or before the day"),
        (TierOrigin::Later, "tiers of a LATER date, none older is known"),
        (TierOrigin::Rulebook, "tiers of the rulebook"),
        (TierOrigin::Generic, "tiers not known, a ladder of ours instead"),
    ];
    for (origin, label) in tiers {
        if let Some(markets) = listed(origin) {
            let _ = writeln!(out, "{label}: {markets}");
        }
    }
    for statement in &report.statements {
        let _ = writeln!(out, "note: {statement}");
    }
    out
}

fn share(report: &Report) -> String {
    let interest: Money = report.markets.iter().map(|m| m.interest_before).sum();
    let tenths = report.total.counts.forced().units().saturating_mul(1_000).checked_div(interest.units()).unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// From one price to another in tenths of a percent, toward zero.
fn change(from: &str, to: &str) -> String {
    let units = |text| Decimal::parse(text).and_then(|d| d.to_units(FILE_DECIMALS)).unwrap_or(0);
    let (from, to) = (units(from), units(to));
    let tenths = (to - from) * 1_000 / from.max(1);
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10)
}

/// Columns of one width; the first to the left, the others to the right.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let line: String = cells
            .map(|(at, (cell, width))| if at == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") })
            .collect();
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// 1234567 as 1,234,567.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An amount in three or four figures, cut toward zero: 1234567 is 1.23M.
pub fn short(amount: Money) -> String {
    let whole = amount.units() / Money::whole(1).units();
    let sign = if whole < 0 { "-" } else { "" };
    let n = whole.unsigned_abs();
    let (unit, name) = match n {
        0..10_000 => return format!("{sign}{n}"),
        10_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "B"),
    };
    let (head, hundredths) = (n / unit, n % unit * 100 / unit);
    match head {
        0..10 => format!("{sign}{head}.{hundredths:02}{name}"),
        10..100 => format!("{sign}{head}.{}{name}", hundredths / 10),
        _ => format!("{sign}{head}{name}"),
    }
}

/// A price in six figures at most from the first that is not zero, cut.
pub fn plain(price: &str) -> String {
    let first = price.find(|c: char| c.is_ascii_digit() && c != '0').unwrap_or(0);
    let digits = price.char_indices().skip(first).filter(|(_, c)| c.is_ascii_digit());
    let keep = digits.map(|(at, _)| at + 1).nth(5).unwrap_or(price.len());
    let point = price.find('.').unwrap_or(price.len());
    price.get(..keep.max(point)).unwrap_or(price).trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_cut_to_a_few_figures() {
        for (amount, text) in [
            ("0.99", "0"),
            ("9999", "9999"),
            ("12345", "12.3k"),
            ("999999", "999k"),
            ("1234567", "1.23M"),
            ("-45678901", "-45.6M"),
            ("1999999999", "1.99B"),
        ] {
            assert_eq!(short(amount.parse().unwrap()), text);
        }
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(["101045.9", "0.15070001", "867.6", "7"].map(plain), ["101045", "0.150700", "867.6", "7"]);
        assert_eq!(change("100", "86.15"), "-13.8 %");
    }
}
