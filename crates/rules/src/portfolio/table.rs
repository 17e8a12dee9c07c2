//! Results of one lot of each instrument in each scenario, as integers, and what a book of positions makes of them: exact sums.

use super::doubles::Pricer;
use super::{Grid, PortfolioError, VolatilityMove, VolatilityShock};
use crate::options::Right;
use alloc::vec::Vec;
use units::{Money, Price, Rate, Size};

/// Columns of a table: a grid for tables has at most so many scenarios.
pub const COLUMNS: usize = 32;

/// What an instrument is, and what it is priced from. Prices are per contract in quote; times are nanoseconds from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentKind {
    /// The underlying itself, held as collateral.
    Spot {
        /// Its price.
        mark: Price,
    },
    /// Moves with the price and pays funding.
    Perpetual {
        /// Mark price.
        mark: Price,
        /// Expected over the horizon as a share of the mark; + is paid by longs.
        funding: Rate,
        /// By so much it may come out otherwise.
        funding_stress: Rate,
    },
    /// Moves with the price until it expires.
    Future {
        /// Mark price.
        mark: Price,
        /// To the expiry.
        left_ns: i64,
    },
    /// On a forward.
    DatedOption {
        /// Call or put.
        right: Right,
        /// Strike.
        strike: Price,
        /// The part of the forward that still moves.
        forward: Price,
        /// The part that an average at settlement has fixed.
        forward_fixed: Price,
        /// Of its point of the surface; none where that lacks it.
        volatility: Option<Rate>,
        /// To the expiry.
        left_ns: i64,
        /// Per year.
        interest: Rate,
    },
    /// Continuously funded.
    PerpetualOption {
        /// Call or put.
        right: Right,
        /// Strike.
        strike: Price,
        /// Of its point of the surface; none where that lacks it.
        volatility: Option<Rate>,
        /// The funding period, which stands for an expiry in volatility shocks.
        period_ns: i64,
        /// Per year.
        interest: Rate,
    },
}

/// An instrument of one underlying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// What it is.
    pub kind: InstrumentKind,
    /// Positions are whole multiples of it.
    pub lot: Size,
    /// Which quote asset it settles in, by number: those of one number are one asset.
    pub quote: u8,
}

impl Instrument {
    /// Expiry or funding period; 0 of what has neither.
    pub(super) const fn tenor_ns(&self) -> i64 {
        match self.kind {
            InstrumentKind::Spot { .. } | InstrumentKind::Perpetual { .. } => 0,
            InstrumentKind::Future { left_ns, .. } | InstrumentKind::DatedOption { left_ns, .. } => left_ns,
            InstrumentKind::PerpetualOption { period_ns, .. } => period_ns,
        }
    }

    fn is_priced(&self) -> bool {
        let prices = match self.kind {
            InstrumentKind::Spot { mark } | InstrumentKind::Future { mark, .. } => mark,
            InstrumentKind::Perpetual { mark, .. } => mark,
            InstrumentKind::DatedOption { strike, .. } | InstrumentKind::PerpetualOption { strike, .. } => strike,
        };
        prices.is_positive() && self.lot.is_positive()
    }
}

/// The underlying of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// Index price.
    pub spot: Price,
    /// How far the price may be off, as a share of it: price moves are widened by it on both sides.
    pub confidence: Rate,
    /// How long closing may take: funding of perpetual options for so long is in every scenario.
    pub horizon_ns: i64,
}

/// A position: an instrument by its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Place.
    pub instrument: usize,
    /// + long, − short; whole lots.
    pub size: Size,
}

/// A row of 64-byte lines, as vectors load it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Narrow {
    pub(super) entries: [i32; COLUMNS],
}

/// Results by instrument and scenario.
#[derive(Clone, Debug)]
pub struct Table {
    grid: Grid,
    moves: Vec<Rate>,
    unit: Money,
    instruments: Vec<Instrument>,
    /// In 64 bits, which is what counts …
    rows: Vec<[i64; COLUMNS]>,
    /// … and in 32 bits; where those do not suffice the place is in `wide`.
    narrow: Vec<Narrow>,
    wide: Vec<usize>,
}

/// What a book makes in each scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// By scenario.
    pub results: Vec<Money>,
    /// The least of them: below zero is a loss.
    pub worst: Money,
    /// The first scenario with that result.
    pub scenario: usize,
    /// How far any result may be off because table entries are rounded: half a unit for each lot.
    pub rounding: Money,
}

impl Table {
    /// Reprices every instrument once per scenario. Entries are counted in `unit` of quote per lot, rounded to the nearest.
    ///
    /// # Errors
    /// [`PortfolioError::GridTooLong`] above [`COLUMNS`] scenarios, [`PortfolioError::SkewMoves`] for a skew, which needs the formula of
    /// its venue; what is wrong with the market or an instrument.
    pub fn build(
        grid: &Grid,
        shock: &VolatilityShock,
        market: &Market,
        instruments: &[Instrument],
        unit: Money,
    ) -> Result<Self, PortfolioError> {
        if !unit.is_positive() {
            return Err(PortfolioError::UnitNotPositive);
        }
        let scenarios = grid.scenarios();
        if scenarios.len() > COLUMNS {
            return Err(PortfolioError::GridTooLong);
        }
        let skews = [VolatilityMove::SkewLinear, VolatilityMove::SkewAbsolute];
        if let Some(at) = scenarios.iter().position(|one| skews.contains(&one.volatility)) {
            return Err(PortfolioError::SkewMoves(at));
        }
        let mut table = Self {
            grid: grid.clone(),
            unit,
            moves: Vec::new(),
            instruments: Vec::new(),
            rows: Vec::new(),
            narrow: Vec::new(),
            wide: Vec::new(),
        };
        table.rebuild(shock, market, instruments)?;
        Ok(table)
    }

    /// The same for new prices, in the memory that is there. After an error the table has no instruments, so that no old result is used.
    ///
    /// # Errors
    /// What is wrong with the market or an instrument.
    pub fn rebuild(
        &mut self,
        shock: &VolatilityShock,
        market: &Market,
        instruments: &[Instrument],
    ) -> Result<(), PortfolioError> {
        let built = self.fill(shock, market, instruments);
        if built.is_err() {
            self.instruments.clear();
            self.rows.clear();
            self.narrow.clear();
        }
        built
    }

    fn fill(
        &mut self,
        shock: &VolatilityShock,
        market: &Market,
        instruments: &[Instrument],
    ) -> Result<(), PortfolioError> {
        if !market.spot.is_positive() {
            return Err(PortfolioError::PriceMissing);
        }
        let moves = self.grid.scenarios().iter().map(|one| widened(one.price, market.confidence));
        self.moves = moves.collect::<Option<_>>().ok_or(PortfolioError::ConfidenceOutOfRange)?;
        self.instruments.clear();
        self.instruments.extend_from_slice(instruments);
        self.rows.clear();
        self.narrow.clear();
        self.wide.clear();
        self.rows.reserve(instruments.len());
        self.narrow.reserve(instruments.len());
        let mut pricer = Pricer::new(market, self.grid.scenarios(), &self.moves, shock);
        for (at, instrument) in instruments.iter().enumerate() {
            if !instrument.is_priced() {
                return Err(PortfolioError::LotNotPositive(at));
            }
            let row = pricer.row(at, instrument, self.unit.units())?;
            let fits = row.iter().fold(true, |all, entry| all & (i64::from(low_half(*entry)) == *entry));
            if !fits {
                self.wide.push(at);
            }
            // What does not fit is never used: `wide` says so.
            self.narrow.push(Narrow { entries: row.map(low_half) });
            self.rows.push(row);
        }
        Ok(())
    }

    /// What an account would gain or lose, by scenario, exactly: sums of lots × entries in 128 bits.
    ///
    /// Two equal results: the scenario that comes first is named.
    ///
    /// # Errors
    /// [`PortfolioError::InstrumentUnknown`], [`PortfolioError::SizeNotInLots`], [`PortfolioError::ResultOutOfRange`].
    pub fn scan(&self, held: &[Held]) -> Result<Scan, PortfolioError> {
        let mut sums = [0_i128; COLUMNS];
        let mut lots_held = 0_i128;
        for position in held {
            let (_, row, lots) = self.row_and_lots(position)?;
            lots_held = lots_held.saturating_add(lots.abs());
            for (sum, entry) in sums.iter_mut().zip(row) {
                let result = lots.checked_mul(i128::from(*entry)).and_then(|result| sum.checked_add(result));
                *sum = result.ok_or(PortfolioError::ResultOutOfRange)?;
            }
        }
        let results = sums.iter().take(self.moves.len()).map(|sum| self.money(*sum));
        let results: Vec<Money> = results.collect::<Option<_>>().ok_or(PortfolioError::ResultOutOfRange)?;
        let first = results.iter().enumerate().min_by_key(|(at, result)| (**result, *at));
        let (scenario, worst) = first.map_or((0, Money::ZERO), |(at, result)| (at, *result));
        let halves = self.money(lots_held).ok_or(PortfolioError::ResultOutOfRange)?;
        Ok(Scan { worst, scenario, rounding: halves.share(1, 2, units::Round::Up), results })
    }

    /// An amount counted in the unit of the table.
    pub(super) fn money(&self, units: i128) -> Option<Money> {
        units.checked_mul(self.unit.units()).and_then(Money::new)
    }

    /// The instrument of a position, its results by scenario, and how many lots of it.
    pub(super) fn row_and_lots(&self, position: &Held) -> Result<(&Instrument, &[i64; COLUMNS], i128), PortfolioError> {
        let at = position.instrument;
        let unknown = PortfolioError::InstrumentUnknown(at);
        let (row, instrument) = self.rows.get(at).zip(self.instruments.get(at)).ok_or(unknown)?;
        let (size, lot) = (i128::from(position.size.units()), i128::from(instrument.lot.units()));
        // The lot is above zero: checked when the table was built.
        let lots = size.checked_div(lot).filter(|lots| lots.checked_mul(lot) == Some(size));
        Ok((instrument, row, lots.ok_or(PortfolioError::SizeNotInLots(at))?))
    }

    /// The scenarios.
    #[must_use]
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Price moves of the scenarios, the confidence of the price included.
    #[must_use]
    pub fn moves(&self) -> &[Rate] {
        &self.moves
    }

    /// The instruments.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// What a count of one is, in quote.
    #[must_use]
    pub const fn unit(&self) -> Money {
        self.unit
    }

    /// Results of one lot, in the unit of the table.
    #[must_use]
    pub fn row(&self, instrument: usize) -> Option<&[i64]> {
        self.rows.get(instrument)?.get(..self.moves.len())
    }

    /// Instruments whose entries need more than 32 bits: sums that touch them go the long way.
    #[must_use]
    pub fn wide(&self) -> &[usize] {
        &self.wide
    }

    pub(super) fn rows(&self) -> &[[i64; COLUMNS]] {
        &self.rows
    }

    pub(super) fn narrow(&self) -> &[Narrow] {
        &self.narrow
    }
}

/// A move away from zero is farther by the confidence; none stays none. `None` at or below −100 %.
fn widened(price: Rate, confidence: Rate) -> Option<Rate> {
    let by = confidence.units();
    if by < 0 {
        return None;
    }
    let units = price.units().checked_add(by.checked_mul(price.units().signum())?)?;
    Rate::new(units).filter(|rate| rate.units() > -1_000_000_000)
}

/// The lower 32 bits, which are the number itself where it fits.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the caller compares")]
fn low_half(entry: i64) -> i32 {
    entry as i32 // tidy: cast — compared with the whole by the caller
}
