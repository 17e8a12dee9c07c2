//! How price, volatility and funding move together: the scenarios of a rulebook, checked. Knows no instrument.

use super::PortfolioError;
use alloc::vec::Vec;
use units::{Money, Rate, Round, mul_div};

/// A grid has at most so many scenarios.
pub const SCENARIOS_MAX: usize = 64;
/// A price rises by at most 10,000 %.
const MOVE_MAX: i64 = 100_000_000_000;

/// What happens to volatilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VolatilityMove {
    /// Nothing.
    Unchanged,
    /// They rise, short expiries more.
    Up,
    /// They fall, short expiries more.
    Down,
    /// The smile tilts: strikes above the forward one way, below it the other.
    SkewLinear,
    /// The smile bends: strikes far from the forward rise.
    SkewAbsolute,
}

/// What perpetuals pay while a position is being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FundingMove {
    /// What is expected now.
    Expected,
    /// More than that by the stated stress, to the cost of longs.
    LongsPay,
    /// Less than that by the stated stress, to the cost of shorts.
    ShortsPay,
}

/// How much of a scenario's result counts, in 1e-18: above 0, at most 1. The extreme moves of a grid count in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Damp(i64);

impl Damp {
    /// All of it.
    pub const ONE: Self = Self(1_000_000_000_000_000_000);

    /// From a count of 1e-18.
    #[must_use]
    pub const fn new(units: i64) -> Self {
        Self(units)
    }

    /// From a rate, exactly.
    #[must_use]
    pub const fn of(rate: Rate) -> Self {
        Self(rate.units().saturating_mul(1_000_000_000))
    }

    /// The count of 1e-18.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Its part of an amount, rounded down: a loss to the larger one. `None` beyond 128 bits.
    #[must_use]
    pub fn of_money(self, amount: Money) -> Option<Money> {
        if self == Self::ONE {
            return Some(amount);
        }
        let units = mul_div(amount.units(), i128::from(self.0), i128::from(Self::ONE.0), Round::Down);
        units.map(Money::from_units)
    }
}

/// One move of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// Of the price, as a share of it: 0.18 is up 18 %, −0.66 down to 34 %.
    pub price: Rate,
    /// Of volatilities.
    pub volatility: VolatilityMove,
    /// Of funding.
    pub funding: FundingMove,
    /// What counts of the result.
    pub damp: Damp,
}

impl Scenario {
    /// An undamped one with the funding that is expected.
    #[must_use]
    pub const fn new(price: Rate, volatility: VolatilityMove) -> Self {
        Self { price, volatility, funding: FundingMove::Expected, damp: Damp::ONE }
    }

    /// A tail: everything up, counted in part.
    #[must_use]
    pub const fn tail(price: Rate, damp: Damp) -> Self {
        Self { price, volatility: VolatilityMove::Up, funding: FundingMove::Expected, damp }
    }

    const fn is_skew(&self) -> bool {
        matches!(self.volatility, VolatilityMove::SkewLinear | VolatilityMove::SkewAbsolute)
    }

    /// Undamped, and no skew.
    fn is_regular(&self) -> bool {
        self.damp == Damp::ONE && !self.is_skew()
    }
}

/// Scenarios in a fixed order: the order decides which of two equal losses is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid(Vec<Scenario>);

impl Grid {
    /// Checked: moves possible, damps above 0 and at most 1, a cell where the price stays, undamped moves in one direction, tails
    /// outside of them that count for less the farther out they are, skews that leave the price alone, nothing twice.
    ///
    /// # Errors
    /// The one that names what is wrong, with the place of the scenario.
    pub fn new(scenarios: Vec<Scenario>) -> Result<Self, PortfolioError> {
        if scenarios.is_empty() {
            return Err(PortfolioError::GridEmpty);
        }
        if scenarios.len() > SCENARIOS_MAX {
            return Err(PortfolioError::GridTooLong);
        }
        for (at, one) in scenarios.iter().enumerate() {
            check_one(at, one)?;
            if scenarios.iter().take(at).any(|other| other == one) {
                return Err(PortfolioError::GridRepeats(at));
            }
        }
        if !scenarios.iter().any(|one| one.is_regular() && one.price == Rate::ZERO) {
            return Err(PortfolioError::GridWithoutZero);
        }
        check_order(&scenarios)?;
        check_tails(&scenarios)?;
        Ok(Self(scenarios))
    }

    /// The scenarios.
    #[must_use]
    pub fn scenarios(&self) -> &[Scenario] {
        &self.0
    }

    /// The undamped cell with unchanged volatility and expected funding that moves the price least in the direction said.
    pub(super) fn step(&self, up: bool) -> Option<usize> {
        let plain = |one: &Scenario| Scenario::new(one.price, VolatilityMove::Unchanged) == *one;
        let ahead = |one: &Scenario| if up { one.price.is_positive() } else { one.price.is_negative() };
        let found = self.0.iter().enumerate().filter(|(_, one)| plain(one) && ahead(one));
        found.min_by_key(|(_, one)| one.price.units().abs()).map(|(at, _)| at)
    }

    /// The undamped cell at which the price stays and volatility rises.
    pub(super) fn volatility_up(&self) -> Option<usize> {
        self.0.iter().position(|one| *one == Scenario::new(Rate::ZERO, VolatilityMove::Up))
    }
}

fn check_one(at: usize, one: &Scenario) -> Result<(), PortfolioError> {
    if one.price.units() <= -1_000_000_000 || one.price.units() > MOVE_MAX {
        return Err(PortfolioError::MoveOutOfRange(at));
    }
    if one.damp.0 <= 0 || one.damp > Damp::ONE {
        return Err(PortfolioError::DampOutOfRange(at));
    }
    if one.is_skew() && (one.price != Rate::ZERO || one.damp != Damp::ONE) {
        return Err(PortfolioError::SkewMoves(at));
    }
    Ok(())
}

/// Undamped price moves all rise or all fall.
fn check_order(scenarios: &[Scenario]) -> Result<(), PortfolioError> {
    let regular = || scenarios.iter().enumerate().filter(|(_, one)| one.is_regular());
    let pairs = || regular().zip(regular().skip(1));
    let falls = pairs().any(|((_, before), (_, after))| after.price < before.price);
    match pairs().find(|((_, before), (_, after))| falls && after.price > before.price) {
        Some((_, (at, _))) => Err(PortfolioError::GridNotMonotone(at)),
        None => Ok(()),
    }
}

fn check_tails(scenarios: &[Scenario]) -> Result<(), PortfolioError> {
    let regular = || scenarios.iter().filter(|one| one.is_regular()).map(|one| one.price);
    let (least, most) = (regular().min().unwrap_or(Rate::ZERO), regular().max().unwrap_or(Rate::ZERO));
    let tails = || scenarios.iter().enumerate().filter(|(_, one)| !one.is_regular() && !one.is_skew());
    for (at, one) in tails() {
        if (least..=most).contains(&one.price) {
            return Err(PortfolioError::TailInside(at));
        }
        let nearer = |other: &Scenario| {
            let same_side = other.price.is_negative() == one.price.is_negative();
            same_side && other.price.units().abs() < one.price.units().abs()
        };
        if tails().any(|(_, other)| nearer(other) && other.damp < one.damp) {
            return Err(PortfolioError::TailGrows(at));
        }
    }
    Ok(())
}
