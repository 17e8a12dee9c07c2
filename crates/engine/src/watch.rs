//! Who has to be looked at, without looking at everyone.
//!
//! Each account is armed: it gets triggers on what its headroom depends on, so far away that all of them together leave it
//! on its side of the line, and of its call levels. A look evaluates whoever has a trigger that was crossed, whoever
//! changed, and the few that have to be looked at each time; everyone else is where they were. The argument is
//! docs/never-scan.md. All of it is derived: it can be forgotten at any time, and then everyone is looked at and armed anew.
//!
//! It finds; what becomes of whom it finds is the business of [`crate::risk`] and of the ladder.

mod arm;
mod shelf;
mod slope;
mod sweep;

use crate::margin::Terms;
use crate::{AccountId, AssetId, IndexId, MarketId, State};
use alloc::vec::Vec;
use serde::Serialize;
use shelf::{Entry, Shelf};
pub(crate) use sweep::Scratch;

/// What a look finds, in the order of handles.
#[derive(Default)]
pub(crate) struct Found {
    /// Below their line and not in liquidation yet.
    pub below: Vec<(AccountId, Terms)>,
    /// At another call level than before.
    pub called: Vec<(AccountId, u8, Terms)>,
}

/// What looking has cost since the venue began; the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Looks.
    pub looks: u64,
    /// Those that had to look at everyone.
    pub everyone: u64,
    /// Accounts whose terms were computed.
    pub evaluated: u64,
    /// Found below the line.
    pub below: u64,
    /// Triggers that were crossed, those of before the last arming of their account included.
    pub fired: u64,
    /// Triggers now.
    pub triggers: u64,
    /// The same with those that are stale and still take memory.
    pub stored: u64,
    /// Accounts that are looked at each time.
    pub hot: u64,
}

/// Triggers, and whom to look at next.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    /// All accounts are armed, but for those in `changed`.
    ready: bool,
    /// Changed since they were armed; may name an account more than once.
    changed: Vec<AccountId>,
    /// How many of them are borne before duplicates are dropped.
    changed_most: usize,
    /// Looked at each time.
    hot: Vec<AccountId>,
    rows: Vec<Row>,
    markets: Vec<MarketTriggers>,
    assets: Vec<Range>,
    /// Which indices are usable.
    usable: Vec<bool>,
    work: Work,
}

/// How an account is armed.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// Number of the arming: older triggers of it are stale.
    armed: u32,
    /// Its triggers.
    triggers: u32,
}

/// Triggers at both ends of a range.
#[derive(Clone, Debug, Default)]
struct Range {
    low: Shelf,
    high: Shelf,
}

impl Range {
    fn fire(&mut self, value: i64, fired: &mut impl FnMut(Entry)) {
        self.low.fire(value, fired);
        self.high.fire(value.saturating_neg(), fired);
    }

    fn shelves(&mut self) -> [&mut Shelf; 2] {
        [&mut self.low, &mut self.high]
    }
}

/// Triggers of a market.
#[derive(Clone, Debug, Default)]
struct MarketTriggers {
    /// One-sided: of longs below, of shorts above, each on a price that funding shifts.
    side: Range,
    /// The price itself, both ways.
    price: Range,
    /// Of an option: the price of its underlying, both ways.
    underlying: Range,
    /// Cumulative funding, both ways.
    funding: Range,
    /// Cumulative funding that the shifts contain.
    posted: i128,
    /// What the longs' price is below the price by, 1e-8.
    long_shift: i64,
    /// What the shorts' price is above the price by, 1e-8.
    short_shift: i64,
    /// Cumulative funding is watched in units of 2 to this power; none before anybody watches it.
    funding_bits: Option<u32>,
}

/// What is derived says nothing about the state.
impl core::fmt::Debug for Watch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

impl Watch {
    /// This account changed.
    pub fn touch(&mut self, account: AccountId) {
        if !self.ready || self.changed.last() == Some(&account) {
            return;
        }
        if self.changed.len() > self.changed_most {
            self.changed.sort_unstable();
            self.changed.dedup();
            self.changed_most = 1024 + 2 * self.changed.len();
        }
        self.changed.push(account);
    }

    /// Nothing that is armed holds any more.
    pub fn forget(&mut self) {
        self.ready = false;
    }

    pub fn work(&self) -> Work {
        Work { hot: count(&self.hot), ..self.work }
    }

    /// Looks at whoever may have crossed a line, and arms them anew.
    pub fn look(&mut self, state: &State) -> Found {
        self.work.looks += 1;
        self.notice_usable(state);
        let venue = arm::Venue::of(state);
        let due = if self.ready { self.due(state, &venue) } else { self.everyone(state) };
        let mut found = Found::default();
        for id in due {
            self.judge(state, &venue, id, &mut found);
        }
        self.ready = true;
        self.drop_stale();
        self.work.below += count(&found.below);
        found
    }

    fn judge(&mut self, state: &State, venue: &arm::Venue, id: AccountId, found: &mut Found) {
        self.disarm(id);
        let account = state.account(id);
        if account.exposures.is_empty() && account.wallets.len() < 2 {
            return;
        }
        let Some(terms) = state.terms_to_judge(id) else {
            if account.call > 0 {
                found.called.push((id, 0, state.lenient(id)));
            }
            if account.wallets.iter().any(|w| w.amount.is_negative()) {
                self.hot.push(id); // the fund may have means at any time
            }
            return;
        };
        self.work.evaluated += 1;
        if state.is_below(id, &terms) {
            found.below.push((id, terms));
        }
        if let Some(level) = state.call_of(id, &terms).filter(|_| venue.calls || account.call > 0) {
            found.called.push((id, level, terms));
        }
        self.arm(state, venue, id, &terms);
        let set = self.rows.get(id.index()).map_or(0, |row| u64::from(row.triggers));
        (self.work.triggers, self.work.stored) = (self.work.triggers + set, self.work.stored + set);
    }

    /// An index that is no longer usable makes terms better than at its price, which may end a call.
    fn notice_usable(&mut self, state: &State) {
        let calls = state.risk.calls.iter().any(|c| c.is_positive());
        self.usable.resize(state.indices.len(), false);
        for (was, index) in self.usable.iter_mut().zip((0..state.indices.len()).map(IndexId::at)) {
            let is = state.index(index).is_usable(state.now);
            if calls && *was != is {
                self.ready = false;
            }
            *was = is;
        }
    }

    /// Everyone, with nothing armed.
    fn everyone(&mut self, state: &State) -> Vec<AccountId> {
        self.work.everyone += 1;
        self.changed.clear();
        self.hot.clear();
        self.rows.clear();
        self.markets.clear();
        self.assets.clear();
        (self.work.triggers, self.work.stored) = (0, 0);
        self.fit(state);
        (0..state.accounts.len()).map(AccountId::at).collect()
    }

    fn fit(&mut self, state: &State) {
        self.rows.resize(state.accounts.len(), Row::default());
        self.assets.resize(state.assets.len(), Range::default());
        for market in state.markets.iter().skip(self.markets.len()) {
            self.markets.push(MarketTriggers { posted: market.funding_index, ..MarketTriggers::default() });
        }
    }

    /// Whoever changed, is hot, or has a trigger that was crossed.
    fn due(&mut self, state: &State, venue: &arm::Venue) -> Vec<AccountId> {
        self.fit(state);
        let mut due = core::mem::take(&mut self.changed);
        due.append(&mut self.hot);
        let mut holds = true;
        let Self { rows, markets, assets, work, .. } = self;
        let mut fired = |entry: Entry| {
            work.fired += 1;
            work.stored -= 1;
            if rows.get(entry.account.index()).is_some_and(|row| row.armed == entry.armed) {
                due.push(entry.account);
            }
        };
        for (id, row) in (0..markets.len()).map(MarketId::at).zip(markets) {
            let market = state.market(id);
            let price = state.valuation(market).units();
            holds &= row.follow_funding(market, venue, price);
            row.side.low.fire(row.long_price(price), &mut fired);
            row.side.high.fire(row.short_price(price).saturating_neg(), &mut fired);
            row.price.fire(price, &mut fired);
            if market.params.option.is_some() {
                row.underlying.fire(state.underlying(market).units(), &mut fired);
            }
            row.funding.fire(row.funding_value(market.funding_index), &mut fired);
        }
        for (id, range) in (0..assets.len()).map(AssetId::at).zip(assets) {
            range.fire(state.asset_price(id).units(), &mut fired);
        }
        if !holds {
            return self.everyone(state);
        }
        due.sort_unstable();
        due.dedup();
        due
    }

    /// Its triggers are stale from now on.
    fn disarm(&mut self, id: AccountId) {
        if let Some(row) = self.rows.get_mut(id.index()) {
            self.work.triggers -= u64::from(row.triggers);
            *row = Row { armed: row.armed.wrapping_add(1), triggers: 0 };
        }
    }

    /// Stale triggers never take more memory than the others, but for a little.
    fn drop_stale(&mut self) {
        if self.work.stored <= 2 * self.work.triggers + 4_096 {
            return;
        }
        let rows = &self.rows;
        let live = |entry: &Entry| rows.get(entry.account.index()).is_some_and(|row| row.armed == entry.armed);
        let of_markets =
            self.markets.iter_mut().flat_map(|m| [&mut m.side, &mut m.price, &mut m.underlying, &mut m.funding]);
        let ranges = of_markets.chain(&mut self.assets);
        ranges.flat_map(Range::shelves).for_each(|shelf| shelf.retain(live));
        self.work.stored = self.work.triggers;
    }
}
