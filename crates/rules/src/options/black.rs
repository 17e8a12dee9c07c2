//! Dated options on a forward: Black's formula of 1976.

use super::numeric::{density, distribution, distribution_by_density, exp, ln_ratio, mills, sqrt};
use super::{OptionError, OptionPair, OptionTerms, YEARS_MAX, checked_pair, checked_volatility};

/// What a dated option's value hangs on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DatedOption {
    /// The forward of the expiry.
    pub forward: f64,
    /// Strike.
    pub strike: f64,
    /// Per √year.
    pub volatility: f64,
    /// To the expiry, years.
    pub time: f64,
    /// What one unit at the expiry is worth now.
    pub discount: f64,
}

impl DatedOption {
    fn check(&self) -> Result<(), OptionError> {
        checked_pair(self.forward, self.strike)?;
        checked_volatility(self.volatility)?;
        if !(self.time >= 0.0 && self.time <= YEARS_MAX) {
            return Err(OptionError::Time);
        }
        if !(self.discount > 0.0 && self.discount <= 10.0) {
            return Err(OptionError::Rate);
        }
        Ok(())
    }

    /// σ √t.
    fn spread(&self) -> f64 {
        self.volatility * sqrt(self.time)
    }

    /// What call and put are worth.
    ///
    /// D × (F Φ(d₁) − K Φ(d₂)), d₁ = ln(F ÷ K) ÷ (σ√t) + σ√t ÷ 2, d₂ = d₁ − σ√t; computed as intrinsic value and the value of what is
    /// out of the money, so that nothing cancels. F = 57,000, K = 60,000, σ = 55 %, 7 days: 665.2821255586. Source: Black 1976.
    ///
    /// # Errors
    /// [`OptionError`] says which input.
    pub fn value(&self) -> Result<OptionPair, OptionError> {
        self.check()?;
        Ok(self.values())
    }

    fn values(&self) -> OptionPair {
        let intrinsic = self.forward - self.strike;
        let outside = self.outside();
        let pair = OptionPair { call: intrinsic.max(0.0) + outside, put: (-intrinsic).max(0.0) + outside };
        OptionPair { call: self.discount * pair.call, put: self.discount * pair.put }
    }

    /// The one of the two that is out of the money, undiscounted.
    ///
    /// √(FK) φ(h) e^(−s²/8) (Y(h + s÷2) − Y(h − s÷2)) with s = σ√t, h = −|ln(F ÷ K)| ÷ s, Y = Φ ÷ φ. Where s is small the difference is
    /// its series in s, since Y' = 1 + hY.
    fn outside(&self) -> f64 {
        let s = self.spread();
        if s < 1e-9 {
            return 0.0;
        }
        let h = -ln_ratio(self.forward, self.strike).abs() / s;
        let t = 0.5 * s;
        if h < -37.0 {
            return 0.0; // below 1e-299 of the strike
        }
        let difference = if t < 0.05 {
            let y0 = mills(-h);
            let y1 = 1.0 + h * y0;
            let y2 = h * y1 + y0;
            let y3 = h * y2 + 2.0 * y1;
            let y4 = h * y3 + 3.0 * y2;
            let y5 = h * y4 + 4.0 * y3;
            let y6 = h * y5 + 5.0 * y4;
            let y7 = h * y6 + 6.0 * y5;
            let square = t * t;
            2.0 * t * (y1 + square * (y3 / 6.0 + square * (y5 / 120.0 + square * (y7 / 5_040.0))))
        } else {
            distribution_by_density(h + t) - distribution_by_density(h - t)
        };
        let factor = sqrt(self.forward) * sqrt(self.strike) * density(h) * exp(-0.5 * t * t);
        (factor * difference).max(0.0)
    }

    /// Values and greeks, discounted; delta and gamma by the forward.
    ///
    /// delta = D Φ(d₁) of the call, less D for the put; gamma = D φ(d₁) ÷ (F σ√t); vega = D F φ(d₁) √t.
    ///
    /// # Errors
    /// [`OptionError`] says which input.
    pub fn terms(&self) -> Result<OptionTerms, OptionError> {
        self.check()?;
        let value = self.values();
        let s = self.spread();
        let d = self.discount;
        if s < 1e-9 {
            let above = self.forward >= self.strike;
            let delta = if above { OptionPair { call: d, put: 0.0 } } else { OptionPair { call: 0.0, put: -d } };
            return Ok(OptionTerms { value, delta, gamma: 0.0, vega: 0.0 });
        }
        let d1 = ln_ratio(self.forward, self.strike) / s + 0.5 * s;
        let thick = density(d1);
        let delta = OptionPair { call: d * distribution(d1), put: -d * distribution(-d1) };
        let gamma = d * thick / (self.forward * s);
        Ok(OptionTerms { value, delta, gamma, vega: d * self.forward * thick * sqrt(self.time) })
    }

    /// Change of value per year as time passes, rate and forward held: D × (−F φ(d₁) σ ÷ (2√t)), for call and put alike, without the
    /// interest on the value itself. Zero at the expiry.
    ///
    /// # Errors
    /// [`OptionError`] says which input.
    pub fn theta(&self) -> Result<f64, OptionError> {
        let vega = self.terms()?.vega;
        Ok(if self.time > 0.0 { -vega * self.volatility / (2.0 * self.time) } else { 0.0 })
    }
}
