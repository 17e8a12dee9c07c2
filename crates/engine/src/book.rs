//! The price-time book of one market and the ladders of its waiting orders. Levels hold the ends of a list; the links
//! are in the orders.

use crate::trails::Trail;
use crate::{OrderId, Side, TriggerBy, TriggerWhen};
use alloc::collections::{BTreeMap, BTreeSet};
use serde::{Deserialize, Serialize};
use units::{Price, Size};

/// Resting and waiting orders of one market.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Book {
    /// Buy levels.
    pub bids: BTreeMap<Price, Level>,
    /// Sell levels.
    pub asks: BTreeMap<Price, Level>,
    /// Waiting orders by what they follow, direction and level.
    pub triggers: BTreeMap<(TriggerBy, TriggerWhen), BTreeSet<(Price, OrderId)>>,
    /// Active trailing orders by what they follow; of each group the first stand in `triggers`, at their present level.
    pub trails: BTreeMap<(TriggerBy, TriggerWhen), Trail>,
}

/// One price: its orders from the oldest to the youngest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Open contracts of all its orders, 1e-8.
    pub total: i128,
    /// The oldest.
    pub first: OrderId,
    /// The youngest.
    pub last: OrderId,
}

impl Book {
    /// Levels of a side.
    #[must_use]
    pub fn side(&self, side: Side) -> &BTreeMap<Price, Level> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    pub(crate) fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Price, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The best price of a side and its level.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<(Price, &Level)> {
        let best = match side {
            Side::Buy => self.bids.last_key_value(),
            Side::Sell => self.asks.first_key_value(),
        };
        best.map(|(price, level)| (*price, level))
    }

    /// Levels of a side from the best price on.
    pub fn from_best(&self, side: Side) -> impl Iterator<Item = (Price, &Level)> {
        let (bids, asks) = match side {
            Side::Buy => (Some(self.bids.iter().rev()), None),
            Side::Sell => (None, Some(self.asks.iter())),
        };
        bids.into_iter().flatten().chain(asks.into_iter().flatten()).map(|(price, level)| (*price, level))
    }

    /// True when an order of `side` at `price` meets `other`.
    #[must_use]
    pub fn crosses(side: Side, price: Price, other: Price) -> bool {
        match side {
            Side::Buy => other <= price,
            Side::Sell => other >= price,
        }
    }

    /// Contracts that an order of `side` finds up to `bound`, 1e-8.
    #[must_use]
    pub fn depth(&self, side: Side, bound: Price) -> i128 {
        let levels = self.from_best(side.opposite());
        levels.take_while(|(price, _)| Self::crosses(side, bound, *price)).map(|(_, level)| level.total).sum()
    }

    /// The average price at which an order of `side` would fill `size` contracts; what is not there counts at `beyond`, so
    /// that a few contracts far away do not make a premium.
    #[must_use]
    pub fn impact(&self, side: Side, size: Size, beyond: Price) -> Price {
        let (mut left, mut paid) = (i128::from(size.units()), 0i128);
        for (price, level) in self.from_best(side.opposite()) {
            let taken = left.min(level.total);
            paid += taken * i128::from(price.units());
            left -= taken;
            if left == 0 {
                break;
            }
        }
        paid += left * i128::from(beyond.units());
        let units = paid.checked_div(i128::from(size.units())).and_then(|units| i64::try_from(units).ok());
        units.and_then(Price::new).unwrap_or(beyond)
    }
}
