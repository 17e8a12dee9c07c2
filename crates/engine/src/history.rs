//! What an index was over time: the sum behind time-weighted averages, minute by minute, of usable time only. It knows
//! nothing of markets; a minute in which nobody agreed leaves no trace, nor does the price of another index.

use crate::state::Index;
use crate::{SettlementSource, limits};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Price, Time};

const MINUTE_NS: i64 = 60 * Time::SECOND_NS;

/// Whole minutes, no more than are remembered.
pub(crate) fn is_window(ns: i64) -> bool {
    (MINUTE_NS..=longest_ns()).contains(&ns) && is_on_minute(ns)
}

/// A time or length in whole minutes, the grid on which averages are kept.
pub(crate) fn is_on_minute(ns: i64) -> bool {
    ns.rem_euclid(MINUTE_NS) == 0
}

fn longest_ns() -> i64 {
    MINUTE_NS * i64::try_from(limits::HISTORY_MINUTES).unwrap_or(1)
}

/// The last minutes in which an index was usable, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Number of the minute since the epoch, Σ price × ns, Σ ns; only minutes with usable time.
    pub minutes: Vec<(i64, i128, i64)>,
    /// Up to when the price is counted.
    pub counted_to: Time,
}

/// A time-weighted average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeWeighted {
    pub price: Price,
    pub source: SettlementSource,
    /// Usable time in the window, nanoseconds.
    pub usable_ns: i64,
}

impl History {
    /// The average of each minute.
    pub(crate) fn averages(&self) -> impl Iterator<Item = Price> {
        self.minutes.chunks(1).filter_map(|minute| average(minute).map(|(price, _)| price))
    }

    /// Counts a price from where counting stopped to `end`; what is older than the longest window is left out.
    fn count(&mut self, price: Price, end: Time) {
        let mut from = self.counted_to.max(end.plus_ns(-longest_ns())).ns();
        while price.is_positive() && from < end.ns() {
            let minute = from.div_euclid(MINUTE_NS);
            let upto = ((minute + 1) * MINUTE_NS).min(end.ns());
            self.add(minute, price, upto - from);
            from = upto;
        }
    }

    fn add(&mut self, minute: i64, price: Price, ns: i64) {
        let weighted = i128::from(price.units()) * i128::from(ns);
        match self.minutes.last_mut().filter(|row| row.0 == minute) {
            Some(row) => (row.1, row.2) = (row.1 + weighted, row.2 + ns),
            None => {
                if self.minutes.len() >= limits::HISTORY_MINUTES {
                    self.minutes.remove(0);
                }
                self.minutes.push((minute, weighted, ns));
            }
        }
    }
}

/// Σ price × ns ÷ Σ ns, toward zero; `None` for no time at all.
fn average(minutes: &[(i64, i128, i64)]) -> Option<(Price, i64)> {
    let (sum, ns) = minutes.iter().fold((0i128, 0i64), |(sum, ns), row| (sum + row.1, ns + row.2));
    let units = sum.checked_div(i128::from(ns))?;
    let price = i64::try_from(units).ok().and_then(Price::new).filter(|p| p.is_positive())?;
    Some((price, ns))
}

impl Index {
    /// Counts the price that has held until now, as far as it was usable. Called when another price comes.
    pub(crate) fn count_history(&mut self, now: Time) {
        if self.fallen.is_none() {
            self.history.count(self.price, self.usable_until.min(now));
        }
        self.history.counted_to = now;
    }

    /// Σ price × ns and Σ ns of the usable time until `now` of the window that ends at `at`.
    pub(crate) fn summed(&self, at: Time, window_ns: i64, now: Time) -> (i128, i64) {
        let mut history = self.history.clone();
        if self.fallen.is_none() {
            history.count(self.price, self.usable_until.min(now));
        }
        let first = at.ns().div_euclid(MINUTE_NS) - window_ns.div_euclid(MINUTE_NS);
        let inside = history.minutes.iter().filter(|row| row.0 >= first);
        inside.fold((0, 0), |(sum, ns), row| (sum + row.1, ns + row.2))
    }

    /// The time-weighted index of the window that ends at `at`, whole minutes; `None` when it was never usable.
    ///
    /// Usable for at least half of the window: the average over the usable part, each price weighing the time for which it
    /// held. Otherwise the average over the last minutes, as many as the window has, in which it was usable at all.
    ///
    /// 100 for 20 minutes, then 103 for 10: 101 over a window of 30. Rounds toward zero.
    pub(crate) fn time_weighted(&self, at: Time, window_ns: i64) -> Option<TimeWeighted> {
        let mut history = self.history.clone();
        if self.fallen.is_none() {
            history.count(self.price, self.usable_until.min(at));
        }
        let rows = history.minutes.as_slice();
        let first = at.ns().div_euclid(MINUTE_NS) - window_ns.div_euclid(MINUTE_NS);
        let older = rows.iter().take_while(|row| row.0 < first).count();
        let inside = rows.split_at_checked(older).map_or(rows, |(_, inside)| inside);
        let usable_ns = inside.iter().map(|row| row.2).sum();
        if usable_ns >= window_ns / 2
            && let Some((price, _)) = average(inside)
        {
            return Some(TimeWeighted { price, source: SettlementSource::Window, usable_ns });
        }
        let wanted = usize::try_from(window_ns.div_euclid(MINUTE_NS)).unwrap_or(1);
        let last = rows.split_at_checked(rows.len().saturating_sub(wanted)).map_or(rows, |(_, last)| last);
        average(last).map(|(price, _)| TimeWeighted { price, source: SettlementSource::LastValid, usable_ns })
    }
}
