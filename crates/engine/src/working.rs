//! The working of an account's figures: the terms that `evaluate` makes anyway, kept. It computes nothing.
//!
//! Who decides hands `()` to the evaluation, which hears nothing: the compiler drops it, and the terms with it.

use crate::margin::{Basis, Need, Terms};
use crate::{AccountId, AssetId, PositionId, State};
use alloc::vec::Vec;
use rules::MarginTerms;
use serde::Serialize;
use units::{Money, Price, Size};

/// Hears the terms of an evaluation as they are made.
pub(crate) trait Listener {
    /// A position, or a market in which an order rests.
    fn position(&mut self, row: impl FnOnce() -> PositionWorking);
    /// An asset: all that settles in it, netted, and what that counts.
    fn collateral(&mut self, asset: AssetId, amount: Money, value: Money);
}

impl Listener for () {
    fn position(&mut self, _: impl FnOnce() -> PositionWorking) {}
    fn collateral(&mut self, _: AssetId, _: Money, _: Money) {}
}

/// The figures of a subaccount with all that they are the sum of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Working {
    /// The figures, numeraire.
    pub terms: Terms,
    /// By position.
    pub positions: Vec<PositionWorking>,
    /// By asset.
    pub collateral: Vec<CollateralWorking>,
}

/// One position, settlement asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PositionWorking {
    /// Which.
    pub position: PositionId,
    /// + long.
    pub size: Size,
    /// Signed sum of what was paid.
    pub cost: Money,
    /// What it is valued at.
    pub price: Price,
    /// value − cost, rounded down, with the favour.
    pub upnl: Money,
    /// What a price that cannot be used is moved in the account's favour.
    pub favour: Money,
    /// Posted funding on its way to the wallet; + is owed to the account.
    pub unsettled_funding: Money,
    /// Needed to stay open; nothing where the market has its settlement price.
    pub maintenance: MarginTerms,
}

/// One asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CollateralWorking {
    /// Which.
    pub asset: AssetId,
    /// wallet − interest due + unrealised results + unsettled funding − shared losses owed that settle in it.
    pub amount: Money,
    /// What that counts, numeraire.
    pub value: Money,
}

impl Listener for Working {
    fn position(&mut self, row: impl FnOnce() -> PositionWorking) {
        self.positions.push(row());
    }

    fn collateral(&mut self, asset: AssetId, amount: Money, value: Money) {
        self.collateral.push(CollateralWorking { asset, amount, value });
    }
}

impl State {
    /// Equity and margins of a subaccount with their working; the figures are those of [`Self::terms_at`].
    #[must_use]
    pub fn working(&self, account: AccountId, basis: Basis) -> Working {
        let mut working = Working::default();
        working.terms = self.evaluate_heard(account, basis, Need::Both, None, &mut working);
        working
    }
}
