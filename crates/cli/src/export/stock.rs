//! Rows of what there is at one sequence: balances, positions, orders.

use super::flow::{asset_name, count, money, price, time, who, word};
use super::sheets::{Name, Sheets};
use engine::{AccountId, AccountKind, AssetId, Engine, MarketId, Order, OrderId, Place, PositionView, State};
use rules::{Bankruptcy, LiquidationPrice};
use sim::replay::Cell;
use units::{Money, Time};

/// Writes the rows of the tables that were asked for.
pub fn write(engine: &Engine, to: &mut Sheets) {
    if to.has(Name::Balances) {
        wallets(engine, to);
        venue(engine.state(), to);
    }
    if to.has(Name::Positions) {
        positions(engine, to);
    }
    if to.has(Name::Orders) {
        orders(engine.state(), to);
    }
}

fn accounts(state: &State) -> impl Iterator<Item = AccountId> {
    (0..state.accounts.len()).map(AccountId::at)
}

fn wallets(engine: &Engine, to: &mut Sheets) {
    let state = engine.state();
    for id in accounts(state) {
        let (kind, market) = match state.account(id).kind {
            AccountKind::Trading => ("trading", Cell::Empty),
            AccountKind::Fund => ("fund", Cell::Empty),
            AccountKind::Isolated { market, .. } => ("isolated", market_name(state, market)),
        };
        let wallets = engine.account_view(id).map_or(Vec::new(), |view| view.wallets);
        for wallet in wallets {
            let rest = [wallet.interest_due, wallet.amount, wallet.value, wallet.withdrawable].map(money);
            balance(state, kind, who(state, id), market, wallet.asset, wallet.wallet, rest, to);
        }
    }
}

/// What belongs to nobody's wallet: with the wallets it adds up to the vault, asset by asset.
fn venue(state: &State, to: &mut Sheets) {
    let nobody = [Cell::Empty; 3];
    for at in 0..state.markets.len() {
        let id = MarketId::at(at);
        let market = state.market(id);
        let (name, asset) = (market_name(state, id), market.params.settlement);
        balance(state, "clearing", nobody, name, asset, market.clearing, [Cell::Empty; 4], to);
    }
    for at in 0..state.assets.len() {
        let id = AssetId::at(at);
        let asset = state.asset(id);
        for (kind, amount) in
            [("fees", asset.fees), ("rounding", asset.rounding), ("pending", asset.pending), ("vault", asset.vault)]
        {
            balance(state, kind, nobody, Cell::Empty, id, amount, [Cell::Empty; 4], to);
        }
    }
}

#[allow(clippy::too_many_arguments)] // the columns of one row, in their order
fn balance(
    state: &State,
    kind: &str,
    [account, id, owner]: [Cell<'_>; 3],
    market: Cell<'_>,
    asset: AssetId,
    wallet: Money,
    [interest, amount, value, withdrawable]: [Cell<'_>; 4],
    to: &mut Sheets,
) {
    let [sequence, now] = here(state);
    let (kind, asset, wallet) = (Cell::Text(kind), asset_name(state, asset), money(wallet));
    let row = [sequence, now, kind, account, id, owner, market, asset, wallet, interest, amount, value, withdrawable];
    to.push(Name::Balances, &row);
}

fn positions(engine: &Engine, to: &mut Sheets) {
    let state = engine.state();
    for id in accounts(state).filter(|id| state.parent_of(*id) == *id) {
        for view in engine.positions(id) {
            position(state, &view, to);
        }
    }
}

fn position(state: &State, view: &PositionView, to: &mut Sheets) {
    let [sequence, now] = here(state);
    let [account, id, owner] = who(state, view.holder);
    let (leg, mode) = (word(&view.leg), word(&view.mode));
    let line = view.liquidation_price;
    let reached = |at| match at {
        LiquidationPrice::At(at) => price(at),
        LiquidationPrice::None | LiquidationPrice::AlreadyBelow => Cell::Empty,
    };
    let is_below = [line.below, line.above].contains(&LiquidationPrice::AlreadyBelow);
    let row = [
        sequence,
        now,
        account,
        id,
        owner,
        market_name(state, view.market),
        asset_name(state, state.market(view.market).params.settlement),
        Cell::Text(&leg),
        Cell::Text(&mode),
        Cell::Number(view.leverage.into()),
        Cell::Number(view.size.units().into()),
        money(view.cost),
        view.entry_price.map_or(Cell::Empty, price),
        price(view.mark_price),
        money(view.notional),
        money(view.upnl),
        money(view.unsettled_funding),
        money(view.shared_loss),
        money(view.initial_margin),
        money(view.maintenance_margin),
        Cell::Number(is_below.into()),
        reached(line.below),
        reached(line.above),
        match view.bankruptcy_price {
            Bankruptcy::At(at) => price(at),
            Bankruptcy::None => Cell::Empty,
        },
    ];
    to.push(Name::Positions, &row);
}

/// In the order in which they were accepted.
fn orders(state: &State, to: &mut Sheets) {
    let mut ids: Vec<OrderId> = state.orders.iter().map(|order| order.id).collect();
    ids.sort_unstable_by_key(|id| id.serial());
    for order in ids.into_iter().filter_map(|id| state.order(id)) {
        self::order(state, order, to);
    }
}

fn order(state: &State, order: &Order, to: &mut Sheets) {
    let [sequence, now] = here(state);
    let [account, id, owner] = who(state, order.account);
    let (place, trigger, force) = match order.place {
        Place::Working => ("working", None, order.force),
        Place::Resting => ("resting", None, order.force),
        Place::Parked { trigger, force } => ("waiting", Some(trigger), force),
    };
    let client = if order.client_id == 0 { String::new() } else { order.client_id.to_string() };
    let words = [word(&order.side), word(&order.leg), word(&force), word(&order.reduce), word(&order.self_trade)];
    let [side, leg, force, reduce, self_trade] = words.each_ref().map(|word| Cell::Text(word));
    let by = trigger.map(|trigger| (word(&trigger.by), word(&trigger.when), trigger.trail.map(|trail| word(&trail))));
    let row = [
        sequence,
        now,
        count(order.id.serial()),
        if client.is_empty() { Cell::Empty } else { Cell::Text(&client) },
        account,
        id,
        owner,
        market_name(state, order.market),
        side,
        leg,
        Cell::Text(place),
        force,
        reduce,
        self_trade,
        price(order.price),
        Cell::Number(order.remaining.units().into()),
        money(order.reserved),
        by.as_ref().map_or(Cell::Empty, |(by, ..)| Cell::Text(by)),
        by.as_ref().map_or(Cell::Empty, |(_, when, _)| Cell::Text(when)),
        trigger.map_or(Cell::Empty, |trigger| price(trigger.price)),
        by.as_ref().and_then(|(.., trail)| trail.as_deref()).map_or(Cell::Empty, Cell::Text),
        state.expiry(order).map_or(Cell::Empty, |at: Time| time(at)),
    ];
    to.push(Name::Orders, &row);
}

fn market_name(state: &State, market: MarketId) -> Cell<'_> {
    Cell::Text(state.market(market).params.name.as_str())
}

/// Sequence and time of the state.
fn here(state: &State) -> [Cell<'static>; 2] {
    [count(state.sequence), time(state.now)]
}
