//! Stages four to six: what the book did not take goes to volunteers, to the fund, to winners, at the bankruptcy price:
//! equity at index without haircuts becomes zero, each position giving up its share of equity by maintenance margin.

use crate::adl::Rankings;
use crate::caps::Addition;
use crate::ladder::step as tell;
use crate::margin::{Basis, Change, Need};
use crate::output::Output;
use crate::place::closable;
use crate::{AccountId, AccountKind, Cause, Event, MarketId, PositionId, Side, Stage, State, fill};
use alloc::vec::Vec;
use units::{Money, Round, Size};

/// A position that must go, and what it is handed over for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The failing account.
    pub from: AccountId,
    /// Which of its positions.
    pub position: PositionId,
    /// The position that is left; + long.
    pub size: Size,
    /// What the taker pays for all of it, signed like a cost.
    pub value: Money,
}

impl Handover {
    /// Where.
    pub(crate) fn market(&self) -> MarketId {
        self.position.market
    }

    /// What the taker pays for a part: value × part ÷ size, toward zero; the last part pays what is left.
    #[must_use]
    pub fn value_of(&self, part: Size) -> Money {
        if part.abs() == self.size.abs() {
            return self.value;
        }
        self.value.share(i128::from(part.abs().units()), i128::from(self.size.abs().units()), Round::TowardZero)
    }

    /// What is left when a part has been taken.
    #[must_use]
    pub fn without(&self, part: Size) -> Self {
        let value = self.value - self.value_of(part);
        Self { size: self.size - part, value, ..*self }
    }
}

/// Hands over every position whose price can be used.
pub(crate) fn run(out: &mut Output<'_>, account: AccountId, rankings: &mut Rankings) {
    for position in out.state().closable_positions(account) {
        // Nothing is taken from an account that a step has brought back above its line.
        if !out.state().still_below(account) {
            return;
        }
        let Some(mut handover) = out.state().handover(account, position) else { continue };
        for stage in [backstop, fund] {
            stage(out, &mut handover);
            if !handover.size.is_zero() && !out.state().still_below(account) {
                return;
            }
        }
        if !handover.size.is_zero() {
            let headroom_before = out.state().lenient(account).headroom();
            let before = handover.size;
            rankings.deleverage(out, &mut handover);
            if handover.size != before {
                tell(out, account, position, Stage::Deleverage, handover.size - before, headroom_before);
            }
        }
        if !handover.size.is_zero() && out.state().still_below(account) {
            let PositionId { market, leg } = position;
            out.emit(Event::LeftUncovered { account, market, size: handover.size, leg });
        }
    }
}

/// What a position is handed over for, with its working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoverTerms {
    /// The position; + long.
    pub size: Size,
    /// The account's equity at the mark, collateral at index without haircuts, numeraire.
    pub equity: Money,
    /// Maintenance margin of the position, numeraire.
    pub maintenance: Money,
    /// Maintenance margin of all that the account has open, numeraire.
    pub maintenance_of_all: Money,
    /// equity × maintenance ÷ maintenance of all, settlement asset; rounded down.
    pub share: Money,
    /// The position at the mark, settlement asset; rounded down, signed like a cost.
    pub worth: Money,
    /// worth − share: what a taker pays for all of it, signed like a cost.
    pub value: Money,
}

impl State {
    /// The bankruptcy value of one position, with the account's equity shared by maintenance margin among the positions
    /// that are left.
    pub(crate) fn handover(&self, account: AccountId, position: PositionId) -> Option<Handover> {
        let HandoverTerms { size, value, .. } = self.handover_terms(account, position)?;
        Some(Handover { from: account, position, size, value })
    }

    /// The same with its working; `None` without a position.
    ///
    /// Equity 10 of two positions that hold 20 and 30: the second gives 6 of it up, so that worth 300 is handed over for 294.
    #[must_use]
    pub fn handover_terms(&self, account: AccountId, position: PositionId) -> Option<HandoverTerms> {
        let row = self.market(position.market);
        let exposure = self.account(account).exposure(position).filter(|e| !e.size.is_zero())?;
        let equity = self.evaluate(account, Basis::Bare, Need::Equity, None).equity;
        let open = self.account(account).exposures.iter().filter(|e| !e.size.is_zero());
        let all: Money = open.map(|e| self.maintenance_of(account, e.position())).sum();
        let own = self.maintenance_of(account, position);
        let share = if own == all { equity } else { equity.share(own.units(), all.units(), Round::Down) };
        let share = self.in_settlement(row.params.settlement, share);
        let worth = row.contract().value(row.mark, exposure.size, Round::Down)?;
        let (size, maintenance, maintenance_of_all) = (exposure.size, own, all);
        Some(HandoverTerms { size, equity, maintenance, maintenance_of_all, share, worth, value: worth - share })
    }

    /// An amount of the numeraire in an asset, rounded down.
    fn in_settlement(&self, asset: crate::AssetId, amount: Money) -> Money {
        amount.from_index(self.asset_price(asset), Round::Down).unwrap_or(Money::ZERO)
    }

    /// Whether an account meets initial margin after it took `part` of a position over.
    fn can_take(&self, account: AccountId, handover: &Handover, part: Size) -> bool {
        let trade = Some((part, handover.value_of(part), Money::ZERO));
        let position = self.receiving(account, handover.market(), part);
        let change = Change { position, trade, ..Change::default() };
        let row = self.market(handover.market());
        let after = self.account(account).position(position).checked_add(part);
        let allowed = |size: Size| {
            let notional = row.contract().notional(row.mark, size);
            notional.is_some_and(|n| row.check_position(size, n, self.ladder_interest(row)).is_ok())
        };
        let held = self.account(account).exposure(position);
        let orders = held.map_or((Size::ZERO, Size::ZERO), |e| (e.buys.size, e.sells.size));
        let with_orders =
            after.is_some_and(|s| s.checked_add(orders.0).is_some() && s.checked_add(-orders.1).is_some());
        let room = held.is_some() || self.account(account).exposures.len() < crate::limits::EXPOSURES_MAX;
        let fits = room && with_orders && after.is_some_and(allowed);
        // As of an order, only what it opens counts against limits.
        let side = Side::of(part);
        let closed = closable(self.account(account).position(position), side).min(part.abs());
        let opens = part.abs() - closed;
        let more = Addition { market: handover.market(), side, size: opens, replaced: Size::ZERO, closed };
        let traded = self.check_settles_in(self.account(account), handover.market()).is_ok();
        if !fits || !traded || (!opens.is_zero() && self.check_exposure_limits(account, &more).is_err()) {
            return false;
        }
        let terms = self.evaluate(account, Basis::Mark, Need::Initial, Some(&change));
        terms.equity >= terms.initial
    }

    /// The position in which an account books `part` contracts that come to it.
    pub(crate) fn receiving(&self, account: AccountId, market: MarketId, part: Size) -> PositionId {
        market.leg(self.account(account).leg_of(Side::of(part)))
    }

    /// The position of an account that a trade of `part` contracts closes.
    pub(crate) fn losing(&self, account: AccountId, market: MarketId, part: Size) -> PositionId {
        market.leg(self.account(account).leg_of(Side::of(part).opposite()))
    }

    /// The largest part, at most `most`, that an account can take; whole lots, or all of it.
    fn largest_part(&self, account: AccountId, handover: &Handover, most: Size) -> Size {
        let signed = |size: Size| size.with_sign_of(handover.size);
        let most = if most < handover.size.abs() { most } else { handover.size.abs() };
        if most.is_positive() && self.can_take(account, handover, signed(most)) {
            return signed(most);
        }
        let lot = self.market(handover.market()).params.lot;
        signed(crate::place::largest_size(most, lot, |size| self.can_take(account, handover, signed(size))))
    }

    /// Contracts of a market worth an amount of the settlement asset at the mark, rounded down.
    pub(crate) fn contracts_worth(&self, market: MarketId, amount: Money) -> Size {
        let row = self.market(market);
        let each = row.contract().notional(row.mark, Size::whole(1)).unwrap_or(Money::MAX).max(Money::UNIT);
        let units = units::mul_div(amount.units(), i128::from(Size::whole(1).units()), each.units(), Round::Down);
        units.and_then(|u| i64::try_from(u.min(i128::from(i64::MAX))).ok()).and_then(Size::new).unwrap_or(Size::ZERO)
    }
}

/// Volunteers, in the order of their accounts, each within its limit and its own margin. They are not asked to take a loss.
fn backstop(out: &mut Output<'_>, handover: &mut Handover) {
    let state = out.state();
    let mark_value = state.market(handover.market()).contract().value(
        state.market(handover.market()).mark,
        handover.size,
        Round::Down,
    );
    if mark_value.is_none_or(|worth| handover.value > worth) {
        return;
    }
    let owner = state.account(handover.from).owner;
    let volunteers: Vec<(AccountId, Money)> = state.backstops.iter().map(|(id, limit)| (*id, *limit)).collect();
    let settlement = state.market(handover.market()).params.settlement;
    for (account, limit) in volunteers {
        let state = out.state();
        if !state.still_below(handover.from) {
            return;
        }
        let row = state.account(account);
        let isolated = row.exposures_in(handover.market()).any(|e| e.mode == crate::MarginMode::Isolated);
        if handover.size.is_zero()
            || row.liquidation.is_some()
            || row.owner == owner
            || isolated
            || row.status != crate::AccountStatus::Active
        {
            continue;
        }
        let most = state.contracts_worth(handover.market(), state.credit_of(settlement, limit));
        let most = most.to_lot(state.market(handover.market()).params.lot);
        let part = state.largest_part(account, handover, most);
        if part.is_zero() {
            continue;
        }
        let row = state.market(handover.market());
        let notional = row.contract().notional(row.mark, part).unwrap_or(Money::ZERO);
        let left = (limit - state.debt(settlement, notional)).max(Money::ZERO);
        hand_over(out, handover, account, part, Stage::Backstop);
        out.emit(Event::BackstopCommitted { account, limit: left });
    }
}

/// The fund, within its limit in this market and its own margin.
fn fund(out: &mut Output<'_>, handover: &mut Handover) {
    let state = out.state();
    let market = state.market(handover.market());
    let fund = market.params.fund;
    if handover.size.is_zero() || fund == handover.from || state.liquidating.contains(&fund) {
        return;
    }
    let held = state.account(fund).position(handover.market().net());
    let all = state.contracts_worth(handover.market(), market.params.liquidation.fund_limit);
    let same_side = held.signum() == handover.size.signum();
    let room = if same_side {
        all - if held.abs() < all { held.abs() } else { all }
    } else {
        all.checked_add(held.abs()).unwrap_or(all)
    };
    let room = if room < handover.size.abs() { room.to_lot(market.params.lot) } else { room };
    let part = state.largest_part(fund, handover, room);
    if part.is_zero() {
        return;
    }
    let market = handover.market();
    if let Some((worth, peak)) = state.drawn_down(market) {
        out.emit(Event::FundDrawnDown { fund, market, worth, peak });
        return;
    }
    hand_over(out, handover, fund, part, Stage::TakeOver);
}

fn hand_over(out: &mut Output<'_>, handover: &mut Handover, to: AccountId, part: Size, stage: Stage) {
    let Handover { from, position, .. } = *handover;
    let PositionId { market, leg } = position;
    let headroom_before = out.state().lenient(from).headroom();
    let value = handover.value_of(part);
    *handover = handover.without(part);
    out.emit(Event::TakenOver { from, to, market, size: part, value, leg });
    let into = out.state().receiving(to, market, part);
    fill::change(out, from, position, &fill::Part::plain(-part, -value, Cause::TakeOver));
    fill::change(out, to, into, &fill::Part::plain(part, value, Cause::TakeOver));
    tell(out, from, position, stage, -part, headroom_before);
}

impl Handover {
    /// Closes `part` against a winner's position; both sides book the same number.
    pub(crate) fn close_against(&mut self, out: &mut Output<'_>, winner: AccountId, part: Size, value: Money) {
        let (from, position) = (self.from, self.position);
        *self = self.without(part);
        fill::change(out, from, position, &fill::Part::plain(-part, -value, Cause::Adl));
        let closes = out.state().losing(winner, position.market, part);
        fill::change(out, winner, closes, &fill::Part::plain(part, value, Cause::Adl));
    }
}

/// Whether a subaccount can stand on the other side of a deleveraging: for trading or isolated, not on the ladder itself.
pub(crate) fn can_be_deleveraged(state: &State, account: AccountId) -> bool {
    match state.account(account).kind {
        AccountKind::Trading | AccountKind::Isolated { .. } | AccountKind::Fund => {
            !state.liquidating.contains(&account)
        }
    }
}
