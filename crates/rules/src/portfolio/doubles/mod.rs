//! Where scenarios meet doubles: volatility shocks, repricing, and Derive's formula, which prices inside. What leaves is integers.

mod pmrm2;
mod reprice;
mod shock;
mod surface;

pub use pmrm2::{
    CollateralRole, Pmrm2, Pmrm2Account, Pmrm2Basis, Pmrm2Charges, Pmrm2Collateral, Pmrm2Expiry, Pmrm2Option,
    Pmrm2Perpetual, Pmrm2Skew, Pmrm2Terms, SkewCap, StaticDiscount,
};
pub(super) use reprice::Pricer;
pub use shock::VolatilityShock;
pub use surface::{SurfaceFlag, SurfacePoint, surface_flags};

use crate::options::{DatedTerms, OptionError, Right, VOLATILITY_MAX, VOLATILITY_MIN, YEAR_NS, YEARS_MIN, payoff};
use units::{Price, Rate, Size};

/// Units of a price as a double: exact below 2⁵³ (90 million quote), else rounded to nearest.
fn price_units(price: Price) -> f64 {
    price.units() as f64 // tidy: cast — i64 to f64 rounds to nearest, the same everywhere
}

/// A rate as the double nearest to it.
fn ratio(rate: Rate) -> f64 {
    rate.units() as f64 / 1e9 // tidy: cast — |units| ≤ 1e11 is exact, the division rounds once
}

/// A size in contracts, rounded at most twice.
fn contracts(size: Size) -> f64 {
    size.units() as f64 / 1e8 // tidy: cast — i64 to f64 rounds to nearest, the same everywhere
}

/// Nanoseconds as years of 365 days.
fn years(ns: i64) -> f64 {
    ns as f64 / YEAR_NS as f64 // tidy: cast — i64 to f64 rounds to nearest, the same everywhere
}

/// A volatility as a surface gives it: above zero and not absurd.
fn volatility(rate: Rate) -> Result<f64, OptionError> {
    let volatility = ratio(rate);
    if volatility == 0.0 {
        Err(OptionError::VolatilityZero)
    } else if volatility < 0.0 {
        Err(OptionError::VolatilityNegative)
    } else if (VOLATILITY_MIN..=VOLATILITY_MAX).contains(&volatility) {
        Ok(volatility)
    } else {
        Err(OptionError::VolatilityOutOfRange)
    }
}

/// A dated option with a shocked volatility: below 0.1 %, or less than a minute before its expiry, it is worth its discounted payoff.
fn dated(right: Right, terms: DatedTerms) -> Result<f64, OptionError> {
    let DatedTerms { forward, strike, volatility, years, discount } = terms;
    if volatility < VOLATILITY_MIN || years < YEARS_MIN {
        return Ok(discount * payoff(right, forward, strike));
    }
    Ok(terms.check()?.price(right))
}
