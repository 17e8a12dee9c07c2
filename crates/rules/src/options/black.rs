//! Dated options on a forward: Black's formula of 1976. Knows no market and no clock.

use super::numeric::{density, exp, inverse_root, ln_ratio, mills, normal, sqrt};
use super::{
    OptionError, Right, check_amounts, check_volatility, common_domain, implied, or_zero, price_units, ratio, years,
    years_domain,
};
use units::{Price, Rate, Time};

/// The largest discount factor: interest of −100 % for ten years.
const DISCOUNT_MAX: f64 = 1e5;
/// Below this σ√t the difference of two Mills ratios is summed as a series.
const SERIES_BELOW: f64 = 0.1;

/// What a dated option is priced from, as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DatedTerms {
    /// Price of the underlying for delivery at the expiry; any unit, which is that of strike and result.
    pub forward: f64,
    /// In the unit of the forward.
    pub strike: f64,
    /// Per √year; 0.6 is 60 %.
    pub volatility: f64,
    /// To the expiry, in years of 365 days.
    pub years: f64,
    /// What one unit of quote at the expiry is worth now.
    pub discount: f64,
}

impl DatedTerms {
    /// Checked for pricing.
    ///
    /// # Errors
    /// What is outside the range that its [`OptionError`] names.
    pub fn check(self) -> Result<Dated, OptionError> {
        check_amounts(self.forward, self.strike)?;
        check_volatility(self.volatility)?;
        if self.years < 0.0 {
            return Err(OptionError::ExpiryPast);
        }
        if self.years == 0.0 {
            return Err(OptionError::ExpiryNow);
        }
        if !years_domain(self.years) {
            return Err(OptionError::ExpiryOutOfRange);
        }
        if !discount_domain(self.discount) {
            return Err(OptionError::DiscountOutOfRange);
        }
        Ok(Dated(self))
    }

    /// What [`DatedTerms::check`] accepts.
    #[inline(always)]
    pub(super) fn in_domain(&self) -> bool {
        common_domain(self.forward, self.strike, self.volatility)
            & years_domain(self.years)
            & discount_domain(self.discount)
    }
}

#[inline(always)]
fn discount_domain(discount: f64) -> bool {
    (1.0 / DISCOUNT_MAX..=DISCOUNT_MAX).contains(&discount)
}

/// A dated option, checked: call and put of one strike and expiry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dated(DatedTerms);

/// How the price of a dated option changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DatedGreeks {
    /// Per unit of the forward, discounted: a call's is D·N(d₁), a put's D·(N(d₁) − 1).
    pub delta: f64,
    /// Change of delta per unit of the forward.
    pub gamma: f64,
    /// Per 1.00 of volatility; a hundredth of it per percentage point.
    pub vega: f64,
    /// Per year that passes, interest unchanged; a 365th of it per day. Mostly negative.
    pub theta: f64,
    /// Per 1.00 of interest a year, forward unchanged.
    pub rho: f64,
}

impl Dated {
    /// From units: prices in 1e-8 quote, interest per year, compounded continuously. Results are counted in 1e-8 quote.
    ///
    /// # Errors
    /// As [`DatedTerms::check`], and for interest beyond 100 %.
    pub fn new(
        forward: Price,
        strike: Price,
        volatility: Rate,
        (now, expiry): (Time, Time),
        interest: Rate,
    ) -> Result<Self, OptionError> {
        let left = expiry.ns().checked_sub(now.ns()).ok_or(OptionError::ExpiryOutOfRange)?;
        let (years, interest) = (years(left), ratio(interest));
        if !(-super::INTEREST_MAX..=super::INTEREST_MAX).contains(&interest) {
            return Err(OptionError::InterestOutOfRange);
        }
        let (forward, strike) = (price_units(forward), price_units(strike));
        DatedTerms { forward, strike, volatility: ratio(volatility), years, discount: exp(-(interest * years)) }.check()
    }

    /// What it is priced from.
    #[must_use]
    pub const fn terms(&self) -> &DatedTerms {
        &self.0
    }

    /// The price, in the unit of the strike.
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
        prices(&self.0)
    }

    /// Derivatives of the price.
    #[must_use]
    pub fn greeks(&self, right: Right) -> DatedGreeks {
        let DatedTerms { forward, strike, volatility, years, discount } = self.0;
        let root = sqrt(years);
        let deviation = volatility * root;
        let d1 = ln_ratio(forward, strike) / deviation + 0.5 * deviation;
        let slope = discount * density(d1);
        let price = self.price(right);
        let interest = -ln_ratio(discount, 1.0) / years;
        DatedGreeks {
            delta: match right {
                Right::Call => discount * normal(d1),
                Right::Put => -(discount * normal(-d1)),
            },
            gamma: slope / (forward * deviation),
            vega: forward * slope * root,
            theta: interest * price - forward * slope * volatility / (2.0 * root),
            rho: -(years * price),
        }
    }

    /// The volatility of a price, all else as in `terms`, whose own volatility is not read.
    ///
    /// # Errors
    /// [`OptionError::PriceTooLow`] at or below the discounted payoff, [`OptionError::PriceTooHigh`]; else as [`DatedTerms::check`].
    pub fn implied_volatility(terms: DatedTerms, right: Right, price: f64) -> Result<f64, OptionError> {
        let at = |volatility| DatedTerms { volatility, ..terms };
        at(1.0).check()?;
        let payoff = super::payoff(right, terms.forward, terms.strike);
        let time_value = price / terms.discount - payoff;
        implied::solve(time_value, |volatility| {
            let vega = Self(DatedTerms { discount: 1.0, ..at(volatility) }).greeks(right).vega;
            (time_value_of(terms.forward, terms.strike, volatility, terms.years), vega)
        })
    }
}

/// Prices of call and put, by parity from one time value. Source: Black, "The pricing of commodity contracts", 1976.
#[inline(always)]
pub(super) fn prices(terms: &DatedTerms) -> (f64, f64) {
    let DatedTerms { forward, strike, volatility, years, discount } = *terms;
    let time_value = time_value_of(forward, strike, volatility, years);
    let difference = forward - strike;
    (discount * (or_zero(difference) + time_value), discount * (or_zero(-difference) + time_value))
}

/// Value beyond the payoff, undiscounted: the price of whichever of call and put is out of the money.
///
/// With l = −|ln F/K|, s = σ√t, c = l/s, d₁,₂ = c ± s/2 and R = N/φ, the Mills ratio of −d, it is min(F, K) φ(d₁) (R(d₁) − R(d₂)): no
/// difference of prices. For small s the difference of R is s R'(c) + s³ R'''(c) / 24 + …, with R' = 1 + c R and
/// R⁽ⁿ⁺¹⁾ = n R⁽ⁿ⁻¹⁾ + c R⁽ⁿ⁾; for d₁ > 0 it uses N(d₁) = 1 − φ(d₁) R(−d₁).
#[inline(always)]
fn time_value_of(forward: f64, strike: f64, volatility: f64, years: f64) -> f64 {
    let lower = if forward < strike { forward } else { strike };
    let l = -ln_ratio(forward, strike).abs();
    let s = volatility * (years * inverse_root(years));
    let c = l / s;
    let (d1, d2) = (c + 0.5 * s, c - 0.5 * s);
    let series = s < SERIES_BELOW;
    let first = mills(if series { -c } else { d1.abs() });
    let second = mills(-d2);
    let density = density(d1);
    let below = density * (first - second);
    let above = 1.0 - density * (first + second);
    let summed = density * series_of_difference(c, s, first);
    let apart = if d1 > 0.0 { above } else { below };
    lower * or_zero(if series { summed } else { apart })
}

/// R(c + s/2) − R(c − s/2) from R(c), for s below 0.1: five terms leave an error of 1e-17 of the first.
#[inline(always)]
fn series_of_difference(c: f64, s: f64, r0: f64) -> f64 {
    let r1 = 1.0 + c * r0;
    let r2 = r0 + c * r1;
    let r3 = 2.0 * r1 + c * r2;
    let r4 = 3.0 * r2 + c * r3;
    let r5 = 4.0 * r3 + c * r4;
    let r6 = 5.0 * r4 + c * r5;
    let r7 = 6.0 * r5 + c * r6;
    let r8 = 7.0 * r6 + c * r7;
    let r9 = 8.0 * r7 + c * r8;
    let z = s * s;
    let high = r7 / 322_560.0 + z * (r9 / 92_897_280.0);
    s * (r1 + z * (r3 / 24.0 + z * (r5 / 1920.0 + z * high)))
}
