//! Sums of two doubles, about 31 digits: the reference for sweeps. Simple and slow; shares nothing with the code it judges.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `high + low`, |low| at most half a step of `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wide {
    pub high: f64,
    pub low: f64,
}

pub const LN_2: Wide = Wide { high: std::f64::consts::LN_2, low: 2.319_046_813_846_299_6e-17 };
pub const PI: Wide = Wide { high: std::f64::consts::PI, low: 1.224_646_799_147_353_2e-16 };
pub const ONE: Wide = Wide { high: 1.0, low: 0.0 };

fn two_sum(a: f64, b: f64) -> Wide {
    let high = a + b;
    let part = high - a;
    Wide { high, low: (a - (high - part)) + (b - part) }
}

fn two_product(a: f64, b: f64) -> Wide {
    let high = a * b;
    Wide { high, low: a.mul_add(b, -high) }
}

pub fn wide(high: f64) -> Wide {
    Wide { high, low: 0.0 }
}

impl Add for Wide {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, low) = (two_sum(self.high, other.high), two_sum(self.low, other.low));
        let first = two_sum(high.high, high.low + low.high);
        two_sum(first.high, first.low + low.low)
    }
}

impl Neg for Wide {
    type Output = Self;
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for Wide {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Wide {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = two_product(self.high, other.high);
        two_sum(product.high, product.low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for Wide {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = wide(self.high / other.high);
        let rest = self - first * other;
        let second = wide(rest.high / other.high);
        let rest = rest - second * other;
        first + second + wide(rest.high / other.high)
    }
}

impl Wide {
    pub fn number(self) -> f64 {
        self.high + self.low
    }

    pub fn times(self, factor: f64) -> Self {
        self * wide(factor)
    }

    pub fn sqrt(self) -> Self {
        let root = wide(self.high.sqrt());
        root + (self - root * root) / root.times(2.0)
    }

    /// Halved to a small argument, summed by Taylor, squared back.
    pub fn exp(self) -> Self {
        let k = (self.high / LN_2.high).round();
        let r = (self - LN_2.times(k)).times(1.0 / 256.0);
        let (mut sum, mut term) = (ONE, ONE);
        for n in 1..16 {
            term = term * r / wide(f64::from(n));
            sum = sum + term;
        }
        for _ in 0..8 {
            sum = sum * sum;
        }
        // In two factors, for 2^k alone may be too small.
        let half = (k / 2.0).trunc();
        sum.times(half.exp2()).times((k - half).exp2())
    }

    /// Newton's steps on the exponential, from the system's logarithm.
    pub fn ln(self) -> Self {
        let mut y = wide(self.high.ln());
        for _ in 0..2 {
            y = y + self * (-y).exp() - ONE;
        }
        y
    }

    /// N(−z), z ≥ 0: up to 6 from the series of the distribution whose terms are all positive, above from the continued fraction.
    pub fn normal_tail(self) -> Self {
        let density = (-(self * self).times(0.5)).exp() / PI.times(2.0).sqrt();
        if self.high < 6.0 {
            let (mut term, mut sum, mut n) = (self, self, 1.0);
            while term.high > sum.high * 1e-34 {
                n += 2.0;
                term = term * self * self / wide(n);
                sum = sum + term;
            }
            return ONE.times(0.5) - density * sum;
        }
        let terms = 400;
        let mut fraction = self;
        for n in (1..=terms).rev() {
            fraction = self + wide(f64::from(n)) / fraction;
        }
        density / fraction
    }
}
