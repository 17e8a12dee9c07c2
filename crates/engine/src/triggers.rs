//! Waiting orders: when the price they follow reaches them they are placed, or cancelled with the reason of the refusal.

use crate::orders::Place;
use crate::output::Output;
use crate::{
    AccountKind, CancelReason, Event, MarketId, MarketStatus, OrderId, PlaceOrder, State, Trigger, TriggerBy,
    TriggerWhen, deadlines, limits, place, trails,
};
use rules::band;
use units::{Price, Rate};

/// Looks at the markets whose prices moved, again while triggered orders move the last price, within the limit; what is
/// left is looked at within a second.
pub(crate) fn fire(out: &mut Output<'_>) {
    let mut left = limits::TRIGGERS_PER_COMMAND;
    while let Some(market) = out.next_touched_market() {
        while let Some(order) = reached(out.state(), market).filter(|_| left > 0) {
            left -= 1;
            place_triggered(out, order);
        }
    }
}

/// The oldest level that is reached, of any ladder of a market.
fn reached(state: &State, market: MarketId) -> Option<OrderId> {
    let book = &state.market(market).book;
    // While the market takes no such orders they wait; they are looked at when it does again.
    if !matches!(state.market(market).status, MarketStatus::Open | MarketStatus::ReduceOnly) {
        return None;
    }
    for ((by, when), ladder) in &book.triggers {
        let Some(price) = state.believed_price(market, *by) else { continue };
        let next = match when {
            TriggerWhen::AtOrAbove => ladder.first(),
            TriggerWhen::AtOrBelow => ladder.last(),
        };
        if let Some((_, order)) = next.filter(|(level, _)| when.reached(price, *level)) {
            return Some(*order);
        }
    }
    None
}

/// A price of a market moved, or what may be believed of it: trailing orders follow, and triggers are looked at before the
/// command ends.
pub(crate) fn touch(out: &mut Output<'_>, market: MarketId) {
    trails::follow(out, market);
    out.touch_market(market);
}

fn place_triggered(out: &mut Output<'_>, id: OrderId) {
    let state = out.state();
    let Some(order) = state.order(id).copied() else { return };
    let Place::Parked { trigger, force } = order.place else { return };
    if state.expired(&order) {
        out.emit(Event::OrderCancelled { order: id, remaining: order.remaining, reason: CancelReason::Expired });
        return;
    }
    let account = match state.account(order.account).kind {
        AccountKind::Isolated { parent, .. } => parent,
        AccountKind::Trading | AccountKind::Fund => order.account,
    };
    // A trailing order that was only activated waits again, now for the price to turn.
    let active = Some(Trigger { price: Price::ZERO, ..trigger }).filter(|t| *t != trigger && t.follows().is_some());
    let again = PlaceOrder {
        account,
        market: order.market,
        side: order.side,
        size: order.remaining,
        price: Some(order.price).filter(|p| p.is_positive()),
        force,
        reduce: order.reduce,
        client_id: order.client_id,
        trigger: active,
        leg: order.leg,
        expires: state.expiry(&order).filter(|_| active.is_some() || deadlines::rests(force)),
        self_trade: order.self_trade,
    };
    match place::check(state, &again, Some(&order)) {
        Ok(plan) => {
            let price = state.trigger_price(order.market, trigger.by);
            out.emit(Event::OrderTriggered { order: id, price });
            place::run(out, &plan);
        }
        Err(reject) => {
            let reason = CancelReason::RefusedAtTrigger { code: reject.code() };
            out.emit(Event::OrderCancelled { order: id, remaining: order.remaining, reason });
        }
    }
}

impl State {
    /// The price that a trigger follows, where it may trigger anything: a mark or an index has a quorum.
    pub(crate) fn believed_price(&self, market: MarketId, by: TriggerBy) -> Option<Price> {
        let usable = self.price_for_increase(market).is_ok();
        let believed = if by == TriggerBy::Last { self.last_is_believed(market, usable) } else { usable };
        Some(self.trigger_price(market, by)).filter(|price| believed && price.is_positive())
    }

    /// Whether the last price may trigger anything: it is near the mark, where the market asks for that.
    fn last_is_believed(&self, market: MarketId, usable: bool) -> bool {
        let row = self.market(market);
        let near = row.params.guards.trigger_protect;
        near == Rate::ZERO || (usable && band(row.last, row.mark, near) == row.last)
    }
}
