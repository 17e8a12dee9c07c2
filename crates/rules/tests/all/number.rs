//! Decimal text at 16 decimals, for comparing across units.

use plimsoll_rules::{Ladder, Tier, TierTable};
use std::fmt;
use units::{Money, Price, Rate, Round, div_round};

pub fn m(text: &str) -> Money {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
pub fn p(text: &str) -> Price {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
pub fn r(text: &str) -> Rate {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// A count of 1e-16: the finest unit, in which all others are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed(pub i128);

impl From<Money> for Fixed {
    fn from(money: Money) -> Self {
        Self(money.units())
    }
}
impl From<Price> for Fixed {
    fn from(price: Price) -> Self {
        Self(i128::from(price.units()) * 100_000_000)
    }
}
impl From<Rate> for Fixed {
    fn from(rate: Rate) -> Self {
        Self(i128::from(rate.units()) * 10_000_000)
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Money::from_units(self.0).fmt(f)
    }
}

impl Fixed {
    /// Plain text, digits beyond the sixteenth cut off: sources print more of them than their method is good for.
    pub fn read(text: &str) -> Self {
        let end = text.find('.').map_or(text.len(), |point| text.len().min(point + 17));
        Self(m(&text[..end]).units())
    }

    /// `how` is `up 0`, `nearest 2`, `toward_zero 8`, ...: a direction and the decimals that stay.
    pub fn rounded(self, how: &str) -> Self {
        let (direction, decimals) = how.split_once(' ').unwrap_or_else(|| panic!("rounding {how:?}"));
        let step = 10i128.pow(16 - decimals.parse::<u32>().unwrap());
        let count = match direction {
            "up" => div_round(self.0, step, Round::Up),
            "toward_zero" => div_round(self.0, step, Round::TowardZero),
            "nearest" => div_round(self.0 + step / 2, step, Round::Down),
            _ => panic!("rounding {how:?}"),
        };
        Self(count.unwrap() * step)
    }
}

/// Ladders as venues print them: caps and rates. Initial rates are one where the source names none.
pub fn ladder(caps: &[Money], maintenance: &[Rate], initial: Rate) -> Ladder {
    assert_eq!(caps.len(), maintenance.len());
    let steps: Vec<_> = caps.iter().zip(maintenance).map(|(&cap, &rate)| (cap, initial, rate)).collect();
    Ladder::Tiers(TierTable::derive(&steps).unwrap())
}

/// The tiers of a ladder.
pub fn rows(ladder: &Ladder) -> &[Tier] {
    let Ladder::Tiers(table) = ladder else { panic!("{ladder:?} has no tiers") };
    table.tiers()
}

/// A ladder whose last tier has this rate and deduction: it begins at 2 × deduction ÷ rate, after half the rate.
pub fn ladder_with(rate: Rate, deduction: Money) -> Ladder {
    let all = Money::whole(1_000_000_000_000);
    if deduction.is_zero() {
        return ladder(&[all], &[rate], Rate::ONE);
    }
    let half = Rate::new(rate.units() / 2).unwrap();
    let floor = deduction.share(1_000_000_000, i128::from((rate - half).units()), Round::Down);
    let table = ladder(&[floor, all], &[half, rate], Rate::ONE);
    assert_eq!(rows(&table)[1].deduction, deduction, "no ladder has exactly this deduction");
    table
}
