//! Where headroom reaches the line: two neighbours, the first good and the second below it.
//!
//! It knows no accounts: it is given points and asks for others.

use crate::LineRule;
use crate::liquidation::halve;
use units::Money;

/// The most points that are tried on lines before the rest is halved.
const LINES_MAX: u32 = 24;

/// A price, or a common move, with the headroom there; none where a figure is out of bounds, which counts as below the line.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    pub(crate) units: i64,
    pub(crate) headroom: Option<Money>,
    /// What of the headroom is in proportion to the price, for [`follow`].
    moving: Money,
}

impl Point {
    pub(crate) fn new(units: i64, found: Option<(Money, Money)>) -> Self {
        let (headroom, moving) = found.unzip();
        Self { units, headroom, moving: moving.unwrap_or_default() }
    }

    pub(crate) fn is_good(self, line: LineRule) -> bool {
        self.headroom.is_some_and(|headroom| !line.is_below(headroom))
    }

    /// Distance from zero.
    pub(crate) fn off(self) -> Option<u128> {
        self.headroom.map(|headroom| headroom.units().unsigned_abs())
    }
}

/// Two neighbours, the first good and the second not, between a good point and one that is not.
///
/// Headroom is made of nearly straight pieces that bend down. So the line between the two points meets zero on the good side, or
/// on the point itself where both are on its piece, and the line through the last two points of one side meets it on the other
/// side. Each in turn comes near in a few steps; whatever they say, the two points stay on their sides, and what is left of the
/// distance is halved.
pub(crate) fn neighbours(mut good: Point, mut bad: Point, line: LineRule, at: impl Fn(i64) -> Point) -> (Point, Point) {
    let mut replaced: Option<Point> = None;
    for _ in 0..LINES_MAX {
        let gap = good.units.abs_diff(bad.units);
        if gap <= 1 {
            return (good, bad);
        }
        let is_from_good = replaced.is_none_or(|old| old.is_good(line));
        let (from, to) = if is_from_good { (good, bad) } else { (bad, good) };
        // Where headroom is not known there is no line: the middle.
        let step = from.off().zip(replaced.unwrap_or(bad).off()).and_then(|(near, far)| match replaced {
            None => portion(gap, near, near.checked_add(far)?),
            Some(old) => portion(old.units.abs_diff(from.units), near, far.checked_sub(near)?),
        });
        let step = step.unwrap_or(gap / 2).clamp(1, gap - 1);
        let is_rising = from.units < to.units;
        let probe = if is_rising { i64::saturating_add_unsigned } else { i64::saturating_sub_unsigned };
        let probe = at(probe(from.units, step));
        let side = if probe.is_good(line) { &mut good } else { &mut bad };
        let old = core::mem::replace(side, probe);
        // Lines of both kinds in turn.
        replaced = if replaced.is_none() { Some(old) } else { None };
    }
    let (good, bad) = halve(good.units, bad.units, |units| at(units).is_good(line));
    (at(good), at(bad))
}

/// The neighbours that straight lines lead to from a good point towards `end`: each line is that of the last point, of whose headroom
/// `moving` is in proportion to the units and the rest is not. `None` where the lines do not lead to the other side before `end`.
///
/// Headroom that bends down is below its lines, so that a line from a good point leads to the crossing or beyond it and a line from
/// beyond leads back as far as the crossing at most. One unit more than a line says is on the other side of it.
pub(crate) fn follow(now: Point, end: i64, line: LineRule, at: impl Fn(i64) -> Point) -> Option<(Point, Point)> {
    let is_rising = now.units < end;
    let (mut good, mut bad, mut from) = (now, None::<Point>, now);
    for _ in 0..LINES_MAX {
        // On a line through nothing at no price, the share of what moves that is left over is that of the units.
        if from.moving.is_zero() || from.moving.is_positive() == is_rising {
            return None;
        }
        let step = portion(u64::try_from(from.units).ok()?, from.off()?, from.moving.units().unsigned_abs())?;
        let step = i64::try_from(step).ok()?.checked_add(1)?;
        let is_ahead = from.is_good(line) == is_rising;
        let mut to = if is_ahead { from.units.checked_add(step)? } else { from.units.checked_sub(step)? };
        let far = bad.map_or(end, |bad| bad.units);
        let (low, high) = if is_rising { (good.units, far) } else { (far, good.units) };
        if to <= low || to >= high {
            bad?;
            to = low.midpoint(high);
        }
        let probe = at(to);
        if probe.is_good(line) {
            good = probe;
        } else {
            bad = Some(probe);
        }
        if let Some(bad) = bad.filter(|bad| bad.units.abs_diff(good.units) == 1) {
            return Some((good, bad));
        }
        from = probe;
    }
    None
}

/// `gap` × `part` ÷ `whole`, nearly: as far as 63 bits of `whole` go. `None` where it does not fit or `whole` is zero.
fn portion(gap: u64, part: u128, whole: u128) -> Option<u64> {
    let shift = (u128::BITS - whole.leading_zeros()).saturating_sub(63);
    u64::try_from(u128::from(gap).checked_mul(part >> shift)?.checked_div(whole >> shift)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Account, AccountRules, Collateral, Contract, FeeBasis, Haircuts, Holding, InitialBasis, Ladder, MarketRules,
        PriceForm, TierTable,
    };
    use alloc::vec::Vec;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use units::{Price, Rate, Round, Size};

    fn market(closing_fee: i64, fee_in_price: bool) -> MarketRules {
        let tiers = [(20_000, 20, 10), (100_000, 100, 50), (900_000, 600, 500)];
        let rate = |thousandths: i64| Rate::new(thousandths * 1_000_000).unwrap();
        let tiers = tiers.map(|(cap, initial, maintenance)| (Money::whole(cap), rate(initial), rate(maintenance)));
        MarketRules {
            contract: Contract::Linear,
            ladder: Ladder::Tiers(TierTable::derive(&tiers).unwrap()),
            open_interest: Money::ZERO,
            closing_fee: Rate::new(closing_fee).unwrap(),
            fee_basis: FeeBasis::Notional,
            fee_in_initial: false,
            fee_in_price,
            initial_basis: InitialBasis::Price,
            notional_digits: None,
            initial_digits: None,
            maintenance_digits: None,
            price_form: PriceForm::Solved,
        }
    }

    proptest! {
        /// Sizes of a few units, too, which are not straight; a second leg of the first market; every rule of the line.
        #[test]
        fn lines_lead_where_halving_does(
            held in vec((-400_000_000i64..400_000_000, 0u32..26, 1i64..5_000_000_000_000, 0u32..30, 80i64..120), 1..5),
            hedge in any::<bool>(), percent in 0i64..60, debt in 0i64..1_000, fee in 0i64..10_000_000, in_price in any::<bool>(), at_line in any::<bool>(),
        ) {
            let markets = [market(fee, true), market(fee / 2, in_price)];
            let mut gross = Money::ZERO;
            let positions: Vec<_> = held.iter().enumerate().map(|(n, (size, small, price, cheap, entry))| {
                let (size, price) = (Size::new(size >> small).unwrap(), Price::new((price >> cheap).max(2)).unwrap());
                gross += (price * size).abs();
                let cost = Price::new((price.units() / 100 * entry).max(1)).unwrap() * size;
                Holding { rules: &markets[n % 2], size, cost, price, leverage: Rate::ZERO, settlement: 0, market: n }
            }).collect();
            let mut positions = positions;
            if hedge && positions.len() > 1 {
                (positions[1].market, positions[1].price) = (0, positions[0].price);
            }
            let haircuts = Haircuts::flat(Rate::ONE);
            let amount = gross.share(i128::from(percent), 100, Round::Down);
            let other = Collateral { amount: -Money::from_units(i128::from(debt)), index_price: Price::whole(3), haircuts };
            let collateral = [Collateral { amount, index_price: Price::ONE, haircuts }, other];
            let line = if at_line { LineRule::At } else { LineRule::Below };
            let account = Account { rules: AccountRules { line, ..AccountRules::default() }, collateral: &collateral, positions: &positions };
            let terms = account.terms().unwrap();
            prop_assume!(!line.is_below(terms.headroom()));
            for (n, held) in positions.iter().enumerate() {
                if positions.iter().any(|held| !held.rules.fee_in_price) {
                    continue; // headroom has a fee that the price is stated without
                }
                let is_good = |units: i64| {
                    let price = Price::new(units).unwrap();
                    let terms = account.terms_at(|other| Some(if other.market == held.market { price } else { other.price }));
                    terms.is_some_and(|terms| !line.is_below(terms.headroom()))
                };
                let (below, above) = account.crossings(&terms, n).unwrap();
                for (found, end) in [(below, 1), (above, held.price.units() * 1_000_000)] {
                    let Some(found) = found else {
                        prop_assert!(is_good(end) || held.size.units().abs() < 10_000);
                        continue;
                    };
                    let (good, bad) = (found.last_good.units(), found.first_below.units());
                    prop_assert!(is_good(good) && !is_good(bad) && good.abs_diff(bad) == 1);
                    prop_assert!((bad - held.price.units()).signum() == (end - held.price.units()).signum());
                    if held.size.units().abs() >= 10_000 && !hedge {
                        prop_assert_eq!((good, bad), halve(held.price.units(), end, is_good));
                    }
                }
            }
            let is_good = |units: i64| {
                let moved = |held: &Holding<'_>| held.price.scale(Rate::new(units).unwrap(), Round::Down);
                account.terms_at(moved).is_some_and(|terms| !line.is_below(terms.headroom()))
            };
            let (fall, rise) = account.common_moves(&terms);
            for (found, end) in [(fall, 1 - Rate::ONE.units()), (rise, 9 * Rate::ONE.units())] {
                match found {
                    None => prop_assert!(is_good(end) || positions.iter().all(|held| held.size.is_zero())),
                    Some(found) => {
                        let bad = found.units();
                        prop_assert!(bad != 0 && bad.signum() == end.signum() && bad.abs() <= end.abs());
                        prop_assert!(!is_good(bad) && is_good(bad - bad.signum()));
                    }
                }
            }
        }
    }
}
