//! Protection of market makers: what fills of their resting orders may come to in a window, in the options of one underlying. At a
//! limit all their orders there are cancelled at once, between two fills of one arriving order, and none is taken for a while.

use crate::output::Output;
use crate::{AccountId, Answer, CancelReason, Event, IndexId, MarketId, OrderId, Reject, State, bounds};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Money, Rate, Round, Size, Time, mul_div};

/// Limits of fills within a window. Zero: no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProtectionLimits {
    /// A window begins with the first fill after the last one has ended: a second to a day, nanoseconds.
    pub window_ns: i64,
    /// How long orders are refused once a limit is reached, at most a day, nanoseconds; zero: until the limits are set again.
    pub freeze_ns: i64,
    /// Contracts, without sign.
    pub contracts: Size,
    /// Net delta, contracts of the underlying.
    pub delta: Size,
    /// Net vega, settlement asset per 100 % of volatility.
    pub vega: Money,
}

/// What has filled of an account's resting orders in the options of one underlying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// The limits.
    pub limits: ProtectionLimits,
    /// When the window began; the epoch for none.
    pub since: Time,
    /// Σ contracts in it, 1e-8.
    pub contracts: i128,
    /// Σ contracts × delta, + bought, 1e-8.
    pub delta: i128,
    /// Σ contracts × vega.
    pub vega: Money,
    /// No orders before then; none while nothing was reached.
    pub until: Option<Time>,
}

impl Protection {
    fn is_reached(&self) -> bool {
        let l = &self.limits;
        let size = |limit: Size, sum: i128| limit.is_positive() && sum.abs() >= i128::from(limit.units());
        let vega = l.vega.is_positive() && self.vega.abs() >= l.vega;
        size(l.contracts, self.contracts) || size(l.delta, self.delta) || vega
    }
}

/// Sets or lifts the limits; what was counted and what was refused begins anew.
pub(crate) fn set(
    out: &mut Output<'_>,
    account: AccountId,
    index: IndexId,
    limits: Option<&ProtectionLimits>,
) -> Result<Answer, Reject> {
    let state = out.state();
    state.find_trading(account)?;
    state.find_index(index)?;
    bounds::protection(limits)?;
    if limits.is_none() && !state.protections.contains_key(&(account, index)) {
        return Err(Reject::AlreadySo);
    }
    out.emit(Event::ProtectionSet { account, index, limits: limits.copied() });
    Ok(Answer::Done)
}

impl State {
    /// Whether orders of an account are refused in the options of an underlying.
    pub(crate) fn check_protection(&self, account: AccountId, market: MarketId) -> Result<(), Reject> {
        let params = &self.market(market).params;
        if params.option.is_none() || self.protections.is_empty() {
            return Ok(());
        }
        match self.protections.get(&(account, params.index)).and_then(|row| row.until) {
            Some(until) if self.now < until => Err(Reject::ProtectionReached { until }),
            _ => Ok(()),
        }
    }
}

/// Counts a fill of a resting order, `size` signed as its owner trades.
pub(crate) fn after_fill(out: &mut Output<'_>, account: AccountId, market: MarketId, size: Size) {
    let state = out.state();
    if state.protections.is_empty() || state.market(market).params.option.is_none() {
        return;
    }
    let index = state.market(market).params.index;
    let Some(row) = state.protections.get(&(account, index)).copied() else { return };
    let begins = row.since == Time::EPOCH || state.now.since(row.since) >= row.limits.window_ns;
    let row = if begins { Protection { limits: row.limits, since: state.now, ..Protection::default() } } else { row };
    let greeks = state.mark_greeks(market);
    let one = i128::from(Rate::ONE.units());
    let delta = mul_div(i128::from(size.units()), i128::from(greeks.delta.units()), one, Round::TowardZero);
    let contracts = row.contracts + i128::from(size.abs().units());
    let (delta, vega) = (row.delta + delta.unwrap_or(0), row.vega + greeks.vega * size);
    let since = row.since;
    out.emit(Event::ProtectionCounted { account, index, since, contracts, delta, vega });
    if (Protection { contracts, delta, vega, ..row }).is_reached() {
        let freeze = row.limits.freeze_ns;
        let until = if freeze == 0 { Time::from_ns(i64::MAX) } else { out.state().now.plus_ns(freeze) };
        out.emit(Event::ProtectionReached { account, index, until });
        for order in orders(out.state(), account, index) {
            let remaining = out.state().order(order).map_or(Size::ZERO, |o| o.remaining);
            out.emit(Event::OrderCancelled { order, remaining, reason: CancelReason::Protection });
        }
    }
}

/// Open orders of an account in the options of an underlying, oldest first; one that is being matched is its own business.
fn orders(state: &State, account: AccountId, index: IndexId) -> Vec<OrderId> {
    let there = |market: MarketId| {
        let row = state.market(market);
        row.params.option.is_some() && row.params.index == index && row.status != crate::MarketStatus::Halted
    };
    let of = state.orders_of(state.account(account));
    let mut found: Vec<OrderId> =
        of.filter(|o| there(o.market) && o.place != crate::Place::Working).map(|o| o.id).collect();
    found.sort_unstable_by_key(|id| id.serial());
    found
}

/// What the events of protection do to the state.
pub(crate) fn apply(state: &mut State, event: &Event) {
    match *event {
        Event::ProtectionSet { account, index, limits: Some(limits) } => {
            state.protections.insert((account, index), Protection { limits, ..Protection::default() });
        }
        Event::ProtectionSet { account, index, limits: None } => {
            state.protections.remove(&(account, index));
        }
        Event::ProtectionCounted { account, index, since, contracts, delta, vega } => {
            if let Some(row) = state.protections.get_mut(&(account, index)) {
                *row = Protection { since, contracts, delta, vega, ..*row };
            }
        }
        Event::ProtectionReached { account, index, until } => {
            if let Some(row) = state.protections.get_mut(&(account, index)) {
                *row = Protection { limits: row.limits, until: Some(until), ..Protection::default() };
            }
        }
        _ => crate::fault::fault("not an event of protection"),
    }
}
