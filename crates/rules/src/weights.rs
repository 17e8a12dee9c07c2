//! What collateral and debts count where that depends on how much there is, how sure its price is, or what its orders may make of it.
//!
//! [`crate::Haircuts`] are the other form: shares that fall slice by slice.

use crate::grain::{rate, rate_down};
use units::{Money, Price, Rate, Round, div_round, limits, mul_div};

/// A weight that moves with the square root of the amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RootWeight {
    /// Weight of a small amount; a margin rate where the amount is a position.
    pub weight: Rate,
    /// What the root of one unit moves it by.
    pub factor: Rate,
}

/// Granularity of weights: one basis point.
const WEIGHT_GRAIN: i64 = limits::RATE_ONE / 10_000;

impl RootWeight {
    /// Weight of a debt or margin rate of a position: the larger of `weight` and 0.8 × weight + factor × √amount.
    ///
    /// The amount is cut to 1e-9, √(amount + 1e-10) to 1e-5, the fifth that is left out and the product to 0.01 %, as Drift does. `None`
    /// when it is above the largest rate.
    ///
    /// 1,000 at 1.1 and 0.01: 0.88 + 0.01 × 31.62277 = 1.1962. Source: venues.md section 9, item 1.
    #[must_use]
    pub fn of_debt(&self, amount: Money) -> Option<Rate> {
        let rise = rate(self.moved(amount)?).map(|rise| rate_down(rise, WEIGHT_GRAIN))?;
        let fifth = rate_down(rate(div_round(i128::from(self.weight.units()), 5, Round::Down)?)?, WEIGHT_GRAIN);
        let with = i128::from((self.weight - fifth).units()) + i128::from(rise.units());
        Some(self.weight.max(rate(with)?))
    }

    /// Weight of collateral: the smaller of `weight` and 1.1 ÷ (1 + factor × √amount). The product is cut to 1e-6, the quotient to
    /// 0.01 %. Never fails: what does not fit weighs nothing.
    ///
    /// 1,000 at 0.9 and 0.01: 1.1 ÷ 1.316227 = 0.8357. Source: venues.md section 9, item 1.
    #[must_use]
    pub fn of_asset(&self, amount: Money) -> Rate {
        self.fallen(amount).unwrap_or(Rate::ZERO).min(self.weight)
    }

    fn fallen(&self, amount: Money) -> Option<Rate> {
        let (one, ppm) = (i128::from(limits::RATE_ONE), i128::from(limits::RATE_ONE / 1_000_000));
        let moved = self.moved(amount)?;
        let below = one.checked_add(moved - moved.rem_euclid(ppm))?;
        let share = mul_div(one + one / 10, one, below, Round::Down)?;
        Some(rate_down(rate(share)?, WEIGHT_GRAIN))
    }

    /// factor × √amount in 1e-9, down; the root of amount × 1e10 + 1 in 1e-5.
    fn moved(&self, amount: Money) -> Option<i128> {
        let nano = div_round(amount.abs().units(), 10_000_000, Round::Down)?;
        let root = i128::try_from(nano.checked_mul(10)?.checked_add(1)?.unsigned_abs().isqrt()).ok()?;
        mul_div(root, i128::from(self.factor.units()), 100_000, Round::Down)
    }
}

/// A weight that falls when the venue holds much of an asset: weight × start ÷ deposits above `start`, cut to 0.01 %. `deposits` are
/// what all hold, in the quote; a `start` of zero: it does not fall.
///
/// 0.9 from 500,000 is 0.3 with 1,500,000. Source: venues.md section 9, item 1.
#[must_use]
pub fn scaled_weight(weight: Rate, deposits: Money, start: Money) -> Rate {
    if !start.is_positive() || deposits <= start {
        return weight;
    }
    let share = mul_div(i128::from(weight.units()), start.units(), deposits.units(), Round::Down);
    share.and_then(rate).map_or(Rate::ZERO, |share| rate_down(share, WEIGHT_GRAIN))
}

/// The price of an amount where a sudden move must not help: an asset counts at the lower of price and average, a debt, or a
/// requirement, at the higher. Exact; never fails.
///
/// At 1.01 with an average of 0.95 an asset counts 0.95 and a debt 1.01. Source: venues.md section 9, item 1.
#[must_use]
pub fn strict_price(price: Price, average: Price, is_debt: bool) -> Price {
    if is_debt { price.max(average) } else { price.min(average) }
}

/// What is held for a price that its sources are not sure of: value × (1 − confidence) × factor while confidence is below
/// `threshold`, nothing else. Rounds up.
///
/// 1,500 at a confidence of 0.15 under 0.4 and a factor of 0.4 holds 510. Source: venues.md section 10.
#[must_use]
pub fn confidence_charge(value: Money, confidence: Rate, threshold: Rate, factor: Rate) -> Money {
    if confidence >= threshold {
        return Money::ZERO;
    }
    value.abs().mul_rate(Rate::ONE - confidence, Round::Up).mul_rate(factor, Round::Up)
}

/// Value of other collateral that is sold to end a debt: |balance| ÷ ratio when the balance is below `threshold`, `None` else or when
/// the ratio is not positive. Rounds up.
///
/// −20,000 under a threshold of −10,000 at 0.975 sells for 20,512.82…. Source: Binance, Multi-Assets Mode.
#[must_use]
pub fn auto_exchange(balance: Money, threshold: Money, ratio: Rate) -> Option<Money> {
    if balance >= threshold || !balance.is_negative() || !ratio.is_positive() {
        return None;
    }
    let one = i128::from(limits::RATE_ONE);
    mul_div(-balance.units(), one, i128::from(ratio.units()), Round::Up).map(Money::from_units)
}

/// An amount of an asset with the orders that may change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpotOrders {
    /// Held; − is a debt.
    pub held: Money,
    /// What all bids would buy.
    pub bids: Money,
    /// What all asks would sell.
    pub asks: Money,
}

/// What an account would have if its orders on one side filled at the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpotFill {
    /// What adds to its collateral: the asset that it would hold, at its weight, and the quote that it would be paid.
    pub collateral: Money,
    /// What adds to its requirement: the asset that it would owe, at its weight, and the quote that it would pay.
    pub required: Money,
}

impl SpotOrders {
    /// The worse of all bids and all asks filled: that with the lower collateral − requirement. Collateral rounds down, a requirement
    /// up. `None` when something does not fit.
    ///
    /// Asks of 500 at 100 with a debt weight of 1.2 bring 50,000 and require 60,000. Source: venues.md section 9, item 1.
    #[must_use]
    pub fn worst_fill(&self, index: Price, asset_weight: Rate, debt_weight: Rate) -> Option<SpotFill> {
        let fill = |change: Money| {
            let asset = self.held.checked_add(change)?;
            let (held, owed) = (asset.max(Money::ZERO), (-asset).max(Money::ZERO));
            let (sold, bought) = ((-change).max(Money::ZERO), change.max(Money::ZERO));
            let received = sold.at_index(index, Rate::ONE, Round::Down)?;
            let paid = bought.at_index(index, Rate::ONE, Round::Up)?;
            Some(SpotFill {
                collateral: held.at_index(index, asset_weight, Round::Down)?.checked_add(received)?,
                required: owed.at_index(index, debt_weight, Round::Up)?.checked_add(paid)?,
            })
        };
        let (bids, asks) = (fill(self.bids)?, fill(-self.asks)?);
        let counted = |fill: &SpotFill| fill.collateral - fill.required;
        Some(if counted(&asks) < counted(&bids) { asks } else { bids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn weights_move_with_the_root_of_the_amount() {
        let of = |weight, factor| RootWeight { weight: r(weight), factor: r(factor) };
        let asset = |factor, amount| of("0.9", factor).of_asset(m(amount));
        assert_eq!(
            [asset("0", "1000"), asset("0.00001", "1000"), asset("0.01", "1000")],
            ["0.9", "0.9", "0.8357"].map(r)
        );
        assert_eq!([asset("0.1", "1000"), asset("0.00001", "1000000000")], ["0.2642", "0.8357"].map(r));
        let debt = |factor, amount| of("1.1", factor).of_debt(m(amount)).unwrap();
        assert_eq!(
            [debt("0", "1000"), debt("0.00001", "1000"), debt("0.01", "-1000")],
            ["1.1", "1.1", "1.1962"].map(r)
        );
        assert_eq!(of("1", "100").of_debt(m("1000000")), None);
        // 400 at 5 % and 0.001: 4 % + 2 %.
        assert_eq!(of("0.05", "0.001").of_debt(m("400")), Some(r("0.06")));
    }

    #[test]
    fn much_of_an_asset_counts_less() {
        let scaled = |deposits, start| scaled_weight(r("0.9"), m(deposits), m(start));
        assert_eq!(
            [scaled("500000", "500000"), scaled("1500000", "500000"), scaled("9", "0")],
            ["0.9", "0.3", "0.9"].map(r)
        );
        assert_eq!(scaled("700000", "500000"), r("0.6428"));
    }

    #[test]
    fn doubt_is_against_the_account() {
        let strict = |average, is_debt| strict_price(p("1.01"), p(average), is_debt);
        assert_eq!(
            [strict("0.95", false), strict("0.95", true), strict("1.05", true)],
            ["0.95", "1.01", "1.05"].map(p)
        );
        let charge = |confidence| confidence_charge(m("1500"), r(confidence), r("0.4"), r("0.4"));
        assert_eq!([charge("0.15"), charge("0.4")], ["510", "0"].map(m));
        let sold = |balance| auto_exchange(m(balance), m("-10000"), r("0.975"));
        assert_eq!((sold("-19500"), sold("-10000"), sold("5")), (Some(m("20000")), None, None));
    }

    #[test]
    fn the_worse_side_of_the_orders_counts() {
        let worst = |held, bids, asks| {
            let orders = SpotOrders { held: m(held), bids: m(bids), asks: m(asks) };
            orders.worst_fill(p("100"), r("0.8"), r("1.2")).unwrap()
        };
        let fill = |collateral, required| SpotFill { collateral: m(collateral), required: m(required) };
        assert_eq!(worst("0", "0", "500"), fill("50000", "60000"));
        // Bids of 10 cost a fifth of their value; asks of an asset that is there bring some.
        assert_eq!(worst("10", "10", "10"), fill("1600", "1000"));
        // Bids that repay a debt may also stay unfilled.
        assert_eq!(worst("-10", "4", "0"), fill("0", "1200"));
    }
}
