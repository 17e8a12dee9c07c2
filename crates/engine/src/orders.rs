//! The table of open orders: slots that are used again, ids that are not, and each account's list.

use crate::{AccountId, Leg, MarketId, OrderId, PositionId, Reduce, SelfTrade, Side, TimeInForce, Trigger, limits};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Size};

/// An open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The subaccount that trades.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Buy or sell.
    pub side: Side,
    /// What happens to what does not fill at once.
    pub force: TimeInForce,
    /// Whether it may only reduce.
    pub reduce: Reduce,
    /// In the book, working, or waiting.
    pub place: Place,
    /// Worst price.
    pub price: Price,
    /// Open contracts, without sign.
    pub remaining: Size,
    /// The caller's number; zero for none.
    pub client_id: u64,
    /// Set aside in the parent, settlement asset.
    pub reserved: Money,
    /// Neighbours in its price level, older and younger.
    pub level: Links,
    /// Neighbours in its account's list.
    pub own: Links,
    /// Which position of the account it trades.
    pub leg: Leg,
    /// It expires; `Deadlines` says when.
    pub expires: bool,
    /// What happens when it meets an order of the same owner.
    pub self_trade: SelfTrade,
}

impl Order {
    /// The position that it trades.
    #[must_use]
    pub fn position(&self) -> PositionId {
        self.market.leg(self.leg)
    }
}

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Being matched by the command that placed it.
    Working,
    /// In the book.
    Resting,
    /// Waiting for its trigger.
    Parked {
        /// For what.
        trigger: Trigger,
        /// What happens then.
        force: TimeInForce,
    },
}

/// Neighbours in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The one before.
    pub before: Option<OrderId>,
    /// The one after.
    pub after: Option<OrderId>,
}

/// All open orders.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Orders {
    slots: Vec<Option<Order>>,
    free: Vec<u32>,
    serial: u64,
    by_client: BTreeMap<(AccountId, u64), OrderId>,
}

impl Orders {
    /// An open order; `None` when the id is stale.
    #[must_use]
    pub fn get(&self, id: OrderId) -> Option<&Order> {
        self.slots.get(id.slot()).and_then(Option::as_ref).filter(|o| o.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: OrderId) -> Option<&mut Order> {
        self.slots.get_mut(id.slot()).and_then(Option::as_mut).filter(|o| o.id == id)
    }

    /// The order of an account with the caller's number.
    #[must_use]
    pub fn by_client(&self, account: AccountId, client_id: u64) -> Option<OrderId> {
        self.by_client.get(&(account, client_id)).copied()
    }

    /// All open orders, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = &Order> {
        self.slots.iter().flatten()
    }

    /// How many are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True with none open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when not even one more fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= limits::ORDERS_MAX
    }

    /// The id that the next order gets.
    #[must_use]
    pub fn next_id(&self) -> OrderId {
        let slot = match self.free.last() {
            Some(slot) => *slot,
            None => u32::try_from(self.slots.len()).unwrap_or(u32::MAX),
        };
        OrderId::new(self.serial + 1, slot)
    }

    /// Takes in an order that has the id of `next_id`; `owner` is whose caller numbers it is in.
    pub(crate) fn insert(&mut self, order: Order, owner: AccountId) {
        self.serial += 1;
        if order.client_id != 0 {
            self.by_client.insert((owner, order.client_id), order.id);
        }
        match self.free.pop() {
            Some(_) => {
                if let Some(slot) = self.slots.get_mut(order.id.slot()) {
                    *slot = Some(order);
                }
            }
            None => self.slots.push(Some(order)),
        }
    }

    pub(crate) fn remove(&mut self, id: OrderId, owner: AccountId) -> Option<Order> {
        let order = self.slots.get_mut(id.slot()).filter(|s| s.is_some_and(|o| o.id == id)).and_then(Option::take)?;
        self.free.push(u32::try_from(id.slot()).unwrap_or(u32::MAX));
        if order.client_id != 0 {
            self.by_client.remove(&(owner, order.client_id));
        }
        Some(order)
    }
}
