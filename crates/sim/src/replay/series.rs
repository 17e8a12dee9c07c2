//! What a run looked like over time: prices, stages and the fund in even steps of time, at most [`POINTS_MAX`] of them
//! however long the window is. It reads counters that [`Tally`] keeps and notes how far they moved; it judges nothing.

use super::figures::Figures;
use super::report::{owed, per_base_unit};
use super::tally::{MarketTally, Tally};
use super::venue::Venue;
use engine::Engine;
use serde::{Serialize, Serializer};
use units::{Money, Price, Rate, Time};

/// The most points of a series.
pub const POINTS_MAX: u64 = 480;

/// A run over time. Every list has one entry per moment of `at`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Series {
    /// Milliseconds between two points; the last may come earlier. At least a minute.
    pub interval_ms: i64,
    /// The end of each point: what is counted happened after the point before and up to here.
    #[serde(serialize_with = "times")]
    pub at: Vec<Time>,
    /// Accounts of the population that fell below the line for the first time.
    pub below_line: Vec<u64>,
    /// Subaccounts in liquidation at the end of the point.
    pub liquidating: Vec<u64>,
    /// Equity of the fund at the end of the point.
    pub fund: Vec<Money>,
    /// Lowest equity of the fund after any step of the point.
    pub fund_low: Vec<Money>,
    /// What the fund paid for accounts below zero.
    pub fund_paid: Vec<Money>,
    /// What nobody had paid at the end of the point: of accounts without positions that are worth less than nothing.
    pub deficits: Vec<Money>,
    /// Receipts of deleveraging.
    pub receipts: Vec<u64>,
    /// Receipts that closed contracts which hedged something else: broken hedges.
    pub hedges_broken: Vec<u64>,
    /// By market, in the order of the report's markets.
    pub markets: Vec<MarketSeries>,
}

/// A market over time. Prices per base unit; amounts are those of one point in the quote asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MarketSeries {
    /// Name on the exchange.
    pub symbol: String,
    /// The index at the end of the point.
    pub index: Vec<String>,
    /// Lowest index after any step of the point.
    pub index_low: Vec<String>,
    /// The mark at the end of the point.
    pub mark: Vec<String>,
    /// The last trade at the end of the point.
    pub last: Vec<String>,
    /// What the next settlement would charge per interval; + means that longs pay.
    pub funding_rate: Vec<Rate>,
    /// Closed through the book.
    pub reduced: Vec<Money>,
    /// Taken over by volunteers.
    pub backstop: Vec<Money>,
    /// Taken over by the fund.
    pub taken_over: Vec<Money>,
    /// Closed against winners.
    pub deleveraged: Vec<Money>,
    /// Unwound by the fund through the book.
    pub unwound: Vec<Money>,
}

fn times<S: Serializer>(times: &[Time], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(ToString::to_string))
}

/// Takes the series down while the run goes on.
pub struct Recorder {
    series: Series,
    per_point: u64,
    fund_low: Money,
    lows: Vec<Price>,
    before: Counters,
}

/// Where the counters stood at the end of the last point.
#[derive(Default)]
struct Counters {
    below: usize,
    receipts: u64,
    hedges: u64,
    paid: Money,
    markets: Vec<[Money; 5]>,
}

fn stages(tally: &MarketTally) -> [Money; 5] {
    [&tally.reduced, &tally.backstop, &tally.taken_over, &tally.deleveraged, &tally.unwound].map(|c| c.notional)
}

impl Recorder {
    /// For a run of `steps` steps after the first, `step_ms` apart.
    #[must_use]
    pub fn new(step_ms: i64, steps: u64, figures: &Figures) -> Self {
        let minute = 60_000u64.div_ceil(u64::try_from(step_ms).unwrap_or(1).max(1));
        let per_point = minute.max(steps.div_ceil(POINTS_MAX - 1)).max(1);
        let interval_ms = step_ms.saturating_mul(i64::try_from(per_point).unwrap_or(i64::MAX));
        let market = |m: &super::MarketFigures| MarketSeries { symbol: m.symbol.clone(), ..MarketSeries::default() };
        let markets: Vec<_> = figures.markets.iter().map(market).collect();
        let before = Counters { markets: vec![[Money::ZERO; 5]; markets.len()], ..Counters::default() };
        let lows = vec![Price::ZERO; markets.len()];
        let series = Series { interval_ms, markets, ..Series::default() };
        Self { series, per_point, fund_low: Money::ZERO, lows, before }
    }

    /// After a step; a point ends at every `per_point`-th and at the last.
    pub fn step(&mut self, step: (u64, u64), at: Time, engine: &Engine, tally: &Tally, venue: &Venue, fund: Money) {
        let (step, last) = step;
        let begins = self.series.at.is_empty() || step % self.per_point == 1 || self.per_point == 1;
        self.fund_low = if begins { fund } else { self.fund_low.min(fund) };
        for (low, listed) in self.lows.iter_mut().zip(&venue.markets) {
            let index = engine.state().index(listed.index).price;
            *low = if begins { index } else { (*low).min(index) };
        }
        if step.is_multiple_of(self.per_point) || step == last {
            self.point(at, engine, tally, venue, fund);
        }
    }

    fn point(&mut self, at: Time, engine: &Engine, tally: &Tally, venue: &Venue, fund: Money) {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let (series, before) = (&mut self.series, &mut self.before);
        series.at.push(at);
        series.below_line.push(count(tally.below.len() - before.below));
        series.liquidating.push(count(engine.state().liquidating.len()));
        series.fund.push(fund);
        series.fund_low.push(self.fund_low);
        series.fund_paid.push(tally.paid_by_fund - before.paid);
        series.deficits.push(owed(engine.state()).0);
        series.receipts.push(tally.receipts - before.receipts);
        let hedges = tally.markets.iter().map(|m| m.hedges_broken.steps).sum();
        series.hedges_broken.push(hedges - before.hedges);
        (before.below, before.paid) = (tally.below.len(), tally.paid_by_fund);
        (before.receipts, before.hedges) = (tally.receipts, hedges);
        let rows = series.markets.iter_mut().zip(&mut before.markets).zip(&tally.markets);
        for (((series, before), tally), (listed, low)) in rows.zip(venue.markets.iter().zip(&self.lows)) {
            let Ok(view) = engine.market_view(listed.market) else { continue };
            let text = |price| per_base_unit(price, listed.power);
            series.index.push(text(view.index_price));
            series.index_low.push(text(*low));
            series.mark.push(text(view.mark_price));
            series.last.push(text(view.last_price));
            series.funding_rate.push(view.funding_rate);
            let now = stages(tally);
            let lists = [
                &mut series.reduced,
                &mut series.backstop,
                &mut series.taken_over,
                &mut series.deleveraged,
                &mut series.unwound,
            ];
            for ((list, now), before) in lists.into_iter().zip(now).zip(*before) {
                list.push(now - before);
            }
            *before = now;
        }
    }

    /// The series.
    #[must_use]
    pub fn finish(self) -> Series {
        self.series
    }
}
