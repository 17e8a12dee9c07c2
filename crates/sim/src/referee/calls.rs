//! Who is below the line, and who is called: asked of everyone, by a plain scan.

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, at_rate};
use engine::{AccountId, Event, MarketId, MarketStatus};

impl Referee {
    /// Whether the ladder may close positions of a market.
    pub(super) fn can_close(&self, market: MarketId) -> bool {
        let row = self.model.market(market);
        row.status != MarketStatus::Halted && !row.over() && row.mark > 0 && self.usable(market)
    }

    /// A wallet below zero.
    pub(super) fn owes(&self, id: AccountId) -> bool {
        self.model.account(id).wallets.values().any(|w| *w < 0)
    }

    /// Below its line, and something can be done about it: a position that can be closed, or without any position a debt
    /// that other collateral can be sold for now.
    pub(super) fn below_line(&self, id: AccountId) -> bool {
        let row = self.model.account(id);
        let mut open =
            row.exposures.iter().filter(|(_, e)| e.size != 0).map(|(position, _)| position.market).peekable();
        let workable =
            if open.peek().is_some() { open.any(|market| self.can_close(market)) } else { self.convertible(id) };
        workable && self.model.risk.below(self.figures(id, Lens::Lenient).headroom())
    }

    /// No one with a position below the line is missed, at the end of any command. (A debt without a position waits for
    /// the next look at everyone when only the fund's means have changed.)
    pub(super) fn line_kept(&self, id: AccountId) -> Verdict {
        let open = self.model.account(id).exposures.values().any(|e| e.size != 0);
        if open { self.not_missed(id) } else { Ok(()) }
    }

    fn not_missed(&self, id: AccountId) -> Verdict {
        let missed = self.model.account(id).liquidating.is_none() && self.below_line(id);
        holds("line", !missed, || format!("account {id} is below its line and in liquidation"))
    }

    /// Everyone was looked at: no one is missed, and everyone has the call level that fits.
    pub(super) fn risk_evaluated(&mut self) -> Verdict {
        self.ladder.forget_rankings();
        for at in 0..self.model.accounts.len() {
            let id = AccountId::at(at);
            self.not_missed(id)?;
            let row = self.model.account(id);
            let open = row.call > 0 || row.exposures.values().any(|e| e.size != 0);
            if open {
                same("calls", || format!("call level of account {id}"), self.call_level(id), row.call)?;
            }
        }
        Ok(())
    }

    /// The highest level that maintenance ÷ equity has reached, or has not fallen back from far enough.
    fn call_level(&self, id: AccountId) -> u8 {
        let figures = self.figures(id, Lens::Lenient);
        let mut level = 0;
        for (n, ratio) in (1u8..).zip(&self.model.risk.calls) {
            let held = if n <= self.model.account(id).call { ratio - self.model.risk.hysteresis } else { *ratio };
            let reached = figures.maintenance >= at_rate(figures.equity.max(0), held, Dir::Down);
            if figures.maintenance > 0 && reached {
                level = n;
            }
        }
        level
    }

    pub(super) fn called(&mut self, event: &Event) -> Verdict {
        let &Event::MarginCalled { account, level, equity, maintenance_margin } = event else { return Ok(()) };
        let figures = self.figures(account, Lens::Lenient);
        let what = || format!("call of account {account}: level, equity, maintenance");
        let ours = (self.call_level(account), figures.equity, figures.maintenance);
        same("calls", what, ours, (level, equity.units(), maintenance_margin.units()))?;
        self.model.account_mut(account).call = level;
        Ok(())
    }
}
