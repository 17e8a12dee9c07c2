//! Money in and out: deposits, withdrawals, transfers, backstop commitments.

use crate::bounds;
use crate::margin::{Basis, Change, Need};
use crate::output::Output;
use crate::{AccountId, AccountKind, Answer, AssetId, Event, MoveReason, Reject, State, limits};
use units::{Money, Rate, Round};

pub(crate) fn deposit(
    out: &mut Output<'_>,
    account: AccountId,
    asset: AssetId,
    amount: Money,
    reference: u64,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_account(account)?;
    if let AccountKind::Isolated { .. } = row.kind {
        return Err(Reject::UnknownAccount { account });
    }
    let assets = state.find_asset(asset)?;
    if state.deposits.contains(&(asset, reference)) {
        return Ok(Answer::Repeated);
    }
    if state.delistings.contains_key(&asset) {
        return Err(Reject::AssetDelisting { asset });
    }
    bounds::amount(assets, amount)?;
    State::room(state.deposits.len(), limits::DEPOSITS_MAX)?;
    let cap = assets.params.schedule.venue_cap;
    if cap.is_positive() && assets.vault + amount > cap {
        return Err(Reject::VenueCapReached { asset, held: assets.vault, asked: amount, cap });
    }
    let price = state.highest_price(asset);
    if !bounds::amount_fits(assets.vault + amount, price) {
        return Err(Reject::AmountTooLarge { asked: amount, limit: Money::MAX - assets.vault });
    }
    crate::borrow::charge(out, account, asset);
    let wallet = out.state().account(account).wallet(asset) + amount;
    out.emit(Event::Deposited { account, asset, amount, reference, wallet });
    Ok(Answer::Done)
}

pub(crate) fn request_withdrawal(
    out: &mut Output<'_>,
    account: AccountId,
    asset: AssetId,
    amount: Money,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_account(account)?;
    if let AccountKind::Isolated { .. } = row.kind {
        return Err(Reject::UnknownAccount { account });
    }
    row.check_not_frozen()?;
    bounds::amount(state.find_asset(asset)?, amount)?;
    State::room(state.withdrawals.len(), limits::WITHDRAWALS_MAX)?;
    State::room(usize::from(row.withdrawals), limits::WITHDRAWALS_PER_ACCOUNT_MAX)?;
    state.check_outflow(account, asset, amount)?;
    let wallet = row.wallet(asset) - amount;
    let withdrawal = state.last_withdrawal + 1;
    out.emit(Event::WithdrawalRequested { withdrawal, account, asset, amount, wallet });
    Ok(Answer::Withdrawal(withdrawal))
}

pub(crate) fn confirm_withdrawal(out: &mut Output<'_>, withdrawal: u64) -> Result<Answer, Reject> {
    out.state().withdrawals.get(&withdrawal).ok_or(Reject::UnknownWithdrawal { withdrawal })?;
    out.emit(Event::WithdrawalConfirmed { withdrawal });
    Ok(Answer::Done)
}

pub(crate) fn return_withdrawal(out: &mut Output<'_>, withdrawal: u64) -> Result<Answer, Reject> {
    let row = *out.state().withdrawals.get(&withdrawal).ok_or(Reject::UnknownWithdrawal { withdrawal })?;
    crate::borrow::charge(out, row.account, row.asset);
    let wallet = out.state().account(row.account).wallet(row.asset) + row.amount;
    out.emit(Event::WithdrawalReturned {
        withdrawal,
        account: row.account,
        asset: row.asset,
        wallet,
        amount: row.amount,
    });
    Ok(Answer::Done)
}

/// An outflow like a withdrawal, to an own subaccount as well: from there it could leave.
pub(crate) fn transfer(
    out: &mut Output<'_>,
    from: AccountId,
    to: AccountId,
    asset: AssetId,
    amount: Money,
) -> Result<Answer, Reject> {
    let state = out.state();
    for account in [from, to] {
        if let AccountKind::Isolated { .. } = state.find_account(account)?.kind {
            return Err(Reject::UnknownAccount { account });
        }
    }
    if from == to {
        return Err(Reject::SameAccount);
    }
    state.account(from).check_not_frozen()?;
    bounds::amount(state.find_asset(asset)?, amount)?;
    let wallet = state.account(from).wallet(asset);
    if amount > wallet {
        return Err(Reject::ExceedsWallet { asked: amount, wallet });
    }
    state.check_outflow(from, asset, amount)?;
    out.emit(Event::Moved { from, to, asset, amount, reason: MoveReason::Transfer });
    Ok(Answer::Done)
}

/// A commitment is an outflow of nothing: it needs the margin that one would need.
pub(crate) fn commit_backstop(out: &mut Output<'_>, account: AccountId, limit: Money) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    row.check_not_frozen()?;
    if limit.is_negative() {
        return Err(Reject::AmountNotPositive { asked: limit });
    }
    if limit.is_positive() {
        row.check_active()?;
        if limit.units() > units::limits::NOTIONAL_MAX {
            return Err(Reject::AmountTooLarge { asked: limit, limit: Money::from_units(units::limits::NOTIONAL_MAX) });
        }
        if row.liquidation.is_some() {
            return Err(Reject::InLiquidation);
        }
        if !state.backstops.contains_key(&account) {
            State::room(state.backstops.len(), limits::BACKSTOPS_MAX)?;
        }
        if let Some(debt) = row.wallets.iter().find(|w| w.amount.is_negative()) {
            return Err(Reject::WalletBelowZero { asset: debt.asset, wallet: debt.amount });
        }
        state.prices_for_outflow(account, None)?;
        let terms = state.evaluate(account, Basis::Outflow, Need::Both, None);
        let needed = state.needed_for_outflow(&terms);
        if terms.equity < needed {
            return Err(Reject::InsufficientMargin { equity: terms.equity, needed });
        }
    }
    out.emit(Event::BackstopCommitted { account, limit });
    Ok(Answer::Done)
}

impl State {
    /// What must stay after an outflow: the larger of initial margin and the share of gross notional.
    fn needed_for_outflow(&self, terms: &crate::Terms) -> Money {
        terms.initial.max(terms.notional.mul_rate(self.risk.outflow_share, Round::Up))
    }

    /// Whether `amount` of an asset may leave an account.
    ///
    /// # Errors
    /// In liquidation; a price that enters the account is unusable; more than is withdrawable.
    pub(crate) fn check_outflow(&self, account: AccountId, asset: AssetId, amount: Money) -> Result<(), Reject> {
        if self.account(account).liquidation.is_some() && self.liquidating.contains(&account) {
            return Err(Reject::InLiquidation);
        }
        self.prices_for_outflow(account, Some(asset))?;
        let withdrawable = self.withdrawable(account, asset);
        if amount > withdrawable {
            return Err(Reject::ExceedsWithdrawable { asked: amount, withdrawable });
        }
        Ok(())
    }

    /// The most of an asset that may leave: never above the wallet; what stays, gains counted as zero, covers the larger of
    /// initial margin and the rulebook's share of notional. Nothing while a wallet is below zero. Rounded down to the
    /// asset's digits.
    pub(crate) fn withdrawable(&self, account: AccountId, asset: AssetId) -> Money {
        let row = self.account(account);
        let wallet = row.wallet(asset);
        let debts = row.wallets.iter().any(|w| w.amount.is_negative());
        if !wallet.is_positive() || debts || self.liquidating.contains(&account) {
            return Money::ZERO;
        }
        let idle =
            row.exposures.iter().all(|e| e.size.is_zero() && e.buys.count + e.sells.count == 0 && e.reserved.is_zero());
        if idle || !row.counts(asset) {
            return self.round_to_digits(asset, wallet);
        }
        let terms = self.evaluate(account, Basis::Outflow, Need::Initial, None);
        let needed = self.needed_for_outflow(&terms);
        let spare = terms.equity - needed;
        if spare.is_negative() {
            return Money::ZERO;
        }
        // Find the largest amount that passes: a gain in this asset may be unrealised, a haircut may apply.
        let passes = |amount: Money| !(terms.equity - self.lost_value(account, asset, amount) - needed).is_negative();
        let most = largest(Money::ZERO, (wallet - self.reserved_in(row, asset)).max(Money::ZERO), passes);
        self.round_to_digits(asset, most)
    }

    /// What is set aside in an asset for the orders of isolated positions: cash that stays, so that a fill never lacks it.
    pub(crate) fn reserved_in(&self, row: &crate::Account, asset: AssetId) -> Money {
        row.exposures.iter().filter(|e| self.market(e.market).params.settlement == asset).map(|e| e.reserved).sum()
    }

    /// How much less the collateral counts without `amount` of an asset, gains counted as zero.
    fn lost_value(&self, account: AccountId, asset: AssetId, amount: Money) -> Money {
        let row = self.account(account);
        let losses = row.exposures.iter().filter(|e| !e.size.is_zero()).map(|e| (e, self.market(e.market)));
        let losses = losses.filter(|(_, m)| m.params.settlement == asset);
        let losses: Money = losses
            .map(|(e, m)| {
                m.contract().upnl(self.valuation(m), e.size, e.cost).unwrap_or(Money::ZERO).min(Money::ZERO)
                    + e.unsettled(m)
                    - self.loss_owed(account, e)
            })
            .sum();
        let counted = row.wallet(asset) + losses;
        self.collateral(asset, counted, Basis::Mark) - self.collateral(asset, counted - amount, Basis::Mark)
    }

    fn round_to_digits(&self, asset: AssetId, amount: Money) -> Money {
        match bounds::digits(self.asset(asset), amount) {
            Err(Reject::AmountTooFine { below, .. }) => below,
            _ => amount,
        }
    }

    /// Whether the parent stays above initial margin without `amount` of a market's settlement asset.
    pub(crate) fn check_giver(
        &self,
        account: AccountId,
        position: crate::PositionId,
        amount: Money,
    ) -> Result<(), Reject> {
        let asset = self.market(position.market).params.settlement;
        let row = self.account(account);
        let wallet = row.wallet(asset) - self.reserved_in(row, asset);
        if amount > wallet {
            return Err(Reject::ExceedsWallet { asked: amount, wallet });
        }
        let change = Change { position, wallet: -amount, ..Change::default() };
        let terms = self.evaluate(account, Basis::Mark, Need::Initial, Some(&change));
        if terms.equity < terms.initial {
            return Err(Reject::InsufficientMargin { equity: terms.equity, needed: terms.initial });
        }
        Ok(())
    }

    /// The share of its index that an asset is converted at: one less the discount.
    pub(crate) fn conversion_rate(&self, asset: AssetId) -> Rate {
        Rate::ONE - self.asset(asset).params.conversion_discount
    }
}

/// The largest amount in `[low, high]` that passes a test that only ever turns from true to false; `low` passes.
pub(crate) fn largest(low: Money, high: Money, passes: impl Fn(Money) -> bool) -> Money {
    if passes(high) {
        return high;
    }
    let (mut good, mut bad) = (low.units(), high.units());
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if passes(Money::from_units(middle)) { good = middle } else { bad = middle }
    }
    Money::from_units(good)
}
