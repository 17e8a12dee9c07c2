//! What an account still owes when it has nothing left, and who pays it: each fund by what the account's positions of
//! its markets lost while it was in liquidation.

use crate::output::Output;
use crate::{AccountId, AssetId, Event, MarketId, MoveReason, Side, State, reserve};
use alloc::vec::Vec;
use serde::Serialize;
use units::{Money, Round, Size};

/// What one side of a market realised for an account in liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SideResult {
    /// Where.
    pub market: MarketId,
    /// The side of the positions that closed.
    pub side: Side,
    /// Σ realised, settlement asset; + is a gain.
    pub realised: Money,
}

/// A part of a deficit and the fund that is asked for it.
struct Part {
    fund: Option<AccountId>,
    amount: Money,
}

/// Pays what is short of an asset, as far as the funds can; the rest is told and stays as a negative wallet.
/// `fund` is asked for what no position explains.
pub(crate) fn pay(out: &mut Output<'_>, account: AccountId, asset: AssetId, fund: Option<AccountId>) {
    crate::borrow::charge(out, account, asset);
    let row = out.state().account(account);
    let short = -row.wallet(asset);
    if !short.is_positive() {
        return;
    }
    // While it has other collateral it pays itself, as soon as the fund can buy that.
    let bare = !row.wallets.iter().any(|w| w.amount.is_positive() && row.counts(w.asset));
    let parts = if bare { out.state().parts(account, asset, short, fund) } else { Vec::new() };
    for part in parts {
        if let Some(fund) = part.fund.filter(|fund| *fund != account) {
            reserve::pay(out, fund, account, asset, part.amount, MoveReason::Deficit);
        }
    }
    let wallet = out.state().account(account).wallet(asset);
    if wallet.is_negative() {
        out.emit(Event::DeficitLeft { account, asset, wallet });
    }
}

impl State {
    /// Splits a deficit over the funds by what their markets lost in the liquidation and settle in its asset, in the order of
    /// markets. Running sums are rounded, so that the parts add up exactly and each is within a unit of its share. 10 by
    /// losses of 470 and 540 are 4.6534… and 5.3465….
    fn parts(&self, account: AccountId, asset: AssetId, short: Money, fund: Option<AccountId>) -> Vec<Part> {
        let mut groups: Vec<(AccountId, Money)> = Vec::new();
        for row in self.results.get(&account).into_iter().flatten() {
            let params = &self.market(row.market).params;
            if params.settlement != asset || !row.realised.is_negative() {
                continue;
            }
            match groups.iter_mut().find(|group| group.0 == params.fund) {
                Some(group) => group.1 -= row.realised,
                None => groups.push((params.fund, -row.realised)),
            }
        }
        let all: Money = groups.iter().map(|group| group.1).sum();
        if !all.is_positive() {
            return alloc::vec![Part { fund, amount: short }];
        }
        let (mut lost, mut given) = (Money::ZERO, Money::ZERO);
        let mut parts = Vec::new();
        for (fund, own) in groups {
            lost += own;
            let up_to = short.share(lost.units(), all.units(), Round::Down);
            parts.push(Part { fund: Some(fund), amount: up_to - given });
            given = up_to;
        }
        parts
    }
}

/// Notes what a position that had `before` contracts realised, while its account is in liquidation.
pub(crate) fn note(state: &mut State, account: AccountId, market: MarketId, before: Size, realised: Money) {
    if realised.is_zero() || state.account(account).liquidation.is_none() || !state.liquidating.contains(&account) {
        return;
    }
    let side = Side::of(before);
    let rows = state.results.entry(account).or_default();
    let key = |row: &SideResult| (row.market, row.side);
    match rows.binary_search_by_key(&(market, side), key) {
        Ok(at) => rows.iter_mut().skip(at).take(1).for_each(|row| row.realised += realised),
        Err(at) => rows.insert(at, SideResult { market, side, realised }),
    }
}
