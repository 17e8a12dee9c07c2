//! How far a trailing trigger stays behind the best price that it has seen, and where that puts it.

use serde::{Deserialize, Serialize};
use units::{Price, Rate, Round, limits};

/// The distance of a trailing trigger from the best price that it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Callback {
    /// A share of the best price.
    Rate(Rate),
    /// A difference of prices.
    Distance(Price),
}

impl Callback {
    /// The nearest that a trigger may stay: 0.01 % of the price that it starts from.
    pub const LEAST: Rate = Rate::bps(1);
    /// The farthest: 50 % of the price that it starts from.
    pub const MOST: Rate = Rate::bps(5_000);

    /// The level of a trigger that follows a high: high × (1 − rate), or high − distance; `None` when it does not fit.
    ///
    /// 1 % behind 60,000 is 59,400. Rounds down: a price, which is whole units of 1e-8, is at or below the exact level just
    /// when it is at or below this one, so that nothing fires later or earlier.
    #[must_use]
    pub fn below(self, high: Price) -> Option<Price> {
        match self {
            Self::Rate(rate) => high.scale(-rate, Round::Down),
            Self::Distance(distance) => high.units().checked_sub(distance.units()).and_then(Price::new),
        }
    }

    /// The level of a trigger that follows a low: low × (1 + rate), or low + distance; `None` when it does not fit.
    ///
    /// 1 % behind 60,000 is 60,600. Rounds up, for the reason that `below` rounds down.
    #[must_use]
    pub fn above(self, low: Price) -> Option<Price> {
        match self {
            Self::Rate(rate) => low.scale(rate, Round::Up),
            Self::Distance(distance) => low.units().checked_add(distance.units()).and_then(Price::new),
        }
    }

    /// Whether it is neither too near nor too far behind the price that it starts from. Compared without rounding.
    #[must_use]
    pub fn is_good(self, price: Price) -> bool {
        let one = i128::from(limits::RATE_ONE);
        let (asked, of) = match self {
            Self::Rate(rate) => (i128::from(rate.units()), 1),
            Self::Distance(distance) => (i128::from(distance.units()) * one, i128::from(price.units())),
        };
        i128::from(Self::LEAST.units()) * of <= asked && asked <= i128::from(Self::MOST.units()) * of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn levels_round_so_that_nothing_fires_late_or_early() {
        let rate = Callback::Rate("0.01".parse().unwrap());
        assert_eq!((rate.below(p("60000")), rate.above(p("60000"))), (Some(p("59400")), Some(p("60600"))));
        // 0.00000101 × 0.99 = 0.0000009999: of whole units 0.00000099 is the first at or below it.
        assert_eq!(
            (rate.below(p("0.00000101")), rate.above(p("0.00000101"))),
            (Some(p("0.00000099")), Some(p("0.00000103")))
        );
        let distance = Callback::Distance(p("500"));
        assert_eq!((distance.below(p("60000")), distance.above(p("60000"))), (Some(p("59500")), Some(p("60500"))));
        assert_eq!(distance.above(Price::new(i64::MAX).unwrap()), None);
    }

    #[test]
    fn the_range_is_exact_at_both_ends() {
        let rate = |text: &str| Callback::Rate(text.parse().unwrap()).is_good(p("60000"));
        assert_eq!((rate("0.0001"), rate("0.000099999"), rate("0.5"), rate("0.500000001")), (true, false, true, false));
        let distance = |text: &str| Callback::Distance(p(text)).is_good(p("60000"));
        assert_eq!(
            (distance("6"), distance("5.99999999"), distance("30000"), distance("30000.00000001")),
            (true, false, true, false)
        );
        assert_eq!((rate("-0.01"), rate("100"), distance("-500")), (false, false, false));
    }
}
