//! A fund that stands behind another: it pays what that one cannot, up to a limit per window. One step only: a reserve has no reserve,
//! and no fund pays for its reserve.

use crate::output::Output;
use crate::params::Reserve;
use crate::{AccountId, AccountKind, Answer, AssetId, Event, MoveReason, ParamName, Reject, State, bounds};
use serde::{Deserialize, Serialize};
use units::{Money, Time};

/// The reserve of a fund, and what it has paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// Which fund, and how much.
    pub params: Reserve,
    /// When the running window began.
    pub since: Time,
    /// Paid since then, numeraire.
    pub used: Money,
}

impl Reserved {
    /// The window that a payment now belongs to, and what was paid in it before.
    fn window(&self, now: Time) -> (Time, Money) {
        let runs = now < self.since.plus_ns(self.params.window_ns);
        if runs { (self.since, self.used) } else { (now, Money::ZERO) }
    }
}

pub(crate) fn set(out: &mut Output<'_>, fund: AccountId, reserve: Option<&Reserve>) -> Result<Answer, Reject> {
    let state = out.state();
    for account in core::iter::once(fund).chain(reserve.map(|r| r.fund)) {
        if state.find_account(account)?.kind != AccountKind::Fund {
            return Err(Reject::NotAFund { account });
        }
    }
    match reserve {
        None if !state.reserves.contains_key(&fund) => return Err(Reject::AlreadySo),
        None => {}
        Some(asked) => {
            if asked.fund == fund {
                return Err(Reject::SameAccount);
            }
            if state.reserves.contains_key(&asked.fund) {
                return Err(Reject::ReserveChain { account: asked.fund });
            }
            if state.reserves.values().any(|row| row.params.fund == fund) {
                return Err(Reject::ReserveChain { account: fund });
            }
            if !bounds::reserve(asked) {
                return Err(Reject::ParamOutOfRange { name: ParamName::Reserve });
            }
        }
    }
    out.emit(Event::ReserveSet { fund, reserve: reserve.copied() });
    Ok(Answer::Done)
}

/// A fund's payment of `amount` to an account: as far as it can, and for the rest its reserve. What was paid.
pub(crate) fn pay(
    out: &mut Output<'_>,
    fund: AccountId,
    to: AccountId,
    asset: AssetId,
    amount: Money,
    reason: MoveReason,
) -> Money {
    let own = amount.min(out.state().fund_can_pay(fund, asset)).max(Money::ZERO);
    // What comes from the reserve goes on at once, so that the fund's own margin is where its own payment leaves it.
    let amount = own + draw(out, fund, to, asset, amount - own);
    if amount.is_positive() {
        out.touch_account(fund);
        out.emit(Event::Moved { from: fund, to, asset, amount, reason });
    }
    amount
}

/// Moves what a fund is short of from its reserve; what was moved.
fn draw(out: &mut Output<'_>, fund: AccountId, account: AccountId, asset: AssetId, short: Money) -> Money {
    let state = out.state();
    let Some(row) = state.reserves.get(&fund) else { return Money::ZERO };
    let reserve = row.params.fund;
    let (since, used) = row.window(state.now);
    let left = state.credit_of(asset, (row.params.limit - used).max(Money::ZERO));
    let amount = short.min(state.fund_can_pay(reserve, asset)).min(left);
    if !amount.is_positive() || reserve == account {
        return Money::ZERO;
    }
    let used = used + state.debt(asset, amount);
    out.touch_account(reserve);
    out.emit(Event::ReserveDrawn { fund, reserve, account, asset, amount, used, since });
    amount
}

/// What the two events do to the state.
pub(crate) fn apply(state: &mut State, event: &Event) {
    match *event {
        Event::ReserveSet { fund, reserve: Some(params) } => {
            let fresh = Reserved { params, since: Time::EPOCH, used: Money::ZERO };
            // What was paid in the running window counts against a new limit, too.
            state.reserves.entry(fund).or_insert(fresh).params = params;
        }
        Event::ReserveSet { fund, reserve: None } => {
            state.reserves.remove(&fund);
        }
        Event::ReserveDrawn { fund, used, since, .. } => {
            if let Some(row) = state.reserves.get_mut(&fund) {
                (row.used, row.since) = (used, since);
            }
        }
        _ => crate::fault::fault("not an event about reserves"),
    }
}
