//! Marks and greeks of option markets, in units: never an error, for a market must have a mark whatever its volatility says.

use super::{Dated, OptionError, Perpetual, Right, to_nearest_price, to_rate};
use crate::option_payoff;
use units::{Price, Rate, Round, Time};

/// What a volatility source may say: 0.1 % to 2,000 % a year.
pub const VOLATILITY_RANGE: core::ops::RangeInclusive<Rate> = rate_of(1_000_000)..=rate_of(20_000_000_000);

const fn rate_of(units: i64) -> Rate {
    match Rate::new(units) {
        Some(rate) => rate,
        None => Rate::ONE,
    }
}

/// A minute: no model is asked about less time.
const MINUTE_NS: i64 = 60_000_000_000;

/// What an option is priced from. A dated one ends after `left_ns` at a price expected to be `forward`; a perpetual one pays
/// funding with `period_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionModel {
    /// Black-76 without interest: margin moves every day's result, so that nothing is discounted.
    Dated {
        /// What the settlement price is expected to be.
        forward: Price,
        /// Time until then, nanoseconds; less than a minute counts as one.
        left_ns: i64,
    },
    /// The closed form of `docs/options.md`.
    Perpetual {
        /// The index.
        spot: Price,
        /// Funding period, nanoseconds.
        period_ns: i64,
        /// A year, compounded continuously.
        interest: Rate,
    },
}

/// How a mark moves, per contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkGreeks {
    /// By the underlying: 1 for a whole one.
    pub delta: Rate,
    /// By volatility: for a whole 100 % a year.
    pub vega: Price,
    /// What delta changes by when the underlying rises by 1 %, to first order.
    pub gamma: Rate,
    /// What a day changes it by, all else unchanged; of a perpetual option what its holder pays in funding that day, with its sign.
    pub theta: Price,
}

impl OptionModel {
    /// The mark: the model's price to the nearest 1e-8, at least 1e-8 and at most what the option can ever pay. Volatility is taken
    /// into [`VOLATILITY_RANGE`]. Where the model has no price (spot and strike more than a million apart) it is the payoff.
    ///
    /// A perpetual call of strike 60,000 at 60,000, 60 % and seven days: 1,761.86559462.
    #[must_use]
    pub fn mark(&self, right: Right, strike: Price, volatility: Rate) -> Price {
        let spot = self.underlying();
        let least = Price::new(1).unwrap_or(Price::ONE);
        let modelled = match *self {
            Self::Dated { forward, left_ns } => {
                dated(forward, strike, volatility, left_ns).map(|model| model.price(right))
            }
            Self::Perpetual { spot, period_ns, interest } => {
                perpetual(spot, strike, volatility, period_ns, interest).map(|model| model.price(right))
            }
        };
        let price = modelled.and_then(|price| to_nearest_price(price, least));
        let price = price.unwrap_or_else(|_| option_payoff(right, spot, strike));
        let most = match right {
            Right::Call => spot,
            Right::Put => strike,
        };
        price.min(most).max(least)
    }

    /// Delta toward zero and vega to the nearest 1e-8; of the payoff where the model has none.
    #[must_use]
    pub fn greeks(&self, right: Right, strike: Price, volatility: Rate) -> MarkGreeks {
        let greeks = match *self {
            Self::Dated { forward, left_ns } => dated(forward, strike, volatility, left_ns)
                .map(|model| model.greeks(right))
                .map(|greeks| (greeks.delta, greeks.vega, greeks.gamma, greeks.theta)),
            Self::Perpetual { spot, period_ns, interest } => perpetual(spot, strike, volatility, period_ns, interest)
                .map(|model| model.greeks(right))
                .map(|greeks| (greeks.delta, greeks.vega, greeks.gamma, -greeks.funding)),
        };
        let spot = super::price_units(self.underlying());
        let units = greeks.and_then(|(delta, vega, gamma, theta)| {
            let one = Price::new(1).unwrap_or(Price::ONE);
            Ok(MarkGreeks {
                delta: to_rate(delta, Round::TowardZero)?,
                vega: to_nearest_price(vega, one)?,
                gamma: to_rate(gamma * spot * 0.01, Round::TowardZero)?,
                theta: to_nearest_price(theta / 365.0, one)?,
            })
        });
        units.unwrap_or_else(|_| {
            let inside = option_payoff(right, self.underlying(), strike).is_positive();
            let whole = if right == Right::Call { Rate::ONE } else { -Rate::ONE };
            MarkGreeks { delta: if inside { whole } else { Rate::ZERO }, ..MarkGreeks::default() }
        })
    }

    fn underlying(&self) -> Price {
        match *self {
            Self::Dated { forward, .. } => forward,
            Self::Perpetual { spot, .. } => spot,
        }
    }
}

fn in_range(volatility: Rate) -> Rate {
    volatility.clamp(*VOLATILITY_RANGE.start(), *VOLATILITY_RANGE.end())
}

fn dated(forward: Price, strike: Price, volatility: Rate, left_ns: i64) -> Result<Dated, OptionError> {
    let until = (Time::EPOCH, Time::from_ns(left_ns.max(MINUTE_NS)));
    Dated::new(forward, strike, in_range(volatility), until, Rate::ZERO)
}

fn perpetual(
    spot: Price,
    strike: Price,
    volatility: Rate,
    period_ns: i64,
    interest: Rate,
) -> Result<Perpetual, OptionError> {
    Perpetual::new(spot, strike, in_range(volatility), period_ns, interest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }

    const DAY_NS: i64 = 86_400_000_000_000;

    #[test]
    fn a_market_always_has_a_mark() {
        let week = OptionModel::Perpetual { spot: p("60000"), period_ns: 7 * DAY_NS, interest: Rate::ZERO };
        let vol: Rate = "0.6".parse().unwrap();
        assert_eq!(week.mark(Right::Call, p("60000"), vol), p("1761.86559462"));
        // Far away: at least a unit; beyond the model: the payoff.
        assert_eq!(week.mark(Right::Call, p("6000000"), vol), p("0.00000001"));
        let far = OptionModel::Perpetual { spot: p("6000000"), period_ns: DAY_NS, interest: Rate::ZERO };
        assert_eq!(far.mark(Right::Call, p("0.5"), vol), p("5999999.5"));
        assert_eq!(far.greeks(Right::Put, p("0.5"), vol), MarkGreeks::default());
        // Less than a minute, and a volatility that nobody may say.
        let now = OptionModel::Dated { forward: p("100"), left_ns: 0 };
        assert_eq!(now.mark(Right::Put, p("120"), Rate::ZERO), p("20"));
        assert!(now.mark(Right::Call, p("100"), "100".parse().unwrap()) <= p("100"));
    }

    #[test]
    fn greeks_are_those_of_the_model() {
        let month = OptionModel::Dated { forward: p("60000"), left_ns: 30 * DAY_NS };
        let vol: Rate = "0.6".parse().unwrap();
        let (call, put) = (month.greeks(Right::Call, p("60000"), vol), month.greeks(Right::Put, p("60000"), vol));
        // Both deltas are rounded toward zero.
        let parity = (call.delta - put.delta - Rate::ONE).units();
        assert!((-2..=0).contains(&parity), "{parity}");
        assert_eq!(call.vega, put.vega);
        let more = month.mark(Right::Call, p("60000"), vol + Rate::bps(1)) - month.mark(Right::Call, p("60000"), vol);
        let by_vega = call.vega.units() / 10_000;
        assert!((more.units() - by_vega).abs() < by_vega / 1_000, "{more} {by_vega}");
    }
}
