//! Many options at once, in columns: the same formulas in loops without branches, which compilers turn into vector code, with the
//! same bits as one at a time. Knows nothing that the single ones do not.

use super::OptionError;
use super::black::{DatedTerms, prices};
use super::perpetual::{plain_domain, plain_prices};

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
    let inputs = || spot.iter().zip(strike).zip(volatility.iter().zip(period));
    for (((spot, strike), (volatility, period)), (call, put)) in inputs().zip(calls.iter_mut().zip(puts.iter_mut())) {
        (*call, *put) = plain_prices(*spot, *strike, *volatility, *period);
    }
    // In a loop of its own, because a selection between vectors costs more than a branch that is never taken.
    for (((spot, strike), (volatility, period)), (call, put)) in inputs().zip(calls.iter_mut().zip(puts)) {
        if !plain_domain(*spot, *strike, *volatility, *period) {
            (*call, *put) = (f64::NAN, f64::NAN);
        }
    }
    Ok(())
}

/// Prices of calls and puts, bit for bit those of [`super::Dated::price`]; no number where that option would be refused.
///
/// # Errors
/// [`OptionError::LengthsDiffer`]; then nothing is written.
pub fn dated_prices(columns: DatedColumns<'_>, calls: &mut [f64], puts: &mut [f64]) -> Result<(), OptionError> {
    let DatedColumns { forward, strike, volatility, years, discount } = columns;
    let lengths = [strike.len(), volatility.len(), years.len(), discount.len(), calls.len(), puts.len()];
    same_length(forward.len(), &lengths)?;
    let inputs = || forward.iter().zip(strike).zip(volatility.iter().zip(years)).zip(discount).map(terms_of);
    for (terms, (call, put)) in inputs().zip(calls.iter_mut().zip(puts.iter_mut())) {
        (*call, *put) = prices(&terms);
    }
    for (terms, (call, put)) in inputs().zip(calls.iter_mut().zip(puts)) {
        if !terms.in_domain() {
            (*call, *put) = (f64::NAN, f64::NAN);
        }
    }
    Ok(())
}

/// A row of the columns of dated options.
#[inline(always)]
fn terms_of((((forward, strike), (volatility, years)), discount): (((&f64, &f64), (&f64, &f64)), &f64)) -> DatedTerms {
    DatedTerms { forward: *forward, strike: *strike, volatility: *volatility, years: *years, discount: *discount }
}

fn same_length(length: usize, lengths: &[usize]) -> Result<(), OptionError> {
    if lengths.iter().all(|other| *other == length) { Ok(()) } else { Err(OptionError::LengthsDiffer) }
}
