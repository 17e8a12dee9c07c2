//! Margin of a position with its orders where it is built of slippage and risk, in levels above maintenance; margin as a
//! share of another; and the price at which a straight line of headroom ends.
//!
//! It knows nothing of ladders that change their rate with the notional: those are [`crate::Ladder`] and
//! [`crate::liquidation_prices`].

use crate::grain::{price, to_decimals};
use units::{Money, Price, Rate, Round, Size, limits, mul_div, mul_div2};

/// What a position is charged for closing it into a thin book and for a move against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlippageRule {
    /// Slippage per notional.
    pub linear: Rate,
    /// Slippage per notional and contract.
    pub quadratic: Rate,
    /// Risk per notional of what is long.
    pub risk_long: Rate,
    /// Risk per notional of what is short.
    pub risk_short: Rate,
    /// Share of the accrued funding that a position owes, which is held as well.
    pub funding_share: Rate,
}

/// A position and the orders of its market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithOrders {
    /// Signed size.
    pub size: Size,
    /// Contracts of all buys, without sign.
    pub buys: Size,
    /// Contracts of all sells, without sign.
    pub sells: Size,
}

impl SlippageRule {
    /// Maintenance of a position with its orders: the worse of the two sides, and what it owes of the funding.
    ///
    /// A side is mark × (linear × v + quadratic × v²) + mark × risk × (v + orders), where v is what of the position stands on it;
    /// it counts only while position and orders together stand on it. Funding is `funding_share` × size × `funding`, not below
    /// zero; `funding` is what a long pays per contract so far. Each product rounds up to 1e-16, the sum up to `decimals`.
    /// `None` when something does not fit.
    ///
    /// A short of 1 at 15,900, slippage 0.25 and risk 0.1, needs 5,565. Source: venues.md section 11.
    #[must_use]
    pub fn maintenance(&self, mark: Price, of: &WithOrders, funding: Price, decimals: u32) -> Option<Money> {
        let long = self.side(mark, of.size, of.buys, self.risk_long)?;
        let short = self.side(mark, -of.size, of.sells, self.risk_short)?;
        let owed = (funding * of.size).max(Money::ZERO).mul_rate(self.funding_share, Round::Up);
        to_decimals(long.max(short).checked_add(owed)?, decimals, Round::Up)
    }

    /// Charge of one side; `toward` is the position as seen from it.
    fn side(&self, mark: Price, toward: Size, orders: Size, risk: Rate) -> Option<Money> {
        if !toward.checked_add(orders)?.is_positive() {
            return Some(Money::ZERO);
        }
        let one = i128::from(limits::RATE_ONE);
        let held = toward.max(Size::ZERO);
        let (position, waiting) = ((mark * held).units(), (mark * orders).units());
        // Slippage and risk in one product, so that rates which add up to a round figure round once.
        let rates = i128::from(self.linear.units()) + i128::from(risk.units());
        let charge = mul_div(position, rates, one, Round::Up)?;
        let charge = charge.checked_add(mul_div(waiting, i128::from(risk.units()), one, Round::Up)?)?;
        let (contracts, quadratic) = (i128::from(held.units()), i128::from(self.quadratic.units()));
        let square = mul_div2(position, contracts, quadratic, one * SIZE_ONE, Round::Up)?;
        charge.checked_add(square).and_then(Money::new)
    }

    /// What margin grows by when the mark rises by one, without orders: (linear + risk) × |size| + quadratic × size². Unit: 1e-17
    /// contract; rounded up. `None` when it does not fit.
    ///
    /// 41 contracts at 0.5, 0.01 and 0.1: 20.5 + 16.81 + 4.1 = 41.41. Source: venues.md section 11.
    #[must_use]
    pub fn slope(&self, size: Size) -> Option<i128> {
        let risk = if size.is_negative() { self.risk_short } else { self.risk_long };
        let contracts = i128::from(size.abs().units());
        let rates = i128::from(self.linear.units()) + i128::from(risk.units());
        let square = mul_div2(contracts, contracts, i128::from(self.quadratic.units()), SIZE_ONE, Round::Up)?;
        contracts.checked_mul(rates)?.checked_add(square)
    }
}

/// A level above maintenance: maintenance × `factor`, rounded down to `decimals`, as the venue does. `None` above sixteen
/// decimals.
///
/// 9,486 × 1.2 is 11,383.2: at no decimals 11,383. Source: venues.md section 11 (search, initial and release level).
#[must_use]
pub fn level_above(maintenance: Money, factor: Rate, decimals: u32) -> Option<Money> {
    to_decimals(maintenance.mul_rate(factor, Round::Down), decimals, Round::Down)
}

/// Initial margin at the rate in force, and maintenance as a share of what the base rate asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FractionMargin {
    /// notional × rate in force, rounded up.
    pub initial: Money,
    /// (notional × base rate, rounded up) × fraction, rounded up.
    pub maintenance: Money,
}

/// Margin of a notional whose maintenance is a `fraction` of its initial margin at the `base` rate, while the initial margin
/// itself follows `rate`, which open interest may have raised. Each product rounds up to `decimals`. `None` above sixteen decimals.
///
/// 460.015575 of initial margin at a fraction of 0.6 holds 276.009345. Source: venues.md section 8, item 1.
#[must_use]
pub fn fraction_margin(
    notional: Money,
    rate: Rate,
    base: Rate,
    fraction: Rate,
    decimals: u32,
) -> Option<FractionMargin> {
    let up = |amount: Money, rate| to_decimals(amount.mul_rate(rate, Round::Up), decimals, Round::Up);
    let initial = up(notional, rate)?;
    Some(FractionMargin { initial, maintenance: up(up(notional, base)?, fraction)? })
}

/// The price at which `headroom` (equity − margin at `from`) is used up, where equity changes by `size` and margin by `slope`
/// for each unit of price: from + headroom ÷ (slope − size).
///
/// `slope` in 1e-17 contract: rate in 1e-9 × size in 1e-8 where margin is a share of the notional, zero where it is fixed,
/// [`SlippageRule::slope`] else. Rounded as said, not below zero. `None` when the two move alike, or the price does not fit.
///
/// A long of 0.0335 at 2,985.90 with 3.96755 to spare and 1 % of margin: 2,985.90 − 3.96755 ÷ 0.033165 = 2,866.26936529.
/// Source: venues.md section 7, item 2; section 8, item 2; section 11.
#[must_use]
pub fn line_price(from: Price, headroom: Money, size: Size, slope: i128, round: Round) -> Option<Price> {
    let one = i128::from(limits::RATE_ONE);
    let apart = slope.checked_sub(i128::from(size.units()).checked_mul(one)?)?;
    let (apart, headroom) = if apart < 0 { (-apart, -headroom) } else { (apart, headroom) };
    let distance = mul_div(headroom.units(), one, apart, round)?;
    price(i128::from(from.units()).checked_add(distance)?.max(0))
}

/// Units of one contract.
const SIZE_ONE: i128 = 100_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn s(text: &str) -> Size {
        text.parse().unwrap()
    }

    #[test]
    fn the_worse_side_is_held_and_orders_count_their_risk() {
        let rule = SlippageRule {
            linear: r("0.25"),
            quadratic: r("0.01"),
            risk_long: r("0.2"),
            risk_short: r("0.1"),
            funding_share: r("0.5"),
        };
        let of = |size, buys, sells, funding| {
            let sided = WithOrders { size: s(size), buys: s(buys), sells: s(sells) };
            rule.maintenance(p("100"), &sided, p(funding), 2).unwrap()
        };
        // 2 long: 100 × (0.45 × 2 + 0.01 × 4) = 94; three buys add 100 × 0.2 × 3.
        assert_eq!((of("2", "0", "0", "0"), of("2", "3", "0", "0")), (m("94"), m("154")));
        // Sells of no more than the position open nothing; one more stands on the short side and counts in full.
        assert_eq!((of("2", "0", "2", "0"), of("2", "0", "20", "0")), (m("94"), m("200")));
        // A long owes what it pays, a short nothing.
        assert_eq!((of("2", "0", "0", "3"), of("2", "0", "0", "-3")), (m("97"), m("94")));
        assert_eq!(of("0", "0", "0", "0"), Money::ZERO);
        assert_eq!(of("0.0001", "0", "0", "0"), m("0.01"));
        assert_eq!(level_above(m("9486"), r("1.2"), 0), Some(m("11383")));
    }

    #[test]
    fn maintenance_is_a_share_of_the_rounded_initial_margin() {
        let margin = fraction_margin(m("1.000001"), r("0.5"), r("0.1"), r("0.5"), 6).unwrap();
        // 0.1000001 up is 0.100001; half of it, 0.0500005, up is 0.050001.
        assert_eq!((margin.initial, margin.maintenance), (m("0.500001"), m("0.050001")));
    }

    #[test]
    fn a_line_ends_where_headroom_is_used_up() {
        let slope = 335 * 10_000 * 10_000_000;
        assert_eq!(line_price(p("2985.9"), m("3.96755"), s("0.0335"), slope, Round::Down), Some(p("2866.26936529")));
        // Fixed margin: a short of 2 with 10 to spare ends 5 higher, a long 5 lower, and nothing is below zero.
        assert_eq!(line_price(p("4"), m("10"), s("-2"), 0, Round::Down), Some(p("9")));
        assert_eq!(line_price(p("6"), m("10"), s("2"), 0, Round::Down), Some(p("1")));
        assert_eq!(line_price(p("4"), m("10"), s("2"), 0, Round::Down), Some(Price::ZERO));
        // Margin above the notional: a long is short of it when the price rises.
        assert_eq!(line_price(p("4"), m("10"), s("2"), 400_000_000_000_000_000, Round::Down), Some(p("9")));
        assert_eq!(line_price(p("4"), m("10"), s("2"), 200_000_000_000_000_000, Round::Down), None);
    }
}
