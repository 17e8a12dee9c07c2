//! Handing over at the bankruptcy price, and whose turn it was: receipts of auto-deleveraging.

use super::clauses::Rule;
use super::{Memory, Place, Work, money, price};
use engine::params::AdlPolicy;
use engine::{AccountId, Event, Handover, HandoverTerms, MoveReason, PositionId, Side, State};
use rulebooks::Step;
use units::{Money, Rate, Round, Size};

/// The ranking of a market's side, at its first use in the command: a receipt, or nobody to give one.
pub(super) fn rank(memory: &mut Memory, state: &State, event: &Event) {
    let (market, size) = match *event {
        Event::Began { .. } => return memory.rankings.clear(),
        Event::Deleveraged { market, size, .. } | Event::LeftUncovered { market, size, .. } => (market, size),
        _ => return,
    };
    let winners = Side::of(size).opposite();
    memory.rankings.entry((market, winners)).or_insert_with(|| {
        let rows = state.ranking(market, winners).into_iter();
        let with_terms = rows.filter_map(|row| {
            let exposure = state.account(row.account).exposure(market.leg(row.leg))?;
            let (input, terms) = state.adl_terms(row.account, exposure);
            Some((row, input, terms))
        });
        with_terms.collect()
    });
}

/// The position that is handed over from here on.
pub(super) fn remember(memory: &mut Memory, state: &State, event: &Event) {
    let (from, position, size) = match *event {
        Event::Began { .. } => {
            memory.handover = None;
            return;
        }
        Event::TakenOver { from, market, size, leg, .. } => (from, market.leg(leg), size),
        Event::Deleveraged { failing, market, size, leg, .. }
        | Event::LeftUncovered { account: failing, market, size, leg } => (failing, market.leg(leg), size),
        _ => return,
    };
    let known = memory.handover.is_some_and(|(h, _)| (h.from, h.position) == (from, position) && !h.size.is_zero());
    if !known && !size.is_zero() {
        memory.handover = state
            .handover_terms(from, position)
            .map(|terms| (Handover { from, position, size: terms.size, value: terms.value }, terms));
    }
}

/// What an event takes of the handover, or that it is over.
pub(super) fn conclude(memory: &mut Memory, event: &Event) {
    match *event {
        Event::TakenOver { size, .. } | Event::Deleveraged { size, .. } => {
            if let Some((handover, _)) = memory.handover.as_mut() {
                *handover = handover.without(size);
            }
        }
        Event::LeftUncovered { .. } | Event::LiquidationPaused { .. } | Event::LiquidationEnded { .. } => {
            memory.handover = None;
        }
        _ => {}
    }
}

pub(super) fn explain(mut place: Place<'_>, event: &Event, work: &mut Work) {
    match *event {
        Event::Deleveraged { failing, winner, market, size, value, rank, score, leg, policy, .. } => {
            handed_over(&mut place, failing, market.leg(leg), (size, value), Rule::Adl, work);
            let winners = Side::of(size).opposite();
            let rows = place.memory.rankings.get(&(market, winners));
            let Some(rows) = rows else { return };
            let Some((row, input, terms)) = rows.iter().find(|(row, ..)| row.account == winner && row.rank == rank)
            else {
                work.equal("rank", 0, rank, |n| n.to_string());
                return;
            };
            let side = if winners == Side::Buy { "long" } else { "short" };
            let how = format!(
                "place of {} among {} {side} positions, highest score first",
                place.names.of_account(winner),
                rows.len()
            );
            let scored = match policy {
                AdlPolicy::ProRata => Step::new("score", terms.score, "1 for a gain, 0 without: equal shares"),
                _ => place.scored(policy, input, terms),
            };
            let step = Step::new("rank", row.rank, how).of([scored]);
            let step = place.by(step, Rule::Adl, Some(market), None);
            work.step(step);
            work.equal("rank", row.rank, rank, |n| n.to_string());
            work.equal("score", terms.score, score, |n| n.to_string());
            let held = place.state.account(winner).position(market.leg(row.leg)).abs();
            work.at_most(("size", size.abs()), ("what the winner holds", held), |s| s.to_string());
        }
        Event::Moved { to, amount, reason: MoveReason::AdlPrice, .. } => place.difference(to, amount, work),
        _ => {}
    }
}

/// The price at which part of a position is handed over.
pub(super) fn handed_over(
    place: &mut Place<'_>,
    from: AccountId,
    position: PositionId,
    (part, value): (Size, Money),
    rule: Rule,
    work: &mut Work,
) {
    let Some((handover, terms)) = place.memory.handover else { return };
    let explained = handover.value_of(part);
    let row = place.state.market(position.market);
    let round = if part.is_positive() { Round::Down } else { Round::Up };
    let at = row.contract().price_of(explained, part, round).map_or_else(|| "none".to_owned(), price);
    let all = part.abs() == handover.size.abs();
    let how = if all {
        format!("all of what is left: bankruptcy price {at}")
    } else {
        format!(
            "value left {} × {} ÷ size left {}, toward zero: bankruptcy price {at}",
            money(handover.value),
            part.abs(),
            handover.size.abs()
        )
    };
    let whole = place.bankruptcy(from, &terms);
    let step = Step::new("value", money(explained), how).of([whole]);
    let step = place.by(step, rule, Some(position.market), None);
    work.step(step);
    work.equal("value", explained, value, money);
    work.at_most(("size", part.abs()), ("what is uncovered", handover.size.abs()), |s| s.to_string());
}

impl Place<'_> {
    fn bankruptcy(&self, from: AccountId, terms: &HandoverTerms) -> Step {
        let who = self.names.of_account(from);
        let how = format!("worth − share of equity: what all {} of {who} is handed over for", terms.size);
        let share = Step::new(
            "share of equity",
            money(terms.share),
            "equity × maintenance ÷ maintenance of all, in the settlement asset, rounded down",
        )
        .of([
            Step::new("equity", money(terms.equity), "at the mark, collateral without haircuts"),
            Step::new("maintenance", money(terms.maintenance), "of the position"),
            Step::new("maintenance of all", money(terms.maintenance_of_all), "that the account has open"),
        ]);
        Step::new("bankruptcy value", money(terms.value), how)
            .of([Step::new("worth", money(terms.worth), "at the mark, rounded down"), share])
    }

    fn scored(&self, policy: AdlPolicy, input: &rules::AdlInput, terms: &rules::AdlTerms) -> Step {
        let growth = policy == AdlPolicy::GrowthLeverage;
        let gain = if growth { "growth: notional ÷ |cost|, or its inverse" } else { "profit rate: upnl ÷ |cost|" };
        let how = if growth || terms.gain > 0 { "gain × leverage" } else { "gain ÷ leverage" };
        Step::new("score", terms.score, format!("{how}, 1e-9, toward zero")).of([
            Step::new("gain", ninth(terms.gain), gain)
                .of([Step::new("upnl", money(input.upnl), "at the mark"), Step::new("cost", money(input.cost), "")]),
            Step::new("leverage", ninth(terms.leverage), "notional ÷ equity, toward zero").of([
                Step::new("notional", money(input.notional), "|size| at the mark"),
                Step::new("equity", money(input.equity), "without haircuts, in the settlement asset"),
            ]),
        ])
    }

    /// What the fund paid a winner so that it was closed at the mark.
    fn difference(&mut self, to: AccountId, amount: Money, work: &mut Work) {
        let Some(Event::Deleveraged { market, size, value, winner, .. }) = self.memory.receipt else { return };
        let row = self.state.market(market);
        let Some(worth) = row.contract().value(row.mark, size, Round::Down) else { return };
        let asked = value - worth;
        let step = Step::new(
            "difference",
            money(asked),
            "value of the receipt − worth at the mark, as far as fund and reserve can",
        )
        .of([
            Step::new("value", money(value), "of the receipt"),
            Step::new("worth", money(worth), format!("{size} at mark {}, rounded down", price(row.mark))),
        ]);
        let step = self.by(step, Rule::Adl, Some(market), None);
        work.step(step);
        work.equal("to", self.names.of_account(winner).as_str(), self.names.of_account(to).as_str(), str::to_owned);
        work.at_most(("amount", amount), ("the difference", asked), money);
    }
}

/// 1e-9 as a decimal.
fn ninth(units: i128) -> String {
    i64::try_from(units).ok().and_then(Rate::new).map_or_else(|| format!("{units} × 1e-9"), |rate| rate.to_string())
}
