//! Markets before their underlying has a price outside: an index that follows the trades of its one market, and the launch,
//! which brings it over to its sources at a bounded speed. Everything downstream of the index is unchanged.

use crate::bounds::Extremes;
use crate::fault::fault;
use crate::output::Output;
use crate::params::{AdlPrice, IndexParams, Kind, MarketParams, OwnTrades};
use crate::{Answer, Event, Index, IndexId, ParamName, Reject, State, limits, prices};
use alloc::vec::Vec;
use rules::{Contract, OwnAverage, Source, index_price, speed_limit};
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Time};

/// The index of a market that has not been launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreLaunch {
    /// The two averages.
    pub average: OwnAverage,
    /// Σ price × size of the trades that are not in them yet.
    pub value: Money,
    /// Σ of their contracts, 1e-8.
    pub contracts: i128,
    /// It moves to its sources now, and follows trades no more.
    pub launching: bool,
}

/// While nothing outside is asked nothing can be lost: the average stands, and is usable.
const ALWAYS: Time = Time::from_ns(i64::MAX);

impl PreLaunch {
    pub(crate) fn new(own: &OwnTrades) -> Self {
        Self { average: OwnAverage::at(own.first), value: Money::ZERO, contracts: 0, launching: false }
    }

    /// A trade of its market. What does not fit any more is left out.
    pub(crate) fn trade(&mut self, value: Money, contracts: i128) {
        let sums = (self.value.units().checked_add(value.units().abs()), self.contracts.checked_add(contracts.abs()));
        if let ((Some(value), Some(contracts)), false) = (sums, self.launching)
            && value <= limits::TRADED_MAX
        {
            (self.value, self.contracts) = (Money::from_units(value), contracts);
        }
    }
}

/// The first price of a new index.
pub(crate) fn begin(out: &mut Output<'_>, index: IndexId) {
    if let Some(own) = out.state().index(index).params.own {
        out.emit(Event::IndexSet { index, price: own.first, usable_until: ALWAYS });
    }
}

/// Once a second: the trades since, or the next step of a launch.
pub(crate) fn due(out: &mut Output<'_>) {
    for index in (0..out.state().indices.len()).map(IndexId::at) {
        let Some(own) = out.state().index(index).own else { continue };
        if own.launching {
            prices::refresh(out, &[index]);
        } else if own.contracts > 0 {
            average(out, index, &own);
        }
    }
}

fn average(out: &mut Output<'_>, index: IndexId, own: &PreLaunch) {
    let state = out.state();
    let row = state.index(index);
    let Some(OwnTrades { rule, .. }) = row.params.own else { fault("an index before its launch has its rule") };
    let after = own.average.after(own.value, own.contracts, row.params.speed, &rule);
    let price = after.price();
    // Where a sum of the venue would become too large, the average stands.
    let fits = state.quotes_too_far(&Extremes::from([(index, (price, price))])).is_none();
    let average = if fits { after } else { own.average };
    out.emit(Event::OwnTradesAveraged { index, price: average.price, anchor: average.anchor });
    out.emit(Event::IndexSet { index, price: average.price(), usable_until: ALWAYS });
    prices::refresh(out, &[index]);
}

/// Connects the sources: from now on the index moves to what a quorum of them says, no faster than its speed.
pub(crate) fn launch(out: &mut Output<'_>, index: IndexId) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_index(index)?;
    match row.own {
        None => return Err(Reject::NotPreLaunch { index }),
        Some(own) if own.launching => return Err(Reject::AlreadySo),
        Some(_) => {}
    }
    if !outside(row, state.now) {
        return Err(Reject::LaunchWithoutQuorum { index });
    }
    out.emit(Event::LaunchBegan { index });
    prices::refresh(out, &[index]);
    Ok(Answer::Done)
}

/// A quorum of fresh quotes agrees.
fn outside(row: &Index, now: Time) -> bool {
    let quotes = row.sources.iter().zip(&row.params.weights);
    let fresh = quotes.filter_map(|(quote, weight)| {
        let quote = quote.filter(|q| now.since(q.time) <= row.params.stale_ns)?;
        Some(Source { price: quote.price, weight: *weight })
    });
    let sources: Vec<Source> = fresh.collect();
    index_price(&sources, &row.params.rule).is_some_and(|agreed| agreed.quorum)
}

impl Index {
    /// `target` as far as the speed allows; a launch counts a second at most, so that no command moves it by more.
    pub(crate) fn held_back(&self, target: Price, now: Time) -> Price {
        let elapsed = now.since(self.set_at);
        let elapsed = if self.own.is_some() { elapsed.min(Time::SECOND_NS) } else { elapsed };
        speed_limit(target, self.price, self.params.speed, elapsed)
    }
}

/// The rule of an index before its launch, which has neither a fallback nor redemptions.
pub(crate) fn index_is_good(params: &IndexParams) -> bool {
    let Some(OwnTrades { first, rule }) = params.own else { return true };
    let windows = (60..=604_800).contains(&rule.window_s) && rule.anchor_s >= rule.window_s.saturating_mul(4);
    let reach = rule.reach.is_positive() && rule.reach <= Rate::bps(20_000);
    let first = first.is_positive() && first <= limits::TICK_MAX;
    let alone = params.redemption.is_none() && params.last_resort == Default::default();
    let speed = params.speed.is_positive() && params.speed <= Rate::bps(100);
    windows && rule.anchor_s <= 7_776_000 && reach && first && alone && speed
}

/// Only one market follows such an index, a linear perpetual within tight limits. Its winners are paid by its losers alone:
/// the fund takes over nothing, and nobody is closed at a mark that own trades have made.
pub(crate) fn check_market(state: &State, params: &MarketParams) -> Result<(), Reject> {
    let index = params.index;
    if state.find_index(index)?.own.is_none() {
        return Ok(());
    }
    if let Some(market) = state.markets.iter().position(|m| m.params.index == index && m.params.name != params.name) {
        return Err(Reject::PreLaunchIndexTaken { index, market: crate::MarketId::at(market) });
    }
    let g = &params.guards;
    let bands = [params.order_band, g.market_band, g.triggered_band].iter().all(|band| *band <= Rate::bps(2_000));
    let good = params.contract == Contract::Linear
        && params.kind == Kind::Perpetual
        && params.option.is_none()
        && params.realise_every_ns == 0
        && params.liquidation.fund_limit.is_zero()
        && params.liquidation.adl_price == AdlPrice::Bankruptcy
        && bands
        && params.mark_band <= Rate::bps(1_000)
        && g.open_interest_cap.is_positive()
        && params.ladder.cap().is_some_and(|cap| cap <= g.open_interest_cap)
        && params.ladder.least().initial >= Rate::bps(2_000);
    if good { Ok(()) } else { Err(Reject::ParamOutOfRange { name: ParamName::PreLaunch }) }
}

/// Nothing else is valued at an index of own trades.
pub(crate) fn check_use(state: &State, index: Option<IndexId>) -> Result<(), Reject> {
    match index {
        Some(index) if state.find_index(index)?.own.is_some() => Err(Reject::PreLaunchIndex { index }),
        _ => Ok(()),
    }
}

/// What these events do to the state.
pub(crate) fn apply(state: &mut State, event: &Event) {
    match *event {
        Event::OwnTradesAveraged { index, price, anchor } => {
            if let Some(own) = &mut state.index_mut(index).own {
                own.average = OwnAverage { price, anchor };
                (own.value, own.contracts) = (Money::ZERO, 0);
            }
        }
        Event::LaunchBegan { index } => {
            if let Some(own) = &mut state.index_mut(index).own {
                own.launching = true;
            }
        }
        Event::Launched { index } => {
            let row = state.index_mut(index);
            (row.own, row.params.own) = (None, None);
            state.look_at_everyone(); // its gains count from now on
        }
        _ => fault("not an event of a launch"),
    }
}
