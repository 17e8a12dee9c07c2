//! Close-position orders: no size while they wait; then a reduce-only order of all that there is to close, or the end.

use super::Referee;
use super::isolated::closable;
use super::mismatch::{Verdict, holds, same};
use super::model::Order;
use engine::{CancelReason, OrderId, Reject};
use units::Size;

impl Referee {
    /// What is there of the position that an order could close, at this moment.
    fn to_close(&self, order: &Order) -> i128 {
        closable(self.model.exposure(order.account, order.position()).size, order)
    }

    /// An order is taken in: one that closes waits without a size, and the one that comes of it has all of the position.
    pub(super) fn close_taken(&self, order: &Order, old: Option<Order>, waits: bool) -> Verdict {
        let lot = self.model.market(order.market).params.lot;
        let (size, closes) = (order.remaining, order.closes);
        holds("lot", size % lot == 0 && (size > 0) != closes, || format!("size {size} of an order in lots"))?;
        holds("close", waits || !closes, || "a close-position order waits".into())?;
        let Some(old) = old.filter(|old| old.closes) else { return Ok(()) };
        let same_order = (old.account, old.position(), old.side) == (order.account, order.position(), order.side);
        holds("close", same_order && order.reduce_only, || format!("{order:?} closes what {old:?} was for"))?;
        if waits { Ok(()) } else { same("close", || "size of what closes".into(), self.to_close(order), size) }
    }

    /// An order that closes ends at its trigger with nothing to reduce only where there is nothing.
    pub(super) fn close_ends(&self, id: OrderId, reason: CancelReason) -> Verdict {
        let order = self.open(id)?;
        let code = Reject::NothingToReduce { position: Size::ZERO }.code();
        if !order.closes || reason != (CancelReason::RefusedAtTrigger { code }) {
            return Ok(());
        }
        self.trigger_reached(&order)?;
        same("close", || format!("what {id:?} had to close"), 0, self.to_close(&order))
    }
}
