//! Decimal text: one reader and one writer for every unit. Reads ASCII digits with at most one point and one leading
//! minus; refuses everything else, and never rounds.

use crate::limits::TEXT_MAX;
use core::fmt;

/// Why a text is not a number of the unit asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Byte offset of the first character that is wrong.
    pub at: usize,
    /// What is wrong there.
    pub kind: ParseErrorKind,
}

/// The kinds of [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// Nothing to read, or no digit beside the point.
    Empty,
    /// Longer than any number of this unit can be.
    TooLong,
    /// A character that is no ASCII digit where a digit must stand (exponents, signs, spaces, other scripts).
    NotADigit,
    /// More digits after the point than the unit has.
    TooManyDecimals {
        /// Digits the unit has.
        allowed: u32,
    },
    /// Outside the bound of the unit.
    OutOfRange,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ParseErrorKind::Empty => write!(f, "expected a decimal number, found none"),
            ParseErrorKind::TooLong => write!(f, "number is longer than {TEXT_MAX} characters"),
            ParseErrorKind::NotADigit => write!(f, "expected an ASCII digit at character {}", self.at + 1),
            ParseErrorKind::TooManyDecimals { allowed } => write!(f, "more than {allowed} digits after the point"),
            ParseErrorKind::OutOfRange => write!(f, "number is outside the range of its unit"),
        }
    }
}

impl core::error::Error for ParseError {}

/// Above all numbers of eighteen digits.
const PART_MAX: u64 = 1_000_000_000_000_000_000;

/// The digits of `value` followed by those of `part`.
fn joined(value: i128, part: u64, part_scale: u64) -> Option<i128> {
    if value == 0 {
        return Some(i128::from(part));
    }
    value.checked_mul(i128::from(part_scale))?.checked_add(i128::from(part))
}

/// Reads `text` as an integer count of 10^-`decimals`.
pub(crate) fn parse(text: &str, decimals: u32) -> Result<i128, ParseError> {
    let fail = |at, kind| Err(ParseError { at, kind });
    if text.len() > TEXT_MAX {
        return fail(TEXT_MAX, ParseErrorKind::TooLong);
    }
    let (negative, digits, start) = match text.strip_prefix('-') {
        Some(rest) => (true, rest, 1),
        None => (false, text, 0),
    };
    // Eighteen digits at a time are added up in 64 bits.
    let (mut value, mut part, mut part_scale) = (0i128, 0u64, 1u64);
    let (mut seen, mut after_point) = (0u32, None::<u32>);
    for (i, byte) in digits.bytes().enumerate() {
        let at = start + i;
        match byte {
            b'0'..=b'9' => {
                if let Some(n) = after_point.as_mut() {
                    *n += 1;
                    if *n > decimals {
                        return fail(at, ParseErrorKind::TooManyDecimals { allowed: decimals });
                    }
                }
                seen += 1;
                (part, part_scale) = (part * 10 + u64::from(byte - b'0'), part_scale * 10);
                if part_scale == PART_MAX {
                    value = match joined(value, part, part_scale) {
                        Some(v) => v,
                        None => return fail(at, ParseErrorKind::OutOfRange),
                    };
                    (part, part_scale) = (0, 1);
                }
            }
            // A point needs a digit on both sides: ".5" and "5." are typing errors more often than numbers.
            b'.' if after_point.is_none() && seen > 0 && i + 1 < digits.len() => after_point = Some(0),
            _ => return fail(at, ParseErrorKind::NotADigit),
        }
    }
    if seen == 0 {
        return fail(start, ParseErrorKind::Empty);
    }
    let missing = decimals - after_point.unwrap_or(0);
    let scaled =
        joined(value, part, part_scale).and_then(|value| match (i64::try_from(value), 10u64.checked_pow(missing)) {
            (Ok(value), Some(scale)) => i128::from(value).checked_mul(i128::from(scale)),
            _ => value.checked_mul(10i128.checked_pow(missing)?),
        });
    match scaled {
        Some(v) if negative => Ok(-v),
        Some(v) => Ok(v),
        None => fail(start, ParseErrorKind::OutOfRange),
    }
}

/// Writes `value` (a count of 10^-`decimals`) without trailing zeros beyond `min_decimals`; zero has no sign.
pub(crate) fn format(value: i128, decimals: u32, min_decimals: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let scale = 10u128.pow(decimals);
    let magnitude = value.unsigned_abs();
    let (whole, mut fraction) = (magnitude / scale, magnitude % scale);
    let mut digits = decimals;
    while digits > min_decimals && fraction.is_multiple_of(10) {
        fraction /= 10;
        digits -= 1;
    }
    if value < 0 {
        f.write_str("-")?;
    }
    write!(f, "{whole}")?;
    if digits > 0 {
        let width = usize::try_from(digits).unwrap_or(0);
        write!(f, ".{fraction:0width$}")?;
    }
    Ok(())
}
