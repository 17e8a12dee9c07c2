//! What ends by the clock: orders that expire, and the countdowns after which all orders of an account are cancelled.
//! Knows no price.

use crate::orders::Order;
use crate::output::Output;
use crate::{AccountId, Answer, CancelReason, Event, OrderId, PlaceOrder, Reject, State, TimeInForce, limits};
use alloc::collections::{BTreeMap, BTreeSet};
use serde::{Deserialize, Serialize};
use units::Time;

/// Everything that ends by the clock. Orders and accounts without a deadline have no row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Deadlines {
    orders: BTreeMap<OrderId, Time>,
    countdowns: BTreeMap<AccountId, Time>,
    queue: BTreeSet<(Time, Deadline)>,
}

/// What ends. At one moment orders end first, the oldest slot first, then countdowns by account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deadline {
    Order(OrderId),
    Countdown(AccountId),
}

impl Deadlines {
    /// When an order expires.
    #[must_use]
    pub fn of_order(&self, order: OrderId) -> Option<Time> {
        self.orders.get(&order).copied()
    }

    /// When all orders of an account are cancelled.
    #[must_use]
    pub fn of_account(&self, account: AccountId) -> Option<Time> {
        self.countdowns.get(&account).copied()
    }

    /// The earliest of all.
    #[must_use]
    pub fn first(&self) -> Option<Time> {
        self.queue.first().map(|(time, _)| *time)
    }

    pub(crate) fn set_order(&mut self, order: OrderId, expires: Option<Time>) {
        let old = replace(&mut self.orders, order, expires);
        self.requeue(Deadline::Order(order), old, expires);
    }

    pub(crate) fn set_account(&mut self, account: AccountId, until: Option<Time>) {
        let old = replace(&mut self.countdowns, account, until);
        self.requeue(Deadline::Countdown(account), old, until);
    }

    fn requeue(&mut self, what: Deadline, old: Option<Time>, new: Option<Time>) {
        if let Some(old) = old {
            self.queue.remove(&(old, what));
        }
        self.queue.extend(new.map(|new| (new, what)));
    }

    /// What ends next, when its time has come.
    fn due(&self, now: Time) -> Option<Deadline> {
        self.queue.first().filter(|(time, _)| *time <= now).map(|(_, what)| *what)
    }
}

/// Sets or takes away a row; what was there.
fn replace<K: Ord>(rows: &mut BTreeMap<K, Time>, key: K, time: Option<Time>) -> Option<Time> {
    match time {
        Some(time) => rows.insert(key, time),
        None => rows.remove(&key),
    }
}

/// Ends what is due, earliest first, until the limit of one command is reached; the next command continues. The orders
/// of one account end together.
pub(crate) fn end(out: &mut Output<'_>) {
    let mut left = limits::DEADLINES_PER_COMMAND;
    while let Some(what) = out.state().deadlines.due(out.state().now).filter(|_| left > 0) {
        let ended = match what {
            Deadline::Order(order) => expire(out, order),
            Deadline::Countdown(account) => run_out(out, account),
        };
        left = left.saturating_sub(ended);
    }
}

/// An order that has expired goes, whatever the status of its market: it must never fill again.
fn expire(out: &mut Output<'_>, order: OrderId) -> usize {
    if let Some(remaining) = out.state().order(order).map(|o| o.remaining) {
        out.emit(Event::OrderCancelled { order, remaining, reason: CancelReason::Expired });
    }
    1
}

fn run_out(out: &mut Output<'_>, account: AccountId) -> usize {
    let orders = out.state().orders_with_children(account);
    for order in &orders {
        let reason = CancelReason::CountdownRanOut;
        out.emit(Event::OrderCancelled { order: order.id, remaining: order.remaining, reason });
    }
    out.emit(Event::CountdownSet { account, until: None });
    orders.len() + 1
}

/// Arms or renews the countdown of an account; zero disarms it.
pub(crate) fn cancel_all_after(out: &mut Output<'_>, account: AccountId, timeout_ns: i64) -> Result<Answer, Reject> {
    let state = out.state();
    state.find_trading(account)?;
    if !(0..=limits::COUNTDOWN_NS_MAX).contains(&timeout_ns) {
        let (asked, most) = (timeout_ns, limits::COUNTDOWN_NS_MAX);
        return Err(Reject::CountdownOutOfRange { asked, most });
    }
    let until = if timeout_ns == 0 { None } else { Some(state.now.plus_ns(timeout_ns)) };
    if until == state.deadlines.of_account(account) {
        return Err(Reject::AlreadySo);
    }
    out.emit(Event::CountdownSet { account, until });
    Ok(Answer::Done)
}

/// An expiry is in the future, and of an order that can still be there then.
pub(crate) fn check_expiry(state: &State, order: &PlaceOrder) -> Result<(), Reject> {
    let Some(expires) = order.expires else { return Ok(()) };
    if order.trigger.is_none() && !rests(order.force) {
        return Err(Reject::ExpiryWithoutRest);
    }
    if expires <= state.now {
        return Err(Reject::ExpiryNotInFuture { asked: expires, now: state.now });
    }
    Ok(())
}

/// Whether what does not fill at once stays.
pub(crate) fn rests(force: TimeInForce) -> bool {
    matches!(force, TimeInForce::Gtc | TimeInForce::PostOnly)
}

impl State {
    /// When an order expires. Costs nothing for those that never do.
    #[must_use]
    pub fn expiry(&self, order: &Order) -> Option<Time> {
        if order.expires { self.deadlines.of_order(order.id) } else { None }
    }

    /// Whether an order's time is over; it goes when its turn comes, and does not fill before.
    pub(crate) fn expired(&self, order: &Order) -> bool {
        self.expiry(order).is_some_and(|time| time <= self.now)
    }
}
