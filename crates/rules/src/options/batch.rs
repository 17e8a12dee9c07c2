//! Many options at once, in columns: the same formulas in loops without branches, which compilers turn into vector code, with the
//! same bits as one at a time. Knows nothing that the single ones do not.

use super::OptionError;
use super::black::{DatedTerms, prices};
use super::numeric::{exp_of_negative, ln_ratio};
use super::perpetual::{factor_and_exponent, plain_domain, plain_prices};

/// Perpetual options without interest, one per place of each column; units as in [`super::PerpetualTerms`].
#[derive(Clone, Copy, Debug)]
pub struct PerpetualColumns<'a> {
    /// Prices of the underlying.
    pub spot: &'a [f64],
    /// Strikes.
    pub strike: &'a [f64],
    /// Volatilities.
    pub volatility: &'a [f64],
    /// Funding periods, years.
    pub period: &'a [f64],
}

/// Dated options, one per place of each column; units as in [`DatedTerms`].
#[derive(Clone, Copy, Debug)]
pub struct DatedColumns<'a> {
    /// Forward prices.
    pub forward: &'a [f64],
    /// Strikes.
    pub strike: &'a [f64],
    /// Volatilities.
    pub volatility: &'a [f64],
    /// Years to the expiry.
    pub years: &'a [f64],
    /// Discount factors.
    pub discount: &'a [f64],
}

/// Prices of calls and puts, bit for bit those of [`super::Perpetual::price`]; no number where that option would be refused.
///
/// # Errors
/// [`OptionError::LengthsDiffer`]; then nothing is written.
pub fn perpetual_prices(columns: PerpetualColumns<'_>, calls: &mut [f64], puts: &mut [f64]) -> Result<(), OptionError> {
    let PerpetualColumns { spot, strike, volatility, period } = columns;
    let lengths = [strike.len(), volatility.len(), period.len(), calls.len(), puts.len()];
    same_length(spot.len(), &lengths)?;
    let inputs = spot.chunks(BLOCK).zip(strike.chunks(BLOCK)).zip(volatility.chunks(BLOCK).zip(period.chunks(BLOCK)));
    for (inputs, outputs) in inputs.zip(calls.chunks_mut(BLOCK).zip(puts.chunks_mut(BLOCK))) {
        perpetual_block(inputs, outputs);
    }
    Ok(())
}

/// In three loops, each short enough for a processor to work on several rows at a time; the outputs hold what is between them.
fn perpetual_block(
    ((spot, strike), (volatility, period)): (Columns<'_>, Columns<'_>),
    (calls, puts): (&mut [f64], &mut [f64]),
) {
    for ((spot, strike), call) in spot.iter().zip(strike).zip(calls.iter_mut()) {
        *call = ln_ratio(*spot, *strike);
    }
    let inputs = strike.iter().zip(volatility.iter().zip(period));
    for ((strike, (volatility, period)), (call, put)) in inputs.zip(calls.iter_mut().zip(puts.iter_mut())) {
        (*put, *call) = factor_and_exponent(*call, *strike, *volatility, *period);
    }
    for ((spot, strike), (call, put)) in spot.iter().zip(strike).zip(calls.iter_mut().zip(puts.iter_mut())) {
        (*call, *put) = plain_prices(*spot, *strike, *put * exp_of_negative(*call));
    }
    // A selection in each row costs more than to ask first whether any is refused.
    let rows = || spot.iter().zip(strike).zip(volatility.iter().zip(period));
    let good = |((spot, strike), (volatility, period)): (Pair<'_>, Pair<'_>)| {
        plain_domain(*spot, *strike, *volatility, *period)
    };
    if !rows().fold(true, |all, row| all & good(row)) {
        rows().zip(calls.iter_mut().zip(puts)).filter(|(row, _)| !good(*row)).for_each(|(_, pair)| refuse(pair));
    }
}

/// Prices of calls and puts, bit for bit those of [`super::Dated::price`]; no number where that option would be refused.
///
/// # Errors
/// [`OptionError::LengthsDiffer`]; then nothing is written.
pub fn dated_prices(columns: DatedColumns<'_>, calls: &mut [f64], puts: &mut [f64]) -> Result<(), OptionError> {
    let DatedColumns { forward, strike, volatility, years, discount } = columns;
    let lengths = [strike.len(), volatility.len(), years.len(), discount.len(), calls.len(), puts.len()];
    same_length(forward.len(), &lengths)?;
    let rows = || forward.iter().zip(strike).zip(volatility.iter().zip(years)).zip(discount).map(terms_of);
    for (terms, (call, put)) in rows().zip(calls.iter_mut().zip(puts.iter_mut())) {
        (*call, *put) = prices(&terms);
    }
    if !rows().fold(true, |all, terms| all & terms.in_domain()) {
        let pairs = calls.iter_mut().zip(puts);
        rows().zip(pairs).filter(|(terms, _)| !terms.in_domain()).for_each(|(_, pair)| refuse(pair));
    }
    Ok(())
}

fn refuse((call, put): (&mut f64, &mut f64)) {
    (*call, *put) = (f64::NAN, f64::NAN);
}

/// Rows that are priced together: their columns fit the first-level cache.
const BLOCK: usize = 256;

/// Two columns of one length.
type Columns<'a> = (&'a [f64], &'a [f64]);
/// Two numbers of a row.
type Pair<'a> = (&'a f64, &'a f64);

/// A row of the columns of dated options.
#[inline(always)]
fn terms_of((((forward, strike), (volatility, years)), discount): ((Pair<'_>, Pair<'_>), &f64)) -> DatedTerms {
    DatedTerms { forward: *forward, strike: *strike, volatility: *volatility, years: *years, discount: *discount }
}

fn same_length(length: usize, lengths: &[usize]) -> Result<(), OptionError> {
    if lengths.iter().all(|other| *other == length) { Ok(()) } else { Err(OptionError::LengthsDiffer) }
}
