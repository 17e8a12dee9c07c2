//! The opening: the population pays in, opens its positions by trading with each other at the first price, and leaves
//! its orders. What longs and shorts do not find in each other, hedgers take.

use super::ReplayError;
use super::config::Config;
use super::desk::Desk;
use super::population::{AccountPlan, OrderPlan, PositionPlan};
use super::venue::{COIN_DECIMALS, COIN_HAIRCUT, Listed, Venue, to_decimals, to_quote};
use engine::{AccountId, Command, MarginMode, OrderRef, PlaceOrder, Reduce, Role, Side, TimeInForce};
use serde::Serialize;
use units::{Money, Rate, Round, Size};

/// What the population came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Population {
    /// Accounts.
    pub accounts: u64,
    /// Of them with isolated positions.
    pub isolated: u64,
    /// Of them with a coin as collateral.
    pub coin_collateral: u64,
    /// Positions that were opened.
    pub positions: u64,
    /// Orders that were left in the book.
    pub orders: u64,
    /// Collateral after haircuts before fees, quote.
    pub equity: Money,
    /// Hash over every account of the population: wallets and positions, sizes and costs, when the window begins: two
    /// runs with the same one began with the same book.
    pub digest: String,
}

/// Opens all accounts and their positions; the first account and what they came to.
///
/// # Errors
/// A deposit or account that was refused. Orders may be refused; the report counts them.
pub fn open(
    desk: &mut Desk<'_, '_>,
    config: &Config,
    venue: &Venue,
    plans: &[AccountPlan],
) -> Result<(AccountId, Population), ReplayError> {
    let mut accounts = Vec::with_capacity(plans.len());
    for (owner, plan) in (1u32..).zip(plans) {
        let account = desk.open(&format!("a{owner}"), owner, Role::Trading)?;
        pay_in(desk, config, venue, account, plan)?;
        accounts.push(account);
    }
    let first = accounts.first().copied().unwrap_or_default();
    desk.tally.population_from = first;
    for (account, plan) in accounts.iter().zip(plans) {
        for position in &plan.positions {
            open_position(desk, venue, *account, plan, position)?;
        }
    }
    for listed in &venue.markets {
        hedge(desk, config, venue, listed)?;
    }
    let mut left = 0;
    for (account, plan) in accounts.iter().zip(plans) {
        left += plan.order.iter().filter(|order| leave(desk, venue, *account, order)).count();
    }
    desk.end_batch();
    Ok((first, summary(desk, plans, left)))
}

fn summary(desk: &Desk<'_, '_>, plans: &[AccountPlan], orders: usize) -> Population {
    let count = |is: &dyn Fn(&AccountPlan) -> bool| u64::try_from(plans.iter().filter(|p| is(p)).count()).unwrap_or(0);
    let state = desk.engine.state();
    let held = state.accounts.iter().enumerate().filter(|(id, _)| *id >= desk.tally.population_from.index());
    let positions: usize = held.map(|(_, a)| a.exposures.iter().filter(|e| !e.size.is_zero()).count()).sum();
    Population {
        accounts: u64::try_from(plans.len()).unwrap_or(0),
        isolated: count(&|p| p.mode == MarginMode::Isolated),
        coin_collateral: count(&|p| p.coin.is_some()),
        positions: u64::try_from(positions).unwrap_or(0),
        orders: u64::try_from(orders).unwrap_or(0),
        equity: plans.iter().map(|p| p.equity).sum(),
        digest: digest(desk),
    }
}

/// The same for the same accounts with the same wallets and positions, in whatever order they were opened.
pub fn digest(desk: &Desk<'_, '_>) -> String {
    let state = desk.engine.state();
    let mut hash = blake3::Hasher::new();
    let mut put = |account: &engine::Account| {
        for wallet in account.wallets.iter().filter(|w| !w.amount.is_zero()) {
            hash.update(&wallet.asset.0.to_le_bytes()).update(&wallet.amount.units().to_le_bytes());
        }
        for e in account.exposures.iter().filter(|e| !e.size.is_zero()) {
            hash.update(&e.market.0.to_le_bytes()).update(&e.size.units().to_le_bytes());
            hash.update(&e.cost.units().to_le_bytes());
        }
    };
    for account in state.accounts.iter().skip(desk.tally.population_from.index()) {
        if account.kind == engine::AccountKind::Trading {
            put(account);
            account.exposures.iter().filter_map(|e| e.child).for_each(|child| put(state.account(child)));
        }
    }
    hash.finalize().to_hex().to_string()
}

/// The equity of the plan, and beside it the fees of opening. A holder of coins keeps a fifth in the quote asset.
fn pay_in(
    desk: &mut Desk<'_, '_>,
    config: &Config,
    venue: &Venue,
    account: AccountId,
    plan: &AccountPlan,
) -> Result<(), ReplayError> {
    let notional: Money = plan.positions.iter().map(|p| venue.markets[p.market].spec.open * p.size).sum();
    let fees = notional.mul_rate(config.ladder.taker_fee, Round::Up);
    let Some(coin) = plan.coin.and_then(|at| venue.coins.get(at)) else {
        return desk.deposit(account, venue.quote, to_quote(plan.equity + fees));
    };
    let fifth = Money::from_units(plan.equity.units() / 5);
    desk.deposit(account, venue.quote, to_quote(fifth + fees))?;
    let worth = coin.open.scale(COIN_HAIRCUT - Rate::ONE, Round::Down).unwrap_or(coin.open);
    let coins = (plan.equity - fifth).from_index(worth, Round::Up).unwrap_or(Money::ZERO);
    desk.deposit(account, coin.asset, to_decimals(coins, COIN_DECIMALS))
}

fn open_position(
    desk: &mut Desk<'_, '_>,
    venue: &Venue,
    account: AccountId,
    plan: &AccountPlan,
    position: &PositionPlan,
) -> Result<(), ReplayError> {
    let listed = &venue.markets[position.market];
    if plan.mode == MarginMode::Isolated {
        desk.must(&Command::SetMarginMode { account, market: listed.market, mode: MarginMode::Isolated })?;
        let most = desk.engine.state().market(listed.market).leverage_max();
        let leverage = plan.leverage.min(most);
        desk.must(&Command::SetLeverage { account, market: listed.market, leverage })?;
    }
    let order = PlaceOrder::limit(account, listed.market, position.side, position.size, listed.spec.open);
    let _ = desk.send("population", &Command::PlaceOrder(order));
    if desk.commands.is_multiple_of(4_096) {
        desk.end_batch();
    }
    Ok(())
}

/// The hedgers take what rests, in equal parts, each with its whole notional paid in; what is still there is cancelled.
fn hedge(desk: &mut Desk<'_, '_>, config: &Config, venue: &Venue, listed: &Listed) -> Result<(), ReplayError> {
    for side in [Side::Buy, Side::Sell] {
        let book = &desk.engine.state().market(listed.market).book;
        let rests: i128 = book.side(side.opposite()).values().map(|level| level.total).sum();
        let Some(rests) = i64::try_from(rests).ok().and_then(Size::new).filter(|s| s.is_positive()) else { continue };
        let hedgers = i64::try_from(venue.hedgers.len()).unwrap_or(1);
        let each =
            Size::new(rests.units() / hedgers + listed.spec.lot.units()).unwrap_or(rests).to_lot(listed.spec.lot);
        let notional = listed.spec.open * each;
        let fees = notional.mul_rate(config.ladder.taker_fee, Round::Up);
        for hedger in &venue.hedgers {
            desk.deposit(*hedger, venue.quote, to_quote(notional + fees))?;
            let order = PlaceOrder {
                force: TimeInForce::Ioc,
                ..PlaceOrder::limit(*hedger, listed.market, side, each, listed.spec.open)
            };
            let _ = desk.send("hedgers", &Command::PlaceOrder(order));
        }
    }
    let resting: Vec<_> =
        desk.engine.state().orders.iter().filter(|o| o.market == listed.market).map(|o| (o.account, o.id)).collect();
    for (account, order) in resting {
        let account = desk.engine.state().parent_of(account);
        desk.must(&Command::CancelOrder { account, order: OrderRef::Id(order) })?;
    }
    desk.end_batch();
    Ok(())
}

fn leave(desk: &mut Desk<'_, '_>, venue: &Venue, account: AccountId, plan: &OrderPlan) -> bool {
    let listed = &venue.markets[plan.market];
    let reduce = if plan.takes_profit { Reduce::Only } else { Reduce::Any };
    let order = PlaceOrder { reduce, ..PlaceOrder::limit(account, listed.market, plan.side, plan.size, plan.price) };
    desk.send("population", &Command::PlaceOrder(order)).is_ok()
}
