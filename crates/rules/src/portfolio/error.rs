//! Why a portfolio has no margin: one refusal for each thing that can be wrong with a grid, a surface, a table or a book.

use crate::options::OptionError;
use core::fmt;

/// What is wrong. Instruments and scenarios are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortfolioError {
    /// A grid without scenarios.
    GridEmpty,
    /// More scenarios than [`super::SCENARIOS_MAX`], or than a table has columns.
    GridTooLong,
    /// A price move at or below −100 %, or above 10,000 %.
    MoveOutOfRange(usize),
    /// A damp that is not above 0 and at most 1.
    DampOutOfRange(usize),
    /// No undamped scenario leaves the price where it is.
    GridWithoutZero,
    /// Undamped price moves neither rise nor fall from first to last.
    GridNotMonotone(usize),
    /// Two scenarios are the same.
    GridRepeats(usize),
    /// A damped scenario whose price move lies inside the undamped ones.
    TailInside(usize),
    /// A damped scenario farther out that counts for more than one nearer.
    TailGrows(usize),
    /// A skew scenario that moves the price, or is damped.
    SkewMoves(usize),
    /// Rules that measure delta or vega need undamped cells one step up, one step down and volatility up.
    GridWithoutSteps,
    /// The underlying or the quote asset has no price above zero.
    PriceMissing,
    /// A confidence (share of price) below 0 or so large that a move would reach −100 %.
    ConfidenceOutOfRange,
    /// No volatility for this instrument: the surface lacks its point.
    VolatilityMissing(usize),
    /// An instrument that cannot be priced, and why.
    NotPriced(usize, OptionError),
    /// A lot, a mark or a unit that is not above zero.
    LotNotPositive(usize),
    /// A table entry beyond 64 bits in the unit of the table.
    EntryOutOfRange(usize),
    /// The unit of a table is not above zero.
    UnitNotPositive,
    /// A position in an instrument that the table does not have.
    InstrumentUnknown(usize),
    /// A size that is not a whole number of lots.
    SizeNotInLots(usize),
    /// A rate that must not be negative is.
    RateNegative,
    /// More positions than [`super::POSITIONS_MAX`].
    TooManyPositions,
    /// An offset below 0 or above 1, or one that is not between two different underlyings of the account.
    OffsetOutOfRange,
    /// Sizes of a collateral are not negative.
    CollateralNegative(usize),
    /// A result beyond the bounds of money.
    ResultOutOfRange,
}

impl fmt::Display for PortfolioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GridEmpty => f.write_str("the grid has no scenario"),
            Self::GridTooLong => f.write_str("the grid has too many scenarios: at most 64, and 32 in a table"),
            Self::MoveOutOfRange(at) => {
                write!(f, "scenario {at}: a price move must be above -100 % and at most 10,000 %")
            }
            Self::DampOutOfRange(at) => write!(f, "scenario {at}: the damp must be above 0 and at most 1"),
            Self::GridWithoutZero => f.write_str("no undamped scenario leaves the price unchanged"),
            Self::GridNotMonotone(at) => write!(f, "scenario {at}: undamped price moves must rise or fall throughout"),
            Self::GridRepeats(at) => write!(f, "scenario {at} is there twice"),
            Self::TailInside(at) => write!(f, "scenario {at}: a damped price move must be outside the undamped ones"),
            Self::TailGrows(at) => write!(f, "scenario {at}: a damp must not grow with the distance"),
            Self::SkewMoves(at) => write!(f, "scenario {at}: a skew scenario must leave the price and be undamped"),
            Self::GridWithoutSteps => f.write_str("the grid lacks a step up, a step down or volatility up at no move"),
            Self::PriceMissing => f.write_str("the underlying or the quote asset has no price above 0"),
            Self::ConfidenceOutOfRange => {
                f.write_str("the confidence must be from 0 to what no move turns into -100 %")
            }
            Self::VolatilityMissing(at) => write!(f, "instrument {at}: the surface has no volatility for it"),
            Self::NotPriced(at, cause) => write!(f, "instrument {at}: {cause}"),
            Self::LotNotPositive(at) => write!(f, "instrument {at}: lot and mark must be above 0"),
            Self::EntryOutOfRange(at) => write!(f, "instrument {at}: a table entry does not fit into 64 bits"),
            Self::UnitNotPositive => f.write_str("the unit of a table must be above 0"),
            Self::InstrumentUnknown(at) => write!(f, "instrument {at} is not in the table"),
            Self::SizeNotInLots(at) => write!(f, "instrument {at}: the size is not a whole number of lots"),
            Self::RateNegative => f.write_str("a rate must not be negative"),
            Self::TooManyPositions => f.write_str("an account has at most 512 positions in one underlying"),
            Self::OffsetOutOfRange => f.write_str("an offset must be from 0 to 1, between two different underlyings"),
            Self::CollateralNegative(at) => write!(f, "collateral {at}: its size must not be negative"),
            Self::ResultOutOfRange => f.write_str("the result does not fit"),
        }
    }
}

impl core::error::Error for PortfolioError {}
