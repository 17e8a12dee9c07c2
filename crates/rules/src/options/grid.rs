//! From a double to the integers of state, on a grid and in a stated direction. Knows no formula.

use super::OptionError;
use units::{Money, Price, Rate, Round, div_round};

/// A price counted in 1e-8 quote onto the multiple of `tick` in the direction said, exactly.
///
/// 176186559462.2 (1,761.865594622) on a tick of 0.1 is 1,761.8 down and 1,761.9 up.
///
/// # Errors
/// [`OptionError::NotFinite`], [`OptionError::TickNotPositive`], [`OptionError::ResultOutOfRange`].
pub fn to_price(value: f64, tick: Price, round: Round) -> Result<Price, OptionError> {
    if !tick.is_positive() {
        return Err(OptionError::TickNotPositive);
    }
    let units = i64::try_from(integer(value, 1, round)?).map_err(|_| OptionError::ResultOutOfRange)?;
    let price = Price::new(units).ok_or(OptionError::ResultOutOfRange)?;
    price.to_tick(tick, round).ok_or(OptionError::ResultOutOfRange)
}

/// As [`to_price`], onto the nearest multiple of `tick`, the upper of two that are equally near.
///
/// # Errors
/// As [`to_price`].
pub fn to_nearest_price(value: f64, tick: Price) -> Result<Price, OptionError> {
    let lower = to_price(value, tick, Round::Down)?;
    let upper = to_price(value, tick, Round::Up)?;
    let twice = integer(value + value, 1, Round::Down)?;
    let sum = i128::from(lower.units()).saturating_add(i128::from(upper.units()));
    Ok(if twice >= sum { upper } else { lower })
}

/// A price counted in 1e-8 quote as money per contract, in 1e-16 quote, rounded as said.
///
/// # Errors
/// [`OptionError::NotFinite`], [`OptionError::ResultOutOfRange`].
pub fn to_money(value: f64, round: Round) -> Result<Money, OptionError> {
    Money::new(integer(value, 100_000_000, round)?).ok_or(OptionError::ResultOutOfRange)
}

/// A ratio (a volatility, a delta) as a rate, in 1e-9, rounded as said.
///
/// # Errors
/// [`OptionError::NotFinite`], [`OptionError::ResultOutOfRange`].
pub fn to_rate(value: f64, round: Round) -> Result<Rate, OptionError> {
    let units = i64::try_from(integer(value, 1_000_000_000, round)?).map_err(|_| OptionError::ResultOutOfRange)?;
    Rate::new(units).ok_or(OptionError::ResultOutOfRange)
}

/// `value × times` as an integer: the double is taken apart, so that only the direction said rounds. `times` is below 2³¹.
fn integer(value: f64, times: i128, round: Round) -> Result<i128, OptionError> {
    const FRACTION: u64 = (1 << 52) - 1;
    if !value.is_finite() {
        return Err(OptionError::NotFinite);
    }
    let bits = value.to_bits();
    let biased = (bits >> 52) & 2047;
    let (fraction, exponent) = match biased {
        0 => (bits & FRACTION, 1),
        _ => ((bits & FRACTION) | (1 << 52), biased),
    };
    // |value × times| = product × 2^(exponent − 1075), and the product is below 2⁸⁴.
    let product = i128::from(fraction).saturating_mul(times);
    let signed = if value < 0.0 { product.saturating_neg() } else { product };
    if let Some(left) = exponent.checked_sub(1075) {
        let factor = u32::try_from(left).ok().filter(|left| *left <= 42).and_then(|left| 1_i128.checked_shl(left));
        return factor.map(|factor| signed.saturating_mul(factor)).ok_or(OptionError::ResultOutOfRange);
    }
    let right = 1075_u64.saturating_sub(exponent);
    let divisor = u32::try_from(right).ok().filter(|right| *right <= 126).and_then(|right| 1_i128.checked_shl(right));
    // Smaller than any unit: only the sign matters.
    let (signed, divisor) = divisor.map_or((signed.signum(), 2), |divisor| (signed, divisor));
    div_round(signed, divisor, round).ok_or(OptionError::ResultOutOfRange)
}
