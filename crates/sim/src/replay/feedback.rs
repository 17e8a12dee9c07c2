//! Feedback of the run's own liquidations into the index: **a model, off unless asked for**. With it the prices are no
//! longer those that were published, and every output says so.
//!
//! Each market has a displacement d, a share of its price. After every step what the ladder and the fund traded through
//! the book (bought less sold, at the mark) moves it: d ← d × 2^(−step ÷ half-life) + impact × net ÷ depth, where depth is
//! the notional that makers quote on one side when nothing moves. The next price is path × (1 + d). Integers only.

use super::config::{Config, FeedbackKnobs};
use super::venue::Venue;
use serde::Serialize;
use units::{Money, Price, Rate, Round, mul_div};

/// One, in the unit of displacements and decays.
const ONE: i128 = 1_000_000_000_000_000_000;
/// No displacement goes farther than this, half of the price either way.
const FARTHEST: i128 = ONE / 2;
/// Digits of a decay's exponent after the binary point.
const BITS: u32 = 24;
/// From a unit of displacement to a unit of [`Rate`].
const PER_RATE: i128 = ONE / 1_000_000_000;

/// How far the feedback moved the index of a market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Displacement {
    /// Name on the exchange.
    pub symbol: String,
    /// The lowest, a share of the price of the path.
    pub low: Rate,
    /// The highest.
    pub high: Rate,
    /// At the last price.
    pub last: Rate,
}

/// The displacement of every market.
pub struct Feedback {
    impact: i128,
    decay: i128,
    markets: Vec<Moved>,
}

#[derive(Clone, Copy, Default)]
struct Moved {
    depth: i128,
    at: i128,
    low: i128,
    high: i128,
}

impl Feedback {
    /// Nothing displaced; none when the knobs do not ask for it.
    pub fn new(config: &Config, venue: &Venue) -> Option<Self> {
        let FeedbackKnobs { impact, half_life_ms } = config.feedback?;
        let depth = |interest: Money| interest.mul_rate(config.liquidity.depth, Round::Down).units();
        let markets = venue.markets.iter().map(|l| Moved { depth: depth(l.interest), ..Moved::default() });
        let decay = decay(config.step_ms, half_life_ms);
        Some(Self { impact: i128::from(impact.units()) * PER_RATE, decay, markets: markets.collect() })
    }

    /// Takes in what was traded by force in the step that has ended, signed, at the mark.
    pub fn take(&mut self, net: impl Iterator<Item = Money>) {
        for (market, net) in self.markets.iter_mut().zip(net) {
            let kept = mul_div(market.at, self.decay, ONE, Round::TowardZero).unwrap_or(0);
            let units = mul_div(net.units(), self.impact, market.depth.max(1), Round::TowardZero);
            let moved = units.unwrap_or(if net.is_negative() { -FARTHEST } else { FARTHEST });
            market.at = kept.saturating_add(moved).clamp(-FARTHEST, FARTHEST);
            (market.low, market.high) = (market.low.min(market.at), market.high.max(market.at));
        }
    }

    /// The prices of a path, displaced.
    #[must_use]
    pub fn displaced(&self, path: &[Price]) -> Vec<Price> {
        let one = |(price, market): (&Price, &Moved)| {
            let units = mul_div(i128::from(price.units()), ONE + market.at, ONE, Round::Down);
            let moved = units.and_then(|u| i64::try_from(u).ok()).and_then(Price::new);
            moved.filter(|p| p.is_positive()).unwrap_or(*price)
        };
        path.iter().zip(&self.markets).map(one).collect()
    }

    /// How far each market was moved.
    #[must_use]
    pub fn report<'a>(&self, symbols: impl Iterator<Item = &'a str>) -> Vec<Displacement> {
        let rate = |units: i128| i64::try_from(units / PER_RATE).ok().and_then(Rate::new).unwrap_or(Rate::ZERO);
        let one = |(symbol, m): (&str, &Moved)| Displacement {
            symbol: symbol.to_owned(),
            low: rate(m.low),
            high: rate(m.high),
            last: rate(m.at),
        };
        symbols.zip(&self.markets).map(one).collect()
    }
}

/// 2^(−step ÷ half-life) in 10^−18: whole halvings, then one root of a half for each binary digit of the rest, each
/// rounded down.
fn decay(step_ms: i64, half_life_ms: i64) -> i128 {
    let (step, half) = (i128::from(step_ms.max(0)), i128::from(half_life_ms.max(1)));
    let scaled = (step << BITS) / half;
    let mut factor = ONE.checked_shr(u32::try_from(scaled >> BITS).unwrap_or(u32::MAX)).unwrap_or(0);
    let mut root = ONE / 2;
    for bit in (0..BITS).rev() {
        root = (root * ONE).isqrt();
        if scaled >> bit & 1 == 1 {
            factor = factor * root / ONE;
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feedback(impact: i128, decay: i128) -> Feedback {
        let depth = Money::whole(1_000_000).units();
        Feedback { impact, decay, markets: vec![Moved { depth, ..Moved::default() }] }
    }

    #[test]
    fn a_displacement_halves_in_a_half_life() {
        assert_eq!(decay(600_000, 600_000), ONE / 2);
        assert_eq!(decay(1_200_000, 600_000), ONE / 4);
        // The root of a half is 0.707106781186547524…
        assert_eq!(decay(300_000, 600_000), 707_106_781_186_547_524);
        let minute = (0..60).fold(ONE, |f, _| f * decay(10_000, 600_000) / ONE);
        assert!((ONE / 2 - minute).abs() < ONE / 100_000, "{minute}");
    }

    #[test]
    fn sales_push_the_price_down_by_impact_per_depth_and_it_comes_back() {
        // 500,000 sold into a depth of 1,000,000 with an impact of 2 %: one percent down.
        let mut feedback = feedback(ONE / 50, ONE / 2);
        let path = [Price::whole(200)];
        feedback.take([Money::whole(-500_000)].into_iter());
        assert_eq!(feedback.displaced(&path), [Price::whole(198)]);
        feedback.take([Money::ZERO].into_iter());
        assert_eq!(feedback.displaced(&path), [Price::whole(199)]);
        feedback.take([Money::whole(500_000)].into_iter());
        assert_eq!(feedback.displaced(&path), ["201.5".parse::<Price>().unwrap()]);
        let report = feedback.report(["X"].into_iter());
        assert_eq!([report[0].low, report[0].high, report[0].last], [-100, 75, 75].map(Rate::bps));
    }

    #[test]
    fn no_displacement_goes_beyond_half_of_the_price() {
        let mut feedback = feedback(ONE * 10, ONE);
        feedback.take([Money::whole(-900_000_000_000)].into_iter());
        assert_eq!(feedback.displaced(&[Price::whole(200)]), [Price::whole(100)]);
    }
}
