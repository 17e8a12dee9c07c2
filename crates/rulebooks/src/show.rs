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
    rows.extend(section_rows("account", &sections.account));
    rows.extend(section_rows("initial margin", &sections.initial));
    rows.extend(section_rows("fee to close", &sections.closing_fee));
    rows.extend(section_rows("liquidation price", &sections.liquidation_price));
    rows.extend(sections.digits.iter().flat_map(|section| section_rows("digits", section)));
    rows.extend(sections.funding.iter().flat_map(|section| section_rows("funding", section)));
    rows.extend(sections.mark.iter().flat_map(|section| section_rows("mark", section)));
    rows.extend(sections.index.iter().flat_map(|section| section_rows("index", section)));
    rows.extend(sections.liquidation.iter().flat_map(|section| section_rows("liquidation", section)));
    rows.extend(sections.adl.iter().flat_map(|section| section_rows("auto-deleveraging", section)));
    for asset in &rulebook.assets {
        let slices = asset.slices.iter().filter(|slice| slice.above.is_positive());
        let slices = slices.map(|slice| format!(", above {} {}", slice.above, percent(slice.haircut)));
        rows.push(Row {
            name: format!("haircut {}", asset.symbol),
            value: percent(asset.haircut) + &slices.collect::<String>(),
            clause: asset.clause.clone(),
        });
    }
    for market in &rulebook.markets {
        let named = market_rows(market).into_iter();
        rows.extend(named.map(|row| Row { name: format!("{} {}", market.symbol, row.name), ..row }));
    }
    rows
}

/// A row for each value that a section states, with the value's own clause or else the section's.
fn section_rows<T: serde::Serialize>(name: &str, section: &T) -> Vec<Row> {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::to_value(section) else { return Vec::new() };
    let (clause, own) = (fields.remove("clause").unwrap_or_default(), fields.remove("clauses").unwrap_or_default());
    let stated = fields.iter().filter(|(_, value)| !value.is_null());
    let row = |(field, value): (&String, &serde_json::Value)| Row {
        name: format!("{name}: {}", field.replace('_', " ")),
        value: plain(value),
        clause: own.get(field).unwrap_or(&clause).as_str().unwrap_or_default().to_owned(),
    };
    stated.map(row).collect()
}

fn market_rows(market: &Market) -> Vec<Row> {
    let (clause, clauses) = (&market.clause, &market.clauses);
    let row = |name: &str, value: String, clause: &str| Row { name: name.to_owned(), value, clause: clause.to_owned() };
    let contract = match market.rules.contract {
        Contract::Linear => "linear".to_owned(),
        Contract::Inverse { face } => format!("inverse, {face} of the quote a contract"),
    };
    let mut rows = vec![
        row("contract", format!("{contract}, settled in {}", market.settlement), clauses.contract(clause)),
        row("taker fee", percent(market.taker_fee), clauses.taker_fee(clause)),
        row("maker fee", percent(market.maker_fee), clauses.maker_fee(clause)),
        row("lot", market.lot.to_string(), clauses.lot(clause)),
    ];
    if let Some(tick) = market.tick {
        rows.push(row("tick", tick.to_string(), clauses.tick(clause)));
    }
    let parts = [
        ("cap", clauses.cap(clause)),
        ("initial", clauses.initial(clause)),
        ("maintenance", clauses.maintenance(clause)),
    ];
    let parts = parts.iter().filter(|(_, own)| own != clause).map(|(name, own)| format!(", {name} {own}"));
    let of_ladder = clause.clone() + &parts.collect::<String>();
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
                rows.push(row(&format!("tier {}", at + 1), value, &of_ladder));
            }
        }
        Ladder::Steps(steps) => rows.push(row(
            "ladder",
            format!(
                "initial {}, maintenance {} up to {}; {} more for each started {}",
                percent(steps.initial),
                percent(steps.maintenance),
                steps.base,
                percent(steps.rise),
                steps.step
            ),
            &of_ladder,
        )),
        Ladder::PerSize(ladder) => rows.push(row(
            "ladder",
            format!(
                "initial {}, maintenance {}, each + {} a contract",
                percent(ladder.initial),
                percent(ladder.maintenance),
                percent(ladder.rise)
            ),
            &of_ladder,
        )),
        Ladder::PerNotional(ladder) => rows.push(row(
            "ladder",
            format!(
                "initial {}, maintenance {}, each + {} a coin of notional",
                percent(ladder.initial),
                percent(ladder.maintenance),
                percent(ladder.rise)
            ),
            &of_ladder,
        )),
        Ladder::SizeRoot(ladder) => rows.push(row(
            "ladder",
            format!(
                "initial {}, maintenance {}, or 80% of it + {} × √size where that is more",
                percent(ladder.initial),
                percent(ladder.maintenance),
                percent(ladder.rise)
            ),
            &of_ladder,
        )),
        Ladder::OpenInterest(ladder) => rows.push(row(
            "ladder",
            format!(
                "initial {}, 100% at an open interest of {}, rising from {}; maintenance {} of the former",
                percent(ladder.initial),
                ladder.upper,
                ladder.lower,
                percent(ladder.fraction)
            ),
            &of_ladder,
        )),
        Ladder::RiskFactors(factors) => rows.push(row(
            "ladder",
            format!(
                "slippage {}, long {}, short {}; initial × {}",
                percent(factors.slippage),
                percent(factors.long),
                percent(factors.short),
                percent(factors.initial_factor)
            ),
            &of_ladder,
        )),
    }
    rows
}

/// A value as words.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.replace('_', " "),
        serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}
