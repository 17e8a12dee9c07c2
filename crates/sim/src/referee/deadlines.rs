//! What ends by the clock: which order inherits which expiry, that nothing ends early, late, or out of turn.

use super::Referee;
use super::facts::Turn as Judged;
use super::mismatch::{Verdict, holds, same};
use super::model::Order;
use engine::{AccountId, Answer, BatchItem, CancelReason, Command, OrderId, PlaceOrder, Reject, TimeInForce, limits};
use std::collections::VecDeque;
use units::Time;

/// What one command says and does about deadlines.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// What the orders of the command ask for, of a batch those that were taken.
    asked: VecDeque<Option<i64>>,
    /// The next order takes the place of another and has this expiry.
    pub(super) inherited: Option<Option<i64>>,
    /// Orders that the clock ended, a countdown counting as one.
    ended: usize,
}

impl Turn {
    pub fn of(command: &Command, answer: &Result<Answer, Reject>) -> Self {
        let of = |order: &PlaceOrder| order.expires.map(Time::ns);
        let asked = match (command, answer) {
            (Command::PlaceOrder(order), _) => [of(order)].into(),
            (Command::Batch { items }, Ok(Answer::Batch(answers))) => {
                let taken = items.iter().zip(answers).filter(|(_, answer)| answer.is_ok());
                let placed = taken.filter_map(|(item, _)| match item {
                    BatchItem::Place(order) => Some(of(order)),
                    _ => None,
                });
                placed.collect()
            }
            _ => VecDeque::new(),
        };
        Self { asked, ..Self::default() }
    }
}

/// Whether what does not fill at once stays.
fn stays(force: TimeInForce) -> bool {
    force == TimeInForce::Gtc || force == TimeInForce::PostOnly
}

impl Referee {
    /// The expiry that a new order must get if it stays.
    pub(super) fn expiry_of_new(&mut self, account: AccountId) -> Option<i64> {
        let inherited = self.deadlines.inherited.take();
        if self.by_ladder(account) {
            return None;
        }
        inherited.unwrap_or_else(|| self.deadlines.asked.pop_front().flatten())
    }

    /// The order that comes next takes the place of this one.
    pub(super) fn expiry_goes_on(&mut self, old: &Order) {
        self.deadlines.inherited = Some(old.expires.filter(|_| old.waits_again() || stays(old.force)));
    }

    pub(super) fn order_expires(&mut self, id: OrderId, expires: i64) -> Verdict {
        let order = self.open(id)?;
        same("expiry", || format!("expiry of {id:?}"), order.expires, Some(expires))?;
        holds("expiry", expires > self.model.now, || format!("{id:?} expires in the future"))
    }

    pub(super) fn countdown_set(&mut self, turn: &Judged<'_>, account: AccountId, until: Option<i64>) -> Verdict {
        let asked = match turn.command {
            Command::CancelAllAfter { account: of, timeout_ns } if *of == account => {
                Some(Some(*timeout_ns).filter(|ns| *ns > 0).map(|ns| self.model.now + ns))
            }
            _ => None,
        };
        let before = self.model.countdowns.get(&account).copied();
        let ran_out = until.is_none() && before.is_some_and(|time| time <= self.model.now);
        holds("countdown", asked == Some(until) || ran_out, || format!("countdown of {account} until {until:?}"))?;
        if ran_out {
            self.in_turn(before.unwrap_or(i64::MAX))?;
            let open = self.model.orders.values().filter(|o| self.model.parent(o.account) == account).count();
            same("countdown", || format!("open orders of {account} when its countdown ends"), 0, open)?;
        }
        match until {
            Some(time) => self.model.countdowns.insert(account, time),
            None => self.model.countdowns.remove(&account),
        };
        self.touch(account);
        Ok(())
    }

    /// Why an order ends, as far as the clock has a part in it.
    pub(super) fn ends_for(&mut self, id: OrderId, reason: CancelReason) -> Verdict {
        let order = self.open(id)?;
        match reason {
            CancelReason::Amended => self.deadlines.inherited = Some(order.expires),
            CancelReason::Expired => {
                let time = order.expires.unwrap_or(i64::MAX);
                self.deadlines.ended += 1;
                holds("expiry", time <= self.model.now, || format!("{id:?} is over"))?;
            }
            CancelReason::CountdownRanOut => {
                let account = self.model.parent(order.account);
                let until = self.model.countdowns.get(&account).copied().unwrap_or(i64::MAX);
                self.in_turn(until)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A countdown has run out, and nothing that ends by the clock had its time before it.
    fn in_turn(&mut self, time: i64) -> Verdict {
        holds("countdown", time <= self.model.now, || format!("the countdown until {time} ran out"))?;
        self.deadlines.ended += 1;
        let earlier =
            self.model.orders.values().filter_map(|o| o.expires).chain(self.model.countdowns.values().copied());
        let first = earlier.min().unwrap_or(time);
        holds("countdown", first >= time, || format!("what ends at {first} comes before what ends at {time}"))
    }

    /// When a command is over nothing is left that is over, unless it had too much to end.
    pub(super) fn deadlines_kept(&self) -> Verdict {
        let now = self.model.now;
        let late = self.model.orders.iter().find(|(_, o)| o.expires.is_some_and(|time| time <= now));
        let late = late.map(|(id, _)| format!("order {id:?}"));
        let countdown = self.model.countdowns.iter().find(|(_, time)| **time <= now);
        let late = late.or(countdown.map(|(id, _)| format!("countdown of {id}")));
        holds("expiry", late.is_none() || self.deadlines.ended >= limits::DEADLINES_PER_COMMAND, || {
            format!("{} is over and still there", late.unwrap_or_default())
        })
    }
}
