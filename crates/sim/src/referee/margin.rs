//! Equity and margins of a subaccount, by a plain walk over its wallets, positions and every open order there is.

use super::Referee;
use super::model::{Account, Kind, Market, Order, Place};
use super::num::{Dir, PRICE, RATE, at_rate, div, mul_div, mul_mul_div};
use super::value;
use engine::{AccountId, AssetId, MarketId, PositionId, Side};
use std::collections::BTreeMap;

/// At which prices an account is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lens {
    /// At the marks; at the last usable ones while fewer than a quorum speak, in every lens.
    Mark,
    /// At the marks, and with the least open interest that this command has seen: others may have opened since it was judged.
    Taken,
    /// Initial margin at the worse of mark and average.
    Worse,
    /// The same, gains counting nothing.
    Outflow,
    /// The same, terms with unusable prices moved in the account's favour.
    Lenient,
    /// Without haircuts.
    Bare,
}

/// What a subaccount has and needs, numeraire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub equity: i128,
    pub initial: i128,
    pub maintenance: i128,
    pub notional: i128,
}

impl Figures {
    pub fn headroom(&self) -> i128 {
        self.equity - self.maintenance
    }
}

impl Referee {
    /// What an amount that must be held is worth, rounded up.
    pub(super) fn debt(&self, asset: AssetId, amount: i128) -> i128 {
        mul_div(amount, self.model.asset_price(asset), PRICE, Dir::Up)
    }

    pub(super) fn usable(&self, market: MarketId) -> bool {
        let index = self.model.market(market).params.index;
        self.model.indices[index.index()].usable(self.model.now)
    }

    pub(super) fn figures(&self, id: AccountId, lens: Lens) -> Figures {
        self.figures_of(id, self.model.account(id), lens, None)
    }

    /// The same with one market marked at another price.
    pub(super) fn figures_at(&self, id: AccountId, lens: Lens, other: (MarketId, i128)) -> Figures {
        self.figures_of(id, self.model.account(id), lens, Some(other))
    }

    /// The same after a trade of `delta` contracts for `paid` and a fee.
    pub(super) fn supposing(
        &self,
        id: AccountId,
        lens: Lens,
        position: PositionId,
        delta: i128,
        paid: i128,
        fee: i128,
    ) -> Figures {
        let mut row = self.model.account(id).clone();
        let m = self.model.market(position.market);
        let e = row.exposures.entry(position).or_default();
        let funding = if e.size == 0 { 0 } else { mul_div(-e.size, m.funding - e.checkpoint, RATE, Dir::Down) };
        let after = value::trade(e.size, e.cost, delta, paid);
        (e.size, e.cost, e.checkpoint) = (after.size, after.cost, m.funding);
        let owed = super::losses::paid(&std::mem::take(&mut e.owed));
        *row.wallets.entry(m.params.settlement).or_insert(0) += after.realised + funding - owed - fee;
        self.figures_of(id, &row, lens, None)
    }

    pub(super) fn figures_of(
        &self,
        id: AccountId,
        account: &Account,
        lens: Lens,
        other: Option<(MarketId, i128)>,
    ) -> Figures {
        let mut amounts: BTreeMap<AssetId, i128> = account.wallets.clone();
        amounts.retain(|asset, _| account.only.is_none_or(|only| only == *asset));
        for (asset, amount) in &mut amounts {
            *amount -= self.model.interest_due(id, *asset);
        }
        let mut sum = Figures::default();
        for (position, e) in &account.exposures {
            let market = self.model.market(position.market);
            let asset = market.params.settlement;
            let mark = other.filter(|o| o.0 == position.market).map_or_else(|| self.model.valuation(market), |o| o.1);
            let reserved = self.reserved_for(id, *position);
            let orders = self.margined(id, *position);
            if e.size == 0 && orders.is_empty() && reserved == 0 {
                continue;
            }
            let upnl = self.result(market, e.size, e.cost, mark, lens);
            let unsettled = mul_div(-e.size, market.funding - e.checkpoint, RATE, Dir::Down);
            let unsettled = unsettled - super::losses::paid(&e.owed);
            *amounts.entry(asset).or_insert(0) += upnl + if e.size == 0 { 0 } else { unsettled };
            if e.size != 0 {
                sum.notional += self.debt(asset, value::notional(&market.params, mark, e.size));
                if !market.settling() {
                    sum.maintenance += self.debt(asset, value::maintenance(&market.params, mark, e.size));
                }
            }
            if market.settling() {
                continue; // its price is known: nothing is left to hold margin for
            }
            let kept = self.rate_kept(id, position.market);
            let interest = self.interest_worth(position.market, lens);
            let margin = |at| order_margin(market, (e.size, e.leverage), &orders, at, (kept, interest)) + reserved;
            let here = margin(mark);
            sum.initial += self.debt(asset, here);
            if matches!(lens, Lens::Worse | Lens::Outflow)
                && let Some(average) = market.average.price()
            {
                let there = margin(average);
                let result = value::upnl(&market.params, average, e.size, e.cost);
                let result = if self.nothing_gained(market, lens) { result.min(0) } else { result };
                let lost = (upnl - here) - (result - there);
                sum.initial += self.debt(asset, lost.max(0));
            }
        }
        sum.equity = amounts.iter().map(|(asset, amount)| self.counts(*asset, *amount, lens)).sum();
        sum
    }

    /// Gains that leave nothing behind them, and those of a market before its launch where they would carry new risk.
    fn nothing_gained(&self, market: &Market, lens: Lens) -> bool {
        let own = self.model.indices[market.params.index.index()].own.is_some();
        lens == Lens::Outflow || own && lens == Lens::Worse
    }

    /// A position's result at a price.
    pub(super) fn result(&self, market: &Market, size: i128, cost: i128, mark: i128, lens: Lens) -> i128 {
        if size == 0 {
            return 0;
        }
        let upnl = value::upnl(&market.params, mark, size, cost);
        if self.nothing_gained(market, lens) {
            return upnl.min(0);
        }
        if lens == Lens::Lenient
            && !market.settling()
            && !self.model.indices[market.params.index.index()].usable(self.model.now)
        {
            let favour = at_rate(value::notional(&market.params, mark, size), self.model.risk.stale_favour, Dir::Down);
            let per = self.model.asset_price(market.params.settlement);
            let cap = if per == 0 { 0 } else { mul_div(self.model.risk.stale_favour_cap, PRICE, per, Dir::Down) };
            return upnl + favour.min(cap);
        }
        upnl
    }

    /// What an amount of an asset counts as collateral.
    pub(super) fn counts(&self, asset: AssetId, amount: i128, lens: Lens) -> i128 {
        if amount == 0 {
            return 0;
        }
        let row = &self.model.assets[asset.index()];
        let price = self.model.asset_price(asset);
        let at = |amount: i128, share: i128| mul_mul_div(amount, price, share, PRICE * RATE, Dir::Down);
        let value: i128 = if lens == Lens::Bare || amount < 0 {
            at(amount, RATE)
        } else {
            row.shares().iter().map(|(from, to, share)| at((amount.min(*to) - from).max(0), *share)).sum()
        };
        match row.index.map(|index| &self.model.indices[index.index()]) {
            Some(index) if lens == Lens::Lenient && !index.usable(self.model.now) => {
                let favour = at_rate(value.abs(), self.model.risk.stale_favour, Dir::Down);
                value + favour.min(self.model.risk.stale_favour_cap)
            }
            _ => value,
        }
    }

    /// Every open order of an account in a position, oldest first.
    pub(super) fn orders_in(&self, id: AccountId, position: PositionId) -> impl Iterator<Item = &Order> {
        self.model
            .account(id)
            .orders
            .get(&position)
            .into_iter()
            .flatten()
            .filter_map(|order| self.model.orders.get(order))
    }

    /// Resting orders of one side that may increase a position.
    pub(super) fn resting(&self, id: AccountId, position: PositionId, side: Side) -> Vec<&Order> {
        let own = |o: &&Order| o.side == side && o.place == Place::Resting && !o.reduce_only;
        self.orders_in(id, position).filter(own).collect()
    }

    /// The orders that count in an account's own initial margin: those of a child are the parent's reservation.
    fn margined(&self, id: AccountId, position: PositionId) -> Vec<&Order> {
        if matches!(self.model.account(id).kind, Kind::Child { .. }) {
            return Vec::new();
        }
        let mut orders = self.resting(id, position, Side::Buy);
        orders.extend(self.resting(id, position, Side::Sell));
        orders
    }

    /// Σ reserved over the open orders of the account's child.
    pub(super) fn reserved_for(&self, parent: AccountId, position: PositionId) -> i128 {
        let Some(child) = self.model.account(parent).exposures.get(&position).and_then(|e| e.child) else { return 0 };
        self.orders_in(child, position).map(|o| o.reserved).sum()
    }
}

/// Initial margin of a position with all its orders, what these would lose against a price, and their fees.
fn order_margin(
    market: &Market,
    (size, leverage): (i128, i128),
    orders: &[&Order],
    at: i128,
    (rate, interest): (i128, i128),
) -> i128 {
    let p = &market.params;
    let open = |side: Side| orders.iter().filter(|o| o.side == side).map(|o| o.remaining).sum::<i128>();
    let long = value::initial(p, at, size + open(Side::Buy), leverage, interest);
    let short = value::initial(p, at, size - open(Side::Sell), leverage, interest);
    let loss: i128 = orders.iter().map(|o| loss_of(market, o, o.remaining, at)).sum();
    let notional: i128 = orders.iter().map(|o| value::notional(p, o.price, o.remaining)).sum();
    long.max(short) + loss + at_rate(notional, rate, Dir::Up)
}

/// What `size` contracts of an order would lose against a price: nothing when its own price is not worse.
pub fn loss_of(market: &Market, order: &Order, size: i128, at: i128) -> i128 {
    if (order.price - at) * order.sign() <= 0 {
        return 0;
    }
    let signed = size * order.sign();
    (value::value(&market.params, order.price, signed, Dir::Up) - value::value(&market.params, at, signed, Dir::Down))
        .max(0)
}

/// A time-weighted average over five minutes, kept in ten-second buckets.
#[derive(Clone, Debug, Default)]
pub struct Average {
    /// Number of the bucket, Σ price × ns, Σ ns.
    rows: Vec<(i64, i128, i128)>,
    since: i64,
}

impl Average {
    const WIDTH: i64 = 10_000_000_000;
    const BUCKETS: i64 = 30;

    pub fn start(now: i64) -> Self {
        Self { rows: Vec::new(), since: now }
    }

    /// The mark held from the last call until now; it is booked in the bucket of now.
    pub fn accrue(&mut self, mark: i128, now: i64) {
        let elapsed = (now - self.since).clamp(0, Self::WIDTH * Self::BUCKETS);
        self.since = now;
        if elapsed == 0 || mark <= 0 {
            return;
        }
        let bucket = now.div_euclid(Self::WIDTH);
        self.rows.push((bucket, mark * i128::from(elapsed), i128::from(elapsed)));
        self.rows.retain(|row| row.0 > bucket - Self::BUCKETS);
    }

    /// Every bucket in a new unit.
    pub fn split(&mut self, unit: impl Fn(i128) -> i128) {
        let mut buckets: BTreeMap<i64, (i128, i128)> = BTreeMap::new();
        for (bucket, sum, ns) in &self.rows {
            let row = buckets.entry(*bucket).or_default();
            *row = (row.0 + sum, row.1 + ns);
        }
        self.rows = buckets.into_iter().map(|(bucket, (sum, ns))| (bucket, unit(sum), ns)).collect();
    }

    pub fn price(&self) -> Option<i128> {
        let ns: i128 = self.rows.iter().map(|row| row.2).sum();
        let sum: i128 = self.rows.iter().map(|row| row.1).sum();
        if ns == 0 { None } else { Some(div(sum, ns, Dir::Zero)).filter(|p| *p > 0) }
    }
}
