//! A price per contract (linear) or per coin (inverse).

use crate::{Money, Round, Size, limits, text::decimal_text};
use core::ops::{Add, Mul, Neg, Sub};

/// A price. Unit: 1e-8 of the quote per contract (linear) or per coin (inverse).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

decimal_text!(Price, i64, limits::PRICE_DECIMALS);

impl Price {
    /// No price.
    pub const ZERO: Self = Self(0);
    /// One quote per contract.
    pub const ONE: Self = Self(100_000_000);

    /// From a count of 1e-8; `None` for the one value without a negative (`i64::MIN`).
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units == i64::MIN { None } else { Some(Self(units)) }
    }

    /// From whole quote units: for tests and constants. The caller sees that it fits.
    #[must_use]
    pub const fn whole(quote: i32) -> Self {
        Self(quote as i64 * 100_000_000) // tidy: cast — i32 to i64 in a const fn, where `From` is not const
    }

    /// The count of 1e-8.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// True above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// This price × (1 + `rate`), rounded; `None` when it does not fit.
    #[inline]
    #[must_use]
    pub fn scale(self, rate: Rate, round: Round) -> Option<Self> {
        let factor = i128::from(limits::RATE_ONE) + i128::from(rate.units());
        let units = crate::wide::div_billion(i128::from(self.0) * factor, round);
        i64::try_from(units).ok().and_then(Self::new)
    }

    /// The nearest multiple of `tick` in the direction said; `None` when `tick` is not positive or nothing fits.
    #[must_use]
    pub fn to_tick(self, tick: Price, round: Round) -> Option<Self> {
        let ticks = crate::div_round(i128::from(self.0), i128::from(tick.0), round)?;
        i64::try_from(ticks.checked_mul(i128::from(tick.0))?).ok().and_then(Self::new)
    }

    /// Distance between two prices, not negative; the largest price when it does not fit.
    #[must_use]
    pub fn distance(self, other: Self) -> Self {
        Self(i64::try_from(self.0.abs_diff(other.0)).unwrap_or(i64::MAX))
    }
}

use crate::Rate;

/// A factor 1 + rate for many prices: what [`Price::scale`] rounds down, with one division for all of them.
#[derive(Clone, Copy, Debug)]
pub struct PriceFactor {
    /// Of the whole and the rest of the factor, in 1e-9.
    whole: u64,
    rest: u64,
    /// The rest ÷ 1e9 in 2⁻⁶⁴, rounded down: too little for a price by less than half a unit.
    inverse: u64,
}

impl PriceFactor {
    /// From the rate; `None` at a factor below zero.
    #[must_use]
    pub fn new(rate: Rate) -> Option<Self> {
        let one = limits::RATE_ONE.unsigned_abs();
        let factor = u64::try_from(rate.units().checked_add(limits::RATE_ONE)?).ok()?;
        let (whole, rest) = (factor / one, factor % one);
        let inverse = u64::try_from((u128::from(rest) << 64) / u128::from(one)).ok()?;
        Some(Self { whole, rest, inverse })
    }

    /// The price × (1 + rate), rounded down; `None` when it does not fit or the price is below zero.
    #[inline]
    #[must_use]
    pub fn of(self, price: Price) -> Option<Price> {
        let (one, price) = (limits::RATE_ONE.unsigned_abs(), u64::try_from(price.0).ok()?);
        let part = u64::try_from((u128::from(price) * u128::from(self.inverse)) >> 64).unwrap_or(0);
        // Less than two billions are left over, which 64 bits tell whatever the products are.
        let left = price.wrapping_mul(self.rest).wrapping_sub(part.wrapping_mul(one));
        let part = part + u64::from(left >= one);
        let units = price.checked_mul(self.whole)?.checked_add(part)?;
        i64::try_from(units).ok().and_then(Price::new)
    }
}

/// Exact: the units multiply to the unit of `Money`.
impl Mul<Size> for Price {
    type Output = Money;
    fn mul(self, size: Size) -> Money {
        Money::raw(i128::from(self.0) * i128::from(size.units()))
    }
}

impl Add for Price {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Price {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Price {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_factor_of_many_prices_is_that_of_each() {
        let factor = |units| PriceFactor::new(Rate::new(units).unwrap());
        // 3 × 1.5 is 4.5: down to 4 units.
        assert_eq!(factor(500_000_000).unwrap().of(Price(3)), Some(Price(4)));
        assert_eq!(factor(-1_000_000_000).unwrap().of(Price(i64::MAX)), Some(Price(0)));
        assert!(factor(-1_000_000_001).is_none());
        assert_eq!(factor(1).unwrap().of(Price(i64::MAX)), None);
        assert_eq!(factor(0).unwrap().of(Price(-1)), None);
    }

    proptest! {
        #[test]
        fn a_factor_agrees_with_scale(price in 0..i64::MAX, bits in 0u32..62, rate in -1_000_000_000i64..=10_000_000_000, exact in any::<bool>()) {
            let price = price >> bits;
            let (price, rate) = if exact { (price - price % 1_000_000_000, rate) } else { (price, rate) };
            let (price, rate) = (Price(price), Rate::new(rate).unwrap());
            prop_assert_eq!(PriceFactor::new(rate).unwrap().of(price), price.scale(rate, Round::Down));
        }
    }
}
