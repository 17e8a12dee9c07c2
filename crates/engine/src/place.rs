//! Orders in: what a placement must satisfy, what it becomes, and amend and cancel. Matching is in `matching`.

use crate::caps::Addition;
use crate::margin::{Basis, Change, Need};
use crate::matching::{self, Fees};
use crate::orders::{Order, Place};
use crate::output::Output;
use crate::state::Exposure;
use crate::{
    AccountId, AccountKind, Answer, Book, CancelReason, Event, Leg, MarginMode, MarketId, MarketStatus, OrderId,
    OrderRef, PlaceOrder, PositionId, Reduce, Reject, SelfTrade, Side, State, TimeInForce, Trigger, TriggerBy, bounds,
    deadlines, limits, trails,
};
use rules::Contract;
use units::{Money, Price, Rate, Round, Size, Time, limits as number_limits};

/// A placement that was judged good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The subaccount that trades; `None`: the child has to be made first.
    account: Option<AccountId>,
    parent: AccountId,
    market: MarketId,
    leg: Leg,
    side: Side,
    asked: Size,
    size: Size,
    price: Price,
    force: TimeInForce,
    reduce: Reduce,
    client_id: u64,
    trigger: Option<Trigger>,
    reserved: Money,
    expires: Option<Time>,
    self_trade: SelfTrade,
}

impl Plan {
    fn position(&self) -> PositionId {
        self.market.leg(self.leg)
    }
}

/// Units of the settlement asset that the roundings of one fill can take from an isolated inverse position, at most.
const ROUNDING_PER_LOT: i128 = 8;

/// Where an order stands: its margin account and what it could close.
struct Standing<'a> {
    account: Option<AccountId>,
    exposure: Option<&'a Exposure>,
    /// Contracts that it may close before it opens, without sign.
    closable: Size,
}

pub(crate) fn place_order(out: &mut Output<'_>, order: &PlaceOrder) -> Result<Answer, Reject> {
    let plan = check(out.state(), order, None)?;
    Ok(Answer::Order(run(out, &plan)))
}

/// Judges a placement as if `replacing` were not there. Changes nothing.
pub(crate) fn check(state: &State, order: &PlaceOrder, replacing: Option<&Order>) -> Result<Plan, Reject> {
    let row = state.find_trading(order.account)?;
    let market = state.find_market(order.market)?;
    state.warm(order, row, market);
    if row.liquidation.is_some() {
        return Err(Reject::InLiquidation);
    }
    row.check_not_frozen()?;
    check_fields(order)?;
    deadlines::check_expiry(state, order)?;
    if !row.legs().contains(&order.leg) {
        return Err(Reject::LegOfOtherMode { mode: row.mode });
    }
    // What closes a leg never opens the other one.
    let closes_leg = order.leg != Leg::Net && order.leg != row.leg_of(order.side);
    state.check_settles_in(row, order.market)?;
    let triggered = replacing.is_some_and(|r| matches!(r.place, Place::Parked { .. }));
    let order = &match order.reduce {
        Reduce::Close => check_close(state, order, triggered)?,
        Reduce::Any if closes_leg => PlaceOrder { reduce: Reduce::Only, ..*order },
        Reduce::Any | Reduce::Only => *order,
    };
    if order.reduce != Reduce::Close {
        State::size_is_good(order.size, market.params.lot)?;
    }
    let price = check_price(state, order, triggered)?;
    check_notional(market, order.size, price)?;
    check_room(state, order, replacing)?;
    let standing = stand(state, order);
    if let Some(account) = standing.account
        && state.account(account).liquidation.is_some()
    {
        return Err(Reject::InLiquidation);
    }
    let mut plan = Plan {
        account: standing.account,
        parent: order.account,
        market: order.market,
        leg: order.leg,
        side: order.side,
        asked: order.size,
        size: order.size,
        price,
        force: order.force,
        reduce: order.reduce,
        client_id: order.client_id,
        trigger: order.trigger,
        reserved: Money::ZERO,
        expires: order.expires,
        self_trade: order.self_trade,
    };
    if let Some(trigger) = order.trigger {
        check_status(market.status, order, false)?;
        check_trigger(state, order.market, trigger, triggered)?;
        return Ok(plan);
    }
    if order.reduce == Reduce::Only {
        if standing.closable.is_zero() {
            return Err(Reject::NothingToReduce { position: standing.exposure.map_or(Size::ZERO, |e| e.size) });
        }
        plan.size = if order.size < standing.closable { order.size } else { standing.closable };
    }
    let increases = increases(&plan, &standing, replacing);
    check_status(market.status, order, increases)?;
    if increases {
        row.check_active()?;
        state.check_protection(order.account, order.market)?;
    }
    check_crossing(state, &plan)?;
    if increases {
        check_increase(state, &mut plan, &standing, replacing)?;
    } else if order.force != TimeInForce::PostOnly {
        check_reduction(state, &plan)?;
    }
    check_depth(state, &plan)?;
    Ok(plan)
}

/// A close-position order waits without a size. Once its trigger is reached it is a reduce-only order of all that there is
/// to close then.
fn check_close(state: &State, order: &PlaceOrder, triggered: bool) -> Result<PlaceOrder, Reject> {
    if !order.size.is_zero() {
        return Err(Reject::CloseHasSize { asked: order.size });
    }
    if order.leg != Leg::Net && order.leg == state.account(order.account).leg_of(order.side) {
        return Err(Reject::CloseOpensLeg { side: order.side });
    }
    if order.trigger.is_some() {
        return Ok(*order);
    }
    if !triggered {
        return Err(Reject::CloseNeedsTrigger);
    }
    let standing = stand(state, order);
    if standing.closable.is_zero() {
        return Err(Reject::NothingToReduce { position: standing.exposure.map_or(Size::ZERO, |e| e.size) });
    }
    Ok(PlaceOrder { reduce: Reduce::Only, size: standing.closable, ..*order })
}

fn check_fields(order: &PlaceOrder) -> Result<(), Reject> {
    let market_order = order.price.is_none() && order.force != TimeInForce::Ioc;
    let trigger = order.trigger.is_some() && order.force == TimeInForce::PostOnly;
    let waiting_market = order.trigger.is_some() && order.price.is_none() && order.force != TimeInForce::Ioc;
    if market_order || trigger || waiting_market { Err(Reject::FieldsConflict) } else { Ok(()) }
}

/// The worst price: on the tick and inside the band. A waiting market order has its band when it is placed.
fn check_price(state: &State, order: &PlaceOrder, triggered: bool) -> Result<Price, Reject> {
    let params = &state.market(order.market).params;
    let (tick, guards) = (params.tick, &params.guards);
    let or_usual = |band: Rate| if band == Rate::ZERO { params.order_band } else { band };
    let band = match (triggered, order.price) {
        (true, _) => or_usual(guards.triggered_band),
        (false, None) => or_usual(guards.market_band),
        (false, Some(_)) => params.order_band,
    };
    let Some(asked) = order.price else {
        return if order.trigger.is_some() { Ok(Price::ZERO) } else { state.band_edge(order.market, order.side, band) };
    };
    if !asked.is_positive() {
        return Err(Reject::PriceNotPositive { asked });
    }
    if asked.to_tick(tick, Round::Down) != Some(asked) {
        return Err(Reject::PriceOffTick { asked, tick });
    }
    if order.trigger.is_none() {
        let bound = state.band_edge(order.market, order.side, band)?;
        let outside = match order.side {
            Side::Buy => asked > bound,
            Side::Sell => asked < bound,
        };
        if outside {
            return Err(Reject::PriceOutsideBand { asked, bound });
        }
        if guards.away_band.is_positive() {
            let bound = state.band_edge(order.market, order.side.opposite(), guards.away_band)?;
            let away = match order.side {
                Side::Buy => asked < bound,
                Side::Sell => asked > bound,
            };
            if away {
                return Err(Reject::PriceTooFarAway { asked, bound });
            }
        }
    }
    Ok(asked)
}

/// An order that cannot be valued at its own price is refused, whatever it does.
fn check_notional(market: &crate::Market, size: Size, price: Price) -> Result<(), Reject> {
    if !price.is_positive() {
        return Ok(()); // a waiting market order gets its price later
    }
    let notional = market.contract().notional(price, size).unwrap_or(Money::MAX);
    if notional.units() > number_limits::NOTIONAL_MAX {
        return Err(Reject::PositionTooLarge { notional: notional.min(Money::MAX), cap: market.position_cap() });
    }
    Ok(())
}

fn check_room(state: &State, order: &PlaceOrder, replacing: Option<&Order>) -> Result<(), Reject> {
    let row = state.account(order.account);
    let most = usize::try_from(limits::ORDERS_PER_ACCOUNT_MAX).unwrap_or(0);
    let child = state.margin_account(order.account, order.position()).map_or(0, |id| state.account(id).order_count);
    let open = usize::try_from(row.order_count.max(child)).unwrap_or(most);
    if replacing.is_none() {
        state.check_order_limit(order.account)?;
        State::room(open, most)?;
        State::room(state.orders.len(), limits::ORDERS_MAX - limits::ORDERS_RESERVED)?;
    }
    if row.exposure(order.position()).is_none() {
        State::room(row.exposures.len(), limits::EXPOSURES_MAX)?;
    }
    if state.margin_account(order.account, order.position()).is_none() {
        state.room_for_account()?; // the child has to be made
    }
    if order.client_id != 0 {
        let used = state.orders.by_client(order.account, order.client_id);
        if used.is_some_and(|id| replacing.is_none_or(|r| r.id != id)) {
            return Err(Reject::DuplicateClientId { client_id: order.client_id });
        }
    }
    Ok(())
}

fn check_trigger(state: &State, market: MarketId, trigger: Trigger, triggered: bool) -> Result<(), Reject> {
    if trigger.price < Price::ZERO || (trigger.price == Price::ZERO && trigger.trail.is_none()) {
        return Err(Reject::PriceNotPositive { asked: trigger.price });
    }
    if let Some(callback) = trigger.trail {
        trails::check(state, market, &trigger, callback, triggered)?;
    }
    if trigger.follows().is_some() {
        return Ok(());
    }
    let (by, when) = trigger.waits_for();
    let current = state.trigger_price(market, by);
    if !current.is_positive() {
        return Err(Reject::NoTriggerPrice);
    }
    if when.reached(current, trigger.price) { Err(Reject::TriggerReached { current }) } else { Ok(()) }
}

fn check_status(status: MarketStatus, order: &PlaceOrder, increases: bool) -> Result<(), Reject> {
    let good = match status {
        MarketStatus::Open => true,
        MarketStatus::PostOnly => order.force == TimeInForce::PostOnly && order.trigger.is_none(),
        MarketStatus::ReduceOnly => !increases,
        MarketStatus::CancelOnly | MarketStatus::Halted | MarketStatus::Settling | MarketStatus::Settled => false,
    };
    if good { Ok(()) } else { Err(Reject::MarketStatusForbids { status }) }
}

fn stand<'a>(state: &'a State, order: &PlaceOrder) -> Standing<'a> {
    let account = state.margin_account(order.account, order.position());
    let exposure = account.and_then(|id| state.account(id).exposure(order.position()));
    let closable = exposure.map_or(Size::ZERO, |e| closable(e.size, order.side));
    Standing { account, exposure, closable }
}

/// Contracts of a position that an order of `side` closes.
pub(crate) fn closable(position: Size, side: Side) -> Size {
    if position.signum() * side.signed(Size::whole(1)).signum() < 0 { position.abs() } else { Size::ZERO }
}

/// Contracts that an order may close before it opens: one that rests comes after those that rest already, one that fills
/// or dies now comes first.
fn closable_by(plan: &Plan, standing: &Standing<'_>, replacing: Option<&Order>) -> Size {
    let rests = matches!(plan.force, TimeInForce::Gtc | TimeInForce::PostOnly);
    let before = if rests { resting_before(plan, standing, replacing) } else { Size::ZERO };
    standing.closable - before.min(standing.closable)
}

fn increases(plan: &Plan, standing: &Standing<'_>, replacing: Option<&Order>) -> bool {
    plan.reduce == Reduce::Any && plan.size > closable_by(plan, standing, replacing)
}

fn check_crossing(state: &State, plan: &Plan) -> Result<(), Reject> {
    if plan.force == TimeInForce::PostOnly
        && let Some((best, _)) = state.market(plan.market).book.best(plan.side.opposite())
        && Book::crosses(plan.side, plan.price, best)
    {
        return Err(Reject::PostOnlyWouldCross { best });
    }
    Ok(())
}

/// Last of all, since it looks at other accounts.
fn check_depth(state: &State, plan: &Plan) -> Result<(), Reject> {
    if plan.force == TimeInForce::Fok {
        let available =
            matching::good_depth(state, plan.parent, plan.market, plan.side, plan.price, plan.size, plan.self_trade);
        if available < plan.size {
            return Err(Reject::FillOrKillUnfilled { asked: plan.size, available });
        }
    }
    Ok(())
}

/// What increases needs a usable price, room under the largest position, and margin at its worst price for its whole size.
fn check_increase(
    state: &State,
    plan: &mut Plan,
    standing: &Standing<'_>,
    replacing: Option<&Order>,
) -> Result<(), Reject> {
    let mark = state.price_for_increase(plan.market)?;
    check_size(state, plan, standing, replacing, mark)?;
    check_caps(state, plan, standing, replacing)?;
    let isolated = state.account(plan.parent).exposure(plan.position()).is_some_and(|e| e.mode == MarginMode::Isolated);
    let judge = |plan: &Plan| {
        if isolated {
            check_isolated(state, plan, standing, replacing)
        } else {
            check_cross(state, plan, replacing).map(|()| Money::ZERO)
        }
    };
    match judge(plan) {
        Ok(reserved) => plan.reserved = reserved,
        Err(reject) if plan.force == TimeInForce::Ioc => {
            // An order that fills now or never is cut to what margin allows.
            let lot = state.market(plan.market).params.lot;
            let size = largest_size(plan.size, lot, |size| judge(&Plan { size, ..*plan }).is_ok());
            if size > standing.closable {
                plan.size = size;
                plan.reserved = judge(plan)?;
            } else if standing.closable.is_positive() {
                plan.size = standing.closable; // what only closes needs no margin
                check_reduction(state, plan)?;
            } else {
                return Err(reject);
            }
        }
        Err(reject) => return Err(reject),
    }
    Ok(())
}

/// Limits of the account, its owner and group, and the market's caps, for the part that increases.
fn check_caps(state: &State, plan: &Plan, standing: &Standing<'_>, replacing: Option<&Order>) -> Result<(), Reject> {
    let size = plan.size - closable_by(plan, standing, replacing).min(plan.size);
    let replaced = removed(replacing).filter(|(side, ..)| *side == plan.side).map_or(Size::ZERO, |(_, size, _)| size);
    let more = Addition { market: plan.market, side: plan.side, size, replaced, closed: Size::ZERO };
    state.check_exposure_limits(plan.parent, &more)?;
    let market = state.market(plan.market);
    let added = if size > replaced { size - replaced } else { Size::ZERO };
    market.check_side_cap(plan.side, added, state.valuation(market))
}

fn check_size(
    state: &State,
    plan: &Plan,
    standing: &Standing<'_>,
    replacing: Option<&Order>,
    mark: Price,
) -> Result<(), Reject> {
    let market = state.market(plan.market);
    let cap = market.position_cap();
    let position = standing.exposure.map_or(Size::ZERO, |e| e.size);
    let gross = resting_before(plan, standing, replacing).checked_add(plan.size);
    let total = gross.and_then(|gross| position.checked_add(plan.side.signed(gross)));
    let price = match market.contract() {
        Contract::Linear if market.params.option.is_some() => {
            market.greatest_price(state.index(market.params.index).price).max(plan.price)
        }
        Contract::Linear => mark.max(plan.price),
        Contract::Inverse { .. } => mark.min(plan.price),
    };
    let notional_of =
        |size: Option<Size>| size.and_then(|size| market.contract().notional(price, size)).unwrap_or(Money::MAX);
    let notional = notional_of(total).min(Money::MAX);
    // All orders of the side must be worth a sum that fits, too, whatever position they would close first.
    let fits = notional.max(notional_of(gross)).units() <= number_limits::NOTIONAL_MAX;
    let asset_price = state.highest_price(market.params.settlement);
    let counted = state.asset(market.params.settlement).claims.max(market.costs);
    let fits = fits && bounds::amount_fits(counted, asset_price);
    if !fits || notional > cap || !bounds::market_total_fits(market, plan.size, price, asset_price) {
        return Err(Reject::PositionTooLarge { notional, cap });
    }
    market.check_position(total.unwrap_or(Size::ZERO), notional, state.ladder_interest(market))
}

/// Contracts that rest already on an order's side and may increase, without the one that it replaces.
fn resting_before(plan: &Plan, standing: &Standing<'_>, replacing: Option<&Order>) -> Size {
    let resting = match (plan.side, standing.exposure) {
        (_, None) => Size::ZERO,
        (Side::Buy, Some(e)) => e.buys.size,
        (Side::Sell, Some(e)) => e.sells.size,
    };
    let replaced = replacing.filter(|r| r.place == Place::Resting && r.reduce == Reduce::Any && r.side == plan.side);
    resting - replaced.map_or(Size::ZERO, |r| r.remaining).min(resting)
}

fn check_cross(state: &State, plan: &Plan, replacing: Option<&Order>) -> Result<(), Reject> {
    let change = Change {
        position: plan.position(),
        add: Some((plan.side, plan.size, plan.price)),
        remove: removed(replacing),
        ..Change::default()
    };
    let terms = state.evaluate(plan.parent, Basis::Worse, Need::Initial, Some(&change));
    if terms.equity < terms.initial {
        return Err(Reject::InsufficientMargin { equity: terms.equity, needed: terms.initial });
    }
    Ok(())
}

/// A resting order that a new one replaces.
fn removed(replacing: Option<&Order>) -> Option<(Side, Size, Price)> {
    replacing.filter(|r| r.place == Place::Resting && r.reduce == Reduce::Any).map(|r| (r.side, r.remaining, r.price))
}

/// What the parent sets aside: initial margin at the order's price, the loss against the mark and the fee, for the part
/// that increases. Parent and child must both stay good.
fn check_isolated(
    state: &State,
    plan: &Plan,
    standing: &Standing<'_>,
    replacing: Option<&Order>,
) -> Result<Money, Reject> {
    let market = state.market(plan.market);
    let closable = closable_by(plan, standing, replacing);
    let increase = plan.size - if plan.size < closable { plan.size } else { closable };
    let reserved = state.reservation(plan.parent, plan.position(), plan.side, increase, plan.price);
    let released = replacing.map_or(Money::ZERO, |r| r.reserved);
    let asset = market.params.settlement;
    let row = state.account(plan.parent);
    let free = row.wallet(asset) - state.reserved_in(row, asset);
    if reserved - released > free {
        return Err(Reject::ExceedsWallet { asked: reserved, wallet: free });
    }
    let change = Change { position: plan.position(), reserved: reserved - released, ..Change::default() };
    let parent = state.evaluate(plan.parent, Basis::Worse, Need::Initial, Some(&change));
    if parent.equity < parent.initial {
        return Err(Reject::InsufficientMargin { equity: parent.equity, needed: parent.initial });
    }
    if let Some(child) = standing.account {
        let whole = Change { wallet: reserved, ..filled_whole(state, plan) };
        // A part of it may be all that fills: added to a position that is below initial margin, it could leave it there.
        let now = standing.closable.is_zero().then_some(None);
        for change in now.into_iter().chain([Some(&whole)]) {
            let terms = state.evaluate(child, Basis::Worse, Need::Initial, change);
            if terms.equity < terms.initial {
                return Err(Reject::IsolatedMarginLow { equity: terms.equity, needed: terms.initial });
            }
        }
    }
    Ok(reserved)
}

/// What an account would look like with the whole order filled at its own price, the worst there is, as a taker.
fn filled_whole(state: &State, plan: &Plan) -> Change {
    let market = state.market(plan.market);
    let signed = plan.side.signed(plan.size);
    let value = market.contract().value(plan.price, signed, Round::Up).unwrap_or(Money::ZERO);
    let notional = market.contract().notional(plan.price, signed).unwrap_or(Money::ZERO);
    let fee = notional.mul_rate(market.fees(state.account(plan.parent).fee_tier).taker, Round::Up);
    Change { position: plan.position(), trade: Some((signed, value, fee)), ..Change::default() }
}

/// A reduction needs no margin, but no fill may leave equity below zero outside the ladder.
fn check_reduction(state: &State, plan: &Plan) -> Result<(), Reject> {
    let Some(account) = plan.account else { return Ok(()) };
    let change = filled_whole(state, plan);
    // The worst case is the whole order at its price, or next to nothing of it; with the fee in either asset.
    let equity_after = |change| state.evaluate(account, Basis::Lenient, Need::Equity, change).equity;
    let mut equity = equity_after(Some(&change)).min(equity_after(None));
    if let Some((size, value, fee)) = change.trade {
        let charge = state.charge(account, plan.market, fee, Money::ZERO);
        if charge.asset != state.market(plan.market).params.settlement {
            let (trade, paid) = (Some((size, value, Money::ZERO)), Some(charge));
            equity = equity.min(equity_after(Some(&Change { trade, paid, ..change })));
        }
    }
    if equity.is_negative() { Err(Reject::WouldBankrupt { equity }) } else { Ok(()) }
}

/// The smallest multiple of the lot, or `most`, that leaves no shortage; `most` when none does.
///
/// `surplus` is concave in the size: closing frees less and less maintenance and costs the same or more for each lot. Where all of
/// `most` is too much (its last lots cost more than they free), fewer may do, up to where the surplus is greatest.
pub(crate) fn smallest_size(most: Size, lot: Size, surplus: impl Fn(Size) -> Money) -> Size {
    let passes = |size: Size| !surplus(size).is_negative();
    let end = if passes(most) { most } else { peak(most, lot, &surplus) };
    if !passes(end) {
        return most;
    }
    let fails = largest_size(end, lot, |size| !passes(size));
    let next = fails + lot;
    if next < end { next } else { end }
}

/// Where a concave function of whole lots is greatest, below `most`.
fn peak(most: Size, lot: Size, surplus: &impl Fn(Size) -> Money) -> Size {
    let rises = |size: Size| surplus(size + lot) > surplus(size);
    let last = largest_size(most, lot, |_| true);
    if !last.is_positive() {
        return last;
    }
    // Sizes before the peak rise to the next one.
    let before = largest_size(last - lot, lot, rises);
    if rises(before) { before + lot } else { before }
}

/// The largest multiple of the lot, at most `most`, that passes a test that only ever turns from true to false.
pub(crate) fn largest_size(most: Size, lot: Size, passes: impl Fn(Size) -> bool) -> Size {
    if lot.units() <= 0 {
        return Size::ZERO;
    }
    let (mut good, mut bad) = (0i64, most.units() / lot.units() + 1);
    let of = |lots: i64| lots.checked_mul(lot.units()).and_then(Size::new).unwrap_or(Size::ZERO);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if passes(of(middle)) { good = middle } else { bad = middle }
    }
    of(good)
}

/// Carries out a placement that was judged good.
pub(crate) fn run(out: &mut Output<'_>, plan: &Plan) -> OrderId {
    let account = match plan.account {
        Some(account) => account,
        None => {
            let child = AccountId::at(out.state().accounts.len());
            out.emit(Event::IsolatedOpened { child, parent: plan.parent, market: plan.market, leg: plan.leg });
            child
        }
    };
    let Plan { market, leg, side, size, price, client_id, force, reduce, reserved, .. } = *plan;
    let order = out.state().orders.next_id();
    out.emit(Event::OrderAccepted {
        order,
        account,
        market,
        side,
        price,
        size,
        client_id,
        force,
        reduce,
        reserved,
        leg,
    });
    if plan.size < plan.asked {
        out.emit(Event::OrderCut { order, asked: plan.asked, allowed: plan.size });
    }
    if let Some(trigger) = plan.trigger {
        trails::follow(out, market); // whoever is active longer has seen the price that this one starts from
        out.emit(Event::OrderParked { order, trigger, force: plan.force });
        set_expiry(out, order, plan);
    }
    if plan.self_trade != SelfTrade::default() {
        out.emit(Event::SelfTradeSet { order, self_trade: plan.self_trade });
    }
    if plan.trigger.is_some() {
        return order;
    }
    if plan.force != TimeInForce::PostOnly {
        matching::run(out, order, Fees::Taker);
    }
    if let Some(rest) = out.state().order(order).map(|o| o.remaining) {
        match plan.force {
            TimeInForce::Gtc | TimeInForce::PostOnly => {
                out.emit(Event::OrderRested { order, remaining: rest });
                set_expiry(out, order, plan);
            }
            TimeInForce::Ioc | TimeInForce::Fok => {
                out.emit(Event::OrderCancelled { order, remaining: rest, reason: CancelReason::Unfilled });
            }
        }
    }
    order
}

/// An order that is over at once needs no expiry, so it is set when the order stays.
fn set_expiry(out: &mut Output<'_>, order: OrderId, plan: &Plan) {
    if let Some(expires) = plan.expires {
        out.emit(Event::OrderExpires { order, expires });
    }
}

fn find_order(state: &State, account: AccountId, order: OrderRef) -> Result<Order, Reject> {
    state.find_trading(account)?;
    let id = match order {
        OrderRef::Id(id) => Some(id),
        OrderRef::Client(0) => return Err(Reject::NoClientId),
        OrderRef::Client(client_id) => state.orders.by_client(account, client_id),
    };
    let found = id.and_then(|id| state.order(id)).filter(|o| state.parent_of(o.account) == account);
    found.copied().ok_or(Reject::UnknownOrder)
}

pub(crate) fn cancel_order(out: &mut Output<'_>, account: AccountId, order: OrderRef) -> Result<Answer, Reject> {
    let row = find_order(out.state(), account, order)?;
    let status = out.state().market(row.market).status;
    if status == MarketStatus::Halted {
        return Err(Reject::MarketStatusForbids { status });
    }
    out.emit(Event::OrderCancelled { order: row.id, remaining: row.remaining, reason: CancelReason::Requested });
    Ok(Answer::Done)
}

/// Orders of halted markets stay.
pub(crate) fn cancel_all(out: &mut Output<'_>, account: AccountId, market: Option<MarketId>) -> Result<Answer, Reject> {
    out.state().find_trading(account)?;
    if let Some(market) = market {
        let status = out.state().find_market(market)?.status;
        if status == MarketStatus::Halted {
            return Err(Reject::MarketStatusForbids { status });
        }
    }
    let orders = out.state().orders_with_children(account);
    for order in orders.iter().filter(|o| market.is_none_or(|m| m == o.market)) {
        if out.state().market(order.market).status != MarketStatus::Halted {
            out.emit(Event::OrderCancelled {
                order: order.id,
                remaining: order.remaining,
                reason: CancelReason::Requested,
            });
        }
    }
    Ok(Answer::Done)
}

pub(crate) fn amend_order(
    out: &mut Output<'_>,
    account: AccountId,
    order: OrderRef,
    price: Price,
    size: Size,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = find_order(state, account, order)?;
    state.account(account).check_not_frozen()?;
    let status = state.market(row.market).status;
    if status == MarketStatus::Halted {
        return Err(Reject::MarketStatusForbids { status });
    }
    if row.place != Place::Resting {
        return Err(Reject::OrderNotResting);
    }
    State::size_is_good(size, state.market(row.market).params.lot)?;
    if (price, size) == (row.price, row.remaining) {
        return Err(Reject::AlreadySo);
    }
    if price == row.price && size < row.remaining {
        let reserved = row.reserved.share(i128::from(size.units()), i128::from(row.remaining.units()), Round::Up);
        out.emit(Event::OrderReduced { order: row.id, remaining: size, reserved });
        return Ok(Answer::Order(row.id));
    }
    let (market, leg, side, reduce, client_id) = (row.market, row.leg, row.side, row.reduce, row.client_id);
    let force = if row.force == TimeInForce::PostOnly { TimeInForce::PostOnly } else { TimeInForce::Gtc };
    let (price, trigger, expires) = (Some(price), None, state.expiry(&row));
    let again = PlaceOrder {
        account,
        market,
        side,
        size,
        price,
        force,
        reduce,
        client_id,
        trigger,
        leg,
        expires,
        self_trade: row.self_trade,
    };
    let plan = check(state, &again, Some(&row))?;
    out.emit(Event::OrderCancelled { order: row.id, remaining: row.remaining, reason: CancelReason::Amended });
    Ok(Answer::Order(run(out, &plan)))
}

impl State {
    /// Reads what the command will look at soon, so that the cold memory of both accounts arrives together instead of one
    /// line after the other. Changes and decides nothing.
    fn warm(&self, order: &PlaceOrder, row: &crate::Account, market: &crate::Market) {
        let mut sum = row.warm();
        let best = market.book.best(order.side.opposite()).and_then(|(_, level)| self.order(level.first));
        if let Some(maker) = best {
            sum ^= self.account(maker.account).warm();
        }
        core::hint::black_box(sum);
    }

    /// The price that a trigger follows; zero before the first.
    #[must_use]
    pub(crate) fn trigger_price(&self, market: MarketId, by: TriggerBy) -> Price {
        let row = self.market(market);
        match by {
            TriggerBy::Mark => row.mark,
            TriggerBy::Last => row.last,
            TriggerBy::Index => self.index(row.params.index).price,
        }
    }

    /// What an isolated order sets aside in the parent, settlement asset, rounded up.
    pub(crate) fn reservation(
        &self,
        parent: AccountId,
        position: PositionId,
        side: Side,
        size: Size,
        price: Price,
    ) -> Money {
        if size.is_zero() {
            return Money::ZERO;
        }
        let row = self.market(position.market);
        let leverage = self.account(parent).exposure(position).map_or(0, |e| e.leverage);
        let p = &row.params;
        let signed = side.signed(size);
        let margin =
            |at: Price| self.initial_terms(row, at, signed, leverage).map_or(Money::ZERO, |terms| terms.required);
        let fee = p
            .contract
            .notional(price, signed)
            .unwrap_or(Money::ZERO)
            .mul_rate(row.fee_reserved(self.account(parent).fee_tier), Round::Up);
        let loss = self.loss_of_order(row, side, size, price, row.mark);
        // A fill of one lot rounds value, margin and fee against the child; of an inverse contract each of them can.
        let lots = if row.is_inverse() { size.units().checked_div(p.lot.units()).unwrap_or(0) + 1 } else { 0 };
        let rounding = Money::from_units(i128::from(lots) * ROUNDING_PER_LOT);
        // What the child has already fills the first slices of the haircut.
        let child = self.margin_account(parent, position).filter(|id| *id != parent);
        let held = child.map_or(Money::ZERO, |id| self.account(id).wallet(p.settlement));
        self.held_in(p.settlement, held, margin(price).max(margin(row.mark))) + loss + fee + rounding
    }

    /// How much of an asset must be held, beside `held` of it, for a margin in that asset, when it counts after its haircut.
    /// Rounded up; more than there is when no amount counts enough.
    pub(crate) fn held_in(&self, asset: crate::AssetId, held: Money, margin: Money) -> Money {
        self.asset(asset).params.haircuts().beside(held, margin).unwrap_or(Money::MAX)
    }

    /// Open orders of a subaccount and of its isolated positions, oldest first.
    pub(crate) fn orders_with_children(&self, account: AccountId) -> alloc::vec::Vec<Order> {
        let row = self.account(account);
        let children =
            row.exposures.iter().filter_map(|e| e.child).filter(|_| matches!(row.kind, AccountKind::Trading));
        let all = core::iter::once(account).chain(children);
        let mut orders: alloc::vec::Vec<Order> = all.flat_map(|id| self.orders_of(self.account(id)).copied()).collect();
        orders.sort_unstable_by_key(|o| o.id.serial());
        orders
    }
}
