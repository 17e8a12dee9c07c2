//! The rank in which the winning side is closed when nobody else pays: profit times leverage.

use serde::{Deserialize, Serialize};
use units::{Money, Round, limits, mul_div};

/// One position that may be deleveraged, at the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdlInput {
    /// Unrealised profit of the position; + is a gain.
    pub upnl: Money,
    /// Exact signed cost of the position; its sign does not matter here.
    pub cost: Money,
    /// |size| × mark, in the asset of `equity`.
    pub notional: Money,
    /// Equity of the subaccount, in the asset of `notional`.
    pub equity: Money,
}

/// A rank with its working, 1e-9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AdlTerms {
    /// Profit rate, or growth.
    pub gain: i128,
    /// notional ÷ equity.
    pub leverage: i128,
    /// The rank, higher is closed first.
    pub score: i128,
}

/// The greatest profit rate and leverage, in 1e-9: beyond 4.6 billion times, all are equal and ties decide.
const FACTOR_MAX: i128 = 1 << 62;

/// The rank of a position, higher is closed first. Unit: 1e-9; ties go by account number, in the caller.
///
/// Profit rate = upnl ÷ |cost| and leverage = notional ÷ equity, each in 1e-9 and rounded toward zero. With a gain the
/// score is profit × leverage, otherwise profit ÷ leverage, rounded toward zero. Cost and equity count as at least one
/// unit; either factor is held at 2⁶² and leverage is at least 1e-9, so the score lies between −2⁹² and 2⁹⁴. Never fails.
///
/// A gain of 500 on a cost of 5,000 with a notional of 5,500 and an equity of 1,100: 0.1 × 5 = 0.5, which is 500,000,000.
/// Source: venues.md section 6 (BitMEX: PnL% × leverage, or ÷ with a loss) and section 7 (Hyperliquid, the same order).
#[must_use]
pub fn adl_score(input: &AdlInput) -> AdlTerms {
    let one = i128::from(limits::RATE_ONE);
    let gain = ratio(input.upnl, input.cost.abs());
    let leverage = ratio(input.notional.abs(), input.equity).max(1);
    let score = if gain > 0 { gain * leverage / one } else { gain * one / leverage };
    AdlTerms { gain, leverage, score }
}

/// Hyperliquid's rank of a position, higher is closed first: growth × leverage, in 1e-9. Ties go by account number, in the
/// caller.
///
/// Growth is mark ÷ entry for what gains by a rise and entry ÷ mark for what gains by a fall. For a linear contract mark ÷
/// entry is notional ÷ |cost|, for an inverse one |cost| ÷ notional; `grows_with_notional` says which of the two grows with
/// the gain: true for a linear long and an inverse short. Leverage = notional ÷ equity. Each factor is rounded toward zero and held at
/// 2⁶², cost, notional and equity count as at least one unit, and so does not fail; the product is rounded toward zero.
///
/// A long of 5,500 bought for 5,000 with an equity of 1,100: 1.1 × 5 = 5.5, which is 5,500,000,000. A short of 5,000 sold for
/// 5,500 with 1,000: 1.1 × 5 = 5.5, too. Source: venues.md section 7, item 5.
#[must_use]
pub fn adl_growth_score(input: &AdlInput, grows_with_notional: bool) -> AdlTerms {
    let (notional, cost) = (input.notional.abs(), input.cost.abs());
    let gain = if grows_with_notional { ratio(notional, cost) } else { ratio(cost, notional) };
    let leverage = ratio(notional, input.equity);
    let score = mul_div(gain, leverage, i128::from(limits::RATE_ONE), Round::TowardZero).unwrap_or(FACTOR_MAX);
    AdlTerms { gain, leverage, score }
}

/// `part` ÷ `whole` in 1e-9 toward zero, held at the greatest factor; `whole` is at least one unit.
fn ratio(part: Money, whole: Money) -> i128 {
    let whole = whole.max(Money::UNIT).units();
    let exact = mul_div(part.units(), i128::from(limits::RATE_ONE), whole, Round::TowardZero);
    let out_of_range = if part.is_negative() { -FACTOR_MAX } else { FACTOR_MAX };
    exact.unwrap_or(out_of_range).clamp(-FACTOR_MAX, FACTOR_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(upnl: &str, cost: &str, notional: &str, equity: &str) -> i128 {
        let [upnl, cost, notional, equity] = [upnl, cost, notional, equity].map(|text| text.parse().unwrap());
        adl_score(&AdlInput { upnl, cost, notional, equity }).score
    }

    #[test]
    fn profit_times_leverage_or_over_it() {
        assert_eq!(score("500", "5000", "5500", "1100"), 500_000_000);
        // A short has a negative cost and ranks the same.
        assert_eq!(score("500", "-5000", "5500", "1100"), 500_000_000);
        // A loss of 10 % at leverage 5 ranks at −0.02, above the same loss at leverage 2.
        assert_eq!(score("-500", "5000", "4500", "900"), -20_000_000);
        assert_eq!(score("-500", "5000", "4500", "2250"), -50_000_000);
        assert_eq!(score("0", "5000", "4500", "900"), 0);
        // A third, toward zero on both sides.
        assert_eq!(score("1", "3", "1", "1"), 333_333_333);
        assert_eq!(score("-1", "3", "1", "1"), -333_333_333);
    }

    #[test]
    fn growth_times_leverage() {
        let of = |cost: &str, notional: &str, equity: &str, long: bool| {
            let [cost, notional, equity] = [cost, notional, equity].map(|text| text.parse().unwrap());
            adl_growth_score(&AdlInput { upnl: Money::ZERO, cost, notional, equity }, long).score
        };
        assert_eq!(of("5000", "5500", "1100", true), 5_500_000_000);
        assert_eq!(of("-5500", "5000", "1000", false), 5_500_000_000);
        // A loser ranks by the same formula: 4,500 bought for 5,000 at leverage 5.
        assert_eq!(of("5000", "4500", "900", true), 4_500_000_000);
    }

    #[test]
    fn odd_figures_are_held_at_the_bounds() {
        let max = "83076749736557242";
        assert_eq!(score(max, "0", max, "-1"), FACTOR_MAX * FACTOR_MAX / 1_000_000_000);
        assert_eq!(score(&alloc::format!("-{max}"), "0", "0", max), -FACTOR_MAX * 1_000_000_000);
        assert_eq!(score("1", "1", "0", "1"), 1);
        let most = AdlInput { upnl: -Money::MAX, cost: -Money::MAX, notional: Money::MAX, equity: -Money::MAX };
        assert_eq!(adl_score(&most).score, 0);
    }
}
