//! Whole-number arithmetic with the referee's own rounding: 128 bits where a product fits, big integers where not.
//!
//! It knows nothing of units; a caller says what its numbers count. It shares no code with `units`.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

/// One, as a rate.
pub const RATE: i128 = 1_000_000_000;
/// One whole unit of an asset, in the unit of money.
pub const COIN: i128 = 10_000_000_000_000_000;
/// One, as a price.
pub const PRICE: i128 = 100_000_000;

/// Which way a division goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// To the next larger number.
    Up,
    /// To the next smaller number.
    Down,
    /// To the number nearer to zero.
    Zero,
}

/// `a / b` by the school rule: quotient and remainder first, then one step where the direction asks for it.
pub fn div(a: i128, b: i128, dir: Dir) -> i128 {
    assert!(b != 0, "referee: division by zero");
    let (a, b) = if b < 0 { (-a, -b) } else { (a, b) };
    let floor = a.div_euclid(b);
    let rest = a.rem_euclid(b);
    let up = match dir {
        Dir::Up => rest != 0,
        Dir::Down => false,
        Dir::Zero => rest != 0 && a < 0,
    };
    floor + i128::from(up)
}

/// `a × b / c`.
pub fn mul_div(a: i128, b: i128, c: i128, dir: Dir) -> i128 {
    match a.checked_mul(b) {
        Some(product) => div(product, c, dir),
        None => big_div(&(BigInt::from(a) * b), &BigInt::from(c), dir),
    }
}

/// `a × b × c / d`, rounded once.
pub fn mul_mul_div(a: i128, b: i128, c: i128, d: i128, dir: Dir) -> i128 {
    match a.checked_mul(b).and_then(|ab| ab.checked_mul(c)) {
        Some(product) => div(product, d, dir),
        None => big_div(&(BigInt::from(a) * b * c), &BigInt::from(d), dir),
    }
}

/// The quotient of two big integers.
pub fn big_div(a: &BigInt, b: &BigInt, dir: Dir) -> i128 {
    assert!(!b.is_zero(), "referee: division by zero");
    let negative = a.is_negative() != b.is_negative();
    let quotient = match dir {
        Dir::Up => a.div_ceil(b),
        Dir::Down => a.div_floor(b),
        Dir::Zero if negative => a.div_ceil(b),
        Dir::Zero => a.div_floor(b),
    };
    quotient.to_i128().unwrap_or(if negative { i128::MIN / 4 } else { i128::MAX / 4 })
}

/// `a × rate`, a rate counting 1e-9.
pub fn at_rate(a: i128, rate: i128, dir: Dir) -> i128 {
    mul_div(a, rate, RATE, dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_school_rule_holds_for_all_signs() {
        for (a, b, up, down, zero) in
            [(7, 2, 4, 3, 3), (-7, 2, -3, -4, -3), (7, -2, -3, -4, -3), (-7, -2, 4, 3, 3), (6, 3, 2, 2, 2)]
        {
            for (dir, want) in [(Dir::Up, up), (Dir::Down, down), (Dir::Zero, zero)] {
                assert_eq!(div(a, b, dir), want);
                assert_eq!(big_div(&BigInt::from(a), &BigInt::from(b), dir), want);
            }
        }
        assert_eq!(mul_div(i128::MAX, 4, 8, Dir::Down), i128::MAX / 2);
        assert_eq!(mul_mul_div(i128::MAX, 6, 2, 24, Dir::Up), i128::MAX / 2 + 1);
    }
}
