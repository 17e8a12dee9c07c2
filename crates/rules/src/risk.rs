//! Margins that follow risk: how far a market's margin ladder is scaled, and what it costs to close a size in a given depth.
//!
//! Whole numbers only: a variance in 1e-18, everything else in 1e-9. It rounds up wherever margin could come out lower otherwise. It
//! knows no clock, no accounts and no book: who calls says when a sample is due and what is open.

use crate::{TierError, TierTable};
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Time, mul_div};

/// The most levels of a depth.
pub const DEPTH_LEVELS_MAX: usize = 8;

/// How margin follows risk, in one market. `docs/dynamic.md` has the formulas and cases that can be checked by hand; no market of the engine follows it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// Time between two samples of the mark, nanoseconds: whole seconds, at most an hour.
    pub every_ns: i64,
    /// Share of the old variance that stays at each sample, above 0, below 1.
    pub decay: Rate,
    /// Volatility per sample at which the ladder counts as it is written, above 0, at most 1.
    pub reference: Rate,
    /// No volatility counts as less than this, per sample.
    pub floor: Rate,
    /// Nor as less than this share of the highest one of the window, 0 to 1.
    pub stress: Rate,
    /// That window, nanoseconds: whole minutes, a minute to a year. It looks back between one and two of them.
    pub stress_window_ns: i64,
    /// Open interest in multiples of `interest_limit`.
    pub open_interest: Pressure,
    /// What it is a multiple of, settlement asset.
    pub interest_limit: Money,
    /// Open interest in multiples of the whole of `depth`.
    pub depth_use: Pressure,
    /// The largest position of one subaccount, as a share of open interest. Asks everyone at each sample.
    pub concentration: Pressure,
    /// Greatest scale: 1 to 10. The least is 1, the ladder as it is written.
    pub most: Rate,
    /// How fast the scale of initial margin falls, per hour.
    pub down_per_hour: Rate,
    /// Greatest step of the scale of maintenance margin, above 0.
    pub step: Rate,
    /// Time between the announcement of a step and its application, nanoseconds: whole seconds, at most a week.
    pub notice_ns: i64,
    /// How long a step may not put anyone on the ladder who would not be there without it, nanoseconds: whole seconds, at most a week.
    pub grace_ns: i64,
    /// What can be closed within which distance of the mark, rising; zero for unused.
    pub depth: [DepthLevel; DEPTH_LEVELS_MAX],
    /// Cost to close what is beyond the last level, per notional, at least the distance of that level; zero: closing costs are not
    /// part of margin.
    pub closing_beyond: Rate,
}

/// How one measure raises the scale: by nothing up to `from`, by `add` from `to` on, in proportion between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pressure {
    /// Up to here: nothing.
    pub from: Rate,
    /// From here on: all of it.
    pub to: Rate,
    /// How much; zero for unused.
    pub add: Rate,
}

/// One level of a depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthLevel {
    /// Distance from the mark, as a share.
    pub within: Rate,
    /// What can be closed up to there in all, settlement asset.
    pub notional: Money,
}

/// Why a rule is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskRuleError {
    /// A time that is not of the kind that its field takes.
    Times,
    /// A decay that is not between nothing and all, or a reference, floor or share outside of its bounds.
    Volatility,
    /// A greatest scale that is not 1 to 10, a step that is not above 0, or a speed below 0.
    Scale,
    /// A pressure that does not rise, or has nothing to be measured by.
    Pressure,
    /// Levels that do not rise, or a cost beyond them that is below the last.
    Depth,
    /// Only tiers can be scaled.
    NeedsTiers,
    /// At the greatest scale and with closing costs a maintenance rate would be above one.
    TooSteep,
    /// Tiers and levels together are more tiers than there may be.
    TooManyTiers,
}

impl fmt::Display for RiskRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Times => {
                "sample 1 s to 1 h, notice 0 to a week, grace 1 s to a week, each in whole seconds; stress window whole minutes up to a year"
            }
            Self::Volatility => "0 < decay < 1, 0 < reference <= 1, 0 <= floor <= 1, 0 <= stress <= 1",
            Self::Scale => "1 <= most <= 10, step > 0, speed down >= 0",
            Self::Pressure => "0 <= from < to <= 100, 0 <= add <= 10, and an amount that it is measured by",
            Self::Depth => "distances and notionals must rise from level to level, at most one, and beyond them costs at least the last",
            Self::NeedsTiers => "only a ladder of tiers can be scaled",
            Self::TooSteep => "a maintenance rate would be above one at the greatest scale",
            Self::TooManyTiers => "tiers and levels of depth together are more than 64",
        })
    }
}

/// What the estimator remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mark of the last sample; zero before the first.
    pub last: Price,
    /// Exponentially weighted mean of squared returns, 1e-18.
    pub variance: i128,
    /// Highest volatility of the window that runs.
    pub peak: Rate,
    /// The same of the one before.
    pub peak_before: Rate,
    /// When the running window ends.
    pub window_end: Time,
}

impl Estimate {
    /// What is remembered after a sample.
    #[must_use]
    pub fn after(&self, variance: i128, sigma: Rate, mark: Price, now: Time, window_ns: i64) -> Self {
        let mut next = Self { last: mark, variance, ..*self };
        if now >= self.window_end {
            // A window in which nothing was sampled is forgotten, too.
            let late = now.since(self.window_end) >= window_ns;
            next.peak_before = if late { Rate::ZERO } else { self.peak };
            next.peak = Rate::ZERO;
            next.window_end = now.plus_ns(window_ns);
        }
        next.peak = next.peak.max(sigma);
        next
    }
}

/// One sample, term by term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskTerms {
    /// The estimator after it.
    pub estimate: Estimate,
    /// Root of the variance, rounded up.
    pub sigma: Rate,
    /// The same, not below floor and stress.
    pub counted: Rate,
    /// 1 + what open interest adds.
    pub open_interest: Rate,
    /// 1 + what the use of the depth adds.
    pub depth_use: Rate,
    /// 1 + what concentration adds.
    pub concentration: Rate,
    /// counted ÷ reference × the three of them, within 1 and the greatest scale.
    pub scale: Rate,
}

/// What is open at a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenNow {
    /// Open interest at the mark, settlement asset.
    pub interest: Money,
    /// Open interest and the largest position of one subaccount, 1e-8 contract.
    pub contracts: (i128, i128),
}

const ONE: i128 = 1_000_000_000;
const RATE_MOST: i128 = 100 * ONE;

fn rate(units: Option<i128>) -> Rate {
    let units = units.unwrap_or(RATE_MOST).clamp(0, RATE_MOST);
    i64::try_from(units).ok().and_then(Rate::new).unwrap_or(Rate::ONE)
}

fn units(rate: Rate) -> i128 {
    i128::from(rate.units())
}

/// `value ÷ of` as a rate, rounded up, at most 100; nothing of nothing.
fn ratio(value: i128, of: i128) -> Rate {
    if of <= 0 { Rate::ZERO } else { rate(mul_div(value, ONE, of, Round::Up)) }
}

/// The variance after one more return: `variance × decay + return² × (1 − decay)`, each rounded up.
///
/// From 0, a move from 100 to 102 and a decay of 0.9: 0.02² × 0.1 = 0.00004. A return counts as at most one.
#[must_use]
pub fn next_variance(variance: i128, last: Price, mark: Price, decay: Rate) -> i128 {
    let moved = i128::from(mark.units()) - i128::from(last.units());
    let r = mul_div(moved.abs(), ONE, i128::from(last.units()).max(1), Round::Up).unwrap_or(ONE).min(ONE);
    let kept = mul_div(variance, units(decay), ONE, Round::Up).unwrap_or(ONE * ONE);
    let added = mul_div(r * r, ONE - units(decay), ONE, Round::Up).unwrap_or(ONE * ONE);
    kept + added
}

/// The root of a variance, rounded up.
#[must_use]
pub fn sigma(variance: i128) -> Rate {
    let square = variance.max(0).unsigned_abs();
    let root = square.isqrt();
    let up = if root * root == square { root } else { root + 1 };
    rate(i128::try_from(up).ok())
}

impl Pressure {
    /// 1 + `add` × (value − from) ÷ (to − from), within 1 and 1 + `add`, rounded up.
    #[must_use]
    pub fn factor(&self, value: Rate) -> Rate {
        let above = (units(value) - units(self.from)).clamp(0, units(self.to) - units(self.from));
        let span = (units(self.to) - units(self.from)).max(1);
        rate(mul_div(units(self.add), above, span, Round::Up).map(|add| ONE + add))
    }

    fn is_used(&self) -> bool {
        self.add != Rate::ZERO
    }

    fn check(&self) -> bool {
        let rises = !self.from.is_negative() && self.from < self.to && units(self.to) <= RATE_MOST;
        !self.is_used() || (rises && self.add.is_positive() && units(self.add) <= 10 * ONE)
    }
}

impl RiskRule {
    /// The levels in use.
    pub fn levels(&self) -> impl Iterator<Item = &DepthLevel> {
        self.depth.iter().take_while(|level| level.notional.is_positive())
    }

    /// What can be closed within the last level.
    #[must_use]
    pub fn whole_depth(&self) -> Money {
        self.levels().last().map_or(Money::ZERO, |level| level.notional)
    }

    /// Whether a sample has to look for the largest position.
    #[must_use]
    pub fn asks_concentration(&self) -> bool {
        self.concentration.is_used()
    }

    /// Checks a rule with the ladder that it scales.
    ///
    /// # Errors
    /// [`RiskRuleError`] names the first rule that is broken.
    pub fn check(&self, base: Option<&TierTable>) -> Result<(), RiskRuleError> {
        let whole = |ns: i64, unit: i64, most: i64| ns >= 0 && ns % unit == 0 && ns <= most;
        let (second, minute) = (Time::SECOND_NS, 60 * Time::SECOND_NS);
        let week = 7 * 24 * 60 * minute;
        let times = whole(self.every_ns, second, 60 * minute)
            && self.every_ns > 0
            && whole(self.notice_ns, second, week)
            && whole(self.grace_ns, second, week)
            && self.grace_ns > 0
            && whole(self.stress_window_ns, minute, 366 * 24 * 60 * minute)
            && self.stress_window_ns > 0;
        ensure(times, RiskRuleError::Times)?;
        let share = |rate: Rate| !rate.is_negative() && rate <= Rate::ONE;
        let decay = self.decay.is_positive() && self.decay < Rate::ONE;
        let volatility = decay && self.reference.is_positive() && share(self.reference);
        ensure(volatility && share(self.floor) && share(self.stress), RiskRuleError::Volatility)?;
        let bounds = self.most >= Rate::ONE && units(self.most) <= 10 * ONE;
        ensure(bounds && self.step.is_positive() && !self.down_per_hour.is_negative(), RiskRuleError::Scale)?;
        let measured = (!self.open_interest.is_used() || self.interest_limit.is_positive())
            && (!self.depth_use.is_used() || self.whole_depth().is_positive());
        let rise = self.open_interest.check() && self.depth_use.check() && self.concentration.check();
        ensure(measured && rise && self.interest_limit.in_bounds(), RiskRuleError::Pressure)?;
        ensure(self.depth_rises(), RiskRuleError::Depth)?;
        let base = base.ok_or(RiskRuleError::NeedsTiers)?;
        self.uncut(base, self.most, self.most).map(drop).map_err(|error| match error {
            TierError::Count => RiskRuleError::TooManyTiers,
            _ => RiskRuleError::TooSteep,
        })
    }

    fn depth_rises(&self) -> bool {
        let used = self.levels().count();
        let rest = self.depth.iter().skip(used).all(|level| *level == DepthLevel::default());
        let rises =
            self.levels().zip(self.levels().skip(1)).all(|(a, b)| a.within < b.within && a.notional < b.notional);
        let first = self.levels().next().is_none_or(|level| level.within.is_positive());
        let last = self.levels().last().map_or(Rate::ZERO, |level| level.within);
        let beyond = self.closing_beyond == Rate::ZERO || (used > 0 && self.closing_beyond >= last);
        rest && rises
            && first
            && beyond
            && last <= Rate::ONE
            && self.closing_beyond <= Rate::ONE
            && !self.closing_beyond.is_negative()
            && self.whole_depth().in_bounds()
    }

    /// One sample of the mark.
    #[must_use]
    pub fn sample(&self, before: &Estimate, mark: Price, now: Time, open: OpenNow) -> RiskTerms {
        let variance = if before.last.is_positive() {
            next_variance(before.variance, before.last, mark, self.decay)
        } else {
            before.variance
        };
        let sigma = sigma(variance);
        let estimate = before.after(variance, sigma, mark, now, self.stress_window_ns);
        let highest = units(estimate.peak.max(estimate.peak_before));
        let stressed = rate(mul_div(highest, units(self.stress), ONE, Round::Up));
        let counted = sigma.max(self.floor).max(stressed);
        let open_interest = self.open_interest.factor(ratio(open.interest.units(), self.interest_limit.units()));
        let depth_use = self.depth_use.factor(ratio(open.interest.units(), self.whole_depth().units()));
        let concentration = self.concentration.factor(ratio(open.contracts.1, open.contracts.0));
        let volatility = ratio(units(counted), units(self.reference));
        let scale = [open_interest, depth_use, concentration]
            .iter()
            .fold(volatility, |scale, factor| rate(mul_div(units(scale), units(*factor), ONE, Round::Up)))
            .max(Rate::ONE)
            .min(self.most);
        RiskTerms { estimate, sigma, counted, open_interest, depth_use, concentration, scale }
    }

    /// The scale of initial margin after a sample: up at once, down by the speed, never below what maintenance has or is announced.
    #[must_use]
    pub fn initial_after(&self, initial: Rate, scale: Rate, maintenance: Rate, elapsed_ns: i64) -> Rate {
        let hour = 3_600 * i128::from(Time::SECOND_NS);
        let elapsed = i128::from(elapsed_ns.max(0));
        let fall = mul_div(units(self.down_per_hour), elapsed, hour, Round::Down).unwrap_or(0);
        rate(Some(units(initial) - fall)).max(scale).max(maintenance)
    }

    /// The next scale of maintenance margin: toward the measured one, at most a step.
    #[must_use]
    pub fn maintenance_after(&self, maintenance: Rate, scale: Rate) -> Rate {
        let (now, step) = (units(maintenance), units(self.step));
        rate(Some(units(scale).clamp(now - step, now + step)))
    }

    /// Cost to close the part of a position that ends at this notional, per notional: the distance of its level.
    fn closing_rate(&self, notional: Money) -> Rate {
        if self.closing_beyond == Rate::ZERO {
            return Rate::ZERO;
        }
        self.levels().find(|level| notional <= level.notional).map_or(self.closing_beyond, |level| level.within)
    }

    /// The ladder in force: each rate of the one that is written times its scale, rounded up, plus the cost to close that part of the
    /// position. Tiers begin where one of the ladder or a level of the depth begins, and deductions make maintenance continuous, so that
    /// maintenance is the scaled one plus Σ levels: what falls into the level × its distance. `None` only for what `check` refuses.
    #[must_use]
    pub fn ladder(&self, base: &TierTable, initial: Rate, maintenance: Rate) -> Option<TierTable> {
        self.uncut(base, initial, maintenance).ok()
    }

    fn uncut(&self, base: &TierTable, initial: Rate, maintenance: Rate) -> Result<TierTable, TierError> {
        let mut caps: Vec<Money> = base.tiers().iter().map(|tier| tier.cap).collect();
        if self.closing_beyond != Rate::ZERO {
            caps.extend(self.levels().map(|level| level.notional).filter(|notional| *notional < base.cap()));
        }
        caps.sort_unstable();
        caps.dedup();
        let scaled = |of: Rate, by: Rate| rate(mul_div(units(of), units(by), ONE, Round::Up));
        let steps: Vec<(Money, Rate, Rate)> = caps
            .iter()
            .map(|cap| {
                let (tier, cost) = (base.of(*cap), self.closing_rate(*cap));
                let needed = scaled(tier.initial_rate, initial) + cost;
                (*cap, needed.min(Rate::ONE), scaled(tier.maintenance_rate, maintenance) + cost)
            })
            .collect();
        TierTable::derive(&steps)
    }
}

fn ensure(good: bool, error: RiskRuleError) -> Result<(), RiskRuleError> {
    if good { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }

    pub(super) fn rule() -> RiskRule {
        RiskRule {
            every_ns: 60 * Time::SECOND_NS,
            decay: r("0.9"),
            reference: r("0.01"),
            floor: Rate::ZERO,
            stress: Rate::ZERO,
            stress_window_ns: 3_600 * Time::SECOND_NS,
            open_interest: Pressure::default(),
            interest_limit: Money::ZERO,
            depth_use: Pressure::default(),
            concentration: Pressure::default(),
            most: r("4"),
            down_per_hour: r("1"),
            step: r("0.5"),
            notice_ns: 0,
            grace_ns: Time::SECOND_NS,
            depth: [DepthLevel::default(); DEPTH_LEVELS_MAX],
            closing_beyond: Rate::ZERO,
        }
    }

    #[test]
    fn a_move_of_two_percent_is_on_paper() {
        let variance = next_variance(0, Price::whole(100), Price::whole(102), r("0.9"));
        assert_eq!(variance, 40_000_000_000_000); // 0.02² × 0.1 in 1e-18
        assert_eq!(sigma(variance), r("0.006324556")); // rounded up
        assert_eq!(next_variance(variance, Price::whole(102), Price::whole(102), r("0.9")), 36_000_000_000_000);
    }

    #[test]
    fn down_is_slow_and_up_is_not() {
        let rule = rule();
        let half = 1_800 * Time::SECOND_NS;
        assert_eq!(rule.initial_after(r("1"), r("3"), r("1"), 0), r("3"));
        assert_eq!(rule.initial_after(r("3"), r("1"), r("1"), half), r("2.5"));
        assert_eq!(rule.initial_after(r("3"), r("1"), r("2.8"), half), r("2.8"));
        assert_eq!(rule.maintenance_after(r("1"), r("3")), r("1.5"));
        assert_eq!(rule.maintenance_after(r("1.2"), r("1")), r("1"));
    }

    #[test]
    fn closing_costs_are_the_area_under_the_depth() {
        let base = TierTable::derive(&[(m("1000"), r("0.02"), r("0.01")), (m("9000"), r("0.04"), r("0.02"))]).unwrap();
        let mut rule = rule();
        rule.depth[0] = DepthLevel { within: r("0.001"), notional: m("500") };
        rule.depth[1] = DepthLevel { within: r("0.005"), notional: m("2000") };
        rule.closing_beyond = r("0.02");
        assert_eq!(rule.check(Some(&base)), Ok(()));
        let ladder = rule.ladder(&base, Rate::ONE, Rate::ONE).unwrap();
        // 3000: 1000 × 1 % + 2000 × 2 % = 50, and 500 × 0.1 % + 1500 × 0.5 % + 1000 × 2 % = 28.
        let tier = ladder.of(m("3000"));
        assert_eq!(m("3000").mul_rate(tier.maintenance_rate, Round::Up) - tier.deduction, m("78"));
        let caps: Vec<Money> = ladder.tiers().iter().map(|tier| tier.cap).collect();
        assert_eq!(caps, vec![m("500"), m("1000"), m("2000"), m("9000")]);
    }

    #[test]
    fn at_scale_one_the_ladder_is_the_written_one() {
        let base = TierTable::derive(&[(m("1000"), r("0.02"), r("0.01")), (m("9000"), r("0.04"), r("0.02"))]).unwrap();
        assert_eq!(rule().ladder(&base, Rate::ONE, Rate::ONE), Some(base.clone()));
        assert_eq!(RiskRule { most: r("10"), ..rule() }.check(Some(&base)), Ok(()));
        let steep = TierTable::derive(&[(m("1000"), r("0.5"), r("0.3"))]).unwrap();
        assert_eq!(rule().check(Some(&steep)), Err(RiskRuleError::TooSteep));
        assert_eq!(rule().check(None), Err(RiskRuleError::NeedsTiers));
    }

    #[test]
    fn the_scale_is_within_its_bounds_and_measures_multiply() {
        let rule = RiskRule {
            floor: r("0.005"),
            stress: r("0.5"),
            open_interest: Pressure { from: r("1"), to: r("2"), add: r("1") },
            interest_limit: m("1000"),
            ..rule()
        };
        let now = Time::from_ns(7_200 * Time::SECOND_NS);
        let open = OpenNow { interest: m("1500"), contracts: (0, 0) };
        let first = rule.sample(&Estimate::default(), Price::whole(100), now, open);
        // The floor alone is half of the reference; the least scale is the ladder as it is written.
        assert_eq!((first.counted, first.open_interest, first.scale), (r("0.005"), r("1.5"), Rate::ONE));
        let second = rule.sample(&first.estimate, Price::whole(110), now.plus_ns(rule.every_ns), open);
        // 0.1 × √0.1 = 3.1622777 %, 3.16227767 of the reference, and half as much again for open interest: cut at 4.
        assert_eq!((second.sigma, second.scale), (r("0.031622777"), r("4")));
        let calm = rule.sample(&second.estimate, Price::whole(110), now.plus_ns(2 * rule.every_ns), OpenNow::default());
        assert_eq!((calm.sigma, calm.scale), (r("0.03"), r("3")));
        // Half of the highest of the window counts when all has long been calm.
        let calm = Estimate { variance: 0, ..calm.estimate };
        let later = rule.sample(&calm, Price::whole(110), now.plus_ns(3 * rule.every_ns), OpenNow::default());
        assert_eq!((later.sigma, later.counted), (Rate::ZERO, r("0.015811389")));
    }

    #[test]
    fn each_refusal_has_its_name() {
        let base = TierTable::derive(&[(m("1000"), r("0.02"), r("0.01"))]).unwrap();
        let with = |change: &dyn Fn(&mut RiskRule)| {
            let mut rule = rule();
            change(&mut rule);
            rule.check(Some(&base))
        };
        assert_eq!(with(&|_| ()), Ok(()));
        assert_eq!(with(&|rule| rule.every_ns = 1), Err(RiskRuleError::Times));
        assert_eq!(with(&|rule| rule.decay = Rate::ONE), Err(RiskRuleError::Volatility));
        assert_eq!(with(&|rule| rule.reference = Rate::ZERO), Err(RiskRuleError::Volatility));
        assert_eq!(with(&|rule| rule.most = r("10.000000001")), Err(RiskRuleError::Scale));
        assert_eq!(with(&|rule| rule.step = Rate::ZERO), Err(RiskRuleError::Scale));
        let rises = Pressure { from: r("1"), to: r("2"), add: r("1") };
        assert_eq!(with(&|rule| rule.open_interest = rises), Err(RiskRuleError::Pressure), "nothing to measure by");
        let falls = Pressure { from: r("2"), to: r("2"), add: r("1") };
        assert_eq!(with(&|rule| rule.concentration = falls), Err(RiskRuleError::Pressure));
        assert_eq!(with(&|rule| rule.closing_beyond = r("0.01")), Err(RiskRuleError::Depth), "beyond no level");
        let levels = |rule: &mut RiskRule| {
            rule.depth[0] = DepthLevel { within: r("0.01"), notional: m("500") };
            rule.depth[1] = DepthLevel { within: r("0.01"), notional: m("900") };
        };
        assert_eq!(with(&levels), Err(RiskRuleError::Depth));
    }
}
