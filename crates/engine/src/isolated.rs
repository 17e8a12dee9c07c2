//! Leverage and mode of (account, market), one-way and hedge mode, and the margin of isolated positions.

use crate::margin::{Basis, Change, Need};
use crate::output::Output;
use crate::state::Account;
use crate::{
    AccountId, Answer, Event, MarginMode, MarketId, MoveReason, PositionId, PositionMode, Reject, State, limits,
};
use units::Money;

/// Allowed while the new initial margin is met, and without open orders of an isolated position. In hedge mode it holds for
/// both legs.
pub(crate) fn set_leverage(
    out: &mut Output<'_>,
    account: AccountId,
    market: MarketId,
    leverage: u16,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    row.check_not_frozen()?;
    let greatest = state.find_market(market)?.leverage_max();
    if state.market(market).params.option.is_some() {
        return Err(Reject::OptionCrossOnly { market });
    }
    if leverage == 0 || leverage > greatest {
        return Err(Reject::LeverageOutOfRange { asked: leverage, greatest });
    }
    if row.liquidation.is_some() {
        return Err(Reject::InLiquidation);
    }
    room_for_legs(row, market)?;
    let rows = || row.legs().iter().map(|leg| row.exposure(market.leg(*leg)));
    if rows().all(|e| e.is_some_and(|e| e.leverage == leverage)) {
        return Err(Reject::AlreadySo);
    }
    if rows().flatten().any(|e| !e.reserved.is_zero()) {
        return Err(Reject::OrdersOpen);
    }
    check_leverage(state, account, market, leverage)?;
    out.emit(Event::LeverageSet { account, market, leverage });
    Ok(Answer::Done)
}

/// Whether the positions that a setting makes in a market fit.
fn room_for_legs(row: &Account, market: MarketId) -> Result<(), Reject> {
    let missing = row.legs().iter().filter(|leg| row.exposure(market.leg(**leg)).is_none()).count();
    if missing == 0 { Ok(()) } else { State::room(row.exposures.len() + missing - 1, limits::EXPOSURES_MAX) }
}

/// The account itself with its positions there, and each of their children.
fn check_leverage(state: &State, account: AccountId, market: MarketId, leverage: u16) -> Result<(), Reject> {
    let children = state.account(account).exposures_in(market).filter_map(|e| e.child);
    for id in core::iter::once(account).chain(children) {
        let row = state.account(id);
        if row.liquidation.is_some() {
            return Err(Reject::InLiquidation);
        }
        let before = state.evaluate(id, Basis::Worse, Need::Initial, None);
        let (mut needed, mut falls) = (before.initial, false);
        for e in row.exposures_in(market).filter(|e| !e.size.is_zero() || e.buys.count + e.sells.count > 0) {
            // Initial margin is a sum over positions: each adds what it alone would need more.
            let change = Change { position: e.position(), leverage: Some(leverage), ..Change::default() };
            needed += state.evaluate(id, Basis::Worse, Need::Initial, Some(&change)).initial - before.initial;
            falls |= leverage < if e.leverage == 0 { state.market(market).leverage_max() } else { e.leverage };
        }
        // A lower leverage must be met; a higher one frees margin and is never refused for lack of it.
        if before.equity < needed && falls {
            return Err(Reject::InsufficientMargin { equity: before.equity, needed });
        }
    }
    Ok(())
}

/// Allowed while flat and without orders there.
pub(crate) fn set_margin_mode(
    out: &mut Output<'_>,
    account: AccountId,
    market: MarketId,
    mode: MarginMode,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    row.check_not_frozen()?;
    state.find_market(market)?;
    if state.market(market).params.option.is_some() {
        return Err(Reject::OptionCrossOnly { market });
    }
    room_for_legs(row, market)?;
    let children = row.exposures_in(market).filter_map(|e| e.child).flat_map(|id| &state.account(id).exposures);
    if let Some(open) = row.exposures_in(market).chain(children).find(|e| !e.size.is_zero()) {
        return Err(Reject::PositionOpen { size: open.size });
    }
    if state.orders_with_children(account).iter().any(|o| o.market == market) {
        return Err(Reject::OrdersOpen);
    }
    let rows = || row.legs().iter().map(|leg| row.exposure(market.leg(*leg)));
    if rows().all(|e| e.map_or(MarginMode::Cross, |e| e.mode) == mode) {
        return Err(Reject::AlreadySo);
    }
    if rows().any(|e| e.is_none_or(|e| e.child.is_none())) {
        state.room_for_account()?;
    }
    out.emit(Event::MarginModeSet { account, market, mode });
    Ok(Answer::Done)
}

/// Allowed while no position and no order is open anywhere, isolated ones included.
pub(crate) fn set_position_mode(
    out: &mut Output<'_>,
    account: AccountId,
    mode: PositionMode,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    row.check_not_frozen()?;
    if row.mode == mode {
        return Err(Reject::AlreadySo);
    }
    state.check_flat(account)?;
    // Each market has at most one row of one-way mode and one a leg.
    let markets = row.exposures.chunk_by(|a, b| a.market == b.market).count();
    State::room((markets * ROWS_PER_MARKET).saturating_sub(1), limits::EXPOSURES_MAX)?;
    out.emit(Event::PositionModeSet { account, mode });
    Ok(Answer::Done)
}

/// One row of one-way mode, two of hedge mode.
const ROWS_PER_MARKET: usize = 3;

/// Adding needs nothing but the parent's margin at last usable prices; taking leaves the position above its initial margin.
pub(crate) fn adjust_margin(
    out: &mut Output<'_>,
    account: AccountId,
    position: PositionId,
    amount: Money,
) -> Result<Answer, Reject> {
    let state = out.state();
    state.find_trading(account)?;
    let asset = state.find_market(position.market)?.params.settlement;
    let child = state.account(account).exposure(position).and_then(|e| e.child).ok_or(Reject::NotIsolated)?;
    // A flat child takes nothing but what repays a debt.
    if state.account(child).position(position).is_zero() && !state.account(child).wallet(asset).is_negative() {
        return Err(Reject::NotIsolated);
    }
    if amount.is_zero() {
        return Err(Reject::AmountNotPositive { asked: amount });
    }
    crate::bounds::amount(state.asset(asset), amount.abs())?;
    let (from, to) = if amount.is_positive() {
        if state.account(account).liquidation.is_some() {
            return Err(Reject::InLiquidation);
        }
        state.check_giver(account, position, amount)?;
        (account, child)
    } else {
        state.account(account).check_not_frozen()?;
        if state.account(child).liquidation.is_some() {
            return Err(Reject::InLiquidation);
        }
        state.price_for_increase(position.market)?;
        let wallet = state.account(child).wallet(asset);
        if -amount > wallet {
            return Err(Reject::ExceedsWallet { asked: -amount, wallet });
        }
        let change = Change { position, wallet: amount, ..Change::default() };
        let terms = state.evaluate(child, Basis::Worse, Need::Initial, Some(&change));
        if terms.equity < terms.initial {
            return Err(Reject::IsolatedMarginLow { equity: terms.equity, needed: terms.initial });
        }
        (child, account)
    };
    out.emit(Event::Moved { from, to, asset, amount: amount.abs(), reason: MoveReason::IsolatedMargin });
    Ok(Answer::Done)
}

impl State {
    /// No position and no order anywhere, isolated ones included, and no liquidation.
    pub(crate) fn check_flat(&self, account: AccountId) -> Result<(), Reject> {
        let row = self.account(account);
        if row.liquidation.is_some() {
            return Err(Reject::InLiquidation);
        }
        let children = row.exposures.iter().filter_map(|e| e.child).flat_map(|id| &self.account(id).exposures);
        if let Some(open) = row.exposures.iter().chain(children).find(|e| !e.size.is_zero()) {
            return Err(Reject::PositionOpen { size: open.size });
        }
        if !self.orders_with_children(account).is_empty() {
            return Err(Reject::OrdersOpen);
        }
        Ok(())
    }
}
