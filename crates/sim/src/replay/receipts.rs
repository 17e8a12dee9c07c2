//! Receipts of deleveraging: who was closed, at what price, and whether that broke a hedge. From events and the marks at
//! the end of their command.
//!
//! A receipt *breaks a hedge* when the winner's net exposure, the sum of size × mark over all markets and isolated
//! positions of the account with its sign, is farther from zero after it than before. What else the winner traded in the
//! same command counts as done before its receipts.

use super::report::per_base_unit;
use super::venue::Venue;
use engine::{AccountId, Event, MarketId, State};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use units::{Money, Price, Size, Time};

/// The most receipts that a report lists; all are counted.
pub const LISTED_MAX: usize = 50;

/// One receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    at: Time,
    winner: AccountId,
    failing: AccountId,
    market: MarketId,
    size: Size,
    mark: Price,
    value: Money,
    rank: u32,
    notional: Money,
    broke_hedge: bool,
}

/// All receipts, counted; the largest kept.
#[derive(Clone, Debug, Default)]
pub struct Receipts {
    /// Receipts that broke a hedge.
    pub broken: u64,
    /// By market: receipts that broke a hedge, and the notional closed by them.
    pub broken_by_market: BTreeMap<MarketId, (u64, Money)>,
    largest: Vec<Receipt>,
}

impl Receipts {
    /// Takes the receipts among the events of one command; `state` is the one after it.
    pub fn take(&mut self, at: Time, events: &[Event], state: &State) {
        let is_receipt = |event: &&Event| matches!(event, Event::Deleveraged { .. });
        // Back from the state after: each receipt's exposure after is the one before of the next.
        let mut after: BTreeMap<AccountId, i128> = BTreeMap::new();
        for event in events.iter().filter(is_receipt).rev() {
            let Event::Deleveraged { failing, winner, market, size, value, rank, .. } = *event else { continue };
            let mark = state.market(market).mark;
            let owner = state.parent_of(winner);
            let net_after = *after.entry(owner).or_insert_with(|| net_exposure(state, owner).units());
            let net_before = net_after - (mark * size).units();
            after.insert(owner, net_before);
            let broke_hedge = net_after.abs() > net_before.abs();
            let notional = mark * size.abs();
            if broke_hedge {
                self.broken += 1;
                let (count, sum) = self.broken_by_market.entry(market).or_default();
                *count += 1;
                *sum += notional;
            }
            let receipt =
                Receipt { at, winner: owner, failing, market, size, mark, value, rank, notional, broke_hedge };
            self.keep(receipt);
        }
    }

    fn keep(&mut self, receipt: Receipt) {
        let full = self.largest.len() >= LISTED_MAX;
        if full && self.largest.last().is_some_and(|least| least.notional >= receipt.notional) {
            return;
        }
        let place = self.largest.partition_point(|r| r.notional >= receipt.notional);
        self.largest.insert(place, receipt);
        self.largest.truncate(LISTED_MAX);
    }

    /// What the report says of them.
    #[must_use]
    pub fn report(&self, state: &State, venue: &Venue) -> ReceiptsReport {
        let markets = venue.markets.iter().map(|listed| {
            let (receipts, notional) = self.broken_by_market.get(&listed.market).copied().unwrap_or_default();
            BrokenHedges { symbol: listed.spec.symbol.clone(), receipts, notional }
        });
        let largest = self.largest.iter().filter_map(|r| row(r, state, venue));
        ReceiptsReport {
            hedges_broken: self.broken,
            hedges_broken_notional: self.broken_by_market.values().map(|(_, sum)| *sum).sum(),
            by_market: markets.collect(),
            largest: largest.collect(),
        }
    }
}

/// Σ size × mark of an account and its isolated positions, with signs.
fn net_exposure(state: &State, account: AccountId) -> Money {
    let of = |id: AccountId| -> Money {
        let rows = state.account(id).exposures.iter().filter(|e| !e.size.is_zero());
        rows.map(|e| state.market(e.market).mark * e.size).sum()
    };
    let children = state.account(account).exposures.iter().filter_map(|e| e.child);
    of(account) + children.map(of).sum::<Money>()
}

fn row(r: &Receipt, state: &State, venue: &Venue) -> Option<ReceiptRow> {
    let listed = venue.markets.iter().find(|l| l.market == r.market)?;
    let name = |id: AccountId| match state.account(state.parent_of(id)).name {
        Some(name) => name.to_string(),
        None => id.0.to_string(),
    };
    let price = engine_price(r.value, r.size);
    Some(ReceiptRow {
        at: r.at,
        symbol: listed.spec.symbol.clone(),
        winner: name(r.winner),
        failing: name(r.failing),
        side: if r.size.is_negative() { "long" } else { "short" },
        notional: r.notional,
        mark: per_base_unit(r.mark, listed.power),
        price: per_base_unit(price, listed.power),
        rank: r.rank,
        broke_hedge: r.broke_hedge,
    })
}

/// Value per contract, cut to a price.
fn engine_price(value: Money, size: Size) -> Price {
    let units = value.units().checked_div(i128::from(size.units())).unwrap_or(0);
    i64::try_from(units).ok().and_then(Price::new).unwrap_or(Price::ZERO)
}

/// Receipts as the report tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReceiptsReport {
    /// Receipts that broke a hedge.
    pub hedges_broken: u64,
    /// Notional at the mark that these closed.
    pub hedges_broken_notional: Money,
    /// By market.
    pub by_market: Vec<BrokenHedges>,
    /// The largest, at most [`LISTED_MAX`], largest first.
    pub largest: Vec<ReceiptRow>,
}

/// Broken hedges of one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenHedges {
    /// Name on the exchange.
    pub symbol: String,
    /// Receipts that broke a hedge.
    pub receipts: u64,
    /// Notional at the mark that these closed.
    pub notional: Money,
}

/// One receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptRow {
    /// When.
    #[serde(serialize_with = "time")]
    pub at: Time,
    /// Where.
    pub symbol: String,
    /// Who was closed.
    pub winner: String,
    /// For whom.
    pub failing: String,
    /// The winner's position: long or short.
    pub side: &'static str,
    /// Closed, at the mark.
    pub notional: Money,
    /// The mark at the end of the command, per base unit.
    pub mark: String,
    /// The price of the receipt, per base unit, cut to a price.
    pub price: String,
    /// The winner's rank in its round, from 1.
    pub rank: u32,
    /// Whether the winner's net exposure is farther from zero after it.
    pub broke_hedge: bool,
}

fn time<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
