//! What is asked and changes nothing: `show`, `book`, `queue`, `state`, and golden lines that name fields of something.

use crate::scenario::Error;
use crate::scenario::names::{leg_called, name_of_leg};
use crate::scenario::print::{Fields, refusal_line, render};
use crate::scenario::scene::{Actor, Scene};
use crate::scenario::words::Words;
use engine::{AccountId, AccountView, AssetId, IncomeKind, Leg, MarketId, Place, PositionId, Reject, Side};
use serde_json::Value;
use std::collections::BTreeMap;
use units::Money;

const ACCOUNT: &[&str] = &["equity", "initial_margin", "maintenance_margin", "free_collateral", "margin_ratio"];
const POSITION: &[&str] =
    &["size", "entry_price", "upnl", "maintenance_margin", "liquidation_price", "bankruptcy_price"];
const WALLET: &[&str] = &["wallet", "withdrawable"];
const MARKET: &[&str] = &["status", "index_price", "mark_price", "usable", "last_price", "best_bid", "best_ask"];
const ASSET: &[&str] = &["vault", "wallets", "clearing", "fees", "rounding", "pending"];
const CLEARING: &[&str] = &["open_interest", "clearing"];

pub fn show(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let word = words.word("an account or a market")?;
    let lines = match (actor.scene.names().account(&word.text), actor.scene.names().market(&word.text)) {
        (Some(account), _) => show_account(actor.scene, account),
        (None, Some(market)) => vec![market_line(actor.scene, market, MARKET)],
        (None, None) => return Err(words.wrong(&word, "an account or a market")),
    };
    lines.into_iter().for_each(|line| actor.scene.say(line));
    Ok(())
}

fn show_account(scene: &Scene, account: AccountId) -> Vec<String> {
    let view = match scene.engine.account_view(account) {
        Ok(view) => view,
        Err(reject) => {
            return vec![format!("{}  {}", scene.names().of_account(account), refusal_line(&scene.names(), &reject))];
        }
    };
    let mut lines = vec![account_line(scene, account, ACCOUNT)];
    lines.extend(view.wallets.iter().map(|wallet| wallet_line(scene, account, wallet.asset, WALLET)));
    lines.extend(
        view.positions
            .iter()
            .map(|position| position_line(scene, account, position.market.leg(position.leg), POSITION)),
    );
    lines.extend(view.orders.iter().map(|order| order_line(scene, order)));
    lines
}

fn order_line(scene: &Scene, order: &engine::OrderView) -> String {
    let (names, fields) = (scene.names(), Fields::of(order));
    let mut line = names.of_order(order.order);
    for (field, value) in &fields.0 {
        let skip = match field.as_str() {
            "order" => true,
            "client_id" => order.client_id == 0,
            "trigger" => order.trigger.is_none(),
            "expires" => order.expires.is_none(),
            "level" => order.trigger.is_none_or(|trigger| trigger.trail.is_none()),
            "reduce" => order.reduce == engine::Reduce::Any,
            "leg" => order.leg == Leg::Net,
            _ => false,
        };
        let bare = matches!(field.as_str(), "market" | "side");
        if !skip {
            let text = render(&names, field, value);
            line += &if bare { format!("  {text}") } else { format!("  {field} {text}") };
        }
    }
    line
}

/// Resting orders, highest price first, each level in the order in which it is filled.
pub fn book(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let market = actor.scene.market(words)?;
    let orders = &actor.scene.engine.state().orders;
    let mut resting: Vec<_> = orders.iter().filter(|o| o.market == market && o.place == Place::Resting).collect();
    resting.sort_by_key(|order| (std::cmp::Reverse(order.price), order.id));
    let line = |order: &&engine::Order| {
        let side = if order.side == Side::Buy { "buy" } else { "sell" };
        let id = actor.scene.names().of_order(order.id);
        format!("{side}  {} @ {:.2}  {id}", order.remaining, order.price)
    };
    let lines: Vec<String> = resting.iter().map(line).collect();
    let lines = if lines.is_empty() { vec!["empty".to_owned()] } else { lines };
    lines.into_iter().for_each(|line| actor.scene.say(line));
    Ok(())
}

pub fn queue(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let market = actor.scene.market(words)?;
    let side = words.one_of(&[("buy", Side::Buy), ("sell", Side::Sell)])?;
    let lines = match actor.scene.engine.adl_queue(market, side) {
        Err(reject) => vec![refusal_line(&actor.scene.names(), &reject)],
        Ok(rows) if rows.is_empty() => vec!["empty".to_owned()],
        Ok(rows) => {
            let name = |account| actor.scene.names().of_account(account);
            rows.iter()
                .map(|r| format!("{}  {}  size {}  score {}", r.rank, name(r.account), r.size, r.score))
                .collect()
        }
    };
    lines.into_iter().for_each(|line| actor.scene.say(line));
    Ok(())
}

/// Where all money is, by asset, and what each market owes.
pub fn state(actor: &mut Actor<'_, '_>, _: &mut Words) -> Result<(), Error> {
    let state = actor.scene.engine.state();
    let assets = (0..state.assets.len()).map(AssetId::at).map(|asset| asset_line(actor.scene, asset, ASSET));
    let markets = (0..state.markets.len()).map(MarketId::at).map(|market| market_line(actor.scene, market, CLEARING));
    let lines: Vec<String> = assets.chain(markets).collect();
    lines.into_iter().for_each(|line| actor.scene.say(line));
    Ok(())
}

/// What made each wallet of an account what it is: sums by reason, and their total.
pub fn income(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let only = if words.peek().is_some() { Some(actor.scene.asset(words)?) } else { None };
    let mut sums: BTreeMap<(AssetId, IncomeKind), Money> = BTreeMap::new();
    for row in actor.scene.income.iter().filter(|row| row.account == account) {
        *sums.entry((row.asset, row.kind)).or_default() += row.amount;
    }
    let mut lines: Vec<String> = Vec::new();
    for asset in (0..actor.scene.engine.state().assets.len()).map(AssetId::at) {
        let rows: Vec<_> = sums.iter().filter(|((a, _), _)| *a == asset).collect();
        if rows.is_empty() || only.is_some_and(|only| only != asset) {
            continue;
        }
        let (who, what) = (actor.scene.names().of_account(account), actor.scene.names().of_asset(asset));
        for ((_, kind), amount) in &rows {
            let kind = serde_json::to_value(kind).unwrap_or_default();
            lines.push(format!("{who}  {what}  {}  {amount:.2}", kind.as_str().unwrap_or("?")));
        }
        let total: Money = rows.iter().map(|(_, amount)| **amount).sum();
        lines.push(format!("{who}  {what}  wallet  {total:.2}"));
    }
    let lines = if lines.is_empty() { vec!["empty".to_owned()] } else { lines };
    lines.into_iter().for_each(|line| actor.scene.say(line));
    Ok(())
}

/// Answers a golden line such as `ann  equity 26.00` or `ann  BTC-PERP  size 0.1`: the fields it names with the values
/// they have. `None` when it does not begin with the name of an account, a market or an asset.
#[must_use]
pub fn state_line(scene: &Scene, words: &[String]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    let names = scene.names();
    let fields: Vec<&str> = rest.iter().map(String::as_str).collect();
    if let Some(account) = names.account(first) {
        let (second, fewer) = (fields.first().copied().unwrap_or(""), fields.get(1..).unwrap_or(&[]));
        return Some(match (names.market(second), names.asset(second)) {
            (Some(market), _) => match fewer.split_first() {
                Some((leg, fields)) if leg_called(leg).is_some() => {
                    position_line(scene, account, market.leg(leg_called(leg).unwrap_or_default()), fields)
                }
                _ => position_line(scene, account, market.net(), fewer),
            },
            (None, Some(asset)) => wallet_line(scene, account, asset, fewer),
            (None, None) => account_line(scene, account, &fields),
        });
    }
    if let Some(market) = names.market(first) {
        return Some(market_line(scene, market, &fields));
    }
    names.asset(first).map(|asset| asset_line(scene, asset, &fields))
}

/// `NAME  field value  field value` of those words in `asked` that are fields; the others are old values.
fn line(scene: &Scene, name: &str, asked: &[&str], fields: &Fields) -> String {
    let names = scene.names();
    let mut line = name.to_owned();
    for field in asked {
        if let Some(value) = fields.get(field) {
            line += &format!("  {field} {}", render(&names, field, value));
        }
    }
    line
}

fn account_line(scene: &Scene, account: AccountId, asked: &[&str]) -> String {
    let name = scene.names().of_account(account);
    match scene.engine.account_view(account) {
        Err(reject) => format!("{name}  {}", refusal_line(&scene.names(), &reject)),
        Ok(view) => line(scene, &name, asked, &account_fields(&view)),
    }
}

/// The numbers of the account; its wallet in USDC; how many orders are open.
fn account_fields(view: &AccountView) -> Fields {
    let mut fields = Fields::of(view);
    fields.0.retain(|(_, value)| !value.is_array() && !value.is_object());
    let numeraire = view.wallets.iter().find(|wallet| wallet.asset == AssetId(0));
    let of = |get: fn(&engine::WalletView) -> Money| numeraire.map_or(Money::ZERO, get).to_string().into();
    fields.0.push(("wallet".to_owned(), of(|w| w.wallet)));
    fields.0.push(("withdrawable".to_owned(), of(|w| w.withdrawable)));
    fields.0.push(("orders".to_owned(), view.orders.len().into()));
    fields.0.push(("positions".to_owned(), view.positions.iter().filter(|p| !p.size.is_zero()).count().into()));
    fields
}

fn position_line(scene: &Scene, account: AccountId, id: PositionId, asked: &[&str]) -> String {
    let mut name = format!("{}  {}", scene.names().of_account(account), scene.names().of_market(id.market));
    if id.leg != Leg::Net {
        name += &format!("  {}", name_of_leg(id.leg));
    }
    match scene.engine.account_view(account) {
        Err(reject) => format!("{name}  {}", refusal_line(&scene.names(), &reject)),
        Ok(view) => match view.positions.iter().find(|p| p.market.leg(p.leg) == id) {
            None => line(scene, &name, &["size"], &Fields(vec![("size".to_owned(), "0".into())])),
            Some(position) => line(scene, &name, asked, &Fields::of(position)),
        },
    }
}

fn wallet_line(scene: &Scene, account: AccountId, asset: AssetId, asked: &[&str]) -> String {
    let name = format!("{}  {}", scene.names().of_account(account), scene.names().of_asset(asset));
    match scene.engine.account_view(account) {
        Err(reject) => format!("{name}  {}", refusal_line(&scene.names(), &reject)),
        Ok(view) => match view.wallets.iter().find(|wallet| wallet.asset == asset) {
            None => line(scene, &name, &["wallet"], &Fields(vec![("wallet".to_owned(), "0".into())])),
            Some(wallet) => line(scene, &name, asked, &Fields::of(wallet)),
        },
    }
}

fn market_line(scene: &Scene, market: MarketId, asked: &[&str]) -> String {
    let name = scene.names().of_market(market);
    let view: Result<_, Reject> = scene.engine.market_view(market);
    match view {
        Err(reject) => format!("{name}  {}", refusal_line(&scene.names(), &reject)),
        Ok(view) => {
            let mut fields = Fields::of(&view);
            let contracts = Money::from_units(view.open_interest.saturating_mul(100_000_000)).to_string();
            fields.0.retain(|(field, _)| field != "open_interest");
            fields.0.push(("open_interest".to_owned(), contracts.into()));
            line(scene, &name, asked, &fields)
        }
    }
}

fn asset_line(scene: &Scene, asset: AssetId, asked: &[&str]) -> String {
    let state = scene.engine.state();
    let of = &state.asset(asset);
    let wallets: Money = state.accounts.iter().map(|account| account.wallet(asset)).sum();
    let clearing: Money = state.markets.iter().filter(|m| m.params.settlement == asset).map(|m| m.clearing).sum();
    let amounts = [
        ("vault", of.vault),
        ("wallets", wallets),
        ("clearing", clearing),
        ("fees", of.fees),
        ("rounding", of.rounding),
        ("pending", of.pending),
    ];
    let mut fields: Vec<(String, Value)> =
        amounts.map(|(name, amount)| (name.to_owned(), amount.to_string().into())).to_vec();
    fields.push(("price".to_owned(), state.asset_price(asset).to_string().into()));
    line(scene, &scene.names().of_asset(asset), asked, &Fields(fields))
}
