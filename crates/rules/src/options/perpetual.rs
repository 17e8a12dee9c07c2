//! Perpetual (everlasting) options: long pays short (mark − payoff) ÷ period, continuously, for as long as it is held.

use super::numeric::{exp, ln_ratio, sqrt};
use super::{OptionError, OptionPair, OptionTerms, YEARS_MAX, checked_pair, checked_volatility};

/// What a perpetual option's value hangs on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerpetualOption {
    /// Price of the underlying.
    pub spot: f64,
    /// Strike.
    pub strike: f64,
    /// Per √year.
    pub volatility: f64,
    /// Funding period: the time in which the whole of mark − payoff is paid, years.
    pub period: f64,
    /// Interest per year; zero for the plain form.
    pub rate: f64,
}

/// The parts of a value: V = linear part + part × (S ÷ K)^λ on the side of the strike where S is.
#[derive(Clone, Copy)]
struct Parts {
    above: bool,
    /// K ÷ (1 + r T).
    forward_strike: f64,
    exponent: f64,
    log: f64,
    factor: f64,
    /// factor × (S ÷ K)^exponent.
    power: f64,
    root: f64,
}

impl PerpetualOption {
    /// Whether there is a value.
    fn check(&self) -> Result<(), OptionError> {
        checked_pair(self.spot, self.strike)?;
        checked_volatility(self.volatility)?;
        if !(self.period > 0.0 && self.period <= YEARS_MAX) {
            return Err(OptionError::Time);
        }
        if !(-1.0..=1.0).contains(&self.rate) || 1.0 + self.rate * self.period < 1e-3 {
            return Err(OptionError::Rate);
        }
        Ok(())
    }

    /// λ± = ((1 − x) ± √((1 + x)² + 8 ÷ (σ²T))) ÷ 2 with x = 2r ÷ σ²; K' = K ÷ (1 + rT); b = (K − (K − K') λ₊) ÷ (λ₊ − λ₋), a = K − K' + b.
    /// Below the strike C = a (S ÷ K)^λ₊, above it C = S − K' + b (S ÷ K)^λ₋.
    #[inline(always)]
    fn parts(&self) -> Parts {
        let x = 2.0 * self.rate / (self.volatility * self.volatility);
        self.parts_with(x, self.strike / (1.0 + self.rate * self.period))
    }

    /// The same, when x and K' are known.
    #[inline(always)]
    fn parts_with(&self, x: f64, forward_strike: f64) -> Parts {
        let square = self.volatility * self.volatility;
        let root = sqrt((1.0 + x) * (1.0 + x) + 8.0 / (square * self.period));
        let upper = 0.5 * ((1.0 - x) + root);
        let lower = 0.5 * ((1.0 - x) - root);
        let gap = self.strike - forward_strike;
        let below_factor = (self.strike - gap * upper) / root;
        let above = self.spot >= self.strike;
        let (exponent, factor) = if above { (lower, below_factor) } else { (upper, gap + below_factor) };
        let log = ln_ratio(self.spot, self.strike);
        Parts { above, forward_strike, exponent, log, factor, power: factor * exp(exponent * log), root }
    }

    #[inline(always)]
    fn values(&self, p: &Parts) -> OptionPair {
        let linear = self.spot - p.forward_strike;
        let (call, put) = if p.above { (linear + p.power, p.power) } else { (p.power, p.power - linear) };
        OptionPair { call, put }
    }

    /// What call and put are worth.
    ///
    /// S = K = 60,000, σ = 60 %, T = 7 days: 1,761.865594622152 both. Source: Paradigm 2021; Deri and Paradex for interest;
    /// `options-and-portfolio.md` 2.2 and 2.3. At a volatility of zero both are what is paid for at once: max(S − K', 0) and max(K' − S, 0).
    ///
    /// # Errors
    /// [`OptionError`] says which input.
    pub fn value(&self) -> Result<OptionPair, OptionError> {
        self.check()?;
        if self.is_certain() {
            return Ok(self.certain().value);
        }
        Ok(self.values(&self.parts()))
    }

    /// Values and greeks.
    ///
    /// delta = λ × power part ÷ S, and 1 more for the call above the strike, 1 less for the put below; gamma = λ (λ − 1) × power part ÷ S²;
    /// vega by the chain rule over λ and the factors.
    ///
    /// # Errors
    /// [`OptionError`] says which input.
    pub fn terms(&self) -> Result<OptionTerms, OptionError> {
        self.check()?;
        if self.is_certain() {
            return Ok(self.certain());
        }
        let p = self.parts();
        let slope = p.exponent * p.power / self.spot;
        let delta = if p.above {
            OptionPair { call: 1.0 + slope, put: slope }
        } else {
            OptionPair { call: slope, put: slope - 1.0 }
        };
        let gamma = p.exponent * (p.exponent - 1.0) * p.power / (self.spot * self.spot);
        Ok(OptionTerms { value: self.values(&p), delta, gamma, vega: self.vega(&p) })
    }

    fn vega(&self, p: &Parts) -> f64 {
        let square = self.volatility * self.volatility;
        let x = 2.0 * self.rate / square;
        let x_slope = -x / square;
        let root_slope = ((1.0 + x) * x_slope - 4.0 / (square * square * self.period)) / p.root;
        let upper_slope = 0.5 * (root_slope - x_slope);
        let lower_slope = 0.5 * (-x_slope - root_slope);
        let gap = self.strike - p.forward_strike;
        let below_factor = if p.above { p.factor } else { p.factor - gap };
        let factor_slope = (-gap * upper_slope - below_factor * root_slope) / p.root;
        let exponent_slope = if p.above { lower_slope } else { upper_slope };
        let by_square = p.power * (factor_slope / p.factor + exponent_slope * p.log);
        2.0 * self.volatility * by_square
    }

    /// Funding that a holder pays per year: (value − payoff) ÷ period. Negative where interest makes the value less than the payoff:
    /// then the short pays. Without interest it is ½ σ² S² gamma.
    ///
    /// # Errors
    /// [`OptionError`] says which input.
    pub fn funding(&self) -> Result<OptionPair, OptionError> {
        let OptionPair { call, put } = self.value()?;
        let intrinsic = self.spot - self.strike;
        Ok(OptionPair {
            call: (call - intrinsic.max(0.0)) / self.period,
            put: (put - (-intrinsic).max(0.0)) / self.period,
        })
    }

    /// Without volatility, or with so little that no digit of a price shows it.
    fn is_certain(&self) -> bool {
        self.volatility * self.volatility * self.period < 1e-16
    }

    fn certain(&self) -> OptionTerms {
        let linear = self.spot - self.strike / (1.0 + self.rate * self.period);
        let value = OptionPair { call: linear.max(0.0), put: (-linear).max(0.0) };
        let delta =
            if linear >= 0.0 { OptionPair { call: 1.0, put: 0.0 } } else { OptionPair { call: 0.0, put: -1.0 } };
        OptionTerms { value, delta, gamma: 0.0, vega: 0.0 }
    }
}

/// Values of many options without interest, as [`PerpetualOption::value`] gives them to the bit, side by side. The five slices are of one
/// length, or nothing beyond the shortest is done; how many were done is given.
///
/// Inputs are not checked: one that `value` refuses gives a number without meaning, and harms no other.
pub fn perpetual_prices(
    spot: &[f64],
    strike: &[f64],
    volatility: &[f64],
    period: &[f64],
    values: &mut [OptionPair],
) -> usize {
    let rows = spot.iter().zip(strike).zip(volatility.iter().zip(period)).zip(values);
    let mut done = 0;
    for (((spot, strike), (volatility, period)), value) in rows {
        let option =
            PerpetualOption { spot: *spot, strike: *strike, volatility: *volatility, period: *period, rate: 0.0 };
        // Without interest x is zero and K' is K: two divisions less, and the same bits.
        *value = option.values(&option.parts_with(0.0, option.strike));
        done += 1;
    }
    done
}
