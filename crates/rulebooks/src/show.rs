//! A rulebook as rows of name, value and clause: what `show` prints and `diff` compares.

use crate::book::suggestion;
use crate::explain::percent;
use crate::problem::{Checked, Problem};
use crate::resolve::{Market, Rulebook};
use rules::{Contract, Ladder};
use std::fmt::Write as _;

/// One value of a rulebook.
struct Row {
    name: String,
    value: String,
    clause: String,
}

/// Prints a rulebook, or one market of it.
///
/// # Errors
/// It has no such market.
pub fn shown(rulebook: &Rulebook, market: Option<&str>) -> Checked<String> {
    if let Some(name) = market.filter(|name| rulebook.market(name).is_none()) {
        let names: Vec<&str> = rulebook.markets.iter().map(|market| market.symbol.as_str()).collect();
        let problem = Problem::new(&rulebook.venue, format!("it has no market {name}"));
        return Err(Box::new(problem.hint(suggestion(name, &names))));
    }
    let mut text = format!("{}, version of {}\n\n", rulebook.name, rulebook.from);
    let wanted =
        |row: &&Row| market.is_none_or(|market| row.name.starts_with(&format!("{market} ")) || row.name == market);
    let rows = rows(rulebook);
    let wide = rows.iter().filter(wanted).map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in rows.iter().filter(wanted) {
        let gap = " ".repeat(wide - row.name.chars().count());
        _ = writeln!(text, "{}{gap}  {}   [{}]", row.name, row.value, row.clause);
    }
    if market.is_none() {
        for gap in &rulebook.gaps {
            _ = write!(text, "\nleft out: {gap}");
        }
        if !rulebook.gaps.is_empty() {
            text.push('\n');
        }
    }
    Ok(text)
}

/// A name with its value before and after.
pub type Difference = (String, Option<String>, Option<String>);

/// What differs, in the order of the first.
#[must_use]
pub fn differences(a: &Rulebook, b: &Rulebook) -> Vec<Difference> {
    let (before, after) = (rows(a), rows(b));
    let find = |rows: &[Row], name: &str| rows.iter().find(|row| row.name == name).map(|row| row.value.clone());
    let mut found = Vec::new();
    for row in &before {
        let now = find(&after, &row.name);
        if now.as_ref() != Some(&row.value) {
            found.push((row.name.clone(), Some(row.value.clone()), now));
        }
    }
    for row in after.iter().filter(|row| find(&before, &row.name).is_none()) {
        found.push((row.name.clone(), None, Some(row.value.clone())));
    }
    found
}

fn rows(rulebook: &Rulebook) -> Vec<Row> {
    let sections = &rulebook.sections;
    let mut rows = Vec::new();
    let mut add = |name: &str, value: String, clause: &str| {
        rows.push(Row { name: name.to_owned(), value, clause: clause.to_owned() });
    };
    let account = &sections.account;
    let clause = &account.clause.0;
    add("numeraire", account.numeraire.clone(), clause);
    add("modes", words(&account.modes), clause);
    add("long and short at once", if account.hedge { "yes" } else { "no" }.to_owned(), clause);
    add("margin price", words(&account.margin_price), clause);
    add("line", words(&account.line), clause);
    add("gains", words(&account.gains), clause);
    add("ratio", words(&account.ratio), clause);
    if let Some(share) = &account.outflow_share {
        add("outflow share", percent(share.0), clause);
    }
    add("initial margin on", words(&sections.initial.basis), &sections.initial.clause.0);
    add("leverage", words(&sections.initial.leverage), &sections.initial.clause.0);
    add("fee to close on", words(&sections.closing_fee.on), &sections.closing_fee.clause.0);
    let price = &sections.liquidation_price;
    add("liquidation price", words(&price.form), &price.clause.0);
    if let Some(digits) = &sections.digits {
        add("digits", words(digits), &digits.clause.0);
    }
    for (name, value, clause) in [
        ("funding", sections.funding.as_ref().map(words), sections.funding.as_ref().map(|s| &s.clause.0)),
        ("mark", sections.mark.as_ref().map(words), sections.mark.as_ref().map(|s| &s.clause.0)),
        ("index", sections.index.as_ref().map(words), sections.index.as_ref().map(|s| &s.clause.0)),
        ("liquidation", sections.liquidation.as_ref().map(words), sections.liquidation.as_ref().map(|s| &s.clause.0)),
        ("auto-deleveraging", sections.adl.as_ref().map(words), sections.adl.as_ref().map(|s| &s.clause.0)),
    ] {
        if let (Some(value), Some(clause)) = (value, clause) {
            add(name, value, clause);
        }
    }
    for asset in &rulebook.assets {
        let slices = asset.slices.iter().filter(|slice| slice.above.is_positive());
        let slices = slices.map(|slice| format!(", above {} {}", slice.above, percent(slice.haircut)));
        add(&format!("haircut {}", asset.symbol), percent(asset.haircut) + &slices.collect::<String>(), &asset.clause);
    }
    for market in &rulebook.markets {
        for (name, value) in market_rows(market) {
            add(&format!("{} {name}", market.symbol), value, &market.clause);
        }
    }
    rows
}

fn market_rows(market: &Market) -> Vec<(String, String)> {
    let contract = match market.rules.contract {
        Contract::Linear => "linear".to_owned(),
        Contract::Inverse { face } => format!("inverse, {face} of the quote a contract"),
    };
    let mut rows = vec![
        ("contract".to_owned(), format!("{contract}, settled in {}", market.settlement)),
        ("fees".to_owned(), format!("taker {}, maker {}", percent(market.taker_fee), percent(market.maker_fee))),
        ("lot".to_owned(), market.lot.to_string()),
    ];
    if let Some(tick) = market.tick {
        rows.push(("tick".to_owned(), tick.to_string()));
    }
    match &market.rules.ladder {
        Ladder::Tiers(table) => {
            for (at, tier) in table.tiers().iter().enumerate() {
                let value = format!(
                    "up to {}: initial {}, maintenance {}, deduction {}",
                    tier.cap,
                    percent(tier.initial_rate),
                    percent(tier.maintenance_rate),
                    tier.deduction
                );
                rows.push((format!("tier {}", at + 1), value));
            }
        }
        Ladder::Steps(steps) => rows.push((
            "ladder".to_owned(),
            format!(
                "initial {}, maintenance {} up to {}; {} more for each started {}",
                percent(steps.initial),
                percent(steps.maintenance),
                steps.base,
                percent(steps.rise),
                steps.step
            ),
        )),
        Ladder::PerSize(ladder) => rows.push((
            "ladder".to_owned(),
            format!(
                "initial {}, maintenance {}, each + {} a contract",
                percent(ladder.initial),
                percent(ladder.maintenance),
                percent(ladder.rise)
            ),
        )),
        Ladder::PerNotional(ladder) => rows.push((
            "ladder".to_owned(),
            format!(
                "initial {}, maintenance {}, each + {} a coin of notional",
                percent(ladder.initial),
                percent(ladder.maintenance),
                percent(ladder.rise)
            ),
        )),
        Ladder::SizeRoot(ladder) => rows.push((
            "ladder".to_owned(),
            format!(
                "initial {}, maintenance {}, or 80% of it + {} × √size where that is more",
                percent(ladder.initial),
                percent(ladder.maintenance),
                percent(ladder.rise)
            ),
        )),
        Ladder::OpenInterest(ladder) => rows.push((
            "ladder".to_owned(),
            format!(
                "initial {}, 100% at an open interest of {}, rising from {}; maintenance {} of the former",
                percent(ladder.initial),
                ladder.upper,
                ladder.lower,
                percent(ladder.fraction)
            ),
        )),
        Ladder::RiskFactors(factors) => rows.push((
            "ladder".to_owned(),
            format!(
                "slippage {}, long {}, short {}; initial × {}",
                percent(factors.slippage),
                percent(factors.long),
                percent(factors.short),
                percent(factors.initial_factor)
            ),
        )),
    }
    rows
}

/// A section as words: the names and values as its file writes them, without its clause.
fn words<T: serde::Serialize>(section: &T) -> String {
    plain(&serde_json::to_value(section).unwrap_or_default())
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.replace('_', " "),
        serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        serde_json::Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, value)| *name != "clause" && !value.is_null());
            fields
                .map(|(name, value)| format!("{} {}", name.replace('_', " "), plain(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => other.to_string(),
    }
}
