//! How fast and how suddenly maintenance margin can grow when a price moves: what triggers are computed from.
//!
//! It knows ladders and prices, neither accounts nor triggers.

use crate::state::Market;
use rules::Ladder;
use units::{Money, Price, Rate, Round, Size};

/// The most that maintenance grows by per notional in any position; `None` where that depends on its size or has jumps.
pub(super) fn steepest(market: &Market) -> Option<Rate> {
    market.params.ladder.slopes().map(|(_, most)| most + market.params.closing_fee)
}

/// The least that maintenance grows by per notional in any position: nothing while a market is being settled.
pub(super) fn gentlest(market: &Market) -> Rate {
    let least = market.params.ladder.least().maintenance;
    if market.is_over() { Rate::ZERO } else { least + market.params.closing_fee }
}

/// The most that maintenance of this position grows by per notional while its notional stays below 4/3 of this and, under a ladder
/// of steps, within its step.
///
/// A rate m + rise × notional makes margin that grows by m + 2 × rise × notional: at 4/3 that is below m + 3 × rise × notional. Where it
/// has grown to the greatest rate it no longer rises, so that twice that rate is enough.
pub(super) fn steepest_around(market: &Market, size: Size, notional: Money) -> Rate {
    let ladder = &market.params.ladder;
    let slope = match ladder {
        Ladder::PerNotional(rising) => {
            let twice = Ladder::RATE_MAX + Ladder::RATE_MAX;
            let rise = notional.mul_rate(rising.rise, Round::Up).units();
            // A coin of notional adds `rise`: money in 1e-16 to a rate in 1e-9.
            let thrice = rise.saturating_mul(3) / 10_000_000 + 1;
            let risen = i64::try_from(thrice).ok().and_then(Rate::new).unwrap_or(twice).min(twice);
            (rising.maintenance + risen).min(twice)
        }
        _ => ladder.slopes().map_or_else(|| ladder.held(size, notional, Money::ZERO).maintenance, |(_, most)| most),
    };
    slope + market.params.closing_fee
}

/// How far a price may fall and rise, at most `reach` each, before some position of these sizes comes to another step of the
/// ladder, where its margin jumps. The same way twice where there are no steps.
pub(super) fn within_step<I: Iterator<Item = Size>>(
    market: &Market,
    sizes: impl Fn() -> I,
    price: Price,
    reach: i64,
) -> (i64, i64) {
    let Ladder::Steps(steps) = &market.params.ladder else { return (reach, reach) };
    let started = |units: i64, size: Size| {
        let price = Price::new(units).filter(|price| price.is_positive())?;
        market.contract().notional(price, size).map(|notional| steps.started(notional))
    };
    let now = price.units();
    let same = |units: i64| sizes().all(|size| size.is_zero() || started(units, size) == started(now, size));
    let way = |end: i64| farthest(now, end, same).abs_diff(now);
    let way = |end: i64| i64::try_from(way(end)).unwrap_or(0);
    (way(now.saturating_sub(reach).max(1)), way(now.saturating_add(reach)))
}

/// The last number from `good` towards `end` for which `holds`, which does not hold again once it has ended.
fn farthest(mut good: i64, end: i64, holds: impl Fn(i64) -> bool) -> i64 {
    if holds(end) {
        return end;
    }
    let mut bad = end;
    while good.abs_diff(bad) > 1 {
        let middle = good.midpoint(bad);
        *(if holds(middle) { &mut good } else { &mut bad }) = middle;
    }
    good
}
