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
            if bad.is_none() {
                return None;
            }
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
