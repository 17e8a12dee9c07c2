//! A new unit: an index and every market that follows it count in smaller or larger contracts from one command on.
//!
//! Contracts times the factor, prices per contract divided by it: what a position is worth and cost, and what it must hold,
//! stays. It looks at every account once and knows nothing of why the unit changed.

use crate::fault::fault;
use crate::output::Output;
use crate::state::{Index, Market, Watched};
use crate::{
    AccountId, Answer, CancelReason, Event, IndexId, Leg, MarketId, MarketStatus, Reject, State, funding, limits,
};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Price, Size};

/// How many new contracts stand for the old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Each contract becomes this many, at that part of its price.
    Into(u32),
    /// This many become one, at that multiple of its price.
    Join(u32),
}

impl Split {
    fn factor(self) -> u32 {
        match self {
            Self::Into(n) | Self::Join(n) => n,
        }
    }

    /// A number of contracts; `None` when it does not divide or fit.
    fn size(self, size: Size) -> Option<Size> {
        let units = match self {
            Self::Into(n) => size.units().checked_mul(i64::from(n))?,
            Self::Join(n) if size.units() % i64::from(n) == 0 => size.units().checked_div(i64::from(n))?,
            Self::Join(_) => return None,
        };
        Size::new(units)
    }

    /// A price per contract, rounded toward zero; `None` when it does not fit.
    fn price(self, price: Price) -> Option<Price> {
        let units = match self {
            Self::Into(n) => price.units().checked_div(i64::from(n))?,
            Self::Join(n) => price.units().checked_mul(i64::from(n))?,
        };
        Price::new(units)
    }

    /// A sum of contracts: exact, since each of them was.
    fn contracts(self, sum: i128) -> i128 {
        match self {
            Self::Into(n) => sum * i128::from(n),
            Self::Join(n) => sum.checked_div(i128::from(n)).unwrap_or(sum),
        }
    }

    /// A sum of price × time, rounded toward zero.
    fn weighted(self, sum: i128) -> i128 {
        match self {
            Self::Into(n) => sum.checked_div(i128::from(n)).unwrap_or(sum),
            Self::Join(n) => sum * i128::from(n),
        }
    }
}

/// Splits an index with every market that follows it: orders are cancelled, funding is settled, then the unit changes.
pub(crate) fn split_index(out: &mut Output<'_>, index: IndexId, split: Split) -> Result<Answer, Reject> {
    let markets = check(out.state(), index, split)?;
    for market in &markets {
        while let Some(order) = out.state().any_order(*market) {
            let remaining = out.state().order(order).map_or(Size::ZERO, |o| o.remaining);
            out.emit(Event::OrderCancelled { order, remaining, reason: CancelReason::Split });
        }
    }
    for account in (0..out.state().accounts.len()).map(AccountId::at) {
        for position in markets.iter().flat_map(|market| Leg::ALL.map(|leg| market.leg(leg))) {
            let size = out.state().account(account).position(position);
            if size.is_zero() {
                continue;
            }
            funding::settle(out, account, position);
            let size = expect(split.size(size));
            out.emit(Event::PositionSplit { account, market: position.market, size, leg: position.leg });
        }
    }
    for market in markets {
        let row = out.state().market(market);
        let (tick, lot) = (expect(split.price(row.params.tick)), expect(split.size(row.params.lot)));
        let (mark, last_usable) = (expect(split.price(row.mark)), expect(split.price(row.last_usable)));
        out.emit(Event::MarketSplit { market, split, tick, lot, mark, last_usable });
    }
    let price = expect(split.price(out.state().index(index).price));
    out.emit(Event::IndexSplit { index, split, price });
    Ok(Answer::Done)
}

fn expect<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => fault("what a split divides was checked"),
    }
}

/// The markets that split; nothing about them, their accounts and their index can fail any more.
fn check(state: &State, index: IndexId, split: Split) -> Result<Vec<MarketId>, Reject> {
    let row = state.find_index(index)?;
    if !(2..=limits::SPLIT_MAX).contains(&split.factor()) {
        return Err(Reject::SplitFactor { asked: split.factor(), most: limits::SPLIT_MAX });
    }
    check_links(state, index)?;
    let follows = |market: &MarketId| {
        let row = state.market(*market);
        row.params.index == index && row.status != MarketStatus::Settled
    };
    let markets: Vec<MarketId> = (0..state.markets.len()).map(MarketId::at).filter(follows).collect();
    for market in &markets {
        check_market(state.market(*market), *market, split)?;
    }
    let samples = markets.iter().flat_map(|market| &state.market(*market).basis).map(|(_, basis)| *basis);
    let realised = markets.iter().filter_map(|market| state.realising.get(market)).map(|row| row.price);
    let prices = markets.iter().flat_map(|market| state.market(*market).prices()).chain(row.prices()).chain(realised);
    let range = limits::SPLIT_PRICE_MIN..=i64::MAX / 2;
    let good = |price: Price| split.price(price).is_some_and(|after| range.contains(&after.units()));
    let lost = prices.filter(|price| price.is_positive() && !good(*price));
    if let Some(price) = lost.chain(samples.filter(|basis| split.price(*basis).is_none())).next() {
        return Err(Reject::SplitPriceOutOfRange { index, price });
    }
    for account in (0..state.accounts.len()).map(AccountId::at) {
        let held = state.account(account).exposures.iter().filter(|e| markets.contains(&e.market));
        for size in held.map(|e| e.size) {
            if split.size(size).is_none() {
                return Err(Reject::SplitTooLarge { account, size });
            }
        }
    }
    Ok(markets)
}

/// Nothing else may read the index: amounts of an asset and the prices of another index would keep the old unit.
fn check_links(state: &State, index: IndexId) -> Result<(), Reject> {
    if let Some(asset) = state.assets.iter().position(|a| a.params.index == Some(index)) {
        return Err(Reject::SplitOfCollateral { index, asset: crate::AssetId::at(asset) });
    }
    let of_option = |m: &Market| m.params.option.is_some_and(|o| o.volatility == index || m.params.index == index);
    if let Some(market) = state.markets.iter().position(of_option) {
        return Err(Reject::SplitOfOption { index, market: MarketId::at(market) });
    }
    let row = state.index(index);
    let reads = |i: &Index| i.params.last_resort.fallback == Some(index);
    let other = row.params.last_resort.fallback.or(state.indices.iter().position(reads).map(IndexId::at));
    match other {
        Some(fallback) => Err(Reject::SplitOfFallback { index, fallback }),
        None if row.fallen.is_some() => Err(Reject::IndexOnFallback { index }),
        None => Ok(()),
    }
}

fn check_market(row: &Market, market: MarketId, split: Split) -> Result<(), Reject> {
    if row.is_inverse() {
        return Err(Reject::SplitInverse { market });
    }
    if row.status != MarketStatus::Halted {
        return Err(Reject::SplitNeedsHalt { market, status: row.status });
    }
    let (tick, lot) = (row.params.tick, row.params.lot);
    let exact = match split {
        Split::Into(n) => tick.units() % i64::from(n) == 0,
        Split::Join(_) => true, // the lot divides or has no size
    };
    let tick_after = split.price(tick).filter(|p| exact && p.is_positive() && *p <= limits::TICK_MAX);
    let lot_after = split.size(lot).filter(|s| *s <= limits::LOT_MAX);
    if tick_after.is_none() || lot_after.is_none() {
        return Err(Reject::SplitOffGrid { market, tick, lot });
    }
    Ok(())
}

impl Market {
    /// Every price that a split must be able to write in the new unit.
    fn prices(&self) -> impl Iterator<Item = Price> {
        [self.mark, self.last_usable, self.last, self.average.price].into_iter()
    }

    fn split(&mut self, split: Split) {
        let price = |price: Price| expect(split.price(price));
        self.last = price(self.last);
        self.basis.iter_mut().for_each(|(_, basis)| *basis = price(*basis));
        self.average.buckets.iter_mut().for_each(|row| row.1 = split.weighted(row.1));
        self.average.price = self.average.computed();
        self.open_interest = split.contracts(self.open_interest);
        self.short_interest = split.contracts(self.short_interest);
    }
}

impl Index {
    fn prices(&self) -> impl Iterator<Item = Price> {
        let quotes = self.sources.iter().flatten().map(|quote| quote.price);
        quotes.chain(self.history.averages()).chain([self.price, self.last_usable])
    }

    fn split(&mut self, split: Split) {
        let price = |price: Price| expect(split.price(price));
        self.last_usable = price(self.last_usable);
        self.sources.iter_mut().flatten().for_each(|quote| quote.price = price(quote.price));
        self.history.minutes.iter_mut().for_each(|row| row.1 = split.weighted(row.1));
        if let Some(own) = &mut self.own {
            own.average.price = split.weighted(own.average.price);
            own.average.anchor = split.weighted(own.average.anchor);
            own.contracts = split.contracts(own.contracts);
        }
    }
}

/// What the events of a split do to the state.
pub(crate) fn apply(state: &mut State, event: &Event) {
    match *event {
        Event::PositionSplit { account, market, size, leg } => {
            let exposures = state.account_mut(account).exposures.iter_mut();
            exposures.filter(|e| e.position() == market.leg(leg)).for_each(|e| e.size = size);
        }
        Event::MarketSplit { market, split, tick, lot, mark, last_usable } => {
            let row = state.market_mut(market);
            row.split(split);
            (row.params.tick, row.params.lot) = (tick, lot);
            row.params_digest = row.params.digest();
            (row.mark, row.last_usable) = (mark, last_usable);
            if let Some(row) = state.realising.get_mut(&market) {
                row.price = expect(split.price(row.price));
            }
            let watched = state.owners.values_mut().chain(state.groups.values_mut());
            watched.for_each(|row: &mut Watched| {
                if let Some(held) = row.held.get_mut(&market) {
                    (held.long, held.short) = (split.contracts(held.long), split.contracts(held.short));
                }
            });
            state.look_at_everyone();
        }
        Event::IndexSplit { index, split, price } => {
            let now = state.now;
            let row = state.index_mut(index);
            row.count_history(now);
            row.split(split);
            (row.price, row.split_at) = (price, Some(now));
        }
        _ => fault("not an event of a split"),
    }
}
