//! Tables that are good as versions of a rulebook, in the form of the files that the project ships.

use super::{ImportedContract, ImportedTable};
use crate::explain::percent;
use crate::problem::{Checked, Problem};
use crate::values::{Clause, Day, Percent};
use std::fmt::Write as _;

/// What a rulebook says of a market, and no table does.
#[derive(Clone, Debug)]
pub struct MarketFacts {
    /// Clause of the tiers.
    pub clause: Clause,
    /// Fee of the order that takes.
    pub taker_fee: Percent,
    /// Fee of the order that rests.
    pub maker_fee: Percent,
    /// What a contract that settles in its coin is worth, in whole units of the quote.
    pub face: Option<u32>,
    /// The first day on which the tables hold, where that is not the one that the file states.
    pub from: Option<Day>,
}

/// The tables as `[[version]]` sections, one for each day, oldest first, to stand at the end of a rulebook. `file` is where
/// they are from, for the note.
///
/// # Errors
/// A table has no day and `from` is not given; or it is, and the tables are of several days. A contract that settles in its coin
/// has no face, or one that does not has one.
pub fn version_text(file: &str, tables: &[ImportedTable], facts: &MarketFacts) -> Checked<String> {
    let mut days: Vec<Option<&str>> = tables.iter().map(|table| table.day.as_deref()).collect();
    days.dedup();
    if let (Some(from), [Some(first), .., Some(last)]) = (&facts.from, &days[..]) {
        let problem = Problem::new(file, format!("--from {from} is one day, the tables are of {first} to {last}"));
        return Err(Box::new(problem.hint(format!("choose: --day {last}"))));
    }
    for table in tables {
        let wrong =
            |what: &str, hint: &str| Err(Box::new(Problem::new(file, format!("{}: {what}", table.symbol)).hint(hint)));
        match (table.contract, facts.face) {
            (ImportedContract::Inverse, None) => {
                return wrong(
                    "the table does not say what a contract is worth",
                    "add --face 100: a contract is 100 USD",
                );
            }
            (ImportedContract::Linear, Some(_)) => {
                return wrong("its contracts settle in their quote", "leave --face away");
            }
            _ => {}
        }
    }
    let mut text = String::new();
    for day in days {
        let Some(from) = facts.from.as_ref().map(|from| from.0.as_str()).or(day) else {
            let problem = Problem::new(file, "it does not say from when its tables hold");
            return Err(Box::new(problem.hint("add --from 2026-09-29: the first day on which they do")));
        };
        let gap = if text.is_empty() { "" } else { "\n" };
        let note = day.map_or("tier tables as imported".to_owned(), |day| format!("tier tables as recorded on {day}"));
        _ = writeln!(text, "{gap}[[version]]\nfrom = {}\nnote = {}", quoted(from), quoted(&note));
        for table in tables.iter().filter(|table| table.day.as_deref() == day) {
            market(&mut text, table, facts);
        }
    }
    Ok(text)
}

fn market(text: &mut String, table: &ImportedTable, facts: &MarketFacts) {
    let MarketFacts { clause, taker_fee, maker_fee, .. } = facts;
    let settlement = &table.settlement;
    text.push('\n');
    if let Some(note) = &table.note {
        _ = writeln!(text, "# {}", note.replace(char::is_control, " "));
    }
    _ = writeln!(text, "[[version.market]]\nclause = \"{clause}\"\nsymbol = {}", quoted(&table.symbol));
    _ = writeln!(text, "contract = \"{}\"", table.contract.name());
    if let Some(face) = facts.face {
        _ = writeln!(text, "face = {face}");
    }
    _ = writeln!(text, "settlement = {}", quoted(settlement));
    if let Some(lot) = table.lot {
        _ = writeln!(text, "lot = \"{lot}\"");
    }
    _ = writeln!(text, "taker_fee = \"{taker_fee}\"\nmaker_fee = \"{maker_fee}\"");
    if table.half {
        text.push_str("maintenance = \"half_at_max_leverage\"\n");
    }
    text.push_str("[version.market.ladder]\ntiers = [\n");
    for (tier, leverage) in table.tiers.tiers().iter().zip(&table.leverages) {
        let cap = quoted(&format!("{} {settlement}", tier.cap));
        _ = write!(text, "    {{ cap = {cap}, leverage = \"{leverage}x\"");
        if !table.half {
            let deduction = quoted(&format!("{} {settlement}", tier.deduction));
            _ = write!(text, ", maintenance = \"{}\", deduction = {deduction}", percent(tier.maintenance_rate));
        }
        text.push_str(" },\n");
    }
    text.push_str("]\n");
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
