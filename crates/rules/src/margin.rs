//! Initial margin, maintenance margin and what collateral counts. Inlined, so that who takes one term pays for one
//! (`benches/explain_cost.rs`).

use crate::{Contract, Ladder, LadderTerms};
use serde::Serialize;
use units::{Money, Price, Rate, Round, Size};

/// A margin requirement with its working, in the settlement asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MarginTerms {
    /// |size| × price.
    pub notional: Money,
    /// The rate applied.
    pub rate: Rate,
    /// notional × rate, rounded up.
    pub charge: Money,
    /// What the ladder gives back.
    pub deduction: Money,
    /// notional × closing fee, rounded up; zero where the rulebook leaves fees out.
    pub closing_fee: Money,
    /// charge − deduction (not below zero) + closing fee: what must be held.
    pub required: Money,
}

/// A fee with its working, in the settlement asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FeeTerms {
    /// What it is charged on.
    pub notional: Money,
    /// The rate applied; negative for a rebate.
    pub rate: Rate,
    /// notional × rate; + is paid by the account.
    pub fee: Money,
}

/// The fee of a fill: notional × rate, rounded up, so that a rebate is rounded toward zero.
///
/// 5,020 at 0.05 % pays 2.51; at −0.02 % it gets 1.004. Source: venues.md section 1.
#[must_use]
#[inline]
pub fn trading_fee(notional: Money, rate: Rate) -> FeeTerms {
    FeeTerms { notional, rate, fee: notional.mul_rate(rate, Round::Up) }
}

/// Equity below this starts a liquidation: notional × rate − deduction, not below zero, plus the fee to close. The rates are those
/// of [`Ladder::held`].
///
/// 0.1 BTC at 50,200 and 0.5 % needs 25.10; with a closing fee of 0.05 % it needs 27.61. Rounds up. `None` when the
/// notional is out of bounds. Source: venues.md sections 1 and 3.
#[must_use]
#[inline]
pub fn maintenance_margin(
    contract: Contract,
    mark: Price,
    size: Size,
    ladder: &Ladder,
    closing_fee: Rate,
) -> Option<MarginTerms> {
    if size.is_zero() {
        return Some(MarginTerms::default());
    }
    let notional = contract.notional(mark, size)?;
    let fee = notional.mul_rate(closing_fee, Round::Up);
    // Open interest moves initial margin alone: it never makes a healthy account liquidatable.
    Some(MarginTerms::maintenance(notional, &ladder.held(size, notional, Money::ZERO), fee))
}

/// Needed to open: notional × the greater of 1 ÷ leverage and the ladder's initial rate, plus the fee to close, and never
/// less than maintenance. `open_interest` is that of the market, settlement asset; only one form of ladder asks for it.
///
/// 0.1 BTC at 50,000 with leverage 20 needs 250. Rounds up. `None` when the notional is out of bounds.
#[must_use]
#[inline]
pub fn initial_margin(
    contract: Contract,
    mark: Price,
    size: Size,
    ladder: &Ladder,
    open_interest: Money,
    leverage_rate: Rate,
    closing_fee: Rate,
) -> Option<MarginTerms> {
    if size.is_zero() {
        return Some(MarginTerms::default());
    }
    let notional = contract.notional(mark, size)?;
    let fee = notional.mul_rate(closing_fee, Round::Up);
    // The initial rate is never below the maintenance rate beside it, so this is never below maintenance.
    Some(MarginTerms::initial(notional, &ladder.held(size, notional, open_interest), leverage_rate, fee))
}

impl MarginTerms {
    /// notional × maintenance rate − deduction, not below zero, + fee. Rounds up.
    #[inline]
    pub(crate) fn maintenance(notional: Money, ladder: &LadderTerms, closing_fee: Money) -> Self {
        let (rate, deduction) = (ladder.maintenance, ladder.deduction);
        let charge = notional.mul_rate(rate, Round::Up);
        let required = (charge - deduction).max(Money::ZERO) + closing_fee;
        Self { notional, rate, charge, deduction, closing_fee, required }
    }

    /// notional × the greater of `leverage_rate` (1 ÷ leverage) and the ladder's initial rate, + fee. Rounds up.
    #[inline]
    pub(crate) fn initial(notional: Money, ladder: &LadderTerms, leverage_rate: Rate, closing_fee: Money) -> Self {
        let rate = leverage_rate.max(ladder.initial);
        let charge = notional.mul_rate(rate, Round::Up);
        Self { notional, rate, charge, deduction: Money::ZERO, closing_fee, required: charge + closing_fee }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn tiers(steps: &[(Money, Rate, Rate)]) -> Ladder {
        Ladder::Tiers(crate::TierTable::derive(steps).unwrap())
    }

    #[test]
    fn maintenance_has_tiers_deduction_and_fee() {
        let tiers = tiers(&[(m("5000"), r("0.01"), r("0.005")), (m("100000"), r("0.02"), r("0.01"))]);
        let size = "0.1".parse().unwrap();
        let terms = maintenance_margin(Contract::Linear, Price::whole(50_000), size, &tiers, Rate::ZERO).unwrap();
        assert_eq!(terms.required, m("25"));
        let terms = maintenance_margin(Contract::Linear, Price::whole(50_200), size, &tiers, r("0.0005")).unwrap();
        assert_eq!((terms.charge, terms.deduction, terms.closing_fee), (m("50.20"), m("25"), m("2.51")));
        assert_eq!(terms.required, m("27.71"));
    }

    #[test]
    fn initial_takes_the_worse_of_leverage_and_tier() {
        let tiers = tiers(&[(m("5000"), r("0.01"), r("0.005")), (m("100000"), r("0.05"), r("0.01"))]);
        let at = |price, leverage| {
            let size = "0.1".parse().unwrap();
            initial_margin(Contract::Linear, Price::whole(price), size, &tiers, Money::ZERO, r(leverage), Rate::ZERO)
                .unwrap()
                .required
        };
        assert_eq!(at(50_000, "0.02"), m("100"));
        assert_eq!(at(50_001, "0.02"), m("250.005"));
        assert_eq!(at(50_001, "0.1"), m("500.01"));
    }

    #[test]
    fn margin_rounds_up_and_collateral_down() {
        let tiers = tiers(&[(m("5000"), r("0.03"), r("0.03"))]);
        let (price, size) = ("0.00000001".parse().unwrap(), "0.00000001".parse().unwrap());
        let terms = maintenance_margin(Contract::Linear, price, size, &tiers, Rate::ZERO).unwrap();
        assert_eq!(terms.required, Money::UNIT);
        let flat = |share: &str| crate::Haircuts::flat(r(share));
        let value = |amount, price, share| crate::collateral_value(amount, price, &flat(share)).unwrap().value;
        assert_eq!(value(Money::UNIT, Price::ONE, "0.9"), Money::ZERO);
        assert_eq!(value(-Money::UNIT, "0.9".parse().unwrap(), "0.5"), -Money::UNIT);
        assert_eq!(value(m("1000"), Price::ONE, "0.95"), m("950"));
    }
}
