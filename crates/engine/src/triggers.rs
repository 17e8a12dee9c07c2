//! Waiting orders: when the price they follow reaches them they are placed, or cancelled with the reason of the refusal.

use crate::orders::Place;
use crate::output::Output;
use crate::{
    AccountKind, CancelReason, Event, MarketId, MarketStatus, OrderId, PlaceOrder, State, TriggerBy, TriggerWhen,
    deadlines, limits, place,
};
use rules::band;
use units::Rate;

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
    let usable = state.price_for_increase(market).is_ok();
    for ((by, when), ladder) in &book.triggers {
        // A mark or an index without quorum triggers nothing.
        if *by != TriggerBy::Last && !usable {
            continue;
        }
        let price = state.trigger_price(market, *by);
        if *by == TriggerBy::Last && !state.last_is_believed(market, usable) {
            continue;
        }
        let next = match when {
            TriggerWhen::AtOrAbove => ladder.first().filter(|(level, _)| *level <= price),
            TriggerWhen::AtOrBelow => ladder.last().filter(|(level, _)| *level >= price),
        };
        if let Some((_, order)) = next {
            return Some(*order);
        }
    }
    None
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
    let again = PlaceOrder {
        account,
        market: order.market,
        side: order.side,
        size: order.remaining,
        price: Some(order.price).filter(|p| p.is_positive()),
        force,
        reduce: order.reduce,
        client_id: order.client_id,
        trigger: None,
        leg: order.leg,
        expires: state.expiry(&order).filter(|_| deadlines::rests(force)),
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
    /// Whether the last price may trigger anything: it is near the mark, where the market asks for that.
    fn last_is_believed(&self, market: MarketId, usable: bool) -> bool {
        let row = self.market(market);
        let near = row.params.guards.trigger_protect;
        near == Rate::ZERO || (usable && band(row.last, row.mark, near) == row.last)
    }
}
