//! How far volatility moves at an expiry: short ones more, by a power of 30 days over what is left. Knows no instrument.

use super::ratio;
use crate::options::numeric::{exp, ln_ratio};
use units::Rate;

/// 30 days.
const MONTH_NS: i64 = 2_592_000_000_000_000;

/// The rule by which Derive, Deribit and Paradex move volatilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolatilityShock {
    /// Up by this share of itself at 30 days.
    pub up: Rate,
    /// Down by this share of itself at 30 days.
    pub down: Rate,
    /// Power up to 30 days.
    pub short_power: Rate,
    /// Power beyond 30 days.
    pub long_power: Rate,
    /// Expiries nearer than this count as this.
    pub floor_ns: i64,
    /// What was shocked up is at least this.
    pub least_up: Rate,
}

impl VolatilityShock {
    /// (30 days ÷ what is left)^power: 1 at 30 days, 1.547 at 7 with 0.3.
    #[must_use]
    pub fn growth(&self, left_ns: i64) -> f64 {
        let left = left_ns.max(self.floor_ns).max(1);
        let power = ratio(if left <= MONTH_NS { self.short_power } else { self.long_power });
        let nanoseconds = |ns: i64| ns as f64; // tidy: cast — i64 to f64 rounds to nearest, the same everywhere
        exp(power * ln_ratio(nanoseconds(MONTH_NS), nanoseconds(left)))
    }

    /// Shocked up and down, from the [`VolatilityShock::growth`] of the expiry; down not below zero.
    #[must_use]
    pub fn shocked(&self, volatility: f64, growth: f64) -> (f64, f64) {
        let up = volatility * (1.0 + ratio(self.up) * growth);
        let left = 1.0 - ratio(self.down) * growth;
        (up.max(ratio(self.least_up)), volatility * left.max(0.0))
    }
}
