//! What is owed through a cumulative index: interest on debts, and losses that winners share.

use super::clauses::Rule;
use super::{Place, Work, money, price};
use crate::scenario::percent;
use engine::{AccountId, AssetId, Event, MarketId, PositionId, Side};
use rulebooks::Step;
use rules::{funding_index_step, loss_payment, share_loss};
use units::{Money, Rate, Time};

/// In what the index of shared losses is counted.
const INDEX_UNIT: &str = "1e-25 of the settlement asset per 1e-8 contract";

pub(super) fn explain(mut place: Place<'_>, event: &Event, work: &mut Work) {
    match *event {
        Event::InterestPosted { asset, rate, cumulative, next } => {
            place.posted_interest(asset, rate, cumulative, next, work)
        }
        Event::InterestCharged { account, asset, amount } => place.charged(account, asset, amount, work),
        Event::LossShared { market, side, amount, cumulative, residue, .. } => {
            place.shared(market, side, amount, (cumulative, residue), work);
        }
        Event::LossSettled { account, market, amount, residue, leg } => {
            place.paid(account, market.leg(leg), amount, residue, work);
        }
        _ => {}
    }
}

impl Place<'_> {
    fn posted_interest(&self, asset: AssetId, rate: Rate, cumulative: i128, next: Time, work: &mut Work) {
        let Some(row) = self.state.borrowing.get(&asset) else { return };
        let terms = self.state.asset(asset).params.borrow;
        let missed = self.state.now.since(row.next).checked_div(terms.interval_ns).unwrap_or(0);
        let intervals = missed + 1;
        let explained = row.cumulative + i128::from(terms.rate.units()) * i128::from(intervals);
        let how = format!("{} before + rate {} × {intervals} intervals, 1e-9", row.cumulative, percent(terms.rate));
        let due = Step::new("intervals", intervals, format!("due from {} to {}", row.next, self.state.now));
        work.step(Step::new("cumulative", explained, how).of([due]));
        work.equal("rate", terms.rate, rate, percent);
        work.equal("cumulative", explained, cumulative, |n| n.to_string());
        let after = row.next.plus_ns(terms.interval_ns.saturating_mul(intervals));
        work.equal("next", after, next, |time| time.to_string());
    }

    fn charged(&self, account: AccountId, asset: AssetId, amount: Money, work: &mut Work) {
        let Some(row) = self.state.borrowing.get(&asset) else { return };
        let paid = row.debts.get(&account).copied().unwrap_or(row.cumulative);
        let explained = self.state.interest_due(account, asset);
        let free = self.state.asset(asset).params.borrow.free;
        let debt = -self.state.account(account).wallet(asset);
        let name = self.names.of_asset(asset);
        let bears = Step::new("bears interest", money((debt - free).max(Money::ZERO)), "debt − what is free").of([
            Step::new("debt", money(debt), format!("the {name} wallet before the event, below zero")),
            Step::new("free", money(free), format!("of a debt of {name}")),
        ]);
        let how = format!("{} now − {paid} when it was last charged, 1e-9", row.cumulative);
        let rates = Step::new("Σ rates", row.cumulative - paid, how);
        work.step(Step::new("amount", money(explained), "bears interest × Σ rates, rounded up").of([bears, rates]));
        work.equal("amount", explained, amount, money);
    }

    fn shared(
        &mut self,
        market: MarketId,
        side: Side,
        amount: Money,
        (cumulative, residue): (i128, i128),
        work: &mut Work,
    ) {
        let (state, row) = (self.state, self.state.market(market));
        let before = state.losses.indices.get(&(market, side)).copied().unwrap_or_default();
        let added = if before.command == state.sequence { before.added } else { 0 };
        let rule = row.params.liquidation.loss.socialise;
        let Some(limit) = funding_index_step(row.contract(), row.mark, rule) else { return };
        let left = limit - added;
        // What the winners of a step at the limit bring is rounded down: the step is the limit then.
        let Some(share) = share_loss(amount, row.open_interest, i128::MAX) else { return };
        let is_limited = cumulative - before.cumulative == left;
        let step = if is_limited { left } else { share.step };
        let owes = if side == Side::Buy { "longs" } else { "shorts" };
        let how =
            format!("amount {} ÷ contracts, rounded up: what each of the {owes} owes; {INDEX_UNIT}", money(amount));
        let contracts = Step::new("contracts", row.open_interest, "open interest of the side, 1e-8 contract");
        let most = format!("mark {} × {} of the market's rule", price(row.mark), percent(rule));
        let most = Step::new("at most", left, format!("{most}, less {added} of this command"));
        let one = Step::new("step", step, how).of([contracts, most]);
        let index = Step::new("cumulative", before.cumulative + step, format!("{} before + step", before.cumulative));
        let index = self.by(index.of([one]), Rule::Liquidation, Some(market), None);
        work.step(index);
        work.equal("cumulative", before.cumulative + step, cumulative, |n| n.to_string());
        work.at_most(("step", cumulative - before.cumulative), ("the limit of a command", left), |n| n.to_string());
        let over = units::mul_sub((step, row.open_interest), (amount.units(), i128::from(Rate::ONE.units())));
        work.equal("residue", over.unwrap_or(0), residue, |n| n.to_string());
    }

    fn paid(&mut self, account: AccountId, position: PositionId, amount: Money, residue: i128, work: &mut Work) {
        let state = self.state;
        let Some(held) = state.account(account).exposure(position) else { return };
        let index = state.losses.indices.get(&(position.market, Side::of(held.size))).map_or(0, |row| row.cumulative);
        let paid = state.losses.checkpoints.get(&(account, position)).copied().unwrap_or(0);
        let Some(payment) = loss_payment(held.size, index - paid) else { return };
        let side = if held.size.is_negative() { "short" } else { "long" };
        let step = Step::new("amount", money(payment.amount), "|size| × index moved × 1e-25 ÷ 1e-8, rounded up").of([
            Step::new("size", held.size, format!("{side}, before the event")),
            Step::new(
                "index moved",
                index - paid,
                format!("{index} now − {paid} up to which it has paid; {INDEX_UNIT}"),
            ),
            Step::new("residue", payment.residue, "amount − exact, 1e-25: to the rounding account"),
        ]);
        let step = self.by(step, Rule::Liquidation, Some(position.market), None);
        work.step(step);
        work.equal("amount", payment.amount, amount, money);
        work.equal("residue", payment.residue, residue, |n| n.to_string());
    }
}
