//! Every reason why an option has no price or a price no volatility, and the last number on the allowed side.

use crate::number::{p, r};
use plimsoll_rules::options::{Dated, DatedTerms, OptionError, Perpetual, PerpetualTerms, Right, YEAR_NS};
use units::{Price, Rate, Time};

const NUMBERS: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const PERPETUAL: PerpetualTerms =
    PerpetualTerms { spot: 100.0, strike: 100.0, volatility: 0.5, period: 0.02, interest: 0.0 };
const DATED: DatedTerms = DatedTerms { forward: 100.0, strike: 100.0, volatility: 0.5, years: 0.02, discount: 1.0 };

fn refused(terms: PerpetualTerms, error: OptionError) {
    assert_eq!(terms.check(), Err(error), "{terms:?}");
    let blind = PerpetualTerms { volatility: PERPETUAL.volatility, ..terms };
    if terms.volatility == blind.volatility {
        assert_eq!(Perpetual::implied_volatility(blind, Right::Call, 3.0), Err(error), "{terms:?}");
    }
}

fn dated_refused(terms: DatedTerms, error: OptionError) {
    assert_eq!(terms.check(), Err(error), "{terms:?}");
    if terms.volatility == DATED.volatility {
        assert_eq!(Dated::implied_volatility(terms, Right::Call, 3.0), Err(error), "{terms:?}");
    }
}

#[test]
fn spot_and_strike_must_be_positive_and_near() {
    for bad in [0.0, -0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        refused(PerpetualTerms { spot: bad, ..PERPETUAL }, OptionError::SpotNotPositive);
        refused(PerpetualTerms { strike: bad, ..PERPETUAL }, OptionError::StrikeNotPositive);
        dated_refused(DatedTerms { forward: bad, ..DATED }, OptionError::SpotNotPositive);
        dated_refused(DatedTerms { strike: bad, ..DATED }, OptionError::StrikeNotPositive);
    }
    for (spot, strike) in
        [(1.0, 1.0001e6), (1.0001e6, 1.0), (1e-21, 1e-21), (1e21, 1e21), (f64::INFINITY, 1.0), (1.0, f64::INFINITY)]
    {
        refused(PerpetualTerms { spot, strike, ..PERPETUAL }, OptionError::MoneynessOutOfRange);
        dated_refused(DatedTerms { forward: spot, strike, ..DATED }, OptionError::MoneynessOutOfRange);
    }
    for (spot, strike) in [(1.0, 1e6), (1e6, 1.0), (1e-20, 1e-20), (1e20, 1e20)] {
        assert!(PerpetualTerms { spot, strike, ..PERPETUAL }.check().is_ok());
        assert!(DatedTerms { forward: spot, strike, ..DATED }.check().is_ok());
    }
}

#[test]
fn volatility_must_be_positive_and_not_absurd() {
    let cases = [
        (0.0, OptionError::VolatilityZero),
        (-0.0, OptionError::VolatilityZero),
        (-0.5, OptionError::VolatilityNegative),
        (0.000_999, OptionError::VolatilityOutOfRange),
        (20.01, OptionError::VolatilityOutOfRange),
        (f64::INFINITY, OptionError::VolatilityOutOfRange),
        (f64::NEG_INFINITY, OptionError::VolatilityNegative),
        (f64::NAN, OptionError::VolatilityOutOfRange),
    ];
    for (volatility, error) in cases {
        refused(PerpetualTerms { volatility, ..PERPETUAL }, error);
        dated_refused(DatedTerms { volatility, ..DATED }, error);
    }
    for volatility in [0.001, 20.0] {
        assert!(PerpetualTerms { volatility, ..PERPETUAL }.check().is_ok());
        assert!(DatedTerms { volatility, ..DATED }.check().is_ok());
    }
}

#[test]
fn time_must_be_ahead_and_within_ten_years() {
    let minute = 1.0 / 525_600.0;
    for period in [0.0, -0.0, -0.02, f64::NEG_INFINITY] {
        refused(PerpetualTerms { period, ..PERPETUAL }, OptionError::PeriodNotPositive);
    }
    for period in [0.999 * minute, 10.001, f64::NAN, f64::INFINITY] {
        refused(PerpetualTerms { period, ..PERPETUAL }, OptionError::PeriodOutOfRange);
        dated_refused(DatedTerms { years: period, ..DATED }, OptionError::ExpiryOutOfRange);
    }
    dated_refused(DatedTerms { years: -1e-9, ..DATED }, OptionError::ExpiryPast);
    dated_refused(DatedTerms { years: 0.0, ..DATED }, OptionError::ExpiryNow);
    for years in [minute, 10.0] {
        assert!(PerpetualTerms { period: years, ..PERPETUAL }.check().is_ok());
        assert!(DatedTerms { years, ..DATED }.check().is_ok());
    }
}

#[test]
fn interest_and_discount_must_be_in_range() {
    for interest in [1.001, -1.001, f64::NAN, f64::INFINITY] {
        refused(PerpetualTerms { interest, ..PERPETUAL }, OptionError::InterestOutOfRange);
    }
    refused(PerpetualTerms { interest: -0.5, period: 2.0, ..PERPETUAL }, OptionError::InterestOutOfRange);
    assert!(PerpetualTerms { interest: -0.9, period: 1.0, ..PERPETUAL }.check().is_ok());
    for discount in [0.0, -1.0, 0.9e-5, 1.1e5].into_iter().chain(NUMBERS) {
        dated_refused(DatedTerms { discount, ..DATED }, OptionError::DiscountOutOfRange);
    }
}

#[test]
fn units_are_refused_as_numbers_are() {
    let (price, now) = (Price::whole(100), Time::from_ns(1_000));
    let at = |ns| Dated::new(price, price, r("0.5"), (now, Time::from_ns(ns)), Rate::ZERO).map(|_| ());
    let minute = 60_000_000_000;
    assert_eq!(at(999), Err(OptionError::ExpiryPast));
    assert_eq!(at(1_000), Err(OptionError::ExpiryNow));
    assert_eq!(at(1_000 + minute - 1), Err(OptionError::ExpiryOutOfRange));
    assert_eq!(at(1_000 + minute), Ok(()));
    assert_eq!(at(1_000 + 10 * YEAR_NS), Ok(()));
    assert_eq!(at(1_000 + 10 * YEAR_NS + 100), Err(OptionError::ExpiryOutOfRange));
    let ends = (Time::from_ns(i64::MIN), Time::from_ns(i64::MAX));
    assert_eq!(Dated::new(price, price, r("0.5"), ends, Rate::ZERO), Err(OptionError::ExpiryOutOfRange));
    let year = (Time::EPOCH, Time::from_ns(YEAR_NS));
    assert_eq!(Dated::new(price, price, r("0.5"), year, r("1.1")), Err(OptionError::InterestOutOfRange));
    let with =
        |spot, strike, volatility, period| Perpetual::new(spot, strike, volatility, period, Rate::ZERO).map(|_| ());
    assert_eq!(with(Price::ZERO, price, r("0.5"), minute), Err(OptionError::SpotNotPositive));
    assert_eq!(with(price, -price, r("0.5"), minute), Err(OptionError::StrikeNotPositive));
    assert_eq!(with(price, price, Rate::ZERO, minute), Err(OptionError::VolatilityZero));
    assert_eq!(with(price, price, r("-0.5"), minute), Err(OptionError::VolatilityNegative));
    assert_eq!(with(price, price, r("0.5"), 0), Err(OptionError::PeriodNotPositive));
    assert_eq!(with(price, price, r("0.5"), -minute), Err(OptionError::PeriodNotPositive));
    assert_eq!(with(price, price, r("0.5"), minute), Ok(()));
    let far = (p("0.00000001"), p("90000000000"));
    assert_eq!(with(far.0, far.1, r("0.5"), minute), Err(OptionError::MoneynessOutOfRange));
}

/// The least and the largest price that some volatility gives, and what lies beside them.
#[test]
fn prices_without_a_volatility_are_refused() {
    for (right, spot) in [(Right::Call, 90.0), (Right::Put, 90.0), (Right::Call, 110.0), (Right::Put, 110.0)] {
        let terms = PerpetualTerms { spot, strike: 100.0, volatility: 0.5, period: 0.02, interest: 0.0 };
        let implied = |price| Perpetual::implied_volatility(terms, right, price);
        let payoff = plimsoll_rules::options::payoff(right, spot, 100.0);
        for low in [payoff, payoff - 1e-9, -1.0] {
            assert_eq!(implied(low), Err(OptionError::PriceTooLow), "{right:?} {low}");
        }
        let bound = if right == Right::Call { spot } else { 100.0 };
        assert_eq!(implied(bound), Err(OptionError::PriceTooHigh));
        assert_eq!(implied(f64::NAN), Err(OptionError::NotFinite));
        assert_eq!(implied(f64::INFINITY), Err(OptionError::NotFinite));
        let terms = DatedTerms { forward: spot, strike: 100.0, volatility: 0.5, years: 0.02, discount: 0.9 };
        let implied = |price| Dated::implied_volatility(terms, right, price);
        assert_eq!(implied(0.9 * payoff - 1e-9), Err(OptionError::PriceTooLow));
        assert_eq!(implied(0.9 * bound), Err(OptionError::PriceTooHigh));
        assert_eq!(implied(f64::NAN), Err(OptionError::NotFinite));
    }
}

#[test]
fn every_error_says_what_is_needed() {
    use OptionError::*;
    let all = [
        SpotNotPositive,
        StrikeNotPositive,
        MoneynessOutOfRange,
        VolatilityZero,
        VolatilityNegative,
        VolatilityOutOfRange,
        ExpiryNow,
        ExpiryPast,
        ExpiryOutOfRange,
        PeriodNotPositive,
        PeriodOutOfRange,
        InterestOutOfRange,
        DiscountOutOfRange,
        PriceTooLow,
        PriceTooHigh,
        NotFinite,
        TickNotPositive,
        ResultOutOfRange,
        LengthsDiffer,
    ];
    let texts: std::collections::BTreeSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), all.len());
    assert!(texts.iter().all(|text| text.starts_with(char::is_lowercase) && !text.ends_with('.')), "{texts:?}");
}
