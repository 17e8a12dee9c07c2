//! OKX's portfolio margin as far as it is published: the moves of MR1 and MR6, the steps of the minimum charge, and how terms go together.
//! How it shocks volatility, decays time and charges vega, basis and rates is not public: those terms come in. Integers only.

use super::{Damp, Grid, PortfolioError, Scan, Scenario, VolatilityMove};
use alloc::vec::Vec;
use units::{Money, Rate, Round};

/// How far an underlying may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OkxClass {
    /// BTC and ETH.
    Majors,
    /// SOL, XRP, LTC and others that are named.
    Named,
    /// All others.
    Others,
}

/// The minimum charge grows in steps: what of the raw charge lies in a step counts so many times.
const STEPS: [(i64, i64); 6] = [(10_000, 1), (70_000, 2), (170_000, 4), (300_000, 6), (470_000, 8), (700_000, 10)];
const LAST: i64 = 12;

/// What is charged beside the scan, in dollars, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OkxCharges {
    /// MR2: what options lose in a day.
    pub theta: Money,
    /// MR3.
    pub vega: Money,
    /// MR4.
    pub basis: Money,
    /// MR5.
    pub rates: Money,
    /// MR7 before its steps.
    pub minimum_raw: Money,
    /// MR8.
    pub borrowing: Money,
    /// MR9.
    pub depeg: Money,
}

/// What an account needs in one risk unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OkxMargin {
    /// MR1: the worst of 21.
    pub spot_shock: Money,
    /// MR6: the worst of two extreme moves, in part.
    pub extreme: Money,
    /// MR7 in its steps.
    pub minimum: Money,
    /// max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5, MR7) + MR8 + MR9.
    pub maintenance: Money,
    /// Without borrowing and depeg times 1.3, and those.
    pub initial: Money,
}

/// The moves since January 2025: seven prices × volatility down, unchanged and up, and two extreme moves of which half counts (recall).
///
/// # Errors
/// None: the moves pass [`Grid::new`], whose errors these are.
pub fn okx_grid(class: OkxClass) -> Result<Grid, PortfolioError> {
    let (moves, extreme) = match class {
        OkxClass::Majors => ([4, 8, 12], 24),
        OkxClass::Named => ([6, 12, 18], 36),
        OkxClass::Others => ([8, 16, 25], 50),
    };
    let percent = |n: i64| Rate::new(n.saturating_mul(10_000_000)).unwrap_or(Rate::ZERO);
    let mut grid = Vec::new();
    let all = moves.iter().rev().map(|n| -n).chain([0]).chain(moves.iter().copied());
    for price in all {
        for volatility in [VolatilityMove::Down, VolatilityMove::Unchanged, VolatilityMove::Up] {
            grid.push(Scenario::new(percent(price), volatility));
        }
    }
    for price in [-extreme, extreme] {
        let damp = Damp::of(percent(50));
        grid.push(Scenario { volatility: VolatilityMove::Unchanged, ..Scenario::tail(percent(price), damp) });
    }
    Grid::new(grid)
}

/// MR7: 30,000 raw are 10,000 and twice 20,000.
#[must_use]
pub fn okx_minimum(raw: Money) -> Money {
    let mut below = Money::ZERO;
    let mut charge = Money::ZERO;
    for (to, times) in STEPS {
        let within = (raw.min(Money::whole(to)) - below).max(Money::ZERO);
        charge = (0..times).fold(charge, |sum, _| sum + within);
        below = Money::whole(to);
    }
    let rest = (raw - below).max(Money::ZERO);
    (0..LAST).fold(charge, |sum, _| sum + rest)
}

/// The margin of a risk unit, from a scan over [`okx_grid`].
#[must_use]
pub fn okx_margin(scan: &Scan, grid: &Grid, charges: &OkxCharges, initial_factor: Rate) -> OkxMargin {
    let worst = |damped: bool| {
        let cells = scan.results.iter().zip(grid.scenarios()).filter(|(_, one)| (one.damp != Damp::ONE) == damped);
        cells.map(|(result, _)| Money::ZERO - *result).fold(Money::ZERO, Money::max)
    };
    let (spot_shock, extreme) = (worst(false), worst(true));
    let minimum = okx_minimum(charges.minimum_raw);
    let scanned = spot_shock.max(charges.theta).max(extreme) + charges.vega + charges.basis + charges.rates;
    let derivatives = scanned.max(minimum);
    let beside = charges.borrowing + charges.depeg;
    OkxMargin {
        spot_shock,
        extreme,
        minimum,
        maintenance: derivatives + beside,
        initial: derivatives.mul_rate(initial_factor, Round::Up) + beside,
    }
}
