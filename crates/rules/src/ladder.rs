//! How margin grows with a position: the forms that venues use, as one enum with parameters.
//!
//! A ladder says two rates and a deduction for a size; what becomes of them (leverage, fees, rounding) is the business of
//! [`crate::margin`].

use crate::{Contract, TierTable};
use core::fmt;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Size, div_round, limits, mul_div};

/// The form of a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ladder {
    /// The whole notional at the rate of its tier, minus a deduction that joins the tiers. Binance, Bybit, OKX, Hyperliquid.
    Tiers(TierTable),
    /// The whole notional at the rate of its step, without a deduction, so that margin jumps at each. BitMEX.
    Steps(StepLadder),
    /// Rates that grow by the same amount with each contract. Deribit.
    PerSize(SizeLadder),
    /// Rates that grow with the square root of the size. Drift.
    SizeRoot(SizeLadder),
    /// An initial rate that grows with the open interest of the market; maintenance does not. dYdX.
    OpenInterest(OpenInterestLadder),
    /// A rate for each side, slippage and risk together; initial is a multiple of it. Vega.
    RiskFactors(RiskFactors),
    /// Rates that grow by the same amount with each coin of notional: what [`Self::PerSize`] is to an inverse contract, whose
    /// size is an amount of quote. Deribit.
    PerNotional(SizeLadder),
}

/// Rates that rise by one amount for each started step of notional above a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepLadder {
    /// Initial rate up to the base.
    pub initial: Rate,
    /// Maintenance rate up to the base.
    pub maintenance: Rate,
    /// Notional that the first rates hold for, settlement asset.
    pub base: Money,
    /// Length of a step, settlement asset, above zero.
    pub step: Money,
    /// What each started step adds to both rates.
    pub rise: Rate,
}

/// Rates that depend on the size, whatever the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeLadder {
    /// Initial rate of a position of nothing.
    pub initial: Rate,
    /// Maintenance rate of a position of nothing.
    pub maintenance: Rate,
    /// What a contract adds to both rates, or the root of a contract, or a coin of notional.
    pub rise: Rate,
}

/// An initial rate driven by the open interest of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenInterestLadder {
    /// Initial rate up to the lower bound.
    pub initial: Rate,
    /// Maintenance as a share of that initial rate.
    pub fraction: Rate,
    /// Open interest from which the initial rate rises, settlement asset.
    pub lower: Money,
    /// Open interest at which it is 1; zero: it never rises.
    pub upper: Money,
}

/// Slippage and the risk of each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskFactors {
    /// Linear slippage, per notional.
    pub slippage: Rate,
    /// Risk of a long, per notional.
    pub long: Rate,
    /// Risk of a short, per notional.
    pub short: Rate,
    /// Initial margin as a multiple of maintenance, at least 1.
    pub initial_factor: Rate,
}

/// What a ladder says about one position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LadderTerms {
    /// Least initial margin per notional.
    pub initial: Rate,
    /// Maintenance margin per notional.
    pub maintenance: Rate,
    /// Subtracted from notional × maintenance rate.
    pub deduction: Money,
}

/// Why a ladder is refused where positions are to be held under it. Tiers have reasons of their own: [`crate::TierError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LadderError {
    /// A maintenance rate that is not above zero, an initial rate below it, one of both above 1, or a rise outside 0 to 1.
    Rates,
    /// A base, step or bound that is negative or too large, a step of nothing, or an upper bound that is not above the lower one.
    Amounts,
    /// A side whose maintenance rate is not above zero or above 1, or initial margin of less than once or more than ten times
    /// maintenance.
    Factors,
}

impl fmt::Display for LadderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rates => "0 < maintenance rate <= initial rate <= 1 and 0 <= rise <= 1 are needed",
            Self::Amounts => {
                "amounts from 0 to the largest notional, a step above 0 and an upper bound above the lower are needed"
            }
            Self::Factors => "0 < slippage + risk <= 1 for each side and an initial factor from 1 to 10 are needed",
        })
    }
}

/// Granularity of rates that dYdX computes: parts per million, rounded down.
const PPM: i128 = 1_000;

impl Ladder {
    /// The greatest rate of a position that is held: ten times its notional. What a price makes of a ladder beyond it counts as
    /// this, and no position is opened there, so that every sum of margins has a bound.
    pub const RATE_MAX: Rate = match Rate::new(10 * limits::RATE_ONE) {
        Some(rate) => rate,
        None => Rate::ONE,
    };

    /// Rates and deduction of a position. `open_interest` is that of its market in the settlement asset, and matters to
    /// [`Self::OpenInterest`] only. Rates round up, but for that form, whose venue rounds to parts per million downward. `None`
    /// when a rate is above 100.
    ///
    /// Deribit BTC, 2 % + 0.005 % per contract: 350 contracts need 3.75 %. Drift, 5 % and 0.001: 400 contracts need the larger
    /// of 5 % and 4 % + 0.001 × 20 = 6 %. Source: venues.md sections 1 to 11, item 1 of each.
    #[inline(always)]
    #[must_use]
    pub fn at(&self, size: Size, notional: Money, open_interest: Money) -> Option<LadderTerms> {
        let (initial, maintenance) = match self {
            Self::Tiers(table) => return Some(table.of(notional).terms()),
            _ => self.rates(size, notional, open_interest),
        };
        let rate = |units: i128| i64::try_from(units).ok().and_then(Rate::new);
        Some(LadderTerms { initial: rate(initial)?, maintenance: rate(maintenance)?, deduction: Money::ZERO })
    }

    /// The same of a position that is there, whatever the price has made of it: a rate above [`Self::RATE_MAX`] counts as that.
    #[must_use]
    #[inline]
    pub fn held(&self, size: Size, notional: Money, open_interest: Money) -> LadderTerms {
        let (initial, maintenance) = match self {
            Self::Tiers(table) => return table.of(notional).terms(),
            _ => self.rates(size, notional, open_interest),
        };
        let rate = |units: i128| i64::try_from(units).ok().and_then(Rate::new).unwrap_or(Self::RATE_MAX);
        let held = |units| rate(units).min(Self::RATE_MAX);
        LadderTerms { initial: held(initial), maintenance: held(maintenance), deduction: Money::ZERO }
    }

    /// Whether a position may be opened: its rates are at most [`Self::RATE_MAX`]. Where the ladder ends is [`Self::cap`].
    #[must_use]
    pub fn has_terms(&self, size: Size, notional: Money, open_interest: Money) -> bool {
        match self {
            Self::Tiers(_) => true,
            _ => {
                let (initial, maintenance) = self.rates(size, notional, open_interest);
                initial.max(maintenance) <= i128::from(Self::RATE_MAX.units())
            }
        }
    }

    /// Initial and maintenance rate in 1e-9, however large.
    fn rates(&self, size: Size, notional: Money, open_interest: Money) -> (i128, i128) {
        match self {
            Self::Tiers(table) => wide(table.of(notional).terms()),
            Self::Steps(steps) => risen(steps.initial, steps.maintenance, times(steps.started(notional), steps.rise)),
            Self::PerSize(ladder) => ladder.linear(i128::from(size.abs().units()), SIZE_ONE),
            Self::PerNotional(ladder) => ladder.linear(notional.units(), Money::whole(1).units()),
            Self::SizeRoot(ladder) => {
                let rise = root_rise(size, ladder.rise);
                let with = |rate: Rate| i128::from(rate.units()).max(share(rate, ROOT_SHARE, Round::Up) + rise);
                (with(ladder.initial), with(ladder.maintenance))
            }
            Self::OpenInterest(ladder) => (ladder.initial_at(open_interest), ladder.maintenance()),
            Self::RiskFactors(factors) => {
                let maintenance = factors.of_side(size.is_negative());
                (share(maintenance, factors.initial_factor, Round::Up), i128::from(maintenance.units()))
            }
        }
    }

    /// The least rates that any position has. No deduction.
    #[must_use]
    pub fn least(&self) -> LadderTerms {
        match self {
            Self::RiskFactors(f) if f.short < f.long => self.held(Size::whole(-1), Money::ZERO, Money::ZERO),
            _ => self.held(Size::ZERO, Money::ZERO, Money::ZERO),
        }
    }

    /// The gentlest and the steepest that maintenance grows by per notional for any position, where it grows without a jump and the
    /// two do not depend on the size: tiers, open interest, risk factors.
    #[must_use]
    pub fn slopes(&self) -> Option<(Rate, Rate)> {
        match self {
            Self::Tiers(table) => Some((table.of(Money::ZERO).maintenance_rate, table.maintenance_rate_max())),
            Self::OpenInterest(_) => Some(self.least().maintenance).map(|rate| (rate, rate)),
            Self::RiskFactors(factors) => {
                let (long, short) = (factors.of_side(false), factors.of_side(true));
                Some((long.min(short), long.max(short)))
            }
            Self::Steps(_) | Self::PerSize(_) | Self::SizeRoot(_) | Self::PerNotional(_) => None,
        }
    }

    /// What a ladder must satisfy where positions are held under it.
    ///
    /// # Errors
    /// [`LadderError`] names the first rule that is broken.
    pub fn check(&self) -> Result<(), LadderError> {
        let ensure = |good, error| if good { Ok(()) } else { Err(error) };
        let part = |rate: Rate| !rate.is_negative() && rate <= Rate::ONE;
        let amount = |money: Money| !money.is_negative() && money.units() <= limits::NOTIONAL_MAX;
        let least = |initial: Rate, maintenance: Rate, rise: Rate| {
            let ordered = maintenance.is_positive() && maintenance <= initial && initial <= Rate::ONE;
            ensure(ordered && part(rise), LadderError::Rates)
        };
        match self {
            Self::Tiers(_) => Ok(()), // a table is checked when it is made
            Self::Steps(s) => {
                least(s.initial, s.maintenance, s.rise)?;
                ensure(amount(s.base) && amount(s.step) && s.step.is_positive(), LadderError::Amounts)
            }
            Self::PerSize(l) | Self::SizeRoot(l) | Self::PerNotional(l) => least(l.initial, l.maintenance, l.rise),
            Self::OpenInterest(l) => {
                ensure(part(l.initial) && part(l.fraction) && l.maintenance() > 0, LadderError::Rates)?;
                let order = l.upper.is_zero() || l.upper > l.lower;
                ensure(amount(l.lower) && amount(l.upper) && order, LadderError::Amounts)
            }
            Self::RiskFactors(f) => {
                let parts = [f.slippage, f.long, f.short].into_iter().all(part);
                let sides = || [false, true].into_iter().map(|short| f.of_side(short));
                let good = parts && sides().all(|rate| rate.is_positive() && rate <= Rate::ONE);
                let factor = f.initial_factor >= Rate::ONE && f.initial_factor <= Self::RATE_MAX;
                ensure(good && factor, LadderError::Factors)
            }
        }
    }

    /// Notionals at which the rate jumps, so that margin does: none but for steps. The `n`th, counted from zero.
    #[must_use]
    pub fn jump(&self, n: u32) -> Option<Money> {
        let Self::Steps(steps) = self else { return None };
        let above = steps.step.units().checked_mul(i128::from(n))?;
        Money::new(steps.base.units().checked_add(above)?)
    }

    /// Prices, in units, at which a position comes to a jump, each between its two neighbours; the first [`JUMPS_MAX`] jumps.
    pub(crate) fn jump_prices(&self, contract: Contract, size: Size) -> impl Iterator<Item = i64> + '_ {
        let notionals = (0..JUMPS_MAX).map_while(move |n| self.jump(n));
        let prices = notionals.filter_map(move |notional| {
            let value = if contract == Contract::Linear { notional } else { -notional };
            contract.price_of(value, size.abs(), Round::Down).map(Price::units)
        });
        prices.flat_map(|units| [units.saturating_sub(1), units, units.saturating_add(1)])
    }

    /// The largest notional of one position, where the ladder ends somewhere.
    #[must_use]
    pub fn cap(&self) -> Option<Money> {
        match self {
            Self::Tiers(table) => Some(table.cap()),
            _ => None,
        }
    }

    /// Down to which notional `down` tiers or steps below that of `notional` reach; `None` where there are not so many, or the
    /// ladder has neither.
    #[must_use]
    pub fn cap_below(&self, notional: Money, down: u8) -> Option<Money> {
        match self {
            Self::Tiers(table) => {
                let rows = table.tiers();
                let tier = rows.iter().position(|t| notional <= t.cap).unwrap_or(rows.len().saturating_sub(1));
                tier.checked_sub(usize::from(down)).and_then(|at| rows.get(at)).map(|t| t.cap)
            }
            Self::Steps(steps) => {
                let lower = steps.started(notional) - i128::from(down);
                u32::try_from(lower).ok().and_then(|n| self.jump(n))
            }
            _ => None,
        }
    }

    /// How many deductions were rounded down, each of which lets margin jump by less than a unit at its tier.
    #[must_use]
    pub fn roundings(&self) -> i128 {
        match self {
            Self::Tiers(table) => i128::try_from(table.tiers().len()).unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether there are tiers or steps to go down by.
    #[must_use]
    pub fn has_steps(&self) -> bool {
        matches!(self, Self::Tiers(_) | Self::Steps(_))
    }
}

impl StepLadder {
    /// How many steps a notional has started: 230 above a base of 200 in steps of 150 has started one.
    #[must_use]
    pub fn started(&self, notional: Money) -> i128 {
        let above = (notional - self.base).max(Money::ZERO);
        div_round(above.units(), self.step.units(), Round::Up).unwrap_or(0)
    }
}

impl SizeLadder {
    /// Both rates risen by `rise` for each `one` of the amount, rounded up.
    fn linear(&self, amount: i128, one: i128) -> (i128, i128) {
        let rise = mul_div(amount, i128::from(self.rise.units()), one, Round::Up).unwrap_or(BEYOND);
        risen(self.initial, self.maintenance, rise)
    }
}

impl OpenInterestLadder {
    fn maintenance(&self) -> i128 {
        down_to_ppm(share(self.initial, self.fraction, Round::Down))
    }

    fn initial_at(&self, open_interest: Money) -> i128 {
        let initial = i128::from(self.initial.units());
        if !self.upper.is_positive() || open_interest <= self.lower {
            return initial;
        }
        let one = i128::from(limits::RATE_ONE);
        if open_interest >= self.upper {
            return initial.max(one);
        }
        let range = (self.upper - self.lower).units();
        let risen = mul_div((one - initial) / PPM, (open_interest - self.lower).units(), range, Round::Down);
        initial + risen.unwrap_or(0) * PPM
    }
}

impl RiskFactors {
    /// Maintenance rate of a side.
    fn of_side(&self, short: bool) -> Rate {
        self.slippage + if short { self.short } else { self.long }
    }
}

/// Size of one contract.
const SIZE_ONE: i128 = 100_000_000;

/// Of the rate that the square root comes on top of: 80 %. Source: venues.md section 9.
const ROOT_SHARE: Rate = Rate::bps(8_000);

/// The most jumps of a ladder that are looked at on the way to a price.
const JUMPS_MAX: u32 = 1_024;

/// A rate beyond every bound, in 1e-9.
const BEYOND: i128 = 1 << 100;

/// imf × √size in 1e-9, rounded up. √size is found in 1e-8 of the root of a contract, rounded up.
fn root_rise(size: Size, imf: Rate) -> i128 {
    let square = i128::from(size.abs().units()) * SIZE_ONE;
    let floor = square.unsigned_abs().isqrt();
    let root = i128::try_from(floor).unwrap_or(BEYOND);
    let root = if root * root == square { root } else { root + 1 };
    mul_div(root, i128::from(imf.units()), SIZE_ONE, Round::Up).unwrap_or(BEYOND)
}

fn wide(terms: LadderTerms) -> (i128, i128) {
    (i128::from(terms.initial.units()), i128::from(terms.maintenance.units()))
}

/// Both rates and what they have risen by.
fn risen(initial: Rate, maintenance: Rate, by: i128) -> (i128, i128) {
    let by = by.min(BEYOND);
    (i128::from(initial.units()) + by, i128::from(maintenance.units()) + by)
}

fn times(count: i128, rise: Rate) -> i128 {
    count.checked_mul(i128::from(rise.units())).unwrap_or(BEYOND)
}

fn share(rate: Rate, of: Rate, round: Round) -> i128 {
    let product = i128::from(rate.units()) * i128::from(of.units());
    div_round(product, i128::from(limits::RATE_ONE), round).unwrap_or(BEYOND)
}

fn down_to_ppm(rate: i128) -> i128 {
    rate - rate.rem_euclid(PPM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn at(ladder: &Ladder, size: &str, notional: &str, open_interest: &str) -> (Rate, Rate) {
        let terms = ladder.at(size.parse().unwrap(), m(notional), m(open_interest)).unwrap();
        assert_eq!(terms.deduction, Money::ZERO);
        (terms.initial, terms.maintenance)
    }

    #[test]
    fn a_step_is_charged_when_it_is_started() {
        let (base, step) = (m("200"), m("150"));
        let (initial, maintenance, rise) = (r("0.01"), r("0.005"), r("0.005"));
        let steps = Ladder::Steps(StepLadder { initial, maintenance, base, step, rise });
        assert_eq!(at(&steps, "1", "200", "0"), (r("0.01"), r("0.005")));
        assert_eq!(at(&steps, "1", "200.0000000000000001", "0"), (r("0.015"), r("0.01")));
        assert_eq!(at(&steps, "1", "350", "0"), (r("0.015"), r("0.01")));
        assert_eq!(at(&steps, "1", "351", "0"), (r("0.02"), r("0.015")));
        assert_eq!((steps.jump(0), steps.jump(2)), (Some(m("200")), Some(m("500"))));
        assert_eq!(steps.at(Size::whole(1), Money::MAX, Money::ZERO), None);
    }

    #[test]
    fn rates_grow_with_the_size_or_its_root() {
        let deribit = SizeLadder { initial: r("0.02"), maintenance: r("0.01"), rise: r("0.00005") };
        assert_eq!(at(&Ladder::PerSize(deribit), "-350", "1", "0"), (r("0.0375"), r("0.0275")));
        assert_eq!(at(&Ladder::PerSize(deribit), "0.00000001", "1", "0"), (r("0.020000001"), r("0.010000001")));
        // 350 coins of an inverse contract, whatever the number of contracts.
        assert_eq!(at(&Ladder::PerNotional(deribit), "-1", "350", "0"), (r("0.0375"), r("0.0275")));
        let drift = SizeLadder { initial: r("0.05"), maintenance: r("0.03"), rise: r("0.001") };
        assert_eq!(at(&Ladder::SizeRoot(drift), "-400", "1", "0"), (r("0.06"), r("0.044")));
        assert_eq!(at(&Ladder::SizeRoot(drift), "4", "1", "0"), (r("0.05"), r("0.03")));
        // √2 is 1.41421356 2…: rounded up before it is multiplied.
        assert_eq!(root_rise(Size::whole(2), Rate::ONE), 1_414_213_570);
    }

    #[test]
    fn open_interest_raises_the_initial_rate_in_parts_per_million() {
        let (lower, upper) = (m("1000000"), m("2000000"));
        let ladder = Ladder::OpenInterest(OpenInterestLadder { initial: r("0.2"), fraction: r("0.6"), lower, upper });
        for (open_interest, initial) in
            [("1000000", "0.2"), ("1234567", "0.387653"), ("1500000", "0.6"), ("2000000", "1"), ("9000000", "1")]
        {
            assert_eq!(at(&ladder, "1", "1", open_interest), (r(initial), r("0.12")), "{open_interest}");
        }
        let (initial, fraction) = (r("0.637239"), r("0.289284"));
        let never = OpenInterestLadder { initial, fraction, lower: Money::ZERO, upper: Money::ZERO };
        assert_eq!(at(&Ladder::OpenInterest(never), "1", "1", "1500000"), (initial, r("0.184343")));
    }

    #[test]
    fn what_is_held_has_terms_beyond_every_rate() {
        let (initial, maintenance, rise) = (r("0.02"), r("0.01"), r("0.00005"));
        let ladder = Ladder::PerSize(SizeLadder { initial, maintenance, rise });
        let size = Size::whole(199_700);
        let held = ladder.held(size, m("1"), Money::ZERO);
        // 0.02 + 9.985 is above 10, 0.01 + 9.985 is not.
        assert_eq!((held.initial, held.maintenance), (r("10"), r("9.995")));
        assert!(!ladder.has_terms(size, m("1"), Money::ZERO));
        assert!(ladder.has_terms(Size::whole(199_600), m("1"), Money::ZERO));
        let (base, step, rise) = (m("200"), Money::UNIT, Rate::ONE);
        for ladder in [
            Ladder::Steps(StepLadder { initial, maintenance, base, step, rise }),
            Ladder::PerNotional(SizeLadder { initial, maintenance, rise }),
            Ladder::SizeRoot(SizeLadder { initial, maintenance, rise: Rate::ONE }),
        ] {
            let size = Size::new(i64::MAX).unwrap();
            assert_eq!(ladder.at(size, Money::MAX, Money::ZERO), None);
            let held = ladder.held(size, Money::MAX, Money::ZERO);
            assert_eq!((held.initial, held.maintenance), (Ladder::RATE_MAX, Ladder::RATE_MAX));
            assert!(!ladder.has_terms(size, Money::MAX, Money::ZERO));
        }
    }

    #[test]
    fn a_ladder_that_does_not_hold_together_is_refused() {
        let (initial, maintenance, rise) = (r("0.02"), r("0.01"), r("0.001"));
        let size = SizeLadder { initial, maintenance, rise };
        let steps = StepLadder { initial, maintenance, base: Money::ZERO, step: Money::UNIT, rise };
        let interest = OpenInterestLadder { initial, fraction: r("0.5"), lower: m("1"), upper: m("2") };
        let factors =
            RiskFactors { slippage: r("0.1"), long: r("0.9"), short: r("0"), initial_factor: Ladder::RATE_MAX };
        let good = [
            Ladder::PerSize(size),
            Ladder::Steps(steps),
            Ladder::OpenInterest(interest),
            Ladder::OpenInterest(OpenInterestLadder { upper: Money::ZERO, ..interest }),
            Ladder::RiskFactors(factors),
        ];
        good.iter().for_each(|ladder| assert_eq!(ladder.check(), Ok(()), "{ladder:?}"));
        let bad = [
            (Ladder::SizeRoot(SizeLadder { initial: r("0.009999999"), ..size }), LadderError::Rates),
            (Ladder::PerNotional(SizeLadder { maintenance: Rate::ZERO, ..size }), LadderError::Rates),
            (Ladder::PerSize(SizeLadder { rise: -Rate::bps(1), ..size }), LadderError::Rates),
            (Ladder::Steps(StepLadder { step: Money::ZERO, ..steps }), LadderError::Amounts),
            (Ladder::Steps(StepLadder { base: -Money::UNIT, ..steps }), LadderError::Amounts),
            (Ladder::OpenInterest(OpenInterestLadder { upper: m("1"), ..interest }), LadderError::Amounts),
            // Less than a millionth of the notional.
            (Ladder::OpenInterest(OpenInterestLadder { fraction: r("0.000049"), ..interest }), LadderError::Rates),
            (Ladder::RiskFactors(RiskFactors { long: r("0.900000001"), ..factors }), LadderError::Factors),
            (Ladder::RiskFactors(RiskFactors { slippage: r("0"), ..factors }), LadderError::Factors),
            (Ladder::RiskFactors(RiskFactors { initial_factor: r("0.999999999"), ..factors }), LadderError::Factors),
        ];
        bad.iter().for_each(|(ladder, why)| assert_eq!(ladder.check(), Err(*why), "{ladder:?}"));
    }

    #[test]
    fn each_side_has_its_own_risk() {
        let (slippage, long, short) = (r("0.25"), r("0.2"), r("0.1"));
        let factors = Ladder::RiskFactors(RiskFactors { slippage, long, short, initial_factor: r("1.5") });
        assert_eq!(at(&factors, "-1", "1", "0"), (r("0.525"), r("0.35")));
        assert_eq!(at(&factors, "1", "1", "0"), (r("0.675"), r("0.45")));
    }
}
