//! What must hold of one market after every command that changed it. A market in which it does not is halted by the next event: what was done
//! stands, its positions stay valued and its orders wait, and everything else goes on. An invariant of money over all
//! ends the process instead (`fault`).

use crate::output::Output;
use crate::{Event, MarketId, MarketStatus, StatusReason};
use serde::{Deserialize, Serialize};

/// What did not hold of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invariant {
    /// I-07: as many contracts are long as are short.
    OpenInterest,
    /// The best bid is below the best ask.
    CrossedBook,
    /// Totals of resting orders are those of a book: nothing where it is empty, never below zero.
    RestingOrders,
    /// I-02: after the last position was settled, the clearing account has what rounding left, and that is not below zero.
    Clearing,
    /// Its cumulative funding can be written.
    Funding,
}

/// Checks the markets that this command changed.
pub(crate) fn check(out: &mut Output<'_>) {
    while let Some(market) = out.next_changed_market() {
        if let Some(broken) = out.state().broken(market) {
            halt(out, market, broken);
        }
    }
}

/// Halts a market for an invariant, unless it is.
pub(crate) fn halt(out: &mut Output<'_>, market: MarketId, invariant: Invariant) {
    if out.state().market(market).status != MarketStatus::Halted {
        let reason = StatusReason::Broken(invariant);
        out.emit(Event::MarketStatusSet { market, status: MarketStatus::Halted, reason });
    }
}

impl crate::State {
    /// The first invariant of a market that does not hold, without a look at its accounts.
    #[must_use]
    pub fn broken(&self, market: MarketId) -> Option<Invariant> {
        let row = self.market(market);
        // While it is settled its positions close one after the other.
        if !row.is_over() && row.open_interest != row.short_interest {
            return Some(Invariant::OpenInterest);
        }
        let (bid, ask) = (row.book.best(crate::Side::Buy), row.book.best(crate::Side::Sell));
        let (bid, ask) = (bid.map(|(price, _)| price), ask.map(|(price, _)| price));
        if bid.zip(ask).is_some_and(|(bid, ask)| bid >= ask) {
            return Some(Invariant::CrossedBook);
        }
        let sells = row.resting - row.resting_buys;
        let fits = |side: Option<units::Price>, total: i128| if side.is_some() { total > 0 } else { total == 0 };
        (!fits(bid, row.resting_buys) || !fits(ask, sells)).then_some(Invariant::RestingOrders)
    }
}
