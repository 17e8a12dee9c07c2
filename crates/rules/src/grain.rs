//! Figures at the granularity that a venue publishes, which is coarser than ours.
//!
//! Money is held at 1e-16, prices and sizes at 1e-8, rates at 1e-9. A venue that counts in millionths rounds each figure
//! that it shows or books; these are the only functions that do so, and each is told the direction.

use crate::Contract;
use units::{Money, Price, Rate, Round, Size, div_round, limits};

/// An amount in whole units of `decimals` digits after the point, rounded as said. `None` above sixteen decimals.
///
/// 38.8850001 at six decimals is 38.885001 up and 38.885000 down. Source: own.
#[must_use]
pub fn to_decimals(amount: Money, decimals: u32, round: Round) -> Option<Money> {
    let step = 10i128.pow(limits::MONEY_DECIMALS.checked_sub(decimals)?);
    let count = div_round(amount.units(), step, round)?;
    count.checked_mul(step).map(Money::from_units)
}

/// Signed value of `size` contracts at `price` in the settlement asset, in whole units of `decimals`, toward zero.
///
/// `None` as in [`Contract::value`] and above sixteen decimals. −0.00000009 contracts at 10 are −0.0000009, which is nothing at
/// six decimals. Source: venues.md section 8 (dYdX converts base units to quote units so).
#[must_use]
pub fn value_at_decimals(contract: Contract, price: Price, size: Size, decimals: u32) -> Option<Money> {
    to_decimals(contract.value(price, size, Round::TowardZero)?, decimals, Round::TowardZero)
}

/// A rate from a count of 1e-9, where it is one.
pub(crate) fn rate(units: i128) -> Option<Rate> {
    i64::try_from(units).ok().and_then(Rate::new)
}

/// A rate without what is beyond `grain`, a count of 1e-9; toward minus infinity. Unchanged when `grain` is not positive.
pub(crate) fn rate_down(exact: Rate, grain: i64) -> Rate {
    exact.units().checked_rem_euclid(grain).and_then(|rest| Rate::new(exact.units() - rest)).unwrap_or(exact)
}

/// A price from a count of 1e-8, where it is one.
pub(crate) fn price(units: i128) -> Option<Price> {
    i64::try_from(units).ok().and_then(Price::new)
}

/// `price` × `rate` in whole ticks, toward minus infinity.
pub(crate) fn price_share(of: Price, rate: Rate, tick: Price) -> Option<Price> {
    let units =
        units::mul_div(i128::from(of.units()), i128::from(rate.units()), i128::from(limits::RATE_ONE), Round::Down)?;
    price(units)?.to_tick(tick, Round::Down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_at_the_decimals_of_a_venue() {
        let amount: Money = "38.8850001".parse().unwrap();
        let at = |round| to_decimals(amount, 6, round).unwrap();
        assert_eq!((at(Round::Up), at(Round::Down)), ("38.885001".parse().unwrap(), "38.885".parse().unwrap()));
        assert_eq!(to_decimals(-amount, 0, Round::TowardZero), Some(Money::whole(-38)));
        assert_eq!((to_decimals(amount, 16, Round::Up), to_decimals(amount, 17, Round::Up)), (Some(amount), None));
        let size = "-0.00000009".parse().unwrap();
        assert_eq!(value_at_decimals(Contract::Linear, Price::whole(10), size, 6), Some(Money::ZERO));
    }

    #[test]
    fn rates_and_prices_lose_what_is_beyond_their_step() {
        let rate: Rate = "-0.123456789".parse().unwrap();
        assert_eq!(rate_down(rate, 100_000), "-0.1235".parse().unwrap());
        assert_eq!(rate_down(rate, 0), rate);
        let price = |text: &str| text.parse::<Price>().unwrap();
        assert_eq!(price_share(price("10.1"), "0.33".parse().unwrap(), price("0.01")), Some(price("3.33")));
    }
}
