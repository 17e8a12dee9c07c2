//! What each holder of a side pays of a loss that is shared: an amount over contracts, through a cumulative index.
//!
//! It knows neither accounts nor whose loss it is. The index is in the unit of the funding index, so that both are exact alike.

use units::{Money, Round, Size, limits, mul_div, mul_sub};

/// How a loss is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossShare {
    /// What is shared of it, settlement asset; above zero.
    pub amount: Money,
    /// What one unit of size (1e-8 contract) owes, 1e-25 of the asset; rounded up.
    pub step: i128,
    /// What all of them owe more than the amount: step × contracts − amount × 1e9, from 0, 1e-25.
    pub residue: i128,
}

/// Shares a loss of `asked` over `contracts` (1e-8, without sign) of which none owes more than `most` (1e-25 per 1e-8).
///
/// The step is asked ÷ contracts, rounded up. Where that is above the most, the step is the most and the amount what it brings, rounded
/// down. `None` when that is nothing, when there are no contracts, or when it does not fit.
///
/// 9 over 3 contracts is 3 each: a step of 3e17, nothing left. 1 over 3 contracts: a step of 33,333,333,333,333,334, which is
/// 2e8 × 1e-25 more than 1 in sum.
#[must_use]
pub fn share_loss(asked: Money, contracts: i128, most: i128) -> Option<LossShare> {
    let one = i128::from(limits::RATE_ONE);
    let exact = mul_div(asked.units(), one, contracts, Round::Up)?;
    let (amount, step) = if exact <= most {
        (asked, exact)
    } else {
        (Money::from_units(mul_div(most, contracts, one, Round::Down)?), most)
    };
    let residue = mul_sub((step, contracts), (amount.units(), one))?;
    (contracts > 0 && step > 0 && amount.is_positive()).then_some(LossShare { amount, step, residue })
}

/// What a position has to pay for the distance that the index of its side has moved, and what rounding it up brings more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossPayment {
    /// From the account, settlement asset. Rounded up.
    pub amount: Money,
    /// amount − exact: 1e-25 of the asset, from 0 to 1e9 − 1.
    pub residue: i128,
}

/// |size| × (index now − index at the checkpoint), rounded up; either sign of position pays. `None` when it is out of bounds.
///
/// −3 contracts over a step of 33,333,333,333,333,334 are 1.00000000000000002: they pay 1.0000000000000001.
#[must_use]
pub fn loss_payment(size: Size, index_delta: i128) -> Option<LossPayment> {
    let (contracts, one) = (i128::from(size.abs().units()), i128::from(limits::RATE_ONE));
    let amount = mul_div(contracts, index_delta, one, Round::Up).and_then(Money::new)?;
    let residue = mul_sub((amount.units(), one), (contracts, index_delta))?;
    Some(LossPayment { amount, residue })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: i128 = 100_000_000;

    #[test]
    fn a_loss_is_shared_by_contracts_and_rounds_against_the_holders() {
        let even = share_loss(Money::whole(9), 3 * CONTRACT, i128::MAX).unwrap();
        assert_eq!(even, LossShare { amount: Money::whole(9), step: 300_000_000_000_000_000, residue: 0 });
        let third = share_loss(Money::whole(1), 3 * CONTRACT, i128::MAX).unwrap();
        assert_eq!(third, LossShare { amount: Money::whole(1), step: 33_333_333_333_333_334, residue: 200_000_000 });
        // Three holders of one contract pay a unit more in sum than the loss, and the residue says so.
        let each = loss_payment(Size::whole(-1), third.step).unwrap();
        assert_eq!(each.amount.units() * 3, Money::whole(1).units() + 2);
        assert_eq!(2_000_000_000, third.residue + 3 * each.residue);
    }

    #[test]
    fn nobody_owes_more_than_the_most() {
        // 5e17 is 5 a contract: 9 over 3 contracts fit, 30 are cut to 15, at the limit nothing is cut.
        let most = 500_000_000_000_000_000;
        let of = |asked| share_loss(Money::whole(asked), 3 * CONTRACT, most).unwrap();
        assert_eq!((of(9).amount, of(15).amount, of(15).step), (Money::whole(9), Money::whole(15), most));
        assert_eq!(of(30), LossShare { amount: Money::whole(15), step: most, residue: 0 });
        // Three units of 1e-25 for each of seven are less than a unit of money: nothing.
        assert_eq!(share_loss(Money::whole(1), 7, 3), None);
    }

    #[test]
    fn what_is_nothing_or_does_not_fit_is_not_shared() {
        assert_eq!(share_loss(Money::whole(1), 0, i128::MAX), None);
        assert_eq!(share_loss(Money::whole(1), CONTRACT, 0), None);
        assert_eq!(share_loss(Money::ZERO, CONTRACT, i128::MAX), None);
        assert_eq!(loss_payment(Size::ZERO, 5), Some(LossPayment::default()));
        assert_eq!(loss_payment(Size::whole(1_000_000), i128::MAX), None);
    }

    #[test]
    fn products_wider_than_128_bits_are_exact() {
        let (contracts, asked) = (1i128 << 100, Money::from_units((1 << 112) + 1));
        let share = share_loss(asked, contracts, i128::MAX).unwrap();
        assert_eq!(share.step, (1i128 << 12) * 1_000_000_000 + 1);
        assert_eq!(share.residue, contracts - 1_000_000_000);
    }
}
