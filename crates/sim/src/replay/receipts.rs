//! The largest receipts of deleveraging: who was closed, at what price, and how much of it had hedged something else. From
//! the events; the marks are those at the end of their command.

use super::report::per_base_unit;
use super::venue::Venue;
use engine::{AccountId, Event, MarketId, State};
use serde::{Serialize, Serializer};
use units::{Money, Price, Size, Time};

/// The most receipts that a report lists; all are counted.
pub const LISTED_MAX: usize = 50;

/// One receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Receipt {
    at: Time,
    winner: AccountId,
    failing: AccountId,
    market: MarketId,
    size: Size,
    hedged: Size,
    mark: Price,
    value: Money,
    rank: u32,
    notional: Money,
}

/// The largest receipts; the first of equal ones.
#[derive(Clone, Debug, Default)]
pub struct Receipts {
    largest: Vec<Receipt>,
}

impl Receipts {
    /// Takes an event if it is a receipt; `state` is the one after its command.
    pub fn take(&mut self, at: Time, event: &Event, state: &State) {
        let Event::Deleveraged { failing, winner, market, size, value, rank, hedged, .. } = *event else { return };
        let mark = state.market(market).mark;
        let (winner, notional) = (state.parent_of(winner), mark * size.abs());
        self.keep(Receipt { at, winner, failing, market, size, hedged, mark, value, rank, notional });
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

    /// The rows of the report.
    #[must_use]
    pub fn report(&self, state: &State, venue: &Venue) -> Vec<ReceiptRow> {
        self.largest.iter().filter_map(|r| row(r, state, venue)).collect()
    }
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
        hedged: r.mark * r.hedged,
        mark: per_base_unit(r.mark, listed.power),
        price: per_base_unit(price, listed.power),
        rank: r.rank,
    })
}

/// Value per contract, cut to a price.
fn engine_price(value: Money, size: Size) -> Price {
    let units = value.units().checked_div(i128::from(size.units())).unwrap_or(0);
    i64::try_from(units).ok().and_then(Price::new).unwrap_or(Price::ZERO)
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
    /// What of it hedged something else in the winner's account, at the mark: above zero, a broken hedge.
    pub hedged: Money,
    /// The mark at the end of the command, per base unit.
    pub mark: String,
    /// The price of the receipt, per base unit, cut to a price.
    pub price: String,
    /// The winner's rank in its round, from 1.
    pub rank: u32,
}

fn time<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
