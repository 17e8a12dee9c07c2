//! Limits of subaccounts, owners and groups of related owners, and caps on a market's open interest: what keeps one hand
//! from holding too much. Margin is not looked at here.
//!
//! A subaccount without limits costs nothing: totals are kept for owners that have limits or belong to a group, and its own
//! row says whether to look.

use crate::output::Output;
use crate::params::ExposureLimits;
use crate::state::{Account, Exposure, Held, Watched};
use crate::{
    AccountId, AccountKind, Answer, Event, GroupId, LimitScope, Market, MarketId, OwnerId, Reject, Side, State,
    apply::Definition, limits,
};
use alloc::vec::Vec;
use rules::Contract;
use units::{Money, Rate, Round, Size};

/// What an order would add: contracts that increase, without sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition {
    pub market: MarketId,
    pub side: Side,
    pub size: Size,
    /// Resting contracts of the side that it replaces.
    pub replaced: Size,
    /// Contracts of the other side that are closed at the same moment; those of an order may not be.
    pub closed: Size,
}

/// Sets the limits of a subaccount, an owner or a group; none of the three takes them away. Costs a look at every account when
/// an owner gets its first.
pub(crate) fn set_limits(out: &mut Output<'_>, scope: LimitScope, asked: &ExposureLimits) -> Result<Answer, Reject> {
    let state = out.state();
    if let LimitScope::Account(account) = scope {
        state.find_trading(account)?;
    }
    let bound = Money::from_units(units::limits::NOTIONAL_MAX);
    for amount in [asked.position, asked.open].into_iter().flatten() {
        if amount.is_negative() {
            return Err(Reject::AmountNotPositive { asked: amount });
        }
        if amount > bound {
            return Err(Reject::AmountTooLarge { asked: amount, limit: bound });
        }
    }
    contradiction(scope, asked, &ExposureLimits { open: asked.open, ..ExposureLimits::default() })?;
    state.fits_between(scope, asked)?;
    let known = match scope {
        LimitScope::Account(account) => state.account_limits.contains_key(&account),
        LimitScope::Owner(owner) => state.owners.contains_key(&owner),
        LimitScope::Group(group) => state.groups.contains_key(&group),
    };
    if !known {
        State::room(state.account_limits.len() + state.owners.len() + state.groups.len(), limits::LIMITS_MAX)?;
    }
    out.define(Event::LimitsSet { scope }, Definition::Limits(asked));
    Ok(Answer::Done)
}

/// Puts an owner into a group of related owners, or takes it out of its group. Costs a look at every account.
pub(crate) fn set_owner_group(out: &mut Output<'_>, owner: OwnerId, group: Option<GroupId>) -> Result<Answer, Reject> {
    let state = out.state();
    if state.group_of(owner) == group {
        return Err(Reject::AlreadySo);
    }
    State::room(state.account_limits.len() + state.owners.len() + state.groups.len() + 1, limits::LIMITS_MAX)?;
    if let Some(above) = group.and_then(|group| state.groups.get(&group)) {
        let own = state.owners.get(&owner).map(|row| row.limits).unwrap_or_default();
        contradiction(LimitScope::Owner(owner), &own, &above.limits)?;
        state.accounts_within(owner, &above.limits)?;
    }
    out.emit(Event::OwnerGrouped { owner, group });
    Ok(Answer::Done)
}

/// A limit may not be above the one of what it is a part of: it would promise what is refused.
fn contradiction(part: LimitScope, own: &ExposureLimits, above: &ExposureLimits) -> Result<(), Reject> {
    let money = |a: Option<Money>, b: Option<Money>| a.zip(b).filter(|(a, b)| a > b);
    let wider = money(own.position, above.position).or(money(own.open, above.open)).or(money(own.position, above.open));
    if let Some((asked, above)) = wider {
        return Err(Reject::LimitsContradict { part, asked, above });
    }
    match own.orders.zip(above.orders).filter(|(a, b)| a > b) {
        Some((asked, above)) => {
            let count = |n: u32| Money::whole(i64::from(n));
            Err(Reject::LimitsContradict { part, asked: count(asked), above: count(above) })
        }
        None => Ok(()),
    }
}

/// The greatest side of a market: contracts, 1e-8.
fn larger(held: &Held) -> i128 {
    (held.long + held.buys).max(held.short + held.sells)
}

impl Held {
    /// Contracts of a side with its resting orders.
    fn side(&self, side: Side) -> i128 {
        match side {
            Side::Buy => self.long + self.buys,
            Side::Sell => self.short + self.sells,
        }
    }

    pub(crate) fn add(&mut self, other: &Self, sign: i128) {
        self.long += sign * other.long;
        self.short += sign * other.short;
        self.buys += sign * other.buys;
        self.sells += sign * other.sells;
    }

    /// What the rows of an account hold in a market.
    fn of(account: &Account, market: MarketId) -> Self {
        let mut held = Self::default();
        for e in account.exposures_in(market) {
            held.add(&Self::of_row(e), 1);
        }
        held
    }

    fn of_row(e: &Exposure) -> Self {
        let (buys, sells) = (i128::from(e.buys.size.units()), i128::from(e.sells.size.units()));
        Self { buys, sells, ..Self::of_position(e.size) }
    }

    /// A position without orders.
    pub(crate) fn of_position(size: Size) -> Self {
        let units = i128::from(size.units());
        Self { long: units.max(0), short: -units.min(0), ..Self::default() }
    }
}

impl State {
    fn group_of(&self, owner: OwnerId) -> Option<GroupId> {
        self.owners.get(&owner).and_then(|row| row.group)
    }

    /// Against the limits above and below in (subaccount, owner, group).
    fn fits_between(&self, scope: LimitScope, asked: &ExposureLimits) -> Result<(), Reject> {
        let own = |owner: OwnerId| self.owners.get(&owner).map(|row| row.limits).unwrap_or_default();
        let group = |group: GroupId| self.groups.get(&group).map(|row| row.limits).unwrap_or_default();
        match scope {
            LimitScope::Account(account) => {
                let owner = self.account(account).owner;
                contradiction(scope, asked, &own(owner))?;
                self.group_of(owner).map_or(Ok(()), |g| contradiction(scope, asked, &group(g)))
            }
            LimitScope::Owner(owner) => {
                self.group_of(owner).map_or(Ok(()), |g| contradiction(scope, asked, &group(g)))?;
                self.accounts_within(owner, asked)
            }
            LimitScope::Group(group) => {
                for (owner, row) in self.owners.iter().filter(|(_, row)| row.group == Some(group)) {
                    contradiction(LimitScope::Owner(*owner), &row.limits, asked)?;
                    self.accounts_within(*owner, asked)?;
                }
                Ok(())
            }
        }
    }

    /// Whether the limits of an owner's subaccounts are within those of what the owner is, or joins.
    fn accounts_within(&self, owner: OwnerId, above: &ExposureLimits) -> Result<(), Reject> {
        let mut accounts = self.account_limits.iter().filter(|(id, _)| self.account(**id).owner == owner);
        accounts.try_for_each(|(id, own)| contradiction(LimitScope::Account(*id), own, above))
    }

    /// The limits that an account is under, with what they are limits of.
    fn limits_over(&self, parent: AccountId) -> impl Iterator<Item = (LimitScope, ExposureLimits)> {
        let owner = self.account(parent).owner;
        let group = self.group_of(owner);
        let account = self.account_limits.get(&parent).map(|limits| (LimitScope::Account(parent), *limits));
        let owners = self.owners.get(&owner).map(|row| (LimitScope::Owner(owner), row.limits));
        let group = group.and_then(|g| self.groups.get(&g).map(|row| (LimitScope::Group(g), row.limits)));
        account.into_iter().chain(owners).chain(group)
    }

    /// Whether one more order fits.
    pub(crate) fn check_order_limit(&self, parent: AccountId) -> Result<(), Reject> {
        if !self.account(parent).watched {
            return Ok(());
        }
        for (scope, limits) in self.limits_over(parent) {
            let Some(limit) = limits.orders else { continue };
            let open = self.orders_in_scope(scope);
            if open >= limit {
                return Err(Reject::OrderLimit { scope, open, limit });
            }
        }
        Ok(())
    }

    /// Whether what an order adds fits: the side of its market, and the larger side of every market in sum, positions with
    /// resting orders at the last usable marks, numeraire.
    pub(crate) fn check_exposure_limits(&self, parent: AccountId, more: &Addition) -> Result<(), Reject> {
        if !self.account(parent).watched {
            return Ok(());
        }
        let add = i128::from(more.size.units()) - i128::from(more.replaced.units());
        let closed = i128::from(more.closed.units());
        for (scope, limits) in self.limits_over(parent) {
            if limits.position.is_none() && limits.open.is_none() {
                continue;
            }
            let mut held = self.held_in_scope(scope, more.market);
            match more.side {
                Side::Buy => (held.buys, held.short) = (held.buys + add, held.short - closed),
                Side::Sell => (held.sells, held.long) = (held.sells + add, held.long - closed),
            }
            let notional = self.worth(more.market, held.side(more.side));
            if let Some(limit) = limits.position.filter(|limit| notional > *limit) {
                return Err(Reject::PositionLimit { scope, notional, limit });
            }
            if let Some(limit) = limits.open {
                let markets = self.markets_in_scope(scope).into_iter().filter(|market| *market != more.market);
                let others: Money = markets.map(|m| self.worth(m, larger(&self.held_in_scope(scope, m)))).sum();
                let notional = others + self.worth(more.market, larger(&held));
                if notional > limit {
                    return Err(Reject::OpenLimit { scope, notional, limit });
                }
            }
        }
        Ok(())
    }

    /// Contracts at the last usable mark, numeraire, rounded up; a sum too large to say is the largest amount.
    fn worth(&self, market: MarketId, contracts: i128) -> Money {
        let row = self.market(market);
        let price = self.valuation(row);
        if contracts == 0 || !price.is_positive() {
            return Money::ZERO;
        }
        let notional = total_notional(row.contract(), contracts, price);
        let most = Money::from_units(units::limits::NOTIONAL_MAX);
        let numeraire =
            notional.and_then(|n| n.at_index(self.asset_price(row.params.settlement), Rate::ONE, Round::Up));
        numeraire.map_or(most, |n| n.min(most))
    }

    fn orders_in_scope(&self, scope: LimitScope) -> u32 {
        match scope {
            LimitScope::Account(id) => self.family(id).map(|a| a.order_count).sum(),
            LimitScope::Owner(owner) => self.owners.get(&owner).map_or(0, |row| row.orders),
            LimitScope::Group(group) => self.groups.get(&group).map_or(0, |row| row.orders),
        }
    }

    /// Held by everything in a scope.
    fn held_in_scope(&self, scope: LimitScope, market: MarketId) -> Held {
        let of = |row: Option<&Watched>| row.and_then(|row| row.held.get(&market)).copied().unwrap_or_default();
        match scope {
            LimitScope::Account(id) => {
                let mut sum = Held::default();
                self.family(id).for_each(|a| sum.add(&Held::of(a, market), 1));
                sum
            }
            LimitScope::Owner(owner) => of(self.owners.get(&owner)),
            LimitScope::Group(group) => of(self.groups.get(&group)),
        }
    }

    fn markets_in_scope(&self, scope: LimitScope) -> Vec<MarketId> {
        let mut markets: Vec<MarketId> = match scope {
            LimitScope::Account(id) => self.account(id).exposures.iter().map(|e| e.market).collect(),
            LimitScope::Owner(owner) => self.owners.get(&owner).map(held_markets).unwrap_or_default(),
            LimitScope::Group(group) => self.groups.get(&group).map(held_markets).unwrap_or_default(),
        };
        markets.sort_unstable();
        markets.dedup();
        markets
    }

    /// A trading subaccount and its isolated children.
    fn family(&self, id: AccountId) -> impl Iterator<Item = &Account> {
        let row = self.account(id);
        let children = row.exposures.iter().filter_map(|e| e.child).map(|child| self.account(child));
        core::iter::once(row).chain(children)
    }

    /// Whether an owner's accounts have to be looked at: it has limits, a group, or an account of it has limits.
    pub(crate) fn is_watched(&self, id: AccountId) -> bool {
        let owner = self.account(id).owner;
        self.owners.contains_key(&owner) || self.account_limits.contains_key(&self.parent_of(id))
    }

    /// Everything that an owner has, counted from its accounts.
    pub(crate) fn count_owner(&self, owner: OwnerId) -> Watched {
        let mut sum = Watched::default();
        let own = |a: &&Account| a.owner == owner && !matches!(a.kind, AccountKind::Fund);
        for account in self.accounts.iter().filter(own) {
            sum.orders += account.order_count;
            for e in &account.exposures {
                sum.held.entry(e.market).or_default().add(&Held::of_row(e), 1);
            }
        }
        sum.held.retain(|_, held| *held != Held::default());
        sum
    }
}

fn held_markets(row: &Watched) -> Vec<MarketId> {
    row.held.keys().copied().collect()
}

/// Notional of any number of contracts, settlement asset, rounded up; `None` when it does not fit.
pub(crate) fn total_notional(contract: Contract, contracts: i128, price: units::Price) -> Option<Money> {
    let units = match contract {
        Contract::Linear => contracts.checked_mul(i128::from(price.units())),
        Contract::Inverse { face } => {
            let coins = 10i128.pow(units::limits::MONEY_DECIMALS) * i128::from(face);
            units::mul_div(contracts, coins, i128::from(price.units()), Round::Up)
        }
    };
    units.and_then(Money::new)
}

impl Market {
    /// Contracts by which a fill may still raise open interest, 1e-8; `None` without a cap.
    pub(crate) fn open_interest_room(&self, price: units::Price) -> Option<i128> {
        let cap = self.params.guards.open_interest_cap;
        if !cap.is_positive() {
            return None;
        }
        let one = Size::whole(1);
        let each = self.contract().notional(price, one).unwrap_or(Money::MAX).max(Money::UNIT);
        let most = units::mul_div(cap.units(), i128::from(one.units()), each.units(), Round::Down)?;
        Some((most - self.open_interest).max(0))
    }

    /// Whether a side stays within its cap with `more` contracts: open interest and what rests on that side.
    pub(crate) fn check_side_cap(&self, side: Side, more: Size, price: units::Price) -> Result<(), Reject> {
        let guards = &self.params.guards;
        let (cap, resting) = match side {
            Side::Buy => (guards.longs_cap, self.resting_buys),
            Side::Sell => (guards.shorts_cap, self.resting - self.resting_buys),
        };
        if !cap.is_positive() {
            return Ok(());
        }
        let contracts = self.open_interest + resting + i128::from(more.units());
        let notional = total_notional(self.contract(), contracts, price).unwrap_or(Money::MAX);
        if notional > cap { Err(Reject::OpenInterestCapReached { side, notional, cap }) } else { Ok(()) }
    }
}
