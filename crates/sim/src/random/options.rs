//! Option markets of some random venues: a perpetual call with a right to leave and a put that ends, on the first index, marked from
//! an index of their own. They draw only in venues that have them, so that all others stay as they were.

use super::{Random, SOURCES, START_NS, venue};
use engine::params::{Expiry, IndexParams, Kind, LiquidationPolicy, MarketGuards, MarketParams, OptionTerms};
use engine::{
    Command, Engine, IndexId, Leg, MarketId, MarketStatus, PlaceOrder, ProtectionLimits, Quote, Reduce, SelfTrade,
    Side, TimeInForce,
};
use rules::options::Right;
use rules::{IndexRule, OptionMaintenance, OptionMarginRule, ShortOptionRule};
use units::{Money, Price, Rate, Round, Size, Time};

/// Every fourth seed.
pub fn has_them(seed: u64) -> bool {
    seed.is_multiple_of(4)
}

/// The index of their volatility.
const VOLATILITY: IndexId = IndexId(super::MARKETS);
const CALL: MarketId = MarketId(super::MARKETS);
const PUT: MarketId = MarketId(super::MARKETS + 1);

/// Index and markets, after those of every venue.
pub fn commands(random: &mut Random, base: &MarketParams) -> Vec<Command> {
    let dice = &mut random.dice;
    let volatility = Command::AddIndex(Box::new(IndexParams {
        name: venue::name("BTC-VOL"),
        weights: vec![1; usize::from(SOURCES)],
        rule: IndexRule { quorum: 2, max_deviation: venue::rate("0.5") },
        stale_ns: [120, 3_600][dice.pick(&[1, 3])] * Time::SECOND_NS,
        speed: venue::rate("0.1"),
        reduce_only_after_ns: 600 * Time::SECOND_NS,
        redemption: None,
        last_resort: Default::default(),
        own: None,
    }));
    let half = Rate::bps(5_000);
    let shares = OptionMaintenance::Shares {
        spot: venue::rate("0.075"),
        put_mark: venue::rate("0.075"),
        put_initial: venue::rate("1.1"),
    };
    let margin = OptionMarginRule {
        short: ShortOptionRule {
            initial: Rate::bps(1_500),
            initial_least: Rate::bps(1_000),
            maintenance: if dice.one_in(2) { shares } else { OptionMaintenance::OfInitial(half) },
            put_cap: dice.one_in(2).then_some(half),
        },
        long: venue::rate(["0", "0.2", "1"][dice.pick(&[1, 1, 1])]),
        long_maintenance: venue::rate(["0.5", "1"][dice.pick(&[1, 1])]),
    };
    let minute = 60 * Time::SECOND_NS;
    let terms = OptionTerms {
        right: Right::Call,
        strike: Price::whole([30_000, 50_000, 70_000][dice.pick(&[1, 2, 1])]),
        volatility: VOLATILITY,
        period_ns: [3_600, 86_400][dice.pick(&[1, 1])] * Time::SECOND_NS,
        interest: venue::rate(["0", "0.2"][dice.pick(&[2, 1])]),
        margin,
        exit: Some(venue::rate(["0", "0.01"][dice.pick(&[1, 1])])),
    };
    let mut call = MarketParams {
        name: venue::name("BTC-CALL"),
        guards: MarketGuards::default(),
        option: Some(terms),
        order_band: venue::rate("0.1"),
        funding_gap_ns: [30, 7_200][dice.pick(&[1, 2])] * Time::SECOND_NS,
        ..base.clone()
    };
    if !matches!(call.liquidation.policy, LiquidationPolicy::Fraction { .. } | LiquidationPolicy::FullClose) {
        call.liquidation.policy = LiquidationPolicy::ToTarget;
    }
    let reduce_only_at = Time::from_ns(START_NS).plus_ns(dice.between(5, 60) * minute);
    let settle_at = reduce_only_at.plus_ns(dice.between(10, 60) * minute);
    let expiry = Expiry { reduce_only_at, settle_at, window_ns: dice.between(1, 10) * minute };
    let put = MarketParams {
        name: venue::name("BTC-PUT"),
        kind: Kind::Dated(expiry),
        option: Some(OptionTerms {
            right: Right::Put,
            strike: Price::whole([40_000, 50_000, 60_000][dice.pick(&[1, 1, 1])]),
            period_ns: 0,
            interest: Rate::ZERO,
            exit: None,
            ..terms
        }),
        ..call.clone()
    };
    let list = |params: MarketParams| Command::ListMarket(Box::new(params));
    vec![volatility, list(call), list(put)]
}

impl Random {
    /// Quotes of the volatility, all near one another.
    pub(super) fn volatility(&mut self) -> Command {
        let middle = self.dice.between(30_000_000, 120_000_000);
        let quotes = (0..SOURCES).map(|source| {
            let units = middle + self.dice.between(-300_000, 300_000);
            let price = Price::new(units).unwrap_or(Price::ONE);
            Quote { index: VOLATILITY, source, price, time: self.now }
        });
        Command::SetPrices { quotes: quotes.collect() }
    }

    /// One act in the option markets.
    pub(super) fn option_act(&mut self, engine: &Engine) -> Command {
        let account = self.trader();
        match self.dice.pick(&[20, 100, 8, 6, 2]) {
            0 => self.volatility(),
            1 => self.option_order(engine).unwrap_or(Command::Tick),
            2 => {
                let size = Size::new(self.dice.between(1, 40) * 100_000).unwrap_or(Size::whole(1));
                let held = engine.state().account(account).position(CALL.net());
                let size = if held.is_positive() && !self.dice.one_in(8) { size.min(held) } else { size };
                Command::ExitOption { account, market: if self.dice.one_in(20) { PUT } else { CALL }, size }
            }
            3 => {
                let limits = ProtectionLimits {
                    window_ns: [1, 60, 3_600][self.dice.pick(&[1, 1, 1])] * Time::SECOND_NS,
                    freeze_ns: [0, 10, 600][self.dice.pick(&[1, 2, 2])] * Time::SECOND_NS,
                    contracts: Size::new(self.dice.between(0, 3) * 10_000_000).unwrap_or(Size::ZERO),
                    delta: Size::new(self.dice.between(0, 2) * 10_000_000).unwrap_or(Size::ZERO),
                    vega: Money::whole([0, 50, 1_000][self.dice.pick(&[1, 1, 1])]),
                };
                let limits = if self.dice.one_in(5) { None } else { Some(limits) };
                Command::SetProtection { account, index: IndexId(0), limits }
            }
            _ => {
                let market = if self.dice.one_in(2) { CALL } else { PUT };
                match engine.state().markets.get(market.index()).map(|m| m.status) {
                    Some(MarketStatus::Open) if self.dice.one_in(6) => {
                        Command::SetMarketStatus { market, status: MarketStatus::Halted }
                    }
                    Some(MarketStatus::Halted | MarketStatus::ReduceOnly) => {
                        Command::SetMarketStatus { market, status: MarketStatus::CancelOnly }
                    }
                    Some(MarketStatus::CancelOnly) => {
                        Command::SetMarketStatus { market, status: MarketStatus::PostOnly }
                    }
                    Some(MarketStatus::PostOnly) => Command::SetMarketStatus { market, status: MarketStatus::Open },
                    _ => Command::CancelAll { account, market: Some(market) },
                }
            }
        }
    }

    fn option_order(&mut self, engine: &Engine) -> Option<Command> {
        let account = self.trader();
        let market = if self.dice.one_in(2) { CALL } else { PUT };
        let row = engine.state().markets.get(market.index())?;
        let mark = row.mark.units();
        let side = if self.dice.one_in(2) { Side::Buy } else { Side::Sell };
        let makes = self.dice.one_in(2);
        // Up to 0.5 % of the underlying behind the mark, or through it.
        let spot = engine.state().index(row.params.index).price.units();
        let away = spot / 1_000_000 * self.dice.between(-500, 5_000);
        let units = mark + if (side == Side::Buy) == makes { -away } else { away };
        let price = Price::new(units.max(1))?.to_tick(row.params.tick, Round::Up)?;
        let size = Size::new(self.dice.between(1, 20) * [100_000, 5_000_000][self.dice.pick(&[1, 1])])?;
        let force = [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::PostOnly][self.dice.pick(&[6, 3, 1])];
        let price = if force == TimeInForce::Ioc && self.dice.one_in(3) { None } else { Some(price) };
        let reduce = if self.dice.one_in(8) { Reduce::Only } else { Reduce::Any };
        Some(Command::PlaceOrder(PlaceOrder {
            account,
            market,
            side,
            size,
            price,
            force,
            reduce,
            client_id: 0,
            trigger: None,
            leg: Leg::Net,
            expires: None,
            self_trade: SelfTrade::CancelResting,
        }))
    }
}
