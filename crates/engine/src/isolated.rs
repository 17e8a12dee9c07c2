//! Leverage and mode of (account, market), and the margin of isolated positions.

use crate::margin::{Basis, Change, Need};
use crate::output::Output;
use crate::{AccountId, Answer, Event, MarginMode, MarketId, MoveReason, Reject, State, limits};
use units::Money;

/// Allowed while the new initial margin is met, and without open orders of an isolated position.
pub(crate) fn set_leverage(
    out: &mut Output<'_>,
    account: AccountId,
    market: MarketId,
    leverage: u16,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    let greatest = state.find_market(market)?.leverage_max();
    if leverage == 0 || leverage > greatest {
        return Err(Reject::LeverageOutOfRange { asked: leverage, greatest });
    }
    if row.liquidation.is_some() {
        return Err(Reject::InLiquidation);
    }
    match row.exposure(market) {
        None => State::room(row.exposures.len(), limits::EXPOSURES_MAX)?,
        Some(e) if e.leverage == leverage => return Err(Reject::AlreadySo),
        Some(e) if !e.reserved.is_zero() => return Err(Reject::OrdersOpen),
        Some(_) => check_leverage(state, account, market, leverage)?,
    }
    out.emit(Event::LeverageSet { account, market, leverage });
    Ok(Answer::Done)
}

fn check_leverage(state: &State, account: AccountId, market: MarketId, leverage: u16) -> Result<(), Reject> {
    let child = state.account(account).exposure(market).and_then(|e| e.child);
    for id in core::iter::once(account).chain(child) {
        if state.account(id).liquidation.is_some() {
            return Err(Reject::InLiquidation);
        }
        let Some(e) = state.account(id).exposure(market) else { continue };
        if e.size.is_zero() && e.buys.count + e.sells.count == 0 {
            continue;
        }
        let change = Change { market, leverage: Some(leverage), ..Change::default() };
        let terms = state.evaluate(id, Basis::Worse, Need::Initial, Some(&change));
        // A lower leverage must be met; a higher one frees margin and is never refused for lack of it.
        let falls = leverage < if e.leverage == 0 { state.market(market).leverage_max() } else { e.leverage };
        if terms.equity < terms.initial && falls {
            return Err(Reject::InsufficientMargin { equity: terms.equity, needed: terms.initial });
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
    state.find_market(market)?;
    match row.exposure(market) {
        None => State::room(row.exposures.len(), limits::EXPOSURES_MAX)?,
        Some(e) => {
            let child = e.child.map(|id| state.account(id).position(market)).unwrap_or_default();
            for size in [e.size, child] {
                if !size.is_zero() {
                    return Err(Reject::PositionOpen { size });
                }
            }
        }
    }
    if state.orders_with_children(account).iter().any(|o| o.market == market) {
        return Err(Reject::OrdersOpen);
    }
    if row.exposure(market).map_or(MarginMode::Cross, |e| e.mode) == mode {
        return Err(Reject::AlreadySo);
    }
    if row.exposure(market).is_none_or(|e| e.child.is_none()) {
        state.room_for_account()?;
    }
    out.emit(Event::MarginModeSet { account, market, mode });
    Ok(Answer::Done)
}

/// Adding needs nothing but the parent's margin at last usable prices; taking leaves the position above its initial margin.
pub(crate) fn adjust_margin(
    out: &mut Output<'_>,
    account: AccountId,
    market: MarketId,
    amount: Money,
) -> Result<Answer, Reject> {
    let state = out.state();
    state.find_trading(account)?;
    let asset = state.find_market(market)?.params.settlement;
    let child = state.account(account).exposure(market).and_then(|e| e.child).ok_or(Reject::NotIsolated)?;
    // A flat child takes nothing but what repays a debt.
    if state.account(child).position(market).is_zero() && !state.account(child).wallet(asset).is_negative() {
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
        state.check_giver(account, market, amount)?;
        (account, child)
    } else {
        if state.account(child).liquidation.is_some() {
            return Err(Reject::InLiquidation);
        }
        state.price_for_increase(market)?;
        let wallet = state.account(child).wallet(asset);
        if -amount > wallet {
            return Err(Reject::ExceedsWallet { asked: -amount, wallet });
        }
        let change = Change { market, wallet: amount, ..Change::default() };
        let terms = state.evaluate(child, Basis::Worse, Need::Initial, Some(&change));
        if terms.equity < terms.initial {
            return Err(Reject::IsolatedMarginLow { equity: terms.equity, needed: terms.initial });
        }
        (child, account)
    };
    out.emit(Event::Moved { from, to, asset, amount: amount.abs(), reason: MoveReason::IsolatedMargin });
    Ok(Answer::Done)
}
