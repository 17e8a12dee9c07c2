//! Options: against 50 digits, against twice the digits of a double, against themselves, and bit for bit.

mod bits;
mod double_double;
mod functions;
mod grid;
mod properties;
pub mod reference;
mod refusals;
mod sweep;

use plimsoll_rules::options::{Dated, DatedTerms, Perpetual, PerpetualTerms};

/// Random numbers by exact operations only, so that they are the same everywhere.
pub struct Random(pub u64);

impl Random {
    /// SplitMix64.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, a multiple of 2⁻⁵².
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 12) as f64 / 4_503_599_627_370_496.0
    }

    /// From `low` to `high`: each power of two equally often.
    pub fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        loop {
            let steps = (high.to_bits() >> 52) - (low.to_bits() >> 52) + 1;
            let exponent = (low.to_bits() >> 52) + self.bits() % steps;
            let number = f64::from_bits(exponent << 52 | self.bits() >> 12);
            if (low..=high).contains(&number) {
                return number;
            }
        }
    }

    /// Spot, strike, volatility and years over the whole promised range; half of the spots near the strike.
    pub fn terms(&mut self) -> (f64, f64, f64, f64) {
        let strike = self.magnitude(1e-3, 1e13);
        let ratio = match self.bits() % 4 {
            0 => 1.0 + (self.unit() - 0.5) * self.magnitude(1e-9, 0.1),
            1 => 1.0 + (self.unit() - 0.5) * 0.9,
            _ => self.magnitude(1e-3, 1e3),
        };
        (strike * ratio, strike, self.magnitude(0.01, 5.0), self.magnitude(1.0 / 8760.0, 1.0))
    }
}

impl Random {
    /// As [`Random::terms`], over all that is accepted.
    pub fn accepted(&mut self) -> (f64, f64, f64, f64) {
        let strike = self.magnitude(1e-3, 1e13);
        let ratio = match self.bits() % 3 {
            0 => 1.0 + (self.unit() - 0.5) * self.magnitude(1e-9, 0.1),
            _ => self.magnitude(1.001e-6, 0.999e6),
        };
        (strike * ratio, strike, self.magnitude(0.001, 20.0), self.magnitude(1.0 / 525_600.0, 10.0))
    }
}

/// A perpetual option that is in range.
pub fn perpetual(spot: f64, strike: f64, volatility: f64, period: f64, interest: f64) -> Perpetual {
    PerpetualTerms { spot, strike, volatility, period, interest }.check().unwrap()
}

/// A dated option that is in range.
pub fn dated(forward: f64, strike: f64, volatility: f64, years: f64, discount: f64) -> Dated {
    DatedTerms { forward, strike, volatility, years, discount }.check().unwrap()
}

/// By how much `ours` is wrong, and what is allowed: 1e-12 of a value of a millionth of the strike or more, 1e-18 of the strike below.
pub fn error_of_price(ours: f64, exact: f64, strike: f64) -> f64 {
    let allowed = (1e-12 * exact.abs()).max(1e-18 * strike);
    (ours - exact).abs() / allowed
}
