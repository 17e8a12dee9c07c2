//! Funding that accrues with time: indices over elapsed seconds, averages of prices with gaps, and rates that follow from margins.
//!
//! It knows no clock and no samples but those that it is given; [`crate::funding_rate`] is the rule of an interval.

use crate::grain::{price, rate};
use units::{Money, Price, Rate, Round, div_round, limits, mul_div, mul_div2};

/// How far a market's funding index moves in `elapsed_s` of a period that `rate` is for: mark × rate × elapsed ÷ period. Unit: 1e-17 of
/// the quote per contract; + means that longs pay.
///
/// Multiplied before it is divided and cut to `grain`, in the same unit, toward zero; nothing is left over for later. `None` when the
/// period or grain is not positive or it does not fit.
///
/// 50,000 at 0.1 % for eight hours over one hour is 6.25. Source: venues.md section 8, item 4.
#[must_use]
pub fn funding_index_over(mark: Price, rate: Rate, elapsed_s: u32, period_s: u32, grain: i128) -> Option<i128> {
    let whole = i128::from(mark.units()) * i128::from(rate.units());
    let parts = i128::from(period_s).checked_mul(grain).filter(|parts| *parts > 0)?;
    mul_div(whole, i128::from(elapsed_s), parts, Round::TowardZero)?.checked_mul(grain)
}

/// The largest funding rate where it follows from margins: multiple × (initial rate − maintenance rate), exact for whole multiples, down
/// else; zero where maintenance is not below initial. `None` above the largest rate.
///
/// 6 × (5 % − 3 %) is 12 %. Source: venues.md section 8, item 4; section 6 (0.75 ×).
#[must_use]
pub fn funding_cap(initial: Rate, maintenance: Rate, multiple: Rate) -> Option<Rate> {
    let between = (initial - maintenance).max(Rate::ZERO);
    let one = i128::from(limits::RATE_ONE);
    rate(mul_div(i128::from(between.units()), i128::from(multiple.units()), one, Round::Down)?)
}

/// The notional whose average fill is an impact price: `base` ÷ initial rate, rounded down. `None` when the rate is not positive.
///
/// 500 at 10 % is 5,000: what a margin of 500 can carry. Source: venues.md section 8, item 4; section 1 (200 USDT).
#[must_use]
pub fn impact_notional(base: Money, initial: Rate) -> Option<Money> {
    let one = i128::from(limits::RATE_ONE);
    if !initial.is_positive() {
        return None;
    }
    mul_div(base.units(), one, i128::from(initial.units()), Round::Down).map(Money::from_units)
}

/// Funding by the spread of two averages, a part of it per period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpreadRule {
    /// The average of the index ÷ this is added to the spread, as interest; zero: nothing is.
    pub offset_divisor: u32,
    /// The spread is held to the average of the index ÷ this.
    pub most_divisor: u32,
    /// Periods over which the spread is paid.
    pub periods: u32,
    /// Granularity of prices.
    pub tick: Price,
}

impl SpreadRule {
    /// The most that the spread counts: index average ÷ divisor, in ticks, toward zero. `None` when the divisor or tick is zero.
    ///
    /// 49 ÷ 33 is 1.484848. Source: venues.md section 9, item 4.
    #[must_use]
    pub fn most(&self, index_average: Price) -> Option<Price> {
        let units = div_round(i128::from(index_average.units()), i128::from(self.most_divisor), Round::TowardZero)?;
        price(units)?.to_tick(self.tick, Round::TowardZero)
    }

    /// What a contract pays for one period: the spread of the averages and the offset, held to [`Self::most`], ÷ periods. Unit: 1e-17 of
    /// the quote per contract, cut to `grain` of it toward zero; + means that longs pay. `None` as in [`Self::most`].
    ///
    /// 50 over 49 in 24 parts is 0.041666666 at 1e-9. Source: venues.md section 9, item 4; section 14, item 7, for the offset.
    #[must_use]
    pub fn step(&self, mark_average: Price, index_average: Price, grain: i128) -> Option<i128> {
        let most = self.most(index_average)?;
        let offset = match self.offset_divisor {
            0 => 0,
            parts => div_round(i128::from(index_average.units()), i128::from(parts), Round::TowardZero)?,
        };
        let offset = price(offset)?.to_tick(self.tick, Round::TowardZero)?;
        let [mark, index, offset, most] = [mark_average, index_average, offset, most].map(|p| i128::from(p.units()));
        let spread = (mark - index + offset).min(most).max(-most);
        let parts = i128::from(self.periods).checked_mul(grain).filter(|parts| *parts > 0)?;
        mul_div(spread, i128::from(limits::RATE_ONE), parts, Round::TowardZero)?.checked_mul(grain)
    }
}

/// The average of a price by time from `start` to `end`, without the time inside `gaps`; each price holds until the next one.
///
/// `points` are (time, price) in the order of time, in any unit of it; what is before the first one counts nothing. Gaps are (from, to)
/// and do not overlap. In ticks, rounded down. `None` when no time is left, the tick is zero, or it does not fit.
///
/// 10 for a minute and 13 for two, of which one is a gap: (10 + 13) ÷ 2 = 11.5. Source: venues.md section 11.
#[must_use]
pub fn average_by_time(
    points: &[(i64, Price)],
    gaps: &[(i64, i64)],
    (start, end): (i64, i64),
    tick: Price,
) -> Option<Price> {
    let (mut sum, mut time) = (0i128, 0i128);
    let ends = points.iter().skip(1).map(|point| point.0).chain(core::iter::once(end));
    for (&(from, at), to) in points.iter().zip(ends) {
        let (from, to) = (from.max(start), to.min(end));
        let lasted = overlap((from, to), (from, to)) - gaps.iter().map(|&gap| overlap((from, to), gap)).sum::<i128>();
        sum = sum.checked_add(i128::from(at.units()).checked_mul(lasted)?)?;
        time = time.checked_add(lasted)?;
    }
    price(div_round(sum, time, Round::Down)?)?.to_tick(tick, Round::Down)
}

/// Time that two spans have in common.
fn overlap(a: (i64, i64), b: (i64, i64)) -> i128 {
    (i128::from(a.1.min(b.1)) - i128::from(a.0.max(b.0))).max(0)
}

/// What may change the difference of two averages before it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AverageFunding {
    /// Interest per year.
    pub interest: Rate,
    /// Least interest term, as a share of the index average.
    pub interest_least: Rate,
    /// Greatest interest term, as a share of the index average.
    pub interest_most: Rate,
    /// What the payment is multiplied with.
    pub scaling: Rate,
    /// Least payment, as a share of the index average.
    pub floor: Option<Rate>,
    /// Greatest payment, as a share of the index average.
    pub cap: Option<Rate>,
}

/// One payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AveragePayment {
    /// A long pays this per contract; − is received.
    pub payment: Price,
    /// The same as a share of the index average, at 1e-9 toward zero.
    pub rate: Rate,
}

/// Units of 1e-17 in one of 1e-8, the unit of prices.
const FINE: i128 = 1_000_000_000;

impl AverageFunding {
    /// Mark average − index average + interest term, × scaling, inside floor and cap. The interest term is (1 + interest × `years`) ×
    /// index average − mark average inside its bounds; `years` is (elapsed, a year) in one unit. A cap below the floor wins.
    ///
    /// The payment is cut to `tick` toward zero at the end, all before it to 1e-17. `None` without a positive index average, or when it
    /// does not fit.
    ///
    /// 330 over 110, halved: 110, which is a rate of 1. Source: venues.md section 11.
    #[must_use]
    pub fn payment(
        &self,
        mark_average: Price,
        index_average: Price,
        years: (i64, i64),
        tick: Price,
    ) -> Option<AveragePayment> {
        let (mark, index) = (i128::from(mark_average.units()) * FINE, i128::from(index_average.units()));
        if index <= 0 {
            return None;
        }
        let bound = |rate: Rate| index * i128::from(rate.units());
        let (elapsed, year) = (i128::from(years.0), i128::from(years.1));
        let grown = mul_div2(index, i128::from(self.interest.units()), elapsed, year, Round::TowardZero)?;
        let wanted = (index * FINE).checked_add(grown)?.checked_sub(mark)?;
        let interest = wanted.max(bound(self.interest_least)).min(bound(self.interest_most));
        let sum = (mark - index * FINE).checked_add(interest)?;
        let scaled = mul_div(sum, i128::from(self.scaling.units()), FINE, Round::TowardZero)?;
        let held = self.floor.map_or(scaled, |floor| scaled.max(bound(floor)));
        let held = self.cap.map_or(held, |cap| held.min(bound(cap)));
        let payment = price(div_round(held, FINE, Round::TowardZero)?)?.to_tick(tick, Round::TowardZero)?;
        Some(AveragePayment { payment, rate: rate(div_round(held, index, Round::TowardZero)?)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    /// 1e-17 in one.
    const ONE: i128 = 100_000_000 * FINE;

    #[test]
    fn an_index_moves_by_its_part_of_the_period() {
        let over = |mark, rate, seconds, grain| funding_index_over(p(mark), r(rate), seconds, 28_800, grain);
        assert_eq!(over("50000", "0.001", 3_600, 1), Some(ONE * 25 / 4));
        assert_eq!(
            (over("1000", "1.001999", 28_800, ONE), over("1000", "-1.001999", 28_800, ONE)),
            (Some(1_001 * ONE), Some(-1_001 * ONE))
        );
        assert_eq!(over("1", "1", 1, 0), None);
    }

    #[test]
    fn caps_and_impacts_follow_from_margins() {
        assert_eq!(funding_cap(r("0.05"), r("0.03"), r("6")), Some(r("0.12")));
        assert_eq!(funding_cap(r("0.03"), r("0.05"), r("6")), Some(Rate::ZERO));
        assert_eq!(impact_notional(Money::whole(500), r("0.1")), Some(Money::whole(5_000)));
        assert_eq!(impact_notional(Money::whole(500), r("0")), None);
    }

    #[test]
    fn a_spread_is_held_and_paid_in_parts() {
        let rule = SpreadRule { offset_divisor: 0, most_divisor: 33, periods: 24, tick: p("0.000001") };
        let step =
            |rule: SpreadRule, mark| rule.step(p(mark), p("49"), ONE / 1_000_000_000).unwrap() * 1_000_000_000 / ONE;
        assert_eq!((step(rule, "50"), step(rule, "48")), (41_666_666, -41_666_666));
        // Held to 1.484848.
        assert_eq!((step(rule, "90"), step(rule, "1")), (61_868_666, -61_868_666));
        assert_eq!(step(SpreadRule { offset_divisor: 5_000, ..rule }, "50"), 42_075_000);
        assert_eq!(SpreadRule { most_divisor: 0, ..rule }.most(p("49")), None);
    }

    #[test]
    fn time_in_a_gap_does_not_count() {
        let points = [(0, p("10")), (60, p("13")), (200, p("99"))];
        let average = |gaps: &[(i64, i64)], span| average_by_time(&points, gaps, span, p("0.1"));
        assert_eq!(average(&[], (0, 180)), Some(p("12")));
        assert_eq!(
            (average(&[(90, 150)], (0, 180)), average(&[(-50, 30)], (0, 180))),
            (Some(p("11.5")), Some(p("12.4")))
        );
        assert_eq!((average(&[(0, 300)], (0, 180)), average(&[], (-60, 0))), (None, None));
    }

    #[test]
    fn interest_scale_and_bounds_come_in_this_order() {
        let plain = AverageFunding {
            interest: Rate::ZERO,
            interest_least: Rate::ZERO,
            interest_most: Rate::ZERO,
            scaling: Rate::ONE,
            floor: None,
            cap: None,
        };
        let pay = |rule: AverageFunding, mark| {
            let paid = rule.payment(p(mark), p("100"), (1, 4), p("0.01")).unwrap();
            (paid.payment, paid.rate)
        };
        assert_eq!(pay(plain, "110"), (p("10"), r("0.1")));
        let half = AverageFunding { scaling: r("0.5"), ..plain };
        assert_eq!(pay(half, "110"), (p("5"), r("0.05")));
        assert_eq!(pay(AverageFunding { cap: Some(r("0.01")), ..half }, "110"), (p("1"), r("0.01")));
        assert_eq!(pay(AverageFunding { floor: Some(r("0.5")), ..half }, "110"), (p("50"), r("0.5")));
        // A quarter of 8 % on 100 is 2; the term 102 − 101 is 1, or half of one at most.
        let interest = AverageFunding { interest: r("0.08"), interest_least: r("-1"), interest_most: r("1"), ..plain };
        assert_eq!(pay(interest, "101"), (p("2"), r("0.02")));
        assert_eq!(pay(AverageFunding { interest_most: r("0.005"), ..interest }, "101"), (p("1.5"), r("0.015")));
        assert_eq!(plain.payment(p("1"), Price::ZERO, (1, 4), p("1")), None);
    }
}
