//! The plain answer to "who is below the line, and who is called": everyone is asked, with the engine's own terms. The engine
//! answers it without asking everyone (docs/never-scan.md), and nobody may be missed. [`crate::referee`] asks the same with
//! arithmetic of its own, which is slow; this is for many accounts.

use engine::{AccountId, Basis, Event, MarketStatus, State, Terms};
use units::{Money, Round};

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
