//! A new unit, by the referee's own division: every position, every price, nothing forgotten and nobody richer.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, div};
use super::value;
use engine::{AccountId, CancelReason, Command, Event, IndexId, MarketId, OrderId, PositionId, Split};
use std::collections::{BTreeMap, BTreeSet};

/// What the split of this command has done so far.
#[derive(Clone, Debug, Default)]
pub struct Splitting {
    /// Positions with their contracts of before.
    positions: BTreeMap<(AccountId, PositionId), i128>,
    markets: BTreeSet<MarketId>,
    indices: BTreeSet<IndexId>,
}

/// Contracts in the new unit.
fn contracts(split: Split, old: i128) -> i128 {
    match split {
        Split::Into(n) => old * i128::from(n),
        Split::Join(n) => div(old, i128::from(n), Dir::Zero),
    }
}

/// A price, or a sum of them, in the new unit.
fn price(split: Split, old: i128) -> i128 {
    match split {
        Split::Into(n) => div(old, i128::from(n), Dir::Zero),
        Split::Join(n) => old * i128::from(n),
    }
}

/// The same contracts or price back in the old unit.
fn back(split: Split) -> Split {
    match split {
        Split::Into(n) => Split::Join(n),
        Split::Join(n) => Split::Into(n),
    }
}

impl Referee {
    pub(super) fn split(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let Command::SplitIndex { index: asked, split: by } = *turn.command else {
            return holds("split", false, || format!("{event:?} was asked for"));
        };
        self.everyone = true;
        match *event {
            Event::PositionSplit { account, market, size, leg } => {
                same("split", || format!("index of market {market}"), asked, self.model.market(market).params.index)?;
                let position = market.leg(leg);
                let owes = self.owes_losses(account, position);
                holds("split", !owes, || format!("losses of {account} are settled first"))?;
                let funding = self.model.market(market).funding;
                let row = self.model.exposure_mut(account, position);
                same("split", || format!("funding of {account} is settled first"), funding, row.checkpoint)?;
                let (before, after) = (row.size, contracts(by, row.size));
                holds("split", before != 0 && contracts(back(by), after) == before, || {
                    format!("contracts of {account} divide")
                })?;
                same("split", || format!("contracts of {account}"), after, i128::from(size.units()))?;
                row.size = after;
                let first = self.splitting.positions.insert((account, position), before).is_none();
                holds("split", first, || format!("position of {account} splits once"))
            }
            Event::MarketSplit { market, split, tick, lot, mark, last_usable } => {
                same("split", || "factor of a market".into(), by, split)?;
                let theirs = [i128::from(tick.units()), i128::from(lot.units())];
                self.market_split(market, split, theirs)?;
                let row = self.model.market(market);
                let theirs = (i128::from(mark.units()), i128::from(last_usable.units()));
                same("split", || format!("marks of market {market}"), (row.mark, row.agreed), theirs)
            }
            Event::IndexSplit { index, split, price } => {
                same("split", || "index and factor".into(), (asked, by), (index, split))?;
                self.index_split(index, split, i128::from(price.units()))
            }
            _ => Ok(()),
        }
    }

    fn market_split(&mut self, market: MarketId, split: Split, theirs: [i128; 2]) -> Verdict {
        let old = self.model.market(market).clone();
        let halted = old.status == engine::MarketStatus::Halted && old.params.face.is_none();
        let orders = self.model.orders.values().any(|o| o.market == market);
        holds("split", halted && !orders, || format!("market {market} is halted, linear and without orders"))?;
        let ours = [price(split, old.params.tick), contracts(split, old.params.lot)];
        let exact = [price(back(split), ours[0]), contracts(back(split), ours[1])] == [old.params.tick, old.params.lot];
        holds("split", exact, || format!("tick and lot of market {market} divide"))?;
        same("split", || format!("tick and lot of market {market}"), ours, theirs)?;
        let row = self.model.market_mut(market);
        [row.params.tick, row.params.lot] = ours;
        for stored in [&mut row.mark, &mut row.agreed, &mut row.last] {
            *stored = price(split, *stored);
        }
        row.average.split(|sum| price(split, sum));
        let new = row.clone();
        self.model.realising.entry(market).and_modify(|at| *at = price(split, *at));
        // The mark that the new unit can say, in the old unit: less than a tick below what it was.
        let said = price(back(split), new.mark);
        holds("split", (0..old.params.tick).contains(&(old.mark - said)), || format!("mark {said} is {}", old.mark))?;
        for (id, account) in self.model.accounts.iter().enumerate() {
            for (position, e) in account.exposures.iter().filter(|(p, e)| p.market == market && e.size != 0) {
                let before = self.splitting.positions.get(&(AccountId::at(id), *position)).copied();
                let Some(before) = before else {
                    return holds("split", false, || format!("position of account {id} in {market} splits, too"));
                };
                let worth = |m: &super::model::Market, mark, size| {
                    (value::upnl(&m.params, mark, size, e.cost), value::maintenance(&m.params, mark, size))
                };
                let what = || format!("result and maintenance of account {id} in market {market}");
                same("split", what, worth(&old, said, before), worth(&new, new.mark, e.size))?;
            }
        }
        holds("split", self.splitting.markets.insert(market), || format!("market {market} splits once"))
    }

    fn index_split(&mut self, index: IndexId, split: Split, theirs: i128) -> Verdict {
        for (at, row) in self.model.markets.iter().enumerate().filter(|(_, m)| m.params.index == index) {
            let done =
                row.status == engine::MarketStatus::Settled || self.splitting.markets.contains(&MarketId::at(at));
            holds("split", done, || format!("market {at} splits with its index"))?;
        }
        let read = self.model.assets.iter().any(|a| a.index == Some(index))
            || self.model.indices.iter().any(|i| i.last_resort.fallback == Some(index));
        let now = self.model.now;
        let row = &mut self.model.indices[index.index()];
        let alone = !read && row.last_resort.fallback.is_none() && row.fallen.is_none();
        holds("split", alone, || format!("nothing else counts in the unit of index {index}"))?;
        row.count(now);
        row.price = price(split, row.price);
        row.agreed = price(split, row.agreed);
        row.quotes.iter_mut().flatten().for_each(|quote| quote.0 = price(split, quote.0));
        row.minutes.values_mut().for_each(|minute| minute.0 = price(split, minute.0));
        row.split_at = now;
        if let Some(own) = &mut row.own {
            (own.price, own.anchor) = (price(split, own.price), price(split, own.anchor));
            own.contracts = contracts(split, own.contracts);
        }
        same("split", || format!("price of index {index}"), row.price, theirs)?;
        self.splitting.indices.insert(index);
        Ok(())
    }

    pub(super) fn cancelled_for_split(&self, turn: &Turn<'_>, order: OrderId, reason: CancelReason) -> Verdict {
        if reason != CancelReason::Split {
            return Ok(());
        }
        let index = self.model.market(self.open(order)?.market).params.index;
        let asked = matches!(turn.command, Command::SplitIndex { index: i, .. } if *i == index);
        holds("split", asked, || format!("{order:?} ends with its unit"))
    }

    /// A split that was accepted has happened, whole.
    pub(super) fn split_done(&self, turn: &Turn<'_>) -> Verdict {
        let Command::SplitIndex { index, .. } = turn.command else { return Ok(()) };
        let (asked, done) = (turn.answer.is_ok(), self.splitting.indices.contains(index));
        same("split", || format!("whether index {index} has split"), asked, done)
    }
}
