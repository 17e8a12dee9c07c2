//! An index before its launch: its two averages by the referee's own steps, who may follow it, and the way to its sources.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use super::model::Index;
use super::num::{Dir, RATE, mul_div, mul_mul_div};
use super::prices::agreed;
use engine::{Command, Event, IndexId, MarketId};

/// What the trades of one market say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own {
    pub window: i128,
    pub anchor_window: i128,
    pub reach: i128,
    /// Both averages, 1e-17.
    pub price: i128,
    pub anchor: i128,
    /// Trades that are not in them yet: Σ value, Σ contracts, and when the first was.
    pub value: i128,
    pub contracts: i128,
    pub since: i64,
    pub launching: bool,
}

const FINE: i128 = 1_000_000_000;

impl Own {
    pub fn read(p: &engine::params::OwnTrades) -> Self {
        let first = i128::from(p.first.units()) * FINE;
        Self {
            window: i128::from(p.rule.window_s),
            anchor_window: i128::from(p.rule.anchor_s),
            reach: i128::from(p.rule.reach.units()),
            price: first,
            anchor: first,
            ..Self::default()
        }
    }

    /// The averages after the trades of a second.
    fn next(&self, speed: i128) -> (i128, i128) {
        let traded = mul_div(self.value, FINE, self.contracts, Dir::Down);
        let most = mul_div(self.price, speed, RATE, Dir::Down);
        let moved = self.price + ((traded - self.price) / self.window).clamp(-most, most);
        let (low, high) = (
            mul_div(self.anchor, RATE, RATE + self.reach, Dir::Up),
            mul_div(self.anchor, RATE + self.reach, RATE, Dir::Down),
        );
        let price = moved.max(low).min(high);
        (price, self.anchor + (price - self.anchor) / self.anchor_window)
    }
}

impl Referee {
    /// A trade of the one market that an index before its launch follows.
    pub(super) fn own_trade(&mut self, market: MarketId, value: i128, contracts: i128) {
        let now = self.model.now;
        let index = self.model.market(market).params.index;
        if let Some(own) = self.model.indices[index.index()].own.as_mut().filter(|own| !own.launching) {
            if own.contracts == 0 {
                own.since = now;
            }
            (own.value, own.contracts) = (own.value + value.abs(), own.contracts + contracts.abs());
        }
    }

    pub(super) fn prelaunch(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let now = self.model.now;
        match *event {
            Event::OwnTradesAveraged { index, price, anchor } => {
                let row = &mut self.model.indices[index.index()];
                let speed = row.speed;
                let Some(own) = row.own.as_mut().filter(|own| !own.launching && own.contracts > 0) else {
                    return holds("pre-launch", false, || format!("index {index} follows its trades"));
                };
                let ours = own.next(speed);
                // Where the venue would become too large the average stands; see `QuoteOutOfRange`.
                if (price, anchor) != (own.price, own.anchor) {
                    same("pre-launch", || format!("averages of index {index}"), ours, (price, anchor))?;
                }
                (own.price, own.anchor) = (price, anchor);
                (own.value, own.contracts) = (0, 0);
                Ok(())
            }
            Event::LaunchBegan { index } => {
                let asked = matches!(turn.command, Command::LaunchIndex { index: i } if *i == index);
                let row = &mut self.model.indices[index.index()];
                let quorum = agreed(row, now).is_some_and(|(_, quorum, _)| quorum);
                let waits = row.own.as_mut().filter(|own| !own.launching).map(|own| own.launching = true);
                holds("pre-launch", asked && quorum && waits.is_some(), || format!("index {index} can be launched"))
            }
            Event::Launched { index } => {
                let row = &mut self.model.indices[index.index()];
                let (target, quorum, _) = agreed(row, now).unwrap_or_default();
                let there = row.launching() && quorum && row.held(target, now) == target;
                row.own = None;
                self.everyone = true;
                holds("pre-launch", there, || format!("index {index} has arrived"))
            }
            _ => Ok(()),
        }
    }

    /// The price of an index before its launch: its average, always usable.
    pub(super) fn own_price(&self, index: IndexId, price: i128, usable_until: i64) -> Verdict {
        let own = self.model.indices[index.index()].own.unwrap_or_default();
        let ours = ((own.price / FINE).max(1), i64::MAX);
        same("pre-launch", || format!("price of index {index}"), ours, (price, usable_until))
    }

    /// Nothing else is valued at such an index, and its market is within its limits; no second of trades is forgotten.
    pub(super) fn prelaunch_kept(&self) -> Verdict {
        for (at, row) in self.model.indices.iter().enumerate() {
            let Some(own) = row.own else { continue };
            let index = Some(IndexId::at(at));
            let read = self.model.assets.iter().any(|a| a.index == index)
                || self.model.indices.iter().any(|i| i.last_resort.fallback == index);
            holds("pre-launch", !read, || format!("only its market follows index {at}"))?;
            let markets: Vec<_> = self.model.markets.iter().filter(|m| Some(m.params.index) == index).collect();
            let tight = markets.iter().all(|m| {
                let p = &m.params;
                p.face.is_none()
                    && p.fund_limit == 0
                    && !p.adl_at_mark
                    && p.realise_every_ns == 0
                    && p.interest_cap >= p.form.cap()
                    && p.form.least().initial * 5 >= RATE
            });
            holds("pre-launch", markets.len() <= 1 && tight, || format!("one market, within limits, follows {at}"))?;
            let late = own.contracts > 0 && own.since + 1_000_000_000 <= self.model.now - 1_000_000_000;
            holds("pre-launch", own.launching || !late, || format!("trades of index {at} are averaged in time"))?;
        }
        Ok(())
    }
}

impl Index {
    pub fn launching(&self) -> bool {
        self.own.is_some_and(|own| own.launching)
    }

    /// No farther from where it is than its speed allows since; a launch counts a second at most.
    pub fn held(&self, target: i128, now: i64) -> i128 {
        let most = if self.own.is_some() { FINE } else { i128::MAX };
        let elapsed = i128::from(now - self.set_at).min(most);
        let step = mul_mul_div(self.price, self.speed, elapsed, RATE * RATE, Dir::Down);
        target.clamp(self.price - step, self.price + step).max(1)
    }
}
