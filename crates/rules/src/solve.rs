//! What follows from the figures of an account: the prices at which it falls below its line, the price at which it has
//! nothing left. How far a position may grow and what may leave is in [`crate::room`].
//!
//! Every answer is found by asking the one valuation of [`crate::account`] and is exact to one unit: on the near side it
//! holds, one unit on it does not. Between two jumps of a ladder headroom is concave in the price (in 1 ÷ price for an
//! inverse contract), see [`crate::liquidation`], so that a side has at most one crossing between jumps.

use crate::account::{Account, AccountTerms, Collateral, Holding, PositionTerms, PriceForm, debt};
use crate::liquidation::{PRICE_RANGE, halve};
use crate::search::{Point, follow, neighbours};
use crate::{
    Bankruptcy, Contract, FeeBasis, Ladder, LineRule, LiquidationPrice, LiquidationPrices, MarginTerms,
    bankruptcy_price,
};
use alloc::vec::Vec;
use units::{Money, Price, PriceFactor, Rate, Round, limits, mul_div};

/// Maintenance and fee of a straight position, in 1e-9 of its notional: a tenth at least of what it gains is left.
const MARGINS_MAX: i64 = limits::RATE_ONE / 10 * 9;

/// Its least size: a tenth of what it gains by one unit of price is more than the roundings of a charge, a fee and deductions.
const SIZE_MIN: u64 = 10_000;

/// One position of an account, and all that does not move with its price.
struct Side<'a> {
    holding: &'a Holding<'a>,
    /// What moves with it: the other leg in hedge mode.
    others: Vec<&'a Holding<'a>>,
    collateral: &'a Collateral<'a>,
    /// In the settlement asset, without the upnl of the legs.
    wallet: Money,
    /// Value of the other assets − maintenance of the other positions, numeraire.
    other: Money,
    /// Headroom at the price of now.
    headroom_now: Money,
    /// What of that is in proportion to the price, where its headroom is straight; zero elsewhere.
    moving_now: Money,
    line: LineRule,
}

impl<'a> Side<'a> {
    fn legs(&self) -> impl Iterator<Item = &'a Holding<'a>> {
        core::iter::once(self.holding).chain(self.others.iter().copied())
    }

    /// Headroom, and what of it is in proportion to the price.
    fn headroom(&self, price: Price) -> Option<(Money, Money)> {
        if !self.moving_now.is_zero() {
            let valued = self.holding.valued(price).filter(|_| price.is_positive())?;
            let headroom = self.wallet + self.other + valued.upnl - self.holding.held(&valued.maintenance);
            return Some((headroom, self.holding.moving(valued.upnl, &valued.maintenance)));
        }
        let (mut amount, mut headroom) = (self.wallet, self.other);
        for leg in self.legs().filter(|leg| !leg.size.is_zero()) {
            let valued = leg.valued(price).filter(|_| price.is_positive())?;
            amount = amount.checked_add(valued.upnl)?;
            headroom = headroom.checked_add(-debt(leg.held(&valued.maintenance), self.collateral.index_price)?)?;
        }
        Some((headroom.checked_add(self.collateral.value_of(amount)?.value)?, Money::ZERO))
    }

    fn at(&self, units: i64) -> Point {
        Point::new(units, Price::new(units).and_then(|price| self.headroom(price)))
    }

    /// The price of now.
    fn now(&self) -> Point {
        Point::new(self.holding.price.units(), Some((self.headroom_now, self.moving_now)))
    }

    /// The direction of the price in which headroom falls, where it does so at every price: then the other side is not crossed.
    fn falls(&self) -> Option<i64> {
        let straight = !self.moving_now.is_zero();
        straight.then(|| -self.holding.size.signum())
    }

    /// The highest price that is looked at.
    fn highest(&self) -> i64 {
        self.holding.price.units().saturating_mul(PRICE_RANGE)
    }

    /// The last good price from the mark towards `end` and the first below the line.
    fn crossing(&self, end: i64) -> Option<(Point, Point)> {
        let mark = self.now();
        let falls = self.falls();
        if let Some(falls) = falls {
            // A straight long that is worth nothing has no maintenance to speak of, and loses no more than its cost.
            let covers_cost = falls < 0 && (self.wallet + self.other - self.holding.cost).is_positive();
            if covers_cost || (end - mark.units).signum() != falls {
                return None;
            }
            if let Some(found) = follow(mark, end, self.line, |units| self.at(units)) {
                return Some(found);
            }
        }
        let mut end = self.at(end);
        if falls.is_some() && end.is_good(self.line) {
            return None;
        }
        if end.headroom.is_none() {
            end = self.at(halve(mark.units, end.units, |units| self.at(units).headroom.is_some()).0);
        }
        let mut from = mark;
        for stop in self.jumps(end.units) {
            // A jump changes the figures between the prices on its two sides.
            let stop = self.at(stop);
            if !stop.is_good(self.line) {
                return Some(neighbours(from, stop, self.line, |units| self.at(units)));
            }
            from = stop;
        }
        if end.is_good(self.line) { None } else { Some(neighbours(from, end, self.line, |units| self.at(units))) }
    }

    /// Prices on the way to `end` at which the ladder jumps, each with its neighbour, nearest first.
    fn jumps(&self, end: i64) -> Vec<i64> {
        let mark = self.holding.price.units();
        let toward = (end - mark).signum();
        let mut stops: Vec<i64> = self
            .legs()
            .flat_map(|leg| leg.rules.ladder.jump_prices(leg.rules.contract, leg.size))
            .filter(|units| (units - mark).signum() == toward && (end - units).signum() == toward)
            .collect();
        stops.sort_unstable_by_key(|units| units.abs_diff(mark));
        stops.dedup();
        stops
    }

    /// The neighbour of a crossing that is shown: where headroom is nothing; else the lower one, or the nearer one.
    fn shown((good, bad): (Point, Point), nearest: bool) -> i64 {
        let off = |point: Point| point.off().unwrap_or(u128::MAX);
        match (off(good), off(bad)) {
            (0, _) => good.units,
            (_, 0) => bad.units,
            (off_good, off_bad) if nearest => {
                if off_good < off_bad {
                    good.units
                } else {
                    bad.units
                }
            }
            _ => good.units.min(bad.units),
        }
    }
}

/// Where a side is crossed, with the last price before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Crossing {
    /// The first price at which the account is below its line.
    pub first_below: Price,
    /// The last at which it is not; one unit nearer to the price of now.
    pub last_good: Price,
}

impl Holding<'_> {
    /// |cost| × maintenance rate − deduction, settlement asset.
    fn charge_at_entry(&self) -> Option<Money> {
        let notional = self.cost.abs();
        let ladder = self.rules.ladder.at(self.size, notional, self.rules.open_interest)?;
        Some(notional.mul_rate(ladder.maintenance, Round::Up) - ladder.deduction)
    }

    /// Whether its headroom only rises, or only falls, with its price, in straight pieces that bend down: what a contract gains is
    /// more than its maintenance, and its roundings, can.
    fn is_straight(&self) -> bool {
        let rules = self.rules;
        let Ladder::Tiers(table) = &rules.ladder else { return false };
        let margins = table.maintenance_rate_max().units().saturating_add(rules.closing_fee.units());
        rules.contract == Contract::Linear
            && rules.notional_digits.is_none()
            && rules.maintenance_digits.is_none()
            && rules.fee_basis == FeeBasis::Notional
            && !rules.closing_fee.is_negative()
            && margins <= MARGINS_MAX
            && self.size.units().unsigned_abs() >= SIZE_MIN
            && self.price.is_positive()
    }

    /// What of its headroom is in proportion to its price: value − charge − fee. A line that is a fee beside it leads nearly as well.
    pub(crate) fn moving(&self, upnl: Money, maintenance: &MarginTerms) -> Money {
        upnl + self.cost - maintenance.charge - maintenance.closing_fee
    }

    /// What the liquidation price counts of maintenance.
    fn held(&self, maintenance: &MarginTerms) -> Money {
        let fee = if self.rules.fee_in_price { Money::ZERO } else { maintenance.closing_fee };
        maintenance.required - fee
    }
}

impl<'a> Account<'a> {
    fn side(&'a self, terms: &AccountTerms, at: usize) -> Option<Side<'a>> {
        let (holding, row) = (self.positions.get(at)?, terms.positions.get(at)?);
        let collateral = self.collateral.get(holding.settlement)?;
        let term = terms.collateral.get(holding.settlement)?;
        let (mut others, mut upnl) = (Vec::new(), Money::ZERO);
        // Of all positions, and of those in the market; the rest is that of the others.
        let (mut maintenance, mut own) = (terms.maintenance, Money::ZERO);
        for (n, (other, row)) in self.positions.iter().zip(&terms.positions).enumerate() {
            let is_own = other.market == holding.market;
            if !is_own && other.rules.fee_in_price {
                continue;
            }
            let index = self.collateral.get(other.settlement)?.index_price;
            let held = debt(other.held(&row.maintenance), index)?;
            maintenance = maintenance + held - debt(row.maintenance.required, index)?;
            if is_own {
                (upnl, own) = (upnl.checked_add(row.upnl)?, own.checked_add(held)?);
                if n != at {
                    others.push(other);
                }
            }
        }
        let headroom_now = terms.equity - maintenance;
        let other = headroom_now - term.value + own;
        let is_straight = others.is_empty() && holding.is_straight() && collateral.is_straight();
        let moving_now = if is_straight { holding.moving(row.upnl, &row.maintenance) } else { Money::ZERO };
        let (wallet, line) = (term.amount - upnl, self.rules.line);
        Some(Side { holding, others, collateral, wallet, other, headroom_now, moving_now, line })
    }

    /// Σ maintenance margins at the entry prices, fees to close included, numeraire.
    fn maintenance_at_entry(&self, terms: &AccountTerms) -> Option<Money> {
        let rows = self.positions.iter().zip(&terms.positions);
        rows.into_iter().try_fold(Money::ZERO, |sum, (holding, row)| {
            let index = self.collateral.get(holding.settlement)?.index_price;
            sum.checked_add(debt(holding.charge_at_entry()? + row.maintenance.closing_fee, index)?)
        })
    }

    /// Equity − what the liquidation price counts of maintenance.
    fn distance_to_line(&self, terms: &AccountTerms) -> Option<Money> {
        let mut headroom = terms.equity;
        for (holding, row) in self.positions.iter().zip(&terms.positions) {
            let index = self.collateral.get(holding.settlement)?.index_price;
            headroom = headroom.checked_add(-debt(holding.held(&row.maintenance), index)?)?;
        }
        Some(headroom)
    }

    /// Where a position's price puts the account below its line, all other prices fixed: below the price and above it.
    ///
    /// `None` on a side that is not crossed between one unit and a million times the price. Positions of one market move together,
    /// so that both legs of hedge mode have the same prices.
    ///
    /// Long 3,683.979 ETH at 1,456.84 beside 109.488 BTC with 1,535,443.01: 1,153.26. Source: venues.md section 1.
    #[must_use]
    pub fn crossings(&self, terms: &AccountTerms, at: usize) -> Option<(Option<Crossing>, Option<Crossing>)> {
        let side = self.side(terms, at)?;
        let crossing = |end| {
            let (good, bad) = side.crossing(end)?;
            Some(Crossing { first_below: Price::new(bad.units)?, last_good: Price::new(good.units)? })
        };
        Some((crossing(1), crossing(side.highest())))
    }

    /// The liquidation price in the form of the venue, to 1e-8; which way its last digit goes is said with each form.
    ///
    /// [`PriceForm::Solved`] gives the exact crossing, toward zero or to the nearest as the account's rules say. The stated forms
    /// do the same, but for [`PriceForm::EntryMaintenance`], which is toward zero. A price that is not positive is none.
    #[must_use]
    pub fn liquidation_prices(&self, terms: &AccountTerms, at: usize) -> Option<LiquidationPrices> {
        let holding = self.positions.get(at)?;
        let none = LiquidationPrices { below: LiquidationPrice::None, above: LiquidationPrice::None };
        if holding.size.is_zero() {
            return Some(none);
        }
        let form = holding.rules.price_form;
        let row = terms.positions.get(at)?;
        if form != PriceForm::Solved {
            let price = self.stated_price(terms, row, holding, form);
            let price = price.map_or(LiquidationPrice::None, LiquidationPrice::At);
            return Some(if holding.size.is_positive() {
                LiquidationPrices { below: price, ..none }
            } else {
                LiquidationPrices { above: price, ..none }
            });
        }
        let side = self.side(terms, at)?;
        if !side.now().is_good(side.line) {
            let below = LiquidationPrice::AlreadyBelow;
            return Some(LiquidationPrices { below, above: below });
        }
        let shown = |end| {
            let crossing = side.crossing(end)?;
            Price::new(Side::shown(crossing, self.rules.nearest_price)).map(LiquidationPrice::At)
        };
        let or_none = |price: Option<LiquidationPrice>| price.unwrap_or(LiquidationPrice::None);
        Some(LiquidationPrices { below: or_none(shown(1)), above: or_none(shown(side.highest())) })
    }

    /// The forms that state a price from the figures of now.
    fn stated_price(
        &self,
        terms: &AccountTerms,
        row: &PositionTerms,
        holding: &Holding<'_>,
        form: PriceForm,
    ) -> Option<Price> {
        let index = self.collateral.get(holding.settlement)?.index_price;
        let available = match form {
            PriceForm::UndividedAtEntry => terms.equity - self.maintenance_at_entry(terms)?,
            _ => self.distance_to_line(terms)?.from_index(index, Round::Down)?,
        };
        if form == PriceForm::EntryMaintenance {
            let fee = if holding.rules.fee_in_price { row.maintenance.closing_fee } else { Money::ZERO };
            // Everything but this position's upnl, less what must be held: nothing of it is left at the price.
            let spare = available + holding.held(&row.maintenance) - row.upnl - holding.charge_at_entry()? - fee;
            return match bankruptcy_price(holding.rules.contract, holding.size, holding.cost, spare) {
                Bankruptcy::None => None,
                Bankruptcy::At(price) => Some(price),
            };
        }
        if holding.rules.contract != Contract::Linear {
            return None;
        }
        let size = i128::from(holding.size.units());
        let divisor = match form {
            PriceForm::Distance => limits::RATE_ONE - holding.size.signum() * row.maintenance.rate.units(),
            _ => limits::RATE_ONE,
        };
        // headroom ÷ size is a distance; dividing by (1 − l × side) is a multiplication by 1e9 ÷ (1e9 − l × side).
        let divisor = size.checked_mul(i128::from(divisor))?;
        let distance_in = |parts: i64| mul_div(available.units(), i128::from(parts), divisor, Round::Down);
        let distance = distance_in(limits::RATE_ONE)?;
        let units = i128::from(holding.price.units()) - distance;
        // One unit of the distance is a unit of price; what it rounded goes back toward zero.
        let exact = mul_div(distance, divisor, i128::from(limits::RATE_ONE), Round::Down) == Some(available.units());
        // What the distance lost is less than half a unit when twice the distance lost nothing.
        let is_near = self.rules.nearest_price && distance_in(2 * limits::RATE_ONE) == distance.checked_mul(2);
        let units = if exact || is_near { units } else { units - 1 };
        i64::try_from(units).ok().and_then(Price::new).filter(|price| price.is_positive())
    }

    /// The least move of all prices together, in 1e-9 of each, that puts the account below its line: when they fall, and when they
    /// rise. Indices of collateral stay. Zero where it is below as it stands; `None` where no move up to a loss of everything or
    /// ten times the price does.
    #[must_use]
    pub fn common_moves(&self, terms: &AccountTerms) -> (Option<Rate>, Option<Rate>) {
        let line = self.rules.line;
        if line.is_below(terms.headroom()) {
            return (Some(Rate::ZERO), Some(Rate::ZERO));
        }
        if terms.positions.iter().all(|row| row.notional.is_zero()) {
            return (None, None);
        }
        // In parts of the price of now, so that what moves is in proportion to it.
        let one = limits::RATE_ONE;
        let is_straight = self.positions.iter().all(|holding| {
            let collateral = self.collateral.get(holding.settlement);
            holding.size.is_zero() || holding.is_straight() && collateral.is_some_and(Collateral::is_straight)
        });
        let rows = self.positions.iter().zip(&terms.positions);
        let (mut upnl, mut value, mut moving, mut sizes) = (Money::ZERO, Money::ZERO, Money::ZERO, 0i128);
        for (held, row) in rows {
            (upnl, value) = (upnl + row.upnl, value + row.upnl + held.cost);
            moving += held.moving(row.upnl, &row.maintenance);
            sizes += i128::from(held.size.units().unsigned_abs());
        }
        let moving = if is_straight { moving } else { Money::ZERO };
        let beside = terms.equity - upnl;
        let at = |parts: i64| {
            let found = Rate::new(parts - one).and_then(|rate| {
                if is_straight {
                    let factor = PriceFactor::new(rate)?;
                    return self.straight_headroom(beside, |price| factor.of(price));
                }
                let headroom = self.headroom_at(|holding| holding.price.scale(rate, Round::Down))?;
                Some((headroom, Money::ZERO))
            });
            Point::new(parts, found)
        };
        let now = Point::new(one, Some((terms.headroom(), moving)));
        let side = |end: i64| {
            if let Some((_, bad)) = follow(now, end, line, at) {
                return Rate::new(bad.units - one);
            }
            let end = at(end);
            if end.is_good(line) { None } else { Rate::new(neighbours(now, end, line, at).1.units - one) }
        };
        // Headroom that bends down and is above zero now and with all prices at nothing is so on the way; a price that is rounded
        // takes less than a unit of each contract from it.
        let is_ruined = terms.equity - value <= Money::from_units(2 * sizes);
        let fall = if is_straight && !is_ruined { None } else { side(1) };
        (fall, side(10 * one))
    }

    /// Headroom of straight positions beside all else, and what of it is in proportion to the prices.
    fn straight_headroom(&self, beside: Money, moved: impl Fn(Price) -> Option<Price>) -> Option<(Money, Money)> {
        let (mut headroom, mut moving) = (beside, Money::ZERO);
        for holding in self.positions.iter().filter(|holding| !holding.size.is_zero()) {
            let valued = holding.valued(moved(holding.price)?)?;
            headroom += valued.upnl - valued.maintenance.required;
            moving += holding.moving(valued.upnl, &valued.maintenance);
        }
        Some((headroom, moving))
    }

    /// The price at which the account has nothing left, without haircuts, all other prices fixed.
    #[must_use]
    pub fn bankruptcy_price(&self, terms: &AccountTerms, at: usize) -> Option<Bankruptcy> {
        let (holding, row) = (self.positions.get(at)?, terms.positions.get(at)?);
        let index = self.collateral.get(holding.settlement)?.index_price;
        let mut equity = Money::ZERO;
        for (collateral, term) in self.collateral.iter().zip(&terms.collateral) {
            equity = equity.checked_add(term.amount.at_index(collateral.index_price, Rate::ONE, Round::Down)?)?;
        }
        let wallet = equity.from_index(index, Round::Down)? - row.upnl;
        Some(bankruptcy_price(holding.rules.contract, holding.size, holding.cost, wallet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountRules, MarketRules};
    use crate::{Haircuts, StepLadder, TierTable, Way};
    use alloc::vec;
    use proptest::prelude::*;
    use units::Size;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn rules(ladder: Ladder) -> MarketRules {
        MarketRules {
            contract: Contract::Linear,
            ladder,
            open_interest: Money::ZERO,
            closing_fee: Rate::ZERO,
            fee_basis: crate::FeeBasis::Notional,
            fee_in_initial: false,
            fee_in_price: true,
            initial_basis: crate::InitialBasis::Price,
            notional_digits: None,
            initial_digits: None,
            maintenance_digits: None,
            price_form: PriceForm::Solved,
        }
    }
    fn tiers(steps: &[(&str, &str, &str)]) -> Ladder {
        let steps: Vec<_> = steps.iter().map(|(cap, i, mm)| (m(cap), r(i), r(mm))).collect();
        Ladder::Tiers(TierTable::derive(&steps).unwrap())
    }
    fn holding<'a>(rules: &'a MarketRules, size: &str, entry: &str, price: &str) -> Holding<'a> {
        let size: Size = size.parse().unwrap();
        let cost = rules.contract.value(p(entry), size, Round::TowardZero).unwrap();
        Holding { rules, size, cost, price: p(price), leverage: Rate::ZERO, settlement: 0, market: 0 }
    }
    impl Holding<'_> {
        fn of(self, market: usize) -> Self {
            Self { market, ..self }
        }
    }
    #[test]
    fn the_last_digit_is_cut_or_the_nearest() {
        let flat = rules(tiers(&[("1000000", "0.5", "0.2")]));
        let price = |held: Holding<'_>, cash_of: &str, rules: AccountRules| {
            let (collateral, positions) = (cash(cash_of), [held]);
            let account = Account { rules, collateral: &collateral, positions: &positions };
            let prices = account.liquidation_prices(&account.terms().unwrap(), 0).unwrap();
            if held.size.is_positive() { prices.below } else { prices.above }
        };
        let (cut, nearest) = (AccountRules::default(), AccountRules { nearest_price: true, ..AccountRules::default() });
        // (100 + 19) ÷ 1.2 is 99.166… and (100 − 19) ÷ 0.8 is 101.25; (100 + 20) ÷ 1.2 is 100.
        let (short, long) = (holding(&flat, "-1", "100", "90"), holding(&flat, "1", "100", "110"));
        assert_eq!(price(short, "19", cut), at("99.16666666"));
        assert_eq!(price(short, "19", nearest), at("99.16666667"));
        assert_eq!(price(long, "19", nearest), at("101.25"));
        // Where equal is below the line, the price that is exact is the first one below.
        for rules in [cut, nearest] {
            assert_eq!(price(short, "20", AccountRules { line: LineRule::At, ..rules }), at("100"));
            assert_eq!(price(short, "20", rules), at("100"));
        }
        // Stated: 90 + (29 − 18) ÷ 1.2 is 99.1666…; for 7 contracts 90 + (89 − 126) ÷ 7 is 84.714285 71…
        let distance = MarketRules { price_form: PriceForm::Distance, ..flat };
        assert_eq!(price(holding(&distance, "-1", "100", "90"), "19", cut), at("99.16666666"));
        assert_eq!(price(holding(&distance, "-1", "100", "90"), "19", nearest), at("99.16666667"));
        let undivided = MarketRules { price_form: PriceForm::Undivided, ..distance };
        for rules in [cut, nearest] {
            assert_eq!(price(holding(&undivided, "-7", "100", "90"), "19", rules), at("84.71428571"));
        }
    }

    fn cash(amount: &str) -> [Collateral<'static>; 1] {
        [Collateral { amount: m(amount), index_price: Price::ONE, haircuts: Haircuts::flat(Rate::ONE) }]
    }
    fn at(text: &str) -> LiquidationPrice {
        LiquidationPrice::At(p(text))
    }

    #[test]
    fn a_published_account_of_two_positions() {
        let eth = rules(crate_ladder("0.10", "135365"));
        let btc = rules(crate_ladder("0.025", "16300"));
        let positions =
            [holding(&eth, "3683.979", "1456.84", "1335.18"), holding(&btc, "109.488", "32481.98", "31967.27").of(1)];
        let collateral = cash("1535443.01");
        let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
        let terms = account.terms().unwrap();
        let price = account.liquidation_prices(&terms, 0).unwrap();
        assert_eq!((price.below, price.above), (at("1153.25646423"), LiquidationPrice::None));
        let (below, _) = account.crossings(&terms, 0).unwrap();
        let below = below.unwrap();
        assert_eq!(below.last_good.units() - below.first_below.units(), 1);
        let btc = account.liquidation_prices(&terms, 1).unwrap();
        assert_eq!(btc.below, at("26316.89326451"));
    }

    /// A ladder whose second tier has this rate and deduction.
    fn crate_ladder(rate: &str, deduction: &str) -> Ladder {
        let (rate, deduction) = (r(rate), m(deduction));
        let half = Rate::new(rate.units() / 2).unwrap();
        let floor = deduction.share(1_000_000_000, i128::from((rate - half).units()), Round::Down);
        let steps = [(floor, Rate::ONE, half), (m("1000000000000"), Rate::ONE, rate)];
        Ladder::Tiers(TierTable::derive(&steps).unwrap())
    }

    #[test]
    fn a_step_ladder_is_crossed_at_its_jump() {
        let (base, step, rise) = (m("100"), m("100"), r("0.2"));
        let steps = rules(Ladder::Steps(StepLadder { initial: r("0.1"), maintenance: r("0.1"), base, step, rise }));
        // A short of 1 at 50 with 60 beside it: up to 100 it owes 10, above that 30. At 100 equity is 10, so it is not below.
        let positions = [holding(&steps, "-1", "50", "50")];
        let collateral = cash("60");
        let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
        let terms = account.terms().unwrap();
        assert_eq!(account.liquidation_prices(&terms, 0).unwrap().above, at("100"));
        // A long of 1 at 150 with 79.99 beside it owes 30 % above 100: (p − 70.01) = 0.3 p at 100.0142857…; from 100 on it owes
        // 10 % and is not below its line again until 77.78.
        let positions = [holding(&steps, "1", "150", "150")];
        let collateral = cash("79.99");
        let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
        let terms = account.terms().unwrap();
        assert_eq!(account.liquidation_prices(&terms, 0).unwrap().below, at("100.01428571"));
    }

    #[test]
    fn a_position_grows_until_initial_margin_is_used() {
        let market = rules(tiers(&[("1000", "0.1", "0.05"), ("2000", "0.5", "0.25")]));
        let positions = [holding(&market, "-2", "100", "100")];
        let collateral = cash("100");
        let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
        let terms = account.terms().unwrap();
        let lot = "0.001".parse().unwrap();
        // 100 ÷ 0.1 is a notional of 1,000: 10 contracts.
        assert_eq!(account.largest_size(&terms, 0, Way::Sell, lot).map(|terms| terms.size), Some(Size::whole(8)));
        assert_eq!(account.largest_size(&terms, 0, Way::Buy, lot).map(|terms| terms.size), Some(Size::whole(12)));
        assert_eq!(account.withdrawable(&terms, 0).map(|terms| terms.amount), Some(m("80")));
        let outflow = AccountRules { outflow_share: r("0.2"), ..AccountRules::default() };
        let account = Account { rules: outflow, ..account };
        assert_eq!(account.withdrawable(&terms, 0).map(|terms| terms.amount), Some(m("60")));
    }

    #[test]
    fn a_cross_price_of_the_entry_maintenance() {
        // A position recorded in 2025 with 176.89650029; the index is known to eight digits, which move the price by 1e-8.
        let ladder = tiers(&[("100000", "0.01", "0.005")]);
        let fees = MarketRules {
            closing_fee: r("0.000649"),
            fee_basis: crate::FeeBasis::Bankruptcy,
            fee_in_price: false,
            price_form: PriceForm::UndividedAtEntry,
            ..rules(ladder)
        };
        let positions = [Holding { leverage: r("0.1"), ..holding(&fees, "0.2", "233.02", "233.029") }];
        let haircuts = Haircuts::flat(Rate::ONE);
        let collateral = [Collateral { amount: m("11.47724524"), index_price: p("1.000686"), haircuts }];
        let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
        let terms = account.terms().unwrap();
        assert_eq!(account.maintenance_at_entry(&terms), Some(m("0.2604199219979304")));
        assert_eq!(account.liquidation_prices(&terms, 0).unwrap().below, at("176.89650028"));
    }

    #[test]
    fn both_legs_of_a_market_have_one_price() {
        let market = rules(tiers(&[("1000000", "0.1", "0.01")]));
        let positions = [holding(&market, "3", "100", "100"), holding(&market, "-1", "100", "100")];
        let collateral = cash("50");
        let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
        let terms = account.terms().unwrap();
        // 50 + 2 (p − 100) = 0.04 p at 150 ÷ 1.96.
        let prices = account.liquidation_prices(&terms, 0).unwrap();
        assert_eq!(prices, account.liquidation_prices(&terms, 1).unwrap());
        assert_eq!(prices.below, at("76.53061224"));
    }

    proptest! {
        #[test]
        fn lines_find_what_halving_does(
            sizes in [1i64..4_000, -4_000i64..-1], hedge in any::<bool>(), is_inverse in any::<bool>(), share in 3i64..=10,
            amount in 1i64..60_000, price in 2_000i64..20_000, other in -30_000i64..30_000,
        ) {
            let steps = [("20000", "0.02", "0.01"), ("100000", "0.1", "0.05"), ("900000", "0.6", "0.5")];
            let contract = if is_inverse { Contract::Inverse { face: 100 } } else { Contract::Linear };
            let market = MarketRules { contract, closing_fee: r("0.0005"), ..rules(tiers(&steps)) };
            let mark = Price::new(price * 10_000_000).unwrap();
            let held = |size: i64| {
                let size = Size::new(size * 1_000_000).unwrap();
                let cost = contract.value(Price::whole(900), size, Round::TowardZero).unwrap();
                Holding { rules: &market, size, cost, price: mark, leverage: Rate::ZERO, settlement: 0, market: 0 }
            };
            let positions = if hedge { sizes.map(held).to_vec() } else { vec![held(if amount % 2 == 0 { sizes[0] } else { sizes[1] })] };
            let haircuts = Haircuts::flat(Rate::new(share * 100_000_000).unwrap());
            let asset = |amount: i64, index_price| Collateral { amount: Money::whole(amount), index_price, haircuts };
            let collateral = [asset(amount, Price::whole(3)), asset(other, Price::ONE)];
            let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
            let terms = account.terms().unwrap();
            prop_assume!(!terms.headroom().is_negative());
            let headroom = |units| {
                let price = Price::new(units).unwrap();
                account.terms_at(|_| Some(price)).map(|terms| terms.headroom())
            };
            let is_good = |units| headroom(units).is_some_and(|headroom| !headroom.is_negative());
            let (below, above) = account.crossings(&terms, 0).unwrap();
            for (end, found) in [(1, below), (mark.units() * PRICE_RANGE, above)] {
                let end = if headroom(end).is_some() { end } else { halve(mark.units(), end, |p| headroom(p).is_some()).0 };
                let wanted = if is_good(end) { None } else { Some(halve(mark.units(), end, is_good)) };
                let found = found.map(|found| (found.last_good.units(), found.first_below.units()));
                prop_assert_eq!(found, wanted);
            }
        }
    }

    #[test]
    fn all_prices_move_together() {
        let market = rules(tiers(&[("1000000", "0.1", "0.05")]));
        let positions = [holding(&market, "1", "100", "100"), holding(&market, "-1", "50", "50").of(1)];
        let collateral = cash("20");
        let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
        let terms = account.terms().unwrap();
        // 20 + 50 k = 7.5 (1 + k) at k = −12.5 ÷ 42.5; a rise only helps.
        let (down, up) = account.common_moves(&terms);
        assert_eq!((down, up), (Some(r("-0.294117648")), None));
    }
}
