//! What must hold of the forms that single venues have, for every input.

use plimsoll_rules::*;
use proptest::prelude::*;
use units::{Money, Price, Rate, Round, Size};

fn price(units: i64) -> Price {
    Price::new(units).unwrap()
}
fn rate(units: i64) -> Rate {
    Rate::new(units).unwrap()
}
fn size(units: i64) -> Size {
    Size::new(units).unwrap()
}
fn money(units: i128) -> Money {
    Money::new(units).unwrap()
}

/// One, in units of money.
const ONE: i128 = 10_000_000_000_000_000;

fn signed(range: std::ops::Range<i64>) -> impl Strategy<Value = i64> {
    (range, any::<bool>()).prop_map(|(units, flip)| if flip { -units } else { units })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_straight_line_ends_where_the_search_says(
        units in signed(1_000..1_000_000_000_000), mark in 1_000_000i64..10_000_000_000_000,
        share in 1i64..500_000_000, spare in 0i64..900_000_000,
    ) {
        let (size, mark, share) = (size(units), price(mark), rate(share));
        let tiers = Ladder::Tiers(TierTable::derive(&[(money(1 << 106), Rate::ONE, share)]).unwrap());
        let cost = mark * size;
        let line = Line {
            contract: Contract::Linear, size, cost, opposite: (Size::ZERO, Money::ZERO), ladder: &tiers, closing_fee: Rate::ZERO,
            mark, wallet: cost.abs().mul_rate(share + rate(spare), Round::Up), index_price: Price::ONE,
            haircuts: Haircuts::flat(Rate::ONE), other: Money::ZERO, rule: LineRule::Below,
        };
        let headroom = line.headroom(mark).unwrap();
        let slope = i128::from(size.abs().units()) * i128::from(share.units());
        let ends = line_price(mark, headroom, size, slope, Round::Down).unwrap();
        let found = liquidation_prices(&line);
        match if size.is_positive() { found.below } else { found.above } {
            LiquidationPrice::At(first) => prop_assert!((first.units() - ends.units()).abs() <= 1, "{first} {ends}"),
            other => prop_assert!(ends.units() <= 1 && size.is_positive(), "{other:?} {ends}"),
        }
    }

    #[test]
    fn decimals_are_reached_by_less_than_one_of_them(units in -(1i128 << 110)..(1i128 << 110), decimals in 0u32..=16) {
        let (exact, step) = (money(units), 10i128.pow(16 - decimals));
        let at = |round| to_decimals(exact, decimals, round).unwrap().units();
        prop_assert!((0..step).contains(&(at(Round::Up) - units)) && (0..step).contains(&(units - at(Round::Down))));
        prop_assert_eq!(at(Round::Up) % step, 0);
    }

    #[test]
    fn a_limit_stays_between_the_mark_and_its_end(
        units in signed(1..1_000_000_000_000), mark in 1i64..10_000_000_000_000, spread in 0i64..2_000_000_000,
        equity in -2_000i128..2_000, less in 0i128..500, slope_ppm in any::<u32>(),
    ) {
        let (size, mark, path) = (size(units), price(mark), LimitPath { slope_ppm, spread: rate(spread) });
        let maintenance = (mark * size).abs().mul_rate(rate(100_000_000), Round::Up);
        let at = |equity: i128| {
            let account = AccountMargin { equity: money(equity * ONE), maintenance: money(1_000 * ONE) };
            path.limit(mark, size, maintenance, &account).unwrap().units()
        };
        let (here, poorer, end) = (at(equity), at(equity - less), path.farthest(mark, size, maintenance).unwrap().units());
        let away = |limit: i64| (mark.units() - limit) * size.signum();
        prop_assert!(0 <= away(here) && away(here) <= away(poorer) && away(poorer) <= away(end));
        prop_assert!(equity < 1_000 || away(here) == 0);
    }

    #[test]
    fn what_is_left_is_shared_among_fund_and_account(
        filled in -1_000_000i128..1_000_000, bankrupt in -1_000_000i128..1_000_000, most in 0i64..1_000_000_000,
    ) {
        let left = money((filled - bankrupt) * ONE);
        let gained = insurance_delta(money(filled * ONE), money(bankrupt * ONE), rate(most), 6).unwrap();
        // The account never ends below what bankruptcy leaves it, and the fund pays no more than that takes.
        prop_assert!(gained <= left);
        prop_assert_eq!(gained.is_negative(), left.is_negative());
        prop_assert!(!left.is_negative() || gained == left);
    }

    #[test]
    fn a_pair_keeps_its_cash_and_its_size(
        held in signed(1..1_000), other in signed(1..1_000), delta in signed(1..1_500), cash in -1_000i128..1_000,
        theirs in -1_000i128..1_000, quote in -1_000i128..1_000, others in any::<bool>(),
    ) {
        let leg = |cash: i128, units| PairLeg { cash: money(cash), size: size(units), has_others: others };
        let (first, second) = (leg(cash, held), leg(theirs, other));
        let Some((after, over)) = deleverage_pair(first, second, size(delta), money(quote)) else { return Ok(()) };
        prop_assert_eq!(after.cash + over.cash, first.cash + second.cash);
        prop_assert_eq!(after.size + over.size, first.size + second.size);
        prop_assert!(after.size.abs() < first.size.abs() && over.size.abs() < second.size.abs());
        prop_assert!(others || [after, over].iter().all(|leg| !leg.size.is_zero() || !leg.cash.is_negative()));
    }

    #[test]
    fn an_index_in_parts_lags_by_less_than_their_number(
        mark in 1i64..10_000_000_000_000, of in signed(0..3_000_000_000), seconds in 0u32..28_800, grain in 1i128..1_000_000_000,
    ) {
        let over = |elapsed| funding_index_over(price(mark), rate(of), elapsed, 28_800, grain).unwrap();
        let lag = over(28_800) - over(seconds) - over(28_800 - seconds);
        prop_assert!(lag.abs() < 2 * grain && lag * i128::from(of.signum()) >= 0);
    }

    #[test]
    fn an_average_stands_among_its_prices(prices in proptest::collection::vec(1i64..1_000_000_000, 1..8), gap in (0i64..90, 0i64..9)) {
        let points: Vec<(i64, Price)> = (0..).map(|at| at * 10).zip(prices.iter().map(|&units| price(units))).collect();
        let gaps = [(gap.0, gap.0 + gap.1)];
        let average = average_by_time(&points, &gaps, (0, 100), price(1)).unwrap().units();
        prop_assert!(prices.iter().min().unwrap() <= &average && &average <= prices.iter().max().unwrap());
    }

    #[test]
    fn an_exchange_never_repays_less_than_it_is_worth(
        units in 1i128..1_000_000_000, asset in 1i64..1_000_000_000_000, debt in 1i64..1_000_000_000_000, bonus in 0i64..200_000_000,
    ) {
        let terms = ExchangeTerms {
            asset_multiplier: Rate::ONE + rate(bonus), debt_multiplier: Rate::ONE, ..ExchangeTerms::default()
        };
        let given = money(units * ONE / 1_000);
        let repaid = terms.debt_for_asset(given, price(asset), price(debt), 9).unwrap();
        let back = terms.asset_for_debt(repaid, (price(debt), price(asset)), Money::ZERO, Money::ZERO, 16).unwrap();
        prop_assert!(back >= given - Money::UNIT, "{back} {given}");
    }

    #[test]
    fn isolated_margin_releases_no_more_than_it_is_worth(
        held in signed(2..1_000_000_000), closed in 1i64..1_000_000_000, at in 1i64..1_000_000_000_000, mark in 1i64..1_000_000_000_000,
        balance in 0i128..1_000_000,
    ) {
        let before = size(held);
        let closed = closed.min(held.abs());
        let after = size(held - closed * held.signum());
        let (balance, mark, at) = (money(balance * ONE), price(mark), price(at));
        let position = IsolatedPosition { size: before, balance, mark };
        let moved = position.transfer(after, &[(size(closed), at)], Rate::ONE, (price(1), 16)).unwrap();
        let IsolatedTransfer::Release(released) = moved else { panic!("{moved:?}") };
        let worth = (balance + (at - mark) * before).max(Money::ZERO);
        prop_assert!(!released.is_negative() && released <= worth);
        prop_assert!(!after.is_zero() || released == worth);
    }
}
