//! The volatility that gives a price: Newton's steps on logarithms, held inside a bracket. Knows no kind of option.

use super::numeric::{exp, ln_ratio, sqrt};
use super::{OptionError, VOLATILITY_MAX, VOLATILITY_MIN};

/// Every step halves the bracket or is Newton's; fewer than twenty are usual.
const STEPS_MAX: usize = 200;

/// The volatility at which `value_and_slope` (rising, with its derivative) gives `target`.
///
/// Exact to a step or two of a double, or to what the price's own digits allow: its error is error of price / vega.
pub(super) fn solve(target: f64, value_and_slope: impl Fn(f64) -> (f64, f64)) -> Result<f64, OptionError> {
    if !target.is_finite() {
        return Err(OptionError::NotFinite);
    }
    let (mut low, mut high) = (VOLATILITY_MIN, VOLATILITY_MAX);
    if target < f64::MIN_POSITIVE || target < value_and_slope(low).0 {
        return Err(OptionError::PriceTooLow);
    }
    if target > value_and_slope(high).0 {
        return Err(OptionError::PriceTooHigh);
    }
    let mut volatility = sqrt(low * high);
    for _ in 0..STEPS_MAX {
        let (value, slope) = value_and_slope(volatility);
        if value == target {
            return Ok(volatility);
        }
        if value < target {
            low = volatility;
        } else {
            high = volatility;
        }
        let elasticity = slope * volatility / value;
        let step =
            if value >= f64::MIN_POSITIVE && elasticity > 0.0 { ln_ratio(target, value) / elasticity } else { 1e3 };
        let newton = volatility * exp(step);
        let next = if newton > low && newton < high { newton } else { sqrt(low * high) };
        let moved = if next > volatility { next - volatility } else { volatility - next };
        volatility = next;
        if moved <= f64::EPSILON * volatility {
            return Ok(volatility);
        }
    }
    Ok(volatility)
}
