//! The path of a price inside a candle. The candle's four prices are facts; the order in which they are reached and the
//! line between them are **our rule**, and every output says so.
//!
//! From the open to the nearer extreme, to the other extreme, to the close, in straight lines and at constant speed: each
//! leg gets its share of the steps by its length. The open is the first step of a candle, the close its last, and both
//! extremes are hit exactly, each by a step of its own. With equal distances a candle that closes at or above its open
//! falls first, another one rises first.

use units::Price;

/// The four prices of a candle, per contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
}

/// Fewest steps of a candle: one for each of its prices.
pub const STEPS_MIN: usize = 4;

/// The price of `candle` at step `step` of `steps` (at least four); beyond the last, the close.
///
/// Open 100, high 110, low 98, close 104 in 13 steps: legs of 2, 12 and 6, so the low is at step 1, the high at step 8
/// and the close at step 12.
#[must_use]
pub fn price_at(candle: &Candle, steps: usize, step: usize) -> Price {
    let (at, price) = knots(candle, steps);
    let leg = (0..3).find(|leg| step <= at[leg + 1]);
    let Some(leg) = leg else { return candle.close };
    let (from, to) = (price[leg], price[leg + 1]);
    let (done, all) = (wide(step - at[leg]), wide(at[leg + 1] - at[leg]));
    let moved = (i128::from(to.units()) - i128::from(from.units())) * done / all;
    i64::try_from(i128::from(from.units()) + moved).ok().and_then(Price::new).unwrap_or(to)
}

/// Steps and prices of the four knots.
fn knots(candle: &Candle, steps: usize) -> ([usize; 4], [Price; 4]) {
    let Candle { open, high, low, close } = *candle;
    let (to_high, to_low) = (open.distance(high), open.distance(low));
    let low_first = if to_high == to_low { close >= open } else { to_low < to_high };
    let (first, second) = if low_first { (low, high) } else { (high, low) };
    let legs =
        [open.distance(first), first.distance(second), second.distance(close)].map(|leg| i128::from(leg.units()));
    let all: i128 = legs.iter().sum();
    let last = steps.max(STEPS_MIN) - 1;
    let place = |length: i128| match (2 * wide(last) * length + all).checked_div(2 * all) {
        Some(step) => usize::try_from(step).unwrap_or(last),
        None => last / 3,
    };
    let one = place(legs[0]).clamp(1, last - 2);
    let two = place(legs[0] + legs[1]).clamp(one + 1, last - 1);
    ([0, one, two, last], [open, first, second, close])
}

fn wide(n: usize) -> i128 {
    i128::try_from(n).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(prices: [i32; 4]) -> Candle {
        let [open, high, low, close] = prices.map(Price::whole);
        Candle { open, high, low, close }
    }

    fn path(prices: [i32; 4], steps: usize) -> Vec<i64> {
        (0..steps).map(|step| price_at(&candle(prices), steps, step).units() / 100_000_000).collect()
    }

    #[test]
    fn nearer_extreme_first_then_the_other_then_the_close() {
        assert_eq!(path([100, 110, 98, 104], 13), [100, 98, 99, 101, 103, 104, 106, 108, 110, 108, 107, 105, 104]);
        assert_eq!(path([100, 102, 90, 96], 4), [100, 102, 90, 96]);
    }

    #[test]
    fn with_equal_distances_a_rising_candle_falls_first() {
        assert_eq!(path([100, 110, 90, 105], 4), [100, 90, 110, 105]);
        assert_eq!(path([100, 110, 90, 100], 4), [100, 90, 110, 100]);
        assert_eq!(path([100, 110, 90, 95], 4), [100, 110, 90, 95]);
    }

    #[test]
    fn every_price_of_the_candle_is_hit_and_none_beyond() {
        for prices in [[100, 100, 100, 100], [100, 110, 100, 110], [100, 100, 80, 100], [7, 900, 1, 8], [7, 8, 1, 1]] {
            for steps in [4, 5, 6, 30, 360] {
                let candle = candle(prices);
                let path: Vec<Price> = (0..steps).map(|step| price_at(&candle, steps, step)).collect();
                assert_eq!((path[0], path[steps - 1]), (candle.open, candle.close));
                assert_eq!(path.iter().max(), Some(&candle.high));
                assert_eq!(path.iter().min(), Some(&candle.low));
            }
        }
        assert_eq!(price_at(&candle([1, 4, 1, 3]), 4, 99), Price::whole(3));
    }
}
