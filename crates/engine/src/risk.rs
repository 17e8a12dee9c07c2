//! Who is below the line, and who is near it: what follows from a look at those whom [`crate::watch`] names.

use crate::margin::Terms;
use crate::output::Output;
use crate::{AccountId, Event, MarketStatus, State, grounds, limits};
use units::{Money, Rate, Round};

/// Looks at everyone who may have crossed a line: who is below starts on the ladder, who crossed a call level is called.
pub(crate) fn look_at_all(out: &mut Output<'_>) {
    let found = out.look();
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
    grounds::state(out, account);
}

impl State {
    /// The terms of an account that could be below its line; `None` for one that nothing can be done about: without a
    /// position, and without a debt beside collateral that the fund buys (any other debt was reported when it arose).
    pub(crate) fn terms_to_judge(&self, id: AccountId) -> Option<Terms> {
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
    pub(crate) fn is_below(&self, id: AccountId, terms: &Terms) -> bool {
        if !self.risk.line.is_below(terms.headroom()) || self.liquidating.contains(&id) {
            return false;
        }
        let account = self.account(id);
        let workable = |e: &crate::Exposure| !e.size.is_zero() && self.can_close(e.market);
        !account.has_position() || account.exposures.iter().any(workable)
    }

    /// Whether the ladder may close positions of a market: fresh, quorum, positive, not halted. The index is enough: an option whose
    /// volatility nobody confirms is marked at the last one that was agreed on, and its account does not wait for another.
    pub(crate) fn can_close(&self, market: crate::MarketId) -> bool {
        let row = self.market(market);
        let priced = row.mark.is_positive() && self.index(row.params.index).is_usable(self.now);
        row.status != MarketStatus::Halted && !row.is_over() && priced
    }

    /// The call level of an account where it differs from the one it has, with hysteresis on the way back.
    pub(crate) fn call_of(&self, id: AccountId, terms: &Terms) -> Option<u8> {
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
