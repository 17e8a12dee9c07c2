//! Deribit's portfolio margin: cells in the coin, gains cut before the worst is taken, roll and delta shocks. Integers only.
//! Source: replies of its API (private/pme/simulate), by which the rule was inferred.

use super::PortfolioError;
use alloc::vec::Vec;
use units::{Money, Rate, Round, mul_div};

/// The parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PmeRules {
    /// The largest undamped move.
    pub price_range: Rate,
    /// Price cells on each side.
    pub buckets: u8,
    /// What counts of the gains of a cell, all positions added up: 0 segregated.
    pub gains: Rate,
    /// Of all, to stay open.
    pub maintenance: Rate,
    /// Of each |delta| at least …
    pub roll_least: Rate,
    /// … and this for a year to its expiry.
    pub roll_per_year: Rate,
    /// Of net delta, at most.
    pub delta_shock_most: Rate,
    /// Net delta up to this much, in quote, needs no delta shock.
    pub delta_threshold: Money,
}

/// A position: its delta in the coin, + long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PmePosition {
    /// In the coin.
    pub delta: Money,
    /// To the expiry; 0 of a perpetual.
    pub left_ns: i64,
}

/// What an account needs, in the coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PmeTerms {
    /// Results by price move, from the lowest.
    pub cells: Vec<Money>,
    /// The same with gains cut.
    pub aggregated: Vec<Money>,
    /// The largest loss.
    pub worst: Money,
    /// Σ |delta| × max(least, per year × years).
    pub roll_shock: Money,
    /// For a net delta above the threshold.
    pub delta_shock: Money,
    /// worst + both shocks.
    pub risk_matrix: Money,
    /// risk_matrix + open orders and market maker protection.
    pub initial: Money,
    /// risk_matrix × share.
    pub maintenance: Money,
}

impl PmeRules {
    /// The margin of linear positions in an inverse market: at a move of m a delta gains delta × m ÷ (1 + m) coins.
    ///
    /// 0.314538364 BTC at −16 %: −0.0599120693. Above the threshold the whole `delta_shock_most` is charged: the published slope is not known,
    /// and this is its upper bound.
    ///
    /// # Errors
    /// [`PortfolioError::GridEmpty`] without buckets, [`PortfolioError::MoveOutOfRange`], [`PortfolioError::PriceMissing`],
    /// [`PortfolioError::ResultOutOfRange`].
    pub fn margin(
        &self,
        index: units::Price,
        positions: &[PmePosition],
        initial_only: Money,
    ) -> Result<PmeTerms, PortfolioError> {
        if self.buckets == 0 {
            return Err(PortfolioError::GridEmpty);
        }
        if !self.price_range.is_positive() || self.price_range >= Rate::ONE {
            return Err(PortfolioError::MoveOutOfRange(0));
        }
        if !index.is_positive() {
            return Err(PortfolioError::PriceMissing);
        }
        let buckets = i64::from(self.buckets);
        let cells = (-buckets..=buckets).map(|bucket| self.cell(bucket, positions));
        let cells: Vec<Money> = cells.collect::<Option<_>>().ok_or(PortfolioError::ResultOutOfRange)?;
        let cut = |cell: &Money| if cell.is_positive() { cell.mul_rate(self.gains, Round::Down) } else { *cell };
        let aggregated: Vec<Money> = cells.iter().map(cut).collect();
        let worst = Money::ZERO - aggregated.iter().copied().fold(Money::ZERO, Money::min);
        let roll_shock =
            positions.iter().map(|one| self.roll(one)).try_fold(Money::ZERO, |sum, one| sum.checked_add(one?));
        let roll_shock = roll_shock.ok_or(PortfolioError::ResultOutOfRange)?;
        let net = positions.iter().try_fold(Money::ZERO, |sum, one| sum.checked_add(one.delta));
        let net = net.ok_or(PortfolioError::ResultOutOfRange)?.abs();
        let in_quote = net.at_index(index, Rate::ONE, Round::Up).ok_or(PortfolioError::ResultOutOfRange)?;
        let shocked = if in_quote > self.delta_threshold { self.delta_shock_most } else { Rate::ZERO };
        let delta_shock = net.mul_rate(shocked, Round::Up);
        let risk_matrix = worst + roll_shock + delta_shock;
        let (initial, maintenance) = (risk_matrix + initial_only, risk_matrix.mul_rate(self.maintenance, Round::Up));
        Ok(PmeTerms { cells, aggregated, worst, roll_shock, delta_shock, risk_matrix, initial, maintenance })
    }

    /// Σ delta × m ÷ (1 + m), down, with m = range × bucket ÷ buckets.
    fn cell(&self, bucket: i64, positions: &[PmePosition]) -> Option<Money> {
        let moved = i128::from(self.price_range.units()).checked_mul(i128::from(bucket))?;
        let whole = 1_000_000_000_i128.checked_mul(i128::from(self.buckets))?;
        positions.iter().try_fold(Money::ZERO, |sum, one| {
            let units = mul_div(one.delta.units(), moved, whole.checked_add(moved)?, Round::Down)?;
            sum.checked_add(Money::new(units)?)
        })
    }

    fn roll(&self, position: &PmePosition) -> Option<Money> {
        let year = i128::from(crate::options::YEAR_NS);
        let left = i128::from(position.left_ns.max(0));
        let grown = mul_div(i128::from(self.roll_per_year.units()), left, year, Round::Up)?;
        let rate = Rate::new(i64::try_from(grown.max(i128::from(self.roll_least.units()))).ok()?)?;
        Some(position.delta.abs().mul_rate(rate, Round::Up))
    }
}
