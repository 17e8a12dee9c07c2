//! Margin of options by shares, against integers in units, and what must hold for every book.

use crate::number::{m, p, r};
use plimsoll_rules::options::Right;
use plimsoll_rules::*;
use proptest::collection::vec;
use proptest::prelude::*;
use units::{Money, Price, Rate, Round, Size};

/// Dated options of Paradex, cross margin of BTC and ETH (PX-IM-02, PX-MM-01).
fn paradex() -> ShortOptionRule {
    let maintenance = OptionMaintenance::OfInitial(r("0.5"));
    ShortOptionRule { initial: r("0.15"), initial_least: r("0.1"), maintenance, put_cap: Some(r("0.5")) }
}

/// Standard margin of Derive (DV-IM-02, DV-MM-03); of Deribit with 1 instead of 1.05, per coin.
fn derive() -> ShortOptionRule {
    let maintenance = OptionMaintenance::Shares { spot: r("0.075"), put_mark: r("0.075"), put_initial: r("1.05") };
    ShortOptionRule { initial: r("0.15"), initial_least: r("0.1"), maintenance, put_cap: None }
}

fn sold(right: Right, spot: &str, strike: &str, mark_value: &str) -> ShortOption {
    let size = "2".parse().unwrap();
    ShortOption { right, spot: p(spot), strike: p(strike), size, mark_value: m(mark_value) }
}

#[test]
fn shares_are_of_spot_less_what_is_out_of_the_money() {
    let of = |rule: ShortOptionRule, option: &ShortOption| {
        let OptionCharge { initial, maintenance } = rule.charge(option);
        [initial, maintenance].map(|money| money.to_string())
    };
    let money = |text: [&str; 2]| text.map(|text| m(text).to_string());
    // 2 × 15 % of 60,000; 3 % out of the money; the floor from 5 % out on.
    assert_eq!(of(paradex(), &sold(Right::Call, "60000", "60000", "0")), money(["18000", "9000"]));
    assert_eq!(of(paradex(), &sold(Right::Call, "60000", "61800", "0")), money(["14400", "7200"]));
    assert_eq!(of(paradex(), &sold(Right::Put, "60000", "58200", "0")), money(["14400", "7200"]));
    assert_eq!(of(paradex(), &sold(Right::Call, "60000", "63000", "0")), money(["12000", "6000"]));
    assert_eq!(of(paradex(), &sold(Right::Call, "60000", "90000", "0")), money(["12000", "6000"]));
    // In the money as at it. A put never more than half its strike.
    assert_eq!(of(paradex(), &sold(Right::Call, "60000", "30000", "0")), money(["18000", "9000"]));
    assert_eq!(of(paradex(), &sold(Right::Put, "60000", "11000", "0")), money(["11000", "5500"]));
    assert_eq!(of(paradex(), &sold(Right::Call, "60000", "11000", "0")), money(["18000", "9000"]));
    // A deep put of Derive: 7.5 % of its mark is above 7.5 % of spot, and initial 5 % of both above maintenance.
    assert_eq!(of(derive(), &sold(Right::Put, "1500", "4500", "6000")), money(["772.5", "450"]));
    assert_eq!(of(derive(), &sold(Right::Call, "1500", "1500", "6000")), money(["450", "225"]));
}

#[test]
fn a_long_option_needs_its_mark_or_a_share_of_spot() {
    let of = |mark: &str| long_option_margin(p("60000"), "-2".parse().unwrap(), m(mark), r("0.2"));
    assert_eq!([of("500"), of("24000"), of("24001")], [m("500"), m("24000"), m("24000")]);
}

#[test]
fn funding_is_paid_by_time_and_turns_with_its_sign() {
    let (five, hour) = ("5".parse::<Size>().unwrap(), 3_600_000_000_000);
    let pay = |value: &str, size: Size, held, round| option_funding(p(value), size, held, 24 * hour, round);
    assert_eq!(pay("500", five, 24 * hour, Round::Up), Some(m("2500")));
    assert_eq!(pay("500", -five, 24 * hour, Round::Up), Some(m("-2500")));
    assert_eq!(pay("-500", five, 24 * hour, Round::Up), Some(m("-2500")));
    assert_eq!(pay("500", five, 0, Round::Up), Some(Money::ZERO));
    let (up, down) = (pay("500", five, hour, Round::Up).unwrap(), pay("500", five, hour, Round::Down).unwrap());
    assert_eq!(up - down, Money::UNIT);
    // Paradex: 5 contracts, time value 500, 5 days, 8 hours.
    let eight = option_funding(p("500"), five, 8 * hour, 120 * hour, Round::Down).unwrap();
    assert_eq!(eight.to_string()[..9], m("166.6666666666666666").to_string()[..9]);
    assert_eq!(option_funding(p("500"), five, hour, 0, Round::Up), None);
    assert_eq!(option_funding(p("500"), five, hour, -1, Round::Up), None);
}

#[test]
fn books_beyond_their_limit_are_refused() {
    let leg = OptionLeg { right: Right::Call, strike: Price::whole(100), size: Size::new(1).unwrap() };
    assert!(worst_payoff(&[leg; OPTION_LEGS_MAX]).is_some());
    assert_eq!(worst_payoff(&[leg; OPTION_LEGS_MAX + 1]), None);
    let large = OptionLeg { size: Size::new(-i64::MAX).unwrap(), ..leg };
    assert!(worst_payoff(&[large]).is_some());
    assert_eq!(worst_payoff(&[large; 2]), None, "calls that do not add up to a size");
    let empty = WorstPayoff { payoff: Money::ZERO, unpaired_calls: Size::ZERO };
    assert_eq!(worst_payoff(&[]), Some(empty));
}

/// ⌈a × rate⌉ with the rate in 1e-9.
fn up(amount: i128, rate: i64) -> i128 {
    let product = amount * i128::from(rate);
    product.div_euclid(1_000_000_000) + i128::from(product.rem_euclid(1_000_000_000) != 0)
}

fn legs() -> impl Strategy<Value = Vec<OptionLeg>> {
    let leg = (any::<bool>(), 1i64..10_000_000, -1_000_000_000i64..1_000_000_000).prop_map(|(call, strike, size)| {
        OptionLeg {
            right: if call { Right::Call } else { Right::Put },
            strike: Price::new(strike).unwrap(),
            size: Size::new(size).unwrap(),
        }
    });
    vec(leg, 0..8)
}

/// What a book pays at a price, in 1e-16, by integers only.
fn pays(legs: &[OptionLeg], price: i64) -> i128 {
    let one = |leg: &OptionLeg| {
        let over = price - leg.strike.units();
        let over = if leg.right == Right::Call { over.max(0) } else { (-over).max(0) };
        i128::from(over) * i128::from(leg.size.units())
    };
    legs.iter().map(one).sum()
}

proptest! {
    #[test]
    fn charges_equal_integer_arithmetic(
        call in any::<bool>(), spot in 1i64..10_000_000_000_000, strike in 1i64..10_000_000_000_000,
        size in 1i64..1_000_000_000_000, mark in 0i64..1_000_000_000_000, shares in (0i64..1_000_000_000, 0i64..1_000_000_000, 0i64..1_000_000_000, 0i64..2_000_000_000)
    ) {
        let (initial, least, third, scale) = shares;
        let rate = |units| Rate::new(units).unwrap();
        let option = ShortOption {
            right: if call { Right::Call } else { Right::Put },
            spot: Price::new(spot).unwrap(),
            strike: Price::new(strike).unwrap(),
            size: Size::new(size).unwrap(),
            mark_value: Price::new(mark).unwrap() * Size::new(size).unwrap(),
        };
        let rule = |maintenance, put_cap| ShortOptionRule { initial: rate(initial), initial_least: rate(least), maintenance, put_cap };
        let (value, mark) = (i128::from(spot) * i128::from(size), i128::from(mark) * i128::from(size));
        let outside = i128::from(if call { strike - spot } else { spot - strike }.max(0)) * i128::from(size);
        let open = (up(value, initial) - outside).max(up(value, least));

        let ours = rule(OptionMaintenance::OfInitial(rate(third)), Some(rate(scale))).charge(&option);
        let cap = if call { i128::MAX } else { up(i128::from(strike) * i128::from(size), scale) };
        let capped = open.min(cap);
        prop_assert_eq!([ours.initial.units(), ours.maintenance.units()], [capped, up(capped, third)]);

        let shares = OptionMaintenance::Shares { spot: rate(third), put_mark: rate(least), put_initial: rate(scale) };
        let ours = rule(shares, None).charge(&option);
        let keep = if call { up(value, third) } else { up(value, third).max(up(mark, least)) };
        let open = if call { open } else { open.max(up(mark + keep, scale) - mark) };
        prop_assert_eq!([ours.initial.units(), ours.maintenance.units()], [open, keep]);
    }

    /// No price up to the highest strike pays less, one pays it; above, it falls by the unpaired calls.
    #[test]
    fn worst_payoff_is_the_least_of_all(legs in legs(), anywhere in vec(0i64..10_000_000, 20), above in 0i64..1_000_000) {
        let worst = worst_payoff(&legs).unwrap();
        let highest = legs.iter().map(|leg| leg.strike.units()).max().unwrap_or(0);
        let strikes = legs.iter().map(|leg| leg.strike.units());
        for price in anywhere.into_iter().map(|price| price.min(highest)).chain(strikes.clone()).chain([0]) {
            prop_assert!(pays(&legs, price) >= worst.payoff.units());
        }
        let mut met = strikes.chain([0]).filter(|price| pays(&legs, *price) == worst.payoff.units());
        prop_assert!(met.next().is_some());
        let calls: i128 = legs.iter().filter(|leg| leg.right == Right::Call).map(|leg| i128::from(leg.size.units())).sum();
        let fall = pays(&legs, highest) - pays(&legs, highest + above);
        prop_assert_eq!(fall, -calls * i128::from(above));
        prop_assert_eq!(i128::from(worst.unpaired_calls.units()), (-calls).max(0));
        let (forward, share) = (Price::new(above + 1).unwrap(), r("1.1"));
        let needed = (-worst.payoff.units()).max(0) + up(i128::from(above + 1) * (-calls).max(0), share.units());
        prop_assert_eq!(worst.margin(forward, share).units(), needed);
    }
}
