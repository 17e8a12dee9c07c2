//! From a double onto the grid of prices: direction, exactness, refusals.

use super::{Random, perpetual};
use crate::number::{m, p, r};
use plimsoll_rules::options::{OptionError, Perpetual, Right, to_money, to_nearest_price, to_price, to_rate};
use units::{Price, Rate, Round};

const ROUNDS: [Round; 3] = [Round::Up, Round::Down, Round::TowardZero];

fn on(value: f64, tick: &str, round: Round) -> String {
    to_price(value, p(tick), round).unwrap().to_string()
}

#[test]
fn prices_come_onto_the_tick_in_the_direction_said() {
    let value = 176_186_559_462.2;
    assert_eq!(
        ROUNDS.map(|round| on(value, "0.1", round)),
        ["1761.9", "1761.8", "1761.8"].map(|text| p(text).to_string())
    );
    let below = ROUNDS.map(|round| on(-value, "0.1", round));
    assert_eq!(below, ["-1761.8", "-1761.9", "-1761.8"].map(|text| p(text).to_string()));
    // On the tick already; one part in 2⁵² above and below it.
    let tick = 10_000_000.0 * 17_618.0_f64;
    assert_eq!(
        ROUNDS.map(|round| on(tick, "0.1", round)),
        [p("1761.8").to_string(), p("1761.8").to_string(), p("1761.8").to_string()]
    );
    assert_eq!(on(tick.next_up(), "0.1", Round::Up), p("1761.9").to_string());
    assert_eq!(on(tick.next_down(), "0.1", Round::Down), p("1761.7").to_string());
    // Smaller than any unit, only its sign counts.
    assert_eq!(on(5e-324, "0.00000001", Round::Up), p("0.00000001").to_string());
    assert_eq!(on(5e-324, "0.00000001", Round::Down), p("0").to_string());
    assert_eq!(on(-1e-300, "0.5", Round::Down), p("-0.5").to_string());
    assert_eq!(on(-0.0, "0.5", Round::Down), p("0").to_string());
}

#[test]
fn the_nearest_price_takes_the_upper_of_two() {
    let nearest = |value: f64| to_nearest_price(value, p("0.00000010")).unwrap().units();
    assert_eq!([4.0, 5.0, 6.0, 14.9, 15.0, -5.0, -5.1, -4.9].map(nearest), [0, 10, 10, 10, 20, 0, -10, 0]);
    assert_eq!(nearest(5.0_f64.next_down()), 0);
}

/// Against integers: a double below 2⁵³ with a few binary places is an exact fraction.
#[test]
fn every_rounding_equals_integer_arithmetic() {
    let mut random = Random(51);
    for _ in 0..100_000 {
        let places = random.bits() % 20;
        let units = i64::try_from(random.bits() >> (12 + random.bits() % 40)).unwrap() - (1 << 51);
        let value = units as f64 / (1_u64 << places) as f64;
        let tick = i64::try_from(random.bits() >> (64 - 1 - random.bits() % 30)).unwrap() + 1;
        let step = i128::from(tick) << places;
        let floor = i128::from(units).div_euclid(step) * i128::from(tick);
        let exact = i128::from(units).rem_euclid(step) == 0;
        let ceiling = if exact { floor } else { floor + i128::from(tick) };
        let ours = |round| i128::from(to_price(value, Price::new(tick).unwrap(), round).unwrap().units());
        assert_eq!([ours(Round::Down), ours(Round::Up)], [floor, ceiling], "{value} on {tick}");
        assert_eq!(ours(Round::TowardZero), if units < 0 { ceiling } else { floor });
        let nearest = i128::from(to_nearest_price(value, Price::new(tick).unwrap()).unwrap().units());
        let rest = i128::from(units).rem_euclid(step);
        assert_eq!(nearest, if !exact && 2 * rest >= step { ceiling } else { floor });
        let money = i128::from(units) * 100_000_000;
        let money = money.div_euclid(1 << places) + i128::from(money.rem_euclid(1 << places) != 0);
        assert_eq!(to_money(value, Round::Up).unwrap().units(), money);
    }
}

#[test]
fn what_is_no_price_is_refused() {
    let tick = p("0.1");
    for round in ROUNDS {
        for value in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(to_price(value, tick, round), Err(OptionError::NotFinite));
            assert_eq!(to_money(value, round), Err(OptionError::NotFinite));
            assert_eq!(to_rate(value, round), Err(OptionError::NotFinite));
        }
        for value in [1e19, -1e19, f64::MAX, f64::MIN, 9_223_372_036_854_775_808.0, -9_223_372_036_854_775_808.0] {
            assert_eq!(to_price(value, tick, round), Err(OptionError::ResultOutOfRange), "{value}");
        }
        assert_eq!(to_price(1.0, Price::ZERO, round), Err(OptionError::TickNotPositive));
        assert_eq!(to_price(1.0, -tick, round), Err(OptionError::TickNotPositive));
        assert_eq!(to_money(1e30, round), Err(OptionError::ResultOutOfRange));
        assert_eq!(to_rate(100.1, round), Err(OptionError::ResultOutOfRange));
    }
    assert_eq!(to_nearest_price(f64::NAN, tick), Err(OptionError::NotFinite));
    assert!(to_price(9.2e18, tick, Round::Down).is_ok());
    // The last tick is below the largest price, the next is not.
    assert_eq!(to_price(9_223_372_036_854_774_784.0, p("90000000000"), Round::Up), Err(OptionError::ResultOutOfRange));
}

#[test]
fn an_option_in_units_becomes_a_price_money_and_a_volatility() {
    let week = 7 * 86_400_000_000_000;
    let option = Perpetual::new(p("60000"), p("60000"), r("0.6"), week, Rate::ZERO).unwrap();
    let value = option.price(Right::Call);
    assert_eq!(to_price(value, p("0.01"), Round::Down), Ok(p("1761.86")));
    assert_eq!(to_price(value, p("0.01"), Round::Up), Ok(p("1761.87")));
    assert_eq!(to_nearest_price(value, p("0.01")), Ok(p("1761.87")));
    let plain = perpetual(6e12, 6e12, 0.6, 7.0 / 365.0, 0.0).price(Right::Call);
    assert_eq!(value.to_bits(), plain.to_bits());
    let money = to_money(value, Round::Down).unwrap();
    assert!(money > m("1761.865594622") && money < m("1761.865594623"), "{money}");
    let found = Perpetual::implied_volatility(*option.terms(), Right::Call, value).unwrap();
    assert_eq!(to_rate(found + 1e-12, Round::Down), Ok(r("0.6")));
}
