//! Statuses of subaccounts, and how many an owner may open: by looking at all of them.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use super::model::{Kind, Place};
use engine::{AccountId, AccountStatus, Command, Event, Side};

impl Referee {
    pub(super) fn standing(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match (event, turn.command) {
            (
                Event::AccountStatusSet { account, status, reason },
                Command::SetAccountStatus { account: a, status: s, reason: r },
            ) => {
                same("facts", || "status of an account".into(), (*a, *s, *r), (*account, *status, *reason))?;
                for id in self.family_of(*account) {
                    self.model.account_mut(id).status = *status;
                    self.touch(id);
                }
                Ok(())
            }
            (Event::SubaccountLimitSet { owner, limit }, Command::SetSubaccountLimit { owner: o, limit: l }) => {
                same("facts", || "subaccounts of an owner".into(), (*o, *l), (*owner, *limit))?;
                match limit {
                    Some(limit) => self.model.subaccount_limits.insert(owner.0, *limit),
                    None => self.model.subaccount_limits.remove(&owner.0),
                };
                Ok(())
            }
            _ => holds("facts", false, || format!("{event:?} was asked for")),
        }
    }

    fn family_of(&self, id: AccountId) -> Vec<AccountId> {
        (0..self.model.accounts.len()).map(AccountId::at).filter(|other| self.model.parent(*other) == id).collect()
    }

    /// After an account was opened: the owner has no more than allowed.
    pub(super) fn subaccounts_within(&self, owner: u32, kind: Kind) -> Verdict {
        let venue = Some(self.model.risk.subaccounts).filter(|most| *most > 0);
        let Some(most) = self.model.subaccount_limits.get(&owner).copied().or(venue) else { return Ok(()) };
        let open = self.model.accounts.iter().filter(|a| a.owner == owner && a.kind == Kind::Trading).count();
        let good = kind == Kind::Fund || open <= usize::try_from(most).unwrap_or(0);
        holds("subaccounts", good, || format!("{open} subaccounts of owner {owner} within {most}"))
    }

    pub(super) fn not_frozen(&self, id: AccountId) -> Verdict {
        let status = self.model.account(id).status;
        holds("status", status != AccountStatus::Frozen, || format!("account {id} is not frozen"))
    }

    pub(super) fn active(&self, id: AccountId) -> Verdict {
        let status = self.model.account(id).status;
        holds("status", status == AccountStatus::Active, || format!("account {id} is active"))
    }

    /// After a status was set: frozen, no order is left; reduce-only, what rests on a side only closes.
    pub(super) fn orders_allowed(&self, turn: &Turn<'_>) -> Verdict {
        let (Command::SetAccountStatus { account, status, .. }, Ok(_)) = (turn.command, turn.answer) else {
            return Ok(());
        };
        if *status == AccountStatus::Active {
            return Ok(());
        }
        for id in self.family_of(*account) {
            for (position, orders) in &self.model.account(id).orders {
                let size = self.model.exposure(id, *position).size;
                let open: Vec<_> = orders.iter().filter_map(|o| self.model.orders.get(o)).collect();
                holds("status", *status != AccountStatus::Frozen || open.is_empty(), || {
                    format!("frozen account {id} has no orders")
                })?;
                for (side, closes) in [(Side::Buy, (-size).max(0)), (Side::Sell, size.max(0))] {
                    let resting = open.iter().filter(|o| o.side == side && o.place == Place::Resting && !o.reduce_only);
                    let sum: i128 = resting.map(|o| o.remaining).sum();
                    holds("status", sum <= closes, || format!("orders of {id} {sum} close {closes} at most"))?;
                }
            }
        }
        Ok(())
    }
}
