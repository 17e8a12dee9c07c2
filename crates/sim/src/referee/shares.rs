//! The turns of a deleveraging under each policy: equal shares in proportion to positions, and parts that hedge nothing.

use super::Referee;
use super::adl::Ranking;
use super::num::{Dir, PRICE, mul_div};
use super::value;
use engine::params::AdlPolicy;
use engine::{AccountId, MarketId, PositionId};

/// The most that is asked of a winner when its turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    /// All that it can give.
    All,
    /// So many, 1e-8 contract.
    Units(i128),
    /// The part of its position that hedges nothing then.
    Unhedged,
}

/// Winners in the order of their turns.
pub type Turns = Vec<(AccountId, Most)>;

impl Referee {
    /// All turns of one handover.
    pub(super) fn turns(&self, failing: AccountId, market: MarketId, left: (i128, i128), ranking: &Ranking) -> Turns {
        let params = &self.model.market(market).params;
        let mut turns: Turns = match params.adl_policy {
            AdlPolicy::ProfitLeverage | AdlPolicy::GrowthLeverage => Vec::new(),
            AdlPolicy::LeastHedgesBroken => ranking.iter().map(|(id, _)| (*id, Most::Unhedged)).collect(),
            AdlPolicy::ProRata => {
                let held = |id: AccountId| {
                    let size = self.model.exposure(id, self.model.held(id, market, -left.0.signum())).size;
                    let gives = id != failing && self.model.account(id).liquidating.is_none();
                    if gives && size.signum() * left.0.signum() < 0 { size.abs() } else { 0 }
                };
                let mut wanted = left.0.abs();
                let mut turns = Turns::new();
                for gains in [1, 0] {
                    let group: Vec<(AccountId, i128)> =
                        ranking.iter().filter(|row| row.1 == gains).map(|row| (row.0, held(row.0))).collect();
                    let given = equal_shares(wanted, &group, params.lot);
                    wanted -= given.iter().sum::<i128>();
                    turns.extend(group.iter().zip(given).map(|((id, _), units)| (*id, Most::Units(units))));
                }
                turns
            }
        };
        turns.extend(ranking.iter().map(|(id, _)| (*id, Most::All)));
        turns
    }

    /// Contracts of a position, without sign, that the account's net exposure covers: whole lots, or all.
    pub(super) fn unhedged(&self, id: AccountId, position: PositionId) -> i128 {
        let account = self.model.account(id);
        let mut net = 0;
        for (held, e) in account.exposures.iter().filter(|(_, e)| e.size != 0) {
            let row = self.model.market(held.market);
            let worth = value::notional(&row.params, self.model.valuation(row), e.size);
            net += e.size.signum() * self.debt(row.params.settlement, worth);
        }
        for (asset, amount) in &account.wallets {
            let counts = account.only.is_none_or(|only| only == *asset);
            if counts && self.model.assets[asset.index()].index.is_some() {
                net += mul_div(*amount, self.model.asset_price(*asset), PRICE, Dir::Down);
            }
        }
        let size = self.model.exposure(id, position).size;
        if size.signum() * net.signum() <= 0 {
            return 0;
        }
        let row = self.model.market(position.market);
        let one = 100_000_000;
        let each = value::notional(&row.params, row.mark, one).max(1);
        let covered = mul_div(self.in_asset(row.params.settlement, net.abs()), one, each, Dir::Down);
        if covered >= size.abs() { size.abs() } else { covered - covered % row.params.lot }
    }
}

/// The same share of each, in whole lots or all; what rounding leaves a lot each by largest remainder, the first of equals.
fn equal_shares(wanted: i128, group: &[(AccountId, i128)], lot: i128) -> Vec<i128> {
    let all: i128 = group.iter().map(|(_, held)| held).sum();
    let wanted = wanted.min(all);
    if wanted <= 0 {
        return vec![0; group.len()];
    }
    let whole = |held: i128| {
        let exact = mul_div(wanted, held, all, Dir::Down);
        if exact == held { held } else { exact / lot * lot }
    };
    let mut given: Vec<i128> = group.iter().map(|(_, held)| whole(*held)).collect();
    let mut order: Vec<usize> = (0..group.len()).filter(|at| group[*at].1 > 0).collect();
    order.sort_by_key(|at| std::cmp::Reverse(wanted * group[*at].1 - given[*at] * all));
    let left = wanted - given.iter().sum::<i128>();
    let lots = usize::try_from((left + lot - 1) / lot).unwrap_or(0);
    let mut left = left;
    for at in order.into_iter().take(lots) {
        let part = lot.min(left).min(group[at].1 - given[at]);
        given[at] += part;
        left -= part;
    }
    given
}
