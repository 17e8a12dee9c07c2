//! Trailing orders: a trigger that follows the best price since it became active. Nobody is looked at one by one: orders
//! that have seen the same best price are a group, and only the first of a group stand in the ladder of triggers.

use crate::fault::fault;
use crate::output::Output;
use crate::{Book, Event, MarketId, OrderId, Reject, State, Trigger, TriggerBy, TriggerWhen};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use rules::Callback;
use serde::{Deserialize, Serialize};
use units::Price;

/// What waiting orders follow, and from which side they are reached.
type Followed = (TriggerBy, TriggerWhen);
/// Waiting orders by level.
type Ladder = BTreeSet<(Price, OrderId)>;

/// Orders of one kind of trigger, the nearest distance first, of one distance the oldest.
type Run = BTreeSet<(Callback, OrderId)>;

/// The active trailing orders of one market that follow one price from one side.
///
/// Orders become active in the order of their ids, and whoever is active longer has seen every price that a younger one has:
/// so those with one best price have ids in a row, and the youngest have the one that is nearest to the present price.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trail {
    /// Orders that became active at one best price, by an id that is not above theirs and above those of the run before.
    runs: BTreeMap<OrderId, Run>,
    /// Runs that have the same best price by now, by the id of the first of them.
    groups: BTreeMap<OrderId, Group>,
}

/// Orders that have seen the same best price.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// That price: the highest of those that are reached from above, the lowest of the others.
    extreme: Price,
    /// The nearest of each of its runs.
    nearest: Run,
}

/// The first of each kind of distance; which of the two is nearer depends on the best price.
fn nearest(run: &Run) -> impl Iterator<Item = &(Callback, OrderId)> {
    let rate = run.first().filter(|(callback, _)| matches!(callback, Callback::Rate(_)));
    let distance = run.range((Callback::Distance(Price::ZERO), OrderId(0))..).next();
    [rate, distance].into_iter().flatten()
}

impl Group {
    /// The next to fire of each kind of distance, with the level.
    fn first(&self, when: TriggerWhen) -> impl Iterator<Item = (Price, OrderId)> {
        nearest(&self.nearest).map(move |(callback, id)| (level(when, self.extreme, *callback), *id))
    }

    /// Takes in another one. What moves is in a set of at least twice the size afterwards.
    fn absorb(&mut self, mut other: Self) {
        if other.nearest.len() > self.nearest.len() {
            core::mem::swap(&mut self.nearest, &mut other.nearest);
        }
        self.nearest.extend(other.nearest);
    }
}

impl Trail {
    /// Changes the run that an id belongs to, and what stands for it in its group and in the ladder.
    fn change(&mut self, when: TriggerWhen, ladder: &mut Ladder, id: OrderId, edit: impl FnOnce(&mut Run)) {
        let of = self.runs.range_mut(..=id).next_back().zip(self.groups.range_mut(..=id).next_back());
        let Some(((run_id, run), (group_id, group))) = of else {
            fault("a trailing order is in a run and a group");
        };
        let (run_id, group_id) = (*run_id, *group_id);
        group.first(when).for_each(|first| _ = ladder.remove(&first));
        nearest(run).for_each(|near| _ = group.nearest.remove(near));
        edit(run);
        group.nearest.extend(nearest(run));
        ladder.extend(group.first(when));
        if run.is_empty() {
            self.runs.remove(&run_id);
        }
        if group.nearest.is_empty() {
            self.groups.remove(&group_id);
        }
    }
}

/// Where a distance behind a best price is. It fits: it did at the price that the order started from, which was worse or
/// the same.
fn level(when: TriggerWhen, extreme: Price, callback: Callback) -> Price {
    let level = match when {
        TriggerWhen::AtOrBelow => callback.below(extreme),
        TriggerWhen::AtOrAbove => callback.above(extreme),
    };
    match level {
        Some(level) => level,
        None => fault("the level of a trailing order fits"),
    }
}

impl TriggerWhen {
    /// Whether a price is at least as good as the best one so far, for who is reached from this side when it turns.
    fn extends(self, price: Price, extreme: Price) -> bool {
        self.opposite().reached(price, extreme)
    }
}

impl Book {
    /// Takes in a waiting order; `price` is that of the moment, which an active trailing one starts from.
    pub(crate) fn park(&mut self, id: OrderId, trigger: &Trigger, price: Price) {
        let Some(callback) = trigger.follows() else {
            self.triggers.entry(trigger.waits_for()).or_default().insert((trigger.price, id));
            return;
        };
        let followed = (trigger.by, trigger.when);
        let trail = self.trails.entry(followed).or_default();
        if trail.groups.last_key_value().is_none_or(|(_, youngest)| youngest.extreme != price) {
            trail.runs.insert(id, Run::new());
            trail.groups.insert(id, Group { extreme: price, nearest: Run::new() });
        }
        let ladder = self.triggers.entry(followed).or_default();
        trail.change(followed.1, ladder, id, |run| _ = run.insert((callback, id)));
    }

    /// Takes a waiting order out.
    pub(crate) fn unpark(&mut self, id: OrderId, trigger: &Trigger) {
        let Some(callback) = trigger.follows() else {
            if let Some(ladder) = self.triggers.get_mut(&trigger.waits_for()) {
                ladder.remove(&(trigger.price, id));
            }
            return;
        };
        let followed = (trigger.by, trigger.when);
        let (Some(trail), Some(ladder)) = (self.trails.get_mut(&followed), self.triggers.get_mut(&followed)) else {
            fault("a trailing order is in the ladders of its market");
        };
        trail.change(followed.1, ladder, id, |run| _ = run.remove(&(callback, id)));
        if trail.groups.is_empty() {
            self.trails.remove(&followed);
        }
    }

    /// A new best price: every group that has not seen a better one becomes part of one group. Its orders stay where they are.
    pub(crate) fn extend(&mut self, followed: Followed, extreme: Price) {
        let Some(trail) = self.trails.get_mut(&followed) else { return };
        let ladder = self.triggers.entry(followed).or_default();
        let mut merged: Option<(OrderId, Group)> = None;
        while let Some(youngest) = trail.groups.last_entry().filter(|g| followed.1.extends(extreme, g.get().extreme)) {
            let (id, mut group) = youngest.remove_entry();
            group.first(followed.1).for_each(|first| _ = ladder.remove(&first));
            if let Some((_, younger)) = merged.take() {
                group.absorb(younger);
            }
            merged = Some((id, group));
        }
        if let Some((id, mut group)) = merged {
            group.extreme = extreme;
            ladder.extend(group.first(followed.1));
            trail.groups.insert(id, group);
        }
    }

    /// Where a waiting order fires as things are; none for a trailing one that is not active yet.
    #[must_use]
    pub fn level_of(&self, id: OrderId, trigger: &Trigger) -> Option<Price> {
        match (trigger.trail, trigger.follows()) {
            (None, _) => Some(trigger.price),
            (Some(_), None) => None,
            (Some(_), Some(callback)) => {
                let trail = self.trails.get(&(trigger.by, trigger.when))?;
                let (_, group) = trail.groups.range(..=id).next_back()?;
                Some(level(trigger.when, group.extreme, callback))
            }
        }
    }
}

/// Tells the trailing orders of a market of a better price. Two comparisons for each price that somebody follows.
pub(crate) fn follow(out: &mut Output<'_>, market: MarketId) {
    let state = out.state();
    let row = state.market(market);
    if row.book.trails.is_empty() || row.is_over() {
        return;
    }
    let better = |((by, when), trail): (&Followed, &Trail)| {
        let price = state.believed_price(market, *by)?;
        let (_, youngest) = trail.groups.last_key_value()?;
        let better = price != youngest.extreme && when.extends(price, youngest.extreme);
        better.then_some(Event::ExtremeMoved { market, by: *by, when: *when, extreme: price })
    };
    let moved: Vec<Event> = row.book.trails.iter().filter_map(better).collect();
    moved.into_iter().for_each(|event| out.emit(event));
}

/// A trailing trigger is neither too near nor too far, and starts from a price that is believed, or from one that is not
/// reached yet. `activated`: it was judged when it was placed; the price has jumped since, perhaps.
pub(crate) fn check(
    state: &State,
    market: MarketId,
    trigger: &Trigger,
    callback: Callback,
    activated: bool,
) -> Result<(), Reject> {
    let start = if trigger.price == Price::ZERO {
        if !state.trigger_price(market, trigger.by).is_positive() {
            return Err(Reject::NoTriggerPrice);
        }
        state.believed_price(market, trigger.by).ok_or(Reject::PriceUnusable { market })?
    } else {
        trigger.price
    };
    let fits = match trigger.when {
        TriggerWhen::AtOrBelow => callback.below(start),
        TriggerWhen::AtOrAbove => callback.above(start),
    };
    if fits.is_none() || !(activated || callback.is_good(start)) {
        return Err(Reject::CallbackOutOfRange { price: start });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::Rate;

    /// SplitMix64.
    fn below(seed: &mut u64, n: u64) -> u64 {
        *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn price(units: u64) -> Price {
        Price::new(i64::try_from(units).unwrap()).unwrap()
    }

    /// What one order has seen, moved by every price.
    #[derive(Clone, Copy)]
    struct Plain {
        id: OrderId,
        trigger: Trigger,
        extreme: Price,
    }

    fn plain_level(row: &Plain) -> Price {
        level(row.trigger.when, row.extreme, row.trigger.follows().unwrap())
    }

    /// Random prices, orders and cancels on one side; after each the book is compared with every order for itself.
    fn agree(when: TriggerWhen, seed: &mut u64) -> usize {
        let followed = (TriggerBy::Mark, when);
        let (mut book, mut rows, mut now, mut fired) = (Book::default(), Vec::<Plain>::new(), price(10_000), 0);
        for step in 1..400u64 {
            match below(seed, 5) {
                0 | 1 => {
                    let callback = match below(seed, 2) {
                        0 => Callback::Rate(Rate::bps(i16::try_from(1 + below(seed, 400)).unwrap())),
                        _ => Callback::Distance(price(1 + below(seed, 400))),
                    };
                    let trigger = Trigger { by: followed.0, when, price: Price::ZERO, trail: Some(callback) };
                    let id = OrderId::new(step, u32::try_from(below(seed, 8)).unwrap());
                    book.park(id, &trigger, now);
                    rows.push(Plain { id, trigger, extreme: now });
                }
                2 if !rows.is_empty() => {
                    let at = usize::try_from(below(seed, u64::try_from(rows.len()).unwrap())).unwrap();
                    let row = rows.remove(at);
                    book.unpark(row.id, &row.trigger);
                }
                _ => {
                    now = price(9_500 + below(seed, 1_000));
                    book.extend(followed, now);
                    for row in &mut rows {
                        if when.extends(now, row.extreme) {
                            row.extreme = now;
                        }
                    }
                }
            }
            for row in &rows {
                assert_eq!(book.level_of(row.id, &row.trigger), Some(plain_level(row)));
            }
            let ladder = book.triggers.get(&followed).cloned().unwrap_or_default();
            let groups = book.trails.get(&followed).map_or(0, |trail| trail.groups.len());
            assert!(ladder.len() <= 2 * groups, "{} of {} orders stand in the ladder", ladder.len(), rows.len());
            // Whoever is reached goes, and in the end nobody who is reached is left.
            let first = |book: &Book| {
                let ladder = book.triggers.get(&followed)?;
                let first = if when == TriggerWhen::AtOrBelow { ladder.last() } else { ladder.first() };
                first.copied().filter(|(level, _)| when.reached(now, *level))
            };
            while let Some((level, id)) = first(&book) {
                let at = rows.iter().position(|row| row.id == id).unwrap();
                let row = rows.remove(at);
                assert_eq!(plain_level(&row), level);
                // Nobody else stands nearer to the price.
                assert!(rows.iter().all(|other| when.reached(plain_level(other), level)));
                book.unpark(id, &row.trigger);
                fired += 1;
            }
            assert!(!rows.iter().any(|row| when.reached(now, plain_level(row))));
        }
        for row in rows {
            book.unpark(row.id, &row.trigger);
        }
        assert!(book.trails.is_empty() && book.triggers.values().all(BTreeSet::is_empty));
        fired
    }

    #[test]
    fn groups_agree_with_every_order_for_itself() {
        let mut seed = 11;
        let fired: usize = (0..50)
            .map(|n| agree(if n % 2 == 0 { TriggerWhen::AtOrBelow } else { TriggerWhen::AtOrAbove }, &mut seed))
            .sum();
        assert!(fired > 500, "{fired} fired");
    }
}
