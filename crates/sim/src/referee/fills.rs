//! Trades: what a fill does to two positions, wallets, the clearing account and the fee account.

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::model::{Order, Place};
use super::num::{Dir, RATE, at_rate, mul_div};
use super::value::{self, After};
use engine::{AccountId, Cause, Event, MarketId, OrderId, PositionId};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use units::{Money, Size};

/// Money from a count of 1e-16.
pub fn money(units: i128) -> Money {
    Money::from_units(units)
}

/// A size from a count of 1e-8; zero when it does not fit, which no comparison survives.
pub fn size(units: i128) -> Size {
    i64::try_from(units).ok().and_then(Size::new).unwrap_or(Size::ZERO)
}

impl Referee {
    pub(super) fn filled(&mut self, event: &Event) -> Verdict {
        let &Event::Filled { market, maker, taker, price, size, value } = event else { return Ok(()) };
        self.known_market(market)?;
        let (resting, arriving) = (self.open(maker)?, self.open(taker)?);
        let (delta, price) = (i128::from(size.units()), i128::from(price.units()));
        same("book", || format!("place of maker {maker:?}"), Place::Resting, resting.place)?;
        same("book", || format!("place of taker {taker:?}"), Place::Working, arriving.place)?;
        same("book", || "markets of both orders".into(), (market, market), (resting.market, arriving.market))?;
        same("book", || "price of the fill is the maker's".into(), resting.price, price)?;
        same(
            "book",
            || "sides of both orders".into(),
            (delta.signum(), -delta.signum()),
            (arriving.sign(), resting.sign()),
        )?;
        let within = (arriving.price - price) * arriving.sign() >= 0;
        holds("book", within, || format!("taker {taker:?} at {} accepts {price}", arriving.price))?;
        let fits = delta != 0 && delta.abs() <= resting.remaining && delta.abs() <= arriving.remaining;
        holds("book", fits, || format!("fill of {delta} fits {} and {}", resting.remaining, arriving.remaining))?;
        same(
            "book priority",
            || "who is first in line".into(),
            self.first_in_line(market, arriving.side),
            Some(maker),
        )?;
        let alive = resting.expires.is_none_or(|time| time > self.model.now);
        holds("expiry", alive, || format!("maker {maker:?} has not expired"))?;
        let (a, b) = (resting.account, arriving.account);
        holds("book", !self.related(a, b), || format!("{a} and {b} of a fill are not related"))?;
        let params = self.model.market(market).params.clone();
        let paid = value::value(&params, price, delta, Dir::Zero);
        same("value", || format!("value of {delta} at {price}"), paid, value.units())?;
        self.model.market_mut(market).last = price;
        self.own_trade(market, paid, delta);
        let interest = self.interest_if_capped(market);
        self.note_interest(market);
        let from_taker = self.share_used(taker, delta.abs())?;
        let from_maker = self.share_used(maker, delta.abs())?;
        self.shrink(taker, delta.abs());
        self.shrink(maker, delta.abs());
        let notional = value::notional(&params, price, delta);
        let forced = self.by_ladder(arriving.account);
        self.forced = forced;
        let taker_fee = if forced { 0 } else { at_rate(notional, self.rates(b, market).1, Dir::Up) };
        // The ladder's orders pay no taker fee, so there is none to pay a rebate from.
        let rate = self.rates(a, market).0;
        let maker_fee = at_rate(notional, if forced { rate.max(0) } else { rate }, Dir::Up);
        self.side(&arriving, delta, paid, (taker_fee, maker_fee.min(0), from_taker), forced)?;
        self.side(&resting, -delta, -paid, (maker_fee, 0, from_maker), false)?;
        self.interest_capped(market, interest)
    }

    /// One side of a fill, with its fee and what came from the parent for it.
    fn side(
        &mut self,
        order: &Order,
        delta: i128,
        paid: i128,
        (fee, rebate, reserved): (i128, i128, i128),
        forced: bool,
    ) -> Verdict {
        let (account, market, position) = (order.account, order.market, order.position());
        let before = self.model.exposure(account, position).size;
        let equity = self.figures(account, Lens::Lenient).equity;
        let cause = if forced { Cause::Liquidation } else { Cause::Trade };
        let (after, wallet) = self.reach(account, position, delta, paid, cause);
        let leg_sign = match order.leg {
            engine::Leg::Net => true,
            engine::Leg::Long => after.size >= 0,
            engine::Leg::Short => after.size <= 0,
        };
        holds("hedge", leg_sign, || format!("leg {:?} of {account} ends with {}", order.leg, after.size))?;
        let less = after.size.abs() < before.abs() && after.size.signum() * before.signum() >= 0;
        holds("I-08", less || !order.reduce_only, || format!("reduce-only takes {before} to {}", after.size))?;
        self.fee(account, market, fee, rebate);
        if !forced {
            self.not_frozen(account)?;
            if !less {
                self.active(account)?;
                // Who stands in the way of the ladder may open while only the volatility is not agreed on.
                let usable = self.is_priced(market) || (self.forced && self.usable(market));
                holds("I-25", usable, || format!("market {market} has a usable price when {account} opens"))?;
                if order.place != Place::Resting {
                    self.not_protected(account, market)?;
                }
                self.adds_risk.insert(account);
                let row = self.model.market(market);
                let notional = value::notional(&row.params, row.mark, after.size);
                holds("position cap", row.params.form.allows(after.size, notional, 0), || {
                    format!("position of {account} worth {notional}, cap {}", row.params.form.cap())
                })?;
                if order.place == Place::Resting {
                    self.within_limits(account, market, order.side, (0, 0))?;
                }
            }
            self.covered_by(account, equity, less, order.place == Place::Resting)?;
        }
        // What came from the parent for the part that opens was never the old position's.
        self.isolated_return(account, market, before, (wallet, wallet - reserved - fee), &after, fee);
        Ok(())
    }

    /// A trade outside the book, at a value given: one side of a take-over or of a deleveraging. It never flips (I-08).
    pub(super) fn handed(
        &mut self,
        account: AccountId,
        position: PositionId,
        delta: i128,
        paid: i128,
        cause: Cause,
    ) -> After {
        let before = self.model.exposure(account, position).size;
        let (after, wallet) = self.reach(account, position, delta, paid, cause);
        self.isolated_return(account, position.market, before, (wallet, wallet), &after, 0);
        after
    }

    /// Funding first, then the position; gives the wallet between the two.
    fn reach(
        &mut self,
        account: AccountId,
        position: PositionId,
        delta: i128,
        paid: i128,
        cause: Cause,
    ) -> (After, i128) {
        if let Some(paid) = self.settle_losses(account, position) {
            self.expect(paid);
        }
        if let Some(settled) = self.settle(account, position) {
            self.expect(settled);
        }
        let settlement = self.model.market(position.market).params.settlement;
        let wallet = self.model.wallet(account, settlement);
        (self.position(account, position, delta, paid, cause), wallet)
    }

    /// Takes `by` contracts off an order; one with nothing left ends.
    fn shrink(&mut self, id: OrderId, by: i128) {
        let Some(order) = self.model.orders.get_mut(&id) else { return };
        order.remaining -= by;
        let (account, left) = (order.account, order.remaining);
        self.touch(account);
        if left == 0 {
            self.end(id);
        }
    }

    /// A trade of `delta` contracts for `paid` reaches a position whose funding is settled.
    fn position(&mut self, account: AccountId, position: PositionId, delta: i128, paid: i128, cause: Cause) -> After {
        let PositionId { market, leg } = position;
        let settlement = self.model.market(market).params.settlement;
        let exposure = self.model.exposure_mut(account, position);
        let long = exposure.size > 0;
        let after = value::trade(exposure.size, exposure.cost, delta, paid);
        exposure.size = after.size;
        exposure.cost = after.cost;
        self.model.credit(account, settlement, after.realised);
        self.model.market_mut(market).clearing -= after.realised;
        self.note_result(account, (market, long), after.realised);
        self.touch(account);
        self.expect(Event::PositionChanged {
            account,
            market,
            size: size(after.size),
            cost: money(after.cost),
            realised: money(after.realised),
            leg,
            cause,
        });
        after
    }

    /// Brings a position up to the market's funding; says what the engine must report, if there is anything.
    pub(super) fn settle(&mut self, account: AccountId, position: PositionId) -> Option<Event> {
        let PositionId { market, leg } = position;
        let now = self.model.market(market).funding;
        let settlement = self.model.market(market).params.settlement;
        let exposure = self.model.exposure_mut(account, position);
        let moved = now - exposure.checkpoint;
        exposure.checkpoint = now;
        if moved == 0 || exposure.size == 0 {
            return None;
        }
        let owed = -exposure.size;
        let amount = mul_div(owed, moved, RATE, Dir::Down);
        let residue = BigInt::from(owed) * moved - BigInt::from(amount) * RATE;
        let residue = residue.to_i128().unwrap_or(-1);
        self.model.credit(account, settlement, amount);
        let market_row = self.model.market_mut(market);
        market_row.clearing -= amount;
        market_row.residue += residue;
        self.touch(account);
        Some(Event::FundingSettled { account, market, amount: money(amount), residue, leg })
    }

    /// Funding reached a wallet, on its own or before a trade.
    pub(super) fn funding_settled(&mut self, event: &Event, account: AccountId, position: PositionId) -> Verdict {
        if self.expected.contains(event) {
            return self.derived(event);
        }
        if let Some(settled) = self.settle(account, position) {
            self.expect(settled);
        }
        self.derived(event)
    }

    /// Whole units that rounding left in the clearing account go to the rounding account.
    pub(super) fn swept(&mut self, market: MarketId, amount: i128) -> Verdict {
        // The engine may sweep between the two sides of a trade, where the referee has settled both.
        let row = self.model.market_mut(market);
        let there = row.residue / RATE;
        holds("rounding", amount > 0 && amount <= there, || {
            format!("sweep of {amount} units from {there} in market {market}")
        })?;
        row.residue -= amount * RATE;
        row.clearing -= amount;
        let settlement = row.params.settlement;
        self.model.asset(settlement).rounding += amount;
        Ok(())
    }
}
