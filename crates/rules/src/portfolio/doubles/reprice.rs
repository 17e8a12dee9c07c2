//! What one contract gains or loses in each scenario, and the integers of a table from it. Knows no account.

use super::{dated, price_units, ratio, volatility, years};
use crate::options::numeric::exp;
use crate::options::{
    DatedColumns, DatedTerms, OptionError, PerpetualColumns, PerpetualTerms, Right, VOLATILITY_MIN, dated_prices,
    payoff, perpetual_prices,
};
use crate::portfolio::{
    COLUMNS, FundingMove, Instrument, InstrumentKind, Market, PortfolioError, Scenario, VolatilityMove, VolatilityShock,
};
use units::{Price, Rate};

/// Columns priced together: those of a table, the price now, and what fills a vector.
const WORK: usize = COLUMNS + 4;
type Work = [f64; WORK];
/// Beyond this a double is no 64-bit integer.
const ENTRY_MAX: f64 = 9_223_372_036_854_774_000.0;

/// What the values of a call and a put at all scenarios follow from: those of one strike are priced once.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    forward: Price,
    forward_fixed: Price,
    strike: Price,
    volatility: Rate,
    left_ns: i64,
    interest: Rate,
    perpetual: bool,
}

/// Reprices instruments under one grid; keeps what the next one may share.
pub(in crate::portfolio) struct Pricer<'a> {
    market: &'a Market,
    scenarios: &'a [Scenario],
    moves: Work,
    damps: Work,
    shock: &'a VolatilityShock,
    last: Option<Key>,
    calls: Work,
    puts: Work,
}

impl<'a> Pricer<'a> {
    /// For at most [`COLUMNS`] scenarios, whose price moves are `moves`.
    pub(in crate::portfolio) fn new(
        market: &'a Market,
        scenarios: &'a [Scenario],
        moves: &[Rate],
        shock: &'a VolatilityShock,
    ) -> Self {
        let mut pricer = Self {
            market,
            scenarios,
            moves: [0.0; WORK],
            damps: [1.0; WORK],
            shock,
            last: None,
            calls: [0.0; WORK],
            puts: [0.0; WORK],
        };
        for (to, price) in pricer.moves.iter_mut().zip(moves) {
            *to = ratio(*price);
        }
        for (to, scenario) in pricer.damps.iter_mut().zip(scenarios) {
            *to = scenario.damp.units() as f64 / 1e18; // tidy: cast — i64 to f64 rounds to nearest
        }
        pricer
    }

    /// The table's integers: result of one lot in `unit`, damped, each to the nearest; columns without a scenario repeat the first.
    pub(in crate::portfolio) fn row(
        &mut self,
        at: usize,
        instrument: &Instrument,
        unit: i128,
    ) -> Result<[i64; COLUMNS], PortfolioError> {
        let results = self.results(instrument).map_err(|error| match error {
            Refused::Surface => PortfolioError::VolatilityMissing(at),
            Refused::Option(error) => PortfolioError::NotPriced(at, error),
        })?;
        let unit = unit as f64; // tidy: cast — i128 to f64 rounds to nearest, the same everywhere
        let lot = instrument.lot.units() as f64 / unit; // tidy: cast — i64 to f64 rounds to nearest
        let mut row = [0; COLUMNS];
        let entries = || results.iter().zip(&self.damps).map(|(result, damp)| result * damp * lot);
        let count = self.scenarios.len();
        if entries().take(count).fold(true, |all, entry| all & (entry.abs() < SMALL)) {
            for (to, entry) in row.iter_mut().zip(entries()).take(count) {
                *to = nearest_small(entry);
            }
        } else {
            for (to, entry) in row.iter_mut().zip(entries()).take(count) {
                *to = nearest(entry).ok_or(PortfolioError::EntryOutOfRange(at))?;
            }
        }
        let first = row.first().copied().unwrap_or(0);
        row.iter_mut().skip(self.scenarios.len()).for_each(|column| *column = first);
        Ok(row)
    }

    /// Per contract, in 1e-8 quote, not damped.
    fn results(&mut self, instrument: &Instrument) -> Result<Work, Refused> {
        match instrument.kind {
            InstrumentKind::Spot { mark } | InstrumentKind::Future { mark, .. } => {
                Ok(self.linear(mark, Rate::ZERO, Rate::ZERO))
            }
            InstrumentKind::Perpetual { mark, funding, funding_stress } => {
                Ok(self.linear(mark, funding, funding_stress))
            }
            InstrumentKind::DatedOption { right, strike, forward, forward_fixed, volatility, left_ns, interest } => {
                let volatility = volatility.ok_or(Refused::Surface)?;
                let key = Key { forward, forward_fixed, strike, volatility, left_ns, interest, perpetual: false };
                self.price(key)?;
                Ok(self.against_now(right))
            }
            InstrumentKind::PerpetualOption { right, strike, volatility, period_ns, interest } => {
                let (forward, volatility) = (self.market.spot, volatility.ok_or(Refused::Surface)?);
                let forward_fixed = Price::ZERO;
                let key =
                    Key { forward, forward_fixed, strike, volatility, left_ns: period_ns, interest, perpetual: true };
                self.price(key)?;
                Ok(self.less_funding(key, right, self.against_now(right)))
            }
        }
    }

    fn linear(&self, mark: Price, funding: Rate, stress: Rate) -> Work {
        let (mark, funding, stress) = (price_units(mark), ratio(funding), ratio(stress));
        let mut results = [0.0; WORK];
        for (to, (price, scenario)) in results.iter_mut().zip(self.moves.iter().zip(self.scenarios)) {
            let paid = match scenario.funding {
                FundingMove::Expected => funding,
                FundingMove::LongsPay => funding + stress,
                FundingMove::ShortsPay => funding - stress,
            };
            *to = mark * (price - paid);
        }
        results
    }

    fn values(&self, right: Right) -> &Work {
        match right {
            Right::Call => &self.calls,
            Right::Put => &self.puts,
        }
    }

    /// The place after the scenarios holds the price now.
    fn against_now(&self, right: Right) -> Work {
        let values = self.values(right);
        let now = values.get(self.scenarios.len()).copied().unwrap_or(f64::NAN);
        values.map(|value| value - now)
    }

    /// A perpetual option pays its time value over the period; the horizon's part of it is gone in every scenario.
    fn less_funding(&self, key: Key, right: Right, mut results: Work) -> Work {
        let part = years(self.market.horizon_ns) / years(key.left_ns);
        let (spot, strike) = (price_units(key.forward), price_units(key.strike));
        for (to, (value, price)) in results.iter_mut().zip(self.values(right).iter().zip(&self.moves)) {
            *to -= part * (value - payoff(right, spot * (1.0 + price), strike));
        }
        results
    }

    /// Calls and puts of a strike in all scenarios and now.
    fn price(&mut self, key: Key) -> Result<(), Refused> {
        if self.last == Some(key) {
            return Ok(());
        }
        self.last = None;
        if key.left_ns < 0 {
            return Err(Refused::Option(if key.perpetual {
                OptionError::PeriodNotPositive
            } else {
                OptionError::ExpiryPast
            }));
        }
        let volatility = volatility(key.volatility)?;
        let (up, down) = self.shock.shocked(volatility, self.shock.growth(key.left_ns));
        let (mut spots, mut volatilities) =
            ([price_units(key.forward) + price_units(key.forward_fixed); WORK], [volatility; WORK]);
        for (at, to) in volatilities.iter_mut().enumerate().take(self.scenarios.len()) {
            *to = match self.scenarios.get(at).map(|scenario| scenario.volatility) {
                Some(VolatilityMove::Up) => up,
                Some(VolatilityMove::Down) => down,
                _ => volatility,
            };
        }
        for (to, price) in spots.iter_mut().zip(&self.moves).take(self.scenarios.len()) {
            *to = price_units(key.forward) * (1.0 + price) + price_units(key.forward_fixed);
        }
        // Whole vectors of four and eight.
        let length = (self.scenarios.len() + 1).next_multiple_of(4).min(WORK);
        let asked = Asked { spots: &spots, volatilities: &volatilities, length };
        if key.perpetual {
            self.perpetual(key, asked)?
        } else {
            self.dated(key, asked)?
        }
        self.last = Some(key);
        Ok(())
    }

    fn dated(&mut self, key: Key, Asked { spots, volatilities, length }: Asked<'_>) -> Result<(), Refused> {
        let (years, strike) = (years(key.left_ns), price_units(key.strike));
        let discount = exp(-(ratio(key.interest) * years));
        let (strikes, terms, discounts) = ([strike; WORK], [years; WORK], [discount; WORK]);
        let columns = DatedColumns {
            forward: first(spots, length),
            strike: first(&strikes, length),
            volatility: first(volatilities, length),
            years: first(&terms, length),
            discount: first(&discounts, length),
        };
        dated_prices(columns, first_mut(&mut self.calls, length), first_mut(&mut self.puts, length))?;
        let rows = spots.iter().zip(volatilities).zip(self.calls.iter_mut().zip(self.puts.iter_mut())).take(length);
        for ((forward, volatility), (call, put)) in rows.filter(|(_, (call, _))| call.is_nan()) {
            let terms = DatedTerms { forward: *forward, strike, volatility: *volatility, years, discount };
            (*call, *put) = (dated(Right::Call, terms)?, dated(Right::Put, terms)?);
        }
        Ok(())
    }

    fn perpetual(&mut self, key: Key, Asked { spots, volatilities, length }: Asked<'_>) -> Result<(), Refused> {
        let (period, strike, interest) = (years(key.left_ns), price_units(key.strike), ratio(key.interest));
        let (calls, puts) = (first_mut(&mut self.calls, length), first_mut(&mut self.puts, length));
        if interest == 0.0 {
            let (strikes, periods) = ([strike; WORK], [period; WORK]);
            let columns = PerpetualColumns {
                spot: first(spots, length),
                strike: first(&strikes, length),
                volatility: first(volatilities, length),
                period: first(&periods, length),
            };
            perpetual_prices(columns, calls, puts)?;
        } else {
            calls.fill(f64::NAN);
        }
        let rows = spots.iter().zip(volatilities).zip(calls.iter_mut().zip(puts.iter_mut()));
        for ((spot, volatility), (call, put)) in rows.filter(|(_, (call, _))| call.is_nan()) {
            if *volatility < VOLATILITY_MIN {
                (*call, *put) = (payoff(Right::Call, *spot, strike), payoff(Right::Put, *spot, strike));
            } else {
                let terms = PerpetualTerms { spot: *spot, strike, volatility: *volatility, period, interest };
                (*call, *put) = terms.check()?.prices();
            }
        }
        Ok(())
    }
}

/// Prices and volatilities to price at; the first so many.
#[derive(Clone, Copy)]
struct Asked<'a> {
    spots: &'a Work,
    volatilities: &'a Work,
    length: usize,
}

fn first(work: &Work, length: usize) -> &[f64] {
    work.get(..length).unwrap_or(work)
}

fn first_mut(work: &mut Work, length: usize) -> &mut [f64] {
    work.get_mut(..length).unwrap_or_default()
}

/// Why an instrument has no row.
enum Refused {
    Surface,
    Option(OptionError),
}

impl From<OptionError> for Refused {
    fn from(error: OptionError) -> Self {
        Self::Option(error)
    }
}

/// Below this a double and 1.5 × 2⁵² add up to a whole number that stands in the low bits.
const SMALL: f64 = 2_251_799_813_685_248.0;

/// The nearest integer, halves to the even one, of less than [`SMALL`]: without a conversion, so that vectors do it.
#[inline(always)]
fn nearest_small(value: f64) -> i64 {
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    (value + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits()).cast_signed()
}

/// The nearest integer of any size: what is above [`SMALL`] has at most one binary place, and halves of it go away from zero.
#[expect(clippy::cast_possible_truncation, reason = "cutting off is meant, and what does not fit is refused")]
fn nearest(value: f64) -> Option<i64> {
    let half = if value < 0.0 { -0.5 } else { 0.5 };
    let near = (value + half) as i64; // tidy: cast — cut off toward zero; out of range and no number are refused below
    (value.abs() < ENTRY_MAX).then_some(near)
}
