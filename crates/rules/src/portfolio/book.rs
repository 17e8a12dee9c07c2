//! Many accounts at once: positions as counts of lots in columns, and for each account its worst scenario. Exact, and the same as
//! [`Table::scan`]; where 64 bits are not proved to suffice it goes the long way. Knows no names and no prices.

use super::{COLUMNS, PortfolioError, Table};
use alloc::vec::Vec;

/// Accounts with fewer lots in all than this are summed in 64 bits: |entry| ≤ 2³¹, so |sum| × 32 + 31 is below 2⁶³.
const LOTS_MAX: u64 = 1 << 27;
/// A position below this, times 32, fits 32 bits.
const POSITION_MAX: u64 = 1 << 26;
/// Columns summed at a time: as many sums as the registers of the processor hold, so that none waits in memory.
const LANES: usize = if cfg!(target_feature = "avx512f") { COLUMNS } else { COLUMNS / 2 };
/// The scenario stands in the low bits of a sum.
const SCENARIO_BITS: u32 = 5;

/// Positions of many accounts, in the order that they were added.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Where each account's positions end.
    ends: Vec<usize>,
    instruments: Vec<u32>,
    /// × 32.
    lots: Vec<i32>,
    /// Accounts that are too large for 64 bits, and their positions.
    large: Vec<(usize, Vec<(u32, i64)>)>,
    instrument_most: u32,
}

/// The worst scenario of an account: its result in the unit of the table, and which it is. Ordered by result, then scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worst(i64);

impl Worst {
    /// Stands in the column for an account that is among those returned beside it.
    pub const ELSEWHERE: Self = Self(i64::MIN);

    /// In the unit of the table; below zero is a loss.
    #[must_use]
    pub const fn result(self) -> i64 {
        self.0 >> SCENARIO_BITS
    }

    /// The first scenario with this result.
    #[must_use]
    pub fn scenario(self) -> usize {
        usize::try_from(self.0 & 31).unwrap_or(0)
    }
}

/// An account that went the long way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongWay {
    /// Place in the book.
    pub account: usize,
    /// In the unit of the table.
    pub result: i128,
    /// The first scenario with this result.
    pub scenario: usize,
}

impl Book {
    /// Without accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an account: instruments by their place in the table, and how many lots of each.
    pub fn push(&mut self, positions: &[(u32, i64)]) {
        let all: u64 = positions.iter().fold(0, |sum: u64, (_, lots)| sum.saturating_add(lots.unsigned_abs()));
        let large = all >= LOTS_MAX || positions.iter().any(|(_, lots)| lots.unsigned_abs() >= POSITION_MAX);
        if large {
            self.large.push((self.ends.len(), positions.to_vec()));
        } else {
            for (instrument, lots) in positions {
                self.instruments.push(*instrument);
                // Below 2²⁶ times 32.
                self.lots.push(i32::try_from(lots << SCENARIO_BITS).unwrap_or(0));
            }
        }
        let most = positions.iter().map(|(instrument, _)| *instrument).max();
        self.instrument_most = self.instrument_most.max(most.unwrap_or(0));
        self.ends.push(self.instruments.len());
    }

    /// How many accounts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// No accounts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The worst scenario of each account, in `out`. Those that are too large for 64 bits, or hold an instrument whose entries are, are
    /// [`Worst::ELSEWHERE`] there and returned.
    ///
    /// # Errors
    /// [`PortfolioError::InstrumentUnknown`] when a position is in none of the table's.
    pub fn worst(&self, table: &Table, out: &mut Vec<Worst>) -> Result<Vec<LongWay>, PortfolioError> {
        let most = usize::try_from(self.instrument_most).unwrap_or(usize::MAX);
        let holds_any = !self.instruments.is_empty() || !self.large.is_empty();
        if holds_any && most >= table.rows().len() {
            return Err(PortfolioError::InstrumentUnknown(most));
        }
        out.clear();
        out.resize(self.ends.len(), Worst::ELSEWHERE);
        self.sum(table, out);
        let mut beside = Vec::new();
        for (account, positions) in &self.large {
            beside.push(long_way(table, *account, positions.iter().copied())?);
        }
        if !table.wide().is_empty() {
            self.touching_wide(table, &mut beside)?;
        }
        for one in &beside {
            if let Some(place) = out.get_mut(one.account) {
                *place = Worst::ELSEWHERE;
            }
        }
        Ok(beside)
    }

    /// 32 × 32 bits into 64, a row at a time. Each column starts at its own number and all is times 32, so that the least sum also
    /// says the first of the scenarios that have it.
    fn sum(&self, table: &Table, out: &mut [Worst]) {
        let rows = table.narrow();
        let mut start = 0;
        for (end, out) in self.ends.iter().zip(out) {
            let (Some(instruments), Some(lots)) = (self.instruments.get(start..*end), self.lots.get(start..*end))
            else {
                return;
            };
            start = *end;
            let mut least = i64::MAX;
            for (part, first) in FIRST.as_chunks::<LANES>().0.iter().enumerate() {
                let mut sums = *first;
                for (instrument, lots) in instruments.iter().zip(lots) {
                    // tidy: cast — u32 to usize is exact; a place that is in no table was refused before
                    let row = rows.get(*instrument as usize);
                    let Some(entries) = row.and_then(|row| row.entries.as_chunks::<LANES>().0.get(part)) else {
                        continue;
                    };
                    let lots = i64::from(*lots);
                    for (sum, entry) in sums.iter_mut().zip(entries) {
                        // Cannot wrap by the argument at `LOTS_MAX`; written so that no check is in the way of vectors.
                        *sum = sum.wrapping_add(i64::from(*entry).wrapping_mul(lots));
                    }
                }
                least = sums.iter().fold(least, |least, sum| least.min(*sum));
            }
            *out = Worst(least);
        }
    }

    fn touching_wide(&self, table: &Table, beside: &mut Vec<LongWay>) -> Result<(), PortfolioError> {
        let mut start = 0;
        for (account, end) in self.ends.iter().enumerate() {
            let (Some(instruments), Some(lots)) = (self.instruments.get(start..*end), self.lots.get(start..*end))
            else {
                break;
            };
            start = *end;
            // tidy: cast — u32 to usize is exact
            if instruments.iter().any(|one| table.wide().binary_search(&(*one as usize)).is_ok()) {
                let lots = lots.iter().map(|lots| i64::from(*lots >> SCENARIO_BITS));
                beside.push(long_way(table, account, instruments.iter().copied().zip(lots))?);
            }
        }
        Ok(())
    }
}

/// 0 to 31.
const FIRST: [i64; COLUMNS] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31,
];

/// In 128 bits.
fn long_way(
    table: &Table,
    account: usize,
    positions: impl Iterator<Item = (u32, i64)>,
) -> Result<LongWay, PortfolioError> {
    let mut sums = [0_i128; COLUMNS];
    for (instrument, lots) in positions {
        let at = usize::try_from(instrument).unwrap_or(usize::MAX);
        let row = table.rows().get(at).ok_or(PortfolioError::InstrumentUnknown(at))?;
        for (sum, entry) in sums.iter_mut().zip(row) {
            let next = sum.checked_add(i128::from(*entry) * i128::from(lots));
            *sum = next.ok_or(PortfolioError::ResultOutOfRange)?;
        }
    }
    let first = sums.iter().enumerate().min_by_key(|(at, sum)| (**sum, *at));
    let (scenario, result) = first.map_or((0, 0), |(at, sum)| (at, *sum));
    Ok(LongWay { account, result, scenario })
}
