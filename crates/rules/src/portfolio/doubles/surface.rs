//! What is wrong with a volatility surface: prices that would let somebody gain without risk. Flagged, never refused: a venue must be able to
//! margin what its own surface says, and should look at it. Knows no instrument.

use super::{price_units, years};
use crate::options::numeric::ln_ratio;
use crate::options::{DatedTerms, OptionError, Right};
use crate::portfolio::PortfolioError;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use units::{Price, Rate};

/// Slopes and variances may be off by so much of themselves before they are flagged: what rounding of inputs makes.
const SLACK: f64 = 1e-9;

/// A point of a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurfacePoint {
    /// To the expiry.
    pub left_ns: i64,
    /// Forward of the expiry: one for all its points.
    pub forward: Price,
    /// Strike.
    pub strike: Price,
    /// Per √year.
    pub volatility: Rate,
}

/// What lets somebody gain without risk; points by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SurfaceFlag {
    /// This strike is dearer than its neighbours allow: sell two of it, buy one of each of them.
    Butterfly(usize),
    /// A call costs more than one of a lower strike, or falls by more than the strikes are apart.
    Slope(usize),
    /// At the distance of this strike from its forward the next expiry has less variance in all: sell this one, buy that.
    Calendar(usize),
}

/// Everything that is flagged, in the order of expiries and strikes.
///
/// Butterflies and slopes: calls of one expiry, undiscounted, fall by at most the strike and convexly. Calendars: σ² × years at one ln K/F,
/// read between the strikes of the next expiry, does not fall; beyond them nothing is said.
///
/// # Errors
/// [`PortfolioError::NotPriced`] for a point that has no price.
pub fn surface_flags(points: &[SurfacePoint]) -> Result<Vec<SurfaceFlag>, PortfolioError> {
    let mut expiries: BTreeMap<i64, Vec<Known>> = BTreeMap::new();
    for (at, point) in points.iter().enumerate() {
        let known = Known::of(at, point).map_err(|error| PortfolioError::NotPriced(at, error))?;
        expiries.entry(point.left_ns).or_default().push(known);
    }
    let mut flags = Vec::new();
    for one in expiries.values_mut() {
        one.sort_by(|a, b| a.strike.total_cmp(&b.strike));
        slopes(one, &mut flags);
    }
    for (near, far) in expiries.values().zip(expiries.values().skip(1)) {
        let falls =
            |point: &&Known| at_distance(far, point.distance).is_some_and(|far| far < point.variance * (1.0 - SLACK));
        flags.extend(near.iter().filter(falls).map(|point| SurfaceFlag::Calendar(point.at)));
    }
    Ok(flags)
}

struct Known {
    at: usize,
    strike: f64,
    /// ln K/F.
    distance: f64,
    /// σ² × years.
    variance: f64,
    /// Undiscounted.
    call: f64,
}

impl Known {
    fn of(at: usize, point: &SurfacePoint) -> Result<Self, OptionError> {
        let volatility = super::volatility(point.volatility)?;
        let (forward, strike, years) = (price_units(point.forward), price_units(point.strike), years(point.left_ns));
        let option = DatedTerms { forward, strike, volatility, years, discount: 1.0 }.check()?;
        let (distance, variance) = (ln_ratio(strike, forward), volatility * volatility * years);
        Ok(Self { at, strike, distance, variance, call: option.price(Right::Call) })
    }
}

fn slopes(expiry: &[Known], flags: &mut Vec<SurfaceFlag>) {
    let slope = |low: &Known, high: &Known| (high.call - low.call) / (high.strike - low.strike);
    for (low, high) in expiry.iter().zip(expiry.iter().skip(1)) {
        if !(-1.0 - SLACK..=SLACK).contains(&slope(low, high)) {
            flags.push(SurfaceFlag::Slope(high.at));
        }
    }
    for ((low, middle), high) in expiry.iter().zip(expiry.iter().skip(1)).zip(expiry.iter().skip(2)) {
        if slope(low, middle) > slope(middle, high) + SLACK {
            flags.push(SurfaceFlag::Butterfly(middle.at));
        }
    }
}

/// The variance at a distance, straight between two strikes; `None` outside.
fn at_distance(expiry: &[Known], distance: f64) -> Option<f64> {
    let pairs = expiry.iter().zip(expiry.iter().skip(1));
    let mut around = pairs.filter(|(low, high)| low.distance <= distance && distance <= high.distance);
    let (low, high) = around.next()?;
    let share =
        if high.distance > low.distance { (distance - low.distance) / (high.distance - low.distance) } else { 0.0 };
    Some(low.variance + share * (high.variance - low.variance))
}
