//! Closing an account that is below its line: at what price an order may fill, at what price a part of it is bankrupt, what the
//! insurance fund gains or pays, and who may take the position over.
//!
//! It knows no book and no accounts: the caller brings the sums of an account and the figures of one position.

use crate::LineRule;
use crate::grain::{price, to_decimals};
use units::{Money, Price, Rate, Round, Size, limits, mul_div, mul_div2};

/// The sums of an account in the settlement asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountMargin {
    /// Cash and positions at the mark.
    pub equity: Money,
    /// Maintenance margin of all positions.
    pub maintenance: Money,
}

impl AccountMargin {
    /// Whether there is something to close and equity says that it must be. An account that holds nothing but a debt has no
    /// maintenance and is not liquidated, whatever its line.
    ///
    /// Equity 499 under a maintenance of 500 is; −1 under none is not. Source: venues.md section 8, item 5.
    #[must_use]
    pub fn is_liquidatable(&self, rule: LineRule) -> bool {
        self.maintenance.is_positive() && rule.is_below(self.equity - self.maintenance)
    }
}

/// How far from the mark an order of a liquidation may fill, which grows with what the account is short of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitPath {
    /// How fast the limit moves, in parts per million of the share of maintenance that is missing: it may exceed the largest rate.
    pub slope_ppm: u32,
    /// The farthest that it moves, as a share of the position's maintenance.
    pub spread: Rate,
}

/// Granularity of a way whose fraction does not fit: 1e-18.
const WAY_ONE: i128 = 1_000_000_000_000_000_000;

impl LimitPath {
    /// The worst price for the account at which the order may fill: mark − way × spread × maintenance ÷ size, where way =
    /// slope × (1 − equity ÷ maintenance of the account), from 0 to 1. A price for the whole position, whatever part is closed.
    ///
    /// It stands at the mark while equity is at least maintenance and arrives at [`Self::farthest`] with an equity of zero or
    /// before. `maintenance` is the position's own. Rounded toward the mark, in the account's favour: up for a long and down for a
    /// short; not below zero. Exact but for that, unless the fraction needs more than 256 bits: then the way is cut to 1e-18. `None`
    /// without a position or when it does not fit.
    ///
    /// +0.1 at 50,000 with equity 499 of 500, spread 10 %, slope 1: 50,000 − 0.002 × 0.1 × 500 ÷ 0.1 = 49,999.
    /// Source: venues.md section 8, item 5.
    #[must_use]
    pub fn limit(&self, mark: Price, size: Size, maintenance: Money, account: &AccountMargin) -> Option<Price> {
        let missing = (account.maintenance - account.equity).max(Money::ZERO).units();
        let of = account.maintenance.units();
        if missing == 0 || of <= 0 {
            return self.after(mark, size, maintenance, if missing == 0 { (0, 1) } else { (1, 1) });
        }
        let exact = self.way(missing, of).and_then(|way| self.after(mark, size, maintenance, way));
        exact.or_else(|| self.after(mark, size, maintenance, self.way_cut(missing, of)))
    }

    /// The limit of an account that has nothing left.
    ///
    /// A long at 0.801 with 3 % and a spread of 1.5: 0.801 × (1 − 0.045) = 0.764955.
    #[must_use]
    pub fn farthest(&self, mark: Price, size: Size, maintenance: Money) -> Option<Price> {
        self.after(mark, size, maintenance, (1, 1))
    }

    /// slope × missing ÷ of, at most 1, as a fraction; `None` when it does not fit.
    fn way(&self, missing: i128, of: i128) -> Option<(i128, i128)> {
        let (slope, one) = lowest(i128::from(self.slope_ppm), 1_000_000);
        let (missing, of) = lowest(missing, of);
        let (part, whole) = (missing.checked_mul(slope)?, of.checked_mul(one)?);
        Some(if part >= whole { (1, 1) } else { (part, whole) })
    }

    /// The same in 1e-18, rounded down.
    fn way_cut(&self, missing: i128, of: i128) -> (i128, i128) {
        let slope = i128::from(self.slope_ppm) * (WAY_ONE / 1_000_000);
        // What does not fit is far beyond the end of the way.
        (mul_div(missing, slope, of, Round::Down).unwrap_or(WAY_ONE).min(WAY_ONE), WAY_ONE)
    }

    fn after(&self, mark: Price, size: Size, maintenance: Money, (part, whole): (i128, i128)) -> Option<Price> {
        let (spread, one) = lowest(i128::from(self.spread.units()), i128::from(limits::RATE_ONE));
        let off = mul_div2(maintenance.units(), spread, part, whole.checked_mul(one)?, Round::Down)?;
        let distance = units::div_round(off, i128::from(size.abs().units()), Round::Down)?;
        let toward = i128::from(size.signum());
        price((i128::from(mark.units()) - toward * distance).max(0))
    }
}

/// A fraction of numbers above zero in its lowest terms; one of zero as it is.
fn lowest(part: i128, whole: i128) -> (i128, i128) {
    let (mut common, mut rest) = (part, whole);
    while rest != 0 {
        (common, rest) = (rest, common.checked_rem(rest).unwrap_or(0));
    }
    (part.checked_div(common).unwrap_or(part), whole.checked_div(common).unwrap_or(whole))
}

/// A position and what a part of it less leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartClose {
    /// Signed value before.
    pub value_before: Money,
    /// Signed value after.
    pub value_after: Money,
    /// Maintenance margin before.
    pub maintenance_before: Money,
    /// Maintenance margin after.
    pub maintenance_after: Money,
}

/// What a part of a position must bring so that the account is left with no more and no less than before: its value and its
/// share of the account's equity, by the maintenance that it sets free. + is received by the account, − paid.
///
/// value before − value after − equity × maintenance set free ÷ maintenance of the account, the share rounded down to
/// `decimals`, which is against the account. With one position it is its bankruptcy price; with several each bears its part of what is
/// missing. `None` when the account has no maintenance or something does not fit.
///
/// Equity 10 of two shorts that hold 20 and 30: closing the second, worth −300, pays 300 + 6. Source: venues.md section 8, item 5.
#[must_use]
pub fn part_bankruptcy(account: &AccountMargin, part: &PartClose, decimals: u32) -> Option<Money> {
    let freed = (part.maintenance_before - part.maintenance_after).abs();
    let share = mul_div(account.equity.units(), freed.units(), account.maintenance.units(), Round::Down)?;
    let share = to_decimals(Money::from_units(share), decimals, Round::Down)?;
    (part.value_before - part.value_after).checked_add(-share)
}

/// What the insurance fund gains by a fill of a liquidation: what is left above bankruptcy, up to `most` of the fill; or −, what it
/// pays, without a limit.
///
/// `filled` and `bankrupt` are signed: + received by the account, − paid. The fee rounds down to `decimals`. `None` above sixteen
/// decimals.
///
/// 0.1 sold for 5,610 where 5,100 is bankrupt: 510 are left, of which 0.5 % of 5,610 is 28.05. Sold for 5,049 the fund pays 51.
/// Source: venues.md section 8, item 5.
#[must_use]
pub fn insurance_delta(filled: Money, bankrupt: Money, most: Rate, decimals: u32) -> Option<Money> {
    let left = filled - bankrupt;
    if !left.is_positive() {
        return Some(left);
    }
    let fee = to_decimals(filled.abs().mul_rate(most, Round::Down), decimals, Round::Down)?;
    Some(fee.min(left))
}

/// One of two accounts whose positions are closed against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairLeg {
    /// Cash: what is left when positions are worth nothing; a long that is not paid has it below zero.
    pub cash: Money,
    /// Position in the market that is closed.
    pub size: Size,
    /// Whether it has positions in other markets.
    pub has_others: bool,
}

impl PairLeg {
    fn after(self, delta: Size, received: Money) -> Option<Self> {
        Some(Self { cash: self.cash.checked_add(received)?, size: self.size.checked_add(delta)?, ..self })
    }

    /// Nothing left but a debt.
    fn is_lost(&self) -> bool {
        self.size.is_zero() && !self.has_others && self.cash.is_negative()
    }
}

/// Closes `delta` of a bankrupt account's position against the other side's, the bankrupt one receiving `quote` (− when it pays),
/// which is its bankruptcy price. The two after it; the bankrupt one first.
///
/// `None` when either would be left with nothing but a debt, so that the two bankruptcy prices do not overlap and somebody else
/// must pay; when `delta` does not reduce both; or when something does not fit.
///
/// A short of 1 with 50,000 against a long of 1 with −45,001: both close at 50,000, which leaves 0 and 4,999.
/// Source: venues.md section 8, item 5.
#[must_use]
pub fn deleverage_pair(bankrupt: PairLeg, other: PairLeg, delta: Size, quote: Money) -> Option<(PairLeg, PairLeg)> {
    let reduces = |size: Size, by: Size| size.signum() == -by.signum() && by.abs() <= size.abs() && !by.is_zero();
    if !reduces(bankrupt.size, delta) || !reduces(other.size, -delta) {
        return None;
    }
    let after = (bankrupt.after(delta, quote)?, other.after(-delta, -quote)?);
    if after.0.is_lost() || after.1.is_lost() { None } else { Some(after) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn account(equity: &str, maintenance: &str) -> AccountMargin {
        AccountMargin { equity: m(equity), maintenance: m(maintenance) }
    }

    #[test]
    fn the_limit_leaves_the_mark_with_the_shortage_and_stops() {
        let path = LimitPath { slope_ppm: 1_000_000, spread: "0.1".parse().unwrap() };
        let at = |equity: &str, size: &str| {
            let limit = path.limit(Price::whole(50_000), size.parse().unwrap(), m("500"), &account(equity, "500"));
            limit.unwrap().units() / 100_000_000
        };
        assert_eq!(
            [at("500", "0.1"), at("499", "0.1"), at("0", "0.1"), at("-9", "0.1")],
            [50_000, 49_999, 49_500, 49_500]
        );
        assert_eq!([at("600", "-0.1"), at("499", "-0.1"), at("-9", "-0.1")], [50_000, 50_001, 50_500]);
        let steep = LimitPath { slope_ppm: u32::MAX, ..path };
        let one = "0.1".parse().unwrap();
        assert_eq!(
            steep.limit(Price::whole(50_000), one, m("500"), &account("499", "500")),
            steep.farthest(Price::whole(50_000), one, m("500"))
        );
        assert_eq!(path.farthest(Price::ONE, Size::ZERO, m("1")), None);
    }

    #[test]
    fn a_part_of_the_way_is_rounded_toward_the_mark() {
        let path = LimitPath { slope_ppm: 1_000_000, spread: Rate::ONE };
        // Way 1/3, distance 1/3 of 1.
        let at = |size| path.limit(Price::whole(9), Size::whole(size), m("1"), &account("2", "3")).unwrap();
        assert_eq!((at(1), at(-1)), ("8.66666667".parse().unwrap(), "9.33333333".parse().unwrap()));
        // A way of 1/3 of 3 is 1, not a unit less.
        let three = path.limit(Price::whole(9), Size::whole(1), m("3"), &account("2", "3"));
        assert_eq!(three, Some(Price::whole(8)));
        // The largest sums, on the way that is cut: 1 − 2⁻¹¹⁶ of the way.
        let most = AccountMargin { equity: Money::UNIT, maintenance: Money::MAX };
        assert_eq!(path.limit(Price::whole(9), Size::whole(1), m("3"), &most), Some("6.00000001".parse().unwrap()));
    }

    #[test]
    fn each_part_bears_its_share_and_the_fund_the_rest() {
        let part = |before: &str, after: &str, held: &str, left: &str| PartClose {
            value_before: m(before),
            value_after: m(after),
            maintenance_before: m(held),
            maintenance_after: m(left),
        };
        let bankrupt = |equity, part| part_bankruptcy(&account(equity, "50"), &part, 6).unwrap();
        assert_eq!(bankrupt("10", part("-300", "0", "30", "0")), m("-306"));
        assert_eq!(bankrupt("-10", part("-300", "0", "30", "0")), m("-294"));
        // 1/3 of 10 of 50, down; of −10 down, too.
        assert_eq!(bankrupt("10", part("1", "0", "0.333333", "0")), m("0.933334"));
        assert_eq!(bankrupt("-10", part("1", "0", "0.333333", "0")), m("1.066667"));
        assert_eq!(part_bankruptcy(&account("1", "0"), &part("1", "0", "1", "0"), 6), None);
        let delta = |filled, most: &str| insurance_delta(m(filled), m("5100"), most.parse().unwrap(), 6);
        assert_eq!((delta("5610", "0.005"), delta("5610", "1")), (Some(m("28.05")), Some(m("510"))));
        assert_eq!((delta("5100", "0.005"), delta("5049", "0.005")), (Some(Money::ZERO), Some(m("-51"))));
        assert!(
            account("499", "500").is_liquidatable(LineRule::Below) && !account("-1", "0").is_liquidatable(LineRule::At)
        );
    }

    #[test]
    fn a_pair_whose_bankruptcy_prices_do_not_overlap_is_refused() {
        let leg = |cash, size| PairLeg { cash: m(cash), size: Size::whole(size), has_others: false };
        let pair = |other, delta| deleverage_pair(leg("50000", -1), other, Size::whole(delta), m("-50000"));
        let (first, second) = pair(leg("-45001", 1), 1).unwrap();
        assert_eq!((first.cash, second.cash, first.size, second.size), (m("0"), m("4999"), Size::ZERO, Size::ZERO));
        assert_eq!(pair(leg("-50001", 1), 1), None);
        // Kept while there are other positions, or a rest of this one.
        assert!(pair(PairLeg { has_others: true, ..leg("-50001", 1) }, 1).is_some());
        assert!(pair(leg("-50001", 2), 1).is_some());
        assert_eq!((pair(leg("0", 1), 2), pair(leg("0", -1), 1), pair(leg("0", 1), -1)), (None, None, None));
    }
}
