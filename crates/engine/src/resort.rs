//! An index that stays without a quorum: after its markets became reduce-only it takes the price of another index, with a
//! wider band, and in the end its markets are settled at its last valid time-weighted price. All by the clock.

use crate::bounds::Extremes;
use crate::output::Output;
use crate::{Event, Index, IndexId, MarketId, State, prices, settlement};
use alloc::vec::Vec;
use units::Rate;

/// The stages that the clock makes due.
pub(crate) fn due(out: &mut Output<'_>) {
    for id in (0..out.state().indices.len()).map(IndexId::at) {
        let (state, row) = (out.state(), out.state().index(id));
        let resort = row.params.last_resort;
        let Some(lost) = row.lost_for(state.now) else { continue };
        if resort.settle_after_ns > 0 && lost > resort.settle_after_ns {
            settle(out, id, resort.settle_window_ns);
        } else if let Some(to) = resort.fallback.filter(|_| row.fallen.is_none() && lost > resort.fallback_after_ns)
            && state.can_follow(id, to)
        {
            out.emit(Event::IndexFellBack { index: id, fallback: to });
            prices::refresh(out, &[id]);
        }
    }
}

fn settle(out: &mut Output<'_>, index: IndexId, window_ns: i64) {
    for market in (0..out.state().markets.len()).map(MarketId::at) {
        let row = out.state().market(market);
        if row.params.index == index && !row.is_over() {
            let now = out.state().now;
            settlement::begin(out, market, now, window_ns);
        }
    }
}

/// An index without own quorum takes the price of its fallback, for as long as that one is usable.
pub(crate) fn follow(out: &mut Output<'_>, id: IndexId) {
    let state = out.state();
    let Some(to) = state.index(id).params.last_resort.fallback else { return };
    let other = state.index(to);
    if state.can_follow(id, to) {
        let (price, usable_until) = (other.price, other.usable_until);
        out.emit(Event::IndexSet { index: id, price, usable_until });
    }
}

impl Index {
    /// For how long it has had no quorum of its own, nanoseconds; `None` while it has one, or never had.
    pub(crate) fn lost_for(&self, now: units::Time) -> Option<i64> {
        let since = self.fallen.or(Some(self.usable_until).filter(|_| !self.is_usable(now)))?;
        self.last_usable.is_positive().then(|| now.since(since))
    }

    /// How far a mark may be from it: wider while it stands on another index.
    pub(crate) fn mark_band(&self, own: Rate) -> Rate {
        if self.fallen.is_some() { own.max(self.params.last_resort.fallback_band) } else { own }
    }
}

impl State {
    /// The other index is usable by its own quorum, and no sum of the venue would become too large at its price.
    fn can_follow(&self, id: IndexId, to: IndexId) -> bool {
        let other = self.index(to);
        let extremes = Extremes::from([(id, (other.price, other.price))]);
        other.fallen.is_none() && other.is_usable(self.now) && self.quotes_too_far(&extremes).is_none()
    }

    /// Indices that take their price from one of these now, and are not among them.
    pub(crate) fn dependents(&self, indices: &[IndexId]) -> Vec<IndexId> {
        let follows = |id: &IndexId| {
            let row = self.index(*id);
            row.fallen.is_some()
                && row.params.last_resort.fallback.is_some_and(|to| indices.contains(&to))
                && !indices.contains(id)
        };
        (0..self.indices.len()).map(IndexId::at).filter(follows).collect()
    }

    /// What is quoted for an index may become the price of those that fall back on it, too.
    pub(crate) fn add_dependents(&self, extremes: &mut Extremes) {
        for (at, row) in self.indices.iter().enumerate().filter(|(_, row)| row.fallen.is_some()) {
            let quoted = row.params.last_resort.fallback.and_then(|to| extremes.get(&to).copied());
            if let Some((low, high)) = quoted {
                let range = extremes.entry(IndexId::at(at)).or_insert((low, high));
                *range = (range.0.min(low), range.1.max(high));
            }
        }
    }
}
