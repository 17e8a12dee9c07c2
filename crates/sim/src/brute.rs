//! The plain answer to "who is below the line, and who is called": everyone is asked, with the engine's own terms. The engine
//! answers it without asking everyone (docs/never-scan.md), and nobody may be missed. [`crate::referee`] asks the same with
//! arithmetic of its own, which is slow; this is for many accounts. The same for maps of prices that did not happen
//! (docs/map.md): [`falls`] puts each price into a copy of the state and asks everyone.

use engine::{AccountId, AssetId, Basis, Event, LiquidationMap, MarketId, MarketStatus, Moved, Side, State, Terms};
use std::collections::BTreeMap;
use units::{Money, Price, Rate, Round};

/// What a look at one account should have led to and did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It is below its line, something of it can be closed, and it is not in liquidation.
    Below(AccountId, Terms),
    /// It has another call level than fits.
    Call(AccountId, u8, Terms),
}

/// Asks everyone, after a command with its events. Call levels are asked for when nothing followed the look: trades and money
/// change a level at the next one.
#[must_use]
pub fn missed(state: &State, events: &[Event]) -> Option<Missed> {
    let looked = matches!(events.last(), Some(Event::RiskEvaluated));
    (0..state.accounts.len()).map(AccountId::at).find_map(|id| missed_of(state, id, looked))
}

fn missed_of(state: &State, id: AccountId, looked: bool) -> Option<Missed> {
    let account = state.account(id);
    if !account.has_position() {
        return None; // a debt alone waits for the fund's means, which no price tells of
    }
    let terms = state.terms_at(id, Basis::Lenient);
    let below = state.risk.line.is_below(terms.headroom()) && !state.liquidating.contains(&id);
    let closable = |e: &engine::Exposure| {
        let market = state.market(e.market);
        let shut = market.status == MarketStatus::Halted || market.is_over();
        !e.size.is_zero() && !shut && market.mark.is_positive() && state.index(market.params.index).is_usable(state.now)
    };
    if below && account.exposures.iter().any(closable) {
        return Some(Missed::Below(id, terms));
    }
    let level = call_level(state, account.call, &terms);
    (looked && level != account.call).then_some(Missed::Call(id, level, terms))
}

/// The highest level that maintenance ÷ equity has reached, or has not fallen back from far enough.
fn call_level(state: &State, held: u8, terms: &Terms) -> u8 {
    let mut reached = 0;
    for (level, ratio) in (1u8..).zip(state.risk.calls.iter().take_while(|c| c.is_positive())) {
        let ratio = if level <= held { *ratio - state.risk.call_hysteresis } else { *ratio };
        let equity = terms.equity.max(Money::ZERO);
        if terms.maintenance.is_positive() && terms.maintenance >= equity.mul_rate(ratio, Round::Down) {
            reached = level;
        }
    }
    reached
}

/// Who comes below the line at which step of a map, and with how many contracts by market and side.
pub type Falls = BTreeMap<i32, (Vec<AccountId>, BTreeMap<(MarketId, Side), i128>)>;

/// What a map says.
#[must_use]
pub fn falls_of(map: &LiquidationMap) -> Falls {
    let step = |s: &engine::MapStep| {
        let rows = s.rows.iter().map(|row| ((row.market, row.side), row.contracts)).collect();
        (s.number, (s.accounts.clone(), rows))
    };
    map.steps.iter().map(step).collect()
}

/// The same by asking every account at every step of the map; the second number is how often one was asked.
#[must_use]
pub fn falls(state: &State, map: &LiquidationMap) -> (Falls, u64) {
    let moves = |id: MarketId| map.moved == Moved::All || map.moved == Moved::Mark(id);
    let holds = |id: &AccountId| state.account(*id).exposures.iter().any(|e| moves(e.market) && !e.size.is_zero());
    let who: Vec<AccountId> = (0..state.accounts.len()).map(AccountId::at).filter(holds).collect();
    let (mut falls, mut asked, mut venue) = (Falls::new(), 0, state.clone());
    for side in [(0..=i32::from(map.down)).map(|n| -n).collect::<Vec<_>>(), (0..=i32::from(map.up)).collect()] {
        let mut left = who.clone();
        for number in side {
            move_prices(state, &mut venue, map, number);
            left.retain(|id| {
                asked += 1;
                let below = state.risk.line.is_below(venue.terms_at(*id, Basis::Lenient).headroom());
                let first = falls.get(&number).is_none_or(|(accounts, _)| !accounts.contains(id));
                if below && first {
                    let (accounts, rows) = falls.entry(number).or_default();
                    accounts.push(*id);
                    for e in state.account(*id).exposures.iter().filter(|e| moves(e.market) && !e.size.is_zero()) {
                        *rows.entry((e.market, Side::of(e.size))).or_default() += i128::from(e.size.abs().units());
                    }
                }
                !below
            });
        }
    }
    (falls, asked)
}

/// Puts the prices of a step into a copy of the state.
fn move_prices(state: &State, venue: &mut State, map: &LiquidationMap, number: i32) {
    let rate = Rate::new(i64::from(number) * map.step.units()).unwrap_or(Rate::ZERO);
    let moved = |price: Price| price.scale(rate, Round::Down).unwrap_or(price);
    let live = |id: MarketId| !state.market(id).is_over() && (map.moved == Moved::All || map.moved == Moved::Mark(id));
    for id in (0..state.markets.len()).map(MarketId::at).filter(|id| live(*id)) {
        let market = state.market(id);
        let index = state.index(market.params.index);
        let spot = if index.is_usable(state.now) { index.price } else { index.last_usable };
        let option = market.params.option.is_some() && map.moved == Moved::All;
        let price = match option.then(|| state.option_mark_at(market, moved(spot))) {
            Some(price) => price.unwrap_or(state.valuation(market)),
            None => moved(state.valuation(market)),
        };
        let row = &mut venue.markets[id.index()];
        (row.mark, row.last_usable) = (price, price);
        if option {
            let row = &mut venue.indices[market.params.index.index()];
            (row.price, row.last_usable) = (moved(index.price), moved(index.last_usable));
        }
    }
    if map.moved != Moved::All {
        return;
    }
    for id in (0..state.assets.len()).map(AssetId::at) {
        let Some(index) = state.asset(id).params.index else { continue };
        let mut markets = (0..state.markets.len()).map(MarketId::at).filter(|m| live(*m));
        if markets.any(|m| state.market(m).params.index == index) {
            let row = &mut venue.indices[index.index()];
            let was = state.index(index);
            (row.price, row.last_usable) = (moved(was.price), moved(was.last_usable));
        }
    }
}
