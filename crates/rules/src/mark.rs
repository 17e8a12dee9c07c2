//! The mark: the price that margin is computed from, and how far and how fast it may move.
//!
//! It knows nothing of time or quorum: the caller says how long ago the last mark was and which clamp to apply first
//! (DESIGN.md section 5: quorum first, clamps second).

use serde::{Deserialize, Serialize};
use units::{Price, Rate, Round, limits, mul_div2};

/// How a market makes its mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkRule {
    /// The mark is the index.
    Index,
    /// The median of the index grown by funding, the index plus the average basis, and the last trade.
    Median {
        /// Seconds over which the caller averages mid − index.
        basis_window_s: u16,
    },
    /// The index plus the average basis: for contracts that end, whose price owes nothing to funding.
    Basis {
        /// Seconds over which the caller averages mid − index.
        basis_window_s: u16,
    },
}

impl MarkRule {
    /// Seconds over which the basis is averaged; `None` for a rule that does not look at it.
    #[must_use]
    pub fn basis_window_s(self) -> Option<u16> {
        match self {
            Self::Index => None,
            Self::Median { basis_window_s } | Self::Basis { basis_window_s } => Some(basis_window_s),
        }
    }
}

/// The middle one of three prices.
#[must_use]
pub fn median3(a: Price, b: Price, c: Price) -> Price {
    a.min(b).max(a.max(b).min(c))
}

/// The mark by `rule`, before any band or speed limit.
///
/// Median: of P1 = index × (1 + rate × time to funding ÷ interval), rounded down, P2 = index + `basis_average` (signed,
/// quote) and the last trade; without a last trade the mark is P2. The time to funding is held inside the interval.
/// `None` when the index or the result is not positive, a sum does not fit, or the interval is not positive.
///
/// Index 100, rate 0.001 with half of the interval to go: P1 100.05. Basis 0.2: P2 100.2. Last 100.1 is the median.
/// Source: venues.md section 1, paragraph 3.
#[must_use]
pub fn mark_price(
    rule: MarkRule,
    index: Price,
    funding_rate: Rate,
    to_funding_ns: i64,
    interval_ns: i64,
    basis_average: Price,
    last: Option<Price>,
) -> Option<Price> {
    if !index.is_positive() {
        return None;
    }
    let mark = match rule {
        MarkRule::Index => index,
        MarkRule::Basis { .. } => Price::new(index.units().checked_add(basis_average.units())?)?,
        MarkRule::Median { .. } => {
            let grown = grown_by_funding(index, funding_rate, to_funding_ns, interval_ns)?;
            let based = Price::new(index.units().checked_add(basis_average.units())?)?;
            median3(grown, based, last.filter(|price| price.is_positive()).unwrap_or(based))
        }
    };
    Some(mark).filter(|price| price.is_positive())
}

/// index × (1 + rate × time to funding ÷ interval), rounded down.
fn grown_by_funding(index: Price, rate: Rate, to_funding_ns: i64, interval_ns: i64) -> Option<Price> {
    if interval_ns <= 0 {
        return None;
    }
    let left = i128::from(to_funding_ns.clamp(0, interval_ns));
    let whole = i128::from(interval_ns) * i128::from(limits::RATE_ONE);
    let growth = mul_div2(i128::from(index.units()), i128::from(rate.units()), left, whole, Round::Down)?;
    i64::try_from(i128::from(index.units()) + growth).ok().and_then(Price::new)
}

/// `price` held inside around × (1 ± width); the edges round inward, so the result is never outside.
///
/// 108 around 100 with a width of 5 % is 105. A width that is not positive gives `around`; an edge that does not fit
/// holds nothing back.
#[must_use]
pub fn band(price: Price, around: Price, width: Rate) -> Price {
    let width = width.max(Rate::ZERO);
    let low = around.scale(-width, Round::Up);
    let high = around.scale(width, Round::Down);
    let price = low.map_or(price, |low| price.max(low));
    high.map_or(price, |high| price.min(high))
}

/// `price` held to before ± before × rate × time, and to one unit at least; the step rounds down.
///
/// From 100 at 1 % per second, half a second allows 99.5 to 100.5. Time or a rate that is not positive allows no move.
#[must_use]
pub fn speed_limit(price: Price, before: Price, per_second: Rate, elapsed_ns: i64) -> Price {
    let (rate, elapsed) = (i128::from(per_second.units().max(0)), i128::from(elapsed_ns.max(0)));
    let scale = i128::from(limits::RATE_ONE) * 1_000_000_000;
    let start = i128::from(before.units());
    // Three factors below 2⁶³ ÷ 2⁵⁹ fit 128 bits, so the step is always there; what is too wide for a price holds nothing.
    let step = mul_div2(start.abs(), rate, elapsed, scale, Round::Down).unwrap_or(0);
    let held = i128::from(price.units()).clamp(start - step, start + step).max(1);
    i64::try_from(held).ok().and_then(Price::new).unwrap_or(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn the_mark_is_the_middle_of_three() {
        let rule = MarkRule::Median { basis_window_s: 30 };
        let mark =
            |rate, to, basis, last: Option<&str>| mark_price(rule, p("100"), r(rate), to, 1_000, p(basis), last.map(p));
        assert_eq!(mark("0.001", 500, "0.2", Some("100.1")), Some(p("100.1")));
        assert_eq!(mark("0.001", 500, "0.2", Some("100.01")), Some(p("100.05")));
        assert_eq!(mark("0.001", 500, "0.2", Some("130")), Some(p("100.2")));
        assert_eq!(mark("0.001", 500, "0.2", None), Some(p("100.2")));
        assert_eq!(mark("0.001", 500, "0.2", Some("0")), Some(p("100.2")));
        // Time beyond the interval is the interval.
        assert_eq!(mark("0.001", 5_000, "0.2", Some("200")), Some(p("100.2")));
        assert_eq!(mark("-0.001", 333, "-0.0333", Some("1")), Some(p("99.9667")));
        assert_eq!(mark("0.001", 500, "-100", None), None);
        assert_eq!(mark_price(rule, p("100"), r("0"), 0, 0, p("0"), None), None);
        assert_eq!(mark_price(rule, p("0"), r("0"), 0, 1, p("1"), None), None);
        assert_eq!(mark_price(MarkRule::Index, p("100"), r("1"), 9, 0, p("7"), Some(p("9"))), Some(p("100")));
        let basis = MarkRule::Basis { basis_window_s: 30 };
        assert_eq!(mark_price(basis, p("100"), r("1"), 9, 9, p("-0.25"), Some(p("9"))), Some(p("99.75")));
        assert_eq!(mark_price(basis, p("100"), r("0"), 0, 1, p("-100"), None), None);
        assert_eq!(
            mark_price(rule, p("0.00000001"), r("-0.5"), 1, 1, p("0"), Some(p("0.00000002"))),
            Some(p("0.00000001"))
        );
        // Half a unit less than one unit is none.
        let unit = p("0.00000001");
        assert_eq!(mark_price(rule, unit, r("-0.5"), 1, 1, -unit, Some(unit + unit)), None);
        let far = Price::new(i64::MAX).unwrap();
        assert_eq!(mark_price(rule, far, r("1"), 1, 1, p("0"), None), None);
        assert_eq!(mark_price(rule, far, r("0"), 1, 1, p("1"), None), None);
    }

    #[test]
    fn the_median_of_three_in_any_order() {
        for (a, b, c) in [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1), (2, 2, 9), (2, 1, 2)] {
            assert_eq!(median3(Price::whole(a), Price::whole(b), Price::whole(c)), Price::whole(2));
        }
    }

    #[test]
    fn a_band_holds_on_both_sides() {
        assert_eq!(band(p("108"), p("100"), r("0.05")), p("105"));
        assert_eq!(band(p("92"), p("100"), r("0.05")), p("95"));
        assert_eq!(band(p("103"), p("100"), r("0.05")), p("103"));
        assert_eq!(band(p("103"), p("100"), r("-1")), p("100"));
        // Edges round inward: ±0.1 of one unit leaves one unit.
        assert_eq!(band(p("5"), p("0.00000001"), r("0.1")), p("0.00000001"));
        assert_eq!(band(p("0"), p("0.00000011"), r("0.1")), p("0.0000001"));
        let far = Price::new(i64::MAX).unwrap();
        assert_eq!(band(far, far, r("0.1")), far);
    }

    #[test]
    fn a_price_moves_no_faster_than_allowed() {
        let half = 500_000_000;
        assert_eq!(speed_limit(p("110"), p("100"), r("0.01"), half), p("100.5"));
        assert_eq!(speed_limit(p("90"), p("100"), r("0.01"), half), p("99.5"));
        assert_eq!(speed_limit(p("100.2"), p("100"), r("0.01"), half), p("100.2"));
        assert_eq!(speed_limit(p("110"), p("100"), r("0.01"), -1), p("100"));
        assert_eq!(speed_limit(p("-5"), p("100"), r("100"), i64::MAX), p("0.00000001"));
        let far = Price::new(i64::MAX).unwrap();
        assert_eq!(speed_limit(far, p("100"), r("100"), i64::MAX), far);
    }
}
