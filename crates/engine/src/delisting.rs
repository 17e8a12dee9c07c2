//! An asset that is no collateral any more: announced, deposits end, its haircut steps down by the clock to nothing. What is
//! left stays in the wallets: it can leave or be sold by the ladder, and counts nothing.

use crate::apply::Definition;
use crate::output::Output;
use crate::params::HaircutStep;
use crate::{Answer, AssetId, Event, MarketStatus, Reject, limits};
use alloc::vec::Vec;

/// Announces it, or moves an announcement that has not begun.
pub(crate) fn schedule(out: &mut Output<'_>, asset: AssetId, steps: &[HaircutStep]) -> Result<Answer, Reject> {
    let state = out.state();
    let params = &state.find_asset(asset)?.params;
    let used = state.markets.iter().any(|m| m.params.settlement == asset && m.status != MarketStatus::Settled);
    if used || params.index.is_none() {
        return Err(Reject::AssetInUse { asset });
    }
    if state.delistings.get(&asset).is_some_and(|(_, begun)| *begun) {
        return Err(Reject::AssetDelisting { asset });
    }
    let first = steps.first().ok_or(Reject::DelistingSteps { haircut: params.haircut })?;
    if first.at <= state.now {
        return Err(Reject::ScheduleInPast { asked: first.at, now: state.now });
    }
    let in_order = steps.windows(2).all(|w| matches!(w, [a, b] if a.at < b.at && a.haircut > b.haircut));
    let ends = steps.last().is_some_and(|last| last.haircut.units() == 0);
    if steps.len() > limits::DELISTING_STEPS_MAX || !in_order || !ends || first.haircut >= params.haircut {
        return Err(Reject::DelistingSteps { haircut: params.haircut });
    }
    out.define(Event::DelistingScheduled { asset }, Definition::Delisting(steps));
    Ok(Answer::Done)
}

/// Takes it back before its first step.
pub(crate) fn cancel(out: &mut Output<'_>, asset: AssetId) -> Result<Answer, Reject> {
    out.state().find_asset(asset)?;
    if out.state().delistings.get(&asset).is_none_or(|(_, begun)| *begun) {
        return Err(Reject::NoDelisting { asset });
    }
    out.emit(Event::DelistingCancelled { asset });
    Ok(Answer::Done)
}

/// Steps whose time has come, every one of them.
pub(crate) fn due(out: &mut Output<'_>) {
    let (state, now) = (out.state(), out.state().now);
    let rows = state.delistings.iter().flat_map(|(asset, (steps, _))| steps.iter().map(|step| (*asset, *step)));
    let due: Vec<(AssetId, HaircutStep)> = rows.filter(|(_, step)| step.at <= now).collect();
    for (asset, step) in due {
        out.emit(Event::HaircutStepped { asset, haircut: step.haircut });
    }
}
