//! A scan in the manner of SPAN: sixteen scenarios, two of them extreme and in part, a short option minimum, spreads, credits and net option
//! value. The form is common knowledge of clearing houses, the numbers are a venue's. Integers only.

use super::{Damp, Grid, PortfolioError, Scenario, VolatilityMove, VolatilityShock};
use alloc::vec::Vec;
use units::{Money, Rate};

/// What the sixteen scenarios are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanRules {
    /// The largest ordinary move.
    pub price_range: Rate,
    /// Volatility up and down by this share of itself, at every expiry.
    pub volatility_range: Rate,
    /// The extreme move in ordinary ones: 2 or 3.
    pub extreme_times: u8,
    /// What counts of it: about a third.
    pub extreme_share: Rate,
}

/// What stands beside the scan, not negative but for the option value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanCharges {
    /// Between expiries of one underlying.
    pub calendar: Money,
    /// At delivery.
    pub delivery: Money,
    /// For what other underlyings offset.
    pub credit: Money,
    /// Of options sold.
    pub short_option_minimum: Money,
    /// Options at their value: + bought.
    pub option_value: Money,
}

/// What an account needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanMargin {
    /// Loss of the worst scenario.
    pub scanned: Money,
    /// max(scanned + calendar + delivery − credit, short option minimum).
    pub risk: Money,
    /// risk − option value, not below zero.
    pub required: Money,
}

impl SpanRules {
    /// Price by thirds of the range × volatility up and down, and the two extremes, from low to high.
    ///
    /// # Errors
    /// As [`Grid::new`].
    pub fn grid(&self) -> Result<Grid, PortfolioError> {
        let mut grid = Vec::new();
        let at = |thirds: i64| {
            let units = self.price_range.units().saturating_mul(thirds).checked_div(3).unwrap_or(0);
            Rate::new(units).ok_or(PortfolioError::MoveOutOfRange(0))
        };
        for thirds in -3..=3 {
            for volatility in [VolatilityMove::Up, VolatilityMove::Down] {
                grid.push(Scenario::new(at(thirds)?, volatility));
            }
        }
        for sign in [-3, 3] {
            let price = at(sign * i64::from(self.extreme_times))?;
            let damp = Damp::of(self.extreme_share);
            grid.push(Scenario { volatility: VolatilityMove::Unchanged, ..Scenario::tail(price, damp) });
        }
        Grid::new(grid)
    }

    /// The same share at every expiry.
    #[must_use]
    pub const fn volatility(&self) -> VolatilityShock {
        VolatilityShock {
            up: self.volatility_range,
            down: self.volatility_range,
            short_power: Rate::ZERO,
            long_power: Rate::ZERO,
            floor_ns: 0,
            least_up: Rate::ZERO,
        }
    }
}

/// The requirement, from the least result of the scan.
#[must_use]
pub fn span_margin(worst: Money, charges: &SpanCharges) -> SpanMargin {
    let scanned = (Money::ZERO - worst).max(Money::ZERO);
    let spread = scanned + charges.calendar + charges.delivery - charges.credit;
    let risk = spread.max(charges.short_option_minimum).max(Money::ZERO);
    SpanMargin { scanned, risk, required: (risk - charges.option_value).max(Money::ZERO) }
}
