//! Orders, and what belongs to (account, market): leverage, margin mode, isolated margin.

use super::prices::first_price;
use crate::scenario::Error;
use crate::scenario::names::leg_called;
use crate::scenario::scene::Actor;
use crate::scenario::words::{Word, Words, duration, moment};
use engine::{
    AccountId, Answer, AssetId, BatchItem, Callback, Command, Leg, MarginMode, MarketId, OrderRef, PlaceOrder,
    PositionMode, Reduce, SelfTrade, Side, TimeInForce, Trigger, TriggerBy, TriggerWhen,
};
use units::{Money, Price, Size};

const HOUSE: &str = "house";
const HOUSE_FUNDS: Money = Money::whole(1_000_000_000);

/// Two orders that meet: one of `house`, which rests, and one of the account, which takes all of it or is refused.
pub fn fill(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let market = actor.scene.market(words)?;
    let size = words.size()?;
    let price = words.at_price()?;
    let leg = leg(words);
    words.clone().end()?;
    let side = Side::of(size);
    first_price(actor, words, market, price)?;
    let house = house(actor, words, market)?;
    let order = |account, side, force, leg| PlaceOrder {
        force,
        leg,
        ..PlaceOrder::limit(account, market, side, size.abs(), price)
    };
    let resting = Command::PlaceOrder(order(house, side.opposite(), TimeInForce::Gtc, Leg::Net));
    let Ok(Answer::Order(id)) = actor.apply_hiding(words, resting, &["order_rested"])? else { return Ok(()) };
    let taking = Command::PlaceOrder(order(account, side, TimeInForce::Fok, leg));
    actor.apply_hiding(words, taking, &["filled"])?.ok();
    if actor.scene.engine.state().order(id).is_some() {
        let cancel = Command::CancelOrder { account: house, order: OrderRef::Id(id) };
        actor.apply_hiding(words, cancel, &["order_cancelled"])?.ok();
    }
    Ok(())
}

/// The built-in account on the other side, with a billion of what the market settles in.
fn house(actor: &mut Actor<'_, '_>, words: &Words, market: MarketId) -> Result<AccountId, Error> {
    let house = actor.scene.names().account(HOUSE).unwrap_or(AccountId(u32::MAX));
    let state = actor.scene.engine.state();
    let asset: AssetId = state.market(market).params.settlement;
    let funded =
        state.find_account(house).is_ok_and(|account| account.wallets.iter().any(|wallet| wallet.asset == asset));
    if !funded {
        let reference = actor.scene.next_reference();
        actor.apply(words, Command::Deposit { account: house, asset, amount: HOUSE_FUNDS, reference })?.ok();
    }
    Ok(house)
}

pub fn buy(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    place(actor, words, Side::Buy)
}

pub fn sell(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    place(actor, words, Side::Sell)
}

fn place(actor: &mut Actor<'_, '_>, words: &mut Words, side: Side) -> Result<(), Error> {
    let order = placement(actor, words, side)?;
    actor.apply(words, Command::PlaceOrder(order)).map(drop)
}

fn placement(actor: &Actor<'_, '_>, words: &mut Words, side: Side) -> Result<PlaceOrder, Error> {
    let account = actor.scene.account(words)?;
    let market = actor.scene.market(words)?;
    let size = words.size()?;
    let mut order = PlaceOrder { price: None, ..PlaceOrder::limit(account, market, side, size, Price::ZERO) };
    while let Some(option) = words.next_word() {
        match option.text.as_str() {
            "@" => order.price = Some(words.price()?),
            "market" | "ioc" => order.force = TimeInForce::Ioc,
            "fok" => order.force = TimeInForce::Fok,
            "post_only" => order.force = TimeInForce::PostOnly,
            "reduce_only" => order.reduce = Reduce::Only,
            "close_position" => order.reduce = Reduce::Close,
            "expires" => {
                let expected = "a moment, or +DURATION from now";
                let word = words.word(expected)?;
                let from_now = || word.text.strip_prefix('+').and_then(duration).map(|ns| actor.scene.now.plus_ns(ns));
                let time = moment(&word.text).or_else(from_now).ok_or_else(|| words.wrong(&word, expected))?;
                order.expires = Some(time);
            }
            "id" => order.client_id = words.number("a number of the caller")?,
            "trigger" => order.trigger = Some(trigger(words)?),
            "trail" => order.trigger = Some(trail(words)?),
            "self_trade" => {
                order.self_trade = words.one_of(&[
                    ("resting", SelfTrade::CancelResting),
                    ("arriving", SelfTrade::CancelArriving),
                    ("both", SelfTrade::CancelBoth),
                    ("decrement", SelfTrade::Decrement),
                ])?;
            }
            "long" => order.leg = Leg::Long,
            "short" => order.leg = Leg::Short,
            _ => return Err(words.wrong(&option, "`@ PRICE` or an option of an order")),
        }
    }
    Ok(order)
}

/// `batch {`, then a `buy`, `sell`, `amend` or `cancel` a line, then `}`.
pub fn batch(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let first = words.line();
    let open = words.clone().word("`{`")?;
    if open.text != "{" {
        return Err(words.wrong(&open, "`{`"));
    }
    // Columns stay those of the file: what stands before the braces and the braces themselves become spaces.
    let text = " ".repeat(open.column - 1) + &words.rest();
    let mut items = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut words = Words::new(first + at, &line.replace(['{', '}'], " "));
        let Some(verb) = words.next_word() else { continue };
        items.push(match verb.text.as_str() {
            "buy" => BatchItem::Place(placement(actor, &mut words, Side::Buy)?),
            "sell" => BatchItem::Place(placement(actor, &mut words, Side::Sell)?),
            "amend" => {
                let (account, order) = order(actor, &mut words)?;
                let size = words.size()?;
                BatchItem::Amend { account, order, price: words.at_price()?, size }
            }
            "cancel" => {
                let (account, order) = order(actor, &mut words)?;
                BatchItem::Cancel { account, order }
            }
            _ => return Err(words.wrong(&verb, "buy, sell, amend or cancel")),
        });
        words.end()?;
    }
    actor.apply(words, Command::Batch { items }).map(drop)
}

/// `long` or `short` when it is the next word.
pub(super) fn leg(words: &mut Words) -> Leg {
    let leg = words.peek().and_then(leg_called);
    if leg.is_some() {
        words.next_word();
    }
    leg.unwrap_or(Leg::Net)
}

pub fn hedge(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    position_mode(actor, words, PositionMode::Hedge)
}

pub fn one_way(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    position_mode(actor, words, PositionMode::OneWay)
}

fn position_mode(actor: &mut Actor<'_, '_>, words: &mut Words, mode: PositionMode) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    actor.apply(words, Command::SetPositionMode { account, mode }).map(drop)
}

fn trigger(words: &mut Words) -> Result<Trigger, Error> {
    let (by, when) = followed(words)?;
    Ok(Trigger::fixed(by, when, words.number::<Price>("a price")?))
}

/// `trail mark below 1% from 61000`: a share of the best price, or a difference of prices, and what activates it.
fn trail(words: &mut Words) -> Result<Trigger, Error> {
    let (by, when) = followed(words)?;
    let share = words.peek().is_some_and(|word| word.ends_with('%'));
    let callback = if share {
        Callback::Rate(words.rate("a share of the best price")?)
    } else {
        Callback::Distance(words.number("a share of the best price, or a difference of prices")?)
    };
    let price = if words.eat("from") { words.number("a price")? } else { Price::ZERO };
    Ok(Trigger { by, when, price, trail: Some(callback) })
}

fn followed(words: &mut Words) -> Result<(TriggerBy, TriggerWhen), Error> {
    let by = words.one_of(&[("mark", TriggerBy::Mark), ("last", TriggerBy::Last), ("index", TriggerBy::Index)])?;
    let when = words.one_of(&[("above", TriggerWhen::AtOrAbove), ("below", TriggerWhen::AtOrBelow)])?;
    Ok((by, when))
}

/// `ann 7` by the caller's number, `ann#3` by the engine's.
fn order(actor: &Actor<'_, '_>, words: &mut Words) -> Result<(AccountId, OrderRef), Error> {
    let word = words.word("an account or an order")?;
    let Some((account, _)) = word.text.split_once('#') else {
        let found = actor.scene.names().account(&word.text);
        let account = found.ok_or_else(|| words.wrong(&word, "an account or an order"))?;
        return Ok((account, OrderRef::Client(words.number("the order's number")?)));
    };
    let parent = account.split('/').next().unwrap_or(account);
    let account = actor.scene.names().account(parent);
    let order = actor.scene.names().order(&word.text);
    let hint = "an order is named as it is printed, such as ann#3";
    match (account, order) {
        (Some(account), Some(order)) => Ok((account, OrderRef::Id(order))),
        _ => Err(words.wrong(&Word { text: word.text.clone(), column: word.column }, "an order").hint(hint)),
    }
}

pub fn amend(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let (account, order) = order(actor, words)?;
    let size: Size = words.size()?;
    let price = words.at_price()?;
    actor.apply(words, Command::AmendOrder { account, order, price, size }).map(drop)
}

pub fn cancel(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let (account, order) = order(actor, words)?;
    actor.apply(words, Command::CancelOrder { account, order }).map(drop)
}

pub fn cancel_all(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let market = if words.peek().is_some() { Some(actor.scene.market(words)?) } else { None };
    actor.apply(words, Command::CancelAll { account, market }).map(drop)
}

/// The countdown of an account: a duration, or `off`.
pub fn cancel_all_after(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let timeout_ns = if words.eat("off") { 0 } else { words.duration()? };
    actor.apply(words, Command::CancelAllAfter { account, timeout_ns }).map(drop)
}

pub fn leverage(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let (account, market) = (actor.scene.account(words)?, actor.scene.market(words)?);
    let leverage = words.number("a leverage")?;
    actor.apply(words, Command::SetLeverage { account, market, leverage }).map(drop)
}

pub fn isolated(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    mode(actor, words, MarginMode::Isolated)
}

pub fn cross(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    mode(actor, words, MarginMode::Cross)
}

fn mode(actor: &mut Actor<'_, '_>, words: &mut Words, mode: MarginMode) -> Result<(), Error> {
    let (account, market) = (actor.scene.account(words)?, actor.scene.market(words)?);
    actor.apply(words, Command::SetMarginMode { account, market, mode }).map(drop)
}

pub fn margin(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let (account, market) = (actor.scene.account(words)?, actor.scene.market(words)?);
    let (leg, amount) = (leg(words), words.money()?);
    actor.apply(words, Command::AdjustIsolatedMargin { account, market, amount, leg }).map(drop)
}
