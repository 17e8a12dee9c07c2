//! Auto-deleveraging: exactly the uncovered size is closed against the winners of the other side, by one ranking a market
//! side and command under the market's policy (ties by account number), with a receipt for each.

use crate::hedge;
use crate::margin::{Basis, Change, Need};
use crate::output::Output;
use crate::params::{AdlPolicy, AdlPrice};
use crate::shares::share_out;
use crate::takeover::{Handover, can_be_deleveraged};
use crate::{AccountId, AdlRow, Event, Exposure, MarketId, MoveReason, PositionId, Side, State};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use rules::{AdlInput, AdlTerms, adl_growth_score, adl_score};
use units::{Money, Round, Size};

/// The rankings of one command: made when first needed.
#[derive(Default)]
pub(crate) struct Rankings {
    rows: BTreeMap<(MarketId, Side), Vec<AdlRow>>,
}

impl Rankings {
    /// Closes what is left of a handover against winners. Some policies first ask each for no more than a part; what that
    /// leaves is asked of everyone, best rank first.
    pub fn deleverage(&mut self, out: &mut Output<'_>, handover: &mut Handover) {
        let market = handover.market();
        let winners = if handover.size.is_positive() { Side::Sell } else { Side::Buy };
        let rows = self.rows.entry((market, winners)).or_insert_with(|| out.state().ranking(market, winners));
        match out.state().market(market).params.liquidation.adl_policy {
            AdlPolicy::ProfitLeverage | AdlPolicy::GrowthLeverage => {}
            AdlPolicy::ProRata => {
                let shares = out.state().equal_shares(handover, rows);
                first_parts(out, handover, rows, |_, at, _| shares.get(at).copied().unwrap_or(Size::ZERO));
            }
            AdlPolicy::LeastHedgesBroken => first_parts(out, handover, rows, |state, _, row| {
                hedge::unhedged(state, row.account, market.leg(row.leg))
            }),
        }
        let mut at = 0;
        while let Some(row) = rows.get(at)
            && !handover.size.is_zero()
        {
            // Who has nothing now may have something again for the next failing account: a bid of it was hit meanwhile.
            if row.is_used_up(out.state(), market) {
                at += 1;
                continue;
            }
            if !out.state().still_below(handover.from) {
                return;
            }
            let part = out.state().deleverage_part(handover, row, row.size.abs());
            if part.is_zero() {
                at += 1;
                continue;
            }
            receipt(out, handover, row, part);
        }
    }
}

/// Asks each once, best rank first, for at most what `most` says of it.
fn first_parts(
    out: &mut Output<'_>,
    handover: &mut Handover,
    rows: &[AdlRow],
    most: impl Fn(&State, usize, &AdlRow) -> Size,
) {
    for (at, row) in rows.iter().enumerate() {
        if handover.size.is_zero() {
            return;
        }
        if row.is_used_up(out.state(), handover.market()) {
            continue;
        }
        let most = most(out.state(), at, row);
        if most.is_zero() || !out.state().still_below(handover.from) {
            continue;
        }
        let part = out.state().deleverage_part(handover, row, most);
        if !part.is_zero() {
            receipt(out, handover, row, part);
        }
    }
}

fn receipt(out: &mut Output<'_>, handover: &mut Handover, row: &AdlRow, part: Size) {
    let (failing, winner, PositionId { market, leg }) = (handover.from, row.account, handover.position);
    let value = handover.value_of(part);
    let (rank, score, size) = (row.rank, row.score, part);
    let state = out.state();
    let policy = state.market(market).params.liquidation.adl_policy;
    let free = hedge::unhedged(state, winner, market.leg(row.leg));
    let hedged = part.abs() - free.min(part.abs());
    out.emit(Event::Deleveraged { failing, winner, market, size, value, rank, score, leg, policy, hedged });
    // Before the close, so that an isolated position that closes whole returns this, too.
    pay_difference(out, winner, market, part, value);
    handover.close_against(out, winner, part, value);
}

/// Where the rulebook deleverages at the mark, the fund pays a winner what the bankruptcy price costs it, as far as it
/// and its reserve can.
fn pay_difference(out: &mut Output<'_>, winner: AccountId, market: MarketId, part: Size, value: Money) {
    let state = out.state();
    let row = state.market(market);
    if row.params.liquidation.adl_price == AdlPrice::Bankruptcy {
        return;
    }
    let fund = row.params.fund;
    let worth = row.contract().value(row.mark, part, Round::Down).unwrap_or(value);
    let asset = row.params.settlement;
    let amount = value - worth;
    if amount.is_positive() && fund != winner {
        crate::reserve::pay(out, fund, winner, asset, amount, MoveReason::AdlPrice);
    }
}

impl AdlRow {
    fn is_used_up(&self, state: &State, market: MarketId) -> bool {
        state.account(self.account).position(market.leg(self.leg)).is_zero()
    }
}

impl State {
    /// What a position is ranked by under its market's policy: what goes in, settlement asset, and what comes out. With equal
    /// shares the score is 1 for a gain and 0 without.
    #[must_use]
    pub fn adl_terms(&self, account: AccountId, exposure: &Exposure) -> (AdlInput, AdlTerms) {
        let row = self.market(exposure.market);
        let equity = self.evaluate(account, Basis::Bare, Need::Equity, None).equity;
        let input = AdlInput {
            upnl: row.contract().upnl(row.mark, exposure.size, exposure.cost).unwrap_or(Money::ZERO),
            cost: exposure.cost,
            notional: row.contract().notional(row.mark, exposure.size).unwrap_or(Money::ZERO),
            equity: self.credit_of(row.params.settlement, equity),
        };
        let terms = match row.params.liquidation.adl_policy {
            AdlPolicy::ProfitLeverage | AdlPolicy::LeastHedgesBroken => adl_score(&input),
            AdlPolicy::GrowthLeverage => adl_growth_score(&input, exposure.size.is_positive() != row.is_inverse()),
            AdlPolicy::ProRata => AdlTerms { score: i128::from(input.upnl.is_positive()), ..AdlTerms::default() },
        };
        (input, terms)
    }

    /// Everyone with a position on a side of a market, the first to be deleveraged first.
    #[must_use]
    pub fn ranking(&self, market: MarketId, side: Side) -> Vec<AdlRow> {
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
            let score = self.adl_terms(id, exposure).1.score;
            rows.push(AdlRow { rank: 0, account: id, size: exposure.size, score, leg });
        }
        rows.sort_unstable_by(|a, b| b.score.cmp(&a.score).then(a.account.cmp(&b.account)));
        for (rank, row) in (1u32..).zip(&mut rows) {
            row.rank = rank;
        }
        rows
    }

    /// Contracts (signed as the winner trades) that a winner closes against a handover: at most its position and `asked`, and
    /// no more than leaves the winner above its own line.
    fn deleverage_part(&self, handover: &Handover, row: &AdlRow, asked: Size) -> Size {
        let position = handover.market().leg(row.leg);
        let held = self.account(row.account).position(position);
        if held.signum() * handover.size.signum() >= 0
            || row.account == handover.from
            || !can_be_deleveraged(self, row.account)
        {
            return Size::ZERO;
        }
        let most = held.abs().min(handover.size.abs()).min(asked);
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

    /// What each row gives so that all with a gain give the same share of their positions, whole lots by largest remainder,
    /// ties by the lower account; those without a gain share what is more than all of that.
    fn equal_shares(&self, handover: &Handover, rows: &[AdlRow]) -> Vec<Size> {
        let stands = |row: &AdlRow| {
            let held = self.account(row.account).position(handover.market().leg(row.leg));
            let other = held.signum() * handover.size.signum() < 0 && row.account != handover.from;
            if other && can_be_deleveraged(self, row.account) { i128::from(held.abs().units()) } else { 0 }
        };
        let held: Vec<(bool, i128)> = rows.iter().map(|row| (row.score > 0, stands(row))).collect();
        let lot = self.market(handover.market()).params.lot;
        let mut shares: Vec<Size> = rows.iter().map(|_| Size::ZERO).collect();
        let mut left = i128::from(handover.size.abs().units());
        for gains in [true, false] {
            let group: Vec<i128> = held.iter().map(|(is, units)| if *is == gains { *units } else { 0 }).collect();
            left -= share_out(left, &group, lot, &mut shares);
        }
        shares
    }
}
