//! Matching: the best opposite order is judged, then what happened is emitted. Every branch is an outcome, none a refusal.

use crate::caps::Addition;
use crate::fill;
use crate::limits;
use crate::margin::{Basis, Change, Need};
use crate::orders::Order;
use crate::output::Output;
use crate::place::closable;
use crate::{
    AccountId, AccountKind, Book, CancelReason, Event, MarketId, MarketStatus, OrderId, Reduce, SelfTrade, Side, State,
};
use units::{Money, Price, Rate, Round, Size};

/// Which fee the arriving order pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fees {
    /// The market's taker fee.
    Taker,
    /// None here: the ladder takes its own.
    Ladder,
}

impl Fees {
    /// The rate that a maker pays: the ladder's orders pay no taker fee, so there is none to pay a rebate from.
    pub(crate) fn of_maker(self, market: &crate::Market, maker: &crate::Account) -> Rate {
        let rate = market.fees(maker.fee_tier).maker;
        match self {
            Self::Taker => rate,
            Self::Ladder => rate.max(Rate::ZERO),
        }
    }
}

/// What becomes of the best opposite order.
enum Maker {
    Good(Size),
    Bad(CancelReason),
    /// The arriving order has nothing left to do.
    TakerDone(CancelReason),
    /// Both are of one owner or group.
    Own,
}

/// Fills a working order against the book until it is filled, done, or nothing crosses.
pub(crate) fn run(out: &mut Output<'_>, taker: OrderId, fees: Fees) {
    while let Some(order) = out.state().order(taker).copied() {
        let Some(resting) = out.state().best_match(&order) else { return };
        match judge(out.state(), &order, &resting, fees) {
            Maker::Good(size) => fill::trade(out, &order, &resting, size, fees),
            Maker::Bad(reason) => {
                out.emit(Event::OrderCancelled { order: resting.id, remaining: resting.remaining, reason })
            }
            Maker::Own => apart(out, &order, &resting),
            Maker::TakerDone(reason) => {
                out.emit(Event::OrderCancelled { order: taker, remaining: order.remaining, reason });
                return;
            }
        }
    }
}

impl State {
    /// The oldest order at the best opposite price that an order crosses.
    pub(crate) fn best_match(&self, order: &Order) -> Option<Order> {
        let (price, level) = self.market(order.market).book.best(order.side.opposite())?;
        if Book::crosses(order.side, order.price, price) { self.order(level.first).copied() } else { None }
    }

    /// Of one owner, or of owners of one group. Owners in a group are watched.
    pub(crate) fn are_related(&self, a: &crate::Account, b: &crate::Account) -> bool {
        let group = |owner| self.owners.get(&owner).and_then(|row| row.group);
        a.owner == b.owner || (a.watched && b.watched && group(a.owner).is_some() && group(a.owner) == group(b.owner))
    }

    /// The fee on a notional.
    pub(crate) fn fee(notional: Money, rate: Rate) -> Money {
        rules::trading_fee(notional, rate).fee
    }
}

/// Two orders of one owner do not trade: as the arriving one says, one or both become smaller or end.
fn apart(out: &mut Output<'_>, taker: &Order, maker: &Order) {
    let smaller = if taker.remaining < maker.remaining { taker.remaining } else { maker.remaining };
    let (from_maker, from_taker) = match taker.self_trade {
        SelfTrade::CancelResting => (maker.remaining, Size::ZERO),
        SelfTrade::CancelArriving => (Size::ZERO, taker.remaining),
        SelfTrade::CancelBoth => (maker.remaining, taker.remaining),
        SelfTrade::Decrement => (smaller, smaller),
    };
    for (order, less) in [(maker, from_maker), (taker, from_taker)] {
        let remaining = order.remaining - less;
        if remaining.is_zero() {
            let (remaining, reason) = (order.remaining, CancelReason::SelfTrade);
            out.emit(Event::OrderCancelled { order: order.id, remaining, reason });
        } else if !less.is_zero() {
            let (part, whole) = (i128::from(remaining.units()), i128::from(order.remaining.units()));
            let reserved = order.reserved.share(part, whole, Round::Up);
            out.emit(Event::OrderReduced { order: order.id, remaining, reserved });
        }
    }
}

fn judge(state: &State, taker: &Order, maker: &Order, fees: Fees) -> Maker {
    if maker.expires && state.expired(maker) {
        return Maker::Bad(CancelReason::Expired);
    }
    let (taker_row, maker_row) = (state.account(taker.account), state.account(maker.account));
    if state.are_related(taker_row, maker_row) {
        return Maker::Own;
    }
    let mut size = if taker.remaining < maker.remaining { taker.remaining } else { maker.remaining };
    if taker.reduce == Reduce::Only {
        let most = closable(taker_row.position(taker.position()), taker.side);
        if most.is_zero() {
            return Maker::TakerDone(CancelReason::NothingToReduce);
        }
        size = if size < most { size } else { most };
    }
    let most = closable(maker_row.position(maker.position()), maker.side);
    if maker.reduce == Reduce::Only {
        if most.is_zero() {
            return Maker::Bad(CancelReason::NothingToReduce);
        }
        size = if size < most { size } else { most };
    }
    if size > most
        && fees == Fees::Taker
        && !matches!(state.market(maker.market).status, MarketStatus::Open | MarketStatus::PostOnly)
    {
        return Maker::Bad(CancelReason::MarketStatus);
    }
    // A liquidation needs a usable price of its own; others may reduce at the last usable one.
    if size > most && fees == Fees::Taker && state.price_for_increase(maker.market).is_err() {
        return Maker::Bad(CancelReason::PriceUnusable);
    }
    if size > most {
        if maker_row.status != crate::AccountStatus::Active {
            return Maker::Bad(CancelReason::AccountStatus);
        }
        if maker_row.watched && over_limits(state, maker) {
            return Maker::Bad(CancelReason::Limit);
        }
        size = match capped(state, taker, maker, size) {
            Some(size) => size,
            None => return Maker::Bad(CancelReason::OpenInterestCap),
        };
    }
    match thin(state, maker, size, most, fees) {
        true => Maker::Bad(CancelReason::Thin),
        false => Maker::Good(size),
    }
}

/// Whether a resting order's side is above a limit: the mark or the limit has moved since it was placed.
fn over_limits(state: &State, maker: &Order) -> bool {
    let none =
        Addition { market: maker.market, side: maker.side, size: Size::ZERO, replaced: Size::ZERO, closed: Size::ZERO };
    state.check_exposure_limits(state.parent_of(maker.account), &none).is_err()
}

/// The size of a fill that open interest still has room for, when both sides would increase; `None` for not even a lot.
fn capped(state: &State, taker: &Order, maker: &Order, size: Size) -> Option<Size> {
    let market = state.market(maker.market);
    let Some(room) = market.open_interest_room(state.valuation(market)) else { return Some(size) };
    let closes = |order: &Order| closable(state.account(order.account).position(order.position()), order.side);
    // Open interest rises by the size less what either side closes.
    let most = room + i128::from(closes(taker).units()) + i128::from(closes(maker).units());
    if most >= i128::from(size.units()) {
        return Some(size);
    }
    let size = Size::new(i64::try_from(most).ok()?)?.to_lot(market.params.lot);
    size.is_positive().then_some(size)
}

/// Whether a fill would leave a resting order's account below what it needs: initial margin when the fill increases,
/// zero when it only reduces.
fn thin(state: &State, maker: &Order, size: Size, closable: Size, fees: Fees) -> bool {
    let market = state.market(maker.market);
    let signed = maker.side.signed(size);
    let contract = market.contract();
    let (Some(value), Some(notional)) =
        (contract.value(maker.price, signed, Round::Up), contract.notional(maker.price, size))
    else {
        return true;
    };
    let fee = State::fee(notional, fees.of_maker(market, state.account(maker.account)));
    let charge = state.charge(maker.account, maker.market, fee, Money::ZERO);
    let (fee, paid) = if charge.asset == market.params.settlement { (fee, None) } else { (Money::ZERO, Some(charge)) };
    let isolated = matches!(state.account(maker.account).kind, AccountKind::Isolated { .. });
    // What the child gets leaves the parent, which must not have fallen below its own initial margin meanwhile.
    if let AccountKind::Isolated { parent, .. } = state.account(maker.account).kind
        && size > closable
    {
        let terms = state.evaluate(parent, Basis::Worse, Need::Initial, None);
        if terms.equity < terms.initial {
            return true;
        }
    }
    let remove = (!isolated && maker.reduce == Reduce::Any).then_some((maker.side, size, maker.price));
    let wallet = if isolated { fill::share(maker, size, closable) } else { Money::ZERO };
    let change = Change {
        position: maker.position(),
        trade: Some((signed, value, fee)),
        remove,
        wallet,
        paid,
        ..Change::default()
    };
    if size > closable {
        let after = state.account(maker.account).position(maker.position()).checked_add(signed);
        let interest = state.ladder_interest(market);
        let fits = after.and_then(|size| {
            let notional = contract.notional(state.valuation(market), size)?;
            market.check_position(size, notional, interest).ok()
        });
        if fits.is_none() {
            return true;
        }
        let terms = state.evaluate(maker.account, Basis::Worse, Need::Initial, Some(&change));
        terms.equity < terms.initial
    } else {
        state.evaluate(maker.account, Basis::Lenient, Need::Equity, Some(&change)).equity.is_negative()
    }
}

/// Contracts that a fill-or-kill order is sure to get: those of other owners whose accounts meet initial margin with all
/// their orders counted (any part of those orders can then fill), up to `enough`.
pub(crate) fn good_depth(
    state: &State,
    parent: AccountId,
    market: MarketId,
    side: Side,
    bound: Price,
    enough: Size,
    policy: SelfTrade,
) -> Size {
    let taker = state.account(parent);
    let (mut found, mut looked) = (Size::ZERO, 0);
    for (price, level) in state.market(market).book.from_best(side.opposite()) {
        if !Book::crosses(side, bound, price) {
            break;
        }
        let mut next = Some(level.first);
        while let Some(order) = next.and_then(|id| state.order(id)) {
            if found >= enough || looked >= limits::FOK_MAKERS_MAX {
                return found;
            }
            looked += 1;
            let own = state.are_related(taker, state.account(order.account));
            if own && policy != SelfTrade::CancelResting {
                return found; // here it would end or become smaller
            }
            if !own && sure(state, order) {
                found += if order.remaining < enough - found { order.remaining } else { enough - found };
            }
            next = order.level.after;
        }
    }
    if found < enough { found } else { enough }
}

fn sure(state: &State, order: &Order) -> bool {
    let row = state.account(order.account);
    if row.liquidation.is_some()
        || state.expired(order)
        || row.status != crate::AccountStatus::Active
        || order.reduce == Reduce::Only
        || state.price_for_increase(order.market).is_err()
    {
        return false;
    }
    if let AccountKind::Isolated { .. } = row.kind {
        let most = closable(row.position(order.position()), order.side);
        return row.order_count == 1 && !thin(state, order, order.remaining, most, Fees::Taker);
    }
    let terms = state.evaluate(order.account, Basis::Worse, Need::Initial, None);
    terms.equity >= terms.initial
}
