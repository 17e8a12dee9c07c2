//! Counts of a power of ten as text. It knows nothing of prices or rates.

/// A count of 10^−`decimals` as text, with the digits that it needs: −5,000 in 4 decimals is `-0.5`.
#[must_use]
pub fn decimal_text(units: i128, decimals: u32) -> String {
    let mut text = String::new();
    push_decimal(&mut text, units, decimals);
    text
}

/// Adds what `decimal_text` says; at most 38 decimals.
pub fn push_decimal(to: &mut String, units: i128, decimals: u32) {
    let scale = 10u128.pow(decimals);
    let (whole, part) = (units.unsigned_abs() / scale, units.unsigned_abs() % scale);
    if units < 0 {
        to.push('-');
    }
    push_whole(to, whole, 0);
    if part != 0 {
        to.push('.');
        push_whole(to, part, usize::try_from(decimals).unwrap_or(0));
        to.truncate(to.trim_end_matches('0').len());
    }
}

/// Adds a whole number with zeros before it, to so many digits.
fn push_whole(to: &mut String, whole: u128, digits: usize) {
    // What has 64 bits is divided several times faster.
    const LIMB: u128 = 10_000_000_000_000_000_000;
    let Ok(mut left) = u64::try_from(whole) else {
        push_whole(to, whole / LIMB, digits.saturating_sub(19));
        return push_whole(to, whole % LIMB, 19);
    };
    let mut text = [b'0'; 40];
    let mut at = text.len();
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        at -= 1;
        if left == 0 {
            break;
        }
    }
    let at = at.min(text.len().saturating_sub(digits));
    to.push_str(std::str::from_utf8(&text[at..]).unwrap_or(""));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_the_digits_that_it_needs() {
        for (units, decimals, text) in [
            (0, 4, "0"),
            (-5_000, 4, "-0.5"),
            (120, 0, "120"),
            (1, 16, "0.0000000000000001"),
            (-12_345_678_900, 8, "-123.456789"),
            (10_000_000_000_000_000_000, 0, "10000000000000000000"),
            (i128::MAX, 0, "170141183460469231731687303715884105727"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
            (1_000_000_000_000_000_000_000_000, 18, "1000000"),
            (1, 38, "0.00000000000000000000000000000000000001"),
        ] {
            assert_eq!(decimal_text(units, decimals), text);
        }
    }
}
