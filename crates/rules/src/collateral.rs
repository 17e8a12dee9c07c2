//! What an amount of an asset counts as collateral: its haircut, by slices of the amount, and how much is needed to count
//! for a margin. It knows no accounts and no caps of a venue.

use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round};

/// Slices beside the first that a schedule can have.
pub const HAIRCUT_TIERS_MAX: usize = 5;

/// A further slice of an amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HaircutTier {
    /// What is above this amount counts at `haircut`; zero: unused.
    pub above: Money,
    /// Share of the index, 0 to 1. Zero makes `above` the most that counts at all.
    pub haircut: Rate,
}

/// The shares of its index that an amount counts, slice by slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Haircuts<'a> {
    /// Of the first slice.
    pub first: Rate,
    /// Of those above it: rising amounts, shares that do not rise; unused ones last.
    pub tiers: &'a [HaircutTier],
}

impl Haircuts<'_> {
    /// One share for any amount.
    #[must_use]
    pub fn flat(first: Rate) -> Self {
        Self { first, tiers: &[] }
    }

    /// Amounts rise, shares are from 0 to 1 and do not rise, unused slices come last.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let share = |rate: Rate| !rate.is_negative() && rate <= Rate::ONE;
        let used = self.tiers.iter().take_while(|t| t.above.is_positive()).count();
        let rest = self.tiers.iter().skip(used).all(|t| *t == HaircutTier::default());
        let mut before = (Money::ZERO, self.first);
        let falls = self.tiers.iter().take(used).all(|t| {
            let good = t.above > before.0 && t.haircut <= before.1 && share(t.haircut);
            before = (t.above, t.haircut);
            good
        });
        share(self.first) && rest && falls
    }

    /// Slices of a positive amount with their shares. A first share that was lowered below a later one lowers that, too.
    fn slices(&self, amount: Money) -> impl Iterator<Item = (Money, Rate)> {
        let used = self.tiers.iter().take_while(|t| t.above.is_positive());
        let starts =
            core::iter::once((Money::ZERO, self.first)).chain(used.map(|t| (t.above, t.haircut.min(self.first))));
        let ends = self.tiers.iter().map(|t| t.above).chain(core::iter::once(Money::ZERO));
        starts.zip(ends).map(move |((from, share), to)| {
            let to = if to.is_positive() { amount.min(to) } else { amount };
            ((to - from).max(Money::ZERO), share)
        })
    }

    /// The fewest units of an asset, beside `held` of it, that count for `needed` more, both in the asset itself. `None` when no
    /// amount does, because what is above the last slice counts nothing. Rounds up.
    ///
    /// At 95 % up to 1,000 and 80 % above, 100 beside 950 take 112.5: 50 count 47.50, the other 52.50 ÷ 0.8 = 65.625, in sum
    /// 115.625. Source: own.
    #[must_use]
    pub fn beside(&self, held: Money, needed: Money) -> Option<Money> {
        if !needed.is_positive() {
            return Some(Money::ZERO);
        }
        // A debt is repaid in full first.
        let (mut left, mut sum) = (needed, Money::ZERO);
        let debt = (-held).max(Money::ZERO).min(left);
        (left, sum) = (left - debt, sum + debt);
        let held = held.max(Money::ZERO);
        let mut before = Money::ZERO;
        for (slice, share) in self.slices(Money::MAX) {
            let taken = (held - before).max(Money::ZERO).min(slice);
            before += slice;
            let free = slice - taken;
            if !left.is_positive() || !free.is_positive() {
                continue;
            }
            if !share.is_positive() {
                return None;
            }
            let (one, share_units) = (i128::from(Rate::ONE.units()), i128::from(share.units()));
            let wanted = units::mul_div(left.units(), one, share_units, Round::Up).and_then(Money::new)?;
            if wanted <= free {
                return Some(sum + wanted);
            }
            sum += free;
            left -= free.mul_rate(share, Round::Down);
        }
        if left.is_positive() { None } else { Some(sum) }
    }
}

/// What an amount of one asset counts as collateral, with its working.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CollateralTerm {
    /// wallet + upnl + unsettled funding that settle in this asset, netted first.
    pub amount: Money,
    /// Price of the asset in the numeraire.
    pub index_price: Price,
    /// The haircut that was applied to the first slice: one for a debt.
    pub haircut: Rate,
    /// Σ slice × index × haircut, each rounded down.
    pub value: Money,
}

/// Gains are haircut, slice by slice, debts are not. Each slice rounds down, so a debt rounds away from zero. `None` when it does
/// not fit.
///
/// 1,000 USD of BNB at 0.95 count 950; a debt of 1,000 counts −1,000. At 0.95 up to 600 and 0.9 above: 570 + 360 = 930.
/// Source: venues.md sections 1 to 4 and 7.
#[must_use]
pub fn collateral_value(amount: Money, index_price: Price, haircuts: &Haircuts<'_>) -> Option<CollateralTerm> {
    let flat = !amount.is_positive() || haircuts.tiers.first().is_none_or(|t| !t.above.is_positive());
    let haircut = if amount.is_positive() { haircuts.first } else { Rate::ONE };
    let value = if flat {
        amount.at_index(index_price, haircut, Round::Down)?
    } else {
        haircuts.slices(amount).try_fold(Money::ZERO, |sum, (slice, share)| {
            sum.checked_add(slice.at_index(index_price, share, Round::Down)?)
        })?
    };
    Some(CollateralTerm { amount, index_price, haircut, value })
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
    fn schedule(first: &str, tiers: &[(&str, &str)]) -> Haircuts<'static> {
        let tiers = tiers.iter().map(|(above, haircut)| HaircutTier { above: m(above), haircut: r(haircut) });
        Haircuts { first: r(first), tiers: tiers.collect::<alloc::vec::Vec<_>>().leak() }
    }
    fn value(amount: &str, haircuts: &Haircuts<'_>) -> Money {
        collateral_value(m(amount), Price::whole(2), haircuts).unwrap().value
    }

    #[test]
    fn each_slice_counts_at_its_own_share_and_a_debt_in_full() {
        let haircuts = schedule("0.95", &[("600", "0.9"), ("1000", "0")]);
        assert!(haircuts.is_good());
        assert_eq!(value("600", &haircuts), m("1140"));
        assert_eq!(value("1000", &haircuts), m("1860"));
        assert_eq!(value("5000", &haircuts), m("1860"));
        assert_eq!(value("-5000", &haircuts), m("-10000"));
        // A first share lowered below the next one lowers that, too.
        assert_eq!(value("1000", &Haircuts { first: r("0.5"), ..haircuts }), m("1000"));
    }

    #[test]
    fn a_schedule_that_rises_or_has_holes_is_no_good() {
        assert!(!schedule("0.9", &[("600", "0.95")]).is_good());
        assert!(!schedule("0.9", &[("600", "0.8"), ("600", "0.7")]).is_good());
        assert!(!schedule("0.9", &[("0", "0"), ("600", "0.7")]).is_good());
        assert!(!schedule("1.1", &[]).is_good());
        assert!(schedule("1", &[("600", "1"), ("700", "0")]).is_good());
    }

    #[test]
    fn what_is_needed_beside_something_counts_for_no_less_and_one_unit_fewer_does_not() {
        let haircuts = schedule("0.95", &[("1000", "0.8"), ("2000", "0.3")]);
        assert_eq!(haircuts.beside(m("950"), m("100")), Some(m("115.625")));
        let of = |amount: Money| collateral_value(amount, Price::ONE, &haircuts).unwrap().value;
        for (held, needed) in
            [("0", "1"), ("999", "500"), ("1500", "900"), ("-100", "300"), ("0", "0.0000000000000007")]
        {
            let more = haircuts.beside(m(held), m(needed)).unwrap();
            assert!(of(m(held) + more) - of(m(held)) >= m(needed), "{held} {needed}");
            let fewer = of(m(held) + more - m("0.0000000000000003")) - of(m(held));
            assert!(fewer < m(needed), "{held} {needed} {more}");
        }
        assert_eq!(schedule("1", &[("10", "0")]).beside(m("8"), m("3")), None);
    }
}
