//! The population: how much each account has, what it holds and how it is margined. Drawn from the tables below, which
//! are **assumptions**, not measurements; `docs/replay.md` prints them. Integers only.

use super::config::PopulationKnobs;
use super::draw::Draw;
use super::tiers::initial_rate;
use engine::{MarginMode, Side};
use rules::{Contract, Ladder, initial_margin};
use units::{Money, Price, Rate, Round, Size};

/// What the population needs to know of a market.
#[derive(Clone, Debug)]
pub struct MarketSpec {
    /// Name on the exchange.
    pub symbol: String,
    /// Price of the first candle, a multiple of the tick.
    pub open: Price,
    /// Step of order prices: about a hundred-thousandth of the first price.
    pub tick: Price,
    /// Step of order sizes: worth 0.1 to 1 of the quote at the first price.
    pub lot: Size,
    /// How margin grows with a position.
    pub ladder: Ladder,
    /// How often it is chosen, by turnover.
    pub weight: u64,
}

impl MarketSpec {
    /// The largest notional of one position.
    #[must_use]
    pub fn cap(&self) -> Money {
        self.ladder.cap().unwrap_or(Money::from_units(units::limits::NOTIONAL_MAX))
    }
}

/// What one account does before the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPlan {
    /// Worth of its collateral after haircuts, quote.
    pub equity: Money,
    /// Which coin its collateral is, from the list of coins; none: the quote asset.
    pub coin: Option<usize>,
    /// Cross or isolated, for all its positions.
    pub mode: MarginMode,
    /// Notional ÷ equity aimed at; the leverage setting of isolated positions.
    pub leverage: u16,
    /// What it opens.
    pub positions: Vec<PositionPlan>,
    /// An order that it leaves in the book.
    pub order: Option<OrderPlan>,
}

/// A position to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionPlan {
    /// Position in the list of markets.
    pub market: usize,
    /// Buy or sell.
    pub side: Side,
    /// Contracts, without sign.
    pub size: Size,
}

/// An order to leave in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderPlan {
    /// Position in the list of markets.
    pub market: usize,
    /// Buy or sell.
    pub side: Side,
    /// Contracts, without sign.
    pub size: Size,
    /// Worst price.
    pub price: Price,
    /// True for a take-profit: it may only reduce.
    pub takes_profit: bool,
}

/// Equity in the quote at points of the distribution (in millionths of the accounts), straight lines between: a
/// lognormal with median 500 and σ = 2, cut at 10 and 3,000,000.
pub const EQUITY: [(u64, u64); 16] = [
    (0, 10),
    (50_000, 19),
    (100_000, 39),
    (200_000, 93),
    (300_000, 175),
    (400_000, 301),
    (500_000, 500),
    (600_000, 830),
    (700_000, 1_427),
    (800_000, 2_692),
    (900_000, 6_487),
    (950_000, 13_420),
    (990_000, 52_400),
    (999_000, 241_000),
    (999_900, 851_000),
    (1_000_000, 3_000_000),
];
/// Notional ÷ equity aimed at, and its weight.
pub const LEVERAGE: [(u16, u64); 11] =
    [(1, 200), (2, 220), (3, 180), (5, 180), (8, 80), (10, 60), (15, 35), (20, 25), (25, 10), (35, 7), (50, 3)];
/// Number of markets an account draws (the same one twice counts once), and its weight.
pub const POSITIONS: [(usize, u64); 4] = [(1, 600), (2, 250), (3, 100), (5, 50)];
/// Above this equity the leverage aimed at is halved, above ten times of it halved again.
pub const LARGE: u64 = 10_000;

/// Draws account number `n`.
#[must_use]
pub fn plan(knobs: &PopulationKnobs, seed: u64, n: u32, markets: &[MarketSpec], coins: usize) -> AccountPlan {
    let mut draw = Draw::new(seed, u64::from(n));
    let dollars = equity(draw.below(1_000_000));
    let leverage = leverage(&mut draw, dollars);
    let has_coin = draw.chance(millionths(knobs.coin_share));
    let isolated = draw.chance(millionths(knobs.isolated_share));
    let which = draw.below(u64::try_from(coins).unwrap_or(0));
    let coin = usize::try_from(which).ok().filter(|_| has_coin && coins > 0);
    // An isolated position is funded in the quote asset, so coins are held by cross accounts only.
    let mode = if isolated && coin.is_none() { MarginMode::Isolated } else { MarginMode::Cross };
    let sides = sides(&mut draw, knobs, markets);
    let equity = Money::whole(i64::try_from(dollars).unwrap_or(0));
    let positions = size_positions(equity, leverage, mode, &sides, markets);
    let order = order(&mut draw, knobs, mode, &positions, markets);
    AccountPlan { equity, coin, mode, leverage, positions, order }
}

/// The quantile function of [`EQUITY`].
fn equity(at: u64) -> u64 {
    let above = EQUITY.iter().position(|(p, _)| *p > at).unwrap_or(EQUITY.len() - 1);
    let ((p0, v0), (p1, v1)) = (EQUITY[above.max(1) - 1], EQUITY[above]);
    v0 + (v1 - v0) * (at - p0) / (p1 - p0)
}

fn leverage(draw: &mut Draw, dollars: u64) -> u16 {
    let drawn = LEVERAGE[draw.pick(&LEVERAGE.map(|(_, weight)| weight))].0;
    let halvings = u32::from(dollars > LARGE) + u32::from(dollars > 10 * LARGE);
    (drawn >> halvings).max(1)
}

fn sides(draw: &mut Draw, knobs: &PopulationKnobs, markets: &[MarketSpec]) -> Vec<(usize, Side)> {
    let weights: Vec<u64> = markets.iter().map(|m| m.weight).collect();
    let wanted = POSITIONS[draw.pick(&POSITIONS.map(|(_, weight)| weight))].0;
    let mut sides: Vec<(usize, Side)> = Vec::new();
    for _ in 0..wanted {
        let market = draw.pick(&weights);
        let side = if draw.chance(millionths(knobs.long_share)) { Side::Buy } else { Side::Sell };
        if sides.iter().all(|(known, _)| *known != market) {
            sides.push((market, side));
        }
    }
    sides
}

/// Equal notionals that sum to equity × leverage, halved until the tiers ask for at most nine tenths of the equity.
fn size_positions(
    equity: Money,
    leverage: u16,
    mode: MarginMode,
    sides: &[(usize, Side)],
    markets: &[MarketSpec],
) -> Vec<PositionPlan> {
    let setting = match mode {
        MarginMode::Cross => Rate::ZERO,
        MarginMode::Isolated => initial_rate(leverage).unwrap_or(Rate::ONE),
    };
    let limit = equity.mul_rate(Rate::bps(9_000), Round::Down);
    let count = i128::try_from(sides.len().max(1)).unwrap_or(1);
    // Nine tenths of it in isolated positions, so that fees and rounding have room beside the margin.
    let budget = match mode {
        MarginMode::Cross => equity,
        MarginMode::Isolated => equity.mul_rate(Rate::bps(8_500), Round::Down),
    };
    let mut each = Money::from_units(budget.units() * i128::from(leverage) / count);
    for _ in 0..24 {
        let positions = positions(each, sides, markets);
        let needed: Option<Money> =
            positions.iter().map(|p| needed(p, setting, &markets[p.market])).sum::<Option<Money>>();
        if needed.is_some_and(|needed| needed <= limit) {
            return positions;
        }
        each = Money::from_units(each.units() / 2);
    }
    Vec::new()
}

fn positions(notional: Money, sides: &[(usize, Side)], markets: &[MarketSpec]) -> Vec<PositionPlan> {
    let position = |&(market, side): &(usize, Side)| {
        let spec = &markets[market];
        let size = contracts(notional, spec.open).to_lot(spec.lot);
        (!size.is_zero()).then_some(PositionPlan { market, side, size })
    };
    sides.iter().filter_map(position).collect()
}

/// Margin to open it; `None` beyond the largest position of the ladder, of which it may use half. An initial rate that open interest
/// raises is as if nobody else were there.
fn needed(position: &PositionPlan, leverage_rate: Rate, spec: &MarketSpec) -> Option<Money> {
    let (ladder, open, nobody) = (&spec.ladder, spec.open, Money::ZERO);
    let terms = initial_margin(Contract::Linear, open, position.size, ladder, nobody, leverage_rate, Rate::ZERO)?;
    let half = spec.cap().units() / 2;
    (terms.notional.units() <= half).then_some(terms.required)
}

/// Contracts that `notional` is at `price`, rounded down.
#[must_use]
pub fn contracts(notional: Money, price: Price) -> Size {
    let units = notional.units().checked_div(i128::from(price.units())).unwrap_or(0);
    i64::try_from(units).ok().and_then(Size::new).unwrap_or(Size::ZERO)
}

/// Distance of an order left in the book from the first price, basis points, evenly drawn.
pub const ORDER_DISTANCES_BPS: [i16; 5] = [200, 400, 700, 1_000, 1_500];

/// Half of them take profit on half of the first position; half add a fifth of it on the losing side. Only accounts with
/// cross margin leave one.
fn order(
    draw: &mut Draw,
    knobs: &PopulationKnobs,
    mode: MarginMode,
    positions: &[PositionPlan],
    markets: &[MarketSpec],
) -> Option<OrderPlan> {
    let wanted = draw.chance(millionths(knobs.order_share));
    let takes_profit = draw.chance(500_000);
    let distance = Rate::bps(ORDER_DISTANCES_BPS[draw.pick(&[1; ORDER_DISTANCES_BPS.len()])]);
    let position = positions.first().filter(|_| wanted && mode == MarginMode::Cross)?;
    let spec = &markets[position.market];
    let side = if takes_profit { position.side.opposite() } else { position.side };
    let price = match side {
        Side::Buy => spec.open.scale(-distance, Round::Down)?.to_tick(spec.tick, Round::Down)?,
        Side::Sell => spec.open.scale(distance, Round::Up)?.to_tick(spec.tick, Round::Up)?,
    };
    let share = if takes_profit { 2 } else { 5 };
    let size = Size::new(position.size.units() / share)?.to_lot(spec.lot);
    (!size.is_zero()).then_some(OrderPlan { market: position.market, side, size, price, takes_profit })
}

fn millionths(share: Rate) -> u64 {
    u64::try_from(share.units() / 1_000).unwrap_or(0)
}

/// Tick and lot of a first price, both powers of ten.
#[must_use]
pub fn grid(open: Price) -> (Price, Size) {
    let digits = open.units().max(1).ilog10();
    let tick = Price::new(10i64.pow(digits.saturating_sub(5))).unwrap_or(Price::ONE);
    let lot = Size::new(10i64.pow(15u32.saturating_sub(digits))).unwrap_or(Size::whole(1));
    (tick, lot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::config::Config;
    use crate::replay::tiers::generic;

    fn spec(open: &str) -> MarketSpec {
        let open = open.parse().unwrap();
        let (tick, lot) = grid(open);
        MarketSpec { symbol: "X".into(), open, tick, lot, ladder: generic(), weight: 1 }
    }

    #[test]
    fn ticks_and_lots_follow_the_price() {
        for (price, tick, lot) in [("121000", "1", "0.000001"), ("0.2", "0.000001", "1"), ("0.01", "0.0000001", "10")] {
            let spec = spec(price);
            assert_eq!((spec.tick, spec.lot), (tick.parse().unwrap(), lot.parse().unwrap()), "{price}");
        }
    }

    #[test]
    fn the_distribution_of_equity_is_the_published_one() {
        assert_eq!([0, 500_000, 550_000, 999_999].map(equity), [10, 500, 665, 2_978_510]);
        let knobs = Config::default().population;
        let mut drawn: Vec<Money> = (0..2_000).map(|n| plan(&knobs, 1, n, &[spec("100")], 0).equity).collect();
        drawn.sort();
        assert!(drawn[1_000] > Money::whole(400) && drawn[1_000] < Money::whole(600));
    }

    #[test]
    fn a_plan_needs_at_most_nine_tenths_of_its_equity() {
        let markets = [spec("100"), spec("0.01"), spec("50000")];
        let knobs = Config::default().population;
        for n in 0..5_000 {
            let plan = plan(&knobs, 7, n, &markets, 2);
            let needed: Option<Money> = plan.positions.iter().map(|p| needed(p, Rate::ZERO, &markets[p.market])).sum();
            assert!(needed.unwrap() <= plan.equity, "{plan:?}");
            assert!(plan.coin.is_none() || plan.mode == MarginMode::Cross);
        }
    }
}
