//! The prices at which an account falls below its line, and the price at which it has nothing left.
//!
//! Solved on the whole subaccount with one price moving and all others fixed. It knows nothing of orders, triggers or
//! ticks: the caller rounds to its trigger grid, to the early side.
//!
//! Why halving is enough. A linear position is worth a multiple of the price, an inverse one a multiple of 1 ÷ price;
//! call that u. In u equity is concave: a straight line whose slope falls where a debt becomes collateral and where
//! the next slice of its haircut begins, since shares are at most one and do not rise (two legs of one market add up to one line). Maintenance is convex in u: a ladder joins its tiers without a jump and its rates do not fall; between two
//! jumps of a ladder of steps it is a straight line, and the prices at its jumps are asked one after the other.
//! So headroom is concave in u, the prices at which an account is not below its line are one interval, and each side of
//! the mark has at most one crossing, found exactly by asking the one headroom function about 60 times.

use crate::{Contract, Haircuts, Ladder, collateral_value, maintenance_margin};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Size, limits};

/// When headroom (equity − maintenance) means a liquidation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineRule {
    /// Only when it is below zero.
    #[default]
    Below,
    /// When it is zero, too.
    At,
}

impl LineRule {
    /// True when an account with this headroom is to be liquidated.
    #[must_use]
    pub fn is_below(self, headroom: Money) -> bool {
        match self {
            Self::Below => headroom.is_negative(),
            Self::At => !headroom.is_positive(),
        }
    }
}

/// A subaccount as seen from one of its markets: what moves with the market's mark, and all that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The kind of contract.
    pub contract: Contract,
    /// The position; zero makes the line independent of the mark.
    pub size: Size,
    /// Its exact signed cost, in the settlement asset.
    pub cost: Money,
    /// Size and cost of the other leg that the subaccount holds in this market in hedge mode; zeros where there is none.
    pub opposite: (Size, Money),
    /// The market's ladder.
    pub ladder: &'a Ladder,
    /// Part of maintenance per notional for closing; zero where the rulebook leaves fees out.
    pub closing_fee: Rate,
    /// The mark from which the first crossing is sought.
    pub mark: Price,
    /// All else that settles in the settlement asset: wallet, upnl of other markets, unsettled funding.
    pub wallet: Money,
    /// Price of the settlement asset in the numeraire.
    pub index_price: Price,
    /// What a positive amount of the settlement asset counts; shares at most one that do not rise.
    pub haircuts: Haircuts<'a>,
    /// Value of the other collateral assets minus the maintenance of all other markets, in the numeraire.
    pub other: Money,
    /// When the account is below its line.
    pub rule: LineRule,
}

/// Where the line is crossed on one side of the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiquidationPrice {
    /// Nowhere between the mark and the end of the domain.
    None,
    /// The account is below its line at the mark.
    AlreadyBelow,
    /// The first price at which it is.
    At(Price),
}

/// Where the line is crossed on both sides of the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiquidationPrices {
    /// When the mark falls.
    pub below: LiquidationPrice,
    /// When the mark rises.
    pub above: LiquidationPrice,
}

impl Line<'_> {
    /// Equity − maintenance of the subaccount with this market marked at `price`, in the numeraire.
    ///
    /// collateral(wallet + upnl) + other − maintenance × index, each rounded against the account. `None` when the price
    /// is not positive, the notional is above [`limits::NOTIONAL_MAX`], or a value does not fit.
    ///
    /// +0.1 linear bought for 6,000, 600 beside it, 1 %: at 55,000 it has 600 − 500 − 55 = 45. Source: venues.md section 1.
    #[must_use]
    pub fn headroom(&self, price: Price) -> Option<Money> {
        let (mut amount, mut margin) = (self.wallet, Money::ZERO);
        for (size, cost) in [(self.size, self.cost), self.opposite] {
            let notional = self.contract.notional(price, size).filter(|_| price.is_positive())?;
            if notional.units() > limits::NOTIONAL_MAX {
                return None;
            }
            if size.is_zero() {
                continue;
            }
            amount = amount.checked_add(self.contract.upnl(price, size, cost)?)?;
            let terms = maintenance_margin(self.contract, price, size, self.ladder, self.closing_fee)?;
            margin = margin.checked_add(terms.required.at_index(self.index_price, Rate::ONE, Round::Up)?)?;
        }
        let equity = collateral_value(amount, self.index_price, &self.haircuts)?.value.checked_add(self.other)?;
        equity.checked_add(-margin)
    }

    fn is_flat(&self) -> bool {
        self.size.is_zero() && self.opposite.0.is_zero()
    }

    /// More than rounding can take from headroom at any price, in the numeraire: a few units of 1e-16.
    ///
    /// Where equity and maintenance move together, an inverse short or a position of a few units, headroom may waver by
    /// less than this near the line, so that a first price below can lie nearer to the mark than the reported one. With
    /// `other` lowered by this amount, no price between the mark and the reported one is below the true line: the early
    /// side, for triggers. It adds up the roundings of upnl, charge, fee and deductions in the settlement asset and of
    /// two conversions. What a rate that rises with the notional is rounded by is a part of that notional and not in it.
    ///
    /// One tier and an index of 1: 4 + 2 = 6 units.
    #[must_use]
    pub fn rounding(&self) -> Money {
        let legs = if self.opposite.0.is_zero() { 1 } else { 2 };
        let settled = legs * (self.ladder.roundings() + 3);
        let (index, one) = (i128::from(self.index_price.units()), i128::from(Price::ONE.units()));
        let each = units::div_round(index, one, Round::Up).unwrap_or(0);
        // Each leg rounds its conversion, and so does each slice of the collateral.
        let slices = self.haircuts.tiers.iter().filter(|t| t.above.is_positive()).count();
        Money::from_units(settled * each + legs + 1 + i128::try_from(slices).unwrap_or(0))
    }

    /// Prices on the way from the mark to `end` at which the ladder jumps, each with its neighbours, nearest first.
    fn jumps(&self, end: i64) -> Vec<i64> {
        let mark = self.mark.units();
        let (low, high) = (mark.min(end), mark.max(end));
        let legs = [self.size, self.opposite.0].into_iter().filter(|size| !size.is_zero());
        let all = legs.flat_map(|size| self.ladder.jump_prices(self.contract, size));
        let mut stops: Vec<i64> = all.filter(|units| *units > low && *units < high).collect();
        stops.sort_unstable_by_key(|units| units.abs_diff(mark));
        stops
    }

    /// Below its line at `price`; not where nothing is known.
    fn is_below(&self, price: Price) -> bool {
        self.headroom(price).is_some_and(|headroom| self.rule.is_below(headroom))
    }
}

/// The first prices below and above the mark at which the subaccount is below its line, all other prices fixed.
///
/// Unit: 1e-8 of the quote. At the reported price the account is below its line by [`Line::headroom`], one unit nearer
/// to the mark it is not; for the early side see [`Line::rounding`]. The domain goes from one unit to a million times
/// the mark, as far as the notional is at most [`limits::NOTIONAL_MAX`]. An account whose figures are out of bounds at
/// the mark is reported as already below, so that its caller looks.
///
/// Both sides can be crossed: where maintenance grows faster than collateral counts (a rate above the haircut), a long
/// is also liquidated by a rise, an inverse short also by a fall.
///
/// In hedge mode both legs move with the mark, so that both have the same prices.
///
/// +0.1 linear bought for 6,000, 600 beside it, 1 %: 5,400 ÷ 0.099 = 54,545.4545…, so below is 54,545.45454545, above none.
/// Source: venues.md sections 1, 3, 4 and 7; section 17, item 14, for tiers and both sides.
#[must_use]
pub fn liquidation_prices(line: &Line<'_>) -> LiquidationPrices {
    let both = |side| LiquidationPrices { below: side, above: side };
    match line.headroom(line.mark) {
        None => return both(LiquidationPrice::AlreadyBelow),
        Some(headroom) if line.rule.is_below(headroom) => return both(LiquidationPrice::AlreadyBelow),
        Some(_) if line.is_flat() => return both(LiquidationPrice::None),
        Some(_) => {}
    }
    let highest = line.mark.units().saturating_mul(PRICE_RANGE);
    LiquidationPrices { below: crossing(line, 1), above: crossing(line, highest) }
}

/// How far above the mark a crossing is sought, as a multiple of it.
pub(crate) const PRICE_RANGE: i64 = 1_000_000;

/// The first price from the mark towards `end` (in units) at which the account is below its line.
fn crossing(line: &Line<'_>, end: i64) -> LiquidationPrice {
    let is_known = |units| Price::new(units).is_some_and(|price| line.headroom(price).is_some());
    let is_good = |units| !Price::new(units).is_some_and(|price| line.is_below(price));
    let mark = line.mark.units();
    let end = if is_known(end) { end } else { halve(mark, end, is_known).0 };
    let mut from = mark;
    for stop in line.jumps(end).into_iter().chain([end]) {
        if !is_good(stop) {
            return Price::new(halve(from, stop, is_good).1).map_or(LiquidationPrice::None, LiquidationPrice::At);
        }
        from = stop;
    }
    LiquidationPrice::None
}

/// Two neighbours between `good`, where `is_good` holds, and `bad`, where it does not: it holds at the first and not at
/// the second. At most 63 halvings, the distance being below 2⁶³.
pub(crate) fn halve(mut good: i64, mut bad: i64, is_good: impl Fn(i64) -> bool) -> (i64, i64) {
    while good.abs_diff(bad) > 1 {
        let middle = good.midpoint(bad);
        if is_good(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    (good, bad)
}

/// The price at which an account has nothing left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bankruptcy {
    /// There is no such positive price.
    None,
    /// The last price at which equity is not below zero.
    At(Price),
}

/// The price at which wallet + value − cost = 0. Unit: 1e-8 of the quote; rounded so that equity there is not below
/// zero, up for a long and down for a short, which leaves less than one unit of price × size over.
///
/// `wallet` is the equity, without haircuts, of everything but this position's upnl, in the settlement asset. `None`
/// when there is no such positive price: no position, a linear long that owes nothing, an inverse short whose coins
/// cover it whatever the price, or a short with so much behind it that the price does not fit.
///
/// +0.1 bought for 6,000 with 600 beside it: (6,000 − 600) ÷ 0.1 = 54,000. Source: venues.md sections 3 and 6.
#[must_use]
pub fn bankruptcy_price(contract: Contract, size: Size, cost: Money, wallet: Money) -> Bankruptcy {
    let round = if size.is_positive() { Round::Up } else { Round::Down };
    contract.price_of(cost - wallet, size, round).map_or(Bankruptcy::None, Bankruptcy::At)
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
    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn flat(rate: &str) -> Ladder {
        Ladder::Tiers(crate::TierTable::derive(&[(m("1000000000"), Rate::ONE, r(rate))]).unwrap())
    }
    fn at(text: &str) -> LiquidationPrice {
        LiquidationPrice::At(p(text))
    }

    /// A position opened at the mark with nothing else in the account.
    fn line<'a>(contract: Contract, size: &str, mark: &str, wallet: &str, ladder: &'a Ladder) -> Line<'a> {
        let (size, mark) = (size.parse().unwrap(), p(mark));
        let cost = contract.value(mark, size, Round::Down).unwrap();
        Line {
            contract,
            size,
            cost,
            opposite: (Size::ZERO, Money::ZERO),
            ladder,
            closing_fee: Rate::ZERO,
            mark,
            wallet: m(wallet),
            index_price: Price::ONE,
            haircuts: Haircuts::flat(Rate::ONE),
            other: Money::ZERO,
            rule: LineRule::Below,
        }
    }

    #[test]
    fn a_long_falls_below_its_line_and_a_short_rises_below_it() {
        let tiers = flat("0.01");
        let long = line(Contract::Linear, "0.1", "60000", "600", &tiers);
        assert_eq!(long.headroom(p("55000")), Some(m("45")));
        let want = LiquidationPrices { below: at("54545.45454545"), above: LiquidationPrice::None };
        assert_eq!(liquidation_prices(&long), want);
        let short = line(Contract::Linear, "-0.1", "60000", "600", &tiers);
        // 6,600 ÷ 0.101 = 65,346.5346 5346…
        let want = LiquidationPrices { below: LiquidationPrice::None, above: at("65346.53465347") };
        assert_eq!(liquidation_prices(&short), want);
    }

    #[test]
    fn the_rule_of_the_line_decides_at_zero() {
        let tiers = flat("0.1");
        // 5,400 ÷ 0.09 = 60,000: nothing is left over at the mark.
        let mut line = line(Contract::Linear, "0.1", "60000", "600", &tiers);
        assert_eq!(line.headroom(line.mark), Some(Money::ZERO));
        assert_eq!(liquidation_prices(&line).below, at("59999.99999999"));
        line.rule = LineRule::At;
        assert_eq!(liquidation_prices(&line).below, LiquidationPrice::AlreadyBelow);
        line.wallet += Money::UNIT;
        assert_eq!(liquidation_prices(&line).below, at("59999.99999999"));
    }

    #[test]
    fn a_rate_above_the_haircut_crosses_on_both_sides() {
        let tiers = flat("0.6");
        // A gain counts half: 0.5 (p − 5,000) + 4,000 = 0.6 p at 15,000. A debt counts whole: (p − 5,000) + 4,000 = 0.6 p
        // at 2,500.
        let mut long = line(Contract::Linear, "1", "10000", "5000", &tiers);
        (long.haircuts, long.other) = (Haircuts::flat(r("0.5")), m("4000"));
        let want = LiquidationPrices { below: at("2499.99999999"), above: at("15000.00000001") };
        assert_eq!(liquidation_prices(&long), want);
    }

    #[test]
    fn an_inverse_short_can_be_crossed_by_a_fall_too() {
        let tiers = flat("0.9");
        let contract = Contract::Inverse { face: 1 };
        let mut short = line(contract, "-10000", "10000", "2", &tiers);
        // In coins, u = 10,000 ÷ p: 0.5 (2 + u − 1) + 0.6 = 0.9 u at u = 2.75, a fall to 3,636.36…; a rise only helps.
        (short.haircuts, short.other) = (Haircuts::flat(r("0.5")), m("0.6"));
        let want = LiquidationPrices { below: at("3636.36363636"), above: LiquidationPrice::None };
        assert_eq!(liquidation_prices(&short), want);
        // With a debt of 3 coins and 2.95 elsewhere: whole, u − 3 + 2.95 = 0.9 u at u = 0.5; half, once u is above 3,
        // 0.5 (u − 3) + 2.95 = 0.9 u at u = 3.625.
        (short.wallet, short.other) = (m("-2"), m("2.95"));
        assert_eq!(short.headroom(short.mark), Some(m("0.05")));
        let both = liquidation_prices(&short);
        assert_eq!((both.below, both.above), (at("2758.62068965"), at("20000.00000001")));
    }

    #[test]
    fn a_jump_on_the_way_is_not_passed_over() {
        let (initial, maintenance, rise) = (r("0.1"), r("0.05"), r("0.05"));
        let steps = crate::StepLadder { initial, maintenance, base: m("1000"), step: m("1000"), rise };
        let ladder = Ladder::Steps(steps);
        // A short of 10 at 95 with 110 has 60 at 100, where 50 is needed, and just above it twice that.
        let short = line(Contract::Linear, "-10", "95", "110", &ladder);
        let want = LiquidationPrices { below: LiquidationPrice::None, above: at("100.00000001") };
        assert_eq!(liquidation_prices(&short), want);
        // A long of 10 at 99 with 60 has 70 just above 100, where 100 is needed, and enough again at 104.
        let mut long = line(Contract::Linear, "10", "99", "60", &ladder);
        assert_eq!(liquidation_prices(&long).above, at("100.00000001"));
        assert!(!long.rule.is_below(long.headroom(p("104")).unwrap()));
        // With 95 it passes that step, and each of the next but the nineteenth: 18,105 where the whole 19,000 is needed.
        long.wallet = m("95");
        assert_eq!(liquidation_prices(&long).above, at("1900.00000001"));
    }

    #[test]
    fn no_position_and_no_risk_have_no_price() {
        let tiers = flat("0.01");
        let none = LiquidationPrices { below: LiquidationPrice::None, above: LiquidationPrice::None };
        assert_eq!(liquidation_prices(&line(Contract::Linear, "0", "60000", "600", &tiers)), none);
        assert_eq!(liquidation_prices(&line(Contract::Linear, "0.1", "60000", "6000", &tiers)), none);
        let mut empty = line(Contract::Linear, "0", "60000", "-1", &tiers);
        assert_eq!(liquidation_prices(&empty).above, LiquidationPrice::AlreadyBelow);
        (empty.wallet, empty.mark) = (Money::ZERO, Price::ZERO);
        assert_eq!(liquidation_prices(&empty).below, LiquidationPrice::AlreadyBelow);
    }

    #[test]
    fn a_conversion_rounds_against_the_account() {
        let tiers = flat("0.01");
        // Three units of notional need one; at an index of a half that is half a unit, so one.
        let mut line = line(Contract::Linear, "0.00000001", "0.00000003", "0", &tiers);
        line.index_price = p("0.5");
        assert_eq!(line.headroom(line.mark), Some(-Money::UNIT));
    }

    #[test]
    fn a_crossing_is_found_where_the_domain_ends_early() {
        let tiers = flat("0.01");
        // 6e11 of notional may not grow a million times, nor 1e9 coins at 1 be worth 1e17.
        let short = line(Contract::Linear, "-10000000", "60000", "60000000000", &tiers);
        assert_eq!(short.headroom(p("60000000000")), None);
        assert_eq!(liquidation_prices(&short).above, at("65346.53465347"));
        let long = line(Contract::Inverse { face: 1 }, "1000000000", "1", "1000000000", &tiers);
        assert_eq!(long.headroom(p("0.00000001")), None);
        // 2 − u = 0.01 u at 1 ÷ u = 0.505, where both sides are endless fractions and round against the account.
        assert_eq!(liquidation_prices(&long).below, at("0.505"));
    }

    #[test]
    fn figures_at_their_bounds_give_an_answer() {
        let tiers = flat("0.01");
        let big = Size::new(i64::MAX).unwrap();
        for contract in [Contract::Linear, Contract::Inverse { face: u32::MAX }] {
            for size in [big, -big] {
                let mut line = line(contract, "1", "1", "0", &tiers);
                (line.size, line.wallet, line.other) = (size, Money::MAX, -Money::MAX);
                let _ = liquidation_prices(&line);
                (line.mark, line.index_price) = (Price::new(i64::MAX).unwrap(), Price::new(i64::MAX).unwrap());
                let _ = liquidation_prices(&line);
                let _ = bankruptcy_price(contract, size, Money::MAX, -Money::MAX);
            }
        }
    }

    #[test]
    fn bankruptcy_leaves_nothing_and_owes_nothing() {
        let size = "0.1".parse().unwrap();
        let long = bankruptcy_price(Contract::Linear, size, m("6000"), m("600"));
        assert_eq!(long, Bankruptcy::At(p("54000")));
        assert_eq!(bankruptcy_price(Contract::Linear, -size, m("-6000"), m("600")), Bankruptcy::At(p("66000")));
        // A third: up for a long, down for a short.
        let three = Size::whole(3);
        assert_eq!(bankruptcy_price(Contract::Linear, three, m("10"), m("0")), Bankruptcy::At(p("3.33333334")));
        assert_eq!(bankruptcy_price(Contract::Linear, -three, m("-10"), m("0")), Bankruptcy::At(p("3.33333333")));
        // 10,000 contracts at 8,000 cost −1.25; with 0.75 beside them nothing is left at 10,000 ÷ 2 = 5,000.
        let contract = Contract::Inverse { face: 1 };
        let coins = bankruptcy_price(contract, Size::whole(10_000), m("-1.25"), m("0.75"));
        assert_eq!(coins, Bankruptcy::At(p("5000")));
        assert_eq!(bankruptcy_price(contract, Size::whole(-10_000), m("1.25"), m("1.25")), Bankruptcy::None);
        assert_eq!(bankruptcy_price(Contract::Linear, size, m("6000"), m("6000")), Bankruptcy::None);
        assert_eq!(bankruptcy_price(Contract::Linear, Size::ZERO, m("0"), m("1")), Bankruptcy::None);
    }
}
