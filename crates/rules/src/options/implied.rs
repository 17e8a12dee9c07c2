//! The volatility that gives a price: Newton's steps on logarithms, held inside a bracket. Knows no kind of option.

use super::numeric::{exp, ln_ratio, sqrt};
use super::{OptionError, VOLATILITY_MAX, VOLATILITY_MIN};

/// Prices are asked for nine times on average, 47 at most in the test below; at worst Newton's steps and halvings of the bracket take turns, a hundred in all.
const STEPS_MAX: usize = 200;
/// A value as near to the target as rounding lets it come.
const NEAR: f64 = 4.0 * f64::EPSILON;

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
    // The nearest so far and its distance, |ln (target / value)|; that of the step before.
    let (mut nearest, mut least, mut before) = (volatility, f64::INFINITY, f64::INFINITY);
    for _ in 0..STEPS_MAX {
        let (value, slope) = value_and_slope(volatility);
        let log = if value >= f64::MIN_POSITIVE { ln_ratio(target, value) } else { f64::INFINITY };
        let distance = log.abs();
        if distance < least {
            (nearest, least) = (volatility, distance);
        }
        if log > 0.0 {
            low = volatility;
        } else {
            high = volatility;
        }
        let step = log * value / (slope * volatility);
        if distance <= NEAR || step.abs() <= f64::EPSILON || high - low <= f64::EPSILON * low {
            break;
        }
        let newton = volatility * exp(step);
        let good = distance <= 0.5 * before && newton > low && newton < high;
        (volatility, before) = (if good { newton } else { sqrt(low * high) }, distance);
    }
    Ok(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Dated, DatedTerms, Perpetual, PerpetualTerms, Right};
    use core::cell::Cell;

    /// How often a price is asked for until its volatility is found.
    fn steps(value_and_slope: impl Fn(f64) -> (f64, f64), volatility: f64) -> usize {
        let count = Cell::new(0);
        let counted = |volatility| {
            count.set(count.get() + 1);
            value_and_slope(volatility)
        };
        let (target, _) = value_and_slope(volatility);
        assert!(solve(target, counted).is_ok());
        count.get()
    }

    #[test]
    fn volatility_is_found_in_few_steps() {
        let (mut all, mut cases, mut most) = (0, 0, 0);
        for spot in [1.0, 30.0, 80.0, 99.0, 100.0, 101.0, 125.0, 400.0, 10_000.0] {
            for years in [1.0 / 8760.0, 1.0 / 365.0, 7.0 / 365.0, 0.25, 1.0] {
                for volatility in [0.01, 0.1, 0.3, 0.6, 1.0, 2.0, 5.0] {
                    let right = if spot < 100.0 { Right::Call } else { Right::Put };
                    let perpetual = |volatility| {
                        let terms = PerpetualTerms { spot, strike: 100.0, volatility, period: years, interest: 0.0 };
                        let option: Perpetual = terms.check().unwrap();
                        (option.time_value(right), option.greeks(right).vega)
                    };
                    let dated = |volatility| {
                        let terms = DatedTerms { forward: spot, strike: 100.0, volatility, years, discount: 1.0 };
                        let option: Dated = terms.check().unwrap();
                        (option.price(right), option.greeks(right).vega)
                    };
                    for (value, steps) in [
                        (perpetual(volatility).0, steps(perpetual, volatility)),
                        (dated(volatility).0, steps(dated, volatility)),
                    ] {
                        // Below, the price says next to nothing and every volatility gives nearly the same.
                        if value > 1e-12 {
                            (all, cases, most) = (all + steps, cases + 1, most.max(steps));
                        }
                    }
                }
            }
        }
        assert!(cases > 300, "{cases}");
        assert!(all <= 10 * cases && most <= 60, "{all} steps in {cases} cases, at most {most}");
    }
}
