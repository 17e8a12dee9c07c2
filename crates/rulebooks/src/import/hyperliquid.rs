//! Margin tables of Hyperliquid: tiers that state where they begin and their greatest leverage; the maintenance rate is half
//! of the initial one, and the deductions follow. It knows nothing of files and days.

use super::json::Json;
use super::ladder;
use crate::problem::Checked;
use crate::values::half_of_one_over;
use rules::TierTable;
use units::{Money, Size};

/// Ids below this are tables of one tier whose greatest leverage is the id; `marginTables` does not list them.
const LISTED_FROM: i128 = 50;

/// A market of the universe and its table, where it has one of its own.
#[derive(Clone, Copy)]
pub struct Asset<'a> {
    /// Its entry in `universe`.
    pub entry: Json<'a>,
    /// `marginTiers` and more.
    pub table: Option<Json<'a>>,
}

/// Step of sizes: 10^−`szDecimals`; `None` where the entry does not say.
pub fn lot(symbol: &str, entry: Json<'_>) -> Checked<Option<Size>> {
    let Some(given) = entry.get("szDecimals") else { return Ok(None) };
    let decimals = given.decimal().and_then(|number| number.to_units(0)).and_then(|n| u32::try_from(n).ok());
    let power = decimals.and_then(|decimals| units::limits::SIZE_DECIMALS.checked_sub(decimals));
    match power.map(|power| Size::new(10i64.pow(power))) {
        Some(lot) => Ok(lot),
        None => Err(given.wrong(format!("{symbol}: szDecimals {}, needed 0 to 8", given.text()))),
    }
}

/// Checks the tiers of one market. The last ends at `end`, since tables do not say where it does.
pub fn tiers(symbol: &str, asset: Asset<'_>, end: Option<Money>) -> Checked<(TierTable, Vec<String>)> {
    let Asset { entry, table } = asset;
    let greatest =
        entry.get("maxLeverage").ok_or_else(|| entry.wrong_from_here(format!("{symbol}: has no maxLeverage")))?;
    let greatest = ladder::leverage(symbol, "maxLeverage", greatest)?;
    let Some(end) = end else {
        let what = format!("{symbol}: a margin table does not say where its last tier ends");
        return Err(Box::new(
            entry.wrong_from_here(what).hint("add --cap 10000000000: the largest notional of a position"),
        ));
    };
    let Some(table) = table else {
        flat(symbol, entry, greatest)?;
        return ladder_of(symbol, entry, &[(format!("{symbol}, tier 1"), greatest)], &[end]);
    };
    let rows = table.get("marginTiers").and_then(Json::items);
    let rows = rows.ok_or_else(|| table.wrong_from_here(format!("{symbol}: has no list marginTiers")))?;
    ladder::count(table, symbol, rows.len())?;
    let (mut tiers, mut floors) = (Vec::new(), Vec::new());
    for (n, row) in (1..).zip(rows) {
        let name = format!("{symbol}, tier {n}");
        let field = |field: &str| row.get(field).ok_or_else(|| row.wrong_from_here(format!("{name}: has no {field}")));
        let floor = ladder::amount(&name, "lowerBound", field("lowerBound")?)?;
        let leverage = ladder::leverage(&name, "maxLeverage", field("maxLeverage")?)?;
        rises(&name, floor, floors.last().copied())?;
        ladder::falls(&name, leverage, tiers.last().map(|(_, before)| *before))?;
        floors.push(floor);
        tiers.push((name, leverage));
    }
    if let Some((name, first)) = tiers.first().filter(|(_, first)| first.money != greatest.money) {
        let what = format!("maxLeverage {}, where the market's is {}", first.money, greatest.money);
        return Err(first.at.wrong(format!("{name}: {what}")));
    }
    if let Some(last) = floors.last().filter(|last| end <= last.money) {
        let what = format!("{symbol}: the last tier begins at {}, not below --cap {end}", last.money);
        return Err(last.at.wrong(what));
    }
    let caps: Vec<Money> = floors.iter().skip(1).map(|floor| floor.money).chain([end]).collect();
    ladder_of(symbol, table, &tiers, &caps)
}

/// The first tier begins at zero, each other above the one before it.
fn rises(name: &str, floor: ladder::Amount<'_>, before: Option<ladder::Amount<'_>>) -> Checked<()> {
    match before {
        None if floor.money != Money::ZERO => {
            let what = format!("{name}: lowerBound {}, needed 0: the first tier begins there", floor.money);
            Err(floor.at.wrong(what))
        }
        Some(before) if floor.money <= before.money => {
            let what = format!("lowerBound {} is not above that of the tier before it, {}", floor.money, before.money);
            Err(floor.at.wrong(format!("{name}: {what}")))
        }
        _ => Ok(()),
    }
}

/// A market whose table is not listed has one tier, and its id says which.
fn flat(symbol: &str, entry: Json<'_>, greatest: ladder::Amount<'_>) -> Checked<()> {
    let Some(id) = entry.get("marginTableId") else { return Ok(()) };
    let number = id.decimal().and_then(|number| number.to_units(0)).filter(|number| *number < LISTED_FROM);
    if number.is_none() {
        return Err(id.wrong(format!("{symbol}: there is no margin table {}", id.text())));
    }
    if number.and_then(|n| i64::try_from(n).ok()).map(Money::whole) != Some(greatest.money) {
        let what =
            format!("marginTableId {} is one tier of that leverage, and maxLeverage is {}", id.text(), greatest.money);
        return Err(id.wrong(format!("{symbol}: {what}")));
    }
    Ok(())
}

fn ladder_of(
    symbol: &str,
    at: Json<'_>,
    tiers: &[(String, ladder::Amount<'_>)],
    caps: &[Money],
) -> Checked<(TierTable, Vec<String>)> {
    let mut steps = Vec::new();
    for ((name, leverage), cap) in tiers.iter().zip(caps) {
        let initial = ladder::initial(name, *leverage)?;
        let maintenance = half_of_one_over(&leverage.money.to_string()).filter(|rate| rate.is_positive());
        let maintenance = maintenance
            .ok_or_else(|| leverage.at.wrong(format!("{name}: leverage {} is too large", leverage.money)))?;
        steps.push((*cap, initial, maintenance));
    }
    let leverages = tiers.iter().map(|(_, leverage)| leverage.money.to_string()).collect();
    Ok((ladder::derive(at, symbol, &steps)?, leverages))
}
