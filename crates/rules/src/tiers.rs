//! Size tiers: a rate for the whole notional minus a deduction that makes the ladder continuous.
//!
//! Deduction of tier n: floor_n × (rate_n − rate_{n−1}) + deduction_{n−1}, so that the margin just above a boundary
//! continues the one just below it. Source: venues.md sections 1, 3 and 7 (Binance `cum`, Bybit `mmDeduction`,
//! Hyperliquid deductions are the same rule).

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use units::{Money, Rate, Round};

/// One step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Notional above which the tier applies, in the settlement asset.
    pub floor: Money,
    /// Notional up to which it applies (inclusive). The last tier's cap is the largest position that may be opened.
    pub cap: Money,
    /// Least initial margin per notional in this tier: 1 ÷ maximum leverage.
    pub initial_rate: Rate,
    /// Maintenance margin per notional.
    pub maintenance_rate: Rate,
    /// Subtracted from notional × maintenance rate.
    pub deduction: Money,
}

impl Tier {
    /// Its rates and deduction.
    #[inline]
    #[must_use]
    pub fn terms(&self) -> crate::LadderTerms {
        crate::LadderTerms { initial: self.initial_rate, maintenance: self.maintenance_rate, deduction: self.deduction }
    }
}

/// Why a ladder is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierError {
    /// No tier, or more than the limit.
    Count,
    /// A floor that is not the cap before it, or a cap not above its floor; the first floor is not zero.
    NotContiguous,
    /// The last cap is beyond what one position may be worth.
    TooLarge,
    /// A rate that is not positive, above one, falling, or an initial rate below the maintenance rate.
    Rates,
    /// A deduction that differs from the continuity rule.
    Deduction {
        /// What the rule gives.
        derived: Money,
    },
}

impl fmt::Display for TierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => write!(f, "between 1 and {} tiers are needed", TierTable::TIERS_MAX),
            Self::NotContiguous => write!(f, "each tier must begin where the one before it ends, the first at zero"),
            Self::TooLarge => write!(f, "the last cap is beyond what one position may be worth"),
            Self::Rates => write!(f, "0 < maintenance rate <= initial rate <= 1, neither falling from tier to tier"),
            Self::Deduction { derived } => {
                write!(f, "deduction does not continue the tier before it, needed {derived}")
            }
        }
    }
}

/// A checked ladder of tiers, lowest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tier>", into = "Vec<Tier>")]
pub struct TierTable {
    tiers: Vec<Tier>,
    first: Tier,
}

impl TierTable {
    /// The most tiers of one market.
    pub const TIERS_MAX: usize = 64;

    /// Checks a ladder, its deductions included.
    ///
    /// # Errors
    /// [`TierError`] names the first rule that is broken.
    pub fn new(tiers: Vec<Tier>) -> Result<Self, TierError> {
        let first = *tiers.first().filter(|_| tiers.len() <= Self::TIERS_MAX).ok_or(TierError::Count)?;
        let mut before: Option<&Tier> = None;
        for tier in &tiers {
            let floor = before.map_or(Money::ZERO, |b| b.cap);
            if tier.floor != floor || tier.cap <= tier.floor || !tier.cap.in_bounds() {
                return Err(TierError::NotContiguous);
            }
            let falls = before
                .is_some_and(|b| tier.maintenance_rate < b.maintenance_rate || tier.initial_rate < b.initial_rate);
            if falls
                || !tier.maintenance_rate.is_positive()
                || tier.initial_rate < tier.maintenance_rate
                || tier.initial_rate > Rate::ONE
            {
                return Err(TierError::Rates);
            }
            let derived = Self::deduction(before, tier.floor, tier.maintenance_rate);
            if tier.deduction != derived {
                return Err(TierError::Deduction { derived });
            }
            before = Some(tier);
        }
        Ok(Self { tiers, first })
    }

    /// Builds a ladder from (cap, initial rate, maintenance rate), deriving floors and deductions.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn derive(steps: &[(Money, Rate, Rate)]) -> Result<Self, TierError> {
        let mut tiers: Vec<Tier> = Vec::new();
        for &(cap, initial_rate, maintenance_rate) in steps {
            let before = tiers.last();
            let floor = before.map_or(Money::ZERO, |b| b.cap);
            let deduction = Self::deduction(before, floor, maintenance_rate);
            tiers.push(Tier { floor, cap, initial_rate, maintenance_rate, deduction });
        }
        Self::new(tiers)
    }

    /// 250,000 × (1 % − 0.5 %) + 50 is 1,300. Rounds down: a deduction is in the account's favour.
    fn deduction(before: Option<&Tier>, floor: Money, rate: Rate) -> Money {
        before.map_or(Money::ZERO, |b| floor.mul_rate(rate - b.maintenance_rate, Round::Down) + b.deduction)
    }

    /// The tier of a notional; beyond the last cap, the last tier.
    #[inline]
    #[must_use]
    pub fn of(&self, notional: Money) -> &Tier {
        if notional <= self.first.cap {
            return &self.first;
        }
        self.tiers.iter().find(|t| notional <= t.cap).or(self.tiers.last()).unwrap_or(&self.first)
    }

    /// All tiers, lowest first.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// The largest notional of one position.
    #[must_use]
    pub fn cap(&self) -> Money {
        self.tiers.last().map_or(Money::ZERO, |t| t.cap)
    }

    /// The largest maintenance rate of the ladder.
    #[must_use]
    pub fn maintenance_rate_max(&self) -> Rate {
        self.tiers.last().map_or(Rate::ONE, |t| t.maintenance_rate)
    }
}

impl TryFrom<Vec<Tier>> for TierTable {
    type Error = TierError;
    fn try_from(tiers: Vec<Tier>) -> Result<Self, TierError> {
        Self::new(tiers)
    }
}

impl From<TierTable> for Vec<Tier> {
    fn from(table: TierTable) -> Self {
        table.tiers
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

    #[test]
    fn deductions_of_a_published_ladder() {
        let steps = [
            ("50000", "0.008", "0.004"),
            ("250000", "0.01", "0.005"),
            ("1000000", "0.02", "0.01"),
            ("10000000", "0.05", "0.025"),
            ("20000000", "0.1", "0.05"),
        ]
        .map(|(cap, i, mm)| (m(cap), r(i), r(mm)));
        let table = TierTable::derive(&steps).unwrap();
        let deductions: Vec<Money> = table.tiers().iter().map(|t| t.deduction).collect();
        assert_eq!(deductions, ["0", "50", "1300", "16300", "266300"].map(m));
        let mut wrong = table.tiers().to_vec();
        wrong[2].deduction = m("1300.0000000000000001");
        assert_eq!(TierTable::new(wrong), Err(TierError::Deduction { derived: m("1300") }));
    }

    #[test]
    fn a_cap_belongs_to_the_tier_below() {
        let table = TierTable::derive(&[(m("100"), r("0.02"), r("0.01")), (m("200"), r("0.04"), r("0.02"))]).unwrap();
        assert_eq!(table.of(m("100")).maintenance_rate, r("0.01"));
        assert_eq!(table.of(m("100.0000000000000001")).maintenance_rate, r("0.02"));
        assert_eq!(table.of(m("1000")).maintenance_rate, r("0.02"));
        let third =
            [(m("100"), r("0.02"), r("0.01")), (m("200"), r("0.04"), r("0.02")), (m("300"), r("0.1"), r("0.05"))];
        let table = TierTable::derive(&third).unwrap();
        assert_eq!(table.of(m("200")).initial_rate, r("0.04"));
        assert_eq!(table.of(m("200.0000000000000001")).initial_rate, r("0.1"));
        assert_eq!(TierTable::derive(&[]), Err(TierError::Count));
        assert_eq!(TierTable::derive(&[(m("100"), r("0.02"), r("0.03"))]), Err(TierError::Rates));
        assert_eq!(TierTable::derive(&[(m("0"), r("0.02"), r("0.01"))]), Err(TierError::NotContiguous));
    }
}
