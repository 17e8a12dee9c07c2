//! Drawdown of funds: what each was worth, once a second, in a table of all minutes, and who may take over by it (I-19).

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, at_rate};
use engine::{AccountId, AssetId, MarketId};

const MINUTE_NS: i64 = 60_000_000_000;

impl Referee {
    fn worth_of(&self, fund: AccountId) -> i128 {
        self.figures(fund, Lens::Bare).equity
    }

    /// A new second: the worth of every fund that a market watches is due.
    pub(super) fn watch_funds(&mut self, now: i64) {
        let second = |ns: i64| ns.div_euclid(1_000_000_000);
        self.to_sample.clear();
        if second(now) > second(self.model.now) || self.model.sequence == 0 {
            let markets = (0..self.model.markets.len()).map(MarketId::at);
            let watched = markets.filter(|id| self.model.market(*id).params.drawdown.0 > 0);
            self.to_sample = watched.map(|id| (self.model.market(id).params.fund, id)).collect();
        }
    }

    pub(super) fn fund_worth(&mut self, fund: AccountId, theirs: i128) -> Verdict {
        let worth = self.worth_of(fund);
        same("drawdown", || format!("worth of fund {fund}"), worth, theirs)?;
        let watched = self.model.markets.iter().any(|m| m.params.fund == fund && m.params.drawdown.0 > 0);
        holds("drawdown", watched, || format!("a market watches fund {fund}"))?;
        self.to_sample.retain(|(sampled, _)| *sampled != fund);
        let minute = self.model.now.div_euclid(MINUTE_NS);
        let row = self.model.worths.entry(fund).or_default().entry(minute).or_insert(worth);
        *row = worth.max(*row);
        Ok(())
    }

    /// Every sample that was due has come; a market that this command ended is not watched any more.
    pub(super) fn sampled(&self) -> Verdict {
        let open = |row: &&(AccountId, MarketId)| !self.model.market(row.1).over();
        let missing = self.to_sample.iter().find(open);
        holds("drawdown", missing.is_none(), || format!("the worth of fund {missing:?} is sampled"))
    }

    /// An operator's payment moves a wallet and all that was remembered, so that it is neither gain nor loss.
    pub(super) fn flow(&mut self, id: AccountId, asset: AssetId, amount: i128) {
        let before = self.worth_of(id);
        self.credit(id, asset, amount);
        let moved = self.worth_of(id) - before;
        let worths = self.model.worths.get_mut(&id).into_iter().flatten();
        worths.for_each(|(_, worth)| *worth += moved);
    }

    /// Worth and highest worth of a market's fund within its window, when it has lost the share.
    pub(super) fn drawdown_of(&self, market: MarketId) -> Option<(i128, i128)> {
        let params = &self.model.market(market).params;
        let (share, window_ns) = params.drawdown;
        if share == 0 {
            return None;
        }
        let worth = self.worth_of(params.fund);
        let first = (self.model.now - window_ns).div_euclid(MINUTE_NS);
        let seen = self.model.worths.get(&params.fund).into_iter().flatten();
        let peak = seen.filter(|(minute, _)| **minute >= first).map(|(_, worth)| *worth).max().unwrap_or(worth);
        let peak = peak.max(worth);
        (worth < peak && peak - worth >= at_rate(peak, share, Dir::Up)).then_some((worth, peak))
    }

    pub(super) fn not_drawn_down(&self, market: MarketId) -> Verdict {
        let down = self.drawdown_of(market);
        holds("I-19", down.is_none(), || format!("the fund of market {market} has not lost its share: {down:?}"))
    }

    pub(super) fn fund_drawn_down(&self, whose: (AccountId, MarketId), theirs: (i128, i128)) -> Verdict {
        let (fund, market) = whose;
        same("drawdown", || format!("fund of market {market}"), self.model.market(market).params.fund, fund)?;
        same("drawdown", || format!("worth and peak of fund {fund}"), self.drawdown_of(market), Some(theirs))
    }
}
