//! Who is below the line. `below_line` is the one question; it is answered by looking at every account, and whatever
//! replaces that scan answers the same.

use crate::margin::{Basis, Need, Terms};
use crate::output::Output;
use crate::{AccountId, Event, MarketStatus, State, limits};
use alloc::vec::Vec;
use units::{Money, Rate, Round};

/// Accounts below their line that are not in liquidation yet, in the order of their handles.
pub(crate) fn below_line(state: &State, found: &mut Vec<(AccountId, Terms)>) {
    for (at, account) in state.accounts.iter().enumerate() {
        if account.exposures.is_empty() && account.wallets.len() < 2 {
            continue;
        }
        let id = AccountId::at(at);
        if let Some(terms) = state.is_below(id) {
            found.push((id, terms));
        }
    }
}

/// Looks at all accounts: who is below starts on the ladder, who crossed a call level is called.
pub(crate) fn look_at_all(out: &mut Output<'_>) {
    let mut found = Vec::new();
    below_line(out.state(), &mut found);
    for (account, terms) in found {
        start(out, account, &terms);
    }
    if out.state().risk.calls.iter().any(|c| c.is_positive()) {
        let mut calls = Vec::new();
        for id in (0..out.state().accounts.len()).map(AccountId::at) {
            if let Some(call) = out.state().call_of(id) {
                calls.push((id, call));
            }
        }
        for (account, (level, terms)) in calls {
            out.emit(Event::MarginCalled {
                account,
                level,
                equity: terms.equity,
                maintenance_margin: terms.maintenance,
            });
        }
    }
    out.emit(Event::RiskEvaluated);
}

/// Looks at the accounts that this command traded.
pub(crate) fn look_at_touched(out: &mut Output<'_>) {
    while let Some(account) = out.next_touched_account() {
        if let Some(terms) = out.state().is_below(account) {
            start(out, account, &terms);
        }
    }
}

fn start(out: &mut Output<'_>, account: AccountId, terms: &Terms) {
    out.emit(Event::LiquidationStarted { account, equity: terms.equity, maintenance_margin: terms.maintenance });
}

impl State {
    /// The terms of an account that is below its line and that something can be done about; `None` for all others.
    fn is_below(&self, id: AccountId) -> Option<Terms> {
        let account = self.account(id);
        let position = account.has_position();
        // Without a position only a debt beside collateral that the fund buys can be worked on; any other was reported
        // when it arose.
        let debt = account.wallets.iter().any(|w| w.amount.is_negative());
        let workable_debt = !position && debt && self.can_convert(id);
        if !(position || workable_debt) {
            return None;
        }
        if self.liquidating.contains(&id) {
            return None;
        }
        let terms = self.evaluate(id, Basis::Lenient, Need::Maintenance, None);
        if !self.risk.line.is_below(terms.headroom()) {
            return None;
        }
        let workable = |e: &crate::Exposure| !e.size.is_zero() && self.can_close(e.market);
        (!position || account.exposures.iter().any(workable)).then_some(terms)
    }

    /// Whether the ladder may close positions of a market: fresh, quorum, positive, not halted.
    pub(crate) fn can_close(&self, market: crate::MarketId) -> bool {
        self.market(market).status != MarketStatus::Halted && self.price_for_increase(market).is_ok()
    }

    /// The call level of an account where it differs from the one it has, with hysteresis on the way back.
    fn call_of(&self, id: AccountId) -> Option<(u8, Terms)> {
        let account = self.account(id);
        if account.call == 0 && !account.has_position() {
            return None;
        }
        let terms = self.evaluate(id, Basis::Mark, Need::Maintenance, None);
        let used = self.risk.calls.iter().take_while(|c| c.is_positive()).take(limits::CALL_LEVELS_MAX);
        let at = |level: Rate| {
            terms.maintenance.is_positive()
                && terms.maintenance >= terms.equity.max(Money::ZERO).mul_rate(level, Round::Down)
        };
        let mut level = 0u8;
        for (n, ratio) in (1u8..).zip(used) {
            let held = if n <= account.call { *ratio - self.risk.call_hysteresis } else { *ratio };
            if at(held) {
                level = n;
            }
        }
        (level != account.call).then_some((level, terms))
    }
}
