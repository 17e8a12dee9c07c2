//! What each event does to the state. One function a topic; nothing here decides, and nothing else changes the state.

use crate::fault::fault;
use crate::orders::{Links, Order, Place};
use crate::params::{AssetParams, ExposureLimits, IndexParams, MarketParams, RiskParams};
use crate::state::{
    Account, AccountKind, Asset, Average, Exposure, Held, Index, Liquidation, Market, SourceQuote, Subaccounts, Wallet,
    Watched, Withdrawal,
};
use crate::{
    AccountId, AccountReason, AccountStatus, AssetId, Book, Command, Event, GroupId, Level, LimitScope, MarketId,
    MarketStatus, Name, OrderId, Outcome, OwnerId, PositionId, PositionMode, Reduce, Role, Side, Stage, State, limits,
};
use alloc::vec::Vec;
use smallvec::SmallVec;
use units::{Money, Price, Size, Time};

/// Parameters that are too large for an event.
#[derive(Clone, Copy)]
pub(crate) enum Definition<'a> {
    None,
    Asset(&'a AssetParams),
    Index(&'a IndexParams),
    Market(&'a MarketParams),
    Risk(&'a RiskParams),
    Limits(&'a ExposureLimits),
    Account(Role, Name),
    Delisting(&'a [crate::params::HaircutStep]),
}

impl<'a> Definition<'a> {
    /// What a command defines.
    fn of(command: &'a Command) -> Self {
        match command {
            Command::AddAsset(params) | Command::SetAssetParams { params, .. } => Self::Asset(params),
            Command::AddIndex(params) | Command::SetIndexParams { params, .. } => Self::Index(params),
            Command::ListMarket(params) | Command::SetMarketParams { params, .. } => Self::Market(params),
            Command::SetRiskParams(params) => Self::Risk(params),
            Command::SetLimits { limits, .. } => Self::Limits(limits),
            Command::OpenAccount { role, name, .. } => Self::Account(*role, *name),
            Command::ScheduleDelisting { steps, .. } => Self::Delisting(steps),
            _ => Self::None,
        }
    }
}

impl State {
    /// What an event did, done again: for who has the events of an engine and wants the state between two of them.
    ///
    /// `command` is the one that the event came from. From the default state on, with every event in its order, the state is the
    /// engine's own, which [`Self::digest`] shows.
    ///
    /// # Panics
    /// When the event is not the next one of the engine that this state is of.
    pub fn follow(&mut self, command: &Command, event: &Event) {
        apply(self, event, Definition::of(command));
    }
}

pub(crate) fn apply(state: &mut State, event: &Event, definition: Definition<'_>) {
    match *event {
        Event::Began { sequence, time } => {
            (state.sequence, state.now) = (sequence, time);
            if time >= state.next_due {
                state.next_due = next_second(time);
                state.due_at(state.deadlines.first());
            }
        }
        Event::Refused { .. }
        | Event::ItemRefused { .. }
        | Event::OrderCut { .. }
        | Event::LiquidationStep { .. }
        | Event::TakenOver { .. }
        | Event::LegsOffset { .. }
        | Event::Deleveraged { .. }
        | Event::LeftUncovered { .. }
        | Event::FundDrawnDown { .. }
        | Event::AuctionFilled { .. }
        | Event::DeficitLeft { .. } => {}
        Event::AssetAdded { .. }
        | Event::IndexAdded { .. }
        | Event::IndexParamsSet { .. }
        | Event::MarketListed { .. }
        | Event::MarketParamsSet { .. }
        | Event::RiskParamsSet
        | Event::LimitsSet { .. }
        | Event::AccountOpened { .. } => define(state, event, definition),
        Event::AssetParamsSet { asset, haircut, conversion_discount } => {
            let params = &mut state.asset_mut(asset).params;
            if let Definition::Asset(set) = definition {
                *params = *set;
            }
            (params.haircut, params.conversion_discount) = (haircut, conversion_discount);
            state.note_borrow_terms(asset);
            state.look_at_everyone();
        }
        Event::MarketStatusSet { market, status, reason } => {
            state.market_mut(market).status = status;
            state.look_at_everyone(); // a market that was halted may be closed now
            if reason == crate::StatusReason::IndexUnusable {
                let params = &state.market(market).params;
                let read = [Some(params.index), params.option.map(|o| o.volatility)];
                for index in read.into_iter().flatten() {
                    let unusable = !state.index(index).is_usable(state.now);
                    state.index_mut(index).restricted |= unusable;
                }
            }
        }
        Event::FundingRateSet { market, rate } => state.market_mut(market).funding_given = Some(rate),
        Event::IsolatedOpened { child, parent, market, leg } => open_isolated(state, child, parent, market.leg(leg)),
        Event::BackstopCommitted { account, limit } => {
            if limit.is_positive() {
                state.backstops.insert(account, limit);
            } else {
                state.backstops.remove(&account);
            }
        }
        Event::LeverageSet { account, market, leverage } => {
            for leg in state.account(account).legs() {
                let position = market.leg(*leg);
                exposure(state, account, position).leverage = leverage;
                if let Some(child) = exposure(state, account, position).child {
                    exposure(state, child, position).leverage = leverage;
                }
            }
        }
        Event::MarginModeSet { account, market, mode } => {
            for leg in state.account(account).legs() {
                exposure(state, account, market.leg(*leg)).mode = mode;
            }
        }
        Event::CountdownSet { account, until } => {
            state.deadlines.set_account(account, until);
            state.due_at(until);
        }
        Event::OwnerGrouped { owner, group } => group_owner(state, owner, group),
        Event::PositionModeSet { account, mode } => set_position_mode(state, account, mode),
        Event::AccountStatusSet { account, status, reason } => {
            let children: Vec<AccountId> = state.account(account).exposures.iter().filter_map(|e| e.child).collect();
            for id in core::iter::once(account).chain(children) {
                let row = state.account_mut(id);
                (row.status, row.reason) = (status, reason);
            }
        }
        Event::SubaccountLimitSet { owner, limit } => {
            let row = state.subaccounts.entry(owner).or_default();
            row.limit = limit;
            if *row == Subaccounts::default() {
                state.subaccounts.remove(&owner);
            }
        }
        Event::Deposited { .. }
        | Event::WithdrawalRequested { .. }
        | Event::WithdrawalConfirmed { .. }
        | Event::WithdrawalReturned { .. }
        | Event::Moved { .. }
        | Event::ReserveDrawn { .. }
        | Event::Converted { .. } => {
            let before = crate::drawdown::flow(state, event);
            funds(state, event);
            crate::drawdown::flowed(state, before);
        }
        Event::ReserveSet { .. } => crate::reserve::apply(state, event),
        Event::FundWorth { fund, worth } => crate::drawdown::apply(state, fund, worth),
        Event::OrderAccepted { .. }
        | Event::OrderRested { .. }
        | Event::OrderParked { .. }
        | Event::OrderExpires { .. }
        | Event::OrderTriggered { .. }
        | Event::ReservationUsed { .. }
        | Event::OrderReduced { .. }
        | Event::OrderCancelled { .. }
        | Event::Filled { .. } => orders(state, event),
        Event::PositionChanged { account, market, size, cost, realised, leg, .. } => {
            change_position(state, account, market.leg(leg), size, cost, realised);
        }
        Event::FeeCharged { account, fee, asset, .. } => {
            credit(state, account, asset, -fee);
            state.asset_mut(asset).fees += fee;
        }
        Event::FundingSettled { account, market, amount, residue, leg } => {
            let index = state.market(market).funding_index;
            exposure(state, account, market.leg(leg)).funding = index;
            from_clearing(state, account, market, amount, residue);
        }
        Event::RoundingSwept { market, amount } => {
            let row = state.market_mut(market);
            row.clearing -= amount;
            row.residue -= amount.units() * 1_000_000_000;
            let asset = row.params.settlement;
            state.asset_mut(asset).rounding += amount;
        }
        Event::QuoteTaken { .. }
        | Event::IndexSet { .. }
        | Event::MarkSet { .. }
        | Event::PremiumSampled { .. }
        | Event::FundingPosted { .. }
        | Event::OptionFundingAccrued { .. }
        | Event::FundingSkipped { .. } => prices(state, event),
        Event::OptionEnded { .. } | Event::OptionExited { .. } => {}
        Event::ExitRightSet { market, open } => state.market_mut(market).exit_open = open,
        Event::ProtectionSet { .. } | Event::ProtectionCounted { .. } | Event::ProtectionReached { .. } => {
            crate::protection::apply(state, event);
        }
        Event::InterestPosted { asset, cumulative, next, .. } => {
            if let Some(row) = state.borrowing.get_mut(&asset) {
                (row.cumulative, row.next) = (cumulative, next);
                state.risk_due |= !row.debts.is_empty();
                row.debts.keys().for_each(|debtor| state.watch.touch(*debtor));
            }
        }
        Event::InterestCharged { account, asset, amount } => {
            credit(state, account, asset, -amount);
            state.asset_mut(asset).fees += amount;
            if let Some(row) = state.borrowing.get_mut(&asset) {
                row.debts.insert(account, row.cumulative);
            }
        }
        Event::CollateralModeSet { account, only } => state.account_mut(account).only = only,
        Event::RealisationBegan { market, price, next } => {
            state.market_mut(market).realise_next = next;
            state.realising.insert(market, crate::Realising { next: AccountId(0), price });
        }
        Event::RealisationContinues { market, account } => {
            if let Some(row) = state.realising.get_mut(&market) {
                row.next = account;
            }
        }
        Event::RealisationEnded { market } => {
            state.realising.remove(&market);
        }
        Event::PositionValued { .. } | Event::WalletValued { .. } | Event::GroundsStated { .. } => {}
        Event::RiskEvaluated => state.risk_due = false,
        Event::MarginCalled { account, level, .. } => state.account_mut(account).call = level,
        Event::LiquidationStarted { account, .. } => {
            state.liquidating.insert(account);
            let next = state.now;
            state.account_mut(account).liquidation = Some(Liquidation { stage: Stage::Cancel, next });
        }
        Event::LiquidationPaused { account, stage, until } => {
            state.account_mut(account).liquidation = Some(Liquidation { stage, next: until });
        }
        Event::LiquidationEnded { account, outcome, .. } => {
            let (Outcome::Restored | Outcome::Closed) = outcome;
            state.liquidating.remove(&account);
            state.results.remove(&account);
            state.auctions.remove(&account);
            state.account_mut(account).liquidation = None;
        }
        Event::LiquidationFee { account, market, fund, fee } => {
            let asset = state.market(market).params.settlement;
            credit(state, account, asset, -fee);
            credit(state, fund, asset, fee);
        }
        Event::SettlementScheduled { .. }
        | Event::SettlementCancelled { .. }
        | Event::SettlementPriced { .. }
        | Event::PositionSettled { .. }
        | Event::SettlementContinues { .. }
        | Event::MarketSettled { .. } => crate::settlement::apply(state, event),
        Event::DelistingScheduled { asset } => {
            let Definition::Delisting(steps) = definition else { fault("an event and its definition belong together") };
            state.delistings.insert(asset, (steps.to_vec(), false));
        }
        Event::DelistingCancelled { asset } => {
            state.delistings.remove(&asset);
        }
        Event::HaircutStepped { asset, haircut } => {
            if let Some((steps, begun)) = state.delistings.get_mut(&asset) {
                *begun = true;
                steps.remove(0);
            }
            state.asset_mut(asset).params.haircut = haircut;
            state.look_at_everyone();
        }
        Event::IndexFellBack { index, .. } => {
            let now = state.now;
            let row = state.index_mut(index);
            row.count_history(now);
            row.fallen = Some(row.usable_until);
        }
        Event::IndexRestored { index } => {
            let now = state.now;
            let row = state.index_mut(index);
            row.count_history(now);
            row.fallen = None;
        }
        Event::FeeTierSet { owner, tier } => {
            if tier == 0 {
                state.fee_tiers.remove(&owner);
            } else {
                state.fee_tiers.insert(owner, tier);
            }
            state.accounts.iter_mut().filter(|a| a.owner == owner).for_each(|a| a.fee_tier = tier);
        }
        Event::OwnTradesAveraged { .. } | Event::LaunchBegan { .. } | Event::Launched { .. } => {
            crate::prelaunch::apply(state, event);
        }
        Event::PositionSplit { .. } | Event::MarketSplit { .. } | Event::IndexSplit { .. } => {
            crate::split::apply(state, event);
        }
        Event::AuctionStarted { .. } | Event::AuctionEnded { .. } => crate::auction::apply(state, event),
        Event::SelfTradeSet { order, self_trade } => order_mut(state, order).self_trade = self_trade,
        Event::ExtremeMoved { market, by, when, extreme } => {
            state.market_mut(market).book.extend((by, when), extreme);
        }
        Event::LossShared { account, market, side, amount, cumulative, residue } => {
            from_clearing(state, account, market, amount, residue);
            crate::loss::owe(state, market, side, cumulative);
        }
        Event::LossSettled { account, market, amount, residue, leg } => {
            from_clearing(state, account, market, -amount, residue);
            let size = state.account(account).position(market.leg(leg));
            crate::loss::restart(state, account, market.leg(leg), size);
        }
        Event::FeeDiscountSet { discount } => state.fee_discount = discount,
        Event::FeeAssetSet { account, asset } => state.account_mut(account).pays_in = asset,
    }
}

fn define(state: &mut State, event: &Event, definition: Definition<'_>) {
    match (*event, definition) {
        (Event::AssetAdded { asset }, Definition::Asset(params)) => {
            let zero = Money::ZERO;
            state.assets.push(Asset {
                params: *params,
                vault: zero,
                fees: zero,
                rounding: zero,
                pending: zero,
                claims: zero,
            });
            state.note_borrow_terms(asset);
        }
        (Event::IndexAdded { .. }, Definition::Index(params)) => state.indices.push(Index {
            sources: params.weights.iter().map(|_| None).collect(),
            own: params.own.as_ref().map(crate::PreLaunch::new),
            params: params.clone(),
            price: Price::ZERO,
            set_at: state.now,
            last_usable: Price::ZERO,
            usable_until: Time::EPOCH,
            restricted: false,
            history: crate::History::default(),
            fallen: None,
            split_at: None,
        }),
        (Event::IndexParamsSet { index }, Definition::Index(params)) => {
            state.index_mut(index).params = params.clone();
            state.look_at_everyone();
        }
        (Event::MarketListed { .. }, Definition::Market(params)) => {
            let market = new_market(params.clone(), state.now);
            state.markets.push(market);
            state.next_due = state.now;
        }
        (Event::MarketParamsSet { market }, Definition::Market(params)) => {
            let next = next_realisation(params, state.now);
            let row = state.market_mut(market);
            if row.params.realise_every_ns != params.realise_every_ns {
                row.realise_next = next;
            }
            row.params = params.clone();
            row.params_digest = params.digest();
            state.look_at_everyone();
        }
        (Event::RiskParamsSet, Definition::Risk(params)) => {
            state.risk = *params;
            state.look_at_everyone();
        }
        (Event::AccountOpened { account, owner }, Definition::Account(role, name)) => {
            let kind = match role {
                Role::Trading => AccountKind::Trading,
                Role::Fund => {
                    state.funds.push(account);
                    AccountKind::Fund
                }
            };
            let watched = state.owners.contains_key(&owner) && kind == AccountKind::Trading;
            let fee_tier = state.fee_tiers.get(&owner).copied().unwrap_or(0);
            if kind == AccountKind::Trading {
                state.subaccounts.entry(owner).or_default().open += 1;
            }
            state.accounts.push(Account { watched, fee_tier, ..new_account(owner, kind, Some(name)) });
        }
        (Event::LimitsSet { scope }, Definition::Limits(limits)) => set_limits(state, scope, *limits),
        _ => fault("an event and its definition belong together"),
    }
}

fn next_realisation(params: &MarketParams, now: Time) -> Time {
    match params.realise_every_ns {
        0 => Time::EPOCH,
        every => crate::realise::next_multiple(now, every),
    }
}

fn new_market(params: MarketParams, now: Time) -> Market {
    let interval = params.funding.interval_ns;
    let next = crate::realise::next_multiple(now, interval);
    let params_digest = params.digest();
    Market {
        params_digest,
        realise_next: next_realisation(&params, now),
        params,
        status: MarketStatus::Open,
        mark: Price::ZERO,
        moved_at: now,
        averaged_to: now,
        last_usable: Price::ZERO,
        last: Price::ZERO,
        average: Average::default(),
        basis: Vec::new(),
        premium_sum: 0,
        premium_count: 0,
        next_sample: now,
        funding_given: None,
        funding_last: units::Rate::ZERO,
        funding_next: next,
        exit_open: false,
        carry: crate::Carry::default(),
        funding_index: 0,
        residue: 0,
        clearing: Money::ZERO,
        open_interest: 0,
        short_interest: 0,
        costs: Money::ZERO,
        resting: 0,
        resting_buys: 0,
        book: Book::default(),
    }
}

fn new_account(owner: OwnerId, kind: AccountKind, name: Option<Name>) -> Account {
    Account {
        owner,
        kind,
        call: 0,
        mode: PositionMode::OneWay,
        watched: false,
        withdrawals: 0,
        fee_tier: 0,
        pays_in: None,
        only: None,
        status: AccountStatus::Active,
        reason: AccountReason::Normal,
        order_count: 0,
        order_head: None,
        wallets: SmallVec::new(),
        exposures: SmallVec::new(),
        liquidation: None,
        name,
    }
}

fn open_isolated(state: &mut State, child: AccountId, parent: AccountId, position: PositionId) {
    let PositionId { market, leg } = position;
    let Account { owner, watched, fee_tier, status, reason, .. } = *state.account(parent);
    let row = new_account(owner, AccountKind::Isolated { parent, market, leg }, None);
    state.accounts.push(Account { watched, fee_tier, status, reason, ..row });
    let row = exposure(state, parent, position);
    row.child = Some(child);
    let leverage = row.leverage;
    exposure(state, child, position).leverage = leverage;
}

/// Leverage and margin mode of each market are those of its positions in the new mode. The rows of the old mode stay,
/// flat, for the children that they know.
fn set_position_mode(state: &mut State, account: AccountId, mode: PositionMode) {
    let row = state.account_mut(account);
    let old: Vec<Exposure> = row.exposures.iter().filter(|e| row.legs().contains(&e.leg)).cloned().collect();
    row.mode = mode;
    let legs = row.legs();
    for from in old {
        for leg in legs {
            let position = from.market.leg(*leg);
            let to = exposure(state, account, position);
            (to.leverage, to.mode) = (from.leverage, from.mode);
            if let Some(child) = to.child {
                exposure(state, child, position).leverage = from.leverage;
            }
        }
    }
}

/// What an account has in a position, made when it is not there yet.
fn exposure(state: &mut State, account: AccountId, position: PositionId) -> &mut Exposure {
    let rows = &mut state.account_mut(account).exposures;
    let at = match rows.binary_search_by_key(&position, Exposure::position) {
        Ok(at) => at,
        Err(at) => {
            rows.insert(at, Exposure::new(position));
            at
        }
    };
    match rows.get_mut(at) {
        Some(row) => row,
        None => fault("an exposure that was just found is there"),
    }
}

fn credit(state: &mut State, account: AccountId, asset: AssetId, amount: Money) {
    let wallets = &mut state.account_mut(account).wallets;
    let after = match wallets.iter_mut().find(|w| w.asset == asset) {
        Some(wallet) => {
            wallet.amount += amount;
            wallet.amount
        }
        None => {
            wallets.push(Wallet { asset, amount });
            amount
        }
    };
    state.asset_mut(asset).claims += after.max(Money::ZERO) - (after - amount).max(Money::ZERO);
    if !state.borrowing.is_empty() && !amount.is_zero() {
        state.note_debt(account, asset, after);
    }
}

/// Moves an amount from the clearing account of a market to a wallet; − takes it back. `residue` is what rounding left there.
fn from_clearing(state: &mut State, account: AccountId, market: MarketId, amount: Money, residue: i128) {
    let row = state.market_mut(market);
    row.clearing -= amount;
    row.residue += residue;
    let asset = row.params.settlement;
    credit(state, account, asset, amount);
}

fn funds(state: &mut State, event: &Event) {
    match *event {
        Event::Deposited { account, asset, amount, reference, .. } => {
            state.deposits.insert((asset, reference));
            state.asset_mut(asset).vault += amount;
            credit(state, account, asset, amount);
        }
        Event::WithdrawalRequested { withdrawal, account, asset, amount, .. } => {
            state.withdrawals.insert(withdrawal, Withdrawal { account, asset, amount });
            state.last_withdrawal = withdrawal;
            state.asset_mut(asset).pending += amount;
            state.account_mut(account).withdrawals += 1;
            credit(state, account, asset, -amount);
        }
        Event::WithdrawalConfirmed { withdrawal } => {
            if let Some(row) = state.withdrawals.remove(&withdrawal) {
                let asset = state.asset_mut(row.asset);
                asset.pending -= row.amount;
                asset.vault -= row.amount;
                state.account_mut(row.account).withdrawals -= 1;
            }
        }
        Event::WithdrawalReturned { withdrawal, .. } => {
            if let Some(row) = state.withdrawals.remove(&withdrawal) {
                state.asset_mut(row.asset).pending -= row.amount;
                state.account_mut(row.account).withdrawals -= 1;
                credit(state, row.account, row.asset, row.amount);
            }
        }
        Event::Moved { from, to, asset, amount, .. } => {
            credit(state, from, asset, -amount);
            credit(state, to, asset, amount);
        }
        Event::ReserveDrawn { fund, reserve, asset, amount, .. } => {
            credit(state, reserve, asset, -amount);
            credit(state, fund, asset, amount);
            crate::reserve::apply(state, event);
        }
        Event::Converted { account, fund, sold, sold_amount, bought, bought_amount } => {
            credit(state, account, sold, -sold_amount);
            credit(state, fund, sold, sold_amount);
            credit(state, fund, bought, -bought_amount);
            credit(state, account, bought, bought_amount);
        }
        _ => fault("not an event about funds"),
    }
}

fn change_position(
    state: &mut State,
    account: AccountId,
    position: PositionId,
    size: Size,
    cost: Money,
    realised: Money,
) {
    let market = position.market;
    let (asset, index) = {
        let row = state.market(market);
        (row.params.settlement, row.funding_index)
    };
    let row = exposure(state, account, position);
    let old = row.size;
    let (was, is) = (i128::from(old.units()), i128::from(size.units()));
    let grown = cost.abs() - row.cost.abs();
    (row.size, row.cost, row.funding) = (size, cost, index);
    if state.account(account).watched {
        let mut change = Held::of_position(size);
        change.add(&Held::of_position(old), -1);
        watch(state, account, market, &change);
    }
    let market = state.market_mut(market);
    market.open_interest += is.max(0) - was.max(0);
    market.short_interest += (-is).max(0) - (-was).max(0);
    market.clearing -= realised;
    market.costs += grown;
    credit(state, account, asset, realised);
    crate::deficit::note(state, account, position.market, old, realised);
    crate::loss::restart(state, account, position, size);
}

fn orders(state: &mut State, event: &Event) {
    match *event {
        Event::OrderAccepted { order, account, market, side, price, size, client_id, force, reduce, reserved, leg } => {
            let parent = state.parent_of(account);
            let row = Order {
                id: order,
                account,
                market,
                side,
                force,
                reduce,
                place: Place::Working,
                price,
                remaining: size,
                client_id,
                reserved,
                level: Links::default(),
                own: Links::default(),
                leg,
                expires: false,
                self_trade: crate::SelfTrade::default(),
            };
            state.orders.insert(row, parent);
            link_own(state, order, account);
            if !reserved.is_zero() {
                exposure(state, parent, market.leg(leg)).reserved += reserved;
            }
        }
        Event::OrderRested { order, remaining } => rest(state, order, remaining),
        Event::OrderParked { order, trigger, force } => {
            let row = order_mut(state, order);
            row.place = Place::Parked { trigger, force };
            let market = row.market;
            let price = state.trigger_price(market, trigger.by);
            state.market_mut(market).book.park(order, &trigger, price);
        }
        Event::OrderExpires { order, expires } => {
            order_mut(state, order).expires = true;
            state.deadlines.set_order(order, Some(expires));
            state.due_at(Some(expires));
        }
        Event::OrderTriggered { order, .. } | Event::OrderCancelled { order, .. } => end_order(state, order),
        Event::ReservationUsed { order, parent, child, amount } => {
            let row = order_mut(state, order);
            row.reserved -= amount;
            let (market, position) = (row.market, row.position());
            exposure(state, parent, position).reserved -= amount;
            let asset = state.market(market).params.settlement;
            credit(state, parent, asset, -amount);
            credit(state, child, asset, amount);
        }
        Event::OrderReduced { order, remaining, reserved } => {
            let row = *order_mut(state, order);
            shrink(state, &row, remaining);
            let parent = state.parent_of(row.account);
            order_mut(state, order).reserved = reserved;
            if row.reserved != reserved {
                exposure(state, parent, row.position()).reserved -= row.reserved - reserved;
            }
        }
        Event::Filled { market, maker, taker, price, size, value } => {
            for order in [maker, taker] {
                let row = *order_mut(state, order);
                let remaining = row.remaining - size.abs();
                shrink(state, &row, remaining);
                if remaining.is_zero() {
                    end_order(state, order);
                }
            }
            state.market_mut(market).last = price;
            let index = state.market(market).params.index;
            if let Some(own) = &mut state.index_mut(index).own {
                own.trade(value, i128::from(size.units()));
            }
        }
        _ => fault("not an event about orders"),
    }
}

fn order_mut(state: &mut State, id: OrderId) -> &mut Order {
    match state.orders.get_mut(id) {
        Some(order) => order,
        None => fault("an event names an open order"),
    }
}

/// Puts an order at the head of its account's list.
fn link_own(state: &mut State, order: OrderId, account: AccountId) {
    let row = state.account_row_mut(account); // what it must hold is told by `totals`
    let head = row.order_head.replace(order);
    row.order_count += 1;
    let watched = row.watched;
    order_mut(state, order).own.after = head;
    if let Some(head) = head {
        order_mut(state, head).own.before = Some(order);
    }
    if watched {
        count_orders(state, account, |orders| orders + 1);
    }
}

fn unlink_own(state: &mut State, order: &Order) {
    if let Some(before) = order.own.before {
        order_mut(state, before).own.after = order.own.after;
    }
    if let Some(after) = order.own.after {
        order_mut(state, after).own.before = order.own.before;
    }
    let row = state.account_row_mut(order.account);
    row.order_count -= 1;
    if row.order_head == Some(order.id) {
        row.order_head = order.own.after;
    }
    if row.watched {
        count_orders(state, order.account, |orders| orders - 1);
    }
}

/// Applies a change of the number of open orders to the totals of an account's owner and group.
fn count_orders(state: &mut State, account: AccountId, change: impl Fn(u32) -> u32) {
    let owner = state.account(account).owner;
    let Some(row) = state.owners.get_mut(&owner) else { return };
    row.orders = change(row.orders);
    if let Some(group) = row.group.and_then(|group| state.groups.get_mut(&group)) {
        group.orders = change(group.orders);
    }
}

/// Applies a change of what an account holds to the totals of its owner and group.
fn watch(state: &mut State, account: AccountId, market: MarketId, change: &Held) {
    let owner = state.account(account).owner;
    let Some(row) = state.owners.get_mut(&owner) else { return };
    add_held(row, market, change, 1);
    if let Some(group) = row.group.and_then(|group| state.groups.get_mut(&group)) {
        add_held(group, market, change, 1);
    }
}

fn add_held(row: &mut Watched, market: MarketId, change: &Held, sign: i128) {
    let held = row.held.entry(market).or_default();
    held.add(change, sign);
    if *held == Held::default() {
        row.held.remove(&market);
    }
}

fn set_limits(state: &mut State, scope: LimitScope, limits: ExposureLimits) {
    let none = limits == ExposureLimits::default();
    match scope {
        LimitScope::Account(account) => {
            if none {
                state.account_limits.remove(&account);
            } else {
                state.account_limits.insert(account, limits);
            }
            look_again(state, state.account(account).owner);
        }
        LimitScope::Owner(owner) => {
            watch_owner(state, owner);
            if let Some(row) = state.owners.get_mut(&owner) {
                row.limits = limits;
            }
            forget_owner(state, owner);
        }
        LimitScope::Group(group) => {
            state.groups.entry(group).or_default().limits = limits;
            let empty = !state.owners.values().any(|row| row.group == Some(group));
            if none && empty {
                state.groups.remove(&group);
            }
        }
    }
}

fn group_owner(state: &mut State, owner: OwnerId, group: Option<GroupId>) {
    watch_owner(state, owner);
    let Some(row) = state.owners.get_mut(&owner) else { return };
    let (old, own) = (row.group, row.clone());
    row.group = group;
    if let Some(old) = old {
        if let Some(row) = state.groups.get_mut(&old) {
            add_owner(row, &own, -1);
        }
        let empty = !state.owners.values().any(|row| row.group == Some(old));
        if empty && state.groups.get(&old).is_some_and(|row| row.limits == ExposureLimits::default()) {
            state.groups.remove(&old);
        }
    }
    if let Some(group) = group {
        add_owner(state.groups.entry(group).or_default(), &own, 1);
    }
    forget_owner(state, owner);
}

fn add_owner(group: &mut Watched, owner: &Watched, sign: i128) {
    group.orders = if sign > 0 { group.orders + owner.orders } else { group.orders - owner.orders };
    for (market, held) in &owner.held {
        add_held(group, *market, held, sign);
    }
}

/// Begins to keep totals of an owner.
fn watch_owner(state: &mut State, owner: OwnerId) {
    if !state.owners.contains_key(&owner) {
        let row = state.count_owner(owner);
        state.owners.insert(owner, row);
        look_again(state, owner);
    }
}

/// Ends it when it has neither limits nor a group.
fn forget_owner(state: &mut State, owner: OwnerId) {
    let idle = |row: &Watched| row.group.is_none() && row.limits == ExposureLimits::default();
    if state.owners.get(&owner).is_some_and(idle) {
        state.owners.remove(&owner);
        look_again(state, owner);
    }
}

/// Says on each account of an owner whether its orders have limits to meet.
fn look_again(state: &mut State, owner: OwnerId) {
    for id in (0..state.accounts.len()).map(AccountId::at) {
        let row = state.account(id);
        if row.owner == owner && row.kind != AccountKind::Fund {
            let watched = state.is_watched(id);
            state.account_mut(id).watched = watched;
        }
    }
}

/// Puts an order at the end of its price level.
fn rest(state: &mut State, id: OrderId, remaining: Size) {
    let row = order_mut(state, id);
    row.place = Place::Resting;
    let order = *row;
    let level = state.market_mut(order.market).book.side_mut(order.side).entry(order.price);
    let units = i128::from(remaining.units());
    let mut before = None;
    level
        .and_modify(|l| {
            before = Some(l.last);
            l.last = id;
            l.total += units;
        })
        .or_insert(Level { total: units, first: id, last: id });
    if let Some(before) = before {
        order_mut(state, before).level.after = Some(id);
        order_mut(state, id).level.before = Some(before);
    }
    let market = state.market_mut(order.market);
    market.resting += units;
    if order.side == Side::Buy {
        market.resting_buys += units;
    }
    totals(state, &order, Size::ZERO, remaining);
}

/// Gives an order a smaller open size; a working or waiting one has no place in the totals.
fn shrink(state: &mut State, order: &Order, remaining: Size) {
    order_mut(state, order.id).remaining = remaining;
    if order.place == Place::Resting {
        let units = i128::from((order.remaining - remaining).units());
        let market = state.market_mut(order.market);
        market.resting -= units;
        if order.side == Side::Buy {
            market.resting_buys -= units;
        }
        if let Some(level) = market.book.side_mut(order.side).get_mut(&order.price) {
            level.total -= units;
        }
        totals(state, order, order.remaining, remaining);
    }
}

/// Moves the totals of an order's side from its open size before to the one after. Reduce-only orders hold no margin.
fn totals(state: &mut State, order: &Order, before: Size, after: Size) {
    if order.reduce == Reduce::Only {
        return;
    }
    let contract = state.market(order.market).contract();
    let notional = |size| match contract.notional(order.price, size) {
        Some(notional) => notional,
        None => fault("notional of a resting order fits"),
    };
    let row = exposure(state, order.account, order.position());
    let totals = match order.side {
        Side::Buy => &mut row.buys,
        Side::Sell => &mut row.sells,
    };
    if before.is_zero() {
        let worse = match order.side {
            Side::Buy => order.price > totals.worst,
            Side::Sell => order.price < totals.worst,
        };
        if totals.count == 0 || worse {
            totals.worst = order.price;
        }
        totals.count += 1;
    }
    totals.size = totals.size + after - before;
    totals.notional = totals.notional + notional(after) - notional(before);
    if after.is_zero() {
        totals.count -= 1;
    }
    if state.account(order.account).watched {
        let units = i128::from(after.units()) - i128::from(before.units());
        let change = match order.side {
            Side::Buy => Held { buys: units, ..Held::default() },
            Side::Sell => Held { sells: units, ..Held::default() },
        };
        watch(state, order.account, order.market, &change);
    }
}

/// Takes an order out of everything that knows it.
fn end_order(state: &mut State, id: OrderId) {
    let Some(order) = state.order(id).copied() else { fault("an order that ends is open") };
    match order.place {
        Place::Working => {}
        Place::Resting => {
            if !order.remaining.is_zero() {
                shrink(state, &order, Size::ZERO);
            }
            unlink_level(state, &order);
        }
        Place::Parked { trigger, .. } => {
            state.market_mut(order.market).book.unpark(id, &trigger);
        }
    }
    if order.expires {
        state.deadlines.set_order(id, None);
    }
    unlink_own(state, &order);
    let parent = state.parent_of(order.account);
    if !order.reserved.is_zero() {
        exposure(state, parent, order.position()).reserved -= order.reserved;
    }
    state.orders.remove(id, parent);
}

fn unlink_level(state: &mut State, order: &Order) {
    let Links { before, after } = order.level;
    if let Some(before) = before {
        order_mut(state, before).level.after = after;
    }
    if let Some(after) = after {
        order_mut(state, after).level.before = before;
    }
    let side = state.market_mut(order.market).book.side_mut(order.side);
    match (before, after) {
        (None, None) => {
            side.remove(&order.price);
        }
        (None, Some(after)) => {
            if let Some(level) = side.get_mut(&order.price) {
                level.first = after;
            }
        }
        (Some(before), None) => {
            if let Some(level) = side.get_mut(&order.price) {
                level.last = before;
            }
        }
        (Some(_), Some(_)) => {}
    }
}

fn prices(state: &mut State, event: &Event) {
    let now = state.now;
    match *event {
        Event::QuoteTaken { index, source, price, time } => {
            if let Some(row) = state.index_mut(index).sources.get_mut(usize::from(source)) {
                *row = Some(SourceQuote { price, time });
            }
        }
        Event::IndexSet { index, price, usable_until } => {
            let usable_before = state.index(index).is_usable(now);
            let row = state.index_mut(index);
            row.count_history(now);
            (row.price, row.set_at, row.usable_until) = (price, now, usable_until);
            if usable_until >= now {
                (row.last_usable, row.restricted) = (price, false);
            }
            state.risk_due = true;
            if usable_until >= now && !usable_before {
                state.next_due = now; // what waited for a usable price is due at once
            }
        }
        Event::MarkSet { market, price } => {
            let index = state.market(market).params.index;
            let usable = state.index(index).is_usable(now);
            let row = state.market_mut(market);
            accrue_average(row, now);
            if row.mark != price {
                (row.mark, row.moved_at) = (price, now);
            }
            if usable {
                row.last_usable = price;
            }
            state.risk_due = true;
        }
        Event::PremiumSampled { market, premium, basis } => {
            let row = state.market_mut(market);
            accrue_average(row, now);
            row.premium_sum += i128::from(premium.units());
            row.premium_count += 1;
            row.next_sample = next_second(now);
            if let Some(basis_window_s) = row.params.mark.basis_window_s() {
                let oldest = now.plus_ns(-i64::from(basis_window_s) * Time::SECOND_NS);
                row.basis.retain(|(at, _)| *at > oldest);
                row.basis.push((now, basis));
            }
            crate::option::carry_on(state, market);
        }
        Event::FundingPosted { market, rate, cumulative, next, .. } => {
            let row = state.market_mut(market);
            (row.funding_index, row.funding_last) = (cumulative, rate);
            reset_funding(row, next);
            state.risk_due = true;
        }
        Event::FundingSkipped { market, next } => {
            reset_funding(state.market_mut(market), next);
            if state.market(market).params.option.is_some() {
                state.market_mut(market).next_sample = next_second(now);
                crate::option::carry_on(state, market);
            }
        }
        Event::OptionFundingAccrued { market, sum, cumulative, .. } => {
            let row = state.market_mut(market);
            accrue_average(row, now);
            row.next_sample = next_second(now);
            (row.carry.sum, row.funding_index) = (sum, cumulative);
            crate::option::carry_on(state, market);
            state.risk_due = true;
        }
        _ => fault("not an event about prices"),
    }
}

impl State {
    /// What everyone's terms are made of has changed.
    pub(crate) fn look_at_everyone(&mut self) {
        self.risk_due = true;
        self.watch.forget();
    }

    /// Work is due by the clock at this time, too.
    fn due_at(&mut self, time: Option<Time>) {
        self.next_due = time.map_or(self.next_due, |time| time.min(self.next_due));
    }
}

fn next_second(now: Time) -> Time {
    crate::realise::next_multiple(now, Time::SECOND_NS)
}

fn reset_funding(market: &mut Market, next: Time) {
    (market.premium_sum, market.premium_count) = (0, 0);
    market.funding_given = None;
    market.funding_next = next;
}

/// Adds the present mark to the average for the time since it was last added.
fn accrue_average(market: &mut Market, now: Time) {
    let width = limits::AVERAGE_BUCKET_S * Time::SECOND_NS;
    let buckets = i64::try_from(limits::AVERAGE_BUCKETS).unwrap_or(1);
    let elapsed = now.since(market.averaged_to).min(width * buckets);
    market.averaged_to = now;
    if elapsed == 0 || !market.mark.is_positive() {
        return;
    }
    let bucket = now.ns().div_euclid(width);
    let weighted = i128::from(market.mark.units()) * i128::from(elapsed);
    let rows = &mut market.average.buckets;
    match rows.last_mut().filter(|row| row.0 == bucket) {
        Some(row) => (row.1, row.2) = (row.1 + weighted, row.2 + elapsed),
        None => rows.push((bucket, weighted, elapsed)),
    }
    rows.retain(|row| row.0 > bucket - buckets);
    market.average.price = market.average.computed();
}
