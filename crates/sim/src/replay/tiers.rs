//! Tables of size tiers by symbol and date, and the choice of one for a day.

use super::rows::RowError;
use rules::{Ladder, TierTable};
use std::collections::BTreeMap;
use units::{Decimal, Money, Rate, Round};

/// One step as venues publish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierStep {
    /// Notional up to which it applies, quote.
    pub cap: Money,
    /// Greatest leverage.
    pub leverage: u16,
    /// Maintenance margin per notional.
    pub maintenance_rate: Rate,
}

/// Tables by symbol and date (`2025-07-15`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierBook {
    tables: BTreeMap<String, BTreeMap<String, TierTable>>,
}

/// Where the tiers of a market come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TierOrigin {
    /// The nearest table dated on or before the day.
    OnOrBefore,
    /// None is: the nearest later one.
    Later,
    /// There is no table of this symbol: the ladder of [`generic`].
    Generic,
    /// The rulebook of the run.
    Rulebook,
}

/// The tiers of a market and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierChoice {
    /// Date of the table; empty for the generic ladder.
    pub date: String,
    /// How it was chosen.
    pub origin: TierOrigin,
    /// The ladder, which need not be one of tiers where a rulebook says it.
    pub ladder: Ladder,
}

/// Tables carried by the project: those of the markets in the named replays.
const CARRIED: &str = include_str!("../../data/tiers.txt");

impl TierBook {
    /// The tables that the project carries.
    ///
    /// # Errors
    /// Never in a build that passes its tests: the figures are part of the program.
    pub fn carried() -> Result<Self, RowError> {
        let mut book = Self::default();
        let (mut key, mut steps) = (None, Vec::new());
        for (row, line) in (1u64..).zip(CARRIED.lines()).filter(|(_, line)| !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let problem = |what: &str| tier_error("tiers.txt", row, what);
            match words[..] {
                ["tiers", symbol, date] => {
                    book.insert_pending("tiers.txt", &mut key, &mut steps)?;
                    key = Some((symbol.to_owned(), date.to_owned()));
                }
                [cap, leverage, rate] => {
                    steps.push(step(cap, leverage, rate).ok_or_else(|| problem("step cannot be read"))?)
                }
                _ => return Err(problem("line cannot be read")),
            }
        }
        book.insert_pending("tiers.txt", &mut key, &mut steps)?;
        Ok(book)
    }

    fn insert_pending(
        &mut self,
        file: &str,
        key: &mut Option<(String, String)>,
        steps: &mut Vec<TierStep>,
    ) -> Result<(), RowError> {
        let steps = std::mem::take(steps);
        match key.take() {
            Some((symbol, date)) => self.insert(file, &symbol, &date, &steps),
            None => Ok(()),
        }
    }

    /// Takes in a table; a later one of the same symbol and date replaces it.
    ///
    /// # Errors
    /// Tiers that do not hold together.
    pub fn insert(&mut self, file: &str, symbol: &str, date: &str, steps: &[TierStep]) -> Result<(), RowError> {
        let rate = |leverage: u16| initial_rate(leverage).unwrap_or(Rate::ONE);
        let ladder: Vec<_> = steps.iter().map(|s| (s.cap, rate(s.leverage), s.maintenance_rate)).collect();
        let table = TierTable::derive(&ladder).map_err(|error| RowError {
            file: file.to_owned(),
            row: None,
            what: format!("tiers of {symbol} of {date}: {error}"),
            expected: "caps that rise, leverages that fall, maintenance rates that rise and stay below 1 / leverage"
                .into(),
            hint: "take the table from the venue again".into(),
        })?;
        self.tables.entry(symbol.to_owned()).or_default().insert(date.to_owned(), table);
        Ok(())
    }

    /// The table of a symbol for a day (`2025-10-10`): the nearest on or before it, else the nearest later one, else the
    /// generic ladder.
    #[must_use]
    pub fn choose(&self, symbol: &str, day: &str) -> TierChoice {
        let dates = self.tables.get(symbol);
        let before = dates.and_then(|d| d.range(..=day.to_owned()).next_back());
        let later = || dates.and_then(|d| d.range(day.to_owned()..).next());
        match (before, later()) {
            (Some((date, table)), _) => {
                TierChoice { date: date.clone(), origin: TierOrigin::OnOrBefore, ladder: Ladder::Tiers(table.clone()) }
            }
            (None, Some((date, table))) => {
                TierChoice { date: date.clone(), origin: TierOrigin::Later, ladder: Ladder::Tiers(table.clone()) }
            }
            (None, None) => TierChoice { date: String::new(), origin: TierOrigin::Generic, ladder: generic() },
        }
    }
}

fn tier_error(file: &str, row: u64, what: &str) -> RowError {
    RowError {
        file: file.to_owned(),
        row: Some(row),
        what: what.to_owned(),
        expected: "`tiers SYMBOL DATE`, then `cap leverage rate` per step".into(),
        hint: "compare with crates/sim/data/tiers.txt".into(),
    }
}

/// A step from its three texts; `None` when one of them is not a number of its kind.
#[must_use]
pub fn step(cap: &str, leverage: &str, rate: &str) -> Option<TierStep> {
    let cap = Decimal::parse(cap).and_then(|d| d.to_units(16)).and_then(Money::new)?;
    let rate = Decimal::parse(rate).and_then(|d| d.to_units(9))?;
    let maintenance_rate = i64::try_from(rate).ok().and_then(Rate::new)?;
    Some(TierStep { cap, leverage: leverage.parse().ok().filter(|l| *l > 0)?, maintenance_rate })
}

/// 1 ÷ leverage, rounded up; `None` for no leverage.
#[must_use]
pub fn initial_rate(leverage: u16) -> Option<Rate> {
    let units = units::div_round(i128::from(Rate::ONE.units()), i128::from(leverage), Round::Up)?;
    i64::try_from(units).ok().and_then(Rate::new)
}

/// The ladder of a market without a table: ours, modest, and named in the output.
///
/// 5,000 at 50 times and 1 %; 50,000 at 20 and 2.5 %; 250,000 at 10 and 5 %; 1,000,000 at 5 and 10 %; 10,000,000 at 2 and
/// 25 %; 100,000,000 at 1 and 50 %.
#[must_use]
pub fn generic() -> Ladder {
    let steps = [
        (5_000, 20, 10),
        (50_000, 50, 25),
        (250_000, 100, 50),
        (1_000_000, 200, 100),
        (10_000_000, 500, 250),
        (100_000_000, 1_000, 500),
    ];
    let rate = |per_mille: i64| Rate::new(per_mille * 1_000_000).unwrap_or(Rate::ONE);
    let ladder = steps.map(|(cap, initial, maintenance)| (Money::whole(cap), rate(initial), rate(maintenance)));
    Ladder::Tiers(TierTable::derive(&ladder).expect("the ladder above holds together"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_table_on_or_before_the_day_else_the_nearest_later_one() {
        let book = TierBook::carried().unwrap();
        let btc = |day| (book.choose("BTCUSDT", day).date, book.choose("BTCUSDT", day).origin);
        assert_eq!(btc("2025-10-10"), ("2025-07-15".into(), TierOrigin::OnOrBefore));
        assert_eq!(btc("2025-07-15"), ("2025-07-15".into(), TierOrigin::OnOrBefore));
        assert_eq!(btc("2020-03-12"), ("2023-08-28".into(), TierOrigin::Later));
        let ape = book.choose("APEUSDT", "2025-10-10");
        assert_eq!((ape.date.as_str(), ape.origin), ("2026-09-29", TierOrigin::Later));
        assert_eq!(book.choose("NONEUSDT", "2025-10-10").origin, TierOrigin::Generic);
    }

    #[test]
    fn derived_deductions_are_the_published_ones() {
        let book = TierBook::carried().unwrap();
        let Ladder::Tiers(table) = book.choose("BTCUSDT", "2023-08-28").ladder else { panic!("tiers") };
        let deductions: Vec<String> = table.tiers().iter().map(|t| t.deduction.to_string()).collect();
        let published =
            ["0", "50", "1300", "46300", "546300", "2546300", "5046300", "8046300", "28046300", "103046300"];
        assert_eq!(deductions, published);
    }
}
