//! Paradex's portfolio margin around its scan: the least that deltas need, provisions, maintenance, and its partial liquidation. Integers only.
//! Source: tradeparadex/paradex-docs 9b82a75a, risk pages.

use super::{Damp, Grid, PortfolioError, Scenario, VolatilityMove, VolatilityShock};
use alloc::vec::Vec;
use units::{Money, Price, Rate, Round, Size};

/// Which of its two tables an underlying has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParadexTable {
    /// BTC and ETH.
    Majors,
    /// HYPE and CL.
    Others,
}

/// The parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParadexRules {
    /// 24 scenarios.
    pub grid: Grid,
    /// How volatilities move.
    pub volatility: VolatilityShock,
    /// Of net delta at spot.
    pub unhedged: Rate,
    /// Of deltas that hedge each other, counted once.
    pub hedged: Rate,
    /// Of the larger of scan and deltas, to stay open.
    pub maintenance: Rate,
}

/// What an account needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParadexMargin {
    /// The larger of the scanned loss and what deltas need.
    pub net: Money,
    /// net + provisions.
    pub initial: Money,
    /// net × share + provisions.
    pub maintenance: Money,
}

impl ParadexRules {
    /// The published tables.
    ///
    /// # Errors
    /// None: the tables pass [`Grid::new`], whose errors these are.
    pub fn published(table: ParadexTable) -> Result<Self, PortfolioError> {
        const OUT: [i64; 8] = [-66, -33, 50, 100, 200, 300, 400, 500];
        let percent = |n: i64| Rate::new(n.saturating_mul(10_000_000)).unwrap_or(Rate::ZERO);
        let tenths = |n: i64| Rate::new(n.saturating_mul(1_000_000)).unwrap_or(Rate::ZERO);
        let (step, weights, up, down, least_up, [unhedged, hedged]) = match table {
            ParadexTable::Majors => (4, [180, 360, 240, 120, 60, 40, 30, 24], 400, 220, 400, [20, 10]),
            ParadexTable::Others => (7, [300, 500, 400, 200, 100, 70, 50, 40], 640, 352, 600, [30, 15]),
        };
        let mut grid = Vec::new();
        for n in -4..=4 {
            if i64::abs(n) < 4 {
                grid.push(Scenario::new(percent(step * n), VolatilityMove::Down));
            }
            grid.push(Scenario::new(percent(step * n), VolatilityMove::Up));
        }
        grid.extend(
            OUT.iter().zip(weights).map(|(out, weight)| Scenario::tail(percent(*out), Damp::of(tenths(weight)))),
        );
        Ok(Self {
            grid: Grid::new(grid)?,
            volatility: VolatilityShock {
                up: tenths(up),
                down: tenths(down),
                short_power: tenths(300),
                long_power: tenths(130),
                floor_ns: 86_400_000_000_000,
                least_up: tenths(least_up),
            },
            unhedged: tenths(unhedged),
            hedged: tenths(hedged),
            maintenance: percent(50),
        })
    }

    /// (unhedged × |net| + hedged × (gross − |net|) ÷ 2) × spot, up; deltas in contracts, + long.
    ///
    /// One perpetual and five sold calls of delta 0.3 at 70,000, 2 % and 1 %: 0.5 net and 2.5 gross need 1,400. `None` beyond the bounds
    /// of a size or of money.
    #[must_use]
    pub fn least_of_deltas(&self, spot: Price, deltas: &[Size]) -> Option<Money> {
        let net = deltas.iter().try_fold(Size::ZERO, |sum, delta| sum.checked_add(*delta))?.abs();
        let gross = deltas.iter().try_fold(Size::ZERO, |sum, delta| sum.checked_add(delta.abs()))?;
        let (unhedged, both) = (spot * net, spot * (gross - net));
        if !unhedged.in_bounds() || !both.in_bounds() {
            return None;
        }
        let matched = both.share(1, 2, Round::Up);
        Some(unhedged.mul_rate(self.unhedged, Round::Up) + matched.mul_rate(self.hedged, Round::Up))
    }

    /// Initial and maintenance margin. `worst` is the least result of the scan; provisions for eight hours of funding and for fees are not
    /// negative.
    #[must_use]
    pub fn margin(&self, worst: Money, least_of_deltas: Money, funding: Money, fees: Money) -> ParadexMargin {
        let net = (Money::ZERO - worst).max(least_of_deltas);
        let provisions = funding + fees;
        ParadexMargin {
            net,
            initial: net + provisions,
            maintenance: net.mul_rate(self.maintenance, Round::Up) + provisions,
        }
    }
}

/// A step of a liquidation is at least 1 %: there are at most a hundred.
const STEP_MIN: Rate = Rate::bps(100);

/// How Paradex closes an account in part: the same share of every position, in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParadexLiquidation {
    /// 20 %.
    pub step: Rate,
    /// It ends as soon as maintenance ÷ equity is below this: 90 %.
    pub until: Rate,
    /// Of the maintenance of what is closed, to the insurance fund.
    pub penalty: Rate,
}

/// What a partial liquidation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParadexClosed {
    /// Of every position.
    pub share: Rate,
    /// Paid to the insurance fund.
    pub penalty: Money,
    /// Equity after it.
    pub equity: Money,
    /// Maintenance margin after it.
    pub maintenance: Money,
}

impl ParadexLiquidation {
    /// The least whole number of steps after which maintenance is below its share of equity; all of it where none is.
    ///
    /// Equity 80, maintenance 88.8, penalty 50 %: 40 % is closed, the penalty is 17.76, 62.24 are left against 53.28. `None` for a step
    /// below 1 %.
    #[must_use]
    pub fn close(&self, equity: Money, maintenance: Money) -> Option<ParadexClosed> {
        if self.step < STEP_MIN {
            return None;
        }
        let mut share = Rate::ZERO;
        loop {
            share = Rate::new(share.units().saturating_add(self.step.units()))?.min(Rate::ONE);
            let gone = maintenance.mul_rate(share, Round::Down);
            let penalty = gone.mul_rate(self.penalty, Round::Down);
            let closed = ParadexClosed { share, penalty, equity: equity - penalty, maintenance: maintenance - gone };
            if closed.maintenance < closed.equity.mul_rate(self.until, Round::Down) || share == Rate::ONE {
                return Some(closed);
            }
        }
    }
}
