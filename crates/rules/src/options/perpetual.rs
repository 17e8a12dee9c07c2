//! Perpetual options, funded continuously: the long pays (mark − payoff) per funding period. Knows no market and no position.
//!
//! Worth what a dated option is on average when its expiry is exponentially distributed with mean T; the closed form solves
//! ½σ²S²V″ + rSV′ − rV = (V − payoff) / T. Sources: White and Bankman-Fried, "Everlasting options" (Paradigm, 2021), for the
//! instrument; the documents of Paradex and the code of Deri for the integral; the roots are those of the equation itself, so that
//! σ² = 2r is not special.

use super::numeric::{exp_and_expm1_of_negative, exp_of_negative, inverse_root, ln_ratio, sqrt};
use super::{
    INTEREST_MAX, OptionError, Right, check_amounts, check_volatility, common_domain, implied, or_zero, payoff,
    price_units, ratio, years, years_domain,
};
use units::{Price, Rate};

/// What a perpetual option is priced from, as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerpetualTerms {
    /// Price of the underlying; any unit, which is that of strike and result.
    pub spot: f64,
    /// In the unit of the spot.
    pub strike: f64,
    /// Per √year; 0.6 is 60 %.
    pub volatility: f64,
    /// The funding period in years of 365 days.
    pub period: f64,
    /// Drift of the underlying and discount, per year; 0 without interest.
    pub interest: f64,
}

impl PerpetualTerms {
    /// Checked for pricing.
    ///
    /// # Errors
    /// What is outside the range that its [`OptionError`] names.
    pub fn check(self) -> Result<Perpetual, OptionError> {
        check_amounts(self.spot, self.strike)?;
        check_volatility(self.volatility)?;
        if self.period <= 0.0 {
            return Err(OptionError::PeriodNotPositive);
        }
        if !years_domain(self.period) {
            return Err(OptionError::PeriodOutOfRange);
        }
        let in_range = (-INTEREST_MAX..=INTEREST_MAX).contains(&self.interest);
        if !in_range || self.interest * self.period < -0.9 {
            return Err(OptionError::InterestOutOfRange);
        }
        Ok(Perpetual(self))
    }
}

/// A perpetual option, checked: call and put of one strike and funding period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Perpetual(PerpetualTerms);

/// How the price of a perpetual option changes, and what it pays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerpetualGreeks {
    /// Per unit of the spot.
    pub delta: f64,
    /// Change of delta per unit of the spot; the same for call and put.
    pub gamma: f64,
    /// Per 1.00 of volatility; the same for call and put.
    pub vega: f64,
    /// What the long pays the short per year: (price − payoff) / T. It stands for theta, the price itself does not decay. With
    /// interest it can be negative; without it is ½σ²S²Γ.
    pub funding: f64,
}

impl Perpetual {
    /// From units: prices in 1e-8 quote, the funding period in nanoseconds, interest per year. Results are counted in 1e-8 quote.
    ///
    /// # Errors
    /// As [`PerpetualTerms::check`].
    pub fn new(
        spot: Price,
        strike: Price,
        volatility: Rate,
        period_ns: i64,
        interest: Rate,
    ) -> Result<Self, OptionError> {
        let (spot, strike) = (price_units(spot), price_units(strike));
        let (volatility, period, interest) = (ratio(volatility), years(period_ns), ratio(interest));
        PerpetualTerms { spot, strike, volatility, period, interest }.check()
    }

    /// What it is priced from.
    #[must_use]
    pub const fn terms(&self) -> &PerpetualTerms {
        &self.0
    }

    /// The price, in the unit of the strike: payoff and [`Perpetual::time_value`].
    ///
    /// S = K = 60,000, σ 60 %, T = 7 days: u = 34.054811 and either price is K / u = 1,761.8656.
    #[must_use]
    pub fn price(&self, right: Right) -> f64 {
        let (call, put) = self.prices();
        match right {
            Right::Call => call,
            Right::Put => put,
        }
    }

    /// The prices of call and put, together for the cost of one.
    #[must_use]
    pub fn prices(&self) -> (f64, f64) {
        let PerpetualTerms { spot, strike, volatility, period, interest } = self.0;
        if interest == 0.0 {
            return plain_prices(spot, strike, plain_time_value(spot, strike, volatility, period));
        }
        let at = With::new(&self.0);
        (payoff(Right::Call, spot, strike) + at.call, payoff(Right::Put, spot, strike) + at.put)
    }

    /// Price − payoff: what the long pays per funding period. Not negative without interest.
    #[must_use]
    pub fn time_value(&self, right: Right) -> f64 {
        let PerpetualTerms { spot, strike, volatility, period, interest } = self.0;
        if interest == 0.0 {
            return plain_time_value(spot, strike, volatility, period);
        }
        let at = With::new(&self.0);
        match right {
            Right::Call => at.call,
            Right::Put => at.put,
        }
    }

    /// Derivatives of the price, and funding.
    #[must_use]
    pub fn greeks(&self, right: Right) -> PerpetualGreeks {
        let PerpetualTerms { spot, strike, volatility, period, .. } = self.0;
        let with = With::new(&self.0);
        let Roots { h, w, a, b, .. } = with.roots;
        let scaled = with.power * strike;
        let delta = match (with.below, right) {
            (true, Right::Call) => a / w * scaled / spot,
            (true, Right::Put) => a / w * scaled / spot - 1.0,
            (false, Right::Call) => 1.0 - b / w * scaled / spot,
            (false, Right::Put) => -(b / w * scaled / spot),
        };
        PerpetualGreeks {
            delta,
            gamma: h / w * scaled / (spot * spot),
            vega: 2.0 * h / (volatility * (w * w)) * (2.0 / w + with.distance) * scaled,
            funding: self.time_value(right) / period,
        }
    }

    /// The volatility of a price, all else as in `terms`, whose own volatility is not read.
    ///
    /// # Errors
    /// [`OptionError::PriceTooLow`] where not even [`super::VOLATILITY_MIN`] gives so little, [`OptionError::PriceTooHigh`];
    /// else as [`PerpetualTerms::check`].
    pub fn implied_volatility(terms: PerpetualTerms, right: Right, price: f64) -> Result<f64, OptionError> {
        let at = |volatility| PerpetualTerms { volatility, ..terms };
        at(1.0).check()?;
        let PerpetualTerms { spot, strike, period, interest, .. } = terms;
        // Out of the money all value is time value, without a difference of large numbers.
        let out = if spot < strike { Right::Call } else { Right::Put };
        let of_out = price - payoff(right, spot, strike);
        let strike_less = strike * (interest * period / (1.0 + interest * period));
        // Call − put = S − K': time values differ by K − K' above the strike and below it.
        let target = match (right, out) {
            (Right::Call, Right::Put) => of_out - strike_less,
            (Right::Put, Right::Call) => of_out + strike_less,
            _ => of_out,
        };
        implied::solve(target, |volatility| {
            let option = Self(at(volatility));
            (option.time_value(out), option.greeks(out).vega)
        })
    }
}

/// (K / u) exp((l − u|l|) / 2), with u = √(1 + 8 / (σ²T)) and l = ln S/K: the time value without interest, of call and put alike.
#[inline(always)]
fn plain_time_value(spot: f64, strike: f64, volatility: f64, period: f64) -> f64 {
    let (factor, exponent) = factor_and_exponent(ln_ratio(spot, strike), strike, volatility, period);
    factor * exp_of_negative(exponent)
}

/// K / u and (l − u|l|) / 2. The one is the time value at the strike, the other what distance takes from it.
#[inline(always)]
pub(super) fn factor_and_exponent(log: f64, strike: f64, volatility: f64, period: f64) -> (f64, f64) {
    let square = 1.0 + 8.0 / (volatility * volatility * period);
    let inverse = inverse_root(square);
    (strike * inverse, 0.5 * (log - square * inverse * log.abs()))
}

/// Prices of call and put without interest, from their time value: C − P = S − K.
#[inline(always)]
pub(super) fn plain_prices(spot: f64, strike: f64, time_value: f64) -> (f64, f64) {
    let difference = spot - strike;
    (or_zero(difference) + time_value, or_zero(-difference) + time_value)
}

/// Terms that [`PerpetualTerms::check`] accepts, without interest.
#[inline(always)]
pub(super) fn plain_domain(spot: f64, strike: f64, volatility: f64, period: f64) -> bool {
    common_domain(spot, strike, volatility) & years_domain(period)
}

/// The powers of S/K that solve the equation, and what is built from them. With x = 2r/σ² and h = 2/(σ²T):
struct Roots {
    h: f64,
    /// λ₊ − λ₋ = √((1 + x)² + 4h).
    w: f64,
    /// λ₊ = (w + 1 − x) / 2, above 1.
    up: f64,
    /// −λ₋ = (w − 1 + x) / 2, above 0.
    down: f64,
    /// λ₊ + x = (w + 1 + x) / 2.
    a: f64,
    /// −λ₋ − x = (w − 1 − x) / 2 = λ₊ − 1.
    b: f64,
}

impl Roots {
    /// Each pair from its larger half and its product, ab = h and λ₊·−λ₋ = h (1 + rT), so that nothing cancels.
    fn new(volatility: f64, period: f64, interest: f64) -> Self {
        let variance = volatility * volatility;
        let h = 2.0 / (variance * period);
        let x = 2.0 * interest / variance;
        let p = 1.0 + x;
        let w = sqrt(p * p + 4.0 * h);
        let (a, b) = halves(w, p, h);
        let (up, down) = halves(w, 1.0 - x, h * (1.0 + interest * period));
        Self { h, w, up, down, a, b }
    }
}

/// (w + p) / 2 and (w − p) / 2, whose product is given.
fn halves(w: f64, p: f64, product: f64) -> (f64, f64) {
    let larger = 0.5 * (w + p.abs());
    let smaller = product / larger;
    if p < 0.0 { (smaller, larger) } else { (larger, smaller) }
}

/// Values with interest at one spot.
struct With {
    roots: Roots,
    /// (S/K)^λ₊ below the strike, (S/K)^λ₋ from it on: at most 1.
    power: f64,
    /// |ln S/K|.
    distance: f64,
    below: bool,
    /// Time value of the call.
    call: f64,
    /// Time value of the put.
    put: f64,
}

impl With {
    /// Below the strike C = K α m^λ₊ and P = K − S + K (γ (m^λ₊ − 1) + β m^λ₊), from it on P = K β m^λ₋ and
    /// C = S − K + K (−γ (m^λ₋ − 1) + α m^λ₋), with m = S/K, α = (λ₊ + x)/(λ₊ w), β = (−λ₋ − x)/(−λ₋ w), γ = rT/(1 + rT): parity
    /// C − P = S − K/(1 + rT) is in them.
    fn new(terms: &PerpetualTerms) -> Self {
        let PerpetualTerms { spot, strike, volatility, period, interest } = *terms;
        let roots = Roots::new(volatility, period, interest);
        let l = ln_ratio(spot, strike);
        let below = spot < strike;
        let distance = l.abs();
        let exponent = if below { roots.up } else { roots.down };
        let (power, power_less_1) = exp_and_expm1_of_negative(-(exponent * distance));
        let alpha = roots.a / (roots.up * roots.w);
        let beta = roots.b / (roots.down * roots.w);
        let growth = interest * period;
        let moved = growth / (1.0 + growth) * power_less_1;
        let call = strike * if below { alpha * power } else { alpha * power - moved };
        let put = strike * if below { beta * power + moved } else { beta * power };
        Self { roots, power, distance, below, call, put }
    }
}
