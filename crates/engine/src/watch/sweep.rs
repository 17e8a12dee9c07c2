//! Who may come below the line on a path of prices that did not happen, in the order in which their triggers say so.
//!
//! It asks the index and leaves it as it is. What the accounts are worth on the way is the business of [`crate::map`].

use super::arm::Venue;
use super::{MarketTriggers, Range, Row, Shelf, Watch};
use crate::map::Path;
use crate::margin::Terms;
use crate::{AccountId, AssetId, MarketId, State};
use alloc::vec::Vec;

/// The first of the steps from `from` on at which a value is below a key; values go one way.
fn first_below(from: usize, last: usize, key: i64, value: impl Fn(usize) -> i64) -> Option<usize> {
    if from > last || value(from) < key {
        return Some(from).filter(|from| *from <= last);
    }
    if value(last) >= key {
        return None;
    }
    let (mut above, mut below) = (from, last);
    while below - above > 1 {
        let middle = above.midpoint(below);
        if value(middle) < key { below = middle } else { above = middle }
    }
    Some(below)
}

impl Watch {
    /// With each account that may be below its line somewhere on the path, the first step at which it may; each once, in the
    /// order of handles. Who is not here is not below its line on any step.
    pub(crate) fn starts(&self, state: &State, path: &Path) -> Vec<(AccountId, usize)> {
        if !self.is_current(state) {
            return (0..state.accounts.len()).map(|at| (AccountId::at(at), 0)).collect();
        }
        let now = self.changed.iter().chain(&self.hot).chain(&state.liquidating);
        let mut starts: Vec<_> = now.map(|id| (*id, 0)).collect();
        let mut gather = |shelf: &Shelf, value: &dyn Fn(usize) -> i64| {
            for entry in shelf.above(value(0).min(value(path.last()))) {
                let live = self.rows.get(entry.account.index()).is_some_and(|row| row.armed == entry.armed);
                let first = first_below(0, path.last(), entry.key, value).filter(|_| live);
                starts.extend(first.map(|first| (entry.account, first)));
            }
        };
        for (id, row) in (0..self.markets.len()).map(MarketId::at).zip(&self.markets) {
            let price = |step| path.market(state, id, step).units();
            gather(&row.side.low, &|step| row.long_price(price(step)));
            gather(&row.side.high, &|step| row.short_price(price(step)).saturating_neg());
            gather(&row.price.low, &price);
            gather(&row.price.high, &|step| price(step).saturating_neg());
            if state.market(id).params.option.is_some() {
                let underlying = |step| path.underlying(state, id, step).units();
                gather(&row.underlying.low, &underlying);
                gather(&row.underlying.high, &|step| underlying(step).saturating_neg());
            }
        }
        for (id, range) in (0..self.assets.len()).map(AssetId::at).zip(&self.assets) {
            let price = |step| path.asset(state, id, step).units();
            gather(&range.low, &price);
            gather(&range.high, &|step| price(step).saturating_neg());
        }
        starts.sort_unstable();
        starts.dedup_by_key(|(id, _)| *id);
        starts
    }

    /// Everyone is armed, and triggers on funding are where the last look left them.
    fn is_current(&self, state: &State) -> bool {
        self.ready && self.markets.iter().zip(&state.markets).all(|(row, market)| row.posted == market.funding_index)
    }
}

/// Arms one account at a time, at prices of a path.
pub(crate) struct Scratch {
    watch: Watch,
    venue: Venue,
}

impl Scratch {
    /// For the accounts of a venue that has only the first handle.
    pub fn new(venue: &State) -> Self {
        let mut watch = Watch { rows: alloc::vec![Row::default()], ..Watch::default() };
        watch.fit(venue);
        Self { watch, venue: Venue::of(venue) }
    }

    /// The next step at which the first account of a venue may be below its line. The venue is at a step of the path, and the
    /// account, which has these terms, is not below it there.
    pub fn next(&mut self, venue: &State, terms: &Terms, path: &Path, step: usize) -> Option<usize> {
        const FIRST: AccountId = AccountId(0);
        self.watch.arm(venue, &self.venue, FIRST, terms);
        let Watch { markets, assets, hot, .. } = &mut self.watch;
        let mut next = hot.pop().map(|_| step + 1).filter(|next| *next <= path.last());
        let mut see = |shelf: &Shelf, value: &dyn Fn(usize) -> i64| {
            let first = first_below(step + 1, path.last(), shelf.nearest(), value);
            next = next.into_iter().chain(first).min();
        };
        for e in &venue.account(FIRST).exposures {
            let Some(row) = markets.get_mut(e.market.index()) else { continue };
            let price = |step| path.market(venue, e.market, step).units();
            for range in [&row.side, &row.price] {
                see(&range.low, &price);
                see(&range.high, &|step| price(step).saturating_neg());
            }
            if venue.market(e.market).params.option.is_some() {
                let underlying = |step| path.underlying(venue, e.market, step).units();
                see(&row.underlying.low, &underlying);
                see(&row.underlying.high, &|step| underlying(step).saturating_neg());
            }
            *row = MarketTriggers { posted: row.posted, ..MarketTriggers::default() };
        }
        for (id, range) in (0..assets.len()).map(AssetId::at).zip(assets) {
            let price = |step| path.asset(venue, id, step).units();
            see(&range.low, &price);
            see(&range.high, &|step| price(step).saturating_neg());
            *range = Range::default();
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_below_a_key_is_found_either_way() {
        let falls = |step: usize| [100, 90, 80, 70, 60][step];
        for (from, key, want) in
            [(0, 101, Some(0)), (0, 100, Some(1)), (0, 75, Some(3)), (2, 85, Some(2)), (0, 60, None), (5, 200, None)]
        {
            assert_eq!(first_below(from, 4, key, falls), want, "{from} {key}");
        }
        assert_eq!(first_below(0, 4, 100, |step| 100 + falls(step)), None);
        assert_eq!(first_below(1, 4, 95, |step| falls(4 - step)), Some(1));
    }
}
