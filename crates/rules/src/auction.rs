//! The price of a Dutch auction of a position: from the mark to a worse end, by the time that is over. Knows no account and
//! no clock.

use units::{Price, Rate, Round, Size, mul_div};

/// How far the price of an auction may come from the mark, at most: `discount` of the mark, and no farther than the
/// bankruptcy price; zero when that is not worse than the mark. `None` as bankruptcy price: no price is that bad.
///
/// A long at mark 50,000 with 2 %: 1,000; with a bankruptcy price of 49,600: 400. Rounds down.
#[must_use]
pub fn auction_distance(mark: Price, discount: Rate, bankruptcy: Option<Price>, position: Size) -> Price {
    let by_discount = part(mark, i128::from(discount.units()), i128::from(units::limits::RATE_ONE));
    let Some(bankruptcy) = bankruptcy else { return by_discount };
    let worse = if position.is_negative() { bankruptcy > mark } else { bankruptcy < mark };
    if worse { by_discount.min(mark.distance(bankruptcy)) } else { Price::ZERO }
}

/// The mark moved by the elapsed share of a distance: down for a long that is sold, up for a short that is bought back. A
/// multiple of the tick, rounded in favour of the account that is closed; `None` when no price above zero is left.
///
/// Mark 50,000, distance 1,000, a quarter of the time over, tick 0.5: a long goes at 49,750. Time past the end counts as
/// the end.
#[must_use]
pub fn auction_price(
    mark: Price,
    distance: Price,
    (elapsed_ns, duration_ns): (i64, i64),
    tick: Price,
    position: Size,
) -> Option<Price> {
    let moved = part(distance, i128::from(elapsed_ns.clamp(0, duration_ns)), i128::from(duration_ns));
    let (moved, round) = if position.is_negative() { (moved, Round::Down) } else { (-moved, Round::Up) };
    let price = Price::new(mark.units().checked_add(moved.units())?)?;
    price.to_tick(tick, round).filter(|price| price.is_positive())
}

/// A part of a price, rounded down; zero of nothing.
fn part(price: Price, of: i128, whole: i128) -> Price {
    let units = mul_div(i128::from(price.units()), of, whole, Round::Down);
    units.and_then(|units| i64::try_from(units).ok()).and_then(Price::new).unwrap_or(Price::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    const LONG: Size = Size::whole(1);

    #[test]
    fn the_distance_ends_at_the_discount_or_at_bankruptcy() {
        let (mark, two) = (Price::whole(50_000), Rate::bps(200));
        let distance =
            |bankruptcy: Option<i32>, position| auction_distance(mark, two, bankruptcy.map(Price::whole), position);
        assert_eq!(distance(None, LONG), Price::whole(1_000));
        assert_eq!(distance(Some(40_000), LONG), Price::whole(1_000));
        assert_eq!(distance(Some(49_600), LONG), Price::whole(400));
        assert_eq!(distance(Some(50_100), LONG), Price::ZERO);
        assert_eq!(distance(Some(50_400), -LONG), Price::whole(400));
        assert_eq!(distance(Some(49_900), -LONG), Price::ZERO);
    }

    #[test]
    fn the_price_moves_with_time_in_favour_of_the_account() {
        let (mark, far) = (Price::whole(50_000), Price::whole(1_000));
        let at = |elapsed, tick, position| auction_price(mark, far, (elapsed, 300), price(tick), position);
        assert_eq!(at(0, "0.5", LONG), Some(mark));
        assert_eq!(at(75, "0.5", LONG), Some(Price::whole(49_750)));
        assert_eq!(at(75, "0.5", -LONG), Some(Price::whole(50_250)));
        // A third of the way is 333.33…: the tick nearer to the mark.
        assert_eq!(at(100, "0.5", LONG), Some(price("49667")));
        assert_eq!(at(100, "0.5", -LONG), Some(price("50333")));
        assert_eq!(at(301, "0.5", LONG), Some(Price::whole(49_000)));
        assert_eq!(auction_price(price("0.3"), Price::ZERO, (0, 1), Price::ONE, -LONG), None);
        assert_eq!(auction_price(price("0.3"), Price::ZERO, (0, 1), Price::ONE, LONG), Some(Price::ONE));
    }
}
