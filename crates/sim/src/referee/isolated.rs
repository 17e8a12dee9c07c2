//! Isolated positions: what their orders set aside in the parent, what a fill moves to the child, what a reduction returns.

use super::Referee;
use super::facts::Turn;
use super::fills::money;
use super::margin::{Lens, loss_of};
use super::mismatch::{Mismatch, Verdict, holds, same};
use super::model::{Kind, Order};
use super::num::{Dir, PRICE, RATE, at_rate, mul_div};
use super::value::{self, After};
use engine::{AccountId, AssetId, Command, Event, MarketId, MoveReason, OrderId};

/// Contracts of a position that an order closes before it opens.
pub fn closable(position: i128, order: &Order) -> i128 {
    if position * order.sign() < 0 { position.abs() } else { 0 }
}

impl Referee {
    /// What an order must have set aside: nothing but for an isolated position, and there for the part that opens.
    pub(super) fn reservation(&self, id: OrderId, order: &Order, first: i128, parked: bool) -> Verdict {
        let ours = match self.model.account(order.account).kind {
            Kind::Child { parent, .. } if !parked => self.set_aside(parent, order, first),
            _ => 0,
        };
        same("I-09", || format!("set aside for order {id:?}"), ours, order.reserved)
    }

    fn set_aside(&self, parent: AccountId, order: &Order, first: i128) -> i128 {
        let market = self.model.market(order.market);
        let opens = if order.reduce_only { 0 } else { (order.remaining - first).max(0) };
        if opens == 0 {
            return 0;
        }
        let leverage = self.model.exposure(parent, order.position()).leverage;
        let (p, signed) = (&market.params, opens * order.sign());
        let interest = self.interest_worth(order.market, Lens::Mark);
        let margin_at = |price: i128| value::initial(p, price, signed, leverage, interest);
        let margin = margin_at(order.price).max(margin_at(market.mark));
        let loss = loss_of(market, order, opens, market.mark);
        let rate = self.rate_kept(parent, order.market);
        let fee = at_rate(value::notional(p, order.price, signed), rate, Dir::Up);
        // Eight units for each lot of an inverse contract, and eight more: what rounding of its fills can take.
        let rounding = if p.face.is_some() { 8 * (opens / p.lot + 1) } else { 0 };
        let there = if order.account == parent { 0 } else { self.model.wallet(order.account, p.settlement) };
        self.held_in(p.settlement, there, margin) + loss + fee + rounding
    }

    /// How much of an asset must be held beside what is there for a margin in it, when it counts after its haircut: a debt is
    /// repaid in full, then each slice counts its share.
    fn held_in(&self, asset: AssetId, there: i128, margin: i128) -> i128 {
        if margin <= 0 {
            return 0;
        }
        let debt = (-there).max(0).min(margin);
        let (mut sum, mut missing) = (debt, margin - debt);
        for (from, to, share) in self.model.assets[asset.index()].shares() {
            let free = to - from.max(there).min(to);
            if missing <= 0 || free <= 0 {
                continue;
            }
            if share <= 0 {
                return units::Money::MAX.units();
            }
            let wanted = mul_div(missing, RATE, share, Dir::Up);
            if wanted <= free {
                return sum + wanted;
            }
            sum += free;
            missing -= at_rate(free, share, Dir::Down);
        }
        sum
    }

    /// A fill is about to open: the share of what was set aside goes to the child. Its size shows with the fill.
    pub(super) fn reservation_used(&mut self, event: &Event) -> Verdict {
        let &Event::ReservationUsed { order: id, parent, child, amount } = event else { return Ok(()) };
        let order = self.open(id)?;
        same(
            "isolated",
            || format!("holder of order {id:?}"),
            (order.account, self.model.parent(order.account)),
            (child, parent),
        )?;
        let settlement = self.model.market(order.market).params.settlement;
        self.shift(parent, child, settlement, amount.units());
        if let Some(o) = self.model.orders.get_mut(&id) {
            o.reserved -= amount.units();
        }
        self.used.insert(id, amount.units());
        Ok(())
    }

    /// The share of an order's reservation that a fill of `size` must have moved, before the fill.
    pub(super) fn share_used(&mut self, id: OrderId, size: i128) -> Result<i128, Mismatch> {
        let order = self.open(id)?;
        let used = self.used.remove(&id).unwrap_or(0);
        let reserved = order.reserved + used;
        let close = closable(self.model.exposure(order.account, order.position()).size, &order);
        let (now, all) = ((size - close).max(0), (order.remaining - close).max(0));
        let ours = if all == 0 { 0 } else { mul_div(reserved, now, all, Dir::Up).min(reserved) };
        same("isolated", || format!("reservation of {id:?} used by a fill of {size}"), ours, used)?;
        Ok(used)
    }

    /// After a fill: a reduction returns wallet × closed ÷ size and the result, a close all. Nothing from an account that
    /// the ladder works on.
    pub(super) fn isolated_return(
        &mut self,
        child: AccountId,
        market: MarketId,
        before: i128,
        (wallet, old): (i128, i128),
        after: &After,
        fee: i128,
    ) {
        let row = self.model.account(child);
        let Kind::Child { parent, .. } = row.kind else { return };
        if after.closed == 0 || row.liquidating.is_some() {
            return;
        }
        let asset = self.model.market(market).params.settlement;
        let there = self.model.wallet(child, asset);
        let returned = if after.size == 0 {
            there
        } else if after.size.signum() == before.signum() {
            mul_div(wallet, after.closed, before.abs(), Dir::Down) + after.realised - fee
        } else {
            // Through zero: what was the old position's returns; the new one keeps at least initial margin and any loss.
            let initial = self.figures(child, Lens::Worse).initial;
            let initial = mul_div(initial, PRICE, self.model.asset_price(asset).max(1), Dir::Up);
            let loss = there - self.amount_in(child, asset);
            (there - self.held_in(asset, 0, initial) - loss.max(0)).min(old + after.realised)
        };
        let amount = returned.min(there);
        if amount > 0 {
            self.shift(child, parent, asset, amount);
            let (amount, reason) = (money(amount), MoveReason::IsolatedReturn);
            self.expect(Event::Moved { from: child, to: parent, asset, amount, reason });
        }
    }

    /// Margin added or taken by command.
    pub(super) fn isolated_margin(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        let &Event::Moved { from, to, asset, amount, .. } = event else { return Ok(()) };
        let Command::AdjustIsolatedMargin { account, market, amount: asked, leg } = turn.command else {
            return holds("facts", false, || "margin moves by command".into());
        };
        let child = self.model.exposure(*account, market.leg(*leg)).child;
        let ends = if asked.is_positive() { (Some(from), Some(to)) } else { (Some(to), Some(from)) };
        same("isolated", || "parent and child".into(), (Some(*account), child), ends)?;
        same(
            "isolated",
            || "margin moved".into(),
            (asked.abs(), self.model.market(*market).params.settlement),
            (amount, asset),
        )?;
        self.shift(from, to, asset, amount.units());
        let kept = self.set_aside_in(from, asset);
        holds("isolated", self.model.wallet(from, asset) >= kept, || format!("wallet of giver {from} keeps {kept}"))?;
        self.above_initial(from)
    }
}
