//! Liquidity: makers that quote a ladder round the price, thinner and wider the more it has moved, and stop adding when
//! they hold too much. A model, not a measurement; `docs/replay.md` says what it leaves out.

use super::config::{Config, LiquidityKnobs};
use super::desk::Desk;
use super::venue::{Listed, Venue, share_of_interest};
use engine::{AccountId, Command, PlaceOrder, Side, TimeInForce};
use std::collections::VecDeque;
use units::{Price, Rate, Round, Size, mul_div};

/// Recent prices of each market.
pub struct Makers {
    windows: Vec<VecDeque<Price>>,
    length: usize,
}

/// How far back the range of prices looks, milliseconds.
const WINDOW_MS: i64 = 300_000;
/// No quote is farther from the price than this.
const FARTHEST: Rate = Rate::bps(5_000);

impl Makers {
    /// Before the first price.
    #[must_use]
    pub fn new(config: &Config, markets: usize) -> Self {
        let length = usize::try_from(WINDOW_MS / config.step_ms.max(1)).unwrap_or(0).max(2);
        Self { windows: vec![VecDeque::new(); markets], length }
    }

    /// One lot with the best quote of each market, bought and sold in turn.
    pub fn trade(desk: &mut Desk<'_, '_>, venue: &Venue, step: u64) {
        let side = if step.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        for listed in &venue.markets {
            let order = order(venue.tape, listed, side, listed.spec.lot, None, TimeInForce::Ioc);
            let _ = desk.send("tape", &Command::PlaceOrder(order));
        }
    }

    /// Takes away all quotes and puts new ones round `prices`.
    pub fn requote(&mut self, desk: &mut Desk<'_, '_>, config: &Config, venue: &Venue, prices: &[Price]) {
        for (at, (listed, price)) in venue.markets.iter().zip(prices).enumerate() {
            let range = self.range(at, *price);
            for maker in &venue.makers {
                let _ = desk.send("makers", &Command::CancelAll { account: *maker, market: Some(listed.market) });
            }
            for maker in &venue.makers {
                let held = desk.engine.state().account(*maker).position(listed.market.net());
                for (side, price, size) in ladder(&config.liquidity, listed, *price, range, held) {
                    let order = order(*maker, listed, side, size, Some(price), TimeInForce::Gtc);
                    let _ = desk.send("makers", &Command::PlaceOrder(order));
                }
            }
        }
    }

    /// (highest − lowest) ÷ last over the window, with `price` as the last.
    fn range(&mut self, market: usize, price: Price) -> Rate {
        let Some(window) = self.windows.get_mut(market) else { return Rate::ZERO };
        window.push_back(price);
        if window.len() > self.length {
            window.pop_front();
        }
        let (low, high) =
            (window.iter().min().copied().unwrap_or(price), window.iter().max().copied().unwrap_or(price));
        let units = mul_div(
            i128::from(high.distance(low).units()),
            i128::from(Rate::ONE.units()),
            i128::from(price.units()),
            Round::Up,
        );
        units.and_then(|u| i64::try_from(u).ok()).and_then(Rate::new).unwrap_or(Rate::ONE)
    }
}

fn order(
    account: AccountId,
    listed: &Listed,
    side: Side,
    size: Size,
    price: Option<Price>,
    force: TimeInForce,
) -> PlaceOrder {
    PlaceOrder { price, force, ..PlaceOrder::limit(account, listed.market, side, size, Price::ZERO) }
}

/// The quotes of one maker in one market: side, price, size.
///
/// With r the range of the last five minutes and c the calm knob, sizes are × c ÷ (c + r) and distances × (c + r ÷ 4) ÷ c.
/// At c = 100 bps and r = 900 bps a tenth of the depth stands 3.25 times as far away.
fn ladder(knobs: &LiquidityKnobs, listed: &Listed, price: Price, range: Rate, held: Size) -> Vec<(Side, Price, Size)> {
    let (calm, range) = (i128::from(knobs.calm.units()).max(1), i128::from(range.units()));
    let (thin, wide) = (calm + range, calm + range / 4);
    let each = i128::from(knobs.makers) * i128::from(knobs.levels);
    let size = i128::from(share_of_interest(listed, knobs.depth).units());
    let size = mul_div(size, calm, thin * each.max(1), Round::Down).unwrap_or(0);
    let limit = i128::from(share_of_interest(listed, knobs.inventory).units()) / i128::from(knobs.makers.max(1));
    let limit = limit.min(cap(listed, price));
    let mut quotes = Vec::new();
    for side in [Side::Buy, Side::Sell] {
        let size = whole_lots(room(side, size, held, limit), listed.spec.lot);
        for level in (0..knobs.levels).filter(|_| !size.is_zero()) {
            let distance = i128::from(knobs.spread.units()) / 2 + i128::from(level) * i128::from(knobs.gap.units());
            let distance = i64::try_from(distance * wide / calm).ok().and_then(Rate::new).filter(|d| *d <= FARTHEST);
            quotes.extend(
                distance.and_then(|d| quote(side, price, d, listed.spec.tick)).map(|price| (side, price, size)),
            );
        }
    }
    quotes
}

/// Half of the largest position that the ladder allows, in contracts.
fn cap(listed: &Listed, price: Price) -> i128 {
    listed.spec.cap().units() / 2 / i128::from(price.units().max(1))
}

/// Less is quoted on the side that would add to what is held, and nothing at the limit.
fn room(side: Side, size: i128, held: Size, limit: i128) -> Size {
    let adds = match side {
        Side::Buy => i128::from(held.units()),
        Side::Sell => -i128::from(held.units()),
    };
    let left = (limit - adds).clamp(0, limit.max(0));
    let units =
        if adds <= 0 { size.min(limit.max(0)) } else { mul_div(size, left, limit.max(1), Round::Down).unwrap_or(0) };
    i64::try_from(units).ok().and_then(Size::new).unwrap_or(Size::ZERO)
}

/// Rounded down to lots, but never to nothing: a thin book still has a price.
fn whole_lots(size: Size, lot: Size) -> Size {
    if size.is_positive() { size.to_lot(lot).max(lot) } else { Size::ZERO }
}

fn quote(side: Side, price: Price, distance: Rate, tick: Price) -> Option<Price> {
    let quote = match side {
        Side::Buy => price.scale(-distance, Round::Down)?.to_tick(tick, Round::Down),
        Side::Sell => price.scale(distance, Round::Up)?.to_tick(tick, Round::Up),
    };
    quote.filter(|p| p.is_positive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::population::{MarketSpec, grid};
    use crate::replay::tiers::generic;
    use engine::{IndexId, MarketId};
    use units::Money;

    fn listed() -> Listed {
        let open = Price::whole(100);
        let (tick, lot) = grid(open);
        let spec = MarketSpec { symbol: "X".into(), open, tick, lot, ladder: generic(), weight: 1 };
        Listed { market: MarketId(0), index: IndexId(0), spec, interest: Money::whole(1_000_000), power: 0 }
    }

    fn total(quotes: &[(Side, Price, Size)], side: Side) -> i64 {
        quotes.iter().filter(|q| q.0 == side).map(|q| q.2.units()).sum::<i64>() / 100_000_000
    }

    #[test]
    fn depth_thins_and_distances_grow_with_the_range() {
        let knobs = crate::replay::config::Config::default().liquidity;
        let calm = ladder(&knobs, &listed(), Price::whole(100), Rate::ZERO, Size::ZERO);
        // 3 % of 1,000,000 is 300 contracts at 100, shared by two makers.
        assert_eq!((total(&calm, Side::Buy), total(&calm, Side::Sell)), (150, 150));
        assert_eq!((calm[0].1, calm[1].1), ("99.98".parse().unwrap(), "99.88".parse().unwrap()));
        let wild = ladder(&knobs, &listed(), Price::whole(100), Rate::bps(900), Size::ZERO);
        assert_eq!((total(&wild, Side::Buy), wild[1].1), (15, "99.61".parse().unwrap()));
    }

    #[test]
    fn a_full_maker_does_not_add() {
        let knobs = crate::replay::config::Config::default().liquidity;
        let full = ladder(&knobs, &listed(), Price::whole(100), Rate::ZERO, Size::whole(2_500));
        assert_eq!((total(&full, Side::Buy), total(&full, Side::Sell)), (0, 150));
        let half = ladder(&knobs, &listed(), Price::whole(100), Rate::ZERO, Size::whole(-1_250));
        assert_eq!((total(&half, Side::Buy), total(&half, Side::Sell)), (150, 75));
    }
}
