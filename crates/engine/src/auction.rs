//! Stage two as a Dutch auction: nothing is sent to the book, the position is offered to whoever bids first, at a price that
//! moves away from the mark with time. What a bid takes is what a step would close; the rest of the ladder is unchanged.
//!
//! A row holds no price: each is worked out from the mark and the account of the moment, so that an auction gives away no fall
//! of the market, and a split has nothing to convert.

use crate::caps::Addition;
use crate::fault::fault;
use crate::ladder::step as tell;
use crate::margin::{Basis, Change, Need, Terms};
use crate::output::Output;
use crate::place::closable;
use crate::{
    Account, AccountId, Answer, AuctionEnd, Bid, Cause, Event, MarginMode, MarketStatus, PositionId, Reject, Side,
    Stage, State, fill, limits, reduce,
};
use rules::{auction_distance, auction_price};
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Size, Time};

/// An auction of a position. A position is auctioned once in a liquidation, one position of an account at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auction {
    /// Of what.
    pub position: PositionId,
    /// When it began.
    pub since: Time,
    /// Then it is over.
    pub until: Time,
    /// Greatest distance from the mark; the market's band holds, too.
    pub discount: Rate,
    /// It has ended, and stays until the liquidation does.
    pub over: bool,
}

/// Starts the auction of a position; until when it runs. `None` when it is over, or there is no price to begin with.
pub(crate) fn start(
    out: &mut Output<'_>,
    account: AccountId,
    position: PositionId,
    duration_ns: i64,
    discount: Rate,
) -> Option<Time> {
    let state = out.state();
    if state.auction_of(account, position).is_some() {
        return None;
    }
    let (since, until) = (state.now, state.now.plus_ns(duration_ns));
    let auction = Auction { position, since, until, discount, over: false };
    let (start, worst) =
        (state.auction_price(account, &auction, since)?, state.auction_price(account, &auction, until)?);
    let size = state.account(account).position(position);
    let PositionId { market, leg } = position;
    out.emit(Event::AuctionStarted { account, market, size, start, worst, discount, since, until, leg });
    Some(until)
}

/// Ends the auction of an account whose time is over.
pub(crate) fn expire(out: &mut Output<'_>, account: AccountId) {
    let late = |open: Auction| open.until <= out.state().now;
    if out.state().open_auction(account).is_some_and(late) {
        stop(out, account, AuctionEnd::Expired);
    }
}

/// Ends the auction of an account, if there is one.
pub(crate) fn stop(out: &mut Output<'_>, account: AccountId, reason: AuctionEnd) {
    if let Some(open) = out.state().open_auction(account) {
        let PositionId { market, leg } = open.position;
        out.emit(Event::AuctionEnded { account, market, reason, leg });
    }
}

/// A position was closed, by whatever.
pub(crate) fn closed(out: &mut Output<'_>, account: AccountId, position: PositionId) {
    if out.state().open_auction(account).is_some_and(|open| open.position == position) {
        stop(out, account, AuctionEnd::Closed);
    }
}

/// What the events of an auction do to the state.
pub(crate) fn apply(state: &mut State, event: &Event) {
    match *event {
        Event::AuctionStarted { account, market, discount, since, until, leg, .. } => {
            let position = market.leg(leg);
            let rows = state.auctions.entry(account).or_default();
            rows.push(Auction { position, since, until, discount, over: false });
        }
        Event::AuctionEnded { account, .. } => {
            let rows = state.auctions.get_mut(&account).into_iter().flatten();
            rows.for_each(|row| row.over = true);
            let now = state.now;
            if let Some(progress) = &mut state.account_mut(account).liquidation {
                progress.next = now;
            }
        }
        _ => fault("not an event of an auction"),
    }
}

impl State {
    fn auction_of(&self, account: AccountId, position: PositionId) -> Option<&Auction> {
        self.auctions.get(&account)?.iter().find(|row| row.position == position)
    }

    /// The auction of an account that has not ended.
    pub(crate) fn open_auction(&self, account: AccountId) -> Option<Auction> {
        self.auctions.get(&account)?.last().copied().filter(|row| !row.over)
    }

    /// An account that is auctioned is above its line again.
    pub(crate) fn auction_is_needless(&self, account: AccountId, terms: &Terms) -> bool {
        self.open_auction(account).is_some() && !self.risk.line.is_below(terms.headroom())
    }

    /// The price of an auction at a moment, mark and account being as they are now: the mark, moved by the elapsed share of
    /// the discount, or of the way to the price at which a take-over would be, where that is nearer.
    pub(crate) fn auction_price(&self, account: AccountId, auction: &Auction, at: Time) -> Option<Price> {
        let Auction { position, since, until, discount, .. } = *auction;
        let row = self.market(position.market);
        let handover = self.handover(account, position)?;
        let worth = row.contract().value(row.mark, handover.size, Round::Down)?;
        let round = if handover.size.is_positive() { Round::Up } else { Round::Down };
        // Without equity there is nothing to give away: a price at the mark or better.
        let bankruptcy = if handover.value >= worth {
            Some(row.mark)
        } else {
            row.contract().price_of(handover.value, handover.size, round)
        };
        let discount = discount.min(row.params.liquidation.band);
        let distance = auction_distance(row.mark, discount, bankruptcy, handover.size);
        auction_price(row.mark, distance, (at.since(since), until.since(since)), row.params.tick, handover.size)
    }

    /// The fewest lots that bring an account back to its target when they are sold at a price; all when nothing less does.
    pub(crate) fn needed_at(&self, account: AccountId, position: PositionId, price: Price) -> Size {
        let row = self.market(position.market);
        let held = self.account(account).position(position);
        crate::place::smallest_size(held.abs(), row.params.lot, |size| {
            let closes = -size.with_sign_of(held);
            let value = row.contract().value(price, closes, Round::TowardZero);
            value.map_or(-Money::MAX, |value| self.surplus(account, position, closes, value))
        })
    }
}

/// A bid that was judged good.
struct Plan {
    price: Price,
    /// Contracts, with the sign of the bidder's trade.
    part: Size,
    value: Money,
}

/// Takes what is needed of an auctioned position, at most what was asked for.
pub(crate) fn bid(out: &mut Output<'_>, bid: &Bid) -> Result<Answer, Reject> {
    let plan = check(out.state(), bid)?;
    run(out, bid, &plan);
    Ok(Answer::Done)
}

fn check(state: &State, bid: &Bid) -> Result<Plan, Reject> {
    let Bid { bidder, account, market, leg, size, limit } = *bid;
    let row = state.find_trading(bidder)?;
    let failing = state.find_account(account)?;
    let lot = state.find_market(market)?.params.lot;
    if row.liquidation.is_some() {
        return Err(Reject::InLiquidation);
    }
    row.check_active()?;
    State::size_is_good(size, lot)?;
    if !limit.is_positive() {
        return Err(Reject::PriceNotPositive { asked: limit });
    }
    let position = market.leg(leg);
    let auction = state.auction_of(account, position).ok_or(Reject::NoAuction { account, market })?;
    if state.are_related(row, failing) {
        return Err(Reject::AuctionOfOwn { account });
    }
    state.check_settles_in(row, market)?;
    if row.exposures_in(market).any(|e| e.mode == MarginMode::Isolated) {
        return Err(Reject::BidNeedsCross { market });
    }
    check_status(state, bid)?;
    state.price_for_increase(market)?;
    let over = Reject::AuctionOver { account, market };
    if auction.over || auction.until <= state.now || state.take_over_now(&state.lenient(account)) {
        return Err(over);
    }
    if !state.still_below(account) {
        return Err(Reject::AccountAboveLine { account });
    }
    let price = state.auction_price(account, auction, state.now).ok_or(over)?;
    let held = failing.position(position);
    let worse = if held.is_positive() { price > limit } else { price < limit };
    if worse {
        return Err(Reject::AuctionPriceBeyondLimit { price, limit });
    }
    let part = size.min(state.needed_at(account, position, price)).with_sign_of(held);
    let value = state.market(market).contract().value(price, part, Round::TowardZero).ok_or(over)?;
    let plan = Plan { price, part, value };
    check_bidder(state, bid, row, &plan)?;
    Ok(plan)
}

/// A bid is an order that fills now: what may open needs an open market.
fn check_status(state: &State, bid: &Bid) -> Result<(), Reject> {
    let status = state.market(bid.market).status;
    let side = Side::of(state.account(bid.account).position(bid.market.leg(bid.leg)));
    let into = bid.market.leg(state.account(bid.bidder).leg_of(side));
    let closes = closable(state.account(bid.bidder).position(into), side) >= bid.size;
    match status {
        MarketStatus::Open => Ok(()),
        MarketStatus::ReduceOnly if closes => Ok(()),
        _ => Err(Reject::MarketStatusForbids { status }),
    }
}

/// What an order of this size would have to satisfy: room, the largest position, limits, initial margin after the trade. No
/// open interest arises, so its caps are not asked.
fn check_bidder(state: &State, bid: &Bid, row: &Account, plan: &Plan) -> Result<(), Reject> {
    let Plan { part, value, .. } = *plan;
    let market = state.market(bid.market);
    let side = Side::of(part);
    let into = state.receiving(bid.bidder, bid.market, part);
    let held = row.exposure(into);
    if held.is_none() {
        State::room(row.exposures.len(), limits::EXPOSURES_MAX)?;
    }
    let change = Change { position: into, trade: Some((part, value, Money::ZERO)), ..Change::default() };
    let before = held.map_or(Size::ZERO, |e| e.size);
    let closed = closable(before, side).min(part.abs());
    let opens = part.abs() - closed;
    if opens.is_zero() {
        let equity = state.evaluate(bid.bidder, Basis::Lenient, Need::Equity, Some(&change)).equity;
        return if equity.is_negative() { Err(Reject::WouldBankrupt { equity }) } else { Ok(()) };
    }
    let resting = held.map_or(Size::ZERO, |e| if side == Side::Buy { e.buys.size } else { e.sells.size });
    let total = before.checked_add(part).and_then(|after| after.checked_add(side.signed(resting)));
    let notional = total.and_then(|total| market.contract().notional(market.mark, total)).unwrap_or(Money::MAX);
    market.check_position(total.unwrap_or(Size::ZERO), notional, state.ladder_interest(market))?;
    let more = Addition { market: bid.market, side, size: opens, replaced: Size::ZERO, closed };
    state.check_exposure_limits(bid.bidder, &more)?;
    let terms = state.evaluate(bid.bidder, Basis::Worse, Need::Initial, Some(&change));
    if terms.equity < terms.initial {
        return Err(Reject::InsufficientMargin { equity: terms.equity, needed: terms.initial });
    }
    Ok(())
}

/// Both sides book one number. The last price of the market stays: nobody met in its book.
fn run(out: &mut Output<'_>, bid: &Bid, plan: &Plan) {
    let Bid { bidder, account, market, leg, .. } = *bid;
    let Plan { price, part, value } = *plan;
    let position = market.leg(leg);
    let headroom_before = out.state().lenient(account).headroom();
    out.emit(Event::AuctionFilled { account, bidder, market, size: part, price, value, leg });
    let into = out.state().receiving(bidder, market, part);
    fill::change(out, bidder, into, &fill::Part::plain(part, value, Cause::Trade));
    fill::change(out, account, position, &fill::Part::plain(-part, -value, Cause::Liquidation));
    reduce::take_fee(out, account, market, part);
    tell(out, account, position, Stage::Reduce, -part, headroom_before);
    if !out.state().still_below(account) {
        stop(out, account, AuctionEnd::Restored);
    } else if out.state().take_over_now(&out.state().lenient(account)) {
        stop(out, account, AuctionEnd::TakeOver);
    }
}
