//! What is compared: two values, a journal with what was told, a journal with the referee.

use crate::referee::Judge;
use engine::{Account, AccountId, Basis, Command, Engine, Exposure, MarketStatus, Stage, State};
use journal::{FaultyDisk, Reader};
use node::{Follower, Outcome, Refusal, RequestId};
use std::collections::BTreeMap;
use std::fmt::Debug;
use units::Time;

/// Both, or which promise is broken.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} differs")) }
}

/// Those in liquidation of whom something can be closed, and who have not come to an end without means.
pub(super) fn waiting(state: &State) -> Vec<AccountId> {
    let unpaid = unpaid(state);
    let closable = |id: &AccountId| state.account(*id).exposures.iter().any(|e| can_close(state, e));
    state.liquidating.iter().copied().filter(|id| closable(id) && !unpaid.contains(id)).collect()
}

/// Contracts of everyone in liquidation, 1e-8.
pub(super) fn contracts(state: &State) -> u128 {
    let exposures = state.liquidating.iter().flat_map(|id| &state.account(*id).exposures);
    exposures.map(|e| u128::from(e.size.units().unsigned_abs())).sum()
}

/// A position in a market that is open to the ladder, at a price that can be used.
fn can_close(state: &State, e: &Exposure) -> bool {
    let market = state.market(e.market);
    let shut = market.status == MarketStatus::Halted || market.is_over();
    let usable = market.mark.is_positive() && state.index(market.params.index).is_usable(state.now);
    !e.size.is_zero() && !shut && usable
}

/// Those who have come to deleveraging and find nobody who could close them: they owe more than they have, no fund pays, and
/// every winner would fall below a line itself; or all of the other side is in liquidation too, wherever something can be closed. Their deficit stays until
/// someone has the means.
pub(super) fn unpaid(state: &State) -> Vec<AccountId> {
    let stands = |e: &Exposure| {
        let other = |(at, account): (usize, &Account)| {
            let against = |mine: &Exposure| mine.size.signum() * e.size.signum() < 0;
            !state.liquidating.contains(&AccountId::at(at)) && account.exposures_in(e.market).any(against)
        };
        can_close(state, e) && state.accounts.iter().enumerate().any(other)
    };
    let without_means = |id: &AccountId| {
        let account = state.account(*id);
        let last = account.liquidation.is_some_and(|l| l.stage == Stage::Deleverage);
        last && (state.terms_at(*id, Basis::Bare).equity.is_negative() || !account.exposures.iter().any(stands))
    };
    state.liquidating.iter().copied().filter(without_means).collect()
}

/// Everything that was told is there once, in its place, with its answer; and the engine that all of it leads to.
pub(super) fn from_genesis(disk: &FaultyDisk, told: &BTreeMap<RequestId, (u64, Outcome)>) -> Result<Follower, String> {
    let mut follower = Follower::new();
    let mut seen: BTreeMap<RequestId, u64> = BTreeMap::new();
    let mut wrong = None;
    let mut reader = Reader::first(disk).map_err(|error| error.to_string())?;
    let mut clock = Time::from_ns(i64::MIN);
    while let Some(batch) = reader.next_batch(disk).map_err(|error| error.to_string())? {
        let mut see = |step: node::Step<'_>| {
            if step.line.time < clock {
                wrong = Some(format!("the clock goes back at sequence {}", step.sequence));
            }
            clock = step.line.time;
            let Some(id) = step.line.id else { return };
            if let Some(first) = seen.insert(id, step.sequence) {
                wrong = Some(format!("I-27: {id:?} is there twice, at {first} and {}", step.sequence));
            }
            let answer = step.answer.clone().map_err(Refusal::Rejected);
            let differs = |(sequence, outcome): &&(u64, Outcome)| (*sequence, outcome) != (step.sequence, &answer);
            if let Some(before) = told.get(&id).filter(differs) {
                wrong = Some(format!("I-33: {id:?} was told {before:?}, the journal has {} {answer:?}", step.sequence));
            }
        };
        follower.apply(&batch, &mut see).map_err(|error| format!("I-26: {error}"))?;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
    }
    match told.keys().find(|id| !seen.contains_key(id)) {
        Some(lost) => Err(format!("I-27: {lost:?} was answered and is not there")),
        None => Ok(follower),
    }
}

/// The referee judges every command of a journal; how many.
pub(super) fn judge(disk: &FaultyDisk) -> Result<u64, String> {
    let mut judge = Judge::new();
    let mut judged = 0;
    let mut reader = Reader::first(disk).map_err(|error| error.to_string())?;
    let mut follower = Follower::new();
    let mut verdict = Ok(());
    while let Some(batch) = reader.next_batch(disk).map_err(|error| error.to_string())? {
        let mut see = |step: node::Step<'_>| {
            if verdict.is_ok() {
                let command: &Command = &step.line.command;
                verdict = judge.apply(step.line.time, command).map(|_| ()).map_err(|m| m.to_string());
                judged += 1;
            }
        };
        follower.apply(&batch, &mut see).map_err(|error| error.to_string())?;
        verdict.clone()?;
    }
    let ours: &Engine = judge.engine();
    same("I-26: state of the referee's engine", ours.state_digest(), follower.engine().state_digest())?;
    Ok(judged)
}
