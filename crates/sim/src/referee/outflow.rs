//! What must stay after money left (I-11), and what a new risk must be covered by.

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds};
use super::num::{Dir, at_rate};
use engine::{AccountId, AssetId, PositionId};

impl Referee {
    /// After an outflow: no wallet below zero, and equity without gains covers initial margin and the share of notional.
    /// An account without positions, orders and debts is free.
    pub(super) fn outflow_kept(&self, id: AccountId, asset: Option<AssetId>) -> Verdict {
        if let Some(asset) = asset {
            let (wallet, kept) = (self.model.wallet(id, asset), self.set_aside_in(id, asset));
            holds("I-11", wallet >= kept, || format!("wallet {wallet} of account {id} in asset {asset} keeps {kept}"))?;
        }
        let account = self.model.account(id);
        let open = account.exposures.values().any(|e| e.size != 0) || account.orders.values().any(|o| !o.is_empty());
        let owes = account.wallets.values().any(|w| *w < 0);
        holds("I-11", !owes, || format!("no wallet of account {id} is below zero after an outflow"))?;
        let children = account.exposures.keys().any(|m| self.reserved_for(id, *m) > 0);
        // What does not count as collateral may leave, whatever is needed.
        let counts = asset.is_none_or(|asset| account.only.is_none_or(|only| only == asset));
        if !counts || (!open && !children) {
            return Ok(());
        }
        let figures = self.figures(id, Lens::Outflow);
        let share = at_rate(figures.notional, self.model.risk.outflow_share, Dir::Up);
        let needed = figures.initial.max(share);
        holds("I-11", figures.equity >= needed, || {
            format!("equity without gains {} of account {id} after an outflow covers {needed}", figures.equity)
        })
    }

    /// Cash that is set aside for orders of isolated positions, in one asset.
    pub(super) fn set_aside_in(&self, id: AccountId, asset: AssetId) -> i128 {
        let here = |position: &&PositionId| self.model.market(position.market).params.settlement == asset;
        self.model.account(id).exposures.keys().filter(here).map(|market| self.reserved_for(id, *market)).sum()
    }

    /// Equity covers initial margin.
    pub(super) fn above_initial(&self, id: AccountId) -> Verdict {
        let figures = self.figures(id, Lens::Taken);
        let idle = figures.initial == 0 && self.model.account(id).wallets.values().all(|w| *w >= 0);
        holds("I-11", idle || figures.equity >= figures.initial, || {
            format!("equity {} of account {id} covers initial margin {}", figures.equity, figures.initial)
        })
    }

    /// After a fill outside the ladder: a position that grew by a resting order is covered, one that shrank leaves equity.
    pub(super) fn covered_by(&self, id: AccountId, before: i128, less: bool, maker: bool) -> Verdict {
        if !less && maker {
            self.above_initial(self.model.parent(id))?;
            return self.above_initial(id);
        }
        let equity = self.figures(id, Lens::Lenient).equity;
        // One that was below zero before may have risen.
        let good = !less || equity >= before.min(0);
        holds("I-11", good, || {
            format!("equity {equity} of account {id} after a reduction is not below zero, {before} before")
        })
    }

    /// When the command ends, those that were let take more risk are above initial margin.
    pub(super) fn risk_covered(&self) -> Verdict {
        let working = |id: &&AccountId| self.model.account(**id).liquidating.is_none();
        self.adds_risk.iter().filter(working).try_for_each(|id| self.above_initial(*id))
    }
}
