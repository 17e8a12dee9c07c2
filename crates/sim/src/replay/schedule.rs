//! When which price is sent, and which funding rate is set for which interval.

use super::config::Config;
use super::desk::Desk;
use super::figures::{Figures, MarketFigures};
use super::path::{Candle, price_at};
use super::venue::Venue;
use engine::Command;
use units::{Price, Time};

/// The steps of a run: the first at the opening of the first candle, the last at the end of the last one.
pub struct Schedule<'a> {
    figures: &'a Figures,
    step_ms: i64,
    per_candle: usize,
    /// Number of the last step.
    pub steps: u64,
}

impl<'a> Schedule<'a> {
    /// The steps of these figures; the configuration has been checked against them.
    #[must_use]
    pub fn new(config: &Config, figures: &'a Figures) -> Self {
        let per_candle = usize::try_from(figures.interval_ms / config.step_ms).unwrap_or(1);
        let steps = u64::try_from(per_candle.saturating_mul(figures.candles)).unwrap_or(u64::MAX);
        Self { figures, step_ms: config.step_ms, per_candle, steps }
    }

    /// The time of a step.
    #[must_use]
    pub fn time(&self, step: u64) -> Time {
        let since = i64::try_from(step).unwrap_or(i64::MAX).saturating_mul(self.step_ms);
        Time::from_ms(self.figures.start_ms.saturating_add(since)).unwrap_or_default()
    }

    /// The price of every market at a step, per contract.
    #[must_use]
    pub fn prices(&self, step: u64) -> Vec<Price> {
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        let (candle, inside) = (step / self.per_candle, step % self.per_candle);
        let ms = self.figures.start_ms + self.step_ms * i64::try_from(step).unwrap_or(0);
        let price = |market: &MarketFigures| match market.candles.get(candle) {
            Some(candle) => held(market, ms, price_at(candle, self.per_candle, inside)),
            None => held(market, ms - 1, market.candles.last().map_or(Price::ZERO, |c: &Candle| c.close)),
        };
        self.figures.markets.iter().map(price).collect()
    }

    /// Sets the rate of the running interval of every market where the rate that was settled is known.
    pub fn set_funding(&self, desk: &mut Desk<'_, '_>, venue: &Venue) {
        for (figures, listed) in self.figures.markets.iter().zip(&venue.markets) {
            let market = desk.engine.state().market(listed.market);
            let due = market.funding_next;
            let known = figures.funding.iter().find(|(ms, _)| Time::from_ms(*ms) == Some(due)).map(|(_, rate)| *rate);
            if let Some(rate) = known.filter(|rate| market.funding_given != Some(*rate)) {
                let _ = desk.send("funding", &Command::SetFundingRate { market: listed.market, rate });
            }
        }
    }
}

/// A last price held inside the range of the marks of its time: where both are known, the index does not go where the
/// exchange's mark did not.
fn held(market: &MarketFigures, ms: i64, price: Price) -> Price {
    let after = market.marks.partition_point(|(from, ..)| *from <= ms);
    match after.checked_sub(1).and_then(|at| market.marks.get(at)) {
        Some((_, low, high)) => price.max(*low).min(*high),
        None => price,
    }
}
