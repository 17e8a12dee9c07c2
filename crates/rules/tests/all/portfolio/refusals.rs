//! Bad input: grids, surfaces, prices and table entries, each refused by name, with the last that is accepted beside it.

use super::{instruments, market, option, rules, unit};
use crate::number::r;
use plimsoll_rules::options::OptionError;
use plimsoll_rules::portfolio::{
    Damp, Grid, Held, Instrument, InstrumentKind, Market, Offset, PlimsollRules, PortfolioError, Scenario, Table,
    VolatilityMove,
};
use units::{Money, Price, Rate, Size};

fn grid(change: impl Fn(&mut Vec<Scenario>)) -> Result<usize, PortfolioError> {
    let mut scenarios = rules().grid.scenarios().to_vec();
    change(&mut scenarios);
    Grid::new(scenarios).map(|grid| grid.scenarios().len())
}

#[test]
fn a_grid_that_is_no_grid_is_refused() {
    assert_eq!(grid(|_| ()), Ok(31));
    assert_eq!(grid(Vec::clear), Err(PortfolioError::GridEmpty));
    assert_eq!(grid(|all| all.retain(|one| one.price != Rate::ZERO)), Err(PortfolioError::GridWithoutZero));
    assert_eq!(grid(|all| all.swap(0, 12)), Err(PortfolioError::GridNotMonotone(4)));
    assert_eq!(grid(|all| all[1] = all[2]), Err(PortfolioError::GridRepeats(2)));
    assert_eq!(grid(|all| all[0].price = r("-1")), Err(PortfolioError::MoveOutOfRange(0)));
    assert_eq!(grid(|all| all[0].price = r("-0.999999999")), Err(PortfolioError::TailInside(25)));
    assert_eq!(grid(|all| all[30].price = r("100")), Ok(31));
    assert_eq!(grid(|all| all[30].damp = Damp::new(0)), Err(PortfolioError::DampOutOfRange(30)));
    assert_eq!(grid(|all| all[30].damp = Damp::new(-1)), Err(PortfolioError::DampOutOfRange(30)));
    assert_eq!(grid(|all| all[3].damp = Damp::new(Damp::ONE.units() + 1)), Err(PortfolioError::DampOutOfRange(3)));
    assert_eq!(grid(|all| all[30].damp = Damp::of(r("0.07"))), Err(PortfolioError::TailGrows(30)));
    assert_eq!(grid(|all| all[30].damp = Damp::of(r("0.06"))), Ok(31));
    assert_eq!(grid(|all| all[26].price = r("-0.16")), Err(PortfolioError::TailInside(26)));
    assert_eq!(grid(|all| all[0].volatility = VolatilityMove::SkewLinear), Err(PortfolioError::SkewMoves(0)));
    let long =
        |n: i64| (0..n).map(|at| Scenario::new(Rate::new(at * 1_000_000).unwrap(), VolatilityMove::Up)).collect();
    assert!(Grid::new(long(64)).is_ok());
    assert_eq!(Grid::new(long(65)), Err(PortfolioError::GridTooLong));
    let build = |grid: Grid| Table::build(&grid, &rules().volatility, &market(), &[], unit()).map(|_| ());
    assert_eq!(build(Grid::new(long(32)).unwrap()), Ok(()));
    assert_eq!(build(Grid::new(long(33)).unwrap()), Err(PortfolioError::GridTooLong));
    let skewed = Scenario::new(Rate::ZERO, VolatilityMove::SkewAbsolute);
    let skewed = Grid::new(vec![Scenario::new(Rate::ZERO, VolatilityMove::Unchanged), skewed]).unwrap();
    assert_eq!(build(skewed), Err(PortfolioError::SkewMoves(1)));
}

#[test]
fn rules_without_steps_or_with_negative_rates_are_refused() {
    let table = |change: &dyn Fn(&mut PlimsollRules)| {
        let mut rules = rules();
        change(&mut rules);
        rules.table(&market(), &instruments(), unit()).map(|_| ())
    };
    assert_eq!(table(&|_| ()), Ok(()));
    let zero = Grid::new(vec![Scenario::new(Rate::ZERO, VolatilityMove::Unchanged)]).unwrap();
    assert_eq!(table(&|rules| rules.grid = zero.clone()), Err(PortfolioError::GridWithoutSteps));
    assert_eq!(table(&|rules| rules.vega = r("-0.1")), Err(PortfolioError::RateNegative));
    assert_eq!(PlimsollRules::with_step(Rate::ZERO).unwrap_err(), PortfolioError::GridRepeats(3));
    assert!(PlimsollRules::with_step(r("0.08")).is_ok());
    assert!(PlimsollRules::with_step(r("0.09")).is_err(), "the ends pass the nearest tail");
}

fn built(market: &Market, instrument: Instrument) -> Result<(), PortfolioError> {
    rules().table(market, &[instruments()[1], instrument], unit()).map(|_| ())
}

/// An option of the table whose volatility, expiry or strike is another.
fn changed(change: impl Fn(&mut Option<Rate>, &mut i64, &mut Price)) -> Result<(), PortfolioError> {
    let mut instrument = option(p_60000(), 7);
    if let InstrumentKind::DatedOption { volatility, left_ns, strike, .. } = &mut instrument.kind {
        change(volatility, left_ns, strike);
    }
    built(&market(), instrument)
}

fn p_60000() -> Price {
    Price::whole(60_000)
}

#[test]
fn a_surface_that_has_no_volatility_is_refused() {
    let volatility = |text: &str| changed(|volatility, _, _| *volatility = Some(r(text)));
    let refused = |error| Err(PortfolioError::NotPriced(1, error));
    assert_eq!(volatility("0.6"), Ok(()));
    assert_eq!(volatility("0"), refused(OptionError::VolatilityZero));
    assert_eq!(volatility("-0.5"), refused(OptionError::VolatilityNegative));
    assert_eq!(volatility("20.1"), refused(OptionError::VolatilityOutOfRange));
    assert_eq!(volatility("0.0009"), refused(OptionError::VolatilityOutOfRange));
    assert_eq!(volatility("19"), refused(OptionError::VolatilityOutOfRange), "shocked up it is absurd");
    assert_eq!(volatility("0.001"), Ok(()), "shocked down it is worth its payoff");
    assert_eq!(changed(|volatility, _, _| *volatility = None), Err(PortfolioError::VolatilityMissing(1)));
    assert_eq!(changed(|_, left, _| *left = -1), refused(OptionError::ExpiryPast));
    assert_eq!(changed(|_, left, _| *left = 0), Ok(()), "at its expiry it is worth its payoff");
    assert_eq!(changed(|_, left, _| *left = i64::MAX), refused(OptionError::ExpiryOutOfRange));
    assert_eq!(changed(|_, _, strike| *strike = Price::ZERO), Err(PortfolioError::LotNotPositive(1)));
}

#[test]
fn prices_and_confidence_are_refused() {
    let with = |change: &dyn Fn(&mut Market)| {
        let mut market = market();
        change(&mut market);
        built(&market, instruments()[1])
    };
    assert_eq!(with(&|_| ()), Ok(()));
    assert_eq!(with(&|market| market.spot = Price::ZERO), Err(PortfolioError::PriceMissing));
    assert_eq!(with(&|market| market.confidence = r("-0.001")), Err(PortfolioError::ConfidenceOutOfRange));
    assert_eq!(with(&|market| market.confidence = r("0.34")), Err(PortfolioError::ConfidenceOutOfRange));
    assert_eq!(with(&|market| market.confidence = r("0.339999999")), Ok(()));
    let mut instrument = instruments()[1];
    instrument.lot = Size::ZERO;
    assert_eq!(built(&market(), instrument), Err(PortfolioError::LotNotPositive(1)));
    let build = |unit| rules().table(&market(), &[], unit).map(|_| ());
    assert_eq!(build(Money::ZERO), Err(PortfolioError::UnitNotPositive));
    let table = rules().table(&market(), &instruments(), unit()).unwrap();
    let of = |spot, depth| rules().underlying(&table, spot, depth, &[]).map(|_| ());
    assert_eq!(of(p_60000(), Money::whole(1)), Ok(()));
    assert_eq!(of(Price::ZERO, Money::whole(1)), Err(PortfolioError::PriceMissing));
    assert_eq!(of(p_60000(), Money::ZERO), Err(PortfolioError::PriceMissing));
    assert_eq!(rules().portfolio(&[], &[], Price::ZERO).unwrap_err(), PortfolioError::PriceMissing);
}

#[test]
fn positions_that_are_none_of_the_table_are_refused() {
    let table = rules().table(&market(), &instruments(), unit()).unwrap();
    let scan = |instrument, units| table.scan(&[Held { instrument, size: Size::new(units).unwrap() }]).map(|_| ());
    assert_eq!(scan(1, 100_000), Ok(()));
    assert_eq!(scan(1, 100_001), Err(PortfolioError::SizeNotInLots(1)));
    assert_eq!(scan(99, 100_000), Err(PortfolioError::InstrumentUnknown(99)));
    let part = rules().underlying(&table, p_60000(), Money::whole(1_000_000), &[]).unwrap();
    let offset = |first, second, rate| {
        let offsets = [Offset { first, second, rate: r(rate) }];
        rules().portfolio(&[part.clone(), part.clone()], &offsets, Price::ONE).map(|_| ())
    };
    assert_eq!(offset(0, 1, "1"), Ok(()));
    for (first, second, rate) in [(0, 1, "1.1"), (0, 1, "-0.1"), (0, 0, "0.5"), (0, 2, "0.5")] {
        assert_eq!(offset(first, second, rate), Err(PortfolioError::OffsetOutOfRange));
    }
}

/// A future whose lot is worth so much that an entry needs more than 64 bits is refused; one bit less goes the long way.
#[test]
fn an_entry_beyond_64_bits_is_refused() {
    let future = |lot| Instrument {
        kind: InstrumentKind::Future { mark: p_60000(), left_ns: 1 },
        lot: Size::new(lot).unwrap(),
        quote: 0,
    };
    let build = |lot| Table::build(&rules().grid, &rules().volatility, &market(), &[future(lot)], Money::UNIT);
    // 9,600 × lot, in 1e-16: 9.6e19 × lots.
    assert_eq!(build(1_000_000_000).unwrap_err(), PortfolioError::EntryOutOfRange(0));
    let table = build(1_000_000).unwrap();
    assert_eq!(table.wide(), [0]);
    let scan = table.scan(&[Held { instrument: 0, size: Size::new(1_000_000 * 1_000).unwrap() }]).unwrap();
    assert_eq!(scan.worst, Money::whole(-96_000));
}

/// The largest amounts that fit their types: an answer or a refusal, never a wrapped number or a panic.
#[test]
fn absurd_amounts_are_refused() {
    use super::derive;
    let (table, huge) =
        (rules().table(&market(), &instruments(), unit()).unwrap(), Size::new(i64::MAX / 100_000 * 100_000).unwrap());
    let all: Vec<Held> = (0..instruments().len()).map(|instrument| Held { instrument, size: huge }).collect();
    for sign in [1, -1] {
        for count in [1, all.len()] {
            let held =
                all.iter().take(count).map(|one| Held { size: Size::new(one.size.units() * sign).unwrap(), ..*one });
            let held: Vec<Held> = held.collect();
            if let Ok(terms) = rules().underlying(&table, p_60000(), Money::whole(1), &held) {
                assert!(!terms.loss.is_negative() && terms.loss.in_bounds());
                assert!(rules().portfolio(&[terms], &[], Price::ONE).is_ok());
            }
        }
    }
    let many = vec![Held { instrument: 1, size: Size::ZERO }; 513];
    let of = |held: &[Held]| rules().underlying(&table, p_60000(), Money::whole(1), held).map(|_| ());
    assert_eq!(of(&many[1..]), Ok(()));
    assert_eq!(of(&many), Err(PortfolioError::TooManyPositions));
    let file = derive::file();
    let mut case = file["cases"][0].clone();
    for (price, size) in [("92233720368.0", "92233720368"), ("92233720368.0", "-92233720368"), ("1", "92233720368")] {
        (case["spot"], case["perp_price"], case["perp"]) = (price.into(), price.into(), size.into());
        let ours = derive::margin(&file, &case);
        assert!(ours.is_ok() || ours == Err(PortfolioError::ResultOutOfRange), "{price} {size}");
    }
}
