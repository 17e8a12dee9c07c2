//! The index: what several outside sources agree a thing is worth.
//!
//! It knows nothing of time: the caller brings only sources that are fresh.

use serde::{Deserialize, Serialize};
use units::{Price, Rate, limits};

/// The most sources of one index.
pub const SOURCES_MAX: usize = 16;

/// What one fresh source says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its price. One that is not positive says nothing.
    pub price: Price,
    /// Its weight, in any unit common to all. A source of weight zero says nothing.
    pub weight: u32,
}

/// When sources make an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRule {
    /// Sources that must agree; zero counts as one.
    pub quorum: u8,
    /// Farthest that a source may stand from the median of all, as a share of that median.
    pub max_deviation: Rate,
}

/// An index with what it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexPrice {
    /// The weighted median of the sources that agree; of all, when none agrees.
    pub price: Price,
    /// Sources within the greatest deviation of the median of all.
    pub agreeing: u8,
    /// Which they are: bit n for the n-th source given.
    pub agreed: u16,
    /// True when they are enough.
    pub quorum: bool,
}

/// The weighted median of all sources, then the weighted median of those no farther from it than the rule allows.
///
/// The median is the price at which half of the weight is reached; where that falls exactly between two prices it is
/// their mean, rounded down. The distance is compared exactly. `None` when no source says anything, or when there are
/// more than [`SOURCES_MAX`].
///
/// 100, 101 and 150 with equal weight and 3 %: median 101, so 150 is dropped; index (100 + 101) ÷ 2 = 100.5, two agree.
/// Source: venues.md section 7 (weighted median of venues) and section 1 (a constituent far from the median is held).
#[must_use]
pub fn index_price(sources: &[Source], rule: &IndexRule) -> Option<IndexPrice> {
    if sources.len() > SOURCES_MAX {
        return None;
    }
    let all = weighted_median(sources.iter().copied())?;
    let near = |source: &Source| {
        let distance = i128::from(source.price.distance(all).units()) * i128::from(limits::RATE_ONE);
        distance <= i128::from(all.units()) * i128::from(rule.max_deviation.units())
    };
    let agree = || sources.iter().copied().filter(speaks).filter(near);
    let agreeing = u8::try_from(agree().count()).ok()?;
    let price = weighted_median(agree()).unwrap_or(all);
    let bits = (0u32..).zip(sources).filter(|(_, source)| speaks(source) && near(source));
    let agreed = bits.fold(0u16, |mask, (n, _)| mask | 1u16.checked_shl(n).unwrap_or(0));
    Some(IndexPrice { price, agreeing, agreed, quorum: agreeing >= rule.quorum.max(1) })
}

fn speaks(source: &Source) -> bool {
    source.weight > 0 && source.price.is_positive()
}

/// The price at which half of the weight is reached; `None` without sources.
fn weighted_median(sources: impl Iterator<Item = Source>) -> Option<Price> {
    let mut sorted = [Source::default(); SOURCES_MAX];
    let mut count = 0usize;
    for (place, source) in sorted.iter_mut().zip(sources.filter(speaks)) {
        *place = source;
        count += 1;
    }
    let sorted = sorted.get_mut(..count)?;
    sorted.sort_unstable_by_key(|source| source.price);
    let total: u64 = sorted.iter().map(|source| u64::from(source.weight)).sum();
    let (mut reached, mut lower) = (0u64, None);
    for source in sorted {
        reached += u64::from(source.weight);
        if 2 * reached > total {
            return mean(lower.unwrap_or(source.price), source.price);
        }
        if 2 * reached == total {
            lower = Some(source.price);
        }
    }
    None
}

/// The mean of two prices, rounded down.
fn mean(a: Price, b: Price) -> Option<Price> {
    let sum = i128::from(a.units()) + i128::from(b.units());
    i64::try_from(sum.div_euclid(2)).ok().and_then(Price::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn index(sources: &[(&str, u32)], quorum: u8, max_deviation: &str) -> Option<(Price, u8, bool)> {
        let sources: Vec<Source> =
            sources.iter().map(|&(price, weight)| Source { price: price.parse().unwrap(), weight }).collect();
        let rule = IndexRule { quorum, max_deviation: max_deviation.parse().unwrap() };
        index_price(&sources, &rule).map(|index| (index.price, index.agreeing, index.quorum))
    }
    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn half_of_the_weight_makes_the_median() {
        let wide = |sources: &[(&str, u32)]| index(sources, 1, "1").map(|(price, ..)| price);
        assert_eq!(wide(&[("3", 1), ("1", 1), ("2", 1)]), Some(p("2")));
        assert_eq!(wide(&[("3", 5), ("1", 1), ("2", 1)]), Some(p("3")));
        assert_eq!(wide(&[("2", 1), ("1", 1)]), Some(p("1.5")));
        assert_eq!(wide(&[("1.00000001", 1), ("1", 1)]), Some(p("1")));
        assert_eq!(wide(&[("1", 2), ("2", 1), ("3", 1)]), Some(p("1.5")));
        assert_eq!(wide(&[("1", 1), ("2", 0), ("0", 9), ("-5", 9)]), Some(p("1")));
        assert_eq!(
            wide(&[("92233720368.54775807", u32::MAX), ("92233720368.54775806", u32::MAX)]),
            Some(p("92233720368.54775806"))
        );
        assert_eq!(wide(&[]), None);
        assert_eq!(wide(&[("0", 1)]), None);
        assert_eq!(wide(&[("1", 1); SOURCES_MAX]), Some(p("1")));
        assert_eq!(wide(&[("1", 1); SOURCES_MAX + 1]), None);
    }

    #[test]
    fn a_source_far_from_the_median_is_dropped() {
        assert_eq!(index(&[("100", 1), ("101", 1), ("150", 1)], 2, "0.03"), Some((p("100.5"), 2, true)));
        assert_eq!(index(&[("100", 1), ("101", 1), ("150", 1)], 3, "0.03"), Some((p("100.5"), 2, false)));
        // At the distance a source agrees, one unit beyond it does not.
        assert_eq!(index(&[("100", 1), ("100", 1), ("103", 1)], 3, "0.03"), Some((p("100"), 3, true)));
        assert_eq!(index(&[("100", 1), ("100", 1), ("103.00000001", 1)], 3, "0.03"), Some((p("100"), 2, false)));
        assert_eq!(index(&[("100", 1), ("100", 0)], 2, "0.03"), Some((p("100"), 1, false)));
        // Two sources that disagree: the mean, and no quorum even where none is asked for.
        assert_eq!(index(&[("100", 1), ("200", 1)], 0, "0.03"), Some((p("150"), 0, false)));
    }
}
