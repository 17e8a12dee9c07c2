//! The engine's state against the referee's tables: every balance, position, order, queue and price.

use super::Referee;
use super::mismatch::{Verdict, holds, same};
use super::model::{Kind, Place};
use engine::{AccountId, AccountKind, AssetId, Leg, MarketId, PositionId, Side, State};

impl Referee {
    /// All accounts, or those that this command touched; always all assets, indices and markets.
    pub(super) fn compare(&self, state: &State, full: bool) -> Verdict {
        same("sequence", || "number of the command".into(), self.model.sequence, state.sequence)?;
        same("time", || "engine time".into(), self.model.now, state.now.ns())?;
        same("tables", || "number of accounts".into(), self.model.accounts.len(), state.accounts.len())?;
        same("tables", || "number of markets".into(), self.model.markets.len(), state.markets.len())?;
        same("tables", || "number of open orders".into(), self.model.orders.len(), state.orders.len())?;
        self.compare_assets(state)?;
        self.compare_markets(state)?;
        if full {
            for at in 0..self.model.accounts.len() {
                self.compare_account(state, AccountId::at(at))?;
            }
            self.totals_agree(state)?;
            self.compare_books(state)?;
            return self.compare_orders(state);
        }
        self.touched.iter().try_for_each(|account| self.compare_account(state, *account))
    }

    fn compare_assets(&self, state: &State) -> Verdict {
        for (at, (ours, theirs)) in self.model.assets.iter().zip(&state.assets).enumerate() {
            same("vault", || format!("vault of asset {at}"), ours.vault, theirs.vault.units())?;
            same("I-04", || format!("fee account of asset {at}"), ours.fees, theirs.fees.units())?;
            same("I-04", || format!("rounding account of asset {at}"), ours.rounding, theirs.rounding.units())?;
            let asset = AssetId::at(at);
            let interest = state.borrowing.get(&asset);
            same("interest", || format!("sum of rates of {at}"), ours.interest, interest.map(|b| b.cumulative))?;
            let debts = interest.map(|b| b.debts.clone()).unwrap_or_default();
            same("interest", || format!("debtors of {at}, and what they paid"), &ours.debtors, &debts)?;
            let pending = self.model.withdrawals.values().filter(|w| w.asset == asset).map(|w| w.amount).sum::<i128>();
            same("withdrawals", || format!("pending of asset {at}"), pending, theirs.pending.units())?;
        }
        same("withdrawals", || "number that wait".into(), self.model.withdrawals.len(), state.withdrawals.len())?;
        same("deposits", || "number of references".into(), self.model.deposits.len(), state.deposits.len())?;
        for (at, (ours, theirs)) in self.model.indices.iter().zip(&state.indices).enumerate() {
            same("index", || format!("price of index {at}"), ours.price, i128::from(theirs.price.units()))?;
            let usable = (ours.usable(self.model.now), theirs.is_usable(state.now));
            same("I-25", || format!("whether index {at} is usable"), usable.0, usable.1)?;
        }
        Ok(())
    }

    fn compare_markets(&self, state: &State) -> Verdict {
        for (at, (ours, theirs)) in self.model.markets.iter().zip(&state.markets).enumerate() {
            same("status", || format!("status of market {at}"), ours.status, theirs.status)?;
            same("mark", || format!("mark of market {at}"), ours.mark, i128::from(theirs.mark.units()))?;
            let grid = (i128::from(theirs.params.tick.units()), i128::from(theirs.params.lot.units()));
            same("split", || format!("tick and lot of market {at}"), (ours.params.tick, ours.params.lot), grid)?;
            same("last", || format!("last price of market {at}"), ours.last, i128::from(theirs.last.units()))?;
            same("clearing", || format!("clearing account of market {at}"), ours.clearing, theirs.clearing.units())?;
            same("funding", || format!("cumulative funding of market {at}"), ours.funding, theirs.funding_index)?;
            same("rounding", || format!("residue of market {at}"), ours.residue, theirs.residue)?;
            for side in [Side::Buy, Side::Sell] {
                let key = (MarketId::at(at), side);
                let asked = self.model.losses.get(&key).copied();
                let theirs = state.losses.indices.get(&key).map(|row| row.cumulative);
                same("losses", || format!("what side {side:?} of market {at} was asked for"), asked, theirs)?;
            }
        }
        Ok(())
    }

    fn compare_account(&self, state: &State, id: AccountId) -> Verdict {
        let (ours, theirs) = (self.model.account(id), state.account(id));
        same("accounts", || format!("owner of account {id}"), ours.owner, theirs.owner.0)?;
        let kind = match theirs.kind {
            AccountKind::Trading => Kind::Trading,
            AccountKind::Fund => Kind::Fund,
            AccountKind::Isolated { parent, market, leg } => Kind::Child { parent, market, leg },
        };
        same("accounts", || format!("kind of account {id}"), ours.kind, kind)?;
        same("status", || format!("status of account {id}"), ours.status, theirs.status)?;
        same("mode", || format!("hedge mode of {id}"), ours.hedge, theirs.mode == engine::PositionMode::Hedge)?;
        for at in 0..self.model.assets.len() {
            let asset = AssetId::at(at);
            let wallets = (self.model.wallet(id, asset), theirs.wallet(asset).units());
            same("wallet", || format!("wallet of account {id} in asset {asset}"), wallets.0, wallets.1)?;
            let income = self.income.get(&(id, asset)).copied().unwrap_or(0);
            same("income", || format!("sum of income of account {id} in asset {asset}"), wallets.0, income)?;
        }
        for at in 0..self.model.markets.len() {
            for leg in [Leg::Net, Leg::Long, Leg::Short] {
                self.compare_exposure(state, id, MarketId::at(at).leg(leg))?;
            }
        }
        same(
            "liquidation",
            || format!("account {id} in the set"),
            ours.liquidating.is_some(),
            state.liquidating.contains(&id),
        )?;
        same("calls", || format!("call level of account {id}"), ours.call, theirs.call)?;
        let countdown = (self.model.countdowns.get(&id).copied(), state.deadlines.of_account(id).map(units::Time::ns));
        same("countdown", || format!("countdown of account {id}"), countdown.0, countdown.1)?;
        let flat = ours.exposures.values().all(|e| e.size == 0);
        let empty = ours.wallets.values().all(|w| *w == 0);
        let child = matches!(ours.kind, Kind::Child { .. });
        holds("isolated", !child || !flat || empty || ours.liquidating.is_some() || self.owes(id), || {
            format!("a closed isolated position {id} returned everything")
        })
    }

    fn compare_exposure(&self, state: &State, id: AccountId, position: PositionId) -> Verdict {
        let (ours, theirs) = (self.model.exposure(id, position), state.account(id).exposure(position));
        let what = |number: &str| format!("{number} of account {id} in {position:?}");
        let Some(theirs) = theirs else {
            return holds("position", ours.size == 0 && ours.cost == 0, || what("no exposure"));
        };
        same("position", || what("size"), ours.size, i128::from(theirs.size.units()))?;
        same("position", || what("cost"), ours.cost, theirs.cost.units())?;
        if ours.size != 0 {
            same("funding", || what("checkpoint"), ours.checkpoint, theirs.funding)?;
        }
        let owed = super::losses::owed(state, id, position);
        same("losses", || what("shared losses, 1e-25,"), &ours.owed, &owed)?;
        same("mode", || what("isolated"), ours.isolated, theirs.mode == engine::MarginMode::Isolated)?;
        same("mode", || what("child"), ours.child, theirs.child)?;
        let reserved = self.reserved_for(id, position);
        same("I-09", || what("reserved"), reserved, theirs.reserved.units())?;
        for side in [Side::Buy, Side::Sell] {
            let totals = if side == Side::Buy { theirs.buys } else { theirs.sells };
            let own = self.resting(id, position, side);
            let size: i128 = own.iter().map(|o| o.remaining).sum();
            let params = &self.model.market(position.market).params;
            let notional: i128 = own.iter().map(|o| super::value::notional(params, o.price, o.remaining)).sum();
            let theirs = (i128::from(totals.size.units()), totals.notional.units(), usize::try_from(totals.count).ok());
            same("I-09", || what("order totals"), (size, notional, Some(own.len())), theirs)?;
        }
        Ok(())
    }

    /// Book levels hold the referee's orders in the referee's order.
    fn compare_books(&self, state: &State) -> Verdict {
        for (at, market) in state.markets.iter().enumerate() {
            let own = &self.model.markets[at].book;
            for side in [Side::Buy, Side::Sell] {
                let mut seen = 0usize;
                for (price, level) in market.book.side(side) {
                    let price = i128::from(price.units());
                    let at_level = |o: &&engine::OrderId| {
                        self.model.orders.get(o).is_some_and(|o| o.side == side && o.price == price)
                    };
                    let queue: Vec<_> = own.iter().filter(at_level).copied().collect();
                    seen += queue.len();
                    let total: i128 = queue.iter().filter_map(|o| self.model.orders.get(o)).map(|o| o.remaining).sum();
                    same("book", || format!("total at {price} in market {at}"), total, level.total)?;
                    same("book", || format!("oldest at {price}"), queue.first().copied(), Some(level.first))?;
                    same("book", || format!("youngest at {price}"), queue.last().copied(), Some(level.last))?;
                }
                let all = own.iter().filter(|o| self.model.orders.get(o).is_some_and(|o| o.side == side)).count();
                same("book", || format!("orders of market {at} in levels"), all, seen)?;
            }
        }
        Ok(())
    }

    fn compare_orders(&self, state: &State) -> Verdict {
        for theirs in state.orders.iter() {
            let id = theirs.id;
            let ours = self.open(id)?;
            let place = match theirs.place {
                engine::Place::Working => Place::Working,
                engine::Place::Resting => Place::Resting,
                engine::Place::Parked { .. } => Place::Parked,
            };
            let what = |number: &str| format!("{number} of order {id:?}");
            same("orders", || what("place"), ours.place, place)?;
            same("orders", || what("account"), (ours.account, ours.leg), (theirs.account, theirs.leg))?;
            same("orders", || what("price"), ours.price, i128::from(theirs.price.units()))?;
            same("orders", || what("open size"), ours.remaining, i128::from(theirs.remaining.units()))?;
            same("I-09", || what("reserved"), ours.reserved, theirs.reserved.units())?;
            same("expiry", || what("expiry"), ours.expires, state.expiry(theirs).map(units::Time::ns))?;
            self.compare_level(state, id, &ours)?;
            same("orders", || what("client id"), ours.client_id, theirs.client_id)?;
            holds("orders", ours.place != Place::Working, || what("no order works after its command"))?;
        }
        Ok(())
    }
}
