//! What an account still owes when it has nothing left, and who pays it: each fund by what the account's positions of
//! its markets lost while it was in liquidation; where a market's rule says so, what its fund cannot, by the winners there.

use crate::output::Output;
use crate::{AccountId, AssetId, Event, MarketId, MoveReason, Side, State, loss, reserve};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Money, Round, Size};

/// What one side of a market realised for an account in liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    let mut parts = if bare { out.state().parts(account, asset, short, fund) } else { Vec::new() };
    for part in &mut parts {
        if let Some(fund) = part.fund.filter(|fund| *fund != account) {
            part.amount -= reserve::pay(out, fund, account, asset, part.amount, MoveReason::Deficit);
        }
    }
    // Winners come after every fund, each for what the fund of its market left.
    for part in parts.iter().filter(|part| part.amount.is_positive()) {
        let lost = out.state().lost(account, asset).filter(|row| Some(row.fund) == part.fund);
        for ((market, side), amount) in divide(part.amount, lost.map(|row| ((row.market, row.side), row.amount))) {
            loss::share(out, account, market, side.opposite(), amount);
        }
    }
    let wallet = out.state().account(account).wallet(asset);
    if wallet.is_negative() {
        out.emit(Event::DeficitLeft { account, asset, wallet });
    }
}

/// What a side of a market lost, and the fund behind it.
struct Lost {
    market: MarketId,
    side: Side,
    fund: AccountId,
    /// Above zero.
    amount: Money,
}

impl State {
    /// What each side lost in the liquidation and settles in an asset, in the order of markets; gains count nothing.
    fn lost(&self, account: AccountId, asset: AssetId) -> impl Iterator<Item = Lost> {
        self.results.get(&account).into_iter().flatten().filter_map(move |row| {
            let params = &self.market(row.market).params;
            let counts = params.settlement == asset && row.realised.is_negative();
            counts.then_some(Lost { market: row.market, side: row.side, fund: params.fund, amount: -row.realised })
        })
    }

    /// Splits a deficit over the funds by what their markets lost.
    fn parts(&self, account: AccountId, asset: AssetId, short: Money, fund: Option<AccountId>) -> Vec<Part> {
        let parts = divide(short, self.lost(account, asset).map(|row| (row.fund, row.amount)));
        if parts.is_empty() {
            return alloc::vec![Part { fund, amount: short }];
        }
        parts.into_iter().map(|(fund, amount)| Part { fund: Some(fund), amount }).collect()
    }
}

/// Divides an amount by weights, those of one key together, in the order in which keys first come. Running sums are rounded, so that
/// the parts add up exactly and each is within a unit of its share. 10 by 470 and 540 are 4.6534… and 5.3465…; nothing by nothing.
fn divide<K: PartialEq>(amount: Money, weights: impl Iterator<Item = (K, Money)>) -> Vec<(K, Money)> {
    let mut rows: Vec<(K, Money)> = Vec::new();
    for (key, weight) in weights {
        match rows.iter_mut().find(|row| row.0 == key) {
            Some(row) => row.1 += weight,
            None => rows.push((key, weight)),
        }
    }
    let all: Money = rows.iter().map(|row| row.1).sum();
    let (mut sum, mut given) = (Money::ZERO, Money::ZERO);
    for row in &mut rows {
        sum += row.1;
        let up_to = amount.share(sum.units(), all.units(), Round::Down);
        row.1 = up_to - given;
        given = up_to;
    }
    rows
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
