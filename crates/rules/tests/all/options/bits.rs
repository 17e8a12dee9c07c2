//! The same bits: one at a time and in columns, on this machine and on every other.

use super::Random;
use plimsoll_rules::options::{
    Dated, DatedColumns, DatedTerms, OptionError, Perpetual, PerpetualColumns, PerpetualTerms, Right, dated_prices,
    perpetual_prices,
};

const ROWS: usize = 100_000;

/// Columns of spot, strike, volatility, years and discount; one row in sixteen is out of range in one of them.
fn columns(seed: u64, rows: usize, spoil: bool) -> [Vec<f64>; 5] {
    let mut random = Random(seed);
    let mut columns: [Vec<f64>; 5] = Default::default();
    for _ in 0..rows {
        let (spot, strike, volatility, years) = random.terms();
        let mut row = [spot, strike, volatility, years, 1.0 - 0.25 * random.unit()];
        if spoil && random.bits().is_multiple_of(16) {
            let bad = [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300, 1e300, 5e-324, -1e-9];
            let (column, value) = (random.bits() % 5, random.bits() % 10);
            row[usize::try_from(column).unwrap()] = bad[usize::try_from(value).unwrap()];
        }
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns
}

fn perpetual_columns(columns: &[Vec<f64>; 5]) -> (Vec<f64>, Vec<f64>) {
    let [spot, strike, volatility, period, _] = columns;
    let (mut calls, mut puts) = (vec![0.0; spot.len()], vec![0.0; spot.len()]);
    perpetual_prices(PerpetualColumns { spot, strike, volatility, period }, &mut calls, &mut puts).unwrap();
    (calls, puts)
}

fn dated_columns(columns: &[Vec<f64>; 5]) -> (Vec<f64>, Vec<f64>) {
    let [forward, strike, volatility, years, discount] = columns;
    let (mut calls, mut puts) = (vec![0.0; forward.len()], vec![0.0; forward.len()]);
    dated_prices(DatedColumns { forward, strike, volatility, years, discount }, &mut calls, &mut puts).unwrap();
    (calls, puts)
}

/// Calls and puts of options that are refused are no number; of all others they have the bits of a single one.
#[test]
fn columns_have_the_bits_of_single_options() {
    // A length that no vector divides.
    let columns = columns(31, ROWS - 3, true);
    let (calls, puts) = perpetual_columns(&columns);
    let (dated_calls, dated_puts) = dated_columns(&columns);
    let [mut refused, mut dated_refused] = [0; 2];
    let check = |refused: &mut usize, single: Result<[f64; 4], OptionError>, batch: [f64; 2]| match single {
        Ok([call, put, both_call, both_put]) => {
            assert_eq!([call, put].map(f64::to_bits), batch.map(f64::to_bits));
            assert_eq!([both_call, both_put].map(f64::to_bits), batch.map(f64::to_bits));
        }
        Err(_) => {
            *refused += 1;
            assert!(batch.iter().all(|price| price.is_nan()), "{batch:?}");
        }
    };
    for at in 0..calls.len() {
        let [spot, strike, volatility, years, discount] = [0, 1, 2, 3, 4].map(|column: usize| columns[column][at]);
        let perpetual = PerpetualTerms { spot, strike, volatility, period: years, interest: 0.0 }.check();
        let dated = DatedTerms { forward: spot, strike, volatility, years, discount }.check();
        let of = |call, put, both: (f64, f64)| [call, put, both.0, both.1];
        let single =
            perpetual.map(|option: Perpetual| of(option.price(Right::Call), option.price(Right::Put), option.prices()));
        check(&mut refused, single, [calls[at], puts[at]]);
        let single =
            dated.map(|option: Dated| of(option.price(Right::Call), option.price(Right::Put), option.prices()));
        check(&mut dated_refused, single, [dated_calls[at], dated_puts[at]]);
    }
    assert!(refused > 3_000 && dated_refused > refused, "{refused}, {dated_refused}");
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let (three, two) = ([1.0; 3], [1.0; 2]);
    for short in 0..6 {
        let of = |column: usize| if column == short { &two[..] } else { &three[..] };
        let (mut calls, mut puts) = (of(4).to_vec(), of(5).to_vec());
        let columns = PerpetualColumns { spot: of(0), strike: of(1), volatility: of(2), period: of(3) };
        assert_eq!(perpetual_prices(columns, &mut calls, &mut puts), Err(OptionError::LengthsDiffer));
        assert!(calls.iter().chain(&puts).all(|price| *price == 1.0), "nothing is written");
    }
    for short in 0..7 {
        let of = |column: usize| if column == short { &two[..] } else { &three[..] };
        let (mut calls, mut puts) = (of(5).to_vec(), of(6).to_vec());
        let columns = DatedColumns { forward: of(0), strike: of(1), volatility: of(2), years: of(3), discount: of(4) };
        assert_eq!(dated_prices(columns, &mut calls, &mut puts), Err(OptionError::LengthsDiffer));
    }
}

fn digest(values: impl IntoIterator<Item = f64>) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(&value.to_bits().to_le_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// BLAKE3 of the bits of 100,000 inputs and their results. A digest that differs on some machine is a defect of the code or of that
/// machine's floating point; one that differs after a change of a formula is expected, and the change must say so.
#[test]
fn results_have_the_same_bits_on_every_machine() {
    let columns = columns(41, ROWS, false);
    assert_eq!(digest(columns.iter().flatten().copied()), "880de640358cd3a7b80e625b8805a6f8");
    let (calls, puts) = perpetual_columns(&columns);
    assert_eq!(digest(calls.into_iter().chain(puts)), "d0810cbff779b0fa8dd157bc6538b4d6");
    let (calls, puts) = dated_columns(&columns);
    assert_eq!(digest(calls.into_iter().chain(puts)), "a97d0a2024d5e5294285cad4a2c914b9");
    let [spot, strike, volatility, years, discount] = &columns;
    let greeks = (0..ROWS).flat_map(|at| {
        let (spot, strike, volatility) = (spot[at], strike[at], volatility[at]);
        let interest = discount[at] - 0.875;
        let perpetual = PerpetualTerms { spot, strike, volatility, period: years[at], interest }.check().unwrap();
        let dated = DatedTerms { forward: spot, strike, volatility, years: years[at], discount: discount[at] };
        let (one, other) = (perpetual.greeks(Right::Call), dated.check().unwrap().greeks(Right::Put));
        let (call, put) = perpetual.prices();
        let first = [call, put, one.delta, one.gamma, one.vega, one.funding];
        first.into_iter().chain([other.delta, other.gamma, other.vega, other.theta, other.rho])
    });
    assert_eq!(digest(greeks), "d25ffb192f97a086a8ebdb4f2242a472");
    let implied = (0..2_000).filter_map(|at| {
        let (spot, strike, volatility) = (spot[at], strike[at], volatility[at]);
        let terms = PerpetualTerms { spot, strike, volatility, period: years[at], interest: 0.05 };
        Perpetual::implied_volatility(terms, Right::Put, terms.check().unwrap().price(Right::Put)).ok()
    });
    assert_eq!(digest(implied), "8f511caab575c4c9b4eb0d4030054b19");
}
