//! Names for handles and back. The tables are the engine's own: an asset, index, market or account has the name it was
//! listed with; the child of an isolated position is `ann/BTC-PERP`; an order is `ann#3`, its account and its serial
//! number.

use engine::{AccountId, AccountKind, AssetId, IndexId, Leg, MarketId, OrderId, State};
use std::collections::BTreeMap;

/// Accounts of all orders ever accepted, so that a finished order can still be named.
pub type OrderOwners = BTreeMap<OrderId, AccountId>;

/// Looks names up in a state.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    state: &'a State,
    orders: &'a OrderOwners,
}

impl<'a> Names<'a> {
    /// The names of a state and of the orders seen so far.
    #[must_use]
    pub fn new(state: &'a State, orders: &'a OrderOwners) -> Self {
        Self { state, orders }
    }

    /// An account by name; `ann/BTC-PERP` is the isolated child of `ann`, `ann/BTC-PERP/long` that of a leg.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<AccountId> {
        let named = self.state.accounts.iter().position(|a| a.name.is_some_and(|n| n.as_str() == name));
        if let Some(at) = named {
            return Some(AccountId::at(at));
        }
        let (parent, market) = name.split_once('/')?;
        let (market, leg) = match market.split_once('/') {
            None => (market, Leg::Net),
            Some((market, leg)) => (market, leg_called(leg)?),
        };
        let market = self.market(market)?;
        self.state.account(self.account(parent)?).exposure(market.leg(leg))?.child
    }

    /// An asset by name.
    #[must_use]
    pub fn asset(&self, name: &str) -> Option<AssetId> {
        self.state.assets.iter().position(|a| a.params.name.as_str() == name).map(AssetId::at)
    }

    /// An index by name.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<IndexId> {
        self.state.indices.iter().position(|i| i.params.name.as_str() == name).map(IndexId::at)
    }

    /// A market by name.
    #[must_use]
    pub fn market(&self, name: &str) -> Option<MarketId> {
        self.state.markets.iter().position(|m| m.params.name.as_str() == name).map(MarketId::at)
    }

    /// An order by `ann#3`, open or not; the name before `#` must be the one it is printed with.
    #[must_use]
    pub fn order(&self, name: &str) -> Option<OrderId> {
        let (account, serial) = name.split_once('#')?;
        let serial: u64 = serial.parse().ok()?;
        let order = self.orders.iter().find(|(order, _)| order.serial() == serial)?;
        (self.of_account(*order.1) == account).then_some(*order.0)
    }

    /// The name of an account; its number where there is none.
    #[must_use]
    pub fn of_account(&self, id: AccountId) -> String {
        match self.state.find_account(id) {
            Err(_) => id.to_string(),
            Ok(account) => match (account.kind, account.name) {
                (AccountKind::Isolated { parent, market, leg }, _) => {
                    let name = format!("{}/{}", self.of_account(parent), self.of_market(market));
                    if leg == Leg::Net { name } else { format!("{name}/{}", name_of_leg(leg)) }
                }
                (_, Some(name)) => name.to_string(),
                (_, None) => id.to_string(),
            },
        }
    }

    /// The name of an asset; its number where there is none.
    #[must_use]
    pub fn of_asset(&self, id: AssetId) -> String {
        self.state.find_asset(id).map_or_else(|_| id.to_string(), |asset| asset.params.name.to_string())
    }

    /// The name of an index; its number where there is none.
    #[must_use]
    pub fn of_index(&self, id: IndexId) -> String {
        self.state.find_index(id).map_or_else(|_| id.to_string(), |index| index.params.name.to_string())
    }

    /// The name of a market; `-` for the handle that means none.
    #[must_use]
    pub fn of_market(&self, id: MarketId) -> String {
        let none = if id == MarketId(u16::MAX) { "-".to_owned() } else { id.to_string() };
        self.state.find_market(id).map_or(none, |market| market.params.name.to_string())
    }

    /// The name of an order.
    #[must_use]
    pub fn of_order(&self, id: OrderId) -> String {
        let account = self.orders.get(&id).map_or_else(|| "?".to_owned(), |account| self.of_account(*account));
        format!("{account}#{}", id.serial())
    }
}

/// A leg of hedge mode by name.
#[must_use]
pub fn leg_called(name: &str) -> Option<Leg> {
    [Leg::Long, Leg::Short].into_iter().find(|leg| name_of_leg(*leg) == name)
}

/// The name of a leg, as the API writes it.
#[must_use]
pub fn name_of_leg(leg: Leg) -> &'static str {
    match leg {
        Leg::Net => "net",
        Leg::Long => "long",
        Leg::Short => "short",
    }
}
