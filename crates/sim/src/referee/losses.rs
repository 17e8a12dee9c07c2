//! What winners pay of losses that nobody else could (I-19, I-22): who owes how much of which loss is added up position by position
//! when it is shared, by a walk over everyone; the engine's index is only compared.

use super::Referee;
use super::fills::money;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, RATE, big_div, mul_div};
use super::value;
use engine::{AccountId, AssetId, Event, MarketId, PositionId, Side, State};
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

/// What an exact debt (1e-25) costs the wallet.
pub fn paid(owed: &BigInt) -> i128 {
    if owed.is_zero() { 0 } else { big_div(owed, &BigInt::from(RATE), Dir::Up) }
}

/// What the engine says that a position owes, exactly.
pub fn owed(state: &State, id: AccountId, position: PositionId) -> BigInt {
    let size = i128::from(state.account(id).position(position).units());
    let side = if size < 0 { Side::Sell } else { Side::Buy };
    let index = state.losses.indices.get(&(position.market, side)).filter(|_| size != 0);
    let from = state.losses.checkpoints.get(&(id, position)).copied().unwrap_or(0);
    index.map_or(BigInt::zero(), |row| BigInt::from(size.abs()) * (row.cumulative - from))
}

impl Referee {
    pub(super) fn owes_losses(&self, id: AccountId, position: PositionId) -> bool {
        !self.model.exposure(id, position).owed.is_zero()
    }

    /// No sharing may take all that the smallest winner must hold.
    pub(super) fn sharing_is_bounded(&self, market: MarketId) -> Verdict {
        let p = &self.model.market(market).params;
        let below = p.form.least().maintenance;
        holds("I-22", (0..below).contains(&p.socialise), || {
            format!("a sharing of {} in market {market} stays below maintenance {below}", p.socialise)
        })
    }

    /// What a position owes goes from its wallet to the clearing account; says what the engine must report.
    pub(super) fn settle_losses(&mut self, account: AccountId, position: PositionId) -> Option<Event> {
        let PositionId { market, leg } = position;
        let exposure = self.model.exposure_mut(account, position);
        let exact = std::mem::take(&mut exposure.owed);
        if exact.is_zero() {
            return None;
        }
        let amount = paid(&exact);
        let residue = (BigInt::from(amount) * RATE - exact).to_i128().unwrap_or(-1);
        let settlement = self.model.market(market).params.settlement;
        self.model.credit(account, settlement, -amount);
        let row = self.model.market_mut(market);
        row.clearing += amount;
        row.residue += residue;
        self.touch(account);
        Some(Event::LossSettled { account, market, amount: money(amount), residue, leg })
    }

    /// A share of losses left a wallet, on its own or before a trade.
    pub(super) fn loss_settled(&mut self, event: &Event, account: AccountId, position: PositionId) -> Verdict {
        if !self.expected.contains(event)
            && let Some(paid) = self.settle_losses(account, position)
        {
            self.expect(paid);
        }
        self.derived(event)
    }

    /// A loss is shared: as this referee would share it, and everyone who holds the side owes by contracts.
    pub(super) fn loss_shared(&mut self, event: &Event) -> Verdict {
        let &Event::LossShared { account, market, side, amount, cumulative, residue } = event else { return Ok(()) };
        let row = self.model.account(account);
        let flat = row.exposures.values().all(|e| e.size == 0) && row.liquidating.is_some();
        holds("I-19", flat, || format!("account {account} is closed when its loss is shared"))?;
        let asset = self.model.market(market).params.settlement;
        let mut due = self.sharings_due(account, asset)?;
        let next = if due.is_empty() { None } else { Some(due.remove(0)) };
        same("I-19", || format!("next part of the loss of account {account} that is shared"), next, Some(*event))?;
        self.ladder.sharings.insert((account, asset), due);
        let before = self.model.losses.insert((market, side), cumulative).unwrap_or(0);
        let step = cumulative - before;
        *self.shared.entry((market, side)).or_insert(0) += step;
        let holds_side = |size: i128| if side == Side::Buy { size > 0 } else { size < 0 };
        for row in &mut self.model.accounts {
            let here = row.exposures.iter_mut().filter(|(p, e)| p.market == market && holds_side(e.size));
            here.for_each(|(_, e)| e.owed += BigInt::from(e.size.abs()) * step);
        }
        self.credit(account, asset, amount.units());
        let row = self.model.market_mut(market);
        row.clearing -= amount.units();
        row.residue += residue;
        self.everyone = true;
        Ok(())
    }

    /// Before a debt is told: all that winners pay of it has come.
    pub(super) fn shared_before(&mut self, account: AccountId, asset: AssetId) -> Verdict {
        if !self.bare(account) {
            return Ok(());
        }
        let due = self.sharings_due(account, asset)?;
        same("I-19", || format!("parts of the loss of account {account} that winners share"), Vec::new(), due)
    }

    /// At the end of a liquidation nothing is left to share.
    pub(super) fn all_shared(&self, account: AccountId) -> Verdict {
        let left: Vec<&Event> =
            self.ladder.sharings.iter().filter(|((who, _), _)| *who == account).flat_map(|(_, due)| due).collect();
        holds("I-19", left.is_empty(), || format!("all of the loss of account {account} is shared: {left:?}"))
    }

    /// How winners share what the funds have left of a deficit. Found out once: sharing one part changes none of the others.
    fn sharings_due(&mut self, account: AccountId, asset: AssetId) -> Result<Vec<Event>, super::Mismatch> {
        let key = (account, asset);
        if let Some(due) = self.ladder.sharings.get(&key) {
            return Ok(due.clone());
        }
        holds("I-15", self.bare(account), || format!("account {account} has nothing else when its loss is shared"))?;
        let parts = self.parts_left(account, asset);
        self.funds_are_used_up(account, asset, &parts)?;
        let mut unpaid = self.ladder.unpaid.get(&key).cloned().unwrap_or_default();
        unpaid.extend(parts.iter().filter_map(|(fund, amount)| Some(((*fund)?, *amount))));
        self.ladder.parts.insert(key, Vec::new());
        let mut due = Vec::new();
        for (fund, short) in unpaid {
            for ((market, side), part) in self.lost_by_side(account, asset, fund, short) {
                due.extend(self.sharing(account, market, side, part));
            }
        }
        self.ladder.sharings.insert(key, due.clone());
        Ok(due)
    }

    /// What a fund left of its part, by the sides that lost, in the order of markets and longs first; with who pays.
    fn lost_by_side(
        &self,
        account: AccountId,
        asset: AssetId,
        fund: AccountId,
        short: i128,
    ) -> Vec<((MarketId, Side), i128)> {
        let results = self.model.results.get(&account).into_iter().flatten();
        let of_fund = |market: MarketId| {
            let p = &self.model.market(market).params;
            p.settlement == asset && p.fund == fund
        };
        let mut rows: Vec<(MarketId, Side, i128)> = results
            .filter(|((market, _), realised)| **realised < 0 && of_fund(*market))
            .map(|((market, long), realised)| (*market, if *long { Side::Buy } else { Side::Sell }, -realised))
            .collect();
        rows.sort_unstable();
        let all: i128 = rows.iter().map(|row| row.2).sum();
        let mut before = 0;
        let cut = |sum: i128| mul_div(short, sum, all, Dir::Down);
        rows.into_iter()
            .map(|(market, lost, weight)| {
                let part = cut(before + weight) - cut(before);
                before += weight;
                ((market, if lost == Side::Buy { Side::Sell } else { Side::Buy }), part)
            })
            .collect()
    }

    /// What the holders of a side pay of a part: all of it, or what the rule allows one command to ask of a contract.
    fn sharing(&self, account: AccountId, market: MarketId, side: Side, part: i128) -> Option<Event> {
        let row = self.model.market(market);
        if row.params.socialise == 0 || part <= 0 || !self.can_close(market) {
            return None;
        }
        let sizes = self.model.accounts.iter().flat_map(|a| &a.exposures).filter(|(p, _)| p.market == market);
        let sizes = sizes.map(|(_, e)| if side == Side::Buy { e.size } else { -e.size });
        let contracts: BigInt = sizes.filter(|size| *size > 0).map(BigInt::from).sum();
        let asked = self.shared.get(&(market, side)).copied().unwrap_or(0);
        let room = value::funding_step(&row.params, row.mark, row.params.socialise) - asked;
        let (exact, most) = (BigInt::from(part) * RATE, &contracts * room);
        if contracts.is_zero() || most <= BigInt::zero() {
            return None;
        }
        let (step, amount) = if exact <= most {
            (big_div(&exact, &contracts, Dir::Up), part)
        } else {
            (room, big_div(&most, &BigInt::from(RATE), Dir::Down))
        };
        let residue = (contracts * step - BigInt::from(amount) * RATE).to_i128().unwrap_or(-1);
        let cumulative = self.model.losses.get(&(market, side)).copied().unwrap_or(0) + step;
        (amount > 0).then_some(Event::LossShared { account, market, side, amount: money(amount), cumulative, residue })
    }
}
