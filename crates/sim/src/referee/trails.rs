//! Trailing orders, one by one: each has the best price of its own, moved by every price that it may believe.

use super::Referee;
use super::mismatch::{Verdict, holds, same};
use super::model::{Order, Place};
use super::num::{Dir, RATE, div};
use engine::{Callback, Event, MarketId, MarketStatus, OrderId, State, Trigger, TriggerBy, TriggerWhen, limits};

/// The trigger of an order that trails and is active.
fn active(order: &Order) -> Option<(Trigger, Callback)> {
    let trigger = order.trigger.filter(|t| order.place == Place::Parked && t.price.units() == 0)?;
    Some((trigger, trigger.trail?))
}

/// The level of a distance behind a best price, to the last unit that has reached it.
fn level(when: TriggerWhen, extreme: i128, callback: Callback) -> i128 {
    let (rate, distance) = match callback {
        Callback::Rate(rate) => (i128::from(rate.units()), 0),
        Callback::Distance(price) => (0, i128::from(price.units())),
    };
    match when {
        TriggerWhen::AtOrBelow => div(extreme * (RATE - rate), RATE, Dir::Down) - distance,
        TriggerWhen::AtOrAbove => div(extreme * (RATE + rate), RATE, Dir::Up) + distance,
    }
}

impl Referee {
    /// The price that triggers follow, where it may be believed: a mark or index with quorum, a last near the mark where the
    /// market asks for that.
    fn believed(&self, market: MarketId, by: TriggerBy) -> Option<i128> {
        let row = self.model.market(market);
        let (last, mark, near) = (row.last, row.mark, row.params.trigger_protect);
        let usable = self.is_priced(market) && mark > 0;
        let (price, believed) = match by {
            TriggerBy::Mark => (mark, usable),
            TriggerBy::Index => (self.model.indices[row.params.index.index()].price, usable),
            TriggerBy::Last => (last, near == 0 || (usable && (last - mark).abs() * RATE <= mark * near)),
        };
        Some(price).filter(|price| believed && *price > 0)
    }

    /// Whether the price that an order waits for is there and believed; a trailing one that is not active waits for the price
    /// that activates it, which comes from the other side.
    fn reaches(&self, order: &Order) -> bool {
        let Some(trigger) = order.trigger else { return false };
        let Some(price) = self.believed(order.market, trigger.by) else { return false };
        let fixed = i128::from(trigger.price.units());
        let (below, at) = match (active(order), trigger.trail) {
            (Some((_, callback)), _) => match order.extreme {
                Some(extreme) => (trigger.when == TriggerWhen::AtOrBelow, level(trigger.when, extreme, callback)),
                None => return false,
            },
            (None, Some(_)) => (trigger.when == TriggerWhen::AtOrAbove, fixed),
            (None, None) => (trigger.when == TriggerWhen::AtOrBelow, fixed),
        };
        if below { price <= at } else { price >= at }
    }

    pub(super) fn trigger_reached(&self, order: &Order) -> Verdict {
        let mark = self.model.market(order.market).mark;
        holds("triggers", self.reaches(order), || format!("{order:?} is reached, mark {mark}"))
    }

    /// A trailing order begins at the price of the moment, which it may believe, within its range.
    pub(super) fn trail_begins(&mut self, id: OrderId, activated: bool) -> Verdict {
        let order = self.open(id)?;
        let Some((trigger, callback)) = active(&order) else { return Ok(()) };
        let price = self.believed(order.market, trigger.by);
        holds("trailing", price.is_some(), || format!("{id:?} begins at a price that is believed"))?;
        let price = price.unwrap_or(0);
        let (far, of) = match callback {
            Callback::Rate(rate) => (i128::from(rate.units()), RATE),
            Callback::Distance(distance) => (i128::from(distance.units()), price),
        };
        let good = activated || (far * 10_000 >= of && far * 2 <= of);
        holds("trailing", good, || format!("{id:?} stays 0.01 % to 50 % behind {price}"))?;
        self.trailing = true;
        if let Some(order) = self.model.orders.get_mut(&id) {
            order.extreme = Some(price);
        }
        Ok(())
    }

    /// A price of a market moved: each trailing order of it that sees a better one remembers that.
    pub(super) fn trails_follow(&mut self, market: MarketId) {
        self.moving.remove(&market);
        if !self.trailing {
            return;
        }
        let prices = [TriggerBy::Mark, TriggerBy::Last, TriggerBy::Index].map(|by| (by, self.believed(market, by)));
        let over = self.model.market(market).over();
        for order in self.model.orders.values_mut().filter(|o| o.market == market && !over) {
            let Some((trigger, _)) = active(order) else { continue };
            let price = prices.iter().find(|(by, _)| *by == trigger.by).and_then(|(_, price)| *price);
            order.extreme = match (order.extreme, price, trigger.when) {
                (Some(old), Some(new), TriggerWhen::AtOrBelow) => Some(old.max(new)),
                (Some(old), Some(new), TriggerWhen::AtOrAbove) => Some(old.min(new)),
                (old, ..) => old,
            };
        }
    }

    /// Before an event: markets whose index moved and whose mark did not follow are looked at once no more prices come.
    pub(super) fn prices_came(&mut self, event: &Event) {
        let more = matches!(
            event,
            Event::QuoteTaken { .. }
                | Event::IndexSet { .. }
                | Event::IndexRestored { .. }
                | Event::Launched { .. }
                | Event::MarkSet { .. }
                | Event::ExtremeMoved { .. }
        );
        if !more {
            self.no_more_prices();
        }
    }

    pub(super) fn no_more_prices(&mut self) {
        for market in self.moving.clone() {
            self.trails_follow(market);
        }
    }

    /// After an event: which trailing orders it moved.
    pub(super) fn trails_after(&mut self, event: &Event) -> Verdict {
        match *event {
            Event::IndexSet { index, .. } => {
                let markets = (0..self.model.markets.len()).map(MarketId::at);
                let of_it = markets.filter(|m| self.model.market(*m).params.index == index);
                self.moving.extend(of_it.collect::<Vec<_>>());
            }
            Event::MarkSet { market, .. } | Event::Filled { market, .. } => self.trails_follow(market),
            Event::OrderTriggered { .. } => self.fired += 1,
            Event::ExtremeMoved { market, by, when, extreme } => {
                self.trails_follow(market);
                let told = Some(i128::from(extreme.units()));
                same("trailing", || format!("best {by:?} of market {market}"), self.believed(market, by), told)?;
                let mut of_it = self.model.orders.values().filter(|o| o.market == market && o.extreme == told);
                let any = of_it.any(|o| active(o).is_some_and(|(t, _)| (t.by, t.when) == (by, when)));
                holds("trailing", any, || format!("somebody in {market} follows {by:?} to {extreme}"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The engine's level of each waiting order.
    pub(super) fn compare_level(&self, state: &State, id: OrderId, order: &Order) -> Verdict {
        let Some(trigger) = order.trigger.filter(|_| order.place == Place::Parked) else { return Ok(()) };
        let ours = match (active(order), trigger.trail) {
            (Some((_, callback)), _) => order.extreme.map(|extreme| level(trigger.when, extreme, callback)),
            (None, Some(_)) => None,
            (None, None) => Some(i128::from(trigger.price.units())),
        };
        let theirs = state.market(order.market).book.level_of(id, &trigger).map(|price| i128::from(price.units()));
        same("trailing", || format!("level of {id:?}"), ours, theirs)
    }

    /// When a command that brought prices is over, no trailing order is left that they reach.
    pub(super) fn trails_kept(&self) -> Verdict {
        let open = |o: &Order| self.model.market(o.market).status == MarketStatus::Open;
        let late = self.model.orders.iter().find(|(_, o)| active(o).is_some() && open(o) && self.reaches(o));
        let late = late.filter(|_| self.fired < limits::TRIGGERS_PER_COMMAND);
        holds("trailing", late.is_none(), || format!("{late:?} fires"))
    }
}
