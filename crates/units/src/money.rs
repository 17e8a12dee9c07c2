//! An amount of one asset.

use crate::{Price, Rate, Round, limits, mul_div, mul_div2, text::decimal_text};
use core::iter::Sum;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An amount of an asset; positive is in the account's favour.
///
/// Unit: 1e-16 of the asset, which is the unit of `Price` times the unit of `Size`: their product is exact.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i128);

decimal_text!(Money, i128, limits::MONEY_DECIMALS);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The smallest amount: 1e-16.
    pub const UNIT: Self = Self(1);
    /// The largest amount that state may hold.
    pub const MAX: Self = Self(limits::MONEY_MAX);

    /// From a count of 1e-16; `None` beyond the bound of [`limits::MONEY_MAX`].
    #[must_use]
    pub const fn new(units: i128) -> Option<Self> {
        if units > limits::MONEY_MAX || units < -limits::MONEY_MAX { None } else { Some(Self(units)) }
    }

    /// From whole units of the asset: for tests and constants.
    #[must_use]
    pub const fn whole(amount: i64) -> Self {
        Self(amount as i128 * 10_000_000_000_000_000) // tidy: cast — i64 to i128 in a const fn, where `From` is not const
    }

    /// An intermediate value: products and sums that stay inside 128 bits by the argument of [`limits`].
    pub(crate) const fn raw(units: i128) -> Self {
        Self(units)
    }

    /// An intermediate value from a count of 1e-16, not checked against the bound of what state may hold.
    #[must_use]
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// The count of 1e-16.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// True when inside the bound of what state may hold.
    #[must_use]
    pub const fn in_bounds(self) -> bool {
        Self::new(self.0).is_some()
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// True when nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Sum, or `None` beyond the bound of what state may hold.
    #[inline]
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// This amount × `rate`. Never overflows for money in bounds: whole part and remainder are multiplied apart.
    ///
    /// 10 × 0.0005 is 0.005.
    #[inline]
    #[must_use]
    pub fn mul_rate(self, rate: Rate, round: Round) -> Self {
        if rate.units() == 0 || self.0 == 0 {
            return Self::ZERO;
        }
        let rate = i128::from(rate.units());
        // A rate has less than 37 bits.
        if self.0.unsigned_abs() < 1 << 90 {
            return Self(crate::wide::div_billion(self.0.wrapping_mul(rate), round));
        }
        self.mul_rate_apart(rate, round)
    }

    #[cold]
    #[inline(never)]
    fn mul_rate_apart(self, rate: i128, round: Round) -> Self {
        let one = i128::from(limits::RATE_ONE);
        let (whole, rest) = (self.0.div_euclid(one), self.0.rem_euclid(one));
        Self(whole * rate + crate::div_round(rest * rate, one, round).unwrap_or(0))
    }

    /// This amount × `part` ÷ `whole`, rounded; zero when `whole` is zero.
    #[must_use]
    pub fn share(self, part: i128, whole: i128, round: Round) -> Self {
        Self(mul_div(self.0, part, whole, round).unwrap_or(0))
    }

    /// This amount of an asset in the numeraire: × `index` × `haircut`, multiplied wide and rounded once; `None` when it
    /// does not fit.
    ///
    /// 2 BTC at 50,000 and 0.95 count 95,000.
    #[inline]
    #[must_use]
    pub fn at_index(self, index: Price, haircut: Rate, round: Round) -> Option<Self> {
        let scale = i128::from(limits::RATE_ONE) * i128::from(Price::ONE.units());
        if index.units() == Price::ONE.units() && haircut.units() == limits::RATE_ONE {
            return Some(self);
        }
        mul_div2(self.0, i128::from(index.units()), i128::from(haircut.units()), scale, round).map(Self)
    }

    /// How much of an asset at `index` this amount of the numeraire is; `None` when `index` is zero.
    #[must_use]
    pub fn from_index(self, index: Price, round: Round) -> Option<Self> {
        if index.units() == Price::ONE.units() {
            return Some(self);
        }
        mul_div(self.0, i128::from(Price::ONE.units()), i128::from(index.units()), round).map(Self)
    }

    /// The lesser of two amounts.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }

    /// The greater of two amounts.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        if other.0 > self.0 { other } else { self }
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn price_times_size_is_exact() {
        let notional = "0.00000001".parse::<Price>().unwrap() * "0.00000001".parse::<crate::Size>().unwrap();
        assert_eq!(notional, Money::UNIT);
    }

    #[test]
    fn split_product_equals_the_plain_one_at_the_bound() {
        let rate = Rate::new(limits::RATE_MAX).unwrap();
        assert_eq!(Money::MAX.mul_rate(rate, Round::Up).units(), limits::MONEY_MAX * 100);
        assert_eq!((-Money::MAX).mul_rate(rate, Round::Down).units(), -limits::MONEY_MAX * 100);
    }

    proptest! {
        #[test]
        fn mul_rate_is_within_one_unit_in_its_direction(m in -(1i128 << 116)..(1i128 << 116), r in -limits::RATE_MAX..limits::RATE_MAX) {
            let (money, rate) = (Money::new(m).unwrap(), Rate::new(r).unwrap());
            let (up, down) = (money.mul_rate(rate, Round::Up), money.mul_rate(rate, Round::Down));
            let exact = ethnum::I256::from(m) * ethnum::I256::from(r);
            let one = ethnum::I256::from(limits::RATE_ONE);
            prop_assert!(ethnum::I256::from(up.units()) * one >= exact);
            prop_assert!(ethnum::I256::from(down.units()) * one <= exact);
            prop_assert!((up - down).units() <= 1);
        }
    }
}
