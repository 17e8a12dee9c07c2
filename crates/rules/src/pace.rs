//! How fast a liquidation goes and what it may cost: fees that grow with time, the share that may be closed by now, and what is left
//! for the insurance fund.
//!
//! It knows no clock: time is a count of the venue's slots that the caller brings.

use crate::grain::{rate, rate_down};
use crate::shortage::in_quote;
use units::{Money, Price, Rate, Round, Size, limits, mul_div, mul_div2};

/// A fee that grows while nobody takes the position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrowingFee {
    /// At first.
    pub base: Rate,
    /// The most.
    pub most: Rate,
    /// Slots without growth.
    pub grace: u32,
    /// Growth per slot, from the first one on.
    pub per_slot: Rate,
}

impl GrowingFee {
    /// The fee after so many slots without activity of the account: base within the grace, else base + slots × growth, up to the
    /// most. Exact; never fails.
    ///
    /// 2 % growing by 0.0001 % a slot is 3 % after 10,000 slots, and still 2 % after 1,000 with a grace of 1,500.
    /// Source: venues.md section 9, item 5.
    #[must_use]
    pub fn after(&self, slots: u32) -> Rate {
        if slots < self.grace {
            return self.base;
        }
        let grown = i128::from(self.base.units()) + i128::from(slots) * i128::from(self.per_slot.units());
        rate(grown).unwrap_or(self.most).min(self.most)
    }
}

/// A liquidation that may close only a part at a time, at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ramp {
    /// Share of the whole shortage that may be made up for at once.
    pub initial: Rate,
    /// Slots after which all may.
    pub duration: u32,
    /// A shortage below this may be made up for at once.
    pub small: Money,
}

impl Ramp {
    /// Share of `shortage` that may be made up for by now: initial + slots ÷ duration of (freed + shortage), less what is freed, over
    /// the shortage; from 0 to 1. `freed` is the margin that this liquidation has set free so far. Cut to 0.01 %.
    ///
    /// 10 % at once and 150 slots: after 15 slots 20 % of 1,000 may be freed; with 100 freed and 900 short it is 100 of 900, 11.11 %.
    /// Source: venues.md section 9, item 5.
    #[must_use]
    pub fn share(&self, shortage: Money, freed: Money, slots: u32) -> Rate {
        if shortage < self.small || slots >= self.duration {
            return Rate::ONE;
        }
        self.ramped(shortage, freed, slots).unwrap_or(Rate::ONE).clamp_to(Rate::ZERO, Rate::ONE)
    }

    fn ramped(&self, shortage: Money, freed: Money, slots: u32) -> Option<Rate> {
        let one = i128::from(limits::RATE_ONE);
        let elapsed = mul_div(i128::from(slots), one, i128::from(self.duration), Round::Down)?;
        let by_now = rate_down(rate(elapsed)?, BASIS_POINT) + self.initial;
        let whole = shortage.checked_add(freed)?;
        let allowed = whole.mul_rate(by_now.min(Rate::ONE), Round::Down) - freed;
        let share = mul_div(allowed.max(Money::ZERO).units(), one, shortage.units(), Round::Down)?;
        // More than a rate can hold is more than all.
        Some(rate_down(rate(share)?, BASIS_POINT))
    }
}

/// The largest share of what is closed that the insurance fund may take while closing still heals the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FundFeeRule {
    /// Margin per notional that is set free.
    pub margin: Rate,
    /// To the one who takes the position, per notional.
    pub liquidator_fee: Rate,
    /// Part of what is left over that the fund takes.
    pub taken: Rate,
    /// The most, per notional.
    pub most: Rate,
}

impl FundFeeRule {
    /// taken × (margin − liquidator fee − shortage ÷ (size × price)), from 0 to the most, where price = mark × `quote_index`. Prices
    /// are cut to `tick`, rates to 1e-6. Zero when a price or the size is zero.
    ///
    /// 10 at 100, short of 20, 5 % and 1 %: 0.95 × (0.05 − 0.01 − 0.02) = 1.9 %. Source: venues.md section 9, item 5.
    #[must_use]
    pub fn rate(&self, shortage: Money, size: Size, mark: Price, quote_index: Price, tick: Price) -> Rate {
        self.left(shortage, size, mark, quote_index, tick).unwrap_or(Rate::ZERO).min(self.most)
    }

    fn left(&self, shortage: Money, size: Size, mark: Price, quote_index: Price, tick: Price) -> Option<Rate> {
        let worth = in_quote(mark, quote_index, tick)?;
        let each = units::div_round(shortage.units(), i128::from(size.abs().units()), Round::Down)?;
        let each = crate::grain::price(each)?.to_tick(tick, Round::Down)?;
        let one = i128::from(limits::RATE_ONE);
        let short = mul_div(i128::from(each.units()), one, i128::from(worth.units()), Round::Down)?;
        let short = rate_down(rate(short)?, PPM);
        let left = (self.margin - self.liquidator_fee - short).max(Rate::ZERO);
        let taken = mul_div(i128::from(left.units()), i128::from(self.taken.units()), one, Round::Down)?;
        Some(rate_down(rate(taken)?, PPM))
    }
}

/// What each contract of both sides pays of a loss that nobody covers: |loss| ÷ (|long| + |short|), rounded up to `tick`. Unit: quote
/// per contract. `None` when nobody holds anything, or it does not fit.
///
/// 100 over 7 long and 4 short at 1e-6 is 9.090910. Source: venues.md section 9, item 5.
#[must_use]
pub fn loss_per_contract(loss: Money, long: Size, short: Size, tick: Price) -> Option<Price> {
    let all = i128::from(long.abs().units()) + i128::from(short.abs().units());
    let each = units::div_round(loss.abs().units(), all, Round::Up)?;
    crate::grain::price(each)?.to_tick(tick, Round::Up)
}

/// What an index of deposits falls by so that all of them share a loss: index × loss ÷ deposits, rounded up to `decimals`. `index` is
/// what one share is worth, in 1e-16. `None` without deposits.
///
/// 11 of 120 at an index of 1 is 0.0916666667 at ten decimals. Source: venues.md section 9, item 5.
#[must_use]
pub fn loss_per_deposit(index: Money, loss: Money, deposits: Money, decimals: u32) -> Option<Money> {
    let exact = mul_div2(index.units(), loss.abs().units(), 1, deposits.units(), Round::Up)?;
    crate::grain::to_decimals(Money::from_units(exact), decimals, Round::Up)
}

/// One part per million, in the unit of rates.
const PPM: i64 = limits::RATE_ONE / 1_000_000;
/// One basis point.
const BASIS_POINT: i64 = limits::RATE_ONE / 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn a_fee_grows_after_its_grace_up_to_the_most() {
        let fee = GrowingFee { base: r("0.02"), most: r("0.05"), grace: 1_500, per_slot: r("0.000001") };
        let after = [1_499, 1_500, 10_000, 30_000, u32::MAX].map(|slots| fee.after(slots));
        assert_eq!(after, ["0.02", "0.0215", "0.03", "0.05", "0.05"].map(r));
    }

    #[test]
    fn the_share_ramps_up_and_counts_what_is_freed() {
        let ramp = Ramp { initial: r("0.1"), duration: 150, small: m("50") };
        let share = |shortage, freed, slots| ramp.share(m(shortage), m(freed), slots);
        assert_eq!((share("1000", "0", 0), share("1000", "0", 15)), (r("0.1"), r("0.2")));
        assert_eq!((share("900", "100", 15), share("800", "200", 15)), (r("0.1111"), r("0")));
        assert_eq!((share("49", "0", 0), share("1000", "0", 150)), (Rate::ONE, Rate::ONE));
        assert_eq!(Ramp::default().share(m("1"), m("0"), 0), Rate::ONE);
    }

    #[test]
    fn the_fund_takes_of_what_is_left() {
        let rule = FundFeeRule { margin: r("0.05"), liquidator_fee: r("0.01"), taken: r("0.95"), most: r("0.05") };
        let fee = |shortage, size, mark| rule.rate(m(shortage), Size::whole(size), p(mark), p("1"), p("0.000001"));
        assert_eq!(
            [fee("20", 10, "100"), fee("1", -10, "100"), fee("1000", 10, "100")],
            ["0.019", "0.03705", "0"].map(r)
        );
        assert_eq!([fee("20", 0, "100"), fee("20", 10, "0")], [Rate::ZERO; 2]);
        let most = FundFeeRule { most: r("0.01"), ..rule };
        assert_eq!(most.rate(m("20"), Size::whole(10), p("100"), p("1"), p("0.000001")), r("0.01"));
    }

    #[test]
    fn a_loss_is_shared_by_all_and_rounds_against_them() {
        let each = |loss| loss_per_contract(m(loss), Size::whole(7), Size::whole(-4), p("0.000001"));
        assert_eq!((each("-100"), each("11")), (Some(p("9.09091")), Some(p("1"))));
        assert_eq!(loss_per_contract(m("1"), Size::ZERO, Size::ZERO, p("1")), None);
        assert_eq!(loss_per_deposit(m("1"), m("11"), m("120"), 10), Some(m("0.0916666667")));
        assert_eq!(loss_per_deposit(m("1"), m("11"), m("0"), 10), None);
    }
}
