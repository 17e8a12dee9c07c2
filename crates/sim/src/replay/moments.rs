//! Everyone at one moment: how far the population is from its line, and at which prices how much would be closed. Three
//! looks a run: after the first price, at the low, after the last price.
//!
//! A shock map moves all marks at once, by the engine's triggers (docs/map.md). A liquidation map asks the engine for each position's own liquidation price: this market's mark moves, every other
//! price, position and order stays. So it says one market at a time, and nothing of what closing would do to the price.

use super::report::per_base_unit;
use super::schedule::Schedule;
use super::tally::Tally;
use super::venue::{Listed, Venue};
use engine::{AccountId, AccountKind, Engine, Moved, PositionView, Shock, Side, State};
use rules::{LiquidationPrice, LiquidationPrices};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use units::{Money, Price, Rate, Round, Time, mul_div};

/// Width of a step of the map: a share of the mark.
pub const MAP_STEP: Rate = Rate::bps(200);
/// Steps of the map on each side of the mark; what is farther away is told in sum.
pub const MAP_STEPS: i64 = 45;
/// Steps of the margin ratio below one.
const RATIO_STEPS: i64 = 10;

/// The population at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// `before`, `low` or `after`.
    pub when: &'static str,
    /// The moment.
    #[serde(serialize_with = "time")]
    pub at: Time,
    /// Subaccounts with positions, by maintenance ÷ equity, in tenths; the last: one or more, or no equity left.
    pub bins: Vec<RatioBin>,
    /// Accounts of the population without any position, isolated ones included.
    pub without_position: u64,
}

/// Subaccounts whose margin ratio is in one tenth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RatioBin {
    /// Least margin ratio.
    pub from: Rate,
    /// Subaccounts: cross accounts and isolated positions.
    pub subaccounts: u64,
    /// Σ |size| × mark of their positions.
    pub notional: Money,
}

/// The liquidation maps of one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarketMaps {
    /// Name on the exchange.
    pub symbol: String,
    /// Before, at the market's own low, and after.
    pub maps: Vec<LiquidationMap>,
}

/// How much would be closed at which price, at one moment. Amounts are whole positions at the mark of the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiquidationMap {
    /// `before`, `low` or `after`.
    pub when: &'static str,
    /// The moment.
    #[serde(serialize_with = "time")]
    pub at: Time,
    /// The mark then, per base unit.
    pub mark: String,
    /// Steps with anything in them, from the lowest price.
    pub steps: Vec<MapStep>,
    /// Longs whose price is farther away than the map, or nowhere.
    pub far_long: Money,
    /// Shorts whose price is farther away than the map, or nowhere.
    pub far_short: Money,
    /// Positions of accounts that are below their line already.
    pub below_line: Money,
}

/// One step of the map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MapStep {
    /// Distance of its lower end from the mark, share of the mark.
    pub from: Rate,
    /// Distance of its upper end.
    pub to: Rate,
    /// Its lower price, per base unit.
    pub price_from: String,
    /// Its upper price, per base unit.
    pub price_to: String,
    /// Longs.
    pub long: Money,
    /// Shorts.
    pub short: Money,
}

/// How much would be closed were all marks to move by the same share, with the collateral on their indices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShockMap {
    /// `before`, `low` or `after`.
    pub when: &'static str,
    /// The moment.
    #[serde(serialize_with = "time")]
    pub at: Time,
    /// Steps with anything in them, from the lowest prices; the one of 0 is below its line already.
    pub steps: Vec<ShockStep>,
    /// Subaccounts of the venue.
    pub accounts: u64,
    /// Those of the population that were asked.
    pub candidates: u64,
    /// How often.
    pub evaluated: u64,
}

/// One step of a shock map. Amounts are whole positions at the marks of the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShockStep {
    /// How far the prices have moved, share of those of the moment.
    pub moved: Rate,
    /// Who is below the line there, and not at any step before it.
    pub subaccounts: u64,
    /// Their longs.
    pub long: Money,
    /// Their shorts.
    pub short: Money,
}

fn time<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// Looks at the moments of a run.
pub struct Moments {
    lead: usize,
    lows: Vec<u64>,
    last: u64,
    /// Of the venue: before, at the low of the market with the largest turnover, after.
    pub distributions: Vec<Distribution>,
    /// Of each market: before, at its own low, after.
    pub maps: Vec<MarketMaps>,
    /// Of all markets at once, at the moments of the distributions.
    pub shocks: Vec<ShockMap>,
}

impl Moments {
    /// The first step with the lowest price of the path is known before the run; a feedback may put the index lower elsewhere.
    #[must_use]
    pub fn new(schedule: &Schedule<'_>, lead: usize, venue: &Venue) -> Self {
        let mut lows: Vec<(Price, u64)> = schedule.prices(0).into_iter().map(|price| (price, 0)).collect();
        for step in 1..=schedule.steps {
            for (low, price) in lows.iter_mut().zip(schedule.prices(step)) {
                if price < low.0 {
                    *low = (price, step);
                }
            }
        }
        let maps = venue.markets.iter().map(|l| MarketMaps { symbol: l.spec.symbol.clone(), maps: Vec::new() });
        let lows = lows.into_iter().map(|(_, step)| step).collect();
        Self { lead, lows, last: schedule.steps, distributions: Vec::new(), maps: maps.collect(), shocks: Vec::new() }
    }

    /// After a step.
    pub fn step(&mut self, step: u64, at: Time, engine: &Engine, tally: &Tally, venue: &Venue) {
        for (when, wanted) in [("before", Some(0)), ("low", None), ("after", Some(self.last))] {
            let is_now = |low: u64| wanted.unwrap_or(low) == step;
            if self.lows.get(self.lead).is_some_and(|low| is_now(*low)) {
                self.distributions.push(distribution(when, at, engine.state(), tally.population_from));
                self.shocks.extend(shock(when, at, engine, tally.population_from));
            }
            let markets: Vec<usize> = (0..self.lows.len()).filter(|m| is_now(self.lows[*m])).collect();
            if markets.is_empty() {
                continue;
            }
            let mut drawn = maps(&markets, venue, engine, tally.population_from).into_iter();
            for market in markets {
                if let (Some(maps), Some(map), Some(listed)) =
                    (self.maps.get_mut(market), drawn.next(), venue.markets.get(market))
                {
                    maps.maps.push(map.finish(when, at, listed, engine.state()));
                }
            }
        }
    }
}

fn shock(when: &'static str, at: Time, engine: &Engine, from: AccountId) -> Option<ShockMap> {
    let steps = u16::try_from(MAP_STEPS).ok()?;
    let of = |id| engine.state().parent_of(id) >= from;
    let map = engine.liquidation_map(&Shock::new(Moved::All, MAP_STEP, steps, steps)?, &of).ok()?;
    let step = |step: &engine::MapStep| {
        let sum = |side| step.rows.iter().filter(|row| row.side == side).map(|row| row.notional).sum();
        let subaccounts = u64::try_from(step.accounts.len()).unwrap_or(u64::MAX);
        ShockStep { moved: step.moved, subaccounts, long: sum(Side::Buy), short: sum(Side::Sell) }
    };
    let (accounts, candidates, evaluated) = (map.accounts, map.candidates, map.evaluated);
    Some(ShockMap { when, at, steps: map.steps.iter().map(step).collect(), accounts, candidates, evaluated })
}

fn population(state: &State, from: AccountId) -> impl Iterator<Item = AccountId> + '_ {
    let ids = (from.index()..state.accounts.len()).map(AccountId::at);
    ids.filter(move |id| state.account(*id).kind != AccountKind::Fund && state.parent_of(*id) >= from)
}

fn distribution(when: &'static str, at: Time, state: &State, from: AccountId) -> Distribution {
    let tenth = |n: i64| Rate::new(n * Rate::ONE.units() / RATIO_STEPS).unwrap_or(Rate::ZERO);
    let mut bins: Vec<RatioBin> =
        (0..=RATIO_STEPS).map(|n| RatioBin { from: tenth(n), ..RatioBin::default() }).collect();
    let mut without_position = 0;
    for id in population(state, from) {
        let account = state.account(id);
        if !account.has_position() {
            let is_child = |e: &engine::Exposure| e.child.is_some_and(|c| state.account(c).has_position());
            let owns_none = account.kind == AccountKind::Trading && !account.exposures.iter().any(is_child);
            without_position += u64::from(owns_none);
            continue;
        }
        let terms = state.terms(id);
        let place = mul_div(terms.maintenance.units(), i128::from(RATIO_STEPS), terms.equity.units(), Round::Down);
        let place = place.filter(|_| terms.equity.is_positive()).unwrap_or(i128::MAX).min(i128::from(RATIO_STEPS));
        if let Some(bin) = usize::try_from(place).ok().and_then(|place| bins.get_mut(place)) {
            bin.subaccounts += 1;
            bin.notional += terms.notional;
        }
    }
    Distribution { when, at, bins, without_position }
}

/// A map while it is drawn: steps by number, 0 from the mark to one step above it.
#[derive(Default)]
struct Draft {
    steps: BTreeMap<i64, (Money, Money)>,
    far: (Money, Money),
    below: Money,
}

/// The maps of some markets in one look at everyone.
fn maps(markets: &[usize], venue: &Venue, engine: &Engine, from: AccountId) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = markets.iter().map(|_| Draft::default()).collect();
    let wanted: Vec<_> = markets.iter().filter_map(|m| venue.markets.get(*m)).map(|l| l.market).collect();
    let state = engine.state();
    for id in population(state, from) {
        let account = state.account(id);
        let held = |e: &engine::Exposure| !e.size.is_zero() && wanted.contains(&e.market);
        if !account.exposures.iter().any(held) {
            continue;
        }
        let positions = engine.positions(id);
        for position in positions.iter().filter(|p| p.holder == id) {
            let place = wanted.iter().position(|m| *m == position.market);
            if let Some(draft) = place.and_then(|at| drafts.get_mut(at)) {
                draft.add(position);
            }
        }
    }
    drafts
}

impl Draft {
    fn add(&mut self, position: &PositionView) {
        let LiquidationPrices { below, above } = position.liquidation_price;
        let mark = position.mark_price;
        let is_long = position.size.is_positive();
        let slot = |pair: &mut (Money, Money)| {
            let side = if is_long { &mut pair.0 } else { &mut pair.1 };
            *side += position.notional;
        };
        let nearest = match (below, above) {
            (LiquidationPrice::AlreadyBelow, _) | (_, LiquidationPrice::AlreadyBelow) => {
                self.below += position.notional;
                return;
            }
            (LiquidationPrice::At(low), LiquidationPrice::At(high)) => {
                Some(if low.distance(mark) <= high.distance(mark) { low } else { high })
            }
            (LiquidationPrice::At(price), LiquidationPrice::None)
            | (LiquidationPrice::None, LiquidationPrice::At(price)) => Some(price),
            (LiquidationPrice::None, LiquidationPrice::None) => None,
        };
        match nearest.and_then(|price| step_of(price, mark)) {
            Some(step) => slot(self.steps.entry(step).or_default()),
            None => slot(&mut self.far),
        }
    }

    fn finish(self, when: &'static str, at: Time, listed: &Listed, state: &State) -> LiquidationMap {
        let mark = state.market(listed.market).mark;
        let steps = self.steps.into_iter().map(|(step, (long, short))| {
            let end = |n: i64| Rate::new(n * MAP_STEP.units()).unwrap_or(Rate::ZERO);
            let price =
                |rate: Rate| mark.scale(rate, Round::Down).map_or_else(String::new, |p| per_base_unit(p, listed.power));
            let (from, to) = (end(step), end(step + 1));
            MapStep { from, to, price_from: price(from), price_to: price(to), long, short }
        });
        LiquidationMap {
            when,
            at,
            mark: per_base_unit(mark, listed.power),
            steps: steps.collect(),
            far_long: self.far.0,
            far_short: self.far.1,
            below_line: self.below,
        }
    }
}

/// The step of the map in which a price lies; none outside it. A price at the border of two falls into the upper one.
fn step_of(price: Price, mark: Price) -> Option<i64> {
    let distance = i128::from(price.units()) - i128::from(mark.units());
    let step = mul_div(distance, 10_000 / 200, i128::from(mark.units()), Round::Down)?;
    i64::try_from(step).ok().filter(|step| (-MAP_STEPS..MAP_STEPS).contains(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_falls_into_its_step_of_two_hundredths_of_the_mark() {
        let at = |price| step_of(Price::whole(price), Price::whole(1_000));
        assert_eq!(
            [at(1_000), at(1_019), at(1_020), at(999), at(980), at(979)].map(Option::unwrap),
            [0, 0, 1, -1, -1, -2]
        );
        assert_eq!((at(100), at(99), at(1_899), at(1_900)), (Some(-45), None, Some(44), None));
        assert_eq!(MAP_STEP.units() * (10_000 / 200), Rate::ONE.units());
    }
}
