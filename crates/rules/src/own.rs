//! The average of a market's own trades: an index for what has no price outside yet.
//!
//! It knows nothing of time: the caller brings what was traded in one second, and nothing where nothing was.

use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, limits, mul_div};

/// How own trades make a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRule {
    /// Seconds with trades over which the price is averaged: each moves it by one part in so many toward what was traded.
    pub window_s: u32,
    /// The same for the long average that holds it.
    pub anchor_s: u32,
    /// The price stays within anchor ÷ (1 + reach) and anchor × (1 + reach).
    pub reach: Rate,
}

/// Two exponential averages, in 1e-17 of the quote: nine digits more than a price, so that small steps are not lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAverage {
    /// The price.
    pub price: i128,
    /// The long average.
    pub anchor: i128,
}

/// Of a price unit, 1e-8, in these averages.
const FINE: i128 = 1_000_000_000;

impl OwnAverage {
    /// Both at one price.
    #[must_use]
    pub fn at(price: Price) -> Self {
        let fine = i128::from(price.units()) * FINE;
        Self { price: fine, anchor: fine }
    }

    /// The price, rounded down, at least one unit.
    #[must_use]
    pub fn price(self) -> Price {
        i64::try_from((self.price / FINE).max(1)).ok().and_then(Price::new).unwrap_or(Price::ZERO)
    }

    /// After a second in which `contracts` (1e-8, without sign) changed hands for `value`: one step toward their average
    /// price, no larger than `speed` of the price, and within reach of the long average; then one step of that one.
    /// Steps and edges round toward where the price was. Without contracts nothing moves.
    ///
    /// From 10 with a window of 100 s, 30 contracts for 360 (12 each): 10.02. With a speed of 0.1 % a second: 10.01.
    #[must_use]
    pub fn after(self, value: Money, contracts: i128, speed: Rate, rule: &OwnRule) -> Self {
        let Some(traded) = mul_div(value.units(), FINE, contracts, Round::Down).filter(|_| contracts > 0) else {
            return self;
        };
        let most = share(self.price, speed);
        let price = self.price + step(traded - self.price, rule.window_s).clamp(-most, most);
        let one = i128::from(limits::RATE_ONE);
        let wide = one + i128::from(rule.reach.units().max(0));
        let high = mul_div(self.anchor, wide, one, Round::Down).unwrap_or(price);
        let low = mul_div(self.anchor, one, wide, Round::Up).unwrap_or(price);
        let price = price.max(low).min(high);
        Self { price, anchor: self.anchor + step(price - self.anchor, rule.anchor_s) }
    }
}

fn step(distance: i128, window_s: u32) -> i128 {
    distance.checked_div(i128::from(window_s)).unwrap_or(0)
}

fn share(fine: i128, rate: Rate) -> i128 {
    mul_div(fine, i128::from(rate.units().max(0)), i128::from(limits::RATE_ONE), Round::Down).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn rule(window_s: u32, anchor_s: u32, reach: &str) -> OwnRule {
        OwnRule { window_s, anchor_s, reach: r(reach) }
    }

    #[test]
    fn a_second_of_trades_is_one_step() {
        let after = |speed, contracts: i128| {
            OwnAverage::at(p("10")).after(Money::whole(360), contracts * 100_000_000, r(speed), &rule(100, 1_000, "2"))
        };
        assert_eq!(after("1", 30).price(), p("10.02"));
        assert_eq!(after("0.001", 30).price(), p("10.01"));
        assert_eq!(after("1", 45).price(), p("9.98"));
        assert_eq!(after("1", 0), OwnAverage::at(p("10")));
        // The anchor took a thousandth of 0.02.
        assert_eq!(after("1", 30).anchor, 1_000_002_000 * FINE);
    }

    #[test]
    fn own_trades_cannot_run_further_than_their_reach() {
        let rule = rule(10, 1_000_000, "0.5");
        let (mut up, mut down) = (OwnAverage::at(p("10")), OwnAverage::at(p("10")));
        for _ in 0..1_000 {
            up = up.after(Money::whole(1_000), 100_000_000, r("1"), &rule);
            down = down.after(Money::whole(1), 100_000_000, r("1"), &rule);
        }
        // The long average has moved by a thousandth of at most 5 since.
        assert!(up.price() > p("15") && up.price() < p("15.01"), "{:?}", up.price());
        assert!(down.price() < p("6.666667") && down.price() > p("6.66"), "{:?}", down.price());
    }

    #[test]
    fn small_steps_are_not_lost() {
        let rule = rule(604_800, 7_776_000, "2");
        let mut own = OwnAverage::at(p("0.01"));
        for _ in 0..604_800 {
            own = own.after(Money::new(101_000_000_000_000).unwrap(), 100_000_000, r("1"), &rule);
        }
        // After one window 1 − 1/e of the distance: 0.0101 − 0.0001 ÷ e.
        assert_eq!(own.price(), p("0.01006321"));
    }
}
