//! Decimal text of a file, read exactly: exponents are a shift of the point, nothing passes through binary floating
//! point. It knows nothing of prices or rates.

/// A number as it was written: `units` × 10^−`decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All digits as one integer.
    pub units: i128,
    /// Digits after the point; below zero for trailing zeros before it.
    pub decimals: i32,
}

/// The most digits that are read.
const DIGITS_MAX: usize = 30;
/// The greatest exponent, either way.
const EXPONENT_MAX: i32 = 30;

impl Decimal {
    /// Reads `12`, `-0.5`, `1.004e-05`, `2.5E+3`; `None` for anything else.
    ///
    /// 1.004e-05 is 1004 with 8 decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, parse_exponent(exponent)?),
            None => (text, 0),
        };
        let (negative, digits) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let ends_with_point = digits.ends_with('.');
        if whole.is_empty() || ends_with_point || !is_plain(whole) || !is_plain(fraction) || digits.len() > DIGITS_MAX {
            return None;
        }
        let units = [whole, fraction].concat().parse::<i128>().ok()?;
        let decimals = i32::try_from(fraction.len()).ok()? - exponent;
        Some(Self { units: if negative { -units } else { units }, decimals })
    }

    /// The count of 10^−`decimals`; `None` when there are more digits than that, or it does not fit.
    ///
    /// 0.5 in 8 decimals is 50,000,000; 0.000000001 is not a count of them.
    #[must_use]
    pub fn to_units(self, decimals: u32) -> Option<i128> {
        let shift = i32::try_from(decimals).ok()? - self.decimals;
        let power = 10i128.checked_pow(shift.unsigned_abs());
        match power {
            Some(power) if shift >= 0 => self.units.checked_mul(power),
            Some(power) if self.units % power == 0 => Some(self.units / power),
            None if self.units == 0 => Some(0),
            _ => None,
        }
    }
}

/// A count of 10^−`decimals` as text, with the digits that it needs: −5,000 in 4 decimals is `-0.5`.
#[must_use]
pub fn decimal_text(units: i128, decimals: u32) -> String {
    let mut text = String::new();
    push_decimal(&mut text, units, decimals);
    text
}

/// Adds what [`decimal_text`] says; at most 38 decimals.
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

fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i32>().ok().filter(|v| *v <= EXPONENT_MAX)?;
    Some(if text.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_a_shift_of_the_point() {
        for (text, units, decimals) in [
            ("1.004e-05", 1004, 8),
            ("1.004E-5", 1004, 8),
            ("-6.94e-05", -694, 7),
            ("0.0001", 1, 4),
            ("12", 12, 0),
            ("2.5e+3", 25, -2),
        ] {
            assert_eq!(Decimal::parse(text), Some(Decimal { units, decimals }), "{text}");
        }
        assert_eq!(Decimal::parse("1.004e-05").unwrap().to_units(9), Some(10_040));
        assert_eq!(Decimal::parse("2.5e+3").unwrap().to_units(1), Some(25_000));
        assert_eq!(Decimal::parse("1e-10").unwrap().to_units(9), None);
        assert_eq!(Decimal::parse("0e30").unwrap().to_units(8), Some(0));
    }

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

    #[test]
    fn odd_text_is_not_a_number() {
        for text in [
            "", "-", ".5", "5.", "1e", "1e-", "1e5e5", "+1", "--1", "1 ", "1,0", "nan", "inf", "0x1", "1e999", "１",
            "1.2.3",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse(&"1".repeat(200)), None);
    }
}
