//! Division with a stated direction, and products of two or three factors that may need 256 bits.

use crate::Round;
use ethnum::I256;

/// `a ÷ b`, rounded as said. `None` when `b` is zero or the result does not fit.
///
/// −7 ÷ 2 is −3 up, −4 down, −3 toward zero.
#[must_use]
pub fn div_round(a: i128, b: i128, round: Round) -> Option<i128> {
    // Most divisions are of small numbers, where the machine's own division is several times faster.
    let (q, exact) = match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) if b != 0 && b != -1 => (i128::from(a / b), a % b == 0),
        _ => {
            let q = a.checked_div(b)?;
            // |q × b| is at most |a|.
            (q, q.wrapping_mul(b) == a)
        }
    };
    let negative = (a < 0) != (b < 0);
    match (exact, negative, round) {
        (true, _, _) | (_, _, Round::TowardZero) | (_, true, Round::Up) | (_, false, Round::Down) => Some(q),
        (false, false, Round::Up) => q.checked_add(1),
        (false, true, Round::Down) => q.checked_sub(1),
    }
}

/// `a` ÷ 10⁹, rounded as said: what every product with a rate needs, several times faster than [`div_round`].
///
/// 10⁹ is 2⁹ × 1,953,125. Without the nine bits there are at most 107 below 2¹¹⁶, which are divided in two parts: the upper 64 and,
/// with what they leave over, the lower 43. The machine divides 64 bits by a constant with one product.
#[inline]
#[must_use]
pub(crate) fn div_billion(a: i128, round: Round) -> i128 {
    const FIVES: u64 = 1_953_125;
    let n = a.unsigned_abs();
    let Ok(upper) = u64::try_from(n >> 52) else {
        return div_billion_wide(a, round);
    };
    let low = |n: u128, bits: u32| u64::try_from(n & ((1 << bits) - 1)).unwrap_or(0);
    let (above, left) = (upper / FIVES, upper % FIVES);
    let lower = (left << 43) | low(n >> 9, 43);
    let quotient = (u128::from(above) << 43) | u128::from(lower / FIVES);
    let is_exact = lower.is_multiple_of(FIVES) && low(n, 9) == 0;
    let away = match round {
        Round::Up => a > 0,
        Round::Down => a < 0,
        Round::TowardZero => false,
    };
    let quotient = quotient.cast_signed() + i128::from(away && !is_exact);
    if a < 0 { -quotient } else { quotient }
}

#[cold]
#[inline(never)]
fn div_billion_wide(a: i128, round: Round) -> i128 {
    div_round(a, 1_000_000_000, round).unwrap_or(0)
}

/// `a × b ÷ c`, rounded once. `None` when `c` is zero or the result does not fit an `i128`.
#[must_use]
pub fn mul_div(a: i128, b: i128, c: i128, round: Round) -> Option<i128> {
    match a.checked_mul(b) {
        Some(product) => div_round(product, c, round),
        None => div_wide(I256::from(a) * I256::from(b), I256::from(c), round),
    }
}

/// `a × b × c ÷ d`, rounded once. `None` when `d` is zero or anything does not fit (256 bits inside, 128 outside).
#[must_use]
pub fn mul_div2(a: i128, b: i128, c: i128, d: i128, round: Round) -> Option<i128> {
    match a.checked_mul(b).and_then(|ab| ab.checked_mul(c)) {
        Some(product) => div_round(product, d, round),
        None => {
            let product = (I256::from(a) * I256::from(b)).checked_mul(I256::from(c))?;
            div_wide(product, I256::from(d), round)
        }
    }
}

/// `a × b − c × d`, exactly. The products may need 256 bits; `None` when the difference does not fit.
#[must_use]
pub fn mul_sub((a, b): (i128, i128), (c, d): (i128, i128)) -> Option<i128> {
    let wide = |a: i128, b: i128| I256::from(a) * I256::from(b);
    match (a.checked_mul(b), c.checked_mul(d)) {
        (Some(first), Some(second)) => first.checked_sub(second),
        _ => wide(a, b).checked_sub(wide(c, d)).and_then(|rest| i128::try_from(rest).ok()),
    }
}

fn div_wide(a: I256, b: I256, round: Round) -> Option<i128> {
    let q = a.checked_div(b)?;
    let exact = q.checked_mul(b)? == a;
    let negative = (a < I256::ZERO) != (b < I256::ZERO);
    let rounded = match (exact, negative, round) {
        (true, _, _) | (_, _, Round::TowardZero) | (_, true, Round::Up) | (_, false, Round::Down) => q,
        (false, false, Round::Up) => q + I256::ONE,
        (false, true, Round::Down) => q - I256::ONE,
    };
    i128::try_from(rounded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn direction_is_said_for_both_signs() {
        for (a, b, up, down, zero) in [(7, 2, 4, 3, 3), (-7, 2, -3, -4, -3), (7, -2, -3, -4, -3), (-7, -2, 4, 3, 3)] {
            assert_eq!(div_round(a, b, Round::Up), Some(up));
            assert_eq!(div_round(a, b, Round::Down), Some(down));
            assert_eq!(div_round(a, b, Round::TowardZero), Some(zero));
        }
        assert_eq!(div_round(1, 0, Round::Up), None);
        assert_eq!(mul_div(i128::MAX, i128::MAX, 1, Round::Up), None);
    }

    #[test]
    fn products_that_do_not_fit_have_a_difference_that_does() {
        assert_eq!(mul_sub((7, 3), (2, 10)), Some(1));
        assert_eq!(mul_sub((i128::MAX, 5), (i128::MAX, 4)), Some(i128::MAX));
        assert_eq!(mul_sub((i128::MAX, -4), (i128::MAX, -5)), Some(i128::MAX));
        assert_eq!(mul_sub((i128::MAX, 5), (i128::MAX, 3)), None);
    }

    proptest! {
        #[test]
        fn wide_and_narrow_agree(a in -(1i128 << 60)..(1i128 << 60), b in -(1i128 << 60)..(1i128 << 60), c in 1i128..(1i128 << 60)) {
            for round in [Round::Up, Round::Down, Round::TowardZero] {
                let narrow = div_round(a * b, c, round);
                let wide = div_wide(I256::from(a) * I256::from(b), I256::from(c), round);
                prop_assert_eq!(narrow, wide);
            }
        }

        #[test]
        fn a_billion_has_its_own_way(a in any::<i128>(), bits in 0u32..127) {
            let a = a >> bits;
            for a in [a, a - a % 1_000_000_000] {
                for round in [Round::Up, Round::Down, Round::TowardZero] {
                    prop_assert_eq!(Some(div_billion(a, round)), div_round(a, 1_000_000_000, round));
                }
            }
        }

        #[test]
        fn up_is_minus_down_of_the_negative(a in any::<i64>(), b in 1i64..) {
            let (a, b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(div_round(a, b, Round::Up), div_round(-a, b, Round::Down).map(|x| -x));
        }
    }
}
