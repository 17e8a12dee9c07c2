//! Plimsoll's side of the comparison: writes the order flow, runs it through the venue, and runs the hot pair of accounts.
//!
//! `ours flow FILE` | `ours run FILE`. The venue and the flow are those of `crates/engine/benches/venue.rs` (100,000
//! accounts, 20 markets, each account in its two); a bench cannot be imported, so a change there is repeated here.

mod flow;

use flow::FlowOrder;
use plimsoll_engine::params::{AdlPolicy, AdlPrice, AssetParams, IndexParams, LiquidationParams, LiquidationPolicy, MarketParams};
use plimsoll_engine::{
    AccountId, AssetId, Command, Engine, Event, IndexId, MarketId, Name, OwnerId, PlaceOrder, Quote, Reduce, Role,
    Side, TimeInForce,
};
use rules::{Contract, FundingRule, IndexRule, Ladder, MarkRule, TierTable};
use units::{Money, Price, Rate, Size, Time};

const ACCOUNTS: u32 = 100_000;
const MARKETS: u16 = 20;
const ORDERS: u32 = 1_000_000;
const START: i64 = 1_760_000_000_000_000_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match (args.get(1).map(String::as_str), args.get(2)) {
        (Some("flow"), Some(path)) => std::fs::write(path, write_flow()).expect("a writable path"),
        (Some("run"), Some(path)) => {
            let orders = flow::read(path);
            venue_flow(&orders);
            hot_pair(&orders);
        }
        _ => panic!("usage: ours flow FILE | ours run FILE"),
    }
}

/// The bench's orders, in its own random sequence.
fn write_flow() -> Vec<u8> {
    let mut random = Random(7);
    for _ in 0..ACCOUNTS.div_ceil(1_024) {
        let _ = random.below(2); // the bench draws these while it opens positions
    }
    let mut bytes = Vec::new();
    for _ in 0..ORDERS {
        let side = u8::from(random.below(2) != 0);
        let ticks = random.below(40) as i32 - 20;
        let ioc = u8::from(random.below(2) != 0);
        let account = random.below(u64::from(ACCOUNTS)) as u32;
        let market = home(account, random.below(2) as u32);
        bytes.extend((account + 1).to_le_bytes());
        bytes.extend(market.to_le_bytes());
        bytes.extend([side, ioc]);
        bytes.extend(ticks.to_le_bytes());
    }
    bytes
}

/// Random accounts and markets: order, book, fill, both sides' positions and margins, events and digest.
fn venue_flow(orders: &[FlowOrder]) {
    let mut engine = venue(ACCOUNTS, MARKETS, Money::whole(10_000));
    open_positions(&mut engine);
    let commands: Vec<Command> = orders
        .iter()
        .map(|o| {
            let force = if o.ioc { TimeInForce::Ioc } else { TimeInForce::Gtc };
            order(o.account, o.market, o.buys, Size::whole(1), 10_000 + i64::from(o.ticks), force)
        })
        .collect();
    timed("plimsoll-flow", &mut engine, &commands);
}

/// One taker against one maker's two large resting orders: everything stays in cache, both sides are margined.
fn hot_pair(orders: &[FlowOrder]) {
    let mut engine = venue(2, 1, Money::whole(500_000_000));
    let at = Time::from_ns(START + 1);
    for (buys, cents) in [(true, 9_999), (false, 10_001)] {
        let resting = order(2, 0, buys, Size::whole(1_000_000), cents, TimeInForce::Gtc);
        engine.apply(at, &resting).expect("the maker can afford it");
    }
    engine.end_batch();
    let taker = |o: &FlowOrder| {
        let cents = if o.buys { 10_001 } else { 9_999 };
        order(1, 0, o.buys, Size::whole(1), cents, TimeInForce::Ioc)
    };
    let commands: Vec<Command> = orders.iter().map(taker).collect();
    timed("plimsoll-hot", &mut engine, &commands);
}

fn timed(job: &str, engine: &mut Engine, commands: &[Command]) {
    let mut at = engine.state().now.ns();
    let (mut fills, mut refused) = (0usize, 0u64);
    let started = flow::cpu_ns();
    for batch in commands.chunks(1_000) {
        for command in batch {
            at += 10_000;
            refused += u64::from(engine.apply(Time::from_ns(at), command).is_err());
        }
        fills += engine.events().iter().filter(|e| matches!(e, Event::Filled { .. })).count();
        engine.end_batch();
    }
    let total = flow::cpu_ns() - started;
    flow::print(job, env!("CARGO_PKG_VERSION"), total, commands.len(), &format!("{fills} fills, {refused} refused"));
}

fn order(account: u32, market: u16, buys: bool, size: Size, cents: i64, force: TimeInForce) -> Command {
    Command::PlaceOrder(PlaceOrder {
        account: AccountId(account),
        market: MarketId(market),
        side: if buys { Side::Buy } else { Side::Sell },
        size,
        price: Some(Price::new(cents * 1_000_000).expect("in range")),
        force,
        reduce: Reduce::Any,
        client_id: 0,
        trigger: None,
        leg: Default::default(),
        expires: None,
        self_trade: Default::default(),
    })
}

fn open_positions(engine: &mut Engine) {
    let mut at = START;
    for n in 0..ACCOUNTS {
        for k in 0..2u32 {
            at += 1_000;
            let command = order(n + 1, home(n, k), n % 2 == 0, Size::whole(1), 10_000, TimeInForce::Gtc);
            engine.apply(Time::from_ns(at), &command).expect("opening orders are good");
        }
        if n % 1_024 == 0 {
            engine.end_batch();
        }
    }
    engine.end_batch();
}

/// The k-th market of an account; neighbours share theirs, so that they can trade with each other.
fn home(account: u32, k: u32) -> u16 {
    ((account / 2 + k * 7) % u32::from(MARKETS)) as u16
}

fn venue(accounts: u32, markets: u16, deposit: Money) -> Engine {
    let mut engine = Engine::new();
    let at = Time::from_ns(START);
    let mut apply = |command: &Command| engine.apply(at, command).expect("set-up is good");
    let name = |text: &str| Name::new(text).expect("a good name");
    apply(&Command::OpenAccount { owner: OwnerId(0), role: Role::Fund, name: name("fund") });
    let rate = |text: &str| text.parse::<Rate>().expect("a rate");
    let asset = AssetParams {
        name: name("USDC"),
        decimals: 6,
        index: None,
        haircut: Rate::ONE,
        conversion_discount: Rate::ZERO,
        schedule: Default::default(),
        borrow: Default::default(),
    };
    apply(&Command::AddAsset(Box::new(asset)));
    let tiers = [("100000", "0.02", "0.01"), ("1000000", "0.04", "0.02"), ("1000000000", "0.1", "0.05")];
    let tiers = tiers.map(|(cap, i, m)| (cap.parse().expect("money"), rate(i), rate(m)));
    for n in 0..markets {
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
            guards: Default::default(),
            fee_tiers: Vec::new(),
            kind: Default::default(), realise_every_ns: 0,
        })));
    }
    for n in 1..=accounts {
        apply(&Command::OpenAccount { owner: OwnerId(n), role: Role::Trading, name: name("a") });
        apply(&Command::Deposit { account: AccountId(n), asset: AssetId(0), amount: deposit, reference: u64::from(n) });
    }
    let price = Price::whole(100);
    let quote = |n: u16| (0..3u8).map(move |source| Quote { index: IndexId(n), source, price, time: at });
    apply(&Command::SetPrices { quotes: (0..markets).flat_map(quote).collect() });
    engine.end_batch();
    engine
}

/// SplitMix64, as in the bench.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
