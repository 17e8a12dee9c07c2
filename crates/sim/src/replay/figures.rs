//! The figures of one run: candles per contract, marks, funding and tiers of each market over one window. Built from
//! checked rows; what does not fit together is refused here, before anything runs.

use super::path::Candle;
use super::rows::{FILE_DECIMALS, FundingTable, RawCandle, RawSeries, RawTable, RowError};
use super::tiers::{TierBook, TierChoice};
use std::collections::BTreeMap;
use units::{Price, Rate, Time, limits};

/// What a run is built from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Name for people.
    pub name: String,
    /// Where the figures come from, one line each; part of the output.
    pub notes: Vec<String>,
    /// The prices that the index follows.
    pub prices: RawTable,
    /// Marks that hold the index inside their range.
    pub marks: Option<RawTable>,
    /// Funding rates that were settled.
    pub funding: Option<FundingTable>,
    /// Traded quote per symbol, where the prices carry no volume.
    pub turnover: BTreeMap<String, i128>,
    /// The path did not happen.
    pub generated: bool,
    /// Tables of size tiers.
    pub tiers: TierBook,
}

/// Which part of the sources is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First moment, Unix milliseconds; none: where the prices begin.
    pub from_ms: Option<i64>,
    /// End, exclusive, Unix milliseconds; none: where the prices end.
    pub to_ms: Option<i64>,
    /// Only these symbols; empty: all.
    pub symbols: Vec<String>,
}

/// The figures of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Name for people.
    pub name: String,
    /// Where they come from.
    pub notes: Vec<String>,
    /// Opening of the first candle, Unix milliseconds.
    pub start_ms: i64,
    /// Milliseconds of one candle.
    pub interval_ms: i64,
    /// Candles of each market.
    pub candles: usize,
    /// By symbol, in order.
    pub markets: Vec<MarketFigures>,
    /// The path did not happen.
    pub generated: bool,
}

/// The figures of one market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketFigures {
    /// Name on the exchange.
    pub symbol: String,
    /// One contract is 10^`power` base units, so that a price has enough digits.
    pub power: u32,
    /// Prices per contract.
    pub candles: Vec<Candle>,
    /// Lowest and highest mark of an interval, by the opening of the interval in milliseconds.
    pub marks: Vec<(i64, Price, Price)>,
    /// Milliseconds of one mark interval.
    pub mark_interval_ms: i64,
    /// Settlements after the start: milliseconds and rate.
    pub funding: Vec<(i64, Rate)>,
    /// Traded quote in the window: weighs the population, nothing else.
    pub turnover: i128,
    /// Size tiers.
    pub tiers: TierChoice,
}

impl Figures {
    /// Builds the figures of a window.
    ///
    /// # Errors
    /// Symbols that are not there, series that do not cover the window, prices that do not fit.
    pub fn new(sources: &Sources, window: &Window) -> Result<Self, RowError> {
        let file = &sources.prices.file;
        check_symbols(sources, window)?;
        let chosen: Vec<(&String, &RawSeries)> =
            sources.prices.series.iter().filter(|(symbol, _)| window.takes(symbol)).collect();
        let interval_ms = sources.prices.interval_ms;
        let begin = chosen.iter().map(|(_, s)| s.start_ms).max().unwrap_or(0);
        let end = chosen.iter().map(|(_, s)| end_of(s, interval_ms)).min().unwrap_or(0);
        let (start_ms, stop_ms) = (window.from_ms.unwrap_or(begin), window.to_ms.unwrap_or(end));
        check_window(file, &chosen, interval_ms, start_ms, stop_ms)?;
        let day = Time::from_ms(start_ms).map(|t| t.to_string()).unwrap_or_default();
        let day = day.get(..10).unwrap_or_default();
        let span = Span { start_ms, stop_ms, interval_ms };
        let markets = chosen
            .iter()
            .map(|(symbol, series)| market(sources, symbol, series, &span, day))
            .collect::<Result<Vec<_>, _>>()?;
        let candles = usize::try_from((stop_ms - start_ms) / interval_ms).unwrap_or(0);
        let (name, notes, generated) = (sources.name.clone(), sources.notes.clone(), sources.generated);
        Ok(Self { name, notes, start_ms, interval_ms, candles, markets, generated })
    }

    /// The day of the first candle, as `2025-10-10`.
    #[must_use]
    pub fn day(&self) -> String {
        Time::from_ms(self.start_ms).map(|t| t.to_string()).unwrap_or_default().chars().take(10).collect()
    }

    /// The end of the last candle, Unix milliseconds.
    #[must_use]
    pub fn end_ms(&self) -> i64 {
        self.start_ms + self.interval_ms * i64::try_from(self.candles).unwrap_or(0)
    }
}

impl Window {
    fn takes(&self, symbol: &str) -> bool {
        self.symbols.is_empty() || self.symbols.iter().any(|s| s == symbol)
    }
}

struct Span {
    start_ms: i64,
    stop_ms: i64,
    interval_ms: i64,
}

fn error(file: &str, what: String, expected: String, hint: &str) -> RowError {
    RowError { file: file.to_owned(), row: None, what, expected, hint: hint.to_owned() }
}

fn end_of(series: &RawSeries, interval_ms: i64) -> i64 {
    series.start_ms + interval_ms * i64::try_from(series.candles.len()).unwrap_or(0)
}

/// Symbols asked for must have prices, and symbols with marks or funding too unless symbols were asked for.
fn check_symbols(sources: &Sources, window: &Window) -> Result<(), RowError> {
    let known = &sources.prices.series;
    let listed = || known.keys().take(8).cloned().collect::<Vec<_>>().join(", ");
    if let Some(symbol) = window.symbols.iter().find(|s| !known.contains_key(*s)) {
        let expected = format!("symbols of the file: {} … ({} in all)", listed(), known.len());
        return Err(error(
            &sources.prices.file,
            format!("unknown symbol {symbol}"),
            expected,
            "write it as the file does",
        ));
    }
    let marks = sources.marks.iter().flat_map(|t| t.series.keys().map(move |s| (&t.file, s)));
    let funding = sources.funding.iter().flat_map(|t| t.rates.keys().map(move |s| (&t.file, s)));
    match marks.chain(funding).find(|(_, symbol)| window.symbols.is_empty() && !known.contains_key(*symbol)) {
        Some((file, symbol)) => {
            let what = format!("unknown symbol {symbol}: {} has no prices of it", sources.prices.file);
            let hint = "name the markets you want with --symbols; rows of others are then left out";
            Err(error(file, what, format!("symbols with prices: {} …", listed()), hint))
        }
        None => Ok(()),
    }
}

fn check_window(
    file: &str,
    chosen: &[(&String, &RawSeries)],
    interval_ms: i64,
    start_ms: i64,
    stop_ms: i64,
) -> Result<(), RowError> {
    let show = |ms| Time::from_ms(ms).map(|t| t.to_string()).unwrap_or_default();
    for (symbol, series) in chosen {
        let (first, last) = (series.start_ms, end_of(series, interval_ms));
        if start_ms < first || stop_ms > last || start_ms >= stop_ms {
            let what = format!("{symbol} has candles from {} to {}", show(first), show(last));
            let expected = format!("all markets over the whole window, {} to {}", show(start_ms), show(stop_ms));
            return Err(error(file, what, expected, "choose with --from, --to and --symbols"));
        }
        if (start_ms - first) % interval_ms != 0 || (stop_ms - start_ms) % interval_ms != 0 {
            let what = format!("the window {} to {} cuts a candle of {symbol}", show(start_ms), show(stop_ms));
            return Err(error(
                file,
                what,
                format!("whole candles of {interval_ms} ms"),
                "move --from and --to to openings of candles",
            ));
        }
    }
    Ok(())
}

fn market(
    sources: &Sources,
    symbol: &str,
    series: &RawSeries,
    span: &Span,
    day: &str,
) -> Result<MarketFigures, RowError> {
    let skip = usize::try_from((span.start_ms - series.start_ms) / span.interval_ms).unwrap_or(0);
    let take = usize::try_from((span.stop_ms - span.start_ms) / span.interval_ms).unwrap_or(0);
    let raw = series.candles.get(skip..skip + take).unwrap_or_default();
    let file = &sources.prices.file;
    let (power, candles) = scaled(raw).ok_or_else(|| {
        let what = format!("prices of {symbol} do not fit");
        error(
            file,
            what,
            "at most 8 digits after the point with up to 10^9 base units per contract, below 9e10".into(),
            "leave it out with --symbols",
        )
    })?;
    let (marks, mark_interval_ms) = match &sources.marks {
        Some(table) => (marks(table, symbol, span, power)?, table.interval_ms),
        None => (Vec::new(), 0),
    };
    let funding = sources.funding.iter().filter_map(|t| t.rates.get(symbol)).flatten();
    let funding = funding.filter(|(ms, _)| *ms >= span.start_ms).copied().take(FUNDING_MAX).collect();
    let turnover = sources.turnover.get(symbol).copied().unwrap_or_else(|| turnover(raw));
    let tiers = sources.tiers.choose(symbol, day);
    Ok(MarketFigures { symbol: symbol.to_owned(), power, candles, marks, mark_interval_ms, funding, turnover, tiers })
}

/// The most settlements of one market that a run looks at.
const FUNDING_MAX: usize = 100_000;
/// A contract is worth at least this at the first price: 0.01, so that a unit of price is at most a millionth of it.
const CONTRACT_LEAST: i64 = 1_000_000;
const POWER_MAX: u32 = 9;

/// The smallest power of ten base units per contract at which all prices are exact and the first is not too small.
fn scaled(raw: &[RawCandle]) -> Option<(u32, Vec<Candle>)> {
    (0..=POWER_MAX).find_map(|power| {
        let candle = |c: &RawCandle| {
            let at = |p| per_contract(p, power);
            Some(Candle { open: at(c.open)?, high: at(c.high)?, low: at(c.low)?, close: at(c.close)? })
        };
        let first = per_contract(raw.first()?.open, power)?;
        let candles = (first.units() >= CONTRACT_LEAST).then(|| raw.iter().map(candle).collect::<Option<Vec<_>>>());
        Some((power, candles??))
    })
}

/// A price of the file per contract of 10^`power` base units; `None` when it is not exact in 8 digits or does not fit.
fn per_contract(raw: i128, power: u32) -> Option<Price> {
    let drop = 10i128.checked_pow(FILE_DECIMALS - limits::PRICE_DECIMALS)?;
    let raw = raw.checked_mul(10i128.checked_pow(power)?)?;
    (raw % drop == 0).then(|| i64::try_from(raw / drop).ok().and_then(Price::new)).flatten()
}

/// A mark per contract, its digits beyond the eighth cut off.
fn mark_price(raw: i128, power: u32) -> Option<Price> {
    let drop = 10i128.checked_pow(FILE_DECIMALS - limits::PRICE_DECIMALS)?;
    i64::try_from(raw.checked_mul(10i128.checked_pow(power)?)? / drop).ok().and_then(Price::new)
}

fn marks(table: &RawTable, symbol: &str, span: &Span, power: u32) -> Result<Vec<(i64, Price, Price)>, RowError> {
    let missing = || {
        let expected = format!("marks over the whole window, {} to {} ms", span.start_ms, span.stop_ms);
        error(
            &table.file,
            format!("marks of {symbol} do not cover the window"),
            expected,
            "leave --marks out, or choose another window",
        )
    };
    let series = table.series.get(symbol).ok_or_else(missing)?;
    if series.start_ms > span.start_ms || end_of(series, table.interval_ms) < span.stop_ms {
        return Err(missing());
    }
    let timed = (0i64..).zip(&series.candles).map(|(n, c)| (series.start_ms + n * table.interval_ms, c));
    let inside = timed.filter(|(ms, _)| ms + table.interval_ms > span.start_ms && *ms < span.stop_ms);
    inside
        .map(|(ms, c)| Some((ms, mark_price(c.low, power)?, mark_price(c.high, power)?)))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| {
            error(
                &table.file,
                format!("marks of {symbol} do not fit"),
                "prices below 9e10 per contract".into(),
                "leave it out with --symbols",
            )
        })
}

/// Σ volume × close in whole quote units, cut off.
fn turnover(raw: &[RawCandle]) -> i128 {
    // Ten digits of the price and four of the volume are dropped before they are multiplied, so that nothing overflows.
    let (volume_unit, price_unit) = (10i128.pow(14), 10i128.pow(10));
    let traded = |c: &RawCandle| (c.volume / volume_unit).saturating_mul(c.close / price_unit) / 10i128.pow(12);
    raw.iter().fold(0i128, |sum, c| sum.saturating_add(traded(c)))
}

/// The turnover of every market: given, or of all its candles.
pub fn turnovers(sources: &Sources) -> BTreeMap<String, i128> {
    let of = |(symbol, series): (&String, &RawSeries)| {
        let given = sources.turnover.get(symbol).copied();
        (symbol.clone(), given.unwrap_or_else(|| turnover(&series.candles)))
    };
    sources.prices.series.iter().map(of).collect()
}
