//! How a market ends, whatever the reason: announced, reduce-only, settled at the time-weighted index. Orders are
//! cancelled, then every position is closed at that one price, a bounded number a command; until then it is valued at it,
//! needs no margin and nobody trades, so that the order in which accounts are closed makes no difference to anyone.

use crate::bounds;
use crate::fault::fault;
use crate::fill;
use crate::output::Output;
use crate::params::{Expiry, Kind};
use crate::state::Settling;
use crate::{
    AccountId, Answer, CancelReason, Event, Invariant, Leg, MarketId, MarketStatus, OrderId, PositionId, Reject,
    SettlementSource, State, StatusReason, invariants, limits, risk,
};
use alloc::vec::Vec;
use units::{Round, Time};

/// Announces the end of a market, or moves an announced one that has not begun.
pub(crate) fn schedule(out: &mut Output<'_>, market: MarketId, expiry: &Expiry) -> Result<Answer, Reject> {
    check_change(out.state(), market)?;
    bounds::expiry(out.state().now, expiry)?;
    announce(out, market, *expiry);
    Ok(Answer::Done)
}

/// Takes an announced end back.
pub(crate) fn cancel(out: &mut Output<'_>, market: MarketId) -> Result<Answer, Reject> {
    check_change(out.state(), market)?;
    if !out.state().schedules.contains_key(&market) {
        return Err(Reject::NoSchedule { market });
    }
    out.emit(Event::SettlementCancelled { market });
    Ok(Answer::Done)
}

fn check_change(state: &State, market: MarketId) -> Result<(), Reject> {
    let row = state.find_market(market)?;
    if row.is_over() {
        return Err(Reject::MarketStatusForbids { status: row.status });
    }
    if let Kind::Dated(_) = row.params.kind {
        return Err(Reject::ExpiryFixed { market });
    }
    if state.end_has_begun(market) { Err(Reject::ScheduleBegun { market }) } else { Ok(()) }
}

pub(crate) fn announce(out: &mut Output<'_>, market: MarketId, expiry: Expiry) {
    let Expiry { reduce_only_at, settle_at, window_ns } = expiry;
    out.emit(Event::SettlementScheduled { market, reduce_only_at, settle_at, window_ns });
}

/// What the clock makes due: reduce-only, then the settlement price.
pub(crate) fn due(out: &mut Output<'_>) {
    let schedules: Vec<(MarketId, Expiry)> = out.state().schedules.iter().map(|(id, e)| (*id, *e)).collect();
    for (market, expiry) in schedules {
        let (now, status) = (out.state().now, out.state().market(market).status);
        if now >= expiry.settle_at {
            begin(out, market, expiry.settle_at, expiry.window_ns);
        } else if now >= expiry.reduce_only_at && matches!(status, MarketStatus::Open | MarketStatus::PostOnly) {
            let (status, reason) = (MarketStatus::ReduceOnly, StatusReason::Schedule);
            out.emit(Event::MarketStatusSet { market, status, reason });
        }
    }
}

/// The settlement price is known from now on.
pub(crate) fn begin(out: &mut Output<'_>, market: MarketId, at: Time, window_ns: i64) {
    let row = out.state().market(market);
    let (price, source, usable_ns) = match out.state().index(row.params.index).time_weighted(at, window_ns) {
        Some(average) => (average.price, average.source, average.usable_ns),
        // Usable for no time at all, or never, and then nobody holds anything.
        None => (out.state().index(row.params.index).last_usable, SettlementSource::LastValid, 0),
    };
    let index = price;
    let price = out.state().settlement_of(out.state().market(market), index);
    if out.state().market(market).params.option.is_some() {
        out.emit(Event::OptionEnded { market, index, price });
    }
    out.emit(Event::SettlementPriced { market, price, source, usable_ns });
}

/// Goes on with every settlement that has begun, as far as the limits of one command allow.
pub(crate) fn run(out: &mut Output<'_>) {
    if out.state().settling.is_empty() {
        return;
    }
    let markets: Vec<MarketId> = out.state().settling.keys().copied().collect();
    let (mut cancels, mut looks, mut closes) =
        (limits::SETTLEMENT_CANCELS, limits::SETTLEMENT_LOOKS, limits::SETTLEMENTS_PER_COMMAND);
    for market in markets {
        if out.state().market(market).status == MarketStatus::Halted {
            continue; // what it came to did not add up
        }
        if cancel_orders(out, market, &mut cancels) && close_positions(out, market, &mut looks, &mut closes) {
            end(out, market);
        }
    }
}

/// True when none is left.
fn cancel_orders(out: &mut Output<'_>, market: MarketId, left: &mut usize) -> bool {
    while let Some(order) = out.state().any_order(market) {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        let remaining = out.state().order(order).map_or(units::Size::ZERO, |o| o.remaining);
        out.emit(Event::OrderCancelled { order, remaining, reason: CancelReason::Settlement });
    }
    true
}

/// In the order of accounts; true when everyone was looked at.
fn close_positions(out: &mut Output<'_>, market: MarketId, looks: &mut usize, closes: &mut usize) -> bool {
    let mut account = out.state().settling.get(&market).map_or(AccountId(0), |s| s.next);
    while account.index() < out.state().accounts.len() {
        if *looks == 0 || *closes == 0 {
            out.emit(Event::SettlementContinues { market, account });
            return false;
        }
        *looks -= 1;
        for position in Leg::ALL.map(|leg| market.leg(leg)) {
            if !out.state().account(account).position(position).is_zero() {
                *closes = closes.saturating_sub(1);
                close(out, account, position);
            }
        }
        account = AccountId::at(account.index() + 1);
    }
    true
}

/// Closes one position at the settlement price: the account gets exactly the result that it showed.
fn close(out: &mut Output<'_>, account: AccountId, position: PositionId) {
    let PositionId { market, leg } = position;
    let row = out.state().market(market);
    let size = out.state().account(account).position(position);
    let Some(value) = row.contract().value(row.mark, size, Round::Down) else {
        fault("a settled position has a value")
    };
    out.emit(Event::PositionSettled { account, market, size, value, leg });
    fill::change(out, account, position, &fill::Part::plain(-size, -value, crate::Cause::Settlement));
    // A debt beside a position is judged with it; one that is left alone goes the way of every deficit.
    let state = out.state();
    let row = state.account(account);
    let alone = !row.has_position() && row.wallets.iter().any(|w| w.amount.is_negative());
    if alone && !state.liquidating.contains(&account) {
        let terms = state.lenient(account);
        if state.risk.line.is_below(terms.headroom()) {
            risk::start(out, account, &terms);
        }
    }
}

/// Nothing is open: what the roundings left belongs to the rounding account.
fn end(out: &mut Output<'_>, market: MarketId) {
    let rounding = -out.state().settling.get(&market).map_or(units::Money::ZERO, |s| s.value);
    let row = out.state().market(market);
    if row.open_interest != 0 || row.clearing != rounding || rounding.is_negative() {
        return invariants::halt(out, market, Invariant::Clearing);
    }
    out.emit(Event::MarketSettled { market, rounding });
}

impl State {
    /// The reduce-only time of an announced end has passed, or everything is over.
    pub(crate) fn end_has_begun(&self, market: MarketId) -> bool {
        self.market(market).is_over() || self.schedules.get(&market).is_some_and(|s| self.now >= s.reduce_only_at)
    }

    /// Whether the next settlement of funding will come: a dated contract has none, and none is after the reduce-only time
    /// of an announced end.
    pub(crate) fn has_funding(&self, market: MarketId) -> bool {
        let row = self.market(market);
        let ends = self.schedules.get(&market).is_some_and(|s| row.funding_next > s.reduce_only_at);
        row.params.kind == Kind::Perpetual && row.params.option.is_none() && !row.is_over() && !ends
    }

    /// Some open order of a market, resting or waiting.
    pub(crate) fn any_order(&self, market: MarketId) -> Option<OrderId> {
        let book = &self.market(market).book;
        let resting = book.bids.values().chain(book.asks.values()).map(|level| level.first).next();
        resting.or_else(|| book.triggers.values().find_map(|ladder| ladder.first()).map(|(_, order)| *order))
    }
}

/// What the events of a settlement do to the state.
pub(crate) fn apply(state: &mut State, event: &Event) {
    match *event {
        Event::SettlementScheduled { market, reduce_only_at, settle_at, window_ns } => {
            state.schedules.insert(market, Expiry { reduce_only_at, settle_at, window_ns });
        }
        Event::SettlementCancelled { market } => {
            state.schedules.remove(&market);
        }
        Event::SettlementPriced { market, price, .. } => {
            state.schedules.remove(&market);
            state.settling.insert(market, Settling::default());
            state.realising.remove(&market); // everything is realised now
            let row = state.market_mut(market);
            row.status = MarketStatus::Settling;
            (row.mark, row.last_usable) = (price, price);
            row.average = crate::Average::default();
            state.look_at_everyone();
        }
        Event::PositionSettled { market, size, value, .. } => {
            if let Some(row) = state.settling.get_mut(&market) {
                row.value += value;
                row.size += i128::from(size.units());
            }
        }
        Event::SettlementContinues { market, account } => {
            if let Some(row) = state.settling.get_mut(&market) {
                row.next = account;
            }
        }
        Event::MarketSettled { market, rounding } => {
            state.settling.remove(&market);
            let row = state.market_mut(market);
            row.status = MarketStatus::Settled;
            row.clearing -= rounding;
            let asset = row.params.settlement;
            state.asset_mut(asset).rounding += rounding;
        }
        _ => fault("not an event of a settlement"),
    }
}
