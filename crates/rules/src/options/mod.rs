//! Prices and greeks of dated and perpetual options. The only binary floating point of the engine: what comes out is rounded to a price
//! ([`option_price`]) before anything keeps it. Which operations there are, and in which order, is fixed, so that every machine gives
//! the same bits (`numeric.rs`).
//!
//! Units: prices in quote per unit of the underlying; volatility per √year (0.6 is 60 %); times in years of 365 days; rates per
//! year. Greeks are of one option on one unit.

mod black;
mod implied;
mod numeric;
mod perpetual;

pub use black::DatedOption;
pub use implied::Quoted;
pub use perpetual::{PerpetualOption, perpetual_prices};

use core::fmt;
use units::{Price, Round};

/// The highest volatility that is taken, per √year.
pub const VOLATILITY_MAX: f64 = 10.0;

/// The most that spot and strike may differ by, as a ratio.
pub const MONEYNESS_MAX: f64 = 1e6;

/// The longest time, years.
pub const YEARS_MAX: f64 = 10.0;

/// Why there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionError {
    /// The underlying's price is not above zero, or no number.
    Underlying,
    /// The strike is not above zero, or no number.
    Strike,
    /// One of them is more than [`MONEYNESS_MAX`] times the other.
    Moneyness,
    /// Volatility is below zero, above [`VOLATILITY_MAX`], or no number.
    Volatility,
    /// The expiry is in the past, the funding period not above zero, one of them above [`YEARS_MAX`], or no number.
    Time,
    /// The discount is not above zero, or above 10; or the rate is beyond 100 % a year either way.
    Rate,
    /// The price is below what no volatility goes below, or above what none reaches.
    NoVolatility,
    /// The value is below zero, no number, or too large for a price.
    OutOfRange,
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Underlying => "the price of the underlying has to be above zero",
            Self::Strike => "a strike has to be above zero",
            Self::Moneyness => "price and strike differ by more than a million times",
            Self::Volatility => "a volatility is from 0 to 1,000 %",
            Self::Time => "a time to expiry is not in the past, a funding period above zero, both at most ten years",
            Self::Rate => "a rate is from −100 % to 100 %, a discount above 0 and at most 10",
            Self::NoVolatility => "no volatility gives this price",
            Self::OutOfRange => "a value that is no price",
        })
    }
}

impl core::error::Error for OptionError {}

/// Calls or puts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

/// A call and a put of the same strike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptionPair {
    /// Of the call.
    pub call: f64,
    /// Of the put.
    pub put: f64,
}

impl OptionPair {
    /// Of one of them.
    #[must_use]
    pub fn of(&self, kind: OptionKind) -> f64 {
        match kind {
            OptionKind::Call => self.call,
            OptionKind::Put => self.put,
        }
    }
}

/// Values and greeks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptionTerms {
    /// What they are worth.
    pub value: OptionPair,
    /// Change of value per unit of the underlying's price.
    pub delta: OptionPair,
    /// Change of delta per unit; the same for both.
    pub gamma: f64,
    /// Change of value per 1.00 of volatility; the same for both.
    pub vega: f64,
}

/// The smallest price that is not below a value (`Up`), or the largest not above (`Down`, `TowardZero`), in steps of a tick.
///
/// 1,761.8655946 at a tick of 0.5 is 1,761.5 down and 1,762 up.
///
/// # Errors
/// [`OptionError::OutOfRange`] for a value below zero, infinite or no number, and for one beyond a price; a tick of zero.
pub fn option_price(value: f64, tick: Price, round: Round) -> Result<Price, OptionError> {
    const UNITS: f64 = 1e8;
    const LIMIT: f64 = 9e15; // counts up to here are whole numbers of their own
    let step = tick.units();
    if !(value >= 0.0 && value * UNITS < LIMIT) || step <= 0 {
        return Err(OptionError::OutOfRange);
    }
    let (whole, more) = whole(value * UNITS);
    let whole = i64::try_from(whole).map_err(|_| OptionError::OutOfRange)?;
    let (steps, left) = (whole / step, whole % step);
    let up = match round {
        Round::Down | Round::TowardZero => false,
        Round::Up => left > 0 || more,
    };
    let units = (steps + i64::from(up)).checked_mul(step).ok_or(OptionError::OutOfRange)?;
    Price::new(units).ok_or(OptionError::OutOfRange)
}

/// The whole part of a number from zero to 2^53, from its bits, and whether there is more.
fn whole(x: f64) -> (u64, bool) {
    let (bits, hidden) = (x.to_bits(), 1_u64 << 52);
    let exponent = bits >> 52;
    if exponent < 1023 {
        return (0, x > 0.0);
    }
    let mantissa = (bits & (hidden - 1)) | hidden;
    let shift = 1075_u64.saturating_sub(exponent);
    let whole = mantissa >> shift;
    (whole, whole << shift != mantissa)
}

/// Price and strike, as every option has them.
fn checked_pair(underlying: f64, strike: f64) -> Result<(), OptionError> {
    let good = |x: f64| x.is_finite() && x >= 1e-12;
    if !good(underlying) || underlying > 1e15 {
        return Err(OptionError::Underlying);
    }
    if !good(strike) || strike > 1e15 {
        return Err(OptionError::Strike);
    }
    if underlying > strike * MONEYNESS_MAX || strike > underlying * MONEYNESS_MAX {
        return Err(OptionError::Moneyness);
    }
    Ok(())
}

fn checked_volatility(volatility: f64) -> Result<(), OptionError> {
    if (0.0..=VOLATILITY_MAX).contains(&volatility) { Ok(()) } else { Err(OptionError::Volatility) }
}
