//! The one door through which state changes: `emit` applies an event and keeps it.

use crate::apply::{Definition, apply};
use crate::watch::Found;
use crate::{AccountId, Event, MarketId, State};
use alloc::vec::Vec;

/// State, the arena of events, and what a command touched and has to look at again before it ends.
pub(crate) struct Output<'a> {
    state: &'a mut State,
    events: &'a mut Vec<Event>,
    touched: &'a mut Touched,
}

/// Working memory of one command; empty between commands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    /// Accounts whose headroom may have become smaller.
    pub accounts: Vec<AccountId>,
    /// Markets whose mark, index or last price moved.
    pub markets: Vec<MarketId>,
    /// Markets in which a position or an order changed, some of them twice.
    pub changed: Vec<MarketId>,
}

impl<'a> Output<'a> {
    pub fn new(state: &'a mut State, events: &'a mut Vec<Event>, touched: &'a mut Touched) -> Self {
        Self { state, events, touched }
    }

    pub fn state(&self) -> &State {
        self.state
    }

    /// Who has fallen below the line, or to another call level, since the last look.
    pub fn look(&mut self) -> Found {
        let mut watch = core::mem::take(&mut self.state.watch);
        let found = watch.look(self.state);
        self.state.watch = watch;
        found
    }

    /// What happened; the state changes by exactly this.
    pub fn emit(&mut self, event: Event) {
        self.define(event, Definition::None);
    }

    /// What happened, with parameters that are too large for an event and stand in the command.
    pub fn define(&mut self, event: Event, definition: Definition<'_>) {
        if !self.state.borrowing.is_empty() {
            self.charge_interest(&event);
        }
        apply(self.state, &event, definition);
        if let Event::PositionChanged { market, .. }
        | Event::OrderAccepted { market, .. }
        | Event::MarketSplit { market, .. }
        | Event::MarketStatusSet { market, .. } = event
            && self.touched.changed.last() != Some(&market)
        {
            self.touched.changed.push(market);
        }
        self.events.push(event);
    }

    /// A debt pays its interest up to now before its wallet changes.
    fn charge_interest(&mut self, event: &Event) {
        if matches!(event, Event::InterestCharged { .. }) {
            return;
        }
        for row in event.income(self.state) {
            crate::borrow::charge(self, row.account, row.asset);
        }
    }

    /// This account is looked at again before the command ends.
    pub fn touch_account(&mut self, account: AccountId) {
        self.touched.accounts.push(account);
    }

    /// The triggers of this market are looked at before the command ends.
    pub fn touch_market(&mut self, market: MarketId) {
        if !self.touched.markets.contains(&market) {
            self.touched.markets.push(market);
        }
    }

    pub fn next_changed_market(&mut self) -> Option<MarketId> {
        self.touched.changed.pop()
    }

    pub fn next_touched_account(&mut self) -> Option<AccountId> {
        self.touched.accounts.pop()
    }

    pub fn next_touched_market(&mut self) -> Option<MarketId> {
        self.touched.markets.pop()
    }
}
