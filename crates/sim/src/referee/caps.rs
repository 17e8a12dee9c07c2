//! Limits of subaccounts, owners and groups, caps on open interest: by looking at every account each time.

use super::Referee;
use super::facts::Turn;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::model::{Kind, Limits, Order};
use super::num::{Dir, PRICE, mul_div};
use super::value;
use engine::{AccountId, Command, Event, LimitScope, MarketId, Side, State};

/// Contracts of one market: long, short, resting buys and sells that may increase.
type Held = [i128; 4];

impl Referee {
    pub(super) fn limit_setting(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match (event, turn.command) {
            (Event::LimitsSet { scope }, Command::SetLimits { scope: asked, limits }) => {
                same("facts", || "scope of limits".into(), *asked, *scope)?;
                let money = |m: Option<units::Money>| m.map(units::Money::units);
                let row = Limits {
                    orders: limits.orders.map(i128::from),
                    position: money(limits.position),
                    open: money(limits.open),
                };
                if row == Limits::default() {
                    self.model.limits.remove(scope);
                } else {
                    self.model.limits.insert(*scope, row);
                }
            }
            (Event::OwnerGrouped { owner, group }, Command::SetOwnerGroup { owner: o, group: g }) => {
                same("facts", || "group of an owner".into(), (*o, *g), (*owner, *group))?;
                match group {
                    Some(group) => self.model.groups.insert(owner.0, *group),
                    None => self.model.groups.remove(&owner.0),
                };
            }
            _ => return holds("facts", false, || format!("{event:?} was asked for")),
        }
        self.nested()
    }

    /// No limit is above the one of what it is a part of.
    fn nested(&self) -> Verdict {
        let above = |a: Option<i128>, b: Option<i128>| a.zip(b).is_some_and(|(a, b)| a > b);
        for (part, own) in &self.model.limits {
            holds("limits", !above(own.position, own.open), || format!("one market of {part} is within all: {own:?}"))?;
            let owner = match part {
                LimitScope::Account(id) => self.model.account(*id).owner,
                LimitScope::Owner(owner) => owner.0,
                LimitScope::Group(_) => continue,
            };
            let group = self.model.groups.get(&owner).map(|g| LimitScope::Group(*g));
            let wholes = [Some(LimitScope::Owner(engine::OwnerId(owner))), group];
            for whole in wholes.iter().flatten().filter_map(|scope| self.model.limits.get(scope)) {
                let bad = above(own.position, whole.position)
                    || above(own.position, whole.open)
                    || above(own.open, whole.open)
                    || above(own.orders, whole.orders);
                holds("limits", !bad, || format!("limits of {part} {own:?} are within {whole:?}"))?;
            }
        }
        Ok(())
    }

    fn is_in(&self, scope: LimitScope, id: AccountId) -> bool {
        let row = self.model.account(id);
        row.kind != Kind::Fund
            && match scope {
                LimitScope::Account(account) => self.model.parent(id) == account,
                LimitScope::Owner(owner) => row.owner == owner.0,
                LimitScope::Group(group) => self.model.groups.get(&row.owner) == Some(&group),
            }
    }

    fn held_by(&self, scope: LimitScope, market: MarketId) -> Held {
        let mut held = [0; 4];
        for id in (0..self.model.accounts.len()).map(AccountId::at).filter(|id| self.is_in(scope, *id)) {
            for (position, e) in self.model.account(id).exposures.iter().filter(|(p, _)| p.market == market) {
                held[0] += e.size.max(0);
                held[1] += (-e.size).max(0);
                let resting = |side| self.resting(id, *position, side).iter().map(|o| o.remaining).sum::<i128>();
                held[2] += resting(Side::Buy);
                held[3] += resting(Side::Sell);
            }
        }
        held
    }

    fn notional_of(&self, market: MarketId, contracts: i128) -> i128 {
        let row = self.model.market(market);
        let price = self.model.valuation(row);
        if contracts == 0 || price <= 0 {
            return 0;
        }
        let notional = value::notional(&row.params, price, contracts);
        mul_div(notional, self.model.asset_price(row.params.settlement), PRICE, Dir::Up)
    }

    fn scopes_of(&self, id: AccountId) -> Vec<(LimitScope, Limits)> {
        let parent = self.model.parent(id);
        let owner = self.model.account(parent).owner;
        let group = self.model.groups.get(&owner).map(|g| LimitScope::Group(*g));
        let scopes = [Some(LimitScope::Account(parent)), Some(LimitScope::Owner(engine::OwnerId(owner))), group];
        scopes.into_iter().flatten().filter_map(|s| self.model.limits.get(&s).map(|l| (s, *l))).collect()
    }

    /// An account took `more` contracts of a side upon itself and closed some of the other: every limit over it holds.
    pub(super) fn within_limits(
        &self,
        id: AccountId,
        market: MarketId,
        side: Side,
        (more, closed): (i128, i128),
    ) -> Verdict {
        for (scope, limits) in self.scopes_of(id) {
            let larger = |held: Held| (held[0] + held[2]).max(held[1] + held[3]);
            let mut held = self.held_by(scope, market);
            held[if side == Side::Buy { 2 } else { 3 }] += more;
            held[if side == Side::Buy { 1 } else { 0 }] -= closed;
            let of_side = if side == Side::Buy { held[0] + held[2] } else { held[1] + held[3] };
            let notional = self.notional_of(market, of_side);
            holds("limits", limits.position.is_none_or(|most| notional <= most), || {
                format!("{side:?} of {scope} in market {market}: {notional} within {:?}", limits.position)
            })?;
            let Some(most) = limits.open else { continue };
            let others = (0..self.model.markets.len()).map(MarketId::at).filter(|m| *m != market);
            let all: i128 = others.map(|m| self.notional_of(m, larger(self.held_by(scope, m)))).sum();
            let all = all + self.notional_of(market, larger(held));
            holds("limits", all <= most, || format!("all markets of {scope}: {all} within {most}"))?;
        }
        Ok(())
    }

    /// A new order: the number of orders, and what it may add.
    pub(super) fn order_within_limits(&self, order: &Order, adds: i128, replaces: bool) -> Verdict {
        for (scope, limits) in self.scopes_of(order.account) {
            let Some(most) = limits.orders.filter(|_| !replaces) else { continue };
            let inside = |o: &&Order| self.is_in(scope, o.account);
            let open = self.model.orders.values().filter(inside).count();
            holds("limits", i128::try_from(open).unwrap_or(0) <= most, || {
                format!("{open} orders of {scope} are within {most}")
            })?;
        }
        if adds <= 0 {
            return Ok(());
        }
        self.within_limits(order.account, order.market, order.side, (adds, 0))?;
        let row = self.model.market(order.market);
        let cap = if order.side == Side::Buy { row.params.longs_cap } else { row.params.shorts_cap };
        let resting = row.book.iter().filter_map(|id| self.model.orders.get(id)).filter(|o| o.side == order.side);
        let contracts = self.interest(order.market) + resting.map(|o| o.remaining).sum::<i128>() + adds;
        let notional = value::notional(&row.params, self.model.valuation(row), contracts);
        holds("open interest", cap == 0 || notional <= cap, || format!("{:?} {notional} within {cap}", order.side))
    }

    /// Contracts of all longs.
    pub(super) fn interest(&self, market: MarketId) -> i128 {
        let rows = self.model.accounts.iter().flat_map(|a| &a.exposures).filter(|(p, _)| p.market == market);
        rows.map(|(_, e)| e.size.max(0)).sum()
    }

    /// What that is worth at the price that positions are valued at, settlement asset, where the ladder asks for it.
    pub(super) fn interest_worth(&self, market: MarketId, lens: Lens) -> i128 {
        let row = self.model.market(market);
        if !matches!(row.params.form, super::forms::Form::Interest { .. }) {
            return 0;
        }
        let now = self.interest(market);
        let least = self.interest_least.get(&market).filter(|_| lens == Lens::Taken);
        value::notional(&row.params, self.model.valuation(row), least.map_or(now, |least| now.min(*least)))
    }

    /// Remembers open interest before a fill changes it.
    pub(super) fn note_interest(&mut self, market: MarketId) {
        if matches!(self.model.market(market).params.form, super::forms::Form::Interest { .. }) {
            let now = self.interest(market);
            let least = self.interest_least.entry(market).or_insert(now);
            *least = now.min(*least);
        }
    }

    /// The same, before a fill, where there is a cap.
    pub(super) fn interest_if_capped(&self, market: MarketId) -> i128 {
        if self.model.market(market).params.interest_cap == 0 { 0 } else { self.interest(market) }
    }

    /// A fill that raised open interest left it within the cap.
    pub(super) fn interest_capped(&self, market: MarketId, before: i128) -> Verdict {
        let row = self.model.market(market);
        let after = self.interest(market);
        if row.params.interest_cap == 0 || after <= before {
            return Ok(());
        }
        let notional = value::notional(&row.params, self.model.valuation(row), after);
        holds("open interest", notional <= row.params.interest_cap, || {
            format!("open interest of market {market} {notional} within {}", row.params.interest_cap)
        })
    }

    /// The engine's running totals against a count of everything.
    pub(super) fn totals_agree(&self, state: &State) -> Verdict {
        let owners = state.owners.iter().map(|(owner, row)| (LimitScope::Owner(*owner), row));
        let groups = state.groups.iter().map(|(group, row)| (LimitScope::Group(*group), row));
        for (scope, row) in owners.chain(groups) {
            let orders = self.model.orders.values().filter(|o| self.is_in(scope, o.account)).count();
            same("limits", || format!("orders of {scope}"), u32::try_from(orders).ok(), Some(row.orders))?;
            for market in (0..self.model.markets.len()).map(MarketId::at) {
                let theirs = row.held.get(&market).copied().unwrap_or_default();
                let theirs = [theirs.long, theirs.short, theirs.buys, theirs.sells];
                same("limits", || format!("held by {scope} in market {market}"), self.held_by(scope, market), theirs)?;
            }
        }
        Ok(())
    }
}
