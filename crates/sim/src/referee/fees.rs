//! Fees: the rates of an owner's tier, and the asset that an account pays in; who may not trade with whom.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use super::model::Order;
use super::num::{Dir, PRICE, RATE, mul_div, mul_mul_div};
use engine::{AccountId, AssetId, Command, Event, MarketId, OrderId, SelfTrade};

impl Referee {
    pub(super) fn fee_setting(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match (event, turn.command) {
            (Event::FeeTierSet { owner, tier }, Command::SetFeeTier { owner: o, tier: t }) => {
                same("facts", || "fee tier".into(), (o, t), (owner, tier))?;
                self.everyone = true;
                self.model.fee_tiers.insert(owner.0, usize::from(*tier));
                Ok(())
            }
            (Event::FeeDiscountSet { discount }, Command::SetFeeDiscount { discount: asked }) => {
                same("facts", || "fee discount".into(), asked, discount)?;
                self.model.fee_discount = i128::from(discount.units());
                (0..self.model.markets.len()).try_for_each(|at| self.rebates_are_paid(MarketId::at(at)))
            }
            (Event::FeeAssetSet { account, asset }, Command::SetFeeAsset { account: a, asset: asked }) => {
                same("facts", || "fee asset".into(), (a, asked), (account, asset))?;
                match asset {
                    Some(asset) => self.model.pays_in.insert(*account, *asset),
                    None => self.model.pays_in.remove(account),
                };
                Ok(())
            }
            _ => holds("facts", false, || format!("{event:?} was asked for")),
        }
    }

    /// No two tiers together are paid for trading with each other.
    pub(super) fn rebates_are_paid(&self, market: MarketId) -> Verdict {
        let p = &self.model.market(market).params;
        let all = || p.fee_tiers.iter().copied().chain([(p.maker_fee, p.taker_fee)]);
        let good = all().all(|(maker, _)| {
            all().all(|(_, taker)| mul_div(taker, RATE - self.model.fee_discount, RATE, Dir::Down) + maker >= 0)
        });
        holds("fees", good, || format!("every taker fee of market {market} pays every rebate"))
    }

    /// Maker and taker fee of an account.
    pub(super) fn rates(&self, account: AccountId, market: MarketId) -> (i128, i128) {
        let p = &self.model.market(market).params;
        let tier = self.model.fee_tiers.get(&self.model.account(account).owner).copied().unwrap_or(0);
        let last = p.fee_tiers.len().min(tier);
        if last == 0 { (p.maker_fee, p.taker_fee) } else { p.fee_tiers[last - 1] }
    }

    /// What margin sets aside for the fee of an order.
    pub(super) fn rate_kept(&self, account: AccountId, market: MarketId) -> i128 {
        let (maker, taker) = self.rates(account, market);
        maker.max(taker).max(0)
    }

    /// A fee goes from a wallet straight to the fee account (I-04), in the asset of the account's choice when that costs it no
    /// more, is there, has a price, and leaves enough fees in the settlement asset for the other side's rebate.
    pub(super) fn fee(&mut self, account: AccountId, market: MarketId, fee: i128, rebate: i128) {
        let settlement = self.model.market(market).params.settlement;
        let chosen = self.model.pays_in.get(&account).copied().filter(|asset| *asset != settlement && fee > 0);
        let other = chosen.and_then(|asset| self.fee_in(account, asset, (settlement, fee), rebate).map(|x| (asset, x)));
        let (asset, amount) = other.unwrap_or((settlement, fee));
        self.model.credit(account, asset, -amount);
        self.model.asset(asset).fees += amount;
        self.expect(Event::FeeCharged { account, market, fee: super::fills::money(amount), asset });
    }

    fn fee_in(
        &self,
        account: AccountId,
        asset: AssetId,
        (settlement, fee): (AssetId, i128),
        rebate: i128,
    ) -> Option<i128> {
        let model = &self.model;
        let priced = |asset: AssetId| match model.assets[asset.index()].index {
            Some(index) => model.indices[index.index()].usable(model.now),
            None => true,
        };
        if !priced(asset) || !priced(settlement) || model.assets[settlement.index()].fees + rebate < 0 {
            return None;
        }
        let (from, to) = (model.asset_price(settlement), model.asset_price(asset));
        let due = mul_mul_div(fee, from, RATE - model.fee_discount, PRICE * RATE, Dir::Up);
        let amount = mul_div(due, PRICE, to, Dir::Up);
        let dear = mul_div(amount, to, PRICE, Dir::Up) > mul_div(fee, from, PRICE, Dir::Down);
        (!dear && amount <= model.wallet(account, asset)).then_some(amount)
    }

    /// Of one owner or group: never two sides of a trade.
    pub(super) fn related(&self, a: AccountId, b: AccountId) -> bool {
        let owner = |id| self.model.account(id).owner;
        let group = |id| self.model.groups.get(&owner(id));
        owner(a) == owner(b) || (group(a).is_some() && group(a) == group(b))
    }

    /// What an order does when it meets one of its owner.
    pub(super) fn self_trade_set(&mut self, id: OrderId, self_trade: SelfTrade) -> Verdict {
        self.open(id)?;
        if let Some(order) = self.model.orders.get_mut(&id) {
            order.self_trade = self_trade;
        }
        Ok(())
    }

    /// An order ends because it met one of its owner: the one that is working, or the one that is first in its line. The rest
    /// of what must happen to the two is expected.
    pub(super) fn met_own(&mut self, id: OrderId) -> Verdict {
        let ended = self.open(id)?;
        let working = |o: &Order| o.place == super::model::Place::Working;
        let taker =
            self.model.orders.iter().find(|(_, o)| working(o) && o.market == ended.market).map(|(id, o)| (*id, *o));
        let Some((taker_id, taker)) = taker else {
            return holds("self-trade", false, || format!("{id:?} met a working order"));
        };
        let other = if taker_id == id { self.first_in_line(taker.market, taker.side) } else { Some(id) };
        let other = other.filter(|o| taker_id == id || self.first_in_line(taker.market, taker.side) == Some(*o));
        let maker = other.and_then(|o| self.model.orders.get(&o)).copied();
        let fits = match taker.self_trade {
            SelfTrade::CancelResting => id != taker_id,
            SelfTrade::CancelArriving => id == taker_id,
            SelfTrade::CancelBoth | SelfTrade::Decrement => true,
        };
        // After the resting one of the two has gone, the arriving one may stand before a stranger.
        let second = id == taker_id && taker.self_trade != SelfTrade::CancelArriving;
        let own = maker.is_some_and(|m| self.related(m.account, taker.account));
        holds("self-trade", fits && (own || second), || format!("{id:?} ends by {:?}", taker.self_trade))
    }
}
