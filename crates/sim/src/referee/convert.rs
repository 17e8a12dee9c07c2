//! Collateral sold to the fund, and that no debt stays untold (I-15).

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, PRICE, RATE, mul_div, mul_mul_div};
use super::value;
use engine::{AccountId, AssetId, Event, MarketId, PositionId};

impl Referee {
    /// wallet − interest due + results + unsettled funding − losses to share that settle in an asset.
    pub(super) fn amount_in(&self, id: AccountId, asset: AssetId) -> i128 {
        let row = self.model.account(id);
        let mut sum = self.model.wallet(id, asset) - self.model.interest_due(id, asset);
        for (position, e) in row.exposures.iter().filter(|(_, e)| e.size != 0) {
            let m = self.model.market(position.market);
            if m.params.settlement == asset {
                sum += value::upnl(&m.params, self.model.valuation(m), e.size, e.cost);
                sum += mul_div(-e.size, m.funding - e.checkpoint, RATE, Dir::Down);
                sum -= super::losses::paid(&e.owed);
            }
        }
        sum
    }

    fn asset_usable(&self, asset: AssetId) -> bool {
        self.model.assets[asset.index()].index.is_none_or(|i| self.model.indices[i.index()].usable(self.model.now))
    }

    /// The fund that stands behind an account: that of its open position with the largest maintenance margin, without one
    /// that of the first market it has been in, or the first fund. It stays the same for one piece of work.
    pub(super) fn fund_behind(&self, id: AccountId) -> Option<AccountId> {
        if let Some(fund) = self.ladder.funds.get(&id) {
            return *fund;
        }
        let row = self.model.account(id);
        let mut best: Option<(i128, MarketId)> = None;
        for (PositionId { market, .. }, e) in row.exposures.iter().filter(|(_, e)| e.size != 0) {
            let m = self.model.market(*market);
            let needs = self.debt(m.params.settlement, value::maintenance(&m.params, self.model.valuation(m), e.size));
            if best.is_none_or(|(most, _)| needs > most) {
                best = Some((needs, *market));
            }
        }
        let market = best.map(|(_, market)| market).or(row.exposures.keys().next().map(|p| p.market));
        let of_market = market.map(|m| self.model.market(m).params.fund);
        let any = || self.model.accounts.iter().position(|a| a.kind == super::model::Kind::Fund).map(AccountId::at);
        of_market.or_else(any).filter(|fund| *fund != id)
    }

    /// Whether the fund would now end a debt of a flat account by buying its collateral, or buy all of an asset of it.
    pub(super) fn convertible(&self, id: AccountId) -> bool {
        let Some(fund) = self.fund_behind(id) else { return false };
        if self.model.account(id).only.is_some() {
            return false;
        }
        let assets: Vec<AssetId> =
            (0..self.model.assets.len()).map(AssetId::at).filter(|a| self.asset_usable(*a)).collect();
        assets.iter().filter(|short| self.amount_in(id, **short) < 0).any(|short| {
            let (missing, there) = (-self.amount_in(id, *short), self.fund_can_pay(fund, *short));
            let enough = |worth: i128| there > 0 && worth > 0 && (worth <= missing.min(there) || there >= missing);
            assets.iter().filter(|sold| *sold != short).any(|sold| {
                let spare = self.model.wallet(id, *sold).min(self.amount_in(id, *sold));
                spare > 0 && enough(self.worth(*sold, *short, spare))
            })
        })
    }

    /// What an amount is worth in another asset, at index less the discount.
    fn worth(&self, sold: AssetId, bought: AssetId, amount: i128) -> i128 {
        let (from, to) = (self.model.asset_price(sold), self.model.asset_price(bought));
        let rate = RATE - self.model.assets[sold.index()].discount;
        mul_div(mul_mul_div(amount, from, rate, PRICE * RATE, Dir::Down), PRICE, to.max(1), Dir::Down)
    }

    pub(super) fn converted(&mut self, event: &Event) -> Verdict {
        let &Event::Converted { account, fund, sold, sold_amount, bought, bought_amount } = event else {
            return Ok(());
        };
        let (gave, got) = (sold_amount.units(), bought_amount.units());
        let what =
            |text: &str| format!("conversion of account {account}, {gave} of {sold} for {got} of {bought}: {text}");
        same("convert", || what("fund"), self.fund_behind(account), Some(fund))?;
        let liquidating = self.model.account(account).liquidating.is_some();
        holds("convert", liquidating || self.repays(account, bought), || what("is in liquidation, or owes too much"))?;
        self.repaying = (!liquidating).then_some((account, bought));
        holds("I-25", self.asset_usable(sold) && self.asset_usable(bought), || what("prices are usable"))?;
        holds("convert", self.model.account(account).only.is_none(), || what("all its assets are collateral"))?;
        holds("convert", sold != bought && gave > 0 && got > 0, || what("two assets and two amounts"))?;
        let missing = -self.amount_in(account, bought);
        let spare = self.model.wallet(account, sold).min(self.amount_in(account, sold));
        holds("convert", got <= missing && gave <= spare, || what(&format!("missing {missing}, spare {spare}")))?;
        holds("convert", got <= self.fund_can_pay(fund, bought), || what("the fund has it"))?;
        let (from, to) = (self.model.asset_price(sold), self.model.asset_price(bought));
        let rate = RATE - self.model.assets[sold.index()].discount;
        // What the sold amount is worth at index less the discount, in the bought asset: never less than was got, and
        // what was got is what one unit less would not have bought.
        let worth = |amount: i128| self.worth(sold, bought, amount);
        holds("convert", got <= worth(gave) + 1, || what(&format!("worth {}", worth(gave))))?;
        let slack = 2 + PRICE / to.max(1);
        holds("convert", got + slack >= worth(gave - 1), || {
            what(&format!("a unit less is worth {}", worth(gave - 1)))
        })?;
        let discount = mul_mul_div(gave, from, RATE - rate, PRICE * RATE, Dir::Up);
        self.shift(account, fund, sold, gave);
        self.shift(fund, account, bought, got);
        if let Some(open) = self.ladder.open.get_mut(&account) {
            open.discount += discount + 2 * (from + to) / PRICE + 2;
        }
        Ok(())
    }

    /// What a fund can give away: cash, as far as its own initial margin stays met where it has positions or debts.
    pub(super) fn fund_can_pay(&self, fund: AccountId, asset: AssetId) -> i128 {
        let row = self.model.account(fund);
        if row.exposures.values().all(|e| e.size == 0) && !self.owes(fund) {
            return self.model.wallet(fund, asset);
        }
        let figures = self.figures(fund, Lens::Mark);
        let spare = self.in_asset(asset, (figures.equity - figures.initial).max(0));
        self.model.wallet(fund, asset).min(spare).max(0)
    }

    /// A closed account has no debt that was not told.
    pub(super) fn deficits_reported(&self, account: AccountId) -> Verdict {
        for (asset, amount) in self.model.account(account).wallets.iter().filter(|(_, amount)| **amount < 0) {
            let told = self.deficits.contains(&(account, *asset));
            holds("I-15", told, || format!("deficit {amount} of account {account} in asset {asset} was told"))?;
        }
        Ok(())
    }
}
