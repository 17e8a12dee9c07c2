//! Which wallets of a subaccount are collateral: all of them, or in single-asset mode one.

use crate::output::Output;
use crate::{Account, AccountId, Answer, AssetId, Event, MarketId, Reject, State};

/// Chooses the one asset that counts, or all. Allowed while no position, no order and no debt is there, isolated ones
/// included: nothing then depends on it.
pub(crate) fn set_mode(out: &mut Output<'_>, account: AccountId, only: Option<AssetId>) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    row.check_not_frozen()?;
    if let Some(asset) = only {
        state.find_asset(asset)?;
    }
    if row.only == only {
        return Err(Reject::AlreadySo);
    }
    state.check_flat(account)?;
    if let Some(debt) = row.wallets.iter().find(|w| w.amount.is_negative()) {
        return Err(Reject::WalletBelowZero { asset: debt.asset, wallet: debt.amount });
    }
    out.emit(Event::CollateralModeSet { account, only });
    Ok(Answer::Done)
}

impl Account {
    /// Whether what it holds of an asset is collateral.
    #[must_use]
    pub fn counts(&self, asset: AssetId) -> bool {
        self.only.is_none_or(|only| only == asset)
    }
}

impl State {
    /// In single-asset mode only markets that settle in the asset are traded.
    pub(crate) fn check_settles_in(&self, row: &Account, market: MarketId) -> Result<(), Reject> {
        let settlement = self.market(market).params.settlement;
        match row.only {
            Some(asset) if asset != settlement => Err(Reject::OtherSettlementAsset { asset }),
            _ => Ok(()),
        }
    }
}
