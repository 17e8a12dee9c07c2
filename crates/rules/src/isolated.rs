//! Margin of an isolated position that is a chosen share of what was paid, kept apart for the position and for its orders.
//!
//! It knows no accounts: amounts to move are returned, the caller moves them.

use crate::grain::to_decimals;
use alloc::vec::Vec;
use units::{Money, Price, Rate, Round, Size};

/// Contracts at a price: an order, or a fill. The size has no sign.
pub type Lot = (Size, Price);

/// Position margin at entry: |size| × entry × factor, rounded up to `decimals`. `None` above sixteen decimals.
///
/// 1 at 15,900 and 0.9 is 14,310. Source: venues.md section 11.
#[must_use]
pub fn isolated_margin(size: Size, entry: Price, factor: Rate, decimals: u32) -> Option<Money> {
    to_decimals((entry * size.abs()).mul_rate(factor, Round::Up), decimals, Round::Up)
}

/// What the orders of an isolated position must hold: the greater of its buys and its sells.
///
/// A side is factor × Σ size × price; of its best prices as many contracts need nothing as reduce the position. `auction` is the least
/// price that an order counts at, zero in continuous trading. Rounds down to `decimals`, as the venue does. `None` when it does not
/// fit.
///
/// Short 0.4, buys 1 at 50, 2 at 40, 3 at 20, factor 0.5: (0.6 × 50 + 80 + 60) ÷ 2 = 85. Source: venues.md section 11.
#[must_use]
pub fn isolated_order_margin(
    position: Size,
    (buys, sells): (&[Lot], &[Lot]),
    factor: Rate,
    auction: Price,
    decimals: u32,
) -> Option<Money> {
    let mut buys: Vec<Lot> = buys.to_vec();
    buys.sort_by_key(|&(_, price)| core::cmp::Reverse(price));
    let mut sells: Vec<Lot> = sells.to_vec();
    sells.sort_by_key(|&(_, price)| price);
    let bought = opening_value(&buys, (-position).max(Size::ZERO), auction)?;
    let sold = opening_value(&sells, position.max(Size::ZERO), auction)?;
    to_decimals(bought.max(sold).mul_rate(factor, Round::Down), decimals, Round::Down)
}

/// Value of what is left of `lots` after the first `reducing` contracts, each at no less than `least`.
fn opening_value(lots: &[Lot], mut reducing: Size, least: Price) -> Option<Money> {
    let mut value = Money::ZERO;
    for &(size, price) in lots {
        let free = size.min(reducing);
        reducing -= free;
        value = value.checked_add(price.max(least) * (size - free))?;
    }
    Some(value)
}

/// Money that moves when an isolated position changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsolatedTransfer {
    /// To the margin of the position.
    ToMargin(Money),
    /// From it, back to where it came from.
    Release(Money),
}

/// An isolated position with what stands behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IsolatedPosition {
    /// Signed size.
    pub size: Size,
    /// Margin of the position, with all gains and losses up to `mark`.
    pub balance: Money,
    /// The mark that `balance` was computed at.
    pub mark: Price,
}

impl IsolatedPosition {
    /// What moves when `fills`, all on one side, make the position `after`.
    ///
    /// - It grows: factor × Σ size × price to the margin.
    /// - It shrinks: (balance + size × (average price − mark)) × closed ÷ size is released, not below zero; the average is cut to `tick`.
    /// - It turns over: all is released and factor × the value of what opens is held, the net of which moves; what opens are the last
    ///   contracts of the fills.
    ///
    /// Each amount rounds down to `decimals`. `None` without fills, when they do not make it `after`, or when it does not fit.
    ///
    /// Long 2 with 40 at 12, 1.5 sold at 10: (40 − 2 × 2) × 0.75 = 27 come back. Source: venues.md section 11.
    #[must_use]
    pub fn transfer(
        &self,
        after: Size,
        fills: &[Lot],
        factor: Rate,
        (tick, decimals): (Price, u32),
    ) -> Option<IsolatedTransfer> {
        let held = |value: Money| to_decimals(value.mul_rate(factor, Round::Down), decimals, Round::Down);
        let (filled, value) = total(fills)?;
        let changed = after.checked_add(-self.size)?.abs();
        if changed != filled {
            return None;
        }
        if self.size.signum() * after.signum() < 0 {
            let opened = opening_value(fills, filled - after.abs(), Price::ZERO)?;
            let net = self.balance - held(opened)?;
            let release = !net.is_negative();
            return Some(if release { IsolatedTransfer::Release(net) } else { IsolatedTransfer::ToMargin(-net) });
        }
        if after.abs() > self.size.abs() {
            return held(value).map(IsolatedTransfer::ToMargin);
        }
        let average = units::div_round(value.units(), i128::from(filled.units()), Round::Down)?;
        let average = crate::grain::price(average)?.to_tick(tick, Round::Down)?;
        let worth = self.balance.checked_add((average - self.mark) * self.size)?.max(Money::ZERO);
        let part = worth.share(i128::from(changed.units()), i128::from(self.size.abs().units()), Round::Down);
        to_decimals(part, decimals, Round::Down).map(IsolatedTransfer::Release)
    }
}

/// Contracts and value of all fills; `None` where there are none.
fn total(fills: &[Lot]) -> Option<(Size, Money)> {
    let mut sum = (Size::ZERO, Money::ZERO);
    for &(size, price) in fills {
        sum = (sum.0.checked_add(size)?, sum.1.checked_add(price * size)?);
    }
    sum.0.is_positive().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lots(texts: &[(&str, &str)]) -> Vec<Lot> {
        texts.iter().map(|(size, price)| (size.parse().unwrap(), price.parse().unwrap())).collect()
    }
    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn orders_that_reduce_need_nothing_best_price_first() {
        let half: Rate = "0.5".parse().unwrap();
        let buys = lots(&[("3", "20"), ("1", "50"), ("2", "40")]);
        let sells = lots(&[("1", "20"), ("3", "50"), ("2", "40")]);
        let margin = |position: &str, buys: &[Lot], sells: &[Lot], auction| {
            isolated_order_margin(position.parse().unwrap(), (buys, sells), half, Price::whole(auction), 0).unwrap()
        };
        assert_eq!([margin("2", &buys, &[], 0), margin("-0.4", &buys, &[], 0)], ["95", "85"].map(m));
        assert_eq!([margin("-6", &buys, &[], 0), margin("-7", &buys, &[], 0)], ["0", "0"].map(m));
        assert_eq!([margin("0.4", &[], &sells, 0), margin("0.4", &[], &sells, 42)], ["121", "129"].map(m));
        assert_eq!(margin("-2", &buys, &sells, 0), m("125"));
        assert_eq!(
            isolated_margin("-1".parse().unwrap(), Price::whole(15_900), "0.9".parse().unwrap(), 0),
            Some(m("14310"))
        );
    }

    #[test]
    fn margin_follows_the_position() {
        let moved = |size: &str, balance, after: &str, fills: &[(&str, &str)]| {
            let position =
                IsolatedPosition { size: size.parse().unwrap(), balance: m(balance), mark: Price::whole(12) };
            let half = "0.5".parse().unwrap();
            position.transfer(after.parse().unwrap(), &lots(fills), half, (Price::whole(1), 0)).unwrap()
        };
        let (to, from) = (|text| IsolatedTransfer::ToMargin(m(text)), |text| IsolatedTransfer::Release(m(text)));
        assert_eq!(moved("0", "0", "1.5", &[("0.5", "12"), ("1", "10")]), to("8"));
        assert_eq!(moved("2", "40", "0.5", &[("0.5", "12"), ("1", "10")]), from("27"));
        // A short gains when it is closed below the mark: (40 + 2) × 0.75.
        assert_eq!(moved("-2", "40", "-0.5", &[("0.5", "10"), ("1", "12")]), from("31"));
        assert_eq!(moved("2", "40", "0", &[("2", "12")]), from("40"));
        assert_eq!(moved("2", "1", "1", &[("1", "1")]), from("0"));
        // The last half contract opens at 12.
        assert_eq!(moved("2", "1000", "-0.5", &[("1.5", "11"), ("1", "12")]), from("997"));
        assert_eq!(moved("2", "1", "-0.5", &[("1.5", "11"), ("1", "12")]), to("2"));
        let nothing = IsolatedPosition::default();
        assert_eq!(nothing.transfer(Size::ZERO, &[], Rate::ONE, (Price::ONE, 0)), None);
        assert_eq!(nothing.transfer(Size::whole(2), &lots(&[("1", "1")]), Rate::ONE, (Price::ONE, 0)), None);
    }
}
