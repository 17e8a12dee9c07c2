//! An index without a quorum, stage by stage: when it may take another one's price, when its markets end.

use super::Referee;
use super::mismatch::{Verdict, holds, same};
use super::model::Index;
use super::prices::agreed;
use engine::{IndexId, MarketId, MarketStatus};

impl Index {
    /// For how long it has had no quorum of its own at a moment; nothing while it has one.
    fn lost(&self, at: i64) -> Option<i64> {
        match self.fallen {
            Some(since) => Some(at - since),
            None if self.agreed > 0 && !self.usable(at) => Some(at - self.usable_until),
            None => None,
        }
    }

    /// So long that its markets end.
    pub fn dead(&self, at: i64) -> bool {
        let after = self.last_resort.settle_after_ns;
        after > 0 && self.lost(at).is_some_and(|lost| lost > after)
    }
}

impl Referee {
    pub(super) fn fell_back(&mut self, index: IndexId, to: IndexId) -> Verdict {
        let now = self.model.now;
        let (row, other) = (&self.model.indices[index.index()], &self.model.indices[to.index()]);
        let long = row.fallen.is_none() && row.lost(now).is_some_and(|l| l > row.last_resort.fallback_after_ns);
        let good = long && row.last_resort.fallback == Some(to) && other.usable(now) && other.fallen.is_none();
        holds("I-24", good, || format!("index {index} falls back on {to}"))?;
        let row = &mut self.model.indices[index.index()];
        row.count(now);
        row.fallen = Some(row.usable_until);
        Ok(())
    }

    /// While it has fallen back it says what the other one says.
    pub(super) fn followed(&self, index: IndexId, price: i128, usable_until: i64) -> Verdict {
        let to = self.model.indices[index.index()].last_resort.fallback;
        let other = to.map(|to| &self.model.indices[to.index()]);
        let ours = other.filter(|o| o.fallen.is_none() && o.usable(self.model.now)).map(|o| (o.price, o.usable_until));
        same("index", || format!("price of index {index} by its fallback"), ours, Some((price, usable_until)))
    }

    pub(super) fn index_restored(&mut self, index: IndexId) -> Verdict {
        let now = self.model.now;
        let row = &mut self.model.indices[index.index()];
        let quorum = agreed(row, now).is_some_and(|(_, quorum, _)| quorum);
        holds("I-24", row.fallen.is_some() && quorum, || format!("index {index} has a quorum again"))?;
        row.count(now);
        row.fallen = None;
        Ok(())
    }

    /// On another index a market never takes new risk.
    pub(super) fn not_on_fallback(&self, market: MarketId, status: MarketStatus) -> Verdict {
        let index = self.model.market(market).params.index;
        let fallen = self.model.indices[index.index()].fallen.is_some();
        let opens = matches!(status, MarketStatus::Open | MarketStatus::PostOnly);
        holds("I-24", !(fallen && opens), || format!("market {market} does not open on a fallback index"))
    }
}
