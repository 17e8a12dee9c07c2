//! The last stage: what neither fund nor reserve could pay of a deficit is owed by the winning side from that moment on, through
//! one cumulative index a market and side. Nobody is scanned: a position pays for what it held when it is next touched, as
//! it does funding, and what it owes counts in equity at once.
//!
//! It knows nothing of whose loss it was, nor of who pays before. Until a loss is shared there is nothing here to look at.

use crate::fault::fault;
use crate::output::Output;
use crate::state::Exposure;
use crate::{AccountId, Event, MarketId, PositionId, Side, State, funding};
use alloc::collections::BTreeMap;
use rules::{LossPayment, LossShare, funding_index_step, loss_payment, share_loss};
use serde::{Deserialize, Serialize};
use units::{Money, Size};

/// Losses that were shared. A split of a contract leaves them alone: before it everyone has paid, and its market is halted, so that nothing
/// is shared in the new unit by the same command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses {
    /// By market and the side that pays.
    pub indices: BTreeMap<(MarketId, Side), LossIndex>,
    /// The index up to which a position has paid; without a row it owes from the first loss of its side on.
    pub checkpoints: BTreeMap<(AccountId, PositionId), i128>,
}

/// What one side of a market has been asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossIndex {
    /// Σ of all steps: 1e-25 of the settlement asset per 1e-8 contract.
    pub cumulative: i128,
    /// Number of the command that last added to it.
    pub command: u64,
    /// What that command added.
    pub added: i128,
}

/// Shares what is left of a loss among the holders of a side of a market, as far as its limit for one command goes.
pub(crate) fn share(out: &mut Output<'_>, account: AccountId, market: MarketId, side: Side, asked: Money) {
    let Some((share, cumulative)) = out.state().sharing(market, side, asked) else { return };
    let LossShare { amount, residue, .. } = share;
    out.emit(Event::LossShared { account, market, side, amount, cumulative, residue });
    funding::sweep(out, market);
}

/// Brings what a position owes to its wallet.
pub(crate) fn settle(out: &mut Output<'_>, account: AccountId, position: PositionId) {
    let state = out.state();
    if state.losses.indices.is_empty() {
        return;
    }
    let payment = state.account(account).exposure(position).and_then(|e| state.loss_payment(account, e));
    let Some(LossPayment { amount, residue }) = payment else { return };
    let PositionId { market, leg } = position;
    out.emit(Event::LossSettled { account, market, amount, residue, leg });
    funding::sweep(out, market);
}

/// A position has a new size, or has paid: it owes from the index of its side on.
pub(crate) fn restart(state: &mut State, account: AccountId, position: PositionId, size: Size) {
    if state.losses.indices.is_empty() {
        return;
    }
    let of_side = state.losses.indices.get(&(position.market, Side::of(size))).filter(|_| !size.is_zero());
    match of_side.map(|row| row.cumulative) {
        Some(paid) => state.losses.checkpoints.insert((account, position), paid),
        None => state.losses.checkpoints.remove(&(account, position)),
    };
}

/// A side of a market owes more; everyone's equity has to be looked at again.
pub(crate) fn owe(state: &mut State, market: MarketId, side: Side, cumulative: i128) {
    let command = state.sequence;
    let row = state.losses.indices.entry((market, side)).or_default();
    let before = if row.command == command { row.added } else { 0 };
    *row = LossIndex { cumulative, command, added: before + (cumulative - row.cumulative) };
    state.look_at_everyone();
}

impl State {
    /// What a position owes of losses that were shared, settlement asset; rounded up.
    #[must_use]
    pub fn loss_owed(&self, account: AccountId, e: &Exposure) -> Money {
        if self.losses.indices.is_empty() {
            return Money::ZERO;
        }
        self.loss_payment(account, e).map_or(Money::ZERO, |payment| payment.amount)
    }

    /// The same with what rounding adds; `None` for nothing.
    fn loss_payment(&self, account: AccountId, e: &Exposure) -> Option<LossPayment> {
        if e.size.is_zero() {
            return None;
        }
        let index = self.losses.indices.get(&(e.market, Side::of(e.size)))?.cumulative;
        let paid = self.losses.checkpoints.get(&(account, e.position())).copied().unwrap_or(0);
        if index == paid {
            return None;
        }
        let Some(payment) = loss_payment(e.size, index - paid) else { fault("a share of losses fits") };
        Some(payment)
    }

    /// How a side pays for a loss, and its index after it. Nothing where the market has no such rule, where the ladder could close
    /// nobody who falls below the line by it, and beyond the limit.
    fn sharing(&self, market: MarketId, side: Side, asked: Money) -> Option<(LossShare, i128)> {
        let row = self.market(market);
        let rule = row.params.liquidation.loss.socialise;
        if !rule.is_positive() || !asked.is_positive() || !self.can_close(market) {
            return None;
        }
        let before = self.losses.indices.get(&(market, side)).copied().unwrap_or_default();
        let added = if before.command == self.sequence { before.added } else { 0 };
        let most = funding_index_step(row.contract(), row.mark, rule)? - added;
        // Longs and shorts are one number: a market that is being settled, where they are not, was left out above.
        let share = share_loss(asked, row.open_interest, most)?;
        before.cumulative.checked_add(share.step).map(|cumulative| (share, cumulative))
    }
}
