//! Commands that should be refused, and some that only look so.

use super::dice::Dice;
use engine::{
    AccountId, AssetId, Command, Engine, IndexId, Leg, MarketId, MarketStatus, OrderId, OrderRef, PlaceOrder, Quote,
    Side, TimeInForce,
};
use units::{Money, Price, Size};

/// One of them.
pub fn command(dice: &mut Dice, engine: &Engine) -> Command {
    let state = engine.state();
    let account = AccountId(u32::try_from(dice.below(40)).unwrap_or(0));
    let market = MarketId(u16::try_from(dice.below(5)).unwrap_or(0));
    let asset = AssetId(u8::try_from(dice.below(5)).unwrap_or(0));
    let odd = Money::from_units(i128::from(dice.between(-5, 1_000_000_000)));
    let order = PlaceOrder::limit(account, market, Side::Buy, Size::whole(1), Price::whole(1));
    match dice.below(14) {
        0 => Command::PlaceOrder(PlaceOrder { size: Size::ZERO, ..order }),
        1 => Command::PlaceOrder(PlaceOrder {
            size: Size::new(dice.between(1, i64::MAX - 1)).unwrap_or(Size::ZERO),
            ..order
        }),
        2 => Command::PlaceOrder(PlaceOrder { price: Price::new(dice.between(-10, i64::MAX - 1)), ..order }),
        3 => Command::PlaceOrder(PlaceOrder { force: TimeInForce::PostOnly, price: None, ..order }),
        4 => Command::CancelOrder { account, order: OrderRef::Id(OrderId(dice.below(1 << 30))) },
        5 => Command::CancelOrder { account, order: OrderRef::Client(dice.below(100)) },
        6 => Command::Deposit { account, asset, amount: odd, reference: dice.bits() },
        7 => Command::RequestWithdrawal { account, asset, amount: odd },
        8 => Command::Transfer { from: account, to: account, asset, amount: odd },
        9 => Command::SetMarketStatus { market, status: MarketStatus::Open },
        10 => Command::SetLeverage { account, market, leverage: u16::try_from(dice.below(2_000)).unwrap_or(0) },
        11 => Command::ConfirmWithdrawal { withdrawal: dice.below(1_000) },
        12 => {
            let time = state.now.plus_ns(dice.between(-2_000_000_000, 2_000_000_000));
            let price = Price::new(dice.between(-1, 1_000_000_000_000)).unwrap_or(Price::ONE);
            let index = IndexId(u16::try_from(dice.below(3)).unwrap_or(0));
            Command::SetPrices {
                quotes: vec![Quote { index, source: u8::try_from(dice.below(5)).unwrap_or(0), price, time }],
            }
        }
        _ => Command::AdjustIsolatedMargin { account, market, amount: odd, leg: Leg::Net },
    }
}
