//! A gap: somebody's liquidation price is reached while the next order of the book stands far behind it, so that closing costs more
//! than the account has. Rare by chance alone.

use super::Random;
use engine::{
    AccountId, AssetId, Command, Engine, Leg, MarketId, PlaceOrder, PositionView, Reduce, SelfTrade, Side, TimeInForce,
};
use rules::LiquidationPrice;
use units::{Money, Price, Round};

impl Random {
    /// Someone brings money, stands there, and prices move; none when nobody has a position that could fail so.
    pub(super) fn gap(&mut self, engine: &Engine) -> Option<Command> {
        let (position, at) = (0..30).find_map(|_| {
            let account = self.trader();
            // Alone, and with nothing to sell for a debt.
            let alone = |p: &PositionView| {
                let row = engine.state().account(p.holder);
                let held = row.wallets.iter().filter(|w| !w.amount.is_zero()).count();
                held == 1 && row.exposures.iter().filter(|e| !e.size.is_zero()).count() == 1
            };
            engine.positions(account).into_iter().filter(alone).find_map(|p| Some(p).zip(fails_at(&p)))
        })?;
        let maker = self.trader();
        let market = engine.state().market(position.market);
        if maker == position.holder || engine.state().account(maker).legs() != [Leg::Net] {
            return None;
        }
        let (side, sign) = if position.size.is_positive() { (Side::Buy, -1) } else { (Side::Sell, 1) };
        let index = usize::from(position.market == MarketId(1));
        // A little beyond the price, and the order up to all of the ladder's band beyond that.
        let reached = i128::from(at.units()) * (1_000_000 + sign * 500) / 1_000_000;
        let band = i128::from(market.params.liquidation.band.units() / 1_000);
        let beyond = band * i128::from(self.dice.between(40, 99)) / 100;
        let price = i64::try_from(reached * (1_000_000 + sign * beyond) / 1_000_000).ok().and_then(Price::new)?;
        let price = price.to_tick(market.params.tick, Round::Down)?;
        // As in `prices`, the world stays in its range.
        let home = [Price::whole(50_000).units(), Price::whole(20).units()][index];
        let reached = i64::try_from(reached).ok().filter(|units| (home / 8..=home * 8).contains(units))?;
        self.empty_fund(engine, market.params.fund, market.params.settlement);
        self.outside[index] = reached;
        self.reference += 1;
        self.client_id += 1;
        self.queue.push_back(Command::PlaceOrder(PlaceOrder {
            account: maker,
            market: position.market,
            side,
            size: position.size.abs(),
            price: Some(price),
            force: TimeInForce::Gtc,
            reduce: Reduce::Any,
            client_id: self.client_id,
            trigger: None,
            leg: Leg::Net,
            expires: None,
            self_trade: SelfTrade::default(),
        }));
        let quotes = self.quotes_of_all(0);
        self.queue.push_back(quotes);
        self.queue.push_back(Command::CancelAll { account: maker, market: Some(position.market) });
        let asset = market.params.settlement;
        let amount = Money::whole(if asset.index() == 0 { 1_000_000 } else { 20 });
        Some(Command::Deposit { account: maker, asset, amount, reference: self.reference })
    }

    /// In most cases the fund has nothing left to pay with.
    fn empty_fund(&mut self, engine: &Engine, account: AccountId, asset: AssetId) {
        let whole = Money::whole(1).units() / if asset.index() == 0 { 1 } else { 10_000 };
        let cash = engine.state().account(account).wallet(asset).units();
        let amount = Money::from_units(cash - cash.rem_euclid(whole));
        if amount.is_positive() && !self.dice.one_in(3) {
            self.queue.push_back(Command::RequestWithdrawal { account, asset, amount });
        }
    }
}

/// The price at which the holder of a position fails by it.
fn fails_at(p: &PositionView) -> Option<Price> {
    let side = if p.size.is_positive() { p.liquidation_price.below } else { p.liquidation_price.above };
    match side {
        LiquidationPrice::At(price) if p.market < MarketId(3) => Some(price),
        _ => None,
    }
}
