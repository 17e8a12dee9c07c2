//! Stage two: reduction through the book in steps, limited by a share of the visible depth, a price band, and one step a
//! pause. How much a step closes is the market's policy: usually enough to be back at the target and no more. A policy may
//! auction positions instead (`auction`).

use crate::ladder::step as tell;
use crate::margin::{Basis, Change, Need};
use crate::matching::{self, Fees};
use crate::output::Output;
use crate::params::LiquidationPolicy;
use crate::{AccountId, CancelReason, Event, PositionId, Reduce, Side, Stage, State, auction};
use rules::{FeeTerms, trading_fee};
use units::{Money, Price, Rate, Round, Size, Time};

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The book has nothing inside the limits.
    None,
    /// Something was closed; the least pause that follows, nanoseconds.
    Done(i64),
    /// A position is auctioned until then; the book is not asked.
    Auction(Time),
}

/// Reduces the position with the largest maintenance margin that the book takes anything of, or that is auctioned.
pub(crate) fn step(out: &mut Output<'_>, account: AccountId) -> Step {
    if let Some(open) = out.state().open_auction(account) {
        return Step::Auction(open.until);
    }
    for position in out.state().closable_positions(account) {
        if let LiquidationPolicy::DutchAuction { duration_ns, discount } =
            out.state().market(position.market).params.liquidation.policy
        {
            match auction::start(out, account, position, duration_ns, discount) {
                Some(until) => return Step::Auction(until),
                None => continue,
            }
        }
        let Some(offer) = out.state().offer(account, position) else { continue };
        let size = out.state().wanted(account, position, &offer);
        if close(out, account, position, &offer, size) {
            return Step::Done(out.state().cooldown(position.market));
        }
    }
    Step::None
}

/// One step of a fund in every market where it holds anything; true when any closed.
pub(crate) fn unwind(out: &mut Output<'_>, fund: AccountId) -> bool {
    let mut any = false;
    for position in out.state().closable_positions(fund) {
        if let Some(offer) = out.state().offer(fund, position) {
            any |= close(out, fund, position, &offer, offer.most);
        }
    }
    any
}

/// What the book offers a position that must close.
struct Offer {
    side: Side,
    bound: Price,
    /// Contracts, at most the position.
    most: Size,
}

impl State {
    /// The ladder's fee on contracts that were closed, at the mark, and the most that the account pays: the equity that is left. Both in
    /// the settlement asset; the fee rounds up, what is left down.
    #[must_use]
    pub fn liquidation_fee(&self, account: AccountId, market: crate::MarketId, closed: Size) -> (FeeTerms, Money) {
        let row = self.market(market);
        let notional = row.contract().notional(row.mark, closed).unwrap_or(Money::ZERO);
        let equity = self.evaluate(account, Basis::Lenient, Need::Equity, None).equity;
        let left = self.credit_of(row.params.settlement, equity.max(Money::ZERO));
        (trading_fee(notional, row.params.liquidation.fee), left)
    }

    /// The share of the visible depth inside the band, in lots; a last part below a lot closes with the rest.
    fn offer(&self, account: AccountId, position: PositionId) -> Option<Offer> {
        let row = self.market(position.market);
        let p = &row.params;
        let position = self.account(account).position(position);
        let (side, rate, round) = if position.is_positive() {
            (Side::Sell, -p.liquidation.band, Round::Up)
        } else {
            (Side::Buy, p.liquidation.band, Round::Down)
        };
        let bound = match p.option {
            Some(_) => self.option_edge(row, row.mark, rate, round),
            None => row.mark.scale(rate, round)?.to_tick(p.tick, round).filter(|b| b.is_positive())?,
        };
        let depth = row.book.depth(side, bound);
        let whole = p.liquidation.policy == LiquidationPolicy::FullClose;
        let share = if whole { Rate::ONE } else { p.liquidation.depth_share };
        let allowed = units::mul_div(depth, i128::from(share.units()), i128::from(Rate::ONE.units()), Round::Down)?;
        let lot = i128::from(p.lot.units());
        let allowed = if allowed < lot && depth >= lot { lot } else { allowed };
        let units = i64::try_from(allowed.min(i128::from(i64::MAX))).ok()?;
        let allowed = Size::new(units)?;
        let most = if allowed >= position.abs() { position.abs() } else { allowed.to_lot(p.lot) };
        most.is_positive().then_some(Offer { side, bound, most })
    }

    /// What the market's policy closes in one step of what is offered.
    fn wanted(&self, account: AccountId, position: PositionId, offer: &Offer) -> Size {
        let row = self.market(position.market);
        let size = self.account(account).position(position).abs();
        let notional = |size| row.contract().notional(row.mark, size).unwrap_or(Money::MAX);
        let lot = row.params.lot;
        let asked = match row.params.liquidation.policy {
            // An auction asks nothing of the book: `needed_at` is what it sells.
            LiquidationPolicy::ToTarget | LiquidationPolicy::DutchAuction { .. } => {
                return self.to_target(account, position, offer);
            }
            LiquidationPolicy::FullClose => size,
            LiquidationPolicy::Fraction { whole_below, .. } if notional(size) <= whole_below => size,
            LiquidationPolicy::Fraction { share, .. } => share_of(size, share),
            LiquidationPolicy::TierStepDown { tiers } => {
                let lower = row.params.ladder.cap_below(notional(size), tiers);
                lower.map_or(size, |cap| size - crate::place::largest_size(size, lot, |kept| notional(kept) <= cap))
            }
        };
        let asked = lots_up(asked, lot);
        if asked < offer.most { asked } else { offer.most }
    }

    /// The least pause that a market's policy wants after a step, nanoseconds.
    fn cooldown(&self, market: crate::MarketId) -> i64 {
        match self.market(market).params.liquidation.policy {
            LiquidationPolicy::Fraction { cooldown_ns, .. } => cooldown_ns,
            _ => 0,
        }
    }

    /// The fewest lots after which equity is back at the target, at the prices that the book shows; all that is offered
    /// when even that is not enough.
    fn to_target(&self, account: AccountId, position: PositionId, offer: &Offer) -> Size {
        let market = self.market(position.market);
        crate::place::smallest_size(offer.most, market.params.lot, |size| {
            let value = market.book_value(offer.side, size);
            value.map_or(-Money::MAX, |value| self.surplus(account, position, offer.side.signed(size), value))
        })
    }

    /// What equity has over the target multiple of maintenance after a trade of `signed` contracts for `value`; below zero when it
    /// falls short, or is on the line and that is below it.
    pub(crate) fn surplus(&self, account: AccountId, position: PositionId, signed: Size, value: Money) -> Money {
        let row = self.market(position.market);
        let fee = row
            .contract()
            .notional(row.mark, signed)
            .unwrap_or(Money::ZERO)
            .mul_rate(row.params.liquidation.fee, Round::Up);
        let change = Change { position, trade: Some((signed, value, fee)), ..Change::default() };
        let terms = self.evaluate(account, Basis::Lenient, Need::Maintenance, Some(&change));
        self.over_target(terms.equity, terms.maintenance)
    }

    /// Equity − target × maintenance, and no more than what keeps it off the line.
    pub(crate) fn over_target(&self, equity: Money, maintenance: Money) -> Money {
        let target = maintenance.mul_rate(self.risk.target, Round::Up);
        let least = if self.risk.line.is_below(Money::ZERO) { Money::UNIT } else { Money::ZERO };
        (equity - target).min(equity - maintenance - least)
    }
}

/// A share of a size, rounded up to 1e-8 contract.
fn share_of(size: Size, share: Rate) -> Size {
    let (part, one) = (i128::from(share.units()), i128::from(Rate::ONE.units()));
    let units = units::mul_div(i128::from(size.units()), part, one, Round::Up);
    units.and_then(|u| i64::try_from(u).ok()).and_then(Size::new).unwrap_or(size)
}

/// Whole lots, rounded up.
fn lots_up(size: Size, lot: Size) -> Size {
    let down = size.to_lot(lot);
    if down == size { size } else { down.checked_add(lot).unwrap_or(size) }
}

impl crate::Market {
    /// What an order of `side` would pay for `size` contracts in the book now, signed; `None` when they are not there.
    fn book_value(&self, side: Side, size: Size) -> Option<Money> {
        let (mut left, mut paid) = (i128::from(size.units()), Money::ZERO);
        for (price, level) in self.book.from_best(side.opposite()) {
            let taken = Size::new(i64::try_from(left.min(level.total)).ok()?)?;
            paid += self.contract().value(price, side.signed(taken), Round::Up)?;
            left -= i128::from(taken.units());
            if left == 0 {
                return Some(paid);
            }
        }
        None
    }
}

/// Sends the order of one step; takes the ladder's fee; tells it. False when nothing was closed.
fn close(out: &mut Output<'_>, account: AccountId, position: PositionId, offer: &Offer, size: Size) -> bool {
    let PositionId { market, leg } = position;
    let state = out.state();
    let headroom_before = state.lenient(account).headroom();
    let before = state.account(account).position(position);
    let order = state.orders.next_id();
    let force = crate::TimeInForce::Ioc;
    let (side, price, reduce, zero) = (offer.side, offer.bound, Reduce::Only, Money::ZERO);
    out.emit(Event::OrderAccepted {
        order,
        account,
        market,
        side,
        price,
        size,
        client_id: 0,
        force,
        reduce,
        reserved: zero,
        leg,
    });
    matching::run(out, order, Fees::Ladder);
    if let Some(remaining) = out.state().order(order).map(|o| o.remaining) {
        out.emit(Event::OrderCancelled { order, remaining, reason: CancelReason::Unfilled });
    }
    let after = out.state().account(account).position(position);
    let closed = after - before;
    if closed.is_zero() {
        return false;
    }
    take_fee(out, account, market, closed);
    tell(out, account, position, Stage::Reduce, closed, headroom_before);
    true
}

/// The ladder's fee on what was closed, never more than the equity that is left. Funds pay none.
pub(crate) fn take_fee(out: &mut Output<'_>, account: AccountId, market: crate::MarketId, closed: Size) {
    let state = out.state();
    let fund = state.market(market).params.fund;
    if matches!(state.account(account).kind, crate::AccountKind::Fund) {
        return;
    }
    let (fee, left) = state.liquidation_fee(account, market, closed);
    let fee = fee.fee.min(left);
    if fee.is_positive() {
        out.emit(Event::LiquidationFee { account, market, fund, fee });
    }
}
