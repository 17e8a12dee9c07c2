//! A liquidation map as a table for people, and as JSON with all digits.

use crate::replay::table::{aligned, count, short};
use engine::{LiquidationMap, MapStep, Moved, Side, State};
use serde_json::{Value, json};
use sim::replay::push_decimal;
use units::{Money, Rate, Round, limits};

/// Every map as a table.
pub fn text(state: &State, maps: &[LiquidationMap]) -> String {
    let tables: Vec<String> = maps.iter().map(|map| table(state, map)).collect();
    tables.join("\n")
}

fn name(state: &State, moved: Moved) -> &str {
    match moved {
        Moved::All => "all",
        Moved::Mark(market) => state.market(market).params.name.as_str(),
    }
}

fn table(state: &State, map: &LiquidationMap) -> String {
    let what = match map.moved {
        Moved::All => "all marks move together".to_owned(),
        Moved::Mark(market) => {
            let mark = plain(state.valuation(state.market(market)).units().into(), limits::PRICE_DECIMALS);
            format!("{} moves alone from {mark}", name(state, map.moved))
        }
    };
    let mut out = format!("at {}, {what}\n\n", state.now);
    let mut head = vec!["move".to_owned(), "subaccounts".to_owned()];
    head.extend(match map.moved {
        Moved::All => ["longs", "shorts", "so far"].map(str::to_owned).to_vec(),
        Moved::Mark(_) => {
            ["mark", "contracts long", "longs", "contracts short", "shorts", "so far"].map(str::to_owned).to_vec()
        }
    });
    let mut rows = vec![head];
    rows.extend(map.steps.iter().map(|step| row(state, map, step)));
    if map.steps.is_empty() {
        out += &format!("nobody is below the line between {} and {}\n", ends(map).0, ends(map).1);
    } else {
        out += &aligned(&rows);
    }
    let scan = u64::from(map.down) + u64::from(map.up) + 1;
    out += &format!(
        "\n{} to {} in steps of {}; {} subaccounts, {} asked, {} evaluations (a scan at each price: {})\n",
        ends(map).0,
        ends(map).1,
        share(map.step),
        count(map.accounts),
        count(map.candidates),
        count(map.evaluated),
        count(scan * map.accounts)
    );
    out
}

fn ends(map: &LiquidationMap) -> (String, String) {
    let end = |steps: i64| signed(Rate::new(steps * map.step.units()).unwrap_or(Rate::ZERO));
    (end(-i64::from(map.down)), end(i64::from(map.up)))
}

fn row(state: &State, map: &LiquidationMap, step: &MapStep) -> Vec<String> {
    let moved = if step.number == 0 { "now".to_owned() } else { signed(step.moved) };
    let mut cells = vec![moved, count(u64::try_from(step.accounts.len()).unwrap_or(u64::MAX))];
    let side = |side| step.rows.iter().filter(move |row| row.side == side);
    let notional = |of: Side| side(of).map(|row| row.notional).sum::<Money>();
    let contracts = |of: Side| plain(side(of).map(|row| row.contracts).sum(), limits::SIZE_DECIMALS);
    let (longs, shorts) = (short(notional(Side::Buy)), short(notional(Side::Sell)));
    match map.moved {
        Moved::All => cells.extend([longs, shorts]),
        Moved::Mark(market) => {
            let price = state.valuation(state.market(market)).scale(step.moved, Round::Down);
            let price = price.map_or(String::new(), |p| plain(p.units().into(), limits::PRICE_DECIMALS));
            cells.extend([price, contracts(Side::Buy), longs, contracts(Side::Sell), shorts]);
        }
    }
    cells.push(short(so_far(map, step.number)));
    cells
}

/// Both sides of every step from now to this one; what is below its line now is part of neither way.
fn so_far(map: &LiquidationMap, number: i32) -> Money {
    let between = |n: i32| if number == 0 { n == 0 } else { n.signum() == number.signum() && n.abs() <= number.abs() };
    let steps = map.steps.iter().filter(|step| between(step.number));
    steps.flat_map(|step| &step.rows).map(|row| row.notional).sum()
}

/// 0.05 as `5%`.
pub fn share(rate: Rate) -> String {
    format!("{}%", plain(rate.units().into(), limits::RATE_DECIMALS - 2))
}

fn signed(rate: Rate) -> String {
    let sign = if rate.is_negative() { "" } else { "+" };
    format!("{sign}{}", share(rate))
}

fn plain(units: i128, decimals: u32) -> String {
    let mut text = String::new();
    push_decimal(&mut text, units, decimals);
    text
}

/// One object with every map.
pub fn json(state: &State, source: &str, maps: &[LiquidationMap]) -> String {
    let value = json!({
        "schema": "plimsoll.map/1",
        "source": source,
        "at": state.now.to_string(),
        "subaccounts": state.accounts.len(),
        "maps": maps.iter().map(|map| object(state, map)).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn object(state: &State, map: &LiquidationMap) -> Value {
    let steps = map.steps.iter().map(|step| {
        let rows = step.rows.iter().map(|row| {
            let market = state.market(row.market);
            let mark = state.valuation(market).scale(step.moved, Round::Down);
            json!({
                "market": market.params.name.as_str(),
                "mark": mark.map(|mark| plain(mark.units().into(), limits::PRICE_DECIMALS)),
                "side": if row.side == Side::Buy { "long" } else { "short" },
                "contracts": plain(row.contracts, limits::SIZE_DECIMALS),
                "notional": plain(row.notional.units(), limits::MONEY_DECIMALS),
            })
        });
        json!({
            "number": step.number,
            "moved": plain(step.moved.units().into(), limits::RATE_DECIMALS),
            "subaccounts": step.accounts.len(),
            "rows": rows.collect::<Vec<_>>(),
        })
    });
    json!({
        "moves": name(state, map.moved),
        "step": plain(map.step.units().into(), limits::RATE_DECIMALS),
        "down": map.down,
        "up": map.up,
        "candidates": map.candidates,
        "evaluated": map.evaluated,
        "steps": steps.collect::<Vec<_>>(),
    })
}
