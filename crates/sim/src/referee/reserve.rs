//! Who pays a deficit: each fund the part that its markets lost in the liquidation, its reserve what it cannot, within the
//! limit of a window (I-15, I-19).

use super::Referee;
use super::facts::Turn;
use super::fills::money;
use super::mismatch::{Verdict, holds, same};
use super::model::{Kind, Reserve};
use super::num::{Dir, mul_div};
use engine::{AccountId, AssetId, Command, Event, MarketId, MoveReason};
use std::collections::BTreeMap;

/// Which fund is asked for how much of a deficit, in turn.
pub type Parts = Vec<(Option<AccountId>, i128)>;

impl Referee {
    pub(super) fn reserve_set(
        &mut self,
        turn: &Turn<'_>,
        fund: AccountId,
        reserve: Option<engine::params::Reserve>,
    ) -> Verdict {
        let asked = match turn.command {
            Command::SetReserve { fund, reserve } => Some((*fund, *reserve)),
            _ => None,
        };
        same("facts", || "reserve of a fund".into(), asked, Some((fund, reserve)))?;
        let Some(asked) = reserve else {
            self.model.reserves.remove(&fund);
            return Ok(());
        };
        let is_fund = |id: AccountId| self.model.account(id).kind == Kind::Fund;
        let funds = fund != asked.fund && is_fund(fund) && is_fund(asked.fund);
        holds("reserve", funds, || format!("{} behind {fund}: two funds", asked.fund))?;
        let before = self.model.reserves.get(&fund).map_or((0, 0), |row| (row.since, row.used));
        let (since, used) = before;
        let (limit, window_ns) = (asked.limit.units(), asked.window_ns);
        self.model.reserves.insert(fund, Reserve { fund: asked.fund, limit, window_ns, since, used });
        let chain = self.model.reserves.values().find(|row| self.model.reserves.contains_key(&row.fund));
        holds("reserve", chain.is_none(), || format!("no reserve has a reserve: {chain:?}"))
    }

    /// What a reserve adds to a payment of `short` for an account, with its row after it.
    fn drawn(&self, fund: AccountId, account: AccountId, asset: AssetId, short: i128) -> (i128, Option<Reserve>) {
        let Some(mut row) = self.model.reserves.get(&fund).copied().filter(|row| row.fund != account) else {
            return (0, None);
        };
        if self.model.now >= row.since.saturating_add(row.window_ns) {
            (row.since, row.used) = (self.model.now, 0);
        }
        let room = self.in_asset(asset, (row.limit - row.used).max(0));
        let amount = short.min(room).min(self.fund_can_pay(row.fund, asset)).max(0);
        row.used += self.debt(asset, amount);
        (amount, Some(row))
    }

    /// A fund pays what it can of an amount and its reserve what is missing: both are booked, and their events must come. What
    /// was paid.
    pub(super) fn fund_pays(
        &mut self,
        fund: AccountId,
        to: AccountId,
        asset: AssetId,
        amount: i128,
        reason: MoveReason,
    ) -> i128 {
        let own = amount.min(self.fund_can_pay(fund, asset)).max(0);
        let (drawn, row) = self.drawn(fund, to, asset, amount - own);
        if let Some(row) = row.filter(|_| drawn > 0) {
            self.credit(row.fund, asset, -drawn);
            self.flow(fund, asset, drawn);
            self.model.reserves.insert(fund, row);
            self.expect(Event::ReserveDrawn {
                fund,
                reserve: row.fund,
                account: to,
                asset,
                amount: money(drawn),
                used: money(row.used),
                since: units::Time::from_ns(row.since),
            });
        }
        if own + drawn > 0 {
            self.shift(fund, to, asset, own + drawn);
            self.expect(Event::Moved { from: fund, to, asset, amount: money(own + drawn), reason });
        }
        own + drawn
    }

    /// A reserve is drawn for a winner, which was expected, or for a deficit, which may begin with it.
    pub(super) fn reserve_drawn(&mut self, event: &Event) -> Verdict {
        let &Event::ReserveDrawn { account, asset, .. } = event else { return Ok(()) };
        if !self.expected.contains(event) {
            self.next_part(account, asset)?;
        }
        self.derived(event)
    }

    pub(super) fn deficit_paid(&mut self, event: &Event) -> Verdict {
        let &Event::Moved { to, asset, .. } = event else { return Ok(()) };
        if !self.expected.contains(event) {
            self.next_part(to, asset)?;
        }
        self.derived(event)
    }

    /// What a position realised while its account is in liquidation.
    pub(super) fn note_result(&mut self, account: AccountId, position: (MarketId, bool), realised: i128) {
        if self.model.account(account).liquidating.is_some() {
            *self.model.results.entry(account).or_default().entry(position).or_insert(0) += realised;
        }
    }

    /// It has nothing left that counts as collateral.
    pub(super) fn bare(&self, account: AccountId) -> bool {
        let row = self.model.account(account);
        row.wallets.iter().all(|(held, w)| *w <= 0 || row.only.is_some_and(|only| only != *held))
    }

    /// The next part of a deficit of which a fund can pay anything.
    fn next_part(&mut self, account: AccountId, asset: AssetId) -> Verdict {
        let bare = self.bare(account);
        let row = self.model.account(account);
        let flat = row.exposures.values().all(|e| e.size == 0) && row.liquidating.is_some();
        holds("I-15", flat, || format!("account {account} is closed when its deficit is paid"))?;
        holds("I-15", bare, || format!("account {account} has nothing else when its deficit is paid"))?;
        let mut parts = self.parts_left(account, asset);
        while !parts.is_empty() {
            let (fund, amount) = parts.remove(0);
            self.ladder.parts.insert((account, asset), parts.clone());
            let payer = fund.filter(|fund| *fund != account);
            let paid = payer.map_or(0, |fund| self.fund_pays(fund, account, asset, amount, MoveReason::Deficit));
            let unpaid = self.ladder.unpaid.entry((account, asset)).or_default();
            unpaid.extend(fund.map(|fund| (fund, amount - paid)));
            if paid > 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) fn parts_left(&self, account: AccountId, asset: AssetId) -> Parts {
        let known = self.ladder.parts.get(&(account, asset)).cloned();
        known.unwrap_or_else(|| self.parts(account, asset, -self.model.wallet(account, asset)))
    }

    /// How a deficit is split: over funds in the order of their first market that lost, by running sums rounded down.
    fn parts(&self, account: AccountId, asset: AssetId, short: i128) -> Parts {
        let lost = |market: MarketId, realised: i128| {
            let params = &self.model.market(market).params;
            Some(params.fund).filter(|_| params.settlement == asset && realised < 0)
        };
        let results = self.model.results.get(&account).into_iter().flatten();
        // The model tells longs by `true`; the order of markets is all that counts.
        let rows: Vec<(AccountId, i128)> =
            results.filter_map(|((m, _), realised)| Some((lost(*m, *realised)?, -realised))).collect();
        let mut order: Vec<AccountId> = Vec::new();
        let mut sums: BTreeMap<AccountId, i128> = BTreeMap::new();
        for (fund, amount) in rows {
            if !order.contains(&fund) {
                order.push(fund);
            }
            *sums.entry(fund).or_insert(0) += amount;
        }
        let all: i128 = sums.values().sum();
        if all == 0 {
            return vec![(self.fund_behind(account), short)];
        }
        let (mut before, mut parts) = (0, Vec::new());
        for fund in order {
            let cut = |sum: i128| mul_div(short, sum, all, Dir::Down);
            parts.push((Some(fund), cut(before + sums[&fund]) - cut(before)));
            before += sums[&fund];
        }
        parts
    }

    /// What stays is told, and no fund that is still to be asked could pay any of it.
    pub(super) fn deficit_left(&mut self, account: AccountId, asset: AssetId, wallet: i128) -> Verdict {
        self.wallet_is(account, asset, wallet)?;
        holds("I-15", wallet < 0, || format!("account {account} owes"))?;
        self.shared_before(account, asset)?;
        self.deficits.insert((account, asset));
        Ok(())
    }

    /// No fund that is still to be asked could pay any of its part.
    pub(super) fn funds_are_used_up(&self, account: AccountId, asset: AssetId, parts: &Parts) -> Verdict {
        for (fund, amount) in parts {
            let Some(fund) = fund.filter(|fund| *fund != account) else { continue };
            let own = (*amount).min(self.fund_can_pay(fund, asset)).max(0);
            let able = own + self.drawn(fund, account, asset, amount - own).0;
            same("I-15", || format!("fund {fund} can pay nothing of {amount} of account {account}"), 0, able)?;
        }
        Ok(())
    }
}
