//! What a trade does to the two accounts: funding first, then position, fee, and the moves of isolated margin.

use crate::fault::fault;
use crate::margin::{Basis, Need};
use crate::matching::Fees;
use crate::orders::Order;
use crate::output::Output;
use crate::place::closable;
use crate::{AccountId, AccountKind, Event, MarketId, MoveReason, State, funding};
use rules::split_close;
use units::{Money, Round, Size};

/// Two orders meet: one number for both sides.
pub(crate) fn trade(out: &mut Output<'_>, taker: &Order, maker: &Order, size: Size, fees: Fees) {
    let state = out.state();
    let market = state.market(maker.market);
    let (contract, taker_fee, maker_fee) = (market.contract(), market.params.taker_fee, market.params.maker_fee);
    let signed = taker.side.signed(size);
    let (Some(value), Some(notional)) =
        (contract.value(maker.price, signed, Round::TowardZero), contract.notional(maker.price, size))
    else {
        fault("the value of a fill fits")
    };
    for order in [taker, maker] {
        use_reservation(out, order, size);
    }
    let (id, price) = (maker.market, maker.price);
    out.emit(Event::Filled { market: id, maker: maker.id, taker: taker.id, price, size: signed, value });
    let fee = if fees == Fees::Taker { State::fee(notional, taker_fee) } else { Money::ZERO };
    change(out, taker.account, id, signed, value, fee);
    change(out, maker.account, id, -signed, -value, State::fee(notional, maker_fee));
    out.touch_market(id);
}

/// The part of an order's reservation that a fill of `size` uses, when it closes `closable` first. Rounded up.
pub(crate) fn share(order: &Order, size: Size, closable: Size) -> Money {
    let beyond = |size: Size| if size > closable { size - closable } else { Size::ZERO };
    let (now, all) = (beyond(size), beyond(order.remaining));
    order.reserved.share(i128::from(now.units()), i128::from(all.units()), Round::Up).min(order.reserved)
}

fn use_reservation(out: &mut Output<'_>, order: &Order, size: Size) {
    let row = out.state().account(order.account);
    let AccountKind::Isolated { parent, .. } = row.kind else { return };
    let amount = share(order, size, closable(row.position(order.market), order.side));
    if amount.is_positive() {
        out.emit(Event::ReservationUsed { order: order.id, parent, child: order.account, amount });
    }
}

/// Changes a position by a trade; returns the realised profit.
pub(crate) fn change(
    out: &mut Output<'_>,
    account: AccountId,
    market: MarketId,
    delta: Size,
    value: Money,
    fee: Money,
) {
    funding::settle(out, account, market);
    let state = out.state();
    let row = state.account(account);
    let (before, cost) = row.exposure(market).map_or((Size::ZERO, Money::ZERO), |e| (e.size, e.cost));
    let split = split_close(before, cost, delta, value);
    let kind = row.kind;
    let wallet = row.wallet(state.market(market).params.settlement);
    out.emit(Event::PositionChanged { account, market, size: split.size, cost: split.cost, realised: split.realised });
    if !fee.is_zero() {
        out.emit(Event::FeeCharged { account, market, fee });
    }
    if split.closed.is_zero() {
        return;
    }
    out.touch_account(account);
    if let AccountKind::Isolated { parent, .. } = kind {
        give_back(out, account, parent, market, before, wallet, &split, fee);
    }
}

/// A reduction returns wallet × closed ÷ size and the result to the parent; a close returns all. Never more than is there,
/// and nothing from an account that the ladder works on.
#[expect(clippy::too_many_arguments, reason = "one thought: what a reduction leaves, from the numbers of one trade")]
fn give_back(
    out: &mut Output<'_>,
    child: AccountId,
    parent: AccountId,
    market: MarketId,
    before: Size,
    wallet: Money,
    split: &rules::Split,
    fee: Money,
) {
    let state = out.state();
    if state.liquidating.contains(&child) {
        return;
    }
    let asset = state.market(market).params.settlement;
    let there = state.account(child).wallet(asset);
    let amount = if split.size.is_zero() {
        there
    } else if split.size.signum() != before.signum() {
        // Through zero: what belonged to the old position returns, the new one keeps its margin.
        // It keeps initial margin and any loss; a gain stays where it is.
        let terms = state.evaluate(child, Basis::Worse, Need::Initial, None);
        let initial = terms.initial.from_index(state.asset_price(asset), Round::Up).unwrap_or(there);
        let loss = state.account(child).wallet(asset) - state.amount_in(state.account(child), asset);
        there - state.held_in(asset, initial) - loss.max(Money::ZERO)
    } else {
        let released = wallet.share(i128::from(split.closed.units()), i128::from(before.abs().units()), Round::Down);
        released + split.realised - fee
    };
    let amount = amount.min(there);
    if amount.is_positive() {
        out.emit(Event::Moved { from: child, to: parent, asset, amount, reason: MoveReason::IsolatedReturn });
    }
}
