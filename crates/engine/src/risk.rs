//! Who is below the line, and who is near it. `scan` is the one question; it is answered by looking at every account,
//! and whatever replaces it answers the same.

use crate::margin::Terms;
use crate::output::Output;
use crate::{AccountId, Event, MarketStatus, State, limits};
use alloc::vec::Vec;
use units::{Money, Rate, Round};

/// What a look at every account finds, in the order of their handles.
#[derive(Default)]
pub(crate) struct Found {
    /// Below their line and not in liquidation yet.
    pub below: Vec<(AccountId, Terms)>,
    /// At another call level than before.
    pub called: Vec<(AccountId, u8, Terms)>,
}

/// Looks at every account once.
pub(crate) fn scan(state: &State) -> Found {
    let mut found = Found::default();
    let calls = state.risk.calls.iter().any(|c| c.is_positive());
    for (at, account) in state.accounts.iter().enumerate() {
        if account.exposures.is_empty() && account.wallets.len() < 2 {
            continue;
        }
        let id = AccountId::at(at);
        let Some(terms) = state.terms_to_judge(id) else {
            if account.call > 0 {
                found.called.push((id, 0, state.lenient(id)));
            }
            continue;
        };
        if state.is_below(id, &terms) {
            found.below.push((id, terms));
        }
        if let Some(level) = state.call_of(id, &terms).filter(|_| calls || account.call > 0) {
            found.called.push((id, level, terms));
        }
    }
    found
}

/// Looks at all accounts: who is below starts on the ladder, who crossed a call level is called.
pub(crate) fn look_at_all(out: &mut Output<'_>) {
    let found = scan(out.state());
    for (account, level, terms) in found.called {
        out.emit(Event::MarginCalled { account, level, equity: terms.equity, maintenance_margin: terms.maintenance });
    }
    for (account, terms) in found.below {
        start(out, account, &terms);
    }
    out.emit(Event::RiskEvaluated);
}

/// Looks at the accounts that this command traded.
pub(crate) fn look_at_touched(out: &mut Output<'_>) {
    while let Some(account) = out.next_touched_account() {
        if let Some(terms) = out.state().terms_to_judge(account)
            && out.state().is_below(account, &terms)
        {
            start(out, account, &terms);
        }
    }
}

pub(crate) fn start(out: &mut Output<'_>, account: AccountId, terms: &Terms) {
    out.emit(Event::LiquidationStarted { account, equity: terms.equity, maintenance_margin: terms.maintenance });
}

impl State {
    /// The terms of an account that could be below its line; `None` for one that nothing can be done about: without a
    /// position, and without a debt beside collateral that the fund buys (any other debt was reported when it arose).
    fn terms_to_judge(&self, id: AccountId) -> Option<Terms> {
        let account = self.account(id);
        if !account.has_position() {
            let debt = account.wallets.iter().any(|w| w.amount.is_negative());
            if !debt || !self.can_convert(id) {
                return None;
            }
        }
        Some(self.lenient(id))
    }

    /// Below its line, not on the ladder yet, and something of it can be closed.
    fn is_below(&self, id: AccountId, terms: &Terms) -> bool {
        if !self.risk.line.is_below(terms.headroom()) || self.liquidating.contains(&id) {
            return false;
        }
        let account = self.account(id);
        let workable = |e: &crate::Exposure| !e.size.is_zero() && self.can_close(e.market);
        !account.has_position() || account.exposures.iter().any(workable)
    }

    /// Whether the ladder may close positions of a market: fresh, quorum, positive, not halted.
    pub(crate) fn can_close(&self, market: crate::MarketId) -> bool {
        let row = self.market(market);
        row.status != MarketStatus::Halted && !row.is_over() && self.price_for_increase(market).is_ok()
    }

    /// The call level of an account where it differs from the one it has, with hysteresis on the way back.
    fn call_of(&self, id: AccountId, terms: &Terms) -> Option<u8> {
        let held = self.account(id).call;
        let used = self.risk.calls.iter().take_while(|c| c.is_positive()).take(limits::CALL_LEVELS_MAX);
        let at = |level: Rate| {
            terms.maintenance.is_positive()
                && terms.maintenance >= terms.equity.max(Money::ZERO).mul_rate(level, Round::Down)
        };
        let mut level = 0u8;
        for (n, ratio) in (1u8..).zip(used) {
            if at(if n <= held { *ratio - self.risk.call_hysteresis } else { *ratio }) {
                level = n;
            }
        }
        (level != held).then_some(level)
    }
}
