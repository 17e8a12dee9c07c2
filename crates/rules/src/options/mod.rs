//! Prices, greeks and implied volatility of options: dated ones (Black-76) and perpetual ones (continuously funded).
//!
//! The only floating point of this workspace. Results are the same to the bit on every machine ([`numeric`]) and become state only through
//! [`to_price`], [`to_nearest_price`] and [`to_money`], which say how they round and refuse what is no number. Prices are counted in
//! units of [`Price`] (1e-8 quote), volatility and interest per √year and per year as plain ratios (0.6 is 60 %), time in years
//! of 365 days. Formulas, sources and error bounds: `docs/options.md`. Knows no positions, funding payments or accounts.

mod batch;
mod black;
mod grid;
mod implied;
mod mark;
pub mod numeric;
mod perpetual;

pub use batch::{DatedColumns, PerpetualColumns, dated_prices, perpetual_prices};
pub use black::{Dated, DatedGreeks, DatedTerms};
pub use grid::{to_money, to_nearest_price, to_price, to_rate};
pub use mark::{MarkGreeks, OptionModel, VOLATILITY_RANGE};
pub use perpetual::{Perpetual, PerpetualGreeks, PerpetualTerms};

use core::fmt;
use serde::{Deserialize, Serialize};
use units::{Price, Rate};

/// Nanoseconds of a year of 365 days, which venues count options in (Deribit, Derive, Paradex).
pub const YEAR_NS: i64 = 31_536_000_000_000_000;
/// Volatility below 0.1 % is refused.
pub const VOLATILITY_MIN: f64 = 0.001;
/// Volatility above 2,000 % is refused.
pub const VOLATILITY_MAX: f64 = 20.0;
/// An expiry or a funding period of less than a minute is refused.
pub const YEARS_MIN: f64 = 1.0 / 525_600.0;
/// An expiry or a funding period of more than ten years is refused.
pub const YEARS_MAX: f64 = 10.0;
/// Spot or forward and strike may be so many times apart.
pub const MONEYNESS_MAX: f64 = 1e6;
/// Interest beyond 100 % a year either way is refused.
pub const INTEREST_MAX: f64 = 1.0;
/// Prices of what options are on are between this and its inverse, whatever they are counted in.
const AMOUNT_MIN: f64 = 1e-20;
const AMOUNT_MAX: f64 = 1e20;

/// What an option gives its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// To buy at the strike: pays max(spot − strike, 0).
    Call,
    /// To sell at the strike: pays max(strike − spot, 0).
    Put,
}

/// Why an option has no price, or a price no volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptionError {
    /// Spot or forward is zero, negative or no number.
    SpotNotPositive,
    /// The strike is zero, negative or no number.
    StrikeNotPositive,
    /// Spot and strike are more than [`MONEYNESS_MAX`] times apart, or outside what a price can be.
    MoneynessOutOfRange,
    /// Volatility zero: the option is worth its payoff, and the caller should say so.
    VolatilityZero,
    /// Volatility below zero.
    VolatilityNegative,
    /// Volatility outside [`VOLATILITY_MIN`] to [`VOLATILITY_MAX`], or no number.
    VolatilityOutOfRange,
    /// The expiry is now: the option is worth its payoff.
    ExpiryNow,
    /// The expiry is in the past.
    ExpiryPast,
    /// Less than [`YEARS_MIN`] or more than [`YEARS_MAX`] to the expiry.
    ExpiryOutOfRange,
    /// The funding period is zero or negative.
    PeriodNotPositive,
    /// The funding period is outside [`YEARS_MIN`] to [`YEARS_MAX`].
    PeriodOutOfRange,
    /// Interest beyond [`INTEREST_MAX`], or so negative that interest × period is below −0.9, or no number.
    InterestOutOfRange,
    /// The discount factor is not above 0 and at most 10⁵.
    DiscountOutOfRange,
    /// No volatility gives a price as low as this: it is at or below that of [`VOLATILITY_MIN`], or of payoff and parity.
    PriceTooLow,
    /// No volatility up to [`VOLATILITY_MAX`] gives a price as high as this.
    PriceTooHigh,
    /// A result is infinite or no number.
    NotFinite,
    /// The tick of the price grid is zero or negative.
    TickNotPositive,
    /// A result does not fit into its type.
    ResultOutOfRange,
    /// Columns of a batch have different lengths.
    LengthsDiffer,
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpotNotPositive => "spot or forward must be above 0",
            Self::StrikeNotPositive => "the strike must be above 0",
            Self::MoneynessOutOfRange => "spot and strike must be at most 1,000,000 times apart",
            Self::VolatilityZero => "volatility is 0: the option is worth its payoff",
            Self::VolatilityNegative => "volatility must be above 0",
            Self::VolatilityOutOfRange => "volatility must be from 0.1 % to 2,000 %",
            Self::ExpiryNow => "the option expires now: it is worth its payoff",
            Self::ExpiryPast => "the expiry is in the past",
            Self::ExpiryOutOfRange => "the expiry must be from one minute to ten years away",
            Self::PeriodNotPositive => "the funding period must be above 0",
            Self::PeriodOutOfRange => "the funding period must be from one minute to ten years",
            Self::InterestOutOfRange => "interest must be within 100 % a year, and interest × period above -0.9",
            Self::DiscountOutOfRange => "the discount factor must be above 0 and at most 100,000",
            Self::PriceTooLow => "no volatility gives a price as low as this",
            Self::PriceTooHigh => "no volatility gives a price as high as this",
            Self::NotFinite => "the result is infinite or no number",
            Self::TickNotPositive => "the tick must be above 0",
            Self::ResultOutOfRange => "the result does not fit",
            Self::LengthsDiffer => "columns of a batch must have the same length",
        })
    }
}

impl core::error::Error for OptionError {}

/// Units of a price as a double: exact below 2⁵³ (90 million quote), else rounded to nearest.
fn price_units(price: Price) -> f64 {
    price.units() as f64 // tidy: cast — i64 to f64 rounds to nearest, the same everywhere
}

/// A rate as a plain ratio, rounded to nearest.
fn ratio(rate: Rate) -> f64 {
    rate.units() as f64 / 1e9 // tidy: cast — |units| ≤ 1e11 is exact
}

/// Nanoseconds as years of 365 days.
fn years(ns: i64) -> f64 {
    ns as f64 / YEAR_NS as f64 // tidy: cast — i64 to f64 rounds to nearest, the same everywhere
}

/// Spot or forward, strike and volatility that can be priced.
#[inline(always)]
fn common_domain(spot: f64, strike: f64, volatility: f64) -> bool {
    amounts_domain(spot, strike) & (VOLATILITY_MIN..=VOLATILITY_MAX).contains(&volatility)
}

/// The strike is between 1e-26 and 1e26 then.
#[inline(always)]
fn amounts_domain(spot: f64, strike: f64) -> bool {
    let near = (spot <= MONEYNESS_MAX * strike) & (strike <= MONEYNESS_MAX * spot);
    (AMOUNT_MIN..=AMOUNT_MAX).contains(&spot) & near
}

#[inline(always)]
fn years_domain(years: f64) -> bool {
    (YEARS_MIN..=YEARS_MAX).contains(&years)
}

fn check_amounts(spot: f64, strike: f64) -> Result<(), OptionError> {
    match (spot > 0.0, strike > 0.0) {
        (false, _) => Err(OptionError::SpotNotPositive),
        (_, false) => Err(OptionError::StrikeNotPositive),
        _ if !amounts_domain(spot, strike) => Err(OptionError::MoneynessOutOfRange),
        _ => Ok(()),
    }
}

fn check_volatility(volatility: f64) -> Result<(), OptionError> {
    if volatility == 0.0 {
        Err(OptionError::VolatilityZero)
    } else if volatility < 0.0 {
        Err(OptionError::VolatilityNegative)
    } else if (VOLATILITY_MIN..=VOLATILITY_MAX).contains(&volatility) {
        Ok(())
    } else {
        Err(OptionError::VolatilityOutOfRange)
    }
}

/// `x` above 0, else 0; exact and without a branch.
#[inline(always)]
fn or_zero(x: f64) -> f64 {
    0.5 * (x + x.abs())
}

/// What an option pays when it is exercised: max(spot − strike, 0) of a call, max(strike − spot, 0) of a put.
///
/// The value of an option without volatility or at its expiry. A call of strike 100 at 110 pays 10.
#[must_use]
pub fn payoff(right: Right, spot: f64, strike: f64) -> f64 {
    match right {
        Right::Call => or_zero(spot - strike),
        Right::Put => or_zero(strike - spot),
    }
}
