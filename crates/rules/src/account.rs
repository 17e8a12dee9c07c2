//! The figures of one subaccount under the rules of a venue: equity, initial and maintenance margin, and their working.
//!
//! Numbers in, numbers out: it knows no names, no files and no orders. The prices, sizes and what-ifs that follow from the
//! figures (liquidation price, largest size, withdrawable) are in [`crate::solve`].

use crate::{CollateralTerm, Contract, Haircuts, Ladder, LadderTerms, LineRule, MarginTerms, collateral_value};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Round, Size, div_round, limits};

/// A price or amount that a venue publishes or computes with fewer digits than it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digits {
    /// Which way.
    pub round: Round,
    /// Digits after the point, at most 16.
    pub decimals: u32,
}

impl Digits {
    /// An amount with these digits.
    ///
    /// 12.345678 up to two digits is 12.35, toward zero 12.34.
    #[must_use]
    pub fn apply(self, amount: Money) -> Money {
        let step = 10i128.pow(limits::MONEY_DECIMALS.saturating_sub(self.decimals));
        let count = div_round(amount.units(), step, self.round);
        count.and_then(|count| count.checked_mul(step)).map_or(amount, Money::from_units)
    }

    fn of(digits: Option<Self>, amount: Money) -> Money {
        digits.map_or(amount, |digits| digits.apply(amount))
    }
}

/// On what the fee to close is reckoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeBasis {
    /// The notional that margin is computed from. OKX.
    #[default]
    Notional,
    /// The notional at the price at which the chosen leverage leaves nothing: entry × (1 ∓ 1 ÷ leverage). Bybit.
    Bankruptcy,
}

/// On what initial margin is reckoned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitialBasis {
    /// The notional at the price that margin is computed from.
    #[default]
    Price,
    /// What the position cost.
    Entry,
}

/// Whether unrealised gains support new risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gains {
    /// They count like cash.
    #[default]
    Count,
    /// They count for maintenance, not for initial margin.
    MaintenanceOnly,
}

/// How the venue states a liquidation price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceForm {
    /// Where equity meets maintenance, all terms at that price.
    #[default]
    Solved,
    /// price ∓ headroom ÷ size ÷ (1 ∓ maintenance rate), with headroom and rate at the price of now. Hyperliquid.
    Distance,
    /// price ∓ headroom ÷ size: maintenance does not move with the price. Hyperliquid before its change.
    Undivided,
    /// Where equity meets the maintenance margin of the entry price. Bybit before UTA.
    EntryMaintenance,
    /// price ∓ (equity − Σ maintenance margins of the entry prices, fees to close included) ÷ size, all in the numeraire. Bybit's
    /// cross positions, as recorded in 2025.
    UndividedAtEntry,
}

/// What margin needs to know of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketRules {
    /// Linear or inverse.
    pub contract: Contract,
    /// How margin grows with the position.
    pub ladder: Ladder,
    /// Open interest of the market, settlement asset; only where the ladder needs it.
    pub open_interest: Money,
    /// Fee to close that is part of margin, per notional of `fee_basis`; zero where the venue leaves it out.
    pub closing_fee: Rate,
    /// On what that fee is reckoned.
    pub fee_basis: FeeBasis,
    /// Whether initial margin has it, too.
    pub fee_in_initial: bool,
    /// Whether the liquidation price has it.
    pub fee_in_price: bool,
    /// On what initial margin is reckoned.
    pub initial_basis: InitialBasis,
    /// Digits of the notional, where the venue computes with fewer.
    pub notional_digits: Option<Digits>,
    /// Digits of initial margin.
    pub initial_digits: Option<Digits>,
    /// Digits of maintenance margin.
    pub maintenance_digits: Option<Digits>,
    /// How the liquidation price is stated.
    pub price_form: PriceForm,
}

/// A position, valued at a price.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    /// Of its market.
    pub rules: &'a MarketRules,
    /// + long, − short.
    pub size: Size,
    /// Exact signed cost, settlement asset.
    pub cost: Money,
    /// What margin is computed from: the mark, or the index where the venue uses that.
    pub price: Price,
    /// 1 ÷ chosen leverage, rounded up; zero where none is chosen.
    pub leverage: Rate,
    /// Which row of the account's collateral it settles in.
    pub settlement: usize,
    /// Its market, by any number: positions of one market move together.
    pub market: usize,
}

/// An amount of an asset that counts.
#[derive(Clone, Copy, Debug)]
pub struct Collateral<'a> {
    /// Wallet.
    pub amount: Money,
    /// Price in the numeraire.
    pub index_price: Price,
    /// What a positive amount counts.
    pub haircuts: Haircuts<'a>,
}

/// What holds for the account as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountRules {
    /// When the account is below its line.
    pub line: LineRule,
    /// Whether gains support new risk.
    pub gains: Gains,
    /// What must stay after an outflow, as a share of gross notional.
    pub outflow_share: Rate,
    /// Whether the last digit of a liquidation price is the nearest one; else it is toward zero.
    pub nearest_price: bool,
}

/// A subaccount: collateral and positions. An isolated position is an account of its own with one position.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Its rules.
    pub rules: AccountRules,
    /// One row per asset.
    pub collateral: &'a [Collateral<'a>],
    /// One row per position.
    pub positions: &'a [Holding<'a>],
}

/// The working of one position, settlement asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PositionTerms {
    /// |size| at the price, in the venue's digits.
    pub notional: Money,
    /// value − cost, rounded down.
    pub upnl: Money,
    /// What the fee to close is reckoned on.
    pub fee_notional: Money,
    /// Needed to open.
    pub initial: MarginTerms,
    /// Needed to stay open.
    pub maintenance: MarginTerms,
}

/// The working of an account, numeraire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountTerms {
    /// One per position.
    pub positions: Vec<PositionTerms>,
    /// One per asset: wallet and upnl, netted, at index after haircuts.
    pub collateral: Vec<CollateralTerm>,
    /// Σ value of the collateral.
    pub equity: Money,
    /// What of that supports new risk.
    pub equity_for_initial: Money,
    /// Σ initial margin.
    pub initial: Money,
    /// Σ maintenance margin.
    pub maintenance: Money,
    /// Σ |size| × price.
    pub notional: Money,
}

impl AccountTerms {
    /// Equity − maintenance.
    #[must_use]
    pub fn headroom(&self) -> Money {
        self.equity - self.maintenance
    }

    /// Equity that supports new risk − initial margin, not below zero.
    #[must_use]
    pub fn free_collateral(&self) -> Money {
        (self.equity_for_initial - self.initial).max(Money::ZERO)
    }

    /// Maintenance ÷ equity in 1e-9, rounded up; `None` when equity is not positive or the ratio is above 2⁹³.
    #[must_use]
    pub fn ratio(&self) -> Option<i128> {
        let equity = Some(self.equity.units()).filter(|units| *units > 0)?;
        units::mul_div(self.maintenance.units(), i128::from(limits::RATE_ONE), equity, Round::Up)
    }
}

/// What a price makes of a position, all but what is needed to open it.
pub(crate) struct Valued {
    pub(crate) notional: Money,
    pub(crate) upnl: Money,
    pub(crate) fee_notional: Money,
    pub(crate) maintenance: MarginTerms,
    ladder: LadderTerms,
    fee: Money,
}

impl Holding<'_> {
    /// Its working at another price. `None` when a figure is out of bounds.
    ///
    /// +0.1 linear bought at 60,000 with leverage 20, at 50,200 and 0.5 %: upnl −980, initial 251, maintenance 25.10.
    /// Source: venues.md sections 1 to 8, item 1.
    #[inline(always)]
    #[must_use]
    pub fn at(&self, price: Price) -> Option<PositionTerms> {
        let rules = self.rules;
        if self.size.is_zero() {
            return Some(PositionTerms::default());
        }
        let Valued { notional, upnl, fee_notional, maintenance, ladder, fee } = self.valued(price)?;
        let basis = match rules.initial_basis {
            InitialBasis::Price => notional,
            InitialBasis::Entry => self.cost.abs(),
        };
        let fee = if rules.fee_in_initial { fee } else { Money::ZERO };
        let mut initial = MarginTerms::initial(basis, &ladder, self.leverage, fee);
        initial.required = Digits::of(rules.initial_digits, initial.required);
        Some(PositionTerms { notional, upnl, fee_notional, initial, maintenance })
    }

    /// What moves headroom; the search for a price needs no more. `None` as in [`Self::at`].
    #[inline(always)]
    pub(crate) fn valued(&self, price: Price) -> Option<Valued> {
        let rules = self.rules;
        let notional = rules.contract.notional(price, self.size).filter(|n| n.units() <= limits::NOTIONAL_MAX)?;
        let notional = Digits::of(rules.notional_digits, notional);
        let ladder = rules.ladder.at(self.size, notional, rules.open_interest)?;
        let fee_notional = self.fee_notional(notional, ladder.initial);
        let has_fee = rules.closing_fee != Rate::ZERO;
        let fee = if has_fee { fee_notional.mul_rate(rules.closing_fee, Round::Up) } else { Money::ZERO };
        let mut maintenance = MarginTerms::maintenance(notional, &ladder, fee);
        maintenance.required = Digits::of(rules.maintenance_digits, maintenance.required);
        let upnl = rules.contract.upnl(price, self.size, self.cost)?;
        Some(Valued { notional, upnl, fee_notional, maintenance, ladder, fee })
    }

    /// |cost| × (1 ∓ initial rate) where the fee is reckoned at the bankruptcy price: less for what is worth less there, a linear
    /// long or an inverse short. Rounded up.
    fn fee_notional(&self, notional: Money, initial: Rate) -> Money {
        match self.rules.fee_basis {
            FeeBasis::Notional => notional,
            FeeBasis::Bankruptcy => {
                let falls = self.size.is_positive() == (self.rules.contract == Contract::Linear);
                let rate = self.leverage.max(initial);
                let share = if falls { Rate::ONE - rate } else { Rate::ONE + rate };
                self.cost.abs().mul_rate(share, Round::Up)
            }
        }
    }
}

impl Account<'_> {
    /// All figures at the prices of the positions. `None` when one is out of bounds or a position settles in no row.
    ///
    /// Equity: Σ assets (wallet + upnl, netted) × index × haircut; margins: Σ positions, converted and rounded up.
    /// Source: DESIGN.md section 6; venues.md section 0.
    #[must_use]
    pub fn terms(&self) -> Option<AccountTerms> {
        self.terms_at(|holding| Some(holding.price))
    }

    /// The same with every position at the price that `price_of` says.
    #[must_use]
    pub fn terms_at(&self, price_of: impl Fn(&Holding<'_>) -> Option<Price>) -> Option<AccountTerms> {
        let mut terms = AccountTerms::default();
        self.fill(&mut terms, price_of).map(|()| terms)
    }

    /// As [`Self::terms`], into rows that are there already, so that many accounts need no memory each. After `None` they hold
    /// nothing of use.
    #[must_use]
    pub fn terms_into(&self, terms: &mut AccountTerms) -> Option<()> {
        self.fill(terms, |holding| Some(holding.price))
    }

    fn fill(&self, terms: &mut AccountTerms, price_of: impl Fn(&Holding<'_>) -> Option<Price>) -> Option<()> {
        terms.positions.clear();
        terms.collateral.clear();
        terms.positions.reserve(self.positions.len());
        let (mut initial, mut maintenance, mut notional) = (Money::ZERO, Money::ZERO, Money::ZERO);
        for holding in self.positions {
            let row = holding.at(price_of(holding)?)?;
            let index = self.collateral.get(holding.settlement)?.index_price;
            initial = initial.checked_add(debt(row.initial.required, index)?)?;
            maintenance = maintenance.checked_add(debt(row.maintenance.required, index)?)?;
            notional = notional.checked_add(debt(row.notional, index)?)?;
            terms.positions.push(row);
        }
        let (mut equity, mut equity_for_initial) = (Money::ZERO, Money::ZERO);
        for (asset, row) in self.collateral.iter().enumerate() {
            let settled = self.positions.iter().zip(&terms.positions).filter(|(h, _)| h.settlement == asset);
            let upnl = settled.map(|(_, row)| row.upnl).try_fold(Money::ZERO, Money::checked_add)?;
            let term = row.value_of(row.amount.checked_add(upnl)?)?;
            let for_initial = match self.rules.gains {
                Gains::Count => term.value,
                Gains::MaintenanceOnly => row.value_of(row.amount.checked_add(upnl.min(Money::ZERO))?)?.value,
            };
            equity = equity.checked_add(term.value)?;
            equity_for_initial = equity_for_initial.checked_add(for_initial)?;
            terms.collateral.push(term);
        }
        (terms.initial, terms.maintenance, terms.notional) = (initial, maintenance, notional);
        (terms.equity, terms.equity_for_initial) = (equity, equity_for_initial);
        Some(())
    }

    /// Headroom alone with every position at the price that `price_of` says: that of [`Self::terms_at`].
    pub(crate) fn headroom_at(&self, price_of: impl Fn(&Holding<'_>) -> Option<Price>) -> Option<Money> {
        let mut headroom = Money::ZERO;
        for (asset, row) in self.collateral.iter().enumerate() {
            let mut amount = row.amount;
            for holding in self.positions.iter().filter(|h| h.settlement == asset && !h.size.is_zero()) {
                let valued = holding.valued(price_of(holding)?)?;
                amount = amount.checked_add(valued.upnl)?;
                headroom = headroom.checked_add(-debt(valued.maintenance.required, row.index_price)?)?;
            }
            headroom = headroom.checked_add(row.value_of(amount)?.value)?;
        }
        Some(headroom)
    }
}

impl Collateral<'_> {
    /// What an amount of this asset counts.
    pub(crate) fn value_of(&self, amount: Money) -> Option<CollateralTerm> {
        collateral_value(amount, self.index_price, &self.haircuts)
    }

    /// Whether it counts what it is, so that its value has no bends and no roundings.
    pub(crate) fn is_straight(&self) -> bool {
        let is_flat = self.haircuts.tiers.first().is_none_or(|tier| !tier.above.is_positive());
        self.index_price == Price::ONE && self.haircuts.first == Rate::ONE && is_flat
    }
}

/// A requirement of a settlement asset in the numeraire, rounded up.
#[inline]
pub(crate) fn debt(amount: Money, index: Price) -> Option<Money> {
    amount.at_index(index, Rate::ONE, Round::Up)
}
