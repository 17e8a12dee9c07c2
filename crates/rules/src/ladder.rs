//! How margin grows with a position: the forms that venues use, as one enum with parameters.
//!
//! A ladder says two rates and a deduction for a size; what becomes of them (leverage, fees, rounding) is the business of
//! [`crate::margin`].

use crate::TierTable;
use serde::{Deserialize, Serialize};
use units::{Money, Rate, Round, Size, div_round, limits, mul_div};

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

/// Granularity of rates that dYdX computes: parts per million, rounded down.
const PPM: i64 = limits::RATE_ONE / 1_000_000;

impl Ladder {
    /// Rates and deduction of a position. `open_interest` is that of its market in the settlement asset, and matters to
    /// [`Self::OpenInterest`] only. Rates round up, but for that form, whose venue rounds to parts per million downward. `None`
    /// when a rate is above 100.
    ///
    /// Deribit BTC, 2 % + 0.005 % per contract: 350 contracts need 3.75 %. Drift, 5 % and 0.001: 400 contracts need the larger
    /// of 5 % and 4 % + 0.001 × 20 = 6 %. Source: venues.md sections 1 to 11, item 1 of each.
    #[inline(always)]
    #[must_use]
    pub fn at(&self, size: Size, notional: Money, open_interest: Money) -> Option<LadderTerms> {
        // Nearly all ladders are tiers, and are asked for often.
        match self {
            Self::Tiers(table) => Some(table.of(notional).terms()),
            _ => self.rates(size, notional, open_interest),
        }
    }

    fn rates(&self, size: Size, notional: Money, open_interest: Money) -> Option<LadderTerms> {
        match self {
            Self::Tiers(table) => Some(table.of(notional).terms()),
            Self::Steps(steps) => steps.at(notional),
            Self::PerSize(ladder) => ladder.linear(i128::from(size.abs().units()), SIZE_ONE),
            Self::PerNotional(ladder) => ladder.linear(notional.units(), Money::whole(1).units()),
            Self::SizeRoot(ladder) => {
                let rise = root_rise(size, ladder.rise)?;
                let with = |rate: Rate| Some(rate.max(raised(share(rate, ROOT_SHARE, Round::Up)?, rise)?));
                Some(LadderTerms {
                    initial: with(ladder.initial)?,
                    maintenance: with(ladder.maintenance)?,
                    deduction: Money::ZERO,
                })
            }
            Self::OpenInterest(ladder) => ladder.at(open_interest),
            Self::RiskFactors(factors) => {
                let side = if size.is_negative() { factors.short } else { factors.long };
                let maintenance = factors.slippage + side;
                let initial = share(maintenance, factors.initial_factor, Round::Up)?;
                Some(LadderTerms { initial, maintenance, deduction: Money::ZERO })
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

    /// The largest notional of one position, where the ladder ends somewhere.
    #[must_use]
    pub fn cap(&self) -> Option<Money> {
        match self {
            Self::Tiers(table) => Some(table.cap()),
            _ => None,
        }
    }
}

impl StepLadder {
    /// How many steps a notional has started: 230 above a base of 200 in steps of 150 has started one.
    #[must_use]
    pub fn started(&self, notional: Money) -> i128 {
        let above = (notional - self.base).max(Money::ZERO);
        div_round(above.units(), self.step.units(), Round::Up).unwrap_or(0)
    }

    fn at(&self, notional: Money) -> Option<LadderTerms> {
        let rise = self.started(notional).checked_mul(i128::from(self.rise.units()))?;
        Some(LadderTerms {
            initial: raised(self.initial, rise)?,
            maintenance: raised(self.maintenance, rise)?,
            deduction: Money::ZERO,
        })
    }
}

impl SizeLadder {
    /// Both rates risen by `rise` for each `one` of the amount, rounded up.
    fn linear(&self, amount: i128, one: i128) -> Option<LadderTerms> {
        let rise = mul_div(amount, i128::from(self.rise.units()), one, Round::Up)?;
        let (initial, maintenance) = (raised(self.initial, rise)?, raised(self.maintenance, rise)?);
        Some(LadderTerms { initial, maintenance, deduction: Money::ZERO })
    }
}

impl OpenInterestLadder {
    fn at(&self, open_interest: Money) -> Option<LadderTerms> {
        let maintenance = down_to_ppm(share(self.initial, self.fraction, Round::Down)?);
        let terms = |initial| Some(LadderTerms { initial, maintenance, deduction: Money::ZERO });
        if !self.upper.is_positive() || open_interest <= self.lower {
            return terms(self.initial);
        }
        if open_interest >= self.upper {
            return terms(self.initial.max(Rate::ONE));
        }
        let left = i128::from((Rate::ONE - self.initial).units() / PPM);
        let range = (self.upper - self.lower).units();
        let risen = mul_div(left, (open_interest - self.lower).units(), range, Round::Down)?;
        terms(raised(self.initial, risen * i128::from(PPM))?)
    }
}

/// Size of one contract.
const SIZE_ONE: i128 = 100_000_000;

/// Of the rate that the square root comes on top of: 80 %. Source: venues.md section 9.
const ROOT_SHARE: Rate = Rate::bps(8_000);

/// imf × √size in 1e-9, rounded up. √size is found in 1e-8 of the root of a contract, rounded up.
fn root_rise(size: Size, imf: Rate) -> Option<i128> {
    let square = i128::from(size.abs().units()) * SIZE_ONE;
    let floor = square.unsigned_abs().isqrt();
    let root = i128::try_from(floor).ok()?;
    let root = if root * root == square { root } else { root + 1 };
    mul_div(root, i128::from(imf.units()), SIZE_ONE, Round::Up)
}

fn raised(rate: Rate, by: i128) -> Option<Rate> {
    i64::try_from(i128::from(rate.units()).checked_add(by)?).ok().and_then(Rate::new)
}

fn share(rate: Rate, of: Rate, round: Round) -> Option<Rate> {
    let units = mul_div(i128::from(rate.units()), i128::from(of.units()), i128::from(limits::RATE_ONE), round)?;
    i64::try_from(units).ok().and_then(Rate::new)
}

fn down_to_ppm(rate: Rate) -> Rate {
    Rate::new(rate.units() - rate.units().rem_euclid(PPM)).unwrap_or(rate)
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
        assert_eq!(root_rise(Size::whole(2), Rate::ONE), Some(1_414_213_570));
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
    fn each_side_has_its_own_risk() {
        let (slippage, long, short) = (r("0.25"), r("0.2"), r("0.1"));
        let factors = Ladder::RiskFactors(RiskFactors { slippage, long, short, initial_factor: r("1.5") });
        assert_eq!(at(&factors, "-1", "1", "0"), (r("0.525"), r("0.35")));
        assert_eq!(at(&factors, "1", "1", "0"), (r("0.675"), r("0.45")));
    }
}
