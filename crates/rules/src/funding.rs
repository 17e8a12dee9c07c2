//! What longs and shorts pay each other so that the contract stays near its index.
//!
//! It knows nothing of time or accounts: the caller averages premiums, steps the index when funding is due, and keeps a
//! checkpoint per position.

use crate::Contract;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Size, limits, mul_div};

/// How a market turns an average premium into the rate of one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingRule {
    /// Nanoseconds between two payments.
    pub interval_ns: i64,
    /// Interest per interval: 0.0001 for 0.03 % a day, paid every eight hours.
    pub interest: Rate,
    /// Half-width of the dead band: within it round the interest, the rate is the interest. 0.0005 on most venues.
    pub clamp: Rate,
    /// Greatest rate of one interval.
    pub cap: Rate,
    /// Least rate of one interval; where it lies above the cap, the cap holds.
    pub floor: Rate,
}

/// How far the book stands off the index: [max(0, bid − index) − max(0, index − ask)] ÷ index.
///
/// `impact_bid` and `impact_ask` are average prices of selling and buying the impact notional; one that is not positive
/// stands for an empty side and counts nothing. Rounded toward zero and held to ±100; zero when the index is not
/// positive.
///
/// Index 100, bid 101, ask 102: 0.01. Bid 97, ask 98: −0.02. Source: venues.md sections 1, 3 and 7.
#[must_use]
pub fn premium(index: Price, impact_bid: Price, impact_ask: Price) -> Rate {
    if !index.is_positive() {
        return Rate::ZERO;
    }
    let above = (wide(impact_bid) - wide(index)).max(0);
    let below = if impact_ask.is_positive() { (wide(index) - wide(impact_ask)).max(0) } else { 0 };
    let units = mul_div(above - below, i128::from(limits::RATE_ONE), wide(index), Round::TowardZero).unwrap_or(0);
    let held = units.clamp(-i128::from(limits::RATE_MAX), i128::from(limits::RATE_MAX));
    i64::try_from(held).ok().and_then(Rate::new).unwrap_or(Rate::ZERO)
}

/// The rate of one interval: P + clamp(interest − P, ±dead band), then inside [floor, cap]. + means that longs pay.
///
/// `average_premium` is per interval, as `interest` and `clamp` are: a venue that quotes all three for eight hours and
/// pays an eighth every hour brings an eighth of each. Exact; never fails.
///
/// P 0.0008, interest 0.0001, band 0.0005: 0.0008 − 0.0005 = 0.0003. Source: venues.md sections 1, 3, 6 and 7.
#[must_use]
pub fn funding_rate(average_premium: Rate, rule: &FundingRule) -> Rate {
    let pull = (rule.interest - average_premium).clamp_to(-rule.clamp, rule.clamp);
    (average_premium + pull).clamp_to(rule.floor, rule.cap)
}

/// What one unit of size (1e-8 contract) is charged, to be added to the cumulative index. Unit: 1e-25 of the settlement
/// asset per unit of size; + means that longs pay.
///
/// Linear: price × rate, exact. Inverse: face × rate ÷ price, toward zero. `None` when the mark is not positive.
///
/// Linear at 60,000 and 0.0001: 6e12 × 1e5 = 6e17, so 1 contract (1e8 units of size) pays 6e25 × 1e-25 = 6.
/// Source: venues.md section 1 (payment = size × mark × rate) and section 6 (value in coins × rate).
#[must_use]
pub fn funding_index_step(contract: Contract, mark: Price, rate: Rate) -> Option<i128> {
    if !mark.is_positive() {
        return None;
    }
    let rate = i128::from(rate.units());
    match contract {
        Contract::Linear => wide(mark).checked_mul(rate),
        Contract::Inverse { face } => {
            mul_div(i128::from(face) * rate, 10i128.pow(limits::MONEY_DECIMALS), wide(mark), Round::TowardZero)
        }
    }
}

/// What a position receives for the distance its index has moved, and what rounding keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// To the account, in the settlement asset: − when it pays. Rounded down.
    pub amount: Money,
    /// exact − amount: what the rounding account gains. Unit: 1e-25 of the asset, from 0 to 1e9 − 1.
    pub residue: i128,
}

/// −size × (index now − index at the checkpoint): longs pay when the index has risen.
///
/// The amount rounds down, the residue is what that leaves, so amount × 1e9 + residue is exact. Multiplied wide; `None`
/// when the amount is out of bounds.
///
/// +1 contract over an index step of 6e17 receives −6 and leaves nothing.
#[must_use]
#[inline]
pub fn funding_payment(size: Size, index_delta: i128) -> Option<Payment> {
    let (taken, one) = (-i128::from(size.units()), i128::from(limits::RATE_ONE));
    let amount = mul_div(taken, index_delta, one, Round::Down).and_then(Money::new)?;
    // The residue is the exact product modulo one, for which the factors modulo one are enough.
    let residue = (taken.rem_euclid(one) * index_delta.rem_euclid(one)).rem_euclid(one);
    Some(Payment { amount, residue })
}

fn wide(price: Price) -> i128 {
    i128::from(price.units())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn the_premium_is_what_the_book_asks_above_or_bids_below_the_index() {
        let index = Price::whole(100);
        for (bid, ask, want) in [
            (101, 102, "0.01"),
            (97, 98, "-0.02"),
            (99, 101, "0"),
            (0, 101, "0"),  // nobody bids
            (99, 0, "0"),   // nobody asks
            (101, 99, "0"), // a crossed book cancels out
            (103, 99, "0.02"),
        ] {
            assert_eq!(premium(index, Price::whole(bid), Price::whole(ask)), r(want), "bid {bid} ask {ask}");
        }
        // A third of the smallest unit is nothing, for both signs.
        let index = Price::whole(3);
        assert_eq!(premium(index, "3.00000001".parse().unwrap(), Price::whole(4)), r("0.000000003"));
        assert_eq!(premium(index, Price::whole(2), "2.99999999".parse().unwrap()), r("-0.000000003"));
        assert_eq!(premium(Price::ONE, Price::whole(1_000), Price::whole(1_000)), r("100"));
        assert_eq!(premium(Price::ZERO, Price::ONE, Price::ONE), Rate::ZERO);
    }

    #[test]
    fn the_dead_band_gives_the_interest_and_the_cap_holds() {
        let rule = FundingRule {
            interval_ns: 28_800_000_000_000,
            interest: r("0.0001"),
            clamp: r("0.0005"),
            cap: r("0.003"),
            floor: r("-0.003"),
        };
        for (premium, want) in [
            ("0", "0.0001"),
            ("0.0006", "0.0001"),
            ("0.0008", "0.0003"),
            ("-0.0004", "0.0001"),
            ("-0.0005", "0"),
            ("0.01", "0.003"),
            ("-0.01", "-0.003"),
        ] {
            assert_eq!(funding_rate(r(premium), &rule), r(want), "premium {premium}");
        }
        let crossed = FundingRule { cap: r("-0.001"), floor: r("0.001"), ..rule };
        assert_eq!(funding_rate(Rate::ZERO, &crossed), r("-0.001"));
    }

    #[test]
    fn longs_pay_when_the_rate_is_positive() {
        let step = funding_index_step(Contract::Linear, Price::whole(60_000), r("0.0001")).unwrap();
        assert_eq!(step, 600_000_000_000_000_000);
        let paid = funding_payment(Size::whole(1), step).unwrap();
        assert_eq!(paid, Payment { amount: m("-6"), residue: 0 });
        assert_eq!(funding_payment(Size::whole(-1), step).unwrap().amount, m("6"));
        // 200,000 contracts at 10,000 are 20 coins; 0.25 % of them is 0.05.
        let step = funding_index_step(Contract::Inverse { face: 1 }, Price::whole(10_000), r("0.0025")).unwrap();
        assert_eq!(funding_payment(Size::whole(200_000), step).unwrap().amount, m("-0.05"));
        let third = |rate| funding_index_step(Contract::Inverse { face: 1 }, Price::whole(3), r(rate)).unwrap();
        assert_eq!((third("0.000000001"), third("-0.000000001")), (33_333_333, -33_333_333));
        assert_eq!(funding_index_step(Contract::Linear, Price::ZERO, r("0.0025")), None);
        assert_eq!(funding_index_step(Contract::Inverse { face: 1 }, Price::ZERO, r("0.0025")), None);
    }

    #[test]
    fn an_amount_rounds_down_and_the_residue_is_the_rest() {
        let unit = Size::new(1).unwrap();
        assert_eq!(funding_payment(unit, 1), Some(Payment { amount: -Money::UNIT, residue: 999_999_999 }));
        assert_eq!(funding_payment(-unit, 1), Some(Payment { amount: Money::ZERO, residue: 1 }));
        assert_eq!(funding_payment(Size::whole(1_000_000), i128::MIN), None);
        // Wider than 128 bits inside: 2⁶² × 10²⁴ ÷ 10⁹.
        let size = Size::new(1 << 62).unwrap();
        let wide = funding_payment(size, 10i128.pow(24)).unwrap();
        assert_eq!(wide, Payment { amount: Money::from_units(-(1 << 62) * 10i128.pow(15)), residue: 0 });
        assert_eq!(
            funding_payment(size, 10i128.pow(24) + 1).unwrap().residue,
            1_000_000_000 - (1i128 << 62) % 1_000_000_000
        );
    }
}
