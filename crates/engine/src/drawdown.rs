//! How much a fund has lost of its highest worth within a window, and whether that ends its take-overs in a market.
//!
//! Worth is equity at the marks, collateral at index without haircuts, numeraire: cash alone would show a loss only when a position
//! that was taken over is closed, long after it began to cost. What the operator brings or takes moves the remembered
//! worths with it, so that it is neither gain nor loss.

use crate::margin::{Basis, Need};
use crate::output::Output;
use crate::{AccountId, Event, MarketId, MoveReason, State, limits};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Money, Round, Time};

/// What a fund was worth: of each minute the highest sample, unless a later one reached it; oldest first, so falling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worths {
    rows: Vec<(i64, Money)>,
}

impl Worths {
    /// Takes a sample; what no window can reach any more goes. At most `DRAWDOWN_MINUTES` + 2 rows stay.
    fn see(&mut self, now: Time, worth: Money) {
        let at = minute(now);
        let old = self.rows.partition_point(|row| row.0 < at - limits::DRAWDOWN_MINUTES - 1);
        self.rows.drain(..old);
        while self.rows.last().is_some_and(|row| row.1 <= worth) {
            self.rows.pop();
        }
        if self.rows.last().is_none_or(|row| row.0 < at) {
            self.rows.push((at, worth));
        }
    }

    /// The highest since a moment, by whole minutes: what its minute saw before it counts, too.
    fn highest(&self, since: Time) -> Option<Money> {
        let first = self.rows.partition_point(|row| row.0 < minute(since));
        self.rows.get(first).map(|row| row.1)
    }

    fn shift(&mut self, by: Money) {
        self.rows.iter_mut().for_each(|row| row.1 += by);
    }
}

fn minute(time: Time) -> i64 {
    time.ns().div_euclid(60 * Time::SECOND_NS)
}

/// Once a second: what each fund is worth that a market watches.
pub(crate) fn sample(out: &mut Output<'_>) {
    let watched = |m: &&crate::Market| m.params.liquidation.loss.drawdown.is_used() && !m.is_over();
    let funds: BTreeSet<AccountId> = out.state().markets.iter().filter(watched).map(|m| m.params.fund).collect();
    for fund in funds {
        let worth = out.state().worth_of(fund);
        out.emit(Event::FundWorth { fund, worth });
    }
}

impl State {
    fn worth_of(&self, fund: AccountId) -> Money {
        self.evaluate(fund, Basis::Bare, Need::Equity, None).equity
    }

    /// What the fund of a market is worth and was worth at most within the window, when it has lost too much to take over more.
    pub(crate) fn drawn_down(&self, market: MarketId) -> Option<(Money, Money)> {
        let params = &self.market(market).params;
        let rule = params.liquidation.loss.drawdown;
        if !rule.is_used() {
            return None;
        }
        let worth = self.worth_of(params.fund);
        let since = self.now.plus_ns(-rule.window_ns);
        let seen = self.worths.get(&params.fund).and_then(|worths| worths.highest(since));
        let peak = seen.unwrap_or(worth).max(worth);
        let lost = peak - worth;
        (lost.is_positive() && lost >= peak.mul_rate(rule.share, Round::Up)).then_some((worth, peak))
    }
}

/// What a payment of the operator, or of a reserve, may move the worth of: giver and receiver that are remembered, with their worth before it.
pub(crate) type Flow = [Option<(AccountId, Money)>; 2];

/// Before an event that moves money.
pub(crate) fn flow(state: &State, event: &Event) -> Flow {
    let sides = match *event {
        Event::Deposited { account, .. }
        | Event::WithdrawalRequested { account, .. }
        | Event::WithdrawalReturned { account, .. } => [Some(account), None],
        Event::Moved { from, to, reason: MoveReason::Transfer, .. } => [Some(from), Some(to)],
        Event::ReserveDrawn { fund, .. } => [Some(fund), None],
        _ => [None, None],
    };
    sides.map(|side| side.filter(|id| state.worths.contains_key(id)).map(|id| (id, state.worth_of(id))))
}

/// After it.
pub(crate) fn flowed(state: &mut State, before: Flow) {
    for (fund, worth) in before.into_iter().flatten() {
        let by = state.worth_of(fund) - worth;
        if let Some(worths) = state.worths.get_mut(&fund) {
            worths.shift(by);
        }
    }
}

pub(crate) fn apply(state: &mut State, fund: AccountId, worth: Money) {
    let now = state.now;
    state.worths.entry(fund).or_default().see(now, worth);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Time {
        Time::EPOCH.plus_ns(minutes * 60 * Time::SECOND_NS)
    }

    #[test]
    fn the_highest_worth_of_any_window_is_remembered_and_no_more() {
        // Against the plain answer: the highest of all samples whose minute is not before that of the window's begin.
        let (mut worths, mut all) = (Worths::default(), Vec::new());
        let mut dice = 7u64;
        for n in 0..6_000i64 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let worth = Money::whole(i64::try_from(dice >> 40).unwrap() % 1_000 - n / 10);
            worths.see(at(n), worth);
            all.push(worth);
            for window in [0, 1, 60, 480, limits::DRAWDOWN_MINUTES] {
                let first = usize::try_from((n - window).max(0)).unwrap();
                assert_eq!(worths.highest(at(n - window)), all[first..].iter().max().copied(), "{n} {window}");
            }
            assert!(worths.rows.len() <= usize::try_from(limits::DRAWDOWN_MINUTES).unwrap() + 2);
        }
        // Always falling, the longest there can be.
        let mut worths = Worths::default();
        (0..3_000).for_each(|n| worths.see(at(n), Money::whole(-n)));
        assert_eq!(worths.rows.len(), usize::try_from(limits::DRAWDOWN_MINUTES).unwrap() + 2);
    }

    #[test]
    fn a_minute_keeps_its_highest_sample() {
        let mut worths = Worths::default();
        for worth in [5, 9, 7] {
            worths.see(at(1), Money::whole(worth));
        }
        assert_eq!(worths.rows, [(1, Money::whole(9))]);
        worths.see(at(2), Money::whole(8));
        worths.shift(Money::whole(-4));
        assert_eq!((worths.highest(at(1)), worths.highest(at(2))), (Some(Money::whole(5)), Some(Money::whole(4))));
    }
}
