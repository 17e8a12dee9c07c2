//! The room that an account has: how far a position may grow, and what may leave. Each answer comes with the terms that show it.

use crate::account::{Account, AccountTerms, Holding, PositionTerms, debt};
use crate::liquidation::halve;
use alloc::vec::Vec;
use serde::Serialize;
use units::{Money, Round, Size};

/// Which way a position is to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// More is bought.
    Buy,
    /// More is sold.
    Sell,
}

impl Way {
    /// +1 or −1.
    #[must_use]
    pub fn signum(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
}

/// A position at another size, at the price of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Grown {
    /// + long, − short.
    pub size: Size,
    /// Its figures at that size; the cost is that of the price of now.
    pub terms: PositionTerms,
    /// Initial margin of the account with it, numeraire.
    pub initial: Money,
    /// Whether its notional is beyond the last tier.
    pub is_beyond_ladder: bool,
}

/// How far a position may grow, with its working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GrowthTerms {
    /// Contracts besides what there is, in whole lots; what closes first is part of it.
    pub size: Size,
    /// Initial margin of the other positions, numeraire.
    pub others: Money,
    /// The position with them; none where it is flat then.
    pub last: Option<Grown>,
    /// One lot further; none where its figures are out of range.
    pub next: Option<Grown>,
}

/// What may leave of an asset, with its working.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutflowTerms {
    /// The most of the asset that may leave.
    pub amount: Money,
    /// Wallet and losses of the asset, gains counted as zero.
    pub counted: Money,
    /// What the other assets count so, numeraire.
    pub others: Money,
    /// What of gross notional must stay, numeraire.
    pub outflow_share: Money,
    /// What must be covered, numeraire: the larger of that and initial margin.
    pub needed: Money,
    /// What is left when the amount has left, numeraire; `None` where no amount was looked for.
    pub stays: Option<Money>,
    /// Whether a wallet below zero keeps everything.
    pub has_debt: bool,
}

impl Account<'_> {
    /// The most contracts that can be bought (or sold) at the price of now, fees apart, so that equity still covers initial margin
    /// and the ladder does not end; in whole lots. What closes first is part of it.
    #[must_use]
    pub fn largest_size(&self, terms: &AccountTerms, at: usize, way: Way, lot: Size) -> Option<GrowthTerms> {
        let (holding, row) = (self.positions.get(at)?, terms.positions.get(at)?);
        let index = self.collateral.get(holding.settlement)?.index_price;
        let others = terms.initial - debt(row.initial.required, index)?;
        let side = way.signum();
        let held = holding.size.units() * side;
        // |size| after, on the side that grows.
        let grown = |units: i64| {
            let size = Size::new(units.checked_mul(side)?)?;
            let cost = holding.rules.contract.value(holding.price, size, Round::Up)?;
            let after = Holding { size, cost, ..*holding }.at(holding.price)?;
            let is_beyond_ladder = holding.rules.ladder.cap().is_some_and(|cap| after.notional > cap);
            let initial = debt(after.initial.required, index)?.checked_add(others)?;
            Some(Grown { size, terms: after, initial, is_beyond_ladder })
        };
        let fits = |units: i64| {
            grown(units).is_some_and(|after| !after.is_beyond_ladder && after.initial <= terms.equity_for_initial)
        };
        let least = held.max(0);
        let size = if fits(least.max(1)) {
            Size::new(halve(least.max(1), i64::MAX / 2, fits).0 - held)?
        } else {
            // Flat is always allowed: a position of the other side may be closed.
            Size::new((-held).max(0))?
        };
        let size = size.to_lot(lot);
        let last = held.checked_add(size.units())?;
        let next = last.checked_add(lot.units()).and_then(grown);
        Some(GrowthTerms { size, others, last: if last == 0 { None } else { grown(last) }, next })
    }

    /// The most of an asset that may leave: never above the wallet; what stays, gains counted as zero, covers the larger of initial
    /// margin and the rulebook's share of notional; nothing while a wallet is below zero.
    #[must_use]
    pub fn withdrawable(&self, terms: &AccountTerms, asset: usize) -> Option<OutflowTerms> {
        let row = self.collateral.get(asset)?;
        let counted = self.counted(terms)?;
        let own = *counted.get(asset)?;
        let mut others = Money::ZERO;
        for (n, (collateral, amount)) in self.collateral.iter().zip(&counted).enumerate() {
            if n != asset {
                others = others.checked_add(collateral.value_of(*amount)?.value)?;
            }
        }
        let outflow_share = terms.notional.mul_rate(self.rules.outflow_share, Round::Up);
        let needed = terms.initial.max(outflow_share);
        let has_debt = self.collateral.iter().any(|row| row.amount.is_negative());
        let stays = |left: i128| {
            let value = row.value_of(own - (row.amount - Money::from_units(left)));
            value.and_then(|value| value.value.checked_add(others))
        };
        let covers = |left: i128| stays(left).is_some_and(|equity| equity >= needed);
        let wallet = row.amount.units();
        let left = if !row.amount.is_positive() || has_debt {
            None
        } else if needed.is_zero() || covers(0) {
            Some(0)
        } else if covers(wallet) {
            Some(least(wallet, covers))
        } else {
            None
        };
        let amount = left.map_or(Money::ZERO, |left| row.amount - Money::from_units(left));
        let stays = if has_debt { None } else { stays(row.amount.units() - amount.units()) };
        Some(OutflowTerms { amount, counted: own, others, outflow_share, needed, stays, has_debt })
    }

    /// Of each asset wallet and losses, gains counted as zero.
    fn counted(&self, terms: &AccountTerms) -> Option<Vec<Money>> {
        let assets = self.collateral.iter().enumerate();
        let counted = assets.map(|(n, collateral)| {
            let settled = self.positions.iter().zip(&terms.positions).filter(|(held, _)| held.settlement == n);
            let mut losses = settled.map(|(_, row)| row.upnl.min(Money::ZERO));
            losses.try_fold(collateral.amount, Money::checked_add)
        });
        counted.collect()
    }
}

/// The least units up to `good` that cover; none of them does not.
fn least(mut good: i128, covers: impl Fn(i128) -> bool) -> i128 {
    let mut bad = 0;
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if covers(middle) { good = middle } else { bad = middle }
    }
    good
}
