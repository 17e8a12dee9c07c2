//! A rate per the interval it is named for.

use crate::{limits, text::decimal_text};
use core::ops::{Add, Neg, Sub};

/// A plain ratio. Unit: 1e-9 (0.0005 is 500,000 units), per the interval its name says; at most 100 either way.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

decimal_text!(Rate, i64, limits::RATE_DECIMALS);

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One: the whole.
    pub const ONE: Self = Self(limits::RATE_ONE);

    /// From a count of 1e-9; `None` beyond 100.
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units > limits::RATE_MAX || units < -limits::RATE_MAX { None } else { Some(Self(units)) }
    }

    /// From basis points (1e-4): for tests and constants.
    #[must_use]
    pub const fn bps(n: i16) -> Self {
        Self(n as i64 * 100_000) // tidy: cast — i16 to i64 in a const fn, where `From` is not const
    }

    /// The count of 1e-9.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
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

    /// Held inside `[low, high]`; `high` wins when the two cross.
    #[must_use]
    pub fn clamp_to(self, low: Self, high: Self) -> Self {
        self.max(low).min(high)
    }
}

impl Add for Rate {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Rate {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Rate {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
