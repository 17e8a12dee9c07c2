//! Debts: the interest posted by the clock, what each debtor paid of it, and who must repay.

use super::Referee;
use super::fills::money;
use super::mismatch::{Verdict, holds, same};
use super::model::{Kind, Model};
use super::num::{Dir, RATE, mul_div};
use engine::params::BorrowTerms;
use engine::{AccountId, AssetId, Event};

impl Model {
    /// What a debt gathered since it last paid.
    pub fn interest_due(&self, id: AccountId, asset: AssetId) -> i128 {
        let row = &self.assets[asset.index()];
        let (Some(now), Some(paid)) = (row.interest, row.debtors.get(&id)) else { return 0 };
        let bears = -self.wallet(id, asset) - row.borrow.free.units();
        if bears <= 0 { 0 } else { mul_div(bears, now - paid, RATE, Dir::Up) }
    }

    /// Before a debt changes it pays its interest.
    pub fn take_interest(&mut self, id: AccountId, asset: AssetId) -> i128 {
        let due = self.interest_due(id, asset);
        if due > 0 {
            *self.account_mut(id).wallets.entry(asset).or_insert(0) -= due;
            self.asset(asset).fees += due;
            self.interest_taken.push(Event::InterestCharged { account: id, asset, amount: money(due) });
        }
        self.paid(asset, Some(id));
        due
    }

    /// A debtor, or every one, owes no interest for the time before now.
    fn paid(&mut self, asset: AssetId, only: Option<AccountId>) {
        let row = self.asset(asset);
        let now = row.interest.unwrap_or(0);
        row.debtors.iter_mut().filter(|(id, _)| only.is_none_or(|only| only == **id)).for_each(|(_, paid)| *paid = now);
    }

    /// Trading subaccounts below zero are debtors of an asset that has terms.
    pub fn book_debt(&mut self, id: AccountId, asset: AssetId) {
        let owes = self.wallet(id, asset) < 0 && self.account(id).kind == Kind::Trading;
        let row = self.asset(asset);
        match row.interest {
            Some(now) if owes => {
                row.debtors.entry(id).or_insert(now);
            }
            _ => {
                row.debtors.remove(&id);
            }
        }
    }
}

impl Referee {
    /// An asset has these terms from now on; whoever owed it has paid up to now.
    pub(super) fn borrow_terms(&mut self, asset: AssetId, terms: BorrowTerms) -> Verdict {
        let changed = self.model.assets[asset.index()].borrow != terms;
        let owing: Vec<AccountId> = self.model.assets[asset.index()].debtors.keys().copied().collect();
        for id in owing {
            holds("interest", !changed || self.model.interest_due(id, asset) == 0, || {
                format!("account {id} has paid its interest on asset {asset} before the terms change")
            })?;
        }
        self.model.paid(asset, None);
        let now = self.model.now;
        let row = self.model.asset(asset);
        row.borrow = terms;
        if terms.interval_ns > 0 {
            row.interest_next = (now.div_euclid(terms.interval_ns) + 1) * terms.interval_ns;
            if row.interest.is_none() {
                row.interest = Some(0);
                (0..self.model.accounts.len()).for_each(|at| self.model.book_debt(AccountId::at(at), asset));
            }
        }
        Ok(())
    }

    /// Posted once when its time has come, for every interval since.
    pub(super) fn interest_posted(&mut self, event: &Event) -> Verdict {
        let &Event::InterestPosted { asset, rate, cumulative, next } = event else { return Ok(()) };
        let now = self.model.now;
        let row = self.model.asset(asset);
        let every = row.borrow.interval_ns;
        holds("interest", every > 0 && now >= row.interest_next, || format!("interest of asset {asset} is due"))?;
        let intervals = i128::from((now - row.interest_next).div_euclid(every) + 1);
        let ours = (
            i128::from(row.borrow.rate.units()),
            row.interest.unwrap_or(0) + intervals * i128::from(row.borrow.rate.units()),
            i128::from(row.interest_next) + intervals * i128::from(every),
        );
        let theirs = (i128::from(rate.units()), cumulative, i128::from(next.ns()));
        same("interest", || format!("rate, sum and next posting of asset {asset}"), ours, theirs)?;
        (row.interest, row.interest_next) = (Some(cumulative), next.ns());
        let owing: Vec<AccountId> = row.debtors.keys().copied().collect();
        owing.into_iter().for_each(|id| self.touch(id));
        self.posted.insert(asset);
        Ok(())
    }

    /// Taken because a wallet changed, or about to change.
    pub(super) fn interest_charged(&mut self, event: &Event) -> Verdict {
        let &Event::InterestCharged { account, asset, amount } = event else { return Ok(()) };
        if !self.expected.contains(event) {
            let ours = self.model.take_interest(account, asset);
            self.touch(account);
            same("interest", || format!("interest of account {account} on asset {asset}"), ours, amount.units())?;
            self.expected.append(&mut self.model.interest_taken);
        }
        self.derived(event)
    }

    /// No posting is late, and nobody owes more than the allowance after one who could repay.
    pub(super) fn interest_kept(&self) -> Verdict {
        for (at, row) in self.model.assets.iter().enumerate() {
            let asset = AssetId::at(at);
            // The clock is looked at once a second.
            let late = row.borrow.interval_ns > 0 && self.model.now - row.interest_next >= 1_000_000_000;
            holds("interest", !late, || format!("interest of asset {asset} is posted in time"))?;
        }
        Ok(())
    }

    /// A conversion outside the ladder: its debt is above the allowance, and its interest was posted in this command.
    pub(super) fn repays(&self, account: AccountId, bought: AssetId) -> bool {
        let owed = self.model.interest_due(account, bought) - self.model.wallet(account, bought);
        let allowance = self.model.assets[bought.index()].borrow.allowance;
        self.posted.contains(&bought)
            && (self.repaying == Some((account, bought)) || allowance.is_some_and(|a| owed > a.units()))
    }
}
