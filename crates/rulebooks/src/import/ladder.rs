//! Rows of a table as a venue prints them, checked against each other. It knows nothing of formats.

use super::json::Json;
use crate::explain::percent;
use crate::problem::Checked;
use crate::values::one_over;
use rules::TierTable;
use units::{Money, Rate};

/// An amount and where it is written.
#[derive(Clone, Copy)]
pub struct Amount<'a> {
    pub at: Json<'a>,
    pub money: Money,
}

/// A row of a table that states all of its figures.
pub struct Row<'a> {
    /// How messages name it: `BTCUSDT, bracket 2`.
    pub name: String,
    pub floor: Amount<'a>,
    pub cap: Amount<'a>,
    pub rate: (Json<'a>, Rate),
    pub leverage: Amount<'a>,
    pub cum: Amount<'a>,
}

/// Reads an amount: at most 16 digits after the point, not below zero.
pub fn amount<'a>(name: &str, what: &str, at: Json<'a>) -> Checked<Amount<'a>> {
    let units = at.decimal().and_then(|number| number.to_units(units::limits::MONEY_DECIMALS));
    let money = units.and_then(Money::new).filter(|money| !money.is_negative());
    let money = money.ok_or_else(|| {
        let needed = "needed a number from 0, at most 16 decimals";
        at.wrong(digits(name, what, at, 16, &format!("is no amount: {needed}")))
    })?;
    Ok(Amount { at, money })
}

/// What is wrong with a number: too many digits, or what is said.
fn digits(name: &str, what: &str, at: Json<'_>, allowed: u32, otherwise: &str) -> String {
    let number =
        at.decimal().filter(|number| number.to_units(allowed).is_none() && number.decimals.unsigned_abs() > allowed);
    match number {
        Some(number) if number.decimals > 0 => {
            let count = number.decimals;
            format!("{name}: {what} {} has {count} digits after the point, at most {allowed} are allowed", at.text())
        }
        _ => format!("{name}: {what} {} {otherwise}", at.text()),
    }
}

/// Reads a rate: at most 9 digits after the point, above 0 and at most 1.
pub fn rate<'a>(name: &str, what: &str, at: Json<'a>) -> Checked<(Json<'a>, Rate)> {
    let units = at.decimal().and_then(|number| number.to_units(units::limits::RATE_DECIMALS));
    let rate = units.and_then(|units| i64::try_from(units).ok()).and_then(Rate::new);
    let rate = rate.filter(|rate| rate.is_positive() && *rate <= Rate::ONE).ok_or_else(|| {
        let needed = "needed above 0 and at most 1, at most 9 decimals";
        at.wrong(digits(name, what, at, 9, &format!("is no rate: {needed}")))
    })?;
    Ok((at, rate))
}

/// Reads a greatest leverage, at least 1.
pub fn leverage<'a>(name: &str, what: &str, at: Json<'a>) -> Checked<Amount<'a>> {
    let read = amount(name, what, at)?;
    if read.money < Money::whole(1) {
        return Err(at.wrong(format!("{name}: {what} {} is below 1", at.text())));
    }
    Ok(read)
}

/// Least initial margin per notional at a greatest leverage, which has been read as at least 1.
pub fn initial(name: &str, leverage: Amount<'_>) -> Checked<Rate> {
    let rate = one_over(&leverage.money.to_string()).filter(|rate| rate.is_positive());
    rate.ok_or_else(|| leverage.at.wrong(format!("{name}: leverage {} is too large", leverage.money)))
}

/// Checks rows that state all of their figures; the first that is wrong is told.
pub fn check(table: Json<'_>, symbol: &str, rows: &[Row<'_>]) -> Checked<TierTable> {
    count(table, symbol, rows.len())?;
    let mut steps = Vec::new();
    let mut before: Option<&Row<'_>> = None;
    for row in rows {
        contiguous(row, before)?;
        let initial = rates(row, before)?;
        steps.push((row.cap.money, initial, row.rate.1));
        let derived = derive(row.cap.at, &row.name, &steps)?;
        deduction(row, before, derived.tiers().last().map_or(Money::ZERO, |tier| tier.deduction))?;
        before = Some(row);
    }
    derive(table, symbol, &steps)
}

/// Between one row and the greatest number of tiers.
pub fn count(table: Json<'_>, symbol: &str, rows: usize) -> Checked<()> {
    if (1..=TierTable::TIERS_MAX).contains(&rows) {
        return Ok(());
    }
    Err(table.wrong_from_here(format!("{symbol}: {rows} tiers, needed 1 to {}", TierTable::TIERS_MAX)))
}

/// The ladder of steps whose order has been checked: what is left to be wrong is a cap out of range.
pub fn derive(at: Json<'_>, name: &str, steps: &[(Money, Rate, Rate)]) -> Checked<TierTable> {
    TierTable::derive(steps).map_err(|error| at.wrong_from_here(format!("{name}: {error}")))
}

/// The row begins where the one before it ends, the first at zero, and ends above.
fn contiguous(row: &Row<'_>, before: Option<&Row<'_>>) -> Checked<()> {
    let Row { name, floor, cap, .. } = row;
    let needed = before.map_or(Money::ZERO, |before| before.cap.money);
    let wrong = match before {
        None if floor.money != needed => Some(format!("floor {}, needed 0: the first tier begins there", floor.money)),
        Some(_) if floor.money > needed => {
            Some(format!("floor {} leaves a gap: the tier before it ends at {needed}", floor.money))
        }
        Some(_) if floor.money < needed => {
            Some(format!("floor {} overlaps the tier before it, which ends at {needed}", floor.money))
        }
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(floor.at.wrong(format!("{name}: {wrong}")));
    }
    if cap.money <= floor.money {
        return Err(cap.at.wrong(format!("{name}: cap {} is not above its floor, {}", cap.money, floor.money)));
    }
    Ok(())
}

/// Maintenance rates do not fall, leverages do not rise, and maintenance is at most initial margin.
fn rates(row: &Row<'_>, before: Option<&Row<'_>>) -> Checked<Rate> {
    let Row { name, rate: (at, rate), leverage, .. } = row;
    let rate = *rate;
    if let Some((_, earlier)) = before.map(|before| before.rate).filter(|(_, earlier)| rate < *earlier) {
        let (now, earlier) = (percent(rate), percent(earlier));
        return Err(at.wrong(format!("{name}: maintenance rate {now} is below that of the tier before it, {earlier}")));
    }
    falls(name, *leverage, before.map(|before| before.leverage))?;
    let initial = initial(name, *leverage)?;
    if rate > initial {
        let (now, leverage, initial) = (percent(rate), leverage.money, percent(initial));
        let what = format!("maintenance rate {now} is above the initial rate at leverage {leverage}, {initial}");
        return Err(at.wrong(format!("{name}: {what}")));
    }
    Ok(initial)
}

/// A greatest leverage is not above that of the tier before.
pub fn falls(name: &str, leverage: Amount<'_>, before: Option<Amount<'_>>) -> Checked<()> {
    match before.filter(|before| leverage.money > before.money) {
        Some(before) => Err(leverage.at.wrong(format!(
            "{name}: leverage {} is above that of the tier before it, {}",
            leverage.money, before.money
        ))),
        None => Ok(()),
    }
}

/// The deduction that is printed is the one that joins the tiers.
fn deduction(row: &Row<'_>, before: Option<&Row<'_>>, derived: Money) -> Checked<()> {
    if row.cum.money == derived {
        return Ok(());
    }
    let Row { name, cum, floor, rate: (_, rate), .. } = row;
    let Some(before) = before else {
        return Err(cum.at.wrong(format!("{name}: cum {}, needed 0: there is no tier before it", cum.money)));
    };
    let what = format!("cum {} does not continue the tier before it, which needs {derived}", cum.money);
    let (now, earlier) = (percent(*rate), percent(before.rate.1));
    let hint = format!("{} × ({now} − {earlier}) + {} = {derived}", floor.money, before.cum.money);
    Err(Box::new(cum.at.wrong(format!("{name}: {what}")).hint(hint)))
}
