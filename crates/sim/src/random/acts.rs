//! One random act: prices, orders, money, settings. Sizes are taken from what the account can carry, so that most orders
//! are accepted and many accounts are near their line.

use super::{FUNDS, MARKETS, NEW, Random, SOURCES, venue, wrong};
use engine::params::{CollateralSchedule, Expiry, ExposureLimits, HaircutStep, Reserve};
use engine::{
    AccountId, AccountKind, AccountReason, AccountStatus, AssetId, BatchItem, Bid, Callback, Command, Engine, GroupId,
    IndexId, Leg, LimitScope, MarginMode, MarketId, MarketStatus, OrderRef, OwnerId, PlaceOrder, PositionId,
    PositionMode, Quote, Reduce, SelfTrade, Side, Split, TimeInForce, Trigger, TriggerBy, TriggerWhen,
};
use rules::HaircutTier;
use units::{Money, Price, Rate, Round, Size, Time};

impl Random {
    pub(super) fn act(&mut self, engine: &Engine) -> Command {
        if self.options && self.dice.one_in(3) {
            return self.option_act(engine);
        }
        let closed =
            |m: MarketId| engine.state().market(m).status != MarketStatus::Open && !engine.state().market(m).is_over();
        let restricted = (0..MARKETS).map(MarketId).any(closed);
        let operate = if restricted { 150 } else { 15 };
        let bids = if engine.state().auctions.is_empty() { 2 } else { 800 };
        let act = match self.dice.pick(&[300, 420, 60, 60, 70, 12, 40, operate, 33, 12, 45, bids, 60]) {
            0 => Some(self.prices()),
            1 => self.order(engine),
            2 => self.order_change(engine),
            3 => Some(self.money(engine)),
            4 => Some(self.setting(engine)),
            5 => Some(self.backstop()),
            6 => Some(Command::Tick),
            7 => Some(self.operator(engine)),
            9 => Some(self.limit()),
            10 => Some(self.trading(engine)),
            11 => Some(self.bid(engine)),
            12 => self.gap(engine),
            _ => Some(wrong::command(&mut self.dice, engine)),
        };
        act.unwrap_or(Command::Tick)
    }

    pub(super) fn trader(&mut self) -> AccountId {
        let at = self.dice.below(u64::from(self.character.traders));
        AccountId(FUNDS + u32::try_from(at).unwrap_or(0))
    }

    pub(super) fn market(&mut self) -> MarketId {
        MarketId(u16::try_from(self.dice.pick(&[4, 3, 3, 3])).unwrap_or(0))
    }

    /// Prices drift, jump, come late, from too few sources, or not at all.
    fn prices(&mut self) -> Command {
        let jump = self.dice.below(1_000) < self.character.jumps;
        for at in 0..2 {
            let percent = if jump { self.character.jump_percent } else { 1 };
            let most = i64::try_from(percent * 10_000).unwrap_or(10_000);
            let move_ppm = self.dice.between(-most, most) / if jump { 1 } else { 5 };
            let price = i128::from(self.outside[at]) * i128::from(1_000_000 + move_ppm) / 1_000_000;
            // The world stays in a range in which the venue stays interesting.
            let home = [Price::whole(50_000).units(), Price::whole(20).units()][at];
            self.outside[at] = i64::try_from(price).unwrap_or(home).clamp(home / 8, home * 8);
        }
        match self.dice.pick(&[76, 6, 6, 8, 4]) {
            0 => self.quotes_of_all(100),
            1 => self.one_source(0),
            2 => self.one_source(20_000_000_000),
            3 => self.one_index(),
            _ => self.quotes_of_all(80_000),
        }
    }

    fn one_source(&mut self, late_ns: u64) -> Command {
        let index = u16::try_from(self.dice.below(2)).unwrap_or(0);
        let source = u8::try_from(self.dice.below(u64::from(SOURCES))).unwrap_or(0);
        let late = i64::try_from(self.dice.below(late_ns + 1)).unwrap_or(0);
        let price = self.price_of(index, 200_000);
        Command::SetPrices {
            quotes: vec![Quote { index: IndexId(index), source, price, time: self.now.plus_ns(-late) }],
        }
    }

    fn one_index(&mut self) -> Command {
        let index = u16::try_from(self.dice.below(4)).unwrap_or(0);
        let quotes = (0..SOURCES).map(|source| Quote {
            index: IndexId(index),
            source,
            price: self.price_of(index, 50),
            time: self.now,
        });
        Command::SetPrices { quotes: quotes.collect() }
    }

    /// An order of a size that the account can just carry, or less, or more.
    fn order(&mut self, engine: &Engine) -> Option<Command> {
        let account = self.trader();
        let mut market = self.market();
        if engine.state().market(market).status != MarketStatus::Open && !self.dice.one_in(4) {
            market = (0..MARKETS).map(MarketId).find(|m| engine.state().market(*m).status == MarketStatus::Open)?;
        }
        let row = engine.state().market(market);
        let mark = i128::from(row.mark.units());
        if mark <= 0 {
            return None;
        }
        let mut side = if self.dice.one_in(2) { Side::Buy } else { Side::Sell };
        let row_of = engine.state().account(account);
        let leg = row_of.legs()[usize::try_from(self.dice.below(u64::try_from(row_of.legs().len()).ok()?)).ok()?];
        let holder = engine.state().margin_account(account, market.leg(leg)).unwrap_or(account);
        let position = engine.state().account(holder).position(market.leg(leg));
        let closes = !position.is_zero() && self.dice.one_in(if leg == Leg::Net { 3 } else { 6 });
        if closes {
            side = if position.is_positive() { Side::Sell } else { Side::Buy };
        } else if leg != Leg::Net && !self.dice.one_in(8) {
            side = if leg == Leg::Long { Side::Buy } else { Side::Sell };
        }
        let leg = if self.dice.one_in(200) { Leg::Short } else { leg };
        let reduce = if self.dice.one_in(if closes { 2 } else { 30 }) { Reduce::Only } else { Reduce::Any };
        let size = self.order_size(engine, account, market.leg(leg), closes)?;
        let makes = self.dice.one_in(2);
        // A maker stands up to 1 % behind the mark, a taker reaches up to 2 % through it, or a few ticks through the book.
        let ppm = i128::from(self.dice.between(-300, if makes { 10_000 } else { 20_000 }));
        let behind = if (side == Side::Buy) == makes { -ppm } else { ppm };
        let mut units = mark * (1_000_000 + behind) / 1_000_000;
        let mut size = size;
        if let Some((best, level)) = row.book.best(side.opposite()).filter(|_| !makes && self.dice.one_in(2)) {
            let through = i128::from(self.dice.below(20)) * i128::from(row.params.tick.units());
            units = i128::from(best.units()) + if side == Side::Buy { through } else { -through };
            let most = level.total * i128::from(1 + self.dice.below(3));
            size = size.min(Size::new(i64::try_from(most).ok()?)?).to_lot(row.params.lot).max(row.params.lot);
        }
        if self.character.plain {
            let round = row.params.lot.units() * if market == MarketId(0) { 100 } else { 10 };
            size = size.to_lot(Size::new(round)?).max(row.params.lot);
            units = if self.dice.one_in(2) { mark } else { units };
        }
        let price = Price::new(i64::try_from(units).ok()?)?.to_tick(row.params.tick, Round::Down)?;
        let closing = self.dice.one_in(if closes { 5 } else { 60 });
        let trigger = if self.dice.one_in(if closing { 1 } else { 14 }) { Some(self.trigger(mark)) } else { None };
        let trigger = trigger.filter(|_| !closing || !self.dice.one_in(30));
        let (reduce, size) = match closing {
            true => (Reduce::Close, if self.dice.one_in(30) { size } else { Size::ZERO }),
            false => (reduce, size),
        };
        let force = match self.dice.pick(if makes { &[16, 1, 1, 6] } else { &[10, 8, 2, 1] }) {
            0 => TimeInForce::Gtc,
            1 => TimeInForce::Ioc,
            2 => TimeInForce::Fok,
            _ if trigger.is_some() => TimeInForce::Gtc,
            _ => TimeInForce::PostOnly,
        };
        let market_order = !makes && matches!(force, TimeInForce::Ioc) && self.dice.one_in(3);
        let price = if market_order { None } else { Some(price) };
        self.client_id += 1;
        let client_id = if self.dice.one_in(3) { self.client_id } else { 0 };
        let self_trade =
            [SelfTrade::CancelResting, SelfTrade::CancelArriving, SelfTrade::CancelBoth, SelfTrade::Decrement]
                [self.dice.pick(&[12, 1, 1, 2])];
        Some(Command::PlaceOrder(PlaceOrder {
            account,
            market,
            side,
            size,
            price,
            force,
            reduce,
            client_id,
            trigger,
            leg,
            expires: self.expiry(),
            self_trade,
        }))
    }

    /// Fees, or a few orders, amendments and cancels at once.
    fn trading(&mut self, engine: &Engine) -> Command {
        let account = self.trader();
        match self.dice.pick(&[2, 1, 3, 8]) {
            0 => {
                let owner = engine.state().account(account).owner;
                Command::SetFeeTier { owner, tier: u8::try_from(self.dice.below(4)).unwrap_or(0) }
            }
            1 => {
                let discount = [0, 100_000_000, 500_000_000, 900_000_000][self.dice.pick(&[1, 3, 2, 1])];
                Command::SetFeeDiscount { discount: Rate::new(discount).unwrap_or(Rate::ZERO) }
            }
            2 => {
                let asset = [None, Some(0), Some(1), Some(2)][self.dice.pick(&[1, 1, 2, 2])].map(AssetId);
                Command::SetFeeAsset { account, asset }
            }
            _ => {
                let mut items = Vec::new();
                for _ in 0..self.dice.below(6) {
                    let one = if self.dice.one_in(3) { self.order_change(engine) } else { self.order(engine) };
                    items.extend(match one {
                        Some(Command::PlaceOrder(order)) => Some(BatchItem::Place(order)),
                        Some(Command::AmendOrder { account, order, price, size }) => {
                            Some(BatchItem::Amend { account, order, price, size })
                        }
                        Some(Command::CancelOrder { account, order }) => Some(BatchItem::Cancel { account, order }),
                        _ => None,
                    });
                }
                Command::Batch { items }
            }
        }
    }

    /// A few orders expire, soon; a few of those are over already or could not wait.
    fn expiry(&mut self) -> Option<Time> {
        let ns = self.dice.between(-1_000_000_000, 20_000_000_000);
        Some(self.now.plus_ns(ns)).filter(|_| self.dice.one_in(8))
    }

    fn trigger(&mut self, mark: i128) -> Trigger {
        let by = [TriggerBy::Mark, TriggerBy::Last, TriggerBy::Index][self.dice.pick(&[3, 1, 1])];
        let when = if self.dice.one_in(2) { TriggerWhen::AtOrAbove } else { TriggerWhen::AtOrBelow };
        let away = i128::from(self.dice.between(1, 50_000));
        let units = mark * (1_000_000 + if when == TriggerWhen::AtOrAbove { away } else { -away }) / 1_000_000;
        let price = i64::try_from(units).ok().and_then(Price::new).unwrap_or(Price::ONE);
        if self.dice.one_in(2) { self.trail(by, when, price, mark) } else { Trigger::fixed(by, when, price) }
    }

    /// A trailing trigger near the price, at once or from a price on; a few are too near or too far behind.
    fn trail(&mut self, by: TriggerBy, when: TriggerWhen, price: Price, mark: i128) -> Trigger {
        let ppm = [self.dice.between(100, 3_000), self.dice.between(1_000, 60_000), self.dice.between(-100, 700_000)]
            [self.dice.pick(&[5, 5, 1])];
        let distance = i64::try_from(mark * i128::from(ppm) / 1_000_000).ok().and_then(Price::new);
        let callback = match self.dice.pick(&[2, 1]) {
            0 => Callback::Rate(Rate::new(ppm * 1_000).unwrap_or(Rate::ONE)),
            _ => Callback::Distance(distance.unwrap_or(Price::ONE)),
        };
        let (when, price) = if self.dice.one_in(3) { (when.opposite(), price) } else { (when, Price::ZERO) };
        Trigger { by, when, price, trail: Some(callback) }
    }

    fn order_size(&mut self, engine: &Engine, account: AccountId, id: PositionId, closes: bool) -> Option<Size> {
        let state = engine.state();
        let row = state.market(id.market);
        let holder = state.margin_account(account, id).unwrap_or(account);
        let position = state.account(holder).position(id).abs();
        if closes {
            let part = self.dice.between(1, 120);
            let units = i128::from(position.units()) * i128::from(part) / 100;
            let size = Size::new(i64::try_from(units).ok()?)?.to_lot(row.params.lot);
            return Some(size.max(row.params.lot));
        }
        let terms = state.terms(account);
        let free = (terms.equity - terms.initial).max(Money::ZERO);
        let leverage = state.account(account).exposure(id).map_or(0, |e| e.leverage).max(1).min(row.leverage_max());
        let leverage = if leverage == 1 { row.leverage_max() } else { leverage };
        let each = row.params.contract.notional(row.mark, row.params.lot)?;
        let each = each.at_index(state.asset_price(row.params.settlement), Rate::ONE, Round::Up)?.max(Money::UNIT);
        let greed = i128::from(self.dice.below(self.character.greed + 10));
        let lots = free.units() / each.units() * i128::from(leverage) * greed / 100;
        let lots = lots.clamp(1, 10_000_000);
        Size::new(i64::try_from(lots * i128::from(row.params.lot.units())).ok()?)
    }

    /// Cancels and amendments of orders that are there, most of the time.
    fn order_change(&mut self, engine: &Engine) -> Option<Command> {
        let state = engine.state();
        let count = u64::try_from(state.orders.len()).ok()?;
        let at = usize::try_from(self.dice.below(count.max(1))).ok()?;
        let order = *state.orders.iter().nth(at)?;
        let account = state.parent_of(order.account);
        let by = if order.client_id != 0 && self.dice.one_in(2) {
            OrderRef::Client(order.client_id)
        } else {
            OrderRef::Id(order.id)
        };
        Some(match self.dice.pick(&[5, 1, 6, 2]) {
            0 => Command::CancelOrder { account, order: by },
            3 => {
                let timeout_ns = self.dice.between(0, 12) * 1_000_000_000;
                Command::CancelAllAfter { account, timeout_ns }
            }
            1 => Command::CancelAll { account, market: if self.dice.one_in(2) { Some(order.market) } else { None } },
            _ => {
                let params = &state.market(order.market).params;
                let ticks = self.dice.between(-20, 20) * i64::from(self.dice.one_in(2));
                let price = Price::new(order.price.units() + ticks * params.tick.units())?;
                let part = self.dice.between(1, 150);
                let units = i128::from(order.remaining.units()) * i128::from(part) / 100;
                let size = Size::new(i64::try_from(units).ok()?)?.to_lot(params.lot).max(params.lot);
                Command::AmendOrder { account, order: by, price, size }
            }
        })
    }

    fn amount(&mut self, asset: AssetId, share: u64) -> Money {
        let unit = [1_000_000i128, 20, 50_000][asset.index().min(2)];
        Money::from_units(i128::from(1 + self.dice.below(share)) * unit * 10_000_000_000)
    }

    fn money(&mut self, engine: &Engine) -> Command {
        let account = self.trader();
        let asset = AssetId(u8::try_from(self.dice.below(3)).unwrap_or(0));
        let withdrawal = engine.state().withdrawals.keys().next_back().copied().unwrap_or(0);
        if self.dice.one_in(12) {
            return self.standing(account);
        }
        match self.dice.pick(&[4, 5, 2, 1, 3, 1]) {
            0 => {
                self.reference += u64::from(!self.dice.one_in(10));
                Command::Deposit { account, asset, amount: self.amount(asset, 3_000), reference: self.reference }
            }
            1 => {
                let wallet = engine.state().account(account).wallet(asset).units();
                let part = i128::from(self.dice.between(1, 105));
                let step = 10_000_000_000;
                let amount = Money::from_units(wallet / 100 * part / step * step);
                Command::RequestWithdrawal { account, asset, amount }
            }
            2 => Command::ConfirmWithdrawal { withdrawal },
            3 => Command::ReturnWithdrawal { withdrawal },
            4 => Command::Transfer { from: account, to: self.trader(), asset, amount: self.amount(asset, 3_000) },
            _ => {
                let fund = AccountId(u32::try_from(self.dice.below(u64::from(FUNDS))).unwrap_or(0));
                self.reference += 1;
                Command::Deposit { account: fund, asset, amount: self.amount(asset, 1_000), reference: self.reference }
            }
        }
    }

    fn setting(&mut self, engine: &Engine) -> Command {
        let (mut account, mut market) = (self.trader(), self.market());
        let mut leg = if self.dice.one_in(2) { Leg::Net } else { Leg::Long };
        let open = engine.state().accounts.iter().enumerate().filter(|(_, a)| a.has_position());
        let open: Vec<AccountKind> =
            open.map(|(_, a)| a.kind).filter(|k| matches!(k, AccountKind::Isolated { .. })).collect();
        let some = usize::try_from(self.dice.below(u64::try_from(open.len()).unwrap_or(0))).unwrap_or(0);
        let child = open.get(some).copied();
        if let Some(AccountKind::Isolated { parent, market: m, leg: l }) = child.filter(|_| self.dice.one_in(2)) {
            (account, market, leg) = (parent, m, l);
        }
        let isolated = child.is_some();
        let settlement = engine.state().market(market).params.settlement;
        match self.dice.pick(&[3, 4, if isolated { 8 } else { 1 }, 3]) {
            0 => {
                let leverage = [1, 2, 5, 10, 20, 50, 100][self.dice.pick(&[1, 1, 2, 3, 3, 3, 1])];
                Command::SetLeverage { account, market, leverage }
            }
            1 => {
                let mode = if self.dice.one_in(3) { MarginMode::Cross } else { MarginMode::Isolated };
                Command::SetMarginMode { account, market, mode }
            }
            3 if self.dice.one_in(2) => {
                let only = [Some(AssetId(0)), Some(AssetId(1)), None][self.dice.pick(&[3, 1, 2])];
                Command::SetCollateralMode { account, only }
            }
            3 => {
                let mode = if self.dice.one_in(3) { PositionMode::OneWay } else { PositionMode::Hedge };
                Command::SetPositionMode { account, mode }
            }
            _ => {
                let amount = self.amount(settlement, 500);
                let amount = if self.dice.one_in(2) { amount } else { -amount };
                Command::AdjustIsolatedMargin { account, market, amount, leg }
            }
        }
    }

    /// Statuses of accounts, most of them lifted again; subaccounts of owners.
    fn standing(&mut self, account: AccountId) -> Command {
        if self.dice.one_in(8) {
            let limit = Some(u32::try_from(self.dice.below(4)).unwrap_or(0)).filter(|_| !self.dice.one_in(3));
            return Command::SetSubaccountLimit { owner: OwnerId(account.0 - FUNDS), limit };
        }
        if self.dice.one_in(6) {
            let name = super::venue::name("another");
            return Command::OpenAccount { owner: OwnerId(account.0 - FUNDS), role: engine::Role::Trading, name };
        }
        let status = [AccountStatus::Active, AccountStatus::ReduceOnly, AccountStatus::Frozen];
        let status = status[self.dice.pick(&[5, 3, 2])];
        Command::SetAccountStatus { account, status, reason: AccountReason::Risk }
    }

    /// A bid of some size and limit in an auction that is open; now and then where there is none.
    fn bid(&mut self, engine: &Engine) -> Command {
        let open = engine.auctions();
        let at = usize::try_from(self.dice.below(u64::try_from(open.len()).unwrap_or(0))).unwrap_or(0);
        // Of three, who has most to spare.
        let state = engine.state();
        let spare = |id: &AccountId| state.terms(*id).equity - state.terms(*id).initial;
        let some = [self.trader(), self.trader(), self.trader()];
        let able = some.into_iter().max_by_key(spare).unwrap_or(some[0]);
        let bidder = if self.dice.one_in(30) { AccountId(0) } else { able };
        let Some(auction) = open.get(at).filter(|_| !self.dice.one_in(20)) else {
            let (account, market, size, limit) = (self.trader(), self.market(), Size::whole(1), Price::whole(1));
            return Command::BidAuction(Bid { bidder, account, market, leg: Leg::Net, size, limit });
        };
        let lot = engine.state().market(auction.market).params.lot;
        let percent = i128::from([self.dice.between(1, 100), 100, 150][self.dice.pick(&[2, 2, 1])]);
        let units = i128::from(auction.size.abs().units()) * percent / 100;
        let size = i64::try_from(units).ok().and_then(Size::new).map_or(lot, |size| size.to_lot(lot).max(lot));
        let ppm = i128::from([1_000_000, self.dice.between(990_000, 1_010_000)][self.dice.pick(&[3, 1])]);
        let units = i128::from(auction.price.units()) * ppm / 1_000_000;
        let limit = i64::try_from(units).ok().and_then(Price::new).unwrap_or(auction.price);
        let (account, market, leg) = (auction.account, auction.market, auction.leg);
        Command::BidAuction(Bid { bidder, account, market, leg, size, limit })
    }

    fn backstop(&mut self) -> Command {
        if self.dice.one_in(3) {
            return self.reserve();
        }
        let account = self.trader();
        let limit = Money::whole([0, 100, 5_000, 100_000][self.dice.pick(&[1, 1, 2, 2])]);
        Command::CommitBackstop { account, limit }
    }

    /// The last fund behind one of the others, now and then another way round.
    pub(super) fn reserve(&mut self) -> Command {
        let fund =
            |dice: &mut super::Dice, most: u32| AccountId(u32::try_from(dice.below(u64::from(most))).unwrap_or(0));
        let (any, odd) = (fund(&mut self.dice, FUNDS), self.dice.one_in(4));
        let (fund, behind) =
            (fund(&mut self.dice, if odd { FUNDS } else { FUNDS - 1 }), if odd { any } else { AccountId(FUNDS - 1) });
        let limit = Money::whole([1, 50, 2_000, 100_000][self.dice.pick(&[1, 2, 2, 1])]);
        let window_ns = [2, 600, 86_400][self.dice.pick(&[1, 2, 1])] * Time::SECOND_NS;
        let reserve = Some(Reserve { fund: behind, limit, window_ns }).filter(|_| !self.dice.one_in(6));
        Command::SetReserve { fund, reserve }
    }

    /// Limits of an account, owner or group, near what is held; groups of owners.
    fn limit(&mut self) -> Command {
        let trader = u32::try_from(self.dice.below(u64::from(self.character.traders))).unwrap_or(0);
        let group = GroupId(u32::try_from(self.dice.below(2)).unwrap_or(0));
        if self.dice.one_in(4) {
            let group = Some(group).filter(|_| !self.dice.one_in(4));
            return Command::SetOwnerGroup { owner: OwnerId(trader), group };
        }
        let scope = match self.dice.below(3) {
            0 => LimitScope::Account(AccountId(FUNDS + trader)),
            1 => LimitScope::Owner(OwnerId(trader)),
            _ => LimitScope::Group(group),
        };
        let orders = Some(u32::try_from(self.dice.below(12)).unwrap_or(0)).filter(|_| self.dice.one_in(2));
        let money = |dice: &mut super::Dice| Some(Money::whole([0, 300, 5_000, 100_000][dice.pick(&[1, 2, 3, 3])]));
        let position = money(&mut self.dice).filter(|_| self.dice.one_in(2));
        let open = money(&mut self.dice).filter(|_| self.dice.one_in(2));
        let limits =
            if self.dice.one_in(6) { ExposureLimits::default() } else { ExposureLimits { orders, position, open } };
        Command::SetLimits { scope, limits: Box::new(limits) }
    }

    /// The third asset, in which no market settles, ends as collateral in two steps; now and then taken back.
    fn delisting(&mut self, engine: &Engine) -> Command {
        let asset = AssetId(2);
        if engine.state().delistings.contains_key(&asset) && self.dice.one_in(2) {
            return Command::CancelDelisting { asset };
        }
        let first = self.now.plus_ns(self.dice.between(0, 900) * Time::SECOND_NS);
        let half = Rate::new(self.dice.between(1, 900_000_000)).unwrap_or(Rate::ZERO);
        let last = HaircutStep { at: first.plus_ns(60 * Time::SECOND_NS), haircut: Rate::ZERO };
        Command::ScheduleDelisting { asset, steps: vec![HaircutStep { at: first, haircut: half }, last] }
    }

    /// The end of a market, most of the time a few minutes ahead; now and then taken back.
    fn ending(&mut self, engine: &Engine, market: MarketId) -> Command {
        if engine.state().schedules.contains_key(&market) && self.dice.one_in(3) {
            return Command::CancelSettlement { market };
        }
        let minute = 60 * Time::SECOND_NS;
        let next = self.now.ns() - self.now.ns().rem_euclid(minute) + minute;
        let reduce_only_at = Time::from_ns(next + self.dice.between(0, 4) * minute);
        let least = i64::from(!self.dice.one_in(8));
        let settle_at = reduce_only_at.plus_ns(self.dice.between(least, 6) * minute);
        let window_ns = self.dice.between(1, 5) * minute;
        Command::ScheduleSettlement { market, expiry: Expiry { reduce_only_at, settle_at, window_ns } }
    }

    /// The fourth market changes its unit, once it is halted; now and then an index that cannot split is tried.
    fn split(&mut self, engine: &Engine) -> Command {
        let factor = [2, 10, 1_000, 3, 1][self.dice.pick(&[4, 4, 4, 1, 1])];
        let lots = engine.state().market(NEW).params.lot.units() / venue::NEW_LOT.units();
        // It comes back to where it was, so that there is no end to it.
        let joins = if lots > 1 { 5 } else { 1 };
        let split = if self.dice.below(6) < joins { Split::Join(factor) } else { Split::Into(factor) };
        let index = if self.dice.one_in(12) { self.dice.below(4) } else { 3 };
        if engine.state().market(NEW).status != MarketStatus::Halted && !self.dice.one_in(6) {
            return Command::SetMarketStatus { market: NEW, status: MarketStatus::Halted };
        }
        Command::SplitIndex { index: IndexId(u16::try_from(index).unwrap_or(0)), split }
    }

    fn operator(&mut self, engine: &Engine) -> Command {
        let halted = engine.state().market(NEW).status == MarketStatus::Halted;
        if self.dice.one_in(if halted { 4 } else { 12 }) {
            return self.split(engine);
        }
        if self.dice.one_in(12) {
            return Command::LaunchIndex { index: IndexId(if self.dice.one_in(8) { 1 } else { 3 }) };
        }
        let over = |m: &MarketId| engine.state().market(*m).is_over();
        let restricted = |m: &MarketId| engine.state().market(*m).status != MarketStatus::Open && !over(m);
        let closed = (0..MARKETS).map(MarketId).find(restricted);
        let market = closed.unwrap_or_else(|| self.market());
        let status = engine.state().market(market).status;
        if engine.state().delistings.contains_key(&AssetId(2)) && self.dice.one_in(3) {
            return Command::CancelDelisting { asset: AssetId(2) };
        }
        match self.dice.pick(&[if closed.is_some() { 90 } else { 3 }, 3, 2, 2, 2, 2, 3]) {
            0 => {
                use MarketStatus::{CancelOnly, Halted, Open, PostOnly, ReduceOnly, Settled, Settling};
                let next = match status {
                    Halted | ReduceOnly => CancelOnly,
                    CancelOnly => PostOnly,
                    PostOnly => Open,
                    Settling | Settled => Open,
                    Open => [PostOnly, ReduceOnly, CancelOnly, Halted][self.dice.pick(&[2, 1, 1, 1])],
                };
                Command::SetMarketStatus { market, status: next }
            }
            1 => {
                let rate = Rate::new(self.dice.between(-20_000_000, 20_000_000)).unwrap_or(Rate::ZERO);
                Command::SetFundingRate { market, rate }
            }
            2 => {
                let at = market.index();
                let mut params = venue::markets(&mut self.dice).swap_remove(at);
                let old = &engine.state().market(market).params;
                (params.contract, params.funding.interval_ns) = (old.contract, old.funding.interval_ns);
                (params.kind, params.mark) = (old.kind, old.mark);
                (params.tick, params.lot) = (old.tick, old.lot);
                Command::SetMarketParams { market, params: Box::new(params) }
            }
            3 if self.dice.one_in(3) => {
                let asset = AssetId(u8::try_from(self.dice.below(2)).unwrap_or(0));
                let mut params = engine.state().asset(asset).params;
                let unit = [1_000_000i128, 20][asset.index().min(1)] * 10_000_000_000;
                params.borrow = venue::borrow(&mut self.dice, Money::from_units(unit));
                Command::SetAssetParams { asset, params: Box::new(params) }
            }
            3 => {
                let asset = AssetId(u8::try_from(1 + self.dice.below(2)).unwrap_or(1));
                let mut params = engine.state().asset(asset).params;
                params.haircut = Rate::new(self.dice.between(500_000_000, 1_000_000_000)).unwrap_or(Rate::ONE);
                params.schedule = CollateralSchedule::default();
                if self.dice.one_in(2) {
                    let unit = [1_000_000i128, 20, 50_000][asset.index().min(2)] * 10_000_000_000;
                    let first = Money::from_units(i128::from(1 + self.dice.below(2_000)) * unit);
                    let second = first + Money::from_units(i128::from(1 + self.dice.below(4_000)) * unit);
                    let share =
                        |dice: &mut super::Dice, most: i64| Rate::new(dice.between(0, most)).unwrap_or(Rate::ZERO);
                    let tiers = &mut params.schedule.tiers;
                    tiers[0] = HaircutTier { above: first, haircut: share(&mut self.dice, 500_000_000) };
                    tiers[1] = HaircutTier { above: second, haircut: share(&mut self.dice, tiers[0].haircut.units()) };
                    params.schedule.venue_cap = self.amount(asset, 100_000_000);
                }
                Command::SetAssetParams { asset, params: Box::new(params) }
            }
            4 => {
                let index = IndexId(u16::try_from(self.dice.below(2)).unwrap_or(0));
                let mut params = engine.state().index(index).params.clone();
                params.rule.quorum = 1 + u8::try_from(self.dice.below(3)).unwrap_or(0);
                params.redemption = params.redemption.filter(|_| self.dice.one_in(2));
                params.weights =
                    params.weights.iter().map(|_| 1 + u32::try_from(self.dice.below(3)).unwrap_or(0)).collect();
                Command::SetIndexParams { index, params: Box::new(params) }
            }
            5 => Command::SetRiskParams(Box::new(venue::risk(&mut self.dice))),
            _ if self.dice.one_in(4) => self.delisting(engine),
            _ => self.ending(engine, market),
        }
    }
}
