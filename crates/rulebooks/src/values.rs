//! Values as rulebooks and books write them: quoted decimals with their unit. A bare number is an error, since it would pass
//! through binary floating point.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use units::{Money, Price, Rate, Round, Size};

/// Text with a unit that is read into something exact; `digits` are the most after the point, where it has a number with some.
macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident($inner:ty), $digits:expr, $pattern:literal, $expected:literal, $read:expr, $show:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                quoted(d, $expected)?.parse().map_err(D::Error::custom)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let read: fn(&str) -> Option<$inner> = $read;
                read(text).map(Self).ok_or_else(|| refusal(text, $digits, $expected))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let shown: fn(&$inner) -> String = $show;
                f.write_str(&shown(&self.0))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": concat!("expected: ", $expected) })
            }
        }
    };
}

/// Why a text is not what is expected: too many digits, or what is expected instead.
fn refusal(text: &str, digits: Option<usize>, expected: &str) -> String {
    let too_fine = digits.and_then(|digits| too_many_digits(text, digits));
    too_fine.unwrap_or_else(|| format!("{text:?} is not {expected}"))
}

/// Says so where a number, with or without a unit behind it, has more digits after the point than allowed.
pub(crate) fn too_many_digits(text: &str, allowed: usize) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let (whole, fraction) = text.get(..end)?.split_once('.')?;
    let is_plain = whole.parse::<i128>().is_ok() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let count = fraction.len();
    let what = || format!("{text:?} has {count} digits after the point, at most {allowed} are allowed");
    (is_plain && count > allowed).then(what)
}

/// Reads a string and says what to write where something else stands.
fn quoted<'de, D: Deserializer<'de>>(d: D, expected: &'static str) -> Result<String, D::Error> {
    struct Text(&'static str);
    impl serde::de::Visitor<'_> for Text {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{} in quotes", self.0)
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
        fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
            Err(E::custom(format!("{number} is a bare number, expected {} in quotes", self.0)))
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
            Err(E::custom(format!("{number} is a bare number, expected {} in quotes", self.0)))
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
            Err(E::custom(format!("{number} is a bare number, expected {} in quotes", self.0)))
        }
    }
    d.deserialize_any(Text(expected))
}

text_value!(
    /// A share: `"0.4%"`.
    Percent(Rate), Some(7), r"^-?\d+(\.\d+)?%$", "a share such as \"0.4%\"",
    |text| percent(text.strip_suffix('%')?),
    |rate| crate::explain::percent(*rate)
);
text_value!(
    /// A multiple: `"1.5x"`.
    Multiple(Rate), Some(9), r"^\d+(\.\d+)?x$", "a multiple such as \"1.5x\"",
    |text| text.strip_suffix('x')?.parse().ok(),
    |rate| format!("{rate}x")
);
text_value!(
    /// A leverage: `"125x"`, a whole number or a decimal, at least 1. Kept as 1 ÷ leverage, rounded up, beside what was written.
    Leverage((Rate, String)), Some(16), r"^\d+(\.\d+)?x$", "a leverage such as \"125x\"",
    |text| Some((one_over(text.strip_suffix('x')?)?, text.to_owned())),
    |(_, text)| text.clone()
);
text_value!(
    /// An amount with its asset: `"50000 USDT"`.
    Amount((Money, String)), Some(16), r"^-?\d+(\.\d+)? \S+$", "an amount with its asset, such as \"50000 USDT\"",
    |text| {
        let (number, asset) = text.split_once(' ')?;
        Some((number.parse().ok()?, asset.to_owned())).filter(|(_, asset)| !asset.is_empty() && !asset.contains(' '))
    },
    |(money, asset)| format!("{money} {asset}")
);
text_value!(
    /// A length of time: `"8h"`, `"30s"`, `"150s"`, `"1m"`, `"1d"`. Nanoseconds.
    Span(i64), None, r"^\d+(ms|s|m|h|d)$", "a length of time such as \"8h\"",
    span,
    |ns| shown_span(*ns)
);
text_value!(
    /// A day: `"2025-10-10"`.
    Day(String), None, r"^\d{4}-\d{2}-\d{2}$", "a day such as \"2025-10-10\"",
    |text| is_day(text).then(|| text.to_owned()),
    Clone::clone
);
text_value!(
    /// A price: `"0.1"`, in the quote.
    PriceText(Price), Some(8), r"^\d+(\.\d+)?$", "a price such as \"60500.5\"",
    |text| text.parse().ok().filter(|price: &Price| price.is_positive()),
    ToString::to_string
);
text_value!(
    /// A number of contracts: `"0.001"`; + long, − short.
    SizeText(Size), Some(8), r"^-?\d+(\.\d+)?$", "a number of contracts such as \"0.5\"",
    |text| text.parse().ok(),
    ToString::to_string
);
text_value!(
    /// An amount of an asset that is named beside it: `"10000"`.
    MoneyText(Money), Some(16), r"^-?\d+(\.\d+)?$", "an amount such as \"10000\"",
    |text| text.parse().ok(),
    ToString::to_string
);
text_value!(
    /// How a figure is rounded and to how many digits: `"up 6"`, `"toward_zero 8"`.
    DigitsText(rules::Digits), None, r"^(up|down|toward_zero) \d+$", "a direction and digits, such as \"toward_zero 8\"",
    digits,
    |digits| format!("{} {}", crate::resolve::direction(digits.round), digits.decimals)
);
text_value!(
    /// The code of a clause: `"BN-MM-03"`. It stands in the SOURCE.md beside the rulebook.
    Clause(String), None, r"^[A-Z]{2}-[A-Z]{2}-\d{2}$", "a clause such as \"BN-MM-03\"",
    |text| is_clause(text).then(|| text.to_owned()),
    Clone::clone
);

impl Leverage {
    /// The greatest leverage of an initial rate, to two digits: the rate may be 1 ÷ it rounded up, as it is for 3 and 7.
    pub(crate) fn shown(initial: Rate) -> String {
        let (hundred, initial) = (100 * Rate::ONE.units(), initial.units().max(1));
        let below = hundred / initial;
        let next = below + 1;
        let hundredths = if (hundred + below) / next >= initial { next } else { below };
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => format!("{whole}"),
            (whole, rest) => format!("{whole}.{rest:02}"),
        }
    }
}

fn percent(text: &str) -> Option<Rate> {
    // A hundredth of a number with at most seven digits after the point.
    let money: Money = text.parse().ok()?;
    let units = money.units();
    let scale = 10i128.pow(16 + 2 - 9);
    (units % scale == 0).then(|| i64::try_from(units / scale).ok().and_then(Rate::new)).flatten()
}

/// 1 ÷ a leverage, rounded up.
pub(crate) fn one_over(text: &str) -> Option<Rate> {
    let leverage: Money = text.parse().ok().filter(|money: &Money| *money >= Money::whole(1))?;
    let one = Money::whole(1).units();
    let units = units::mul_div(i128::from(Rate::ONE.units()), one, leverage.units(), Round::Up)?;
    i64::try_from(units).ok().and_then(Rate::new)
}

/// 1 ÷ twice a leverage, rounded up: half of the initial rate at it.
pub(crate) fn half_of_one_over(text: &str) -> Option<Rate> {
    let leverage: Money = text.parse().ok()?;
    one_over(&leverage.checked_add(leverage)?.to_string())
}

fn span(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let ns = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    i64::from_str(number).ok()?.checked_mul(ns)
}

fn shown_span(ns: i64) -> String {
    let units = [("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)];
    let unit = units.iter().find(|(_, length)| ns % length == 0 && ns != 0);
    unit.map_or_else(|| format!("{}ms", ns / 1_000_000), |(name, length)| format!("{}{name}", ns / length))
}

/// Whether a text is a day of the calendar.
pub(crate) fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn digits(text: &str) -> Option<rules::Digits> {
    let (direction, decimals) = text.split_once(' ')?;
    let round = match direction {
        "up" => Round::Up,
        "down" => Round::Down,
        "toward_zero" => Round::TowardZero,
        _ => return None,
    };
    let decimals = decimals.parse().ok().filter(|decimals| *decimals <= 16)?;
    Some(rules::Digits { round, decimals })
}

fn is_clause(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [venue, topic, number] = parts[..] else { return false };
    let upper = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    upper(venue) && upper(topic) && number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leverage_of_a_rate_is_the_one_that_it_was_made_of() {
        for leverage in ["1", "2", "3", "7", "10", "12.25", "75", "125"] {
            assert_eq!(one_over(leverage).map(Leverage::shown).as_deref(), Some(leverage));
        }
        // 1 ÷ 6.66 is more than 15 %, 1 ÷ 6.67 is less.
        assert_eq!("0.15".parse().ok().map(Leverage::shown).as_deref(), Some("6.66"));
    }

    #[test]
    fn too_many_digits_are_counted() {
        let told = |text: &str| text.parse::<PriceText>().unwrap_err();
        assert_eq!(told("60500.123456789"), "\"60500.123456789\" has 9 digits after the point, at most 8 are allowed");
        assert_eq!(told("60500.1234567x9"), "\"60500.1234567x9\" is not a price such as \"60500.5\"");
        let percent = "0.12345678%".parse::<Percent>().unwrap_err();
        assert_eq!(percent, "\"0.12345678%\" has 8 digits after the point, at most 7 are allowed");
        let amount = "1.00000000000000001 USDT".parse::<Amount>().unwrap_err();
        assert_eq!(amount, "\"1.00000000000000001 USDT\" has 17 digits after the point, at most 16 are allowed");
        assert_eq!("x".parse::<Clause>().unwrap_err(), "\"x\" is not a clause such as \"BN-MM-03\"");
    }

    #[test]
    fn text_is_read_exactly_or_refused() {
        assert_eq!(percent("0.4"), "0.004".parse().ok());
        assert_eq!(percent("0.0000001"), "0.000000001".parse().ok());
        assert_eq!(percent("0.00000001"), None);
        assert_eq!(one_over("125"), "0.008".parse().ok());
        assert_eq!(one_over("3"), "0.333333334".parse().ok());
        assert_eq!(one_over("0.5"), None);
        assert_eq!(
            (span("8h"), span("150s"), span("h"), span("8")),
            (Some(28_800_000_000_000), Some(150_000_000_000), None, None)
        );
        assert!(is_day("2024-02-29") && !is_day("2023-02-29") && !is_day("2023-13-01") && !is_day("2023-1-01"));
        assert!(is_clause("BN-MM-03") && !is_clause("BN-MM-3") && !is_clause("bn-MM-03"));
        assert_eq!(digits("up 6").map(|d| (d.round, d.decimals)), Some((Round::Up, 6)));
        assert_eq!((digits("up"), digits("nearest 2"), digits("up 17")), (None, None, None));
    }
}
