//! Funding: the rate that was posted, and what a position paid for the distance that its market's index has moved.

use super::clauses::Rule;
use super::{Memory, Place, Work, money, price};
use crate::scenario::percent;
use engine::{AccountId, Event, MarketId, PositionId, State};
use rulebooks::Step;
use rules::{Contract, funding_index_step, funding_payment, funding_rate};
use units::{Money, Price, Rate, Time};

/// One funding of a market.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    at: Time,
    rate: Rate,
    mark: Price,
    step: i128,
    cumulative: i128,
}

pub(super) fn conclude(memory: &mut Memory, state: &State, event: &Event) {
    match *event {
        Event::FundingPosted { market, rate, mark, cumulative, .. } => {
            let step = cumulative - state.market(market).funding_index;
            let row = Posting { at: state.now, rate, mark, step, cumulative };
            memory.postings.entry(market).or_default().push(row);
        }
        // The index is per contract: it has another unit from now on.
        Event::MarketSplit { market, .. } => {
            memory.postings.remove(&market);
        }
        _ => {}
    }
}

pub(super) fn explain(mut place: Place<'_>, event: &Event, work: &mut Work) {
    match *event {
        Event::FundingPosted { market, rate, mark, cumulative, .. } => {
            place.posted(market, rate, mark, cumulative, work)
        }
        Event::FundingSettled { account, market, amount, residue, leg } => {
            place.settled(account, market.leg(leg), amount, residue, work);
        }
        _ => {}
    }
}

impl Place<'_> {
    fn posted(&mut self, market: MarketId, rate: Rate, mark: Price, cumulative: i128, work: &mut Work) {
        let row = self.state.market(market);
        let rule = &row.params.funding;
        let explained = row.expected_funding();
        let bounds = format!("within floor {} and cap {}", percent(rule.floor), percent(rule.cap));
        let step = match row.funding_given {
            Some(given) => {
                Step::new("rate", percent(explained), format!("the given rate {}, {bounds}", percent(given)))
            }
            None => {
                let average = row.premium_sum.checked_div(i128::from(row.premium_count)).unwrap_or(0);
                let average = i64::try_from(average).ok().and_then(Rate::new).unwrap_or(Rate::ZERO);
                let how = format!("average premium + clamp(interest − average premium, ±clamp), {bounds}");
                let samples = format!("of {} samples, toward zero", row.premium_count);
                let (interest, clamp) = (percent(rule.interest), percent(rule.clamp));
                Step::new("rate", percent(funding_rate(average, rule)), how).of([
                    Step::new("average premium", percent(average), samples),
                    Step::new("interest", interest, "per interval"),
                    Step::new("clamp", clamp, "half-width of the band round the interest"),
                ])
            }
        };
        let step = self.by(step, Rule::Funding, Some(market), None);
        let who = if rate.is_negative() { "shorts pay longs" } else { "longs pay shorts" };
        let moved = funding_index_step(row.contract(), mark, rate);
        let how = format!(
            "index {} before + step, 1e-25 of the settlement asset per 1e-8 contract; {who}",
            row.funding_index
        );
        work.step(step);
        let one = Step::new("step", moved.unwrap_or(0), step_how(row.params.contract, mark, rate));
        work.step(Step::new("index", row.funding_index + moved.unwrap_or(0), how).of([one]));
        work.equal("rate", explained, rate, percent);
        work.equal("mark", row.mark, mark, price);
        work.equal("cumulative", row.funding_index + moved.unwrap_or(0), cumulative, |n| n.to_string());
    }

    fn settled(&mut self, account: AccountId, position: PositionId, amount: Money, residue: i128, work: &mut Work) {
        let state = self.state;
        let row = state.market(position.market);
        let Some(held) = state.account(account).exposure(position) else { return };
        let delta = row.funding_index - held.funding;
        let Some(payment) = funding_payment(held.size, delta) else { return };
        let side = if held.size.is_negative() { "short" } else { "long" };
        let who = if payment.amount.is_negative() { "the account pays" } else { "the account is paid" };
        let how = format!("−size × index moved × 1e-25 ÷ 1e-8, rounded down: {who}");
        let since = self.since(position.market, held.funding);
        let whole = since.is_some();
        let parts: Vec<Step> = since.unwrap_or_default().iter().map(|p| posting(row.params.contract, p)).collect();
        let how_moved = if whole {
            "Σ steps posted since the position was last settled; 1e-25 of the settlement asset per 1e-8 contract"
        } else {
            "since the position was last settled, before the contract was split; 1e-25 of the settlement asset per 1e-8 contract"
        };
        let sum: i128 = self.since(position.market, held.funding).unwrap_or_default().iter().map(|p| p.step).sum();
        let step = Step::new("amount", money(payment.amount), how).of([
            Step::new("size", held.size, format!("{side}, before the event")),
            Step::new("index moved", delta, how_moved).of(parts),
            Step::new("residue", payment.residue, "exact − amount, 1e-25: to the rounding account"),
        ]);
        let step = self.by(step, Rule::Funding, Some(position.market), None);
        work.step(step);
        work.equal("amount", payment.amount, amount, money);
        work.equal("residue", payment.residue, residue, |n| n.to_string());
        if whole {
            work.equal("index moved", sum, delta, |n| n.to_string());
        }
    }

    /// The postings after the one at which the index stood at a position's checkpoint; `None` where that was in another unit.
    fn since(&self, market: MarketId, checkpoint: i128) -> Option<Vec<Posting>> {
        let postings = self.memory.postings.get(&market)?;
        let at = postings.iter().rposition(|row| row.cumulative == checkpoint).map(|at| at + 1);
        let first = postings.first().filter(|row| row.cumulative - row.step == checkpoint).map(|_| 0);
        at.or(first).and_then(|at| postings.get(at..)).map(<[Posting]>::to_vec)
    }
}

fn step_how(contract: Contract, mark: Price, rate: Rate) -> String {
    match contract {
        Contract::Linear => format!("mark {} × rate {}", price(mark), percent(rate)),
        Contract::Inverse { face } => {
            format!("face {face} × rate {} ÷ mark {}, toward zero", percent(rate), price(mark))
        }
    }
}

fn posting(contract: Contract, row: &Posting) -> Step {
    Step::new(format!("step of {}", row.at), row.step, step_how(contract, row.mark, row.rate))
}
