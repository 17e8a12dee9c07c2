//! Debts: interest on what a wallet is below zero, through one cumulative index an asset, and their repayment from other
//! collateral before they grow too large. Only debtors are known by name; nobody else is looked at.

use crate::output::Output;
use crate::{AccountId, AccountKind, AssetId, Event, State};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Money, Rate, Round, Time, limits, mul_div};

/// The interest of one asset, and who owes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Borrowing {
    /// Σ of the rates posted so far, 1e-9: what one unit of debt has cost since the asset first bore interest.
    pub cumulative: i128,
    /// The next posting.
    pub next: Time,
    /// Trading subaccounts whose wallet is below zero, with the cumulative rate up to which they were charged.
    pub debts: BTreeMap<AccountId, i128>,
}

/// Posts what is due, then lets those who owe more than their allowance repay. Several missed intervals are one posting of
/// all of them: a debt is owed for the time that it stood.
pub(crate) fn due(out: &mut Output<'_>) {
    if out.state().borrowing.is_empty() {
        return;
    }
    let assets: Vec<AssetId> = out.state().borrowing.keys().copied().collect();
    for asset in assets {
        let state = out.state();
        let terms = state.asset(asset).params.borrow;
        let Some(row) = state.borrowing.get(&asset) else { continue };
        let (now, at) = (state.now, row.next);
        if terms.interval_ns == 0 || now < at {
            continue;
        }
        let missed = now.since(at).checked_div(terms.interval_ns).unwrap_or(0);
        let next = at.plus_ns(terms.interval_ns.saturating_mul(missed + 1));
        let step = i128::from(terms.rate.units()) * i128::from(missed + 1);
        let cumulative = row.cumulative + step;
        out.emit(Event::InterestPosted { asset, rate: terms.rate, cumulative, next });
        repay(out, asset);
    }
}

/// Debtors above the allowance sell other collateral, in the order of their numbers.
fn repay(out: &mut Output<'_>, asset: AssetId) {
    let Some(allowance) = out.state().asset(asset).params.borrow.allowance else { return };
    for account in out.state().debtors(asset) {
        let state = out.state();
        let owed = state.interest_due(account, asset) - state.account(account).wallet(asset);
        // On the ladder its own steps sell what there is.
        if owed <= allowance || state.liquidating.contains(&account) {
            continue;
        }
        if let Some(fund) = state.fund_of(account) {
            for sold in (0..state.assets.len()).map(AssetId::at).filter(|sold| *sold != asset) {
                if let Some((sold_amount, bought_amount)) = out.state().conversion(account, fund, sold, asset) {
                    out.emit(Event::Converted { account, fund, sold, sold_amount, bought: asset, bought_amount });
                    out.touch_account(account);
                    out.touch_account(fund);
                }
            }
        }
    }
}

/// Takes the interest of a debt up to now, before the wallet changes for another reason.
pub(crate) fn charge(out: &mut Output<'_>, account: AccountId, asset: AssetId) {
    let amount = out.state().interest_due(account, asset);
    if amount.is_positive() {
        out.emit(Event::InterestCharged { account, asset, amount });
    }
}

/// Everyone who owes an asset pays up to now: its terms are about to change.
pub(crate) fn charge_all(out: &mut Output<'_>, asset: AssetId) {
    for account in out.state().debtors(asset) {
        charge(out, account, asset);
    }
}

impl State {
    /// Interest that a debt has gathered and not paid: (debt − free part) × Σ rates since it was last charged, rounded up,
    /// in the asset. Zero without a debt. Charged interest is debt; uncharged interest bears none. It takes no debt above
    /// the largest notional, `units::limits::NOTIONAL_MAX`.
    ///
    /// A debt of 1,000.00, of which 100.00 is free, three postings of 0.001 %: 900 × 0.00003 = 0.027.
    #[must_use]
    pub fn interest_due(&self, account: AccountId, asset: AssetId) -> Money {
        let Some(row) = self.borrowing.get(&asset) else { return Money::ZERO };
        let Some(charged) = row.debts.get(&account) else { return Money::ZERO };
        let debt = -self.account(account).wallet(asset);
        let bears = (debt - self.asset(asset).params.borrow.free).max(Money::ZERO);
        let one = i128::from(Rate::ONE.units());
        let most = (limits::NOTIONAL_MAX - debt.units()).max(0);
        let due = mul_div(bears.units(), row.cumulative - charged, one, Round::Up);
        Money::from_units(due.map_or(most, |due| due.min(most)))
    }

    /// Who owes an asset that has terms, in the order of their numbers.
    fn debtors(&self, asset: AssetId) -> Vec<AccountId> {
        self.borrowing.get(&asset).map(|row| row.debts.keys().copied().collect()).unwrap_or_default()
    }

    /// A wallet changed: its debt begins, ends or goes on. It has paid up to now, also where that was nothing: what grows
    /// beyond the free part bears interest from here on.
    pub(crate) fn note_debt(&mut self, account: AccountId, asset: AssetId, wallet: Money) {
        let Some(row) = self.borrowing.get_mut(&asset) else { return };
        if !wallet.is_negative() {
            row.debts.remove(&account);
        } else if self.accounts.get(account.index()).is_some_and(|a| a.kind == AccountKind::Trading) {
            row.debts.insert(account, row.cumulative);
        }
    }

    /// An asset has terms: its interest begins, or goes on with another interval. The first time looks at every account.
    pub(crate) fn note_borrow_terms(&mut self, asset: AssetId) {
        if let Some(row) = self.borrowing.get_mut(&asset) {
            let paid = row.cumulative;
            row.debts.values_mut().for_each(|charged| *charged = paid);
        }
        let interval = self.asset(asset).params.borrow.interval_ns;
        if interval == 0 {
            return;
        }
        let next = crate::realise::next_multiple(self.now, interval);
        if let Some(row) = self.borrowing.get_mut(&asset) {
            row.next = next;
            return;
        }
        let owes = |a: &crate::Account| a.kind == AccountKind::Trading && a.wallet(asset).is_negative();
        let debts = self.accounts.iter().enumerate().filter(|(_, a)| owes(a)).map(|(at, _)| (AccountId::at(at), 0));
        let row = Borrowing { cumulative: 0, next, debts: debts.collect() };
        self.borrowing.insert(asset, row);
    }
}
