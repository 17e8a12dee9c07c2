//! Conservation, open interest and clearing (I-01 to I-07), straight from the engine's state by plain sums.

use super::Referee;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, RATE};
use super::value;
use engine::{AssetId, Exposure, Market, MarketId, State};
use num_bigint::BigInt;

/// Posted but unsettled funding of a position, exactly; 1e-25 of the asset, + is owed to the account.
fn unsettled(e: &Exposure, market: &Market) -> BigInt {
    -BigInt::from(e.size.units()) * (market.funding_index - e.funding)
}

impl Referee {
    pub(super) fn invariants(&self, state: &State, full: bool) -> Verdict {
        for (at, asset) in state.assets.iter().enumerate() {
            holds("I-04", asset.fees.units() >= 0, || format!("fee account of asset {at} is not negative"))?;
            holds("I-06", asset.rounding.units() >= 0, || format!("rounding account of asset {at} is not negative"))?;
        }
        if full {
            self.conserved(state)?;
            for at in 0..state.markets.len() {
                self.cleared(state, MarketId::at(at))?;
            }
        }
        self.risk_covered()
    }

    /// I-01: wallets + clearing + fees + rounding + pending = vault.
    fn conserved(&self, state: &State) -> Verdict {
        for (at, asset) in state.assets.iter().enumerate() {
            let id = AssetId::at(at);
            let wallets: i128 = state
                .accounts
                .iter()
                .flat_map(|a| &a.wallets)
                .filter(|w| w.asset == id)
                .map(|w| w.amount.units())
                .sum();
            let markets = state.markets.iter().filter(|m| m.params.settlement == id);
            let clearing: i128 = markets.map(|m| m.clearing.units()).sum();
            let sum = wallets + clearing + asset.fees.units() + asset.rounding.units() + asset.pending.units();
            same("I-01", || format!("sum of balances of asset {at}"), sum, asset.vault.units())?;
        }
        Ok(())
    }

    /// I-02, I-03 and I-07 of one market.
    fn cleared(&self, state: &State, id: MarketId) -> Verdict {
        let market = state.market(id);
        let positions: Vec<&Exposure> = state.accounts.iter().flat_map(|a| a.exposures_in(id)).collect();
        let size = |e: &&Exposure| i128::from(e.size.units());
        let (longs, shorts): (i128, i128) =
            (positions.iter().map(size).filter(|s| *s > 0).sum(), positions.iter().map(size).filter(|s| *s < 0).sum());
        let (size, value, _) = self.model.market(id).closed;
        same("I-02", || format!("sum of sizes in market {id}"), 0, longs + shorts + size)?;
        same("I-07", || format!("open interest of market {id}"), longs, market.open_interest)?;
        same("I-07", || format!("short side of market {id}"), -shorts, market.short_interest)?;
        let cost: i128 = positions.iter().map(|e| e.cost.units()).sum();
        let owed: BigInt = positions.iter().map(|e| unsettled(e, market)).sum();
        let here = self.model.accounts.iter().flat_map(|a| &a.exposures).filter(|(p, _)| p.market == id);
        let losses: BigInt = here.map(|(_, e)| &e.owed).sum();
        let ours = BigInt::from(-cost - value) * RATE + owed - losses + market.residue;
        same(
            "I-02",
            || format!("clearing account of market {id}, 1e-25"),
            ours,
            BigInt::from(market.clearing.units()) * RATE,
        )?;
        holds("I-04", (0..RATE).contains(&market.residue), || {
            format!("residue {} of market {id} is below a unit", market.residue)
        })?;
        self.marked(id, &positions, market)
    }

    /// At the mark, unrealised results, unsettled funding and losses to share add up to the clearing account, but for rounding down
    /// each.
    fn marked(&self, id: MarketId, positions: &[&Exposure], market: &Market) -> Verdict {
        let mark = i128::from(market.mark.units());
        if mark <= 0 {
            return Ok(());
        }
        let params = &self.model.market(id).params;
        let open: Vec<_> = positions.iter().filter(|e| !e.size.is_zero()).collect();
        let sum: i128 = open
            .iter()
            .map(|e| {
                let funding = super::num::big_div(&unsettled(e, market), &BigInt::from(RATE), Dir::Down);
                value::upnl(params, mark, i128::from(e.size.units()), e.cost.units()) + funding
            })
            .sum();
        let here = self.model.accounts.iter().flat_map(|a| &a.exposures).filter(|(p, _)| p.market == id);
        let losses: Vec<i128> = here.map(|(_, e)| super::losses::paid(&e.owed)).filter(|paid| *paid > 0).collect();
        let slack = market.clearing.units() - sum + losses.iter().sum::<i128>();
        let most = i128::try_from(losses.len()).unwrap_or(0)
            + 2 * i128::try_from(open.len()).unwrap_or(0)
            + 1
            + self.model.market(id).closed.2;
        holds("I-03", (0..=most).contains(&slack), || {
            format!("results of market {id} at mark: {slack} units from its clearing account")
        })
    }
}
