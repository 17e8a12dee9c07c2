//! The sums that must hold in any state, added up from nothing: I-01, I-02 and I-07 of money and positions.

use engine::{AssetId, Exposure, MarketId, State};
use std::fmt;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its number.
    pub invariant: &'static str,
    /// What was added up.
    pub what: String,
    /// What it should be.
    pub expected: i128,
    /// What it is.
    pub found: i128,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invariant, what, expected, found } = self;
        write!(f, "{invariant}: {what} should be {expected} and is {found}")
    }
}

/// Adds up everything of a state, in the units that it has. Costs a look at every account.
///
/// # Errors
/// The first sum that does not hold.
pub fn audit(state: &State) -> Result<(), Broken> {
    let same = |invariant, what: &dyn Fn() -> String, expected, found| {
        if expected == found { Ok(()) } else { Err(Broken { invariant, what: what(), expected, found }) }
    };
    for (at, asset) in state.assets.iter().enumerate() {
        let id = AssetId::at(at);
        let here = || state.accounts.iter().flat_map(|account| &account.wallets).filter(|wallet| wallet.asset == id);
        let wallets: i128 = here().map(|wallet| wallet.amount.units()).sum();
        let claims: i128 = here().map(|wallet| wallet.amount.units().max(0)).sum();
        same("I-07", &|| format!("the sum of wallets of asset {at} above zero"), asset.claims.units(), claims)?;
        let markets = state.markets.iter().filter(|market| market.params.settlement == id);
        let clearing: i128 = markets.map(|market| market.clearing.units()).sum();
        let sum = wallets + clearing + asset.fees.units() + asset.rounding.units() + asset.pending.units();
        same("I-01", &|| format!("the sum of all balances of asset {at}"), asset.vault.units(), sum)?;
        let least = asset.rounding.units().min(0);
        same("I-06", &|| format!("what the rounding account of asset {at} is below zero by"), 0, least)?;
    }
    for (at, market) in state.markets.iter().enumerate() {
        let positions = || state.accounts.iter().flat_map(|account| account.exposures_in(MarketId::at(at)));
        let size = |e: &Exposure| i128::from(e.size.units());
        let longs: i128 = positions().map(size).filter(|size| *size > 0).sum();
        let shorts: i128 = positions().map(size).filter(|size| *size < 0).sum();
        // While a market is settled its positions close one after the other.
        if !market.is_over() {
            same("I-02", &|| format!("the sum of all sizes in market {at}"), 0, longs + shorts)?;
        }
        same("I-07", &|| format!("the open interest of market {at}"), market.open_interest, longs)?;
        same("I-07", &|| format!("the short side of market {at}"), market.short_interest, -shorts)?;
        let costs: i128 = positions().map(|e| e.cost.units().abs()).sum();
        same("I-07", &|| format!("the sum of all costs in market {at}"), market.costs.units(), costs)?;
    }
    Ok(())
}
