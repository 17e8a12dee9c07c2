//! A venue of many accounts and random orders for it: what every bench of the order path uses, so that they can be compared.

use engine::params::{
    AdlPolicy, AdlPrice, AssetParams, CollateralSchedule, IndexParams, LiquidationParams, LiquidationPolicy,
    MarketGuards, MarketParams,
};
use engine::{
    AccountId, AssetId, Command, IndexId, MarketId, Name, OwnerId, PlaceOrder, Quote, Role, Side, TimeInForce,
};
use rules::{Contract, FundingRule, IndexRule, Ladder, MarkRule, TierTable};
use units::{Money, Price, Rate, Size, Time};

pub const MARKETS: u16 = 20;
pub const START: i64 = 1_760_000_000_000_000_000;

/// Random orders over all accounts: half cross the spread, the rest rest near it.
pub fn random_order(accounts: u32, spread: u16, random: &mut Random) -> Command {
    let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
    let offset = random.below(40) as i64 - 20;
    let price = Price::new((10_000 + offset) * 1_000_000).expect("in range");
    let force = if random.below(2) == 0 { TimeInForce::Gtc } else { TimeInForce::Ioc };
    let account = random.below(u64::from(accounts)) as u32;
    let market = home(account, random.below(u64::from(spread)) as u32);
    order(account + 1, market, side, price, force)
}

pub fn order(account: u32, market: u16, side: Side, price: Price, force: TimeInForce) -> Command {
    let order = PlaceOrder::limit(AccountId(account), MarketId(market), side, Size::whole(1), price);
    Command::PlaceOrder(PlaceOrder { force, ..order })
}

/// Orders that open two positions for each account: the time of each, and the command. They follow the set-up.
pub fn openings(accounts: u32) -> impl Iterator<Item = (i64, Command)> {
    let one = move |n: u32, k: u32| {
        let side = if n.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        order(n + 1, home(n, k), side, Price::whole(100), TimeInForce::Gtc)
    };
    let all = (0..accounts).flat_map(move |n| (0..2).map(move |k| one(n, k)));
    all.zip(1..).map(|(command, count)| (START + count * 1_000, command))
}

/// The k-th market of an account; neighbours share theirs, so that they can trade with each other.
pub fn home(account: u32, k: u32) -> u16 {
    ((account / 2 + k * 7) % u32::from(MARKETS)) as u16
}

/// What makes the venue: a fund, an asset, markets, accounts with 10,000 each, prices of 100. All at [`START`].
pub fn setup(accounts: u32, apply: &mut dyn FnMut(&Command)) {
    let name = |text: &str| Name::new(text).expect("a good name");
    apply(&Command::OpenAccount { owner: OwnerId(0), role: Role::Fund, name: name("fund") });
    let rate = |text: &str| text.parse::<Rate>().expect("a rate");
    let asset = AssetParams {
        name: name("USDC"),
        decimals: 6,
        index: None,
        haircut: Rate::ONE,
        conversion_discount: Rate::ZERO,
        schedule: CollateralSchedule::default(),
        borrow: Default::default(),
    };
    apply(&Command::AddAsset(Box::new(asset)));
    let tiers = [("100000", "0.02", "0.01"), ("1000000", "0.04", "0.02"), ("1000000000", "0.1", "0.05")];
    let tiers = tiers.map(|(cap, i, m)| (cap.parse().expect("money"), rate(i), rate(m)));
    for n in 0..MARKETS {
        let index = IndexParams {
            name: name(&format!("I{n}")),
            weights: vec![1, 1, 1],
            rule: IndexRule { quorum: 2, max_deviation: rate("0.03") },
            stale_ns: 3_600 * Time::SECOND_NS,
            speed: rate("0.1"),
            reduce_only_after_ns: 3_600 * Time::SECOND_NS,
            redemption: None,
            last_resort: Default::default(),
            own: None,
        };
        apply(&Command::AddIndex(Box::new(index)));
        apply(&Command::ListMarket(Box::new(MarketParams {
            name: name(&format!("M{n}-PERP")),
            contract: Contract::Linear,
            settlement: AssetId(0),
            index: IndexId(n),
            tick: "0.01".parse().expect("price"),
            lot: "0.001".parse().expect("size"),
            taker_fee: rate("0.0005"),
            maker_fee: rate("0.0002"),
            closing_fee: Rate::ZERO,
            ladder: Ladder::Tiers(TierTable::derive(&tiers).expect("tiers")),
            mark: MarkRule::Index,
            mark_band: rate("0.05"),
            mark_speed: rate("0.1"),
            order_band: rate("0.1"),
            funding: FundingRule {
                interval_ns: 28_800 * Time::SECOND_NS,
                interest: rate("0.0001"),
                clamp: rate("0.0005"),
                cap: rate("0.003"),
                floor: rate("-0.003"),
            },
            impact_notional: Money::whole(10_000),
            funding_gap_ns: 86_400 * Time::SECOND_NS,
            liquidation: LiquidationParams {
                fee: rate("0.01"),
                band: rate("0.02"),
                depth_share: rate("0.5"),
                fund_limit: Money::whole(10_000_000),
                adl_price: AdlPrice::Bankruptcy,
                policy: LiquidationPolicy::ToTarget,
                adl_policy: AdlPolicy::ProfitLeverage,
                loss: Default::default(),
            },
            fund: AccountId(0),
            rulebook: [0; 16],
            guards: MarketGuards::default(),
            fee_tiers: Vec::new(),
            kind: Default::default(),
            realise_every_ns: 0,
            option: None,
        })));
    }
    for n in 1..=accounts {
        apply(&Command::OpenAccount { owner: OwnerId(n), role: Role::Trading, name: name("a") });
        apply(&Command::Deposit {
            account: AccountId(n),
            asset: AssetId(0),
            amount: Money::whole(10_000),
            reference: u64::from(n),
        });
    }
    apply(&prices(Time::from_ns(START), 10_000_000_000));
}

/// Three quotes for each market.
pub fn prices(at: Time, units: i64) -> Command {
    let price = Price::new(units).expect("a price");
    let quote = |n: u16| (0..3u8).map(move |source| Quote { index: IndexId(n), source, price, time: at });
    Command::SetPrices { quotes: (0..MARKETS).flat_map(quote).collect() }
}

/// SplitMix64: a bench's inputs, the same every time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// CPU time of this thread so far.
pub fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}
