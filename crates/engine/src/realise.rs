//! Periodic realisation, for rulebooks that want it: at a fixed rhythm the unrealised result of every position of a market
//! becomes cash at one price, the mark of that moment. Sizes, equity and margin stay; the cost moves by what was paid. A
//! bounded number of positions a command; since all of them are realised at the same price, and each against the clearing
//! account alone, the order and the commands in between make no difference to anyone's equity.

use crate::output::Output;
use crate::{AccountId, Cause, Event, Leg, MarketId, MarketStatus, PositionId, fault::fault, funding, limits};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Price, Time};

/// How far the realisation of a market has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realising {
    /// Everyone before this account has it.
    pub next: AccountId,
    /// The price of all of them.
    pub price: Price,
}

/// Begins what the clock makes due. A halted market, and one without a usable price, waits; missed times are one.
pub(crate) fn due(out: &mut Output<'_>) {
    for market in (0..out.state().markets.len()).map(MarketId::at) {
        let state = out.state();
        let row = state.market(market);
        let every = row.params.realise_every_ns;
        let waits = row.status == MarketStatus::Halted || state.price_for_increase(market).is_err();
        if every == 0 || state.now < row.realise_next || row.is_over() || waits || state.realising.contains_key(&market)
        {
            continue;
        }
        let (price, next) = (row.mark, next_multiple(state.now, every));
        out.emit(Event::RealisationBegan { market, price, next });
    }
}

/// Goes on with every realisation that has begun.
pub(crate) fn run(out: &mut Output<'_>) {
    if out.state().realising.is_empty() {
        return;
    }
    let rows: Vec<(MarketId, Realising)> = out.state().realising.iter().map(|(id, row)| (*id, *row)).collect();
    let (mut looks, mut left) = (limits::SETTLEMENT_LOOKS, limits::REALISATIONS_PER_COMMAND);
    for (market, Realising { mut next, price }) in rows {
        while next.index() < out.state().accounts.len() && looks > 0 && left > 0 {
            looks -= 1;
            for position in Leg::ALL.map(|leg| market.leg(leg)) {
                left -= usize::from(realise(out, next, position, price)).min(left);
            }
            next = AccountId::at(next.index() + 1);
        }
        let done = next.index() >= out.state().accounts.len();
        out.emit(if done {
            Event::RealisationEnded { market }
        } else {
            Event::RealisationContinues { market, account: next }
        });
    }
}

/// Funding first, then the result; false where there is none.
fn realise(out: &mut Output<'_>, account: AccountId, position: PositionId, price: Price) -> bool {
    let PositionId { market, leg } = position;
    let row = out.state().account(account).exposure(position).filter(|e| !e.size.is_zero());
    let Some((size, cost)) = row.map(|e| (e.size, e.cost)) else { return false };
    let Some(realised) = out.state().market(market).contract().upnl(price, size, cost) else {
        fault("the result of a position fits")
    };
    funding::settle(out, account, position);
    let cost = cost + realised;
    out.emit(Event::PositionChanged { account, market, size, cost, realised, leg, cause: Cause::Realisation });
    out.touch_account(account);
    true
}

/// The first multiple of a duration after a moment.
pub(crate) fn next_multiple(after: Time, every_ns: i64) -> Time {
    after.plus_ns(every_ns - after.ns().rem_euclid(every_ns.max(1)))
}
