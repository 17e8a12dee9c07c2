//! Text and serde forms, the same for every unit: a decimal string where people read, the integer where machines do.

/// Implements `Display`, `Debug`, `FromStr`, `Serialize` and `Deserialize` for a unit type.
macro_rules! decimal_text {
    ($type:ident, $int:ty, $decimals:expr) => {
        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let min = f.precision().and_then(|p| u32::try_from(p).ok()).unwrap_or(0).min($decimals);
                crate::decimal::format(i128::from(self.0), $decimals, min, f)
            }
        }

        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({})", stringify!($type), self)
            }
        }

        impl core::str::FromStr for $type {
            type Err = crate::ParseError;

            /// Reads plain decimal text: ASCII digits, one point, one leading minus; never rounds.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let out_of_range = crate::ParseError { at: 0, kind: crate::ParseErrorKind::OutOfRange };
                let units = crate::decimal::parse(text, $decimals)?;
                let units = <$int>::try_from(units).map_err(|_| out_of_range)?;
                Self::new(units).ok_or(out_of_range)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if d.is_human_readable() {
                    // Only a JSON string is read: a JSON number would pass through binary floating point in many readers.
                    let text = <alloc::string::String as serde::Deserialize>::deserialize(d)?;
                    text.parse().map_err(D::Error::custom)
                } else {
                    let units = <$int as serde::Deserialize>::deserialize(d)?;
                    Self::new(units).ok_or_else(|| D::Error::custom("number is outside the range of its unit"))
                }
            }
        }
    };
}

pub(crate) use decimal_text;

#[cfg(test)]
mod tests {
    use crate::{Money, ParseErrorKind, Price, Rate, Size};
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn odd_text_is_refused() {
        let odd = [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            "--1",
            "-+1",
            "1-",
            "1e5",
            "1E5",
            "0x10",
            " 1",
            "1 ",
            "1,000",
            "1_000",
            "1.2.3",
            "NaN",
            "inf",
            "١٢",
            "１",
            "1\u{200b}",
            "-.5",
            "\u{2212}1",
        ];
        for text in odd {
            assert!(text.parse::<Price>().is_err(), "{text:?} was read as a price");
            assert!(text.parse::<Money>().is_err(), "{text:?} was read as money");
        }
        let long = "1".repeat(200);
        assert_eq!(long.parse::<Money>().unwrap_err().kind, ParseErrorKind::TooLong);
        assert_eq!("0.123456789".parse::<Price>().unwrap_err().kind, ParseErrorKind::TooManyDecimals { allowed: 8 });
        assert!("0.12345678".parse::<Price>().is_ok());
        assert_eq!("99999999999999".parse::<Price>().unwrap_err().kind, ParseErrorKind::OutOfRange);
        assert!("100".parse::<Rate>().is_ok());
        assert!("100.000000001".parse::<Rate>().is_err());
    }

    #[test]
    fn zero_has_one_form_when_written() {
        assert_eq!("-0".parse::<Money>().unwrap().to_string(), "0");
        assert_eq!("0.00".parse::<Price>().unwrap().to_string(), "0");
        assert_eq!(format!("{:.2}", "5".parse::<Money>().unwrap()), "5.00");
        assert_eq!(format!("{:.2}", "-5.125".parse::<Money>().unwrap()), "-5.125");
    }

    proptest! {
        #[test]
        fn text_round_trips(a in any::<i64>(), m in -(1i128 << 116)..(1i128 << 116)) {
            let price = Price::new(a).unwrap_or(Price::ZERO);
            prop_assert_eq!(price.to_string().parse::<Price>().unwrap(), price);
            let size = Size::new(a).unwrap_or(Size::ZERO);
            prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
            let money = Money::new(m).unwrap();
            prop_assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = text.parse::<Money>();
            let _ = text.parse::<Rate>();
        }
    }
}
