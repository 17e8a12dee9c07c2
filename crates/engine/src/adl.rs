//! Auto-deleveraging: exactly the uncovered size is closed against the winners of the other side, by one ranking a market
//! side and command (profit × leverage, ties by account number), with a receipt for each.

use crate::margin::{Basis, Change, Need};
use crate::output::Output;
use crate::params::AdlPrice;
use crate::takeover::{Handover, can_be_deleveraged};
use crate::{AccountId, AdlRow, Event, MarketId, MoveReason, PositionId, Side, State};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use rules::{AdlInput, adl_score};
use units::{Money, Round, Size};

/// The rankings of one command: made when first needed, used up from the top.
#[derive(Default)]
pub(crate) struct Rankings {
    rows: BTreeMap<(MarketId, Side), (Vec<AdlRow>, usize)>,
}

impl Rankings {
    /// Closes what is left of a handover against winners, best rank first.
    pub fn deleverage(&mut self, out: &mut Output<'_>, handover: &mut Handover) {
        let market = handover.market();
        let winners = if handover.size.is_positive() { Side::Sell } else { Side::Buy };
        let (rows, next) =
            self.rows.entry((market, winners)).or_insert_with(|| (out.state().ranking(market, winners), 0));
        let mut at = *next;
        while let Some(row) = rows.get(at).copied()
            && !handover.size.is_zero()
            && out.state().still_below(handover.from)
        {
            let part = out.state().deleverage_part(handover, &row);
            if part.is_zero() {
                at += 1;
                continue;
            }
            receipt(out, handover, &row, part);
        }
        // Those skipped above may serve another failing account; those used up are gone for this round.
        while rows
            .get(*next)
            .is_some_and(|row| out.state().account(row.account).position(market.leg(row.leg)).is_zero())
        {
            *next += 1;
        }
    }
}

fn receipt(out: &mut Output<'_>, handover: &mut Handover, row: &AdlRow, part: Size) {
    let (failing, winner, PositionId { market, leg }) = (handover.from, row.account, handover.position);
    let value = handover.value_of(part);
    let (rank, score) = (row.rank, row.score);
    out.emit(Event::Deleveraged { failing, winner, market, size: part, value, rank, score, leg });
    // Before the close, so that an isolated position that closes whole returns this, too.
    pay_difference(out, winner, market, part, value);
    handover.close_against(out, winner, part, value);
}

/// Where the rulebook deleverages at the mark, the fund pays a winner what the bankruptcy price costs it, as far as it can.
fn pay_difference(out: &mut Output<'_>, winner: AccountId, market: MarketId, part: Size, value: Money) {
    let state = out.state();
    let row = state.market(market);
    if row.params.liquidation.adl_price == AdlPrice::Bankruptcy {
        return;
    }
    let fund = row.params.fund;
    let worth = row.contract().value(row.mark, part, Round::Down).unwrap_or(value);
    let asset = row.params.settlement;
    let amount = (value - worth).min(state.fund_can_pay(fund, asset));
    if amount.is_positive() && fund != winner {
        out.touch_account(fund);
        out.emit(Event::Moved { from: fund, to: winner, asset, amount, reason: MoveReason::AdlPrice });
    }
}

impl State {
    /// Everyone with a position on a side of a market, the first to be deleveraged first.
    pub(crate) fn ranking(&self, market: MarketId, side: Side) -> Vec<AdlRow> {
        let row = self.market(market);
        let sign = side.signed(Size::whole(1)).signum();
        let mut rows: Vec<AdlRow> = Vec::new();
        for (at, account) in self.accounts.iter().enumerate() {
            let leg = account.leg_of(side);
            let held = account.exposure(market.leg(leg));
            let Some(exposure) = held.filter(|e| e.size.signum() == sign) else { continue };
            let id = AccountId::at(at);
            if !can_be_deleveraged(self, id) {
                continue;
            }
            let equity = self.evaluate(id, Basis::Bare, Need::Equity, None).equity;
            let input = AdlInput {
                upnl: row.contract().upnl(row.mark, exposure.size, exposure.cost).unwrap_or(Money::ZERO),
                cost: exposure.cost,
                notional: row.contract().notional(row.mark, exposure.size).unwrap_or(Money::ZERO),
                equity: self.credit_of(row.params.settlement, equity),
            };
            rows.push(AdlRow { rank: 0, account: id, size: exposure.size, score: adl_score(&input), leg });
        }
        rows.sort_unstable_by(|a, b| b.score.cmp(&a.score).then(a.account.cmp(&b.account)));
        for (rank, row) in (1u32..).zip(&mut rows) {
            row.rank = rank;
        }
        rows
    }

    /// Contracts (signed as the winner trades) that a winner closes against a handover: at most its position, and no more
    /// than leaves the winner above its own line.
    fn deleverage_part(&self, handover: &Handover, row: &AdlRow) -> Size {
        let position = handover.market().leg(row.leg);
        let held = self.account(row.account).position(position);
        if held.signum() * handover.size.signum() >= 0
            || row.account == handover.from
            || !can_be_deleveraged(self, row.account)
        {
            return Size::ZERO;
        }
        let most = if held.abs() < handover.size.abs() { held.abs() } else { handover.size.abs() };
        let stands = |size: Size| {
            let part = size.with_sign_of(handover.size);
            let trade = Some((part, handover.value_of(part), Money::ZERO));
            let change = Change { position, trade, ..Change::default() };
            !self
                .risk
                .line
                .is_below(self.evaluate(row.account, Basis::Lenient, Need::Maintenance, Some(&change)).headroom())
        };
        let lot = self.market(handover.market()).params.lot;
        let size = if stands(most) { most } else { crate::place::largest_size(most, lot, stands) };
        size.with_sign_of(handover.size)
    }
}
