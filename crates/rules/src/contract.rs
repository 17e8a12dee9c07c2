//! What a contract is worth: linear (quote-settled) and inverse (coin-settled).

use serde::{Deserialize, Serialize};
use units::{Money, Price, Round, Size, limits, mul_div};

/// The kind of a perpetual contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// Worth price × size in the quote: exact.
    Linear,
    /// One contract is `face` whole units of the quote, settled in the coin: worth −face × size ÷ price.
    Inverse {
        /// Quote per contract: 1 for a 1 USD contract, 100 for a 100 USD one.
        face: u32,
    },
}

impl Contract {
    /// Signed value of `size` contracts at `price` in the settlement asset: what was paid for them at that price.
    ///
    /// Linear: price × size, exact. Inverse: −face × size ÷ price, so that a long gains when the price rises; rounded as
    /// said. `None` when the price is not positive (inverse) or the result is out of bounds.
    ///
    /// +2 linear at 100 is 200; +10,000 inverse (face 1) at 8,000 is −1.25 coins.
    #[inline]
    #[must_use]
    pub fn value(self, price: Price, size: Size, round: Round) -> Option<Money> {
        match self {
            Self::Linear => Some(price * size),
            Self::Inverse { face } => {
                let coins = -i128::from(size.units()) * i128::from(face);
                let per = 10i128.pow(limits::MONEY_DECIMALS);
                mul_div(coins, per, i128::from(price.units()), round).map(Money::from_units)
            }
        }
    }

    /// |value|, rounded up: what margin and fees are computed from. `None` as in [`Self::value`].
    #[inline]
    #[must_use]
    pub fn notional(self, price: Price, size: Size) -> Option<Money> {
        match self {
            Self::Linear => Some(price * size.abs()),
            Self::Inverse { .. } => self.value(price, -size.abs(), Round::Up),
        }
    }

    /// Unrealised profit from the exact cost: value(mark) − cost, rounded down. + is a gain.
    ///
    /// +0.1 linear bought for 6,000 and marked at 60,100 has 10.
    #[inline]
    #[must_use]
    pub fn upnl(self, mark: Price, size: Size, cost: Money) -> Option<Money> {
        self.value(mark, size, Round::Down).map(|value| value - cost)
    }

    /// The price at which `size` contracts are worth `value`: the shown entry, close or bankruptcy price. Rounded as said;
    /// `None` when there is no such positive price.
    #[must_use]
    pub fn price_of(self, value: Money, size: Size, round: Round) -> Option<Price> {
        let size_units = i128::from(size.units());
        let units = match self {
            Self::Linear => units::div_round(value.units(), size_units, round)?,
            Self::Inverse { face } => {
                let coins = (-size_units).checked_mul(i128::from(face))?;
                mul_div(coins, 10i128.pow(limits::MONEY_DECIMALS), value.units(), round)?
            }
        };
        i64::try_from(units).ok().and_then(Price::new).filter(|p| p.is_positive())
    }
}

/// What a trade does to a position: the part that closes and the part that opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeSplit {
    /// Contracts closed, without sign.
    pub closed: Size,
    /// Realised profit: + is a gain.
    pub realised: Money,
    /// The position after.
    pub size: Size,
    /// The cost after; zero with no position.
    pub cost: Money,
}

/// A trade of `delta` contracts for `value` (the signed amount paid) against a position of `size` that cost `cost`.
///
/// A partial close moves cost × closed ÷ size, rounded toward zero, out of the cost: moved + kept is the old cost
/// exactly. A trade through zero closes with its share of `value` (toward zero) and opens with the rest.
///
/// Long 1 that cost 100, sell 1 at 110 (`value` −110): closed 1, realised 10, nothing left.
#[must_use]
pub fn split_close(size: Size, cost: Money, delta: Size, value: Money) -> TradeSplit {
    let after = Size::new(size.units() + delta.units()).unwrap_or(size);
    if size.is_zero() || size.signum() == delta.signum() || delta.is_zero() {
        return TradeSplit { closed: Size::ZERO, realised: Money::ZERO, size: after, cost: cost + value };
    }
    let closed = if delta.abs() < size.abs() { delta.abs() } else { size.abs() };
    let closing_value = if closed == delta.abs() {
        value
    } else {
        value.share(i128::from(closed.units()), i128::from(delta.abs().units()), Round::TowardZero)
    };
    let moved = if closed == size.abs() {
        cost
    } else {
        cost.share(i128::from(closed.units()), i128::from(size.abs().units()), Round::TowardZero)
    };
    TradeSplit { closed, realised: -closing_value - moved, size: after, cost: (cost - moved) + (value - closing_value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn inverse_long_gains_when_the_price_rises() {
        let contract = Contract::Inverse { face: 1 };
        let size = Size::whole(10_000);
        let cost = contract.value(Price::whole(8_000), size, Round::TowardZero).unwrap();
        assert_eq!(cost, money("-1.25"));
        assert_eq!(contract.upnl(Price::whole(10_000), size, cost), Some(money("0.25")));
        assert_eq!(contract.upnl(Price::whole(4_000), size, cost), Some(money("-1.25")));
        assert_eq!(contract.notional(Price::whole(8_000), size), Some(money("1.25")));
        assert_eq!(contract.price_of(cost, size, Round::Down), Some(Price::whole(8_000)));
        assert_eq!(contract.value(Price::ZERO, size, Round::Up), None);
    }

    #[test]
    fn a_flip_closes_all_and_opens_the_rest() {
        let split = split_close(Size::whole(2), Money::whole(200), Size::whole(-5), Money::whole(-550));
        assert_eq!((split.closed, split.realised), (Size::whole(2), Money::whole(20)));
        assert_eq!((split.size, split.cost), (Size::whole(-3), Money::whole(-330)));
    }

    proptest! {
        #[test]
        fn cost_kept_plus_moved_is_the_old_cost(
            size in -1_000_000_000_000i64..1_000_000_000_000, delta in -1_000_000_000_000i64..1_000_000_000_000,
            cost in -(1i128 << 90)..(1i128 << 90), value in -(1i128 << 90)..(1i128 << 90),
        ) {
            let (size, delta) = (Size::new(size).unwrap(), Size::new(delta).unwrap());
            let (cost, value) = (Money::new(cost).unwrap(), Money::new(value).unwrap());
            let cost = if size.is_zero() { Money::ZERO } else { cost };
            let split = split_close(size, cost, delta, value);
            prop_assert_eq!(split.cost, cost + value + split.realised);
            prop_assert_eq!(split.size, size + delta);
            if split.size.is_zero() {
                prop_assert_eq!(split.cost, if delta.is_zero() { cost + value } else { Money::ZERO });
            }
        }
    }
}
