//! What a subaccount may do: its status, set by the operator, and how many of them an owner may open. Knows nothing of
//! margin: the ladder, funding and deleveraging do not ask here.

use crate::orders::{Order, Place};
use crate::output::Output;
use crate::place::closable;
use crate::state::Account;
use crate::{
    AccountId, AccountReason, AccountStatus, Answer, CancelReason, Event, OrderId, OwnerId, Reduce, Reject, State,
    limits,
};
use alloc::vec::Vec;
use units::Size;

/// Sets the status of a trading subaccount; its isolated children follow. Frozen cancels every order of it; reduce-only those
/// that rest and would open or increase, oldest orders closing first. What is left then is asked again when it fills.
pub(crate) fn set_account_status(
    out: &mut Output<'_>,
    account: AccountId,
    status: AccountStatus,
    reason: AccountReason,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    if (row.status, row.reason) == (status, reason) {
        return Err(Reject::AlreadySo);
    }
    out.emit(Event::AccountStatusSet { account, status, reason });
    for order in out.state().forbidden_orders(account, status) {
        let remaining = out.state().order(order).map_or(Size::ZERO, |o| o.remaining);
        out.emit(Event::OrderCancelled { order, remaining, reason: CancelReason::AccountStatus });
    }
    Ok(Answer::Done)
}

/// Sets how many trading subaccounts an owner may open; fewer than there are only forbids the next.
pub(crate) fn set_subaccount_limit(out: &mut Output<'_>, owner: OwnerId, limit: Option<u32>) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.subaccounts.get(&owner);
    if row.and_then(|row| row.limit) == limit {
        return Err(Reject::AlreadySo);
    }
    if row.is_none() {
        State::room(state.subaccounts.len(), limits::ACCOUNTS_MAX)?;
    }
    out.emit(Event::SubaccountLimitSet { owner, limit });
    Ok(Answer::Done)
}

impl State {
    /// Whether an owner may open one subaccount more.
    pub(crate) fn check_subaccounts(&self, owner: OwnerId) -> Result<(), Reject> {
        let row = self.subaccounts.get(&owner).copied().unwrap_or_default();
        let venue = Some(self.risk.subaccounts).filter(|most| *most > 0);
        match row.limit.or(venue) {
            Some(limit) if row.open >= limit => Err(Reject::SubaccountLimit { owner, open: row.open, limit }),
            _ => Ok(()),
        }
    }

    /// Orders that a subaccount and its children may not have under a status, oldest first.
    fn forbidden_orders(&self, account: AccountId, status: AccountStatus) -> Vec<OrderId> {
        let orders = self.orders_with_children(account);
        let mut room: Vec<(&Order, Size)> = Vec::new();
        let mut forbidden = Vec::new();
        for order in &orders {
            let may = match status {
                AccountStatus::Active => true,
                AccountStatus::Frozen => false,
                AccountStatus::ReduceOnly => {
                    order.reduce == Reduce::Only || order.place != Place::Resting || self.only_closes(order, &mut room)
                }
            };
            if !may {
                forbidden.push(order.id);
            }
        }
        forbidden
    }

    /// Whether a resting order closes with all it has, after the older ones of its position and side in `before`, which it joins.
    fn only_closes<'a>(&self, order: &'a Order, before: &mut Vec<(&'a Order, Size)>) -> bool {
        let same = |o: &Order| (o.account, o.position(), o.side) == (order.account, order.position(), order.side);
        let used: i64 = before.iter().filter(|(o, _)| same(o)).map(|(_, size)| size.units()).sum();
        let closable = closable(self.account(order.account).position(order.position()), order.side);
        let fits = order.remaining.units() <= closable.units() - used;
        if fits {
            before.push((order, order.remaining));
        }
        fits
    }
}

impl Account {
    /// For what a frozen account may not do.
    pub(crate) fn check_not_frozen(&self) -> Result<(), Reject> {
        if self.status == AccountStatus::Frozen { Err(self.status_forbids()) } else { Ok(()) }
    }

    /// For what only an active account may do.
    pub(crate) fn check_active(&self) -> Result<(), Reject> {
        if self.status == AccountStatus::Active { Ok(()) } else { Err(self.status_forbids()) }
    }

    fn status_forbids(&self) -> Reject {
        Reject::AccountStatusForbids { status: self.status, reason: self.reason }
    }
}
