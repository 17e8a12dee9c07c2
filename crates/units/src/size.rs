//! A number of contracts.

use crate::{Price, limits, text::decimal_text};
use core::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

/// A signed number of contracts. Unit: 1e-8 contract; + is long (or a buy), − is short (or a sell).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(i64);

decimal_text!(Size, i64, limits::SIZE_DECIMALS);

impl Size {
    /// No contracts.
    pub const ZERO: Self = Self(0);

    /// From a count of 1e-8; `None` for the one value without a negative (`i64::MIN`).
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units == i64::MIN { None } else { Some(Self(units)) }
    }

    /// From whole contracts: for tests and constants.
    #[must_use]
    pub const fn whole(contracts: i32) -> Self {
        Self(contracts as i64 * 100_000_000) // tidy: cast — i32 to i64 in a const fn, where `From` is not const
    }

    /// The count of 1e-8.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// −1, 0 or 1.
    #[must_use]
    pub const fn signum(self) -> i64 {
        self.0.signum()
    }

    /// True when not a single contract is held.
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

    /// Sum, or `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// The largest multiple of `lot` that is not farther from zero; zero when `lot` is not positive.
    #[must_use]
    pub fn to_lot(self, lot: Size) -> Self {
        match self.0.checked_rem(lot.0) {
            Some(rest) if lot.0 > 0 => Self(self.0 - rest),
            _ => Self::ZERO,
        }
    }

    /// True when this is a whole number of lots.
    #[must_use]
    pub fn is_multiple_of(self, lot: Size) -> bool {
        lot.0 > 0 && self.0.checked_rem(lot.0) == Some(0)
    }

    /// This magnitude with the sign of `other`.
    #[must_use]
    pub fn with_sign_of(self, other: Size) -> Self {
        if other.0 < 0 { Self(-self.0.abs()) } else { Self(self.0.abs()) }
    }
}

impl Mul<Price> for Size {
    type Output = crate::Money;
    fn mul(self, price: Price) -> crate::Money {
        price * self
    }
}

impl Add for Size {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Size {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Size {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Neg for Size {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
