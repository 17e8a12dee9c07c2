//! Funding: one cumulative index a market, settled when a position is touched, with its share of losses. Nobody is scanned.

use crate::fault::fault;
use crate::output::Output;
use crate::{AccountId, Event, Invariant, MarketId, PositionId, invariants};
use rules::{funding_index_step, funding_payment};
use units::{Money, Time};

/// Posts what is due. Several missed intervals are one settlement from the samples there are; a gap beyond the limit is
/// not paid; without a usable price it waits for the next.
pub(crate) fn post_due(out: &mut Output<'_>) {
    for market in (0..out.state().markets.len()).map(MarketId::at) {
        let state = out.state();
        let row = state.market(market);
        let late = state.now.since(row.funding_next);
        if state.now < row.funding_next || !state.has_funding(market) {
            continue;
        }
        let interval = row.params.funding.interval_ns;
        let missed = late.checked_div(interval).unwrap_or(0);
        let next = Time::from_ns(row.funding_next.ns()).plus_ns(interval.saturating_mul(missed + 1));
        if late > row.params.funding_gap_ns {
            out.emit(Event::FundingSkipped { market, next });
            continue;
        }
        let halted = row.status == crate::MarketStatus::Halted; // nobody could act on it
        if halted || !row.mark.is_positive() || !state.index(row.params.index).is_usable(state.now) {
            continue;
        }
        let (mark, rate) = (row.mark, row.expected_funding());
        let step = funding_index_step(row.contract(), mark, rate).and_then(|step| row.funding_index.checked_add(step));
        let Some(cumulative) = step else {
            invariants::halt(out, market, Invariant::Funding);
            continue;
        };
        out.emit(Event::FundingPosted { market, rate, mark, cumulative, next });
    }
}

/// Brings a position's share of losses and its funding to its wallet.
pub(crate) fn settle(out: &mut Output<'_>, account: AccountId, position: PositionId) {
    crate::loss::settle(out, account, position);
    let PositionId { market, leg } = position;
    let row = out.state().market(market);
    let Some(exposure) = out.state().account(account).exposure(position) else { return };
    let delta = row.funding_index - exposure.funding;
    if delta == 0 || exposure.size.is_zero() {
        return;
    }
    let Some(payment) = funding_payment(exposure.size, delta) else { fault("funding of a position fits") };
    out.emit(Event::FundingSettled { account, market, amount: payment.amount, residue: payment.residue, leg });
    sweep(out, market);
}

/// What rounding left goes to the rounding account once it is a whole unit.
pub(crate) fn sweep(out: &mut Output<'_>, market: MarketId) {
    let whole = out.state().market(market).residue.div_euclid(1_000_000_000);
    if whole > 0 {
        out.emit(Event::RoundingSwept { market, amount: Money::from_units(whole) });
    }
}
