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
