//! What a trade does to the two accounts: funding first, then position, fee, and the moves of isolated margin.

use crate::fault::fault;
use crate::margin::{Basis, Need};
use crate::matching::Fees;
use crate::orders::Order;
use crate::output::Output;
use crate::place::closable;
use crate::{AccountId, AccountKind, Cause, Event, MarketId, MoveReason, PositionId, State, funding};
use rules::split_close;
use units::{Money, Round, Size};

/// Two orders meet: one number for both sides.
pub(crate) fn trade(out: &mut Output<'_>, taker: &Order, maker: &Order, size: Size, fees: Fees) {
    let state = out.state();
    let market = state.market(maker.market);
    let contract = market.contract();
    let taker_fee = market.fees(state.account(taker.account).fee_tier).taker;
    let maker_fee = fees.of_maker(market, state.account(maker.account));
    let signed = taker.side.signed(size);
    let (Some(value), Some(notional)) =
        (contract.value(maker.price, signed, Round::TowardZero), contract.notional(maker.price, size))
    else {
        fault("the value of a fill fits")
    };
    let from_taker = use_reservation(out, taker, size);
    let from_maker = use_reservation(out, maker, size);
    let (id, price) = (maker.market, maker.price);
    out.emit(Event::Filled { market: id, maker: maker.id, taker: taker.id, price, size: signed, value });
    let fee = if fees == Fees::Taker { State::fee(notional, taker_fee) } else { Money::ZERO };
    let cause = if fees == Fees::Taker { Cause::Trade } else { Cause::Liquidation };
    let of_maker = State::fee(notional, maker_fee);
    let rebate = of_maker.min(Money::ZERO);
    change(
        out,
        taker.account,
        taker.position(),
        &Part { delta: signed, value, fee, rebate, reserved: from_taker, cause },
    );
    let (fee, rebate, cause) = (of_maker, Money::ZERO, Cause::Trade);
    change(
        out,
        maker.account,
        maker.position(),
        &Part { delta: -signed, value: -value, fee, rebate, reserved: from_maker, cause },
    );
    crate::protection::after_fill(out, maker.account, id, -signed);
    crate::triggers::touch(out, id);
}

/// The part of an order's reservation that a fill of `size` uses, when it closes `closable` first. Rounded up.
pub(crate) fn share(order: &Order, size: Size, closable: Size) -> Money {
    let beyond = |size: Size| if size > closable { size - closable } else { Size::ZERO };
    let (now, all) = (beyond(size), beyond(order.remaining));
    order.reserved.share(i128::from(now.units()), i128::from(all.units()), Round::Up).min(order.reserved)
}

/// Moves a fill's share of an order's reservation from parent to child; what was moved.
fn use_reservation(out: &mut Output<'_>, order: &Order, size: Size) -> Money {
    let row = out.state().account(order.account);
    let AccountKind::Isolated { parent, .. } = row.kind else { return Money::ZERO };
    let amount = share(order, size, closable(row.position(order.position()), order.side));
    if amount.is_positive() {
        out.emit(Event::ReservationUsed { order: order.id, parent, child: order.account, amount });
        out.touch_account(parent);
    }
    amount
}

/// One side of a trade.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Contracts; + bought.
    pub delta: Size,
    /// What is paid for them, signed.
    pub value: Money,
    /// The fee, settlement asset.
    pub fee: Money,
    /// What the other side is paid from the settlement asset's fees right after, zero or below.
    pub rebate: Money,
    /// What came from the parent for it, in the wallet already.
    pub reserved: Money,
    /// What the owner is told.
    pub cause: Cause,
}

impl Part {
    /// Without fee and reservation.
    pub fn plain(delta: Size, value: Money, cause: Cause) -> Self {
        Self { delta, value, fee: Money::ZERO, rebate: Money::ZERO, reserved: Money::ZERO, cause }
    }
}

/// Changes a position by a trade.
pub(crate) fn change(out: &mut Output<'_>, account: AccountId, position: PositionId, part: &Part) {
    let PositionId { market, leg } = position;
    funding::settle(out, account, position);
    let state = out.state();
    let row = state.account(account);
    let (before, cost) = row.exposure(position).map_or((Size::ZERO, Money::ZERO), |e| (e.size, e.cost));
    let split = split_close(before, cost, part.delta, part.value);
    let kind = row.kind;
    let wallet = row.wallet(state.market(market).params.settlement);
    let (size, cost, realised) = (split.size, split.cost, split.realised);
    out.emit(Event::PositionChanged { account, market, size, cost, realised, leg, cause: part.cause });
    if !part.fee.is_zero() {
        let charge = out.state().charge(account, market, part.fee, part.rebate);
        out.emit(Event::FeeCharged { account, market, fee: charge.amount, asset: charge.asset });
    }
    if split.closed.is_zero() {
        return;
    }
    out.touch_account(account);
    if split.size.is_zero() && !out.state().auctions.is_empty() {
        crate::auction::closed(out, account, position);
    }
    if let AccountKind::Isolated { parent, .. } = kind {
        let amount = given_back(out.state(), account, market, before, wallet, &split, part);
        if amount.is_positive() {
            let (from, to, asset) = (account, parent, out.state().market(market).params.settlement);
            out.emit(Event::Moved { from, to, asset, amount, reason: MoveReason::IsolatedReturn });
        }
    }
}

/// What a reduction returns to the parent: wallet × closed ÷ size and the result; a close returns all. Never more than is
/// there, and nothing from an account that the ladder works on.
fn given_back(
    state: &State,
    child: AccountId,
    market: MarketId,
    before: Size,
    wallet: Money,
    split: &rules::TradeSplit,
    part: &Part,
) -> Money {
    if state.liquidating.contains(&child) {
        return Money::ZERO;
    }
    let asset = state.market(market).params.settlement;
    let there = state.account(child).wallet(asset);
    let amount = if split.size.is_zero() {
        there
    } else if split.size.signum() != before.signum() {
        // Through zero: what belonged to the old position returns. The new one keeps what was set aside for it, and in any
        // case initial margin and its loss.
        let terms = state.evaluate(child, Basis::Worse, Need::Initial, None);
        let initial = terms.initial.from_index(state.asset_price(asset), Round::Up).unwrap_or(there);
        let loss = there - state.amount_in(child, asset);
        let spare = there - state.held_in(asset, Money::ZERO, initial) - loss.max(Money::ZERO);
        spare.min(wallet - part.reserved + split.realised - part.fee)
    } else {
        let closed = i128::from(split.closed.units());
        wallet.share(closed, i128::from(before.abs().units()), Round::Down) + split.realised - part.fee
    };
    amount.min(there)
}
