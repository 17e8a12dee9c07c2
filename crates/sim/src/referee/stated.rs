//! What a liquidation must say of the account that it begins on: each position, each wallet, then the parameters.

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, RATE, mul_div};
use super::value;
use engine::{AccountId, AssetId, Event};
use std::collections::BTreeMap;
use units::{Money, Price, Size};

fn money(units: i128) -> Money {
    Money::from_units(units)
}

/// Zero where it does not fit: no price and no position that is stated.
fn price(units: i128) -> Price {
    i64::try_from(units).ok().and_then(Price::new).unwrap_or(Price::ZERO)
}

fn size(units: i128) -> Size {
    i64::try_from(units).ok().and_then(Size::new).unwrap_or(Size::ZERO)
}

impl Referee {
    /// After `LiquidationStarted`: the values that have to come, worked out here.
    pub(super) fn values_follow(&mut self, id: AccountId) {
        self.awaiting = Some(id);
        let account = self.model.account(id);
        let counts = |asset: &AssetId| account.only.is_none_or(|only| only == *asset);
        let wallets: BTreeMap<AssetId, i128> = account
            .wallets
            .iter()
            .filter(|(asset, _)| counts(asset))
            .map(|(asset, amount)| (*asset, *amount))
            .collect();
        let mut amounts: BTreeMap<AssetId, i128> = BTreeMap::new();
        for (asset, wallet) in wallets.iter().filter(|(_, wallet)| **wallet != 0) {
            amounts.insert(*asset, wallet - self.model.interest_due(id, *asset));
        }
        let mut rows = Vec::new();
        for (position, e) in account.exposures.iter().filter(|(_, e)| e.size != 0) {
            let market = self.model.market(position.market);
            let mark = self.model.valuation(market);
            let upnl = self.result(market, e.size, e.cost, mark, Lens::Lenient);
            let funding = mul_div(-e.size, market.funding - e.checkpoint, RATE, Dir::Down);
            let unsettled = funding - super::losses::paid(&e.owed);
            let margin = if market.settling() { 0 } else { value::maintenance(&market.params, mark, e.size) };
            *amounts.entry(market.params.settlement).or_insert(0) += upnl + unsettled;
            rows.push(Event::PositionValued {
                account: id,
                market: position.market,
                leg: position.leg,
                size: size(e.size),
                cost: money(e.cost),
                price: price(mark),
                upnl: money(upnl),
                unsettled: money(unsettled),
                maintenance_margin: money(margin),
            });
        }
        for (asset, amount) in amounts {
            let wallet = wallets.get(&asset).copied().unwrap_or(0);
            let interest = if wallet < 0 { self.model.interest_due(id, asset) } else { 0 };
            rows.push(Event::WalletValued {
                account: id,
                asset,
                wallet: money(wallet),
                interest: money(interest),
                price: price(self.model.asset_price(asset)),
                value: money(self.counts(asset, amount, Lens::Lenient)),
            });
        }
        for row in rows {
            self.expect(row);
        }
    }

    /// Nothing comes between the values and the parameters that they follow from.
    pub(super) fn grounds_awaited(&self, event: &Event) -> Verdict {
        let told = self.awaiting.is_none() || matches!(event, Event::GroundsStated { .. });
        holds("stated", told, || format!("the grounds of the liquidation of {:?} come next", self.awaiting))
    }

    pub(super) fn grounds_stated(&mut self, account: AccountId) -> Verdict {
        same("stated", || "whose grounds are stated".into(), self.awaiting.take(), Some(account))
    }
}
