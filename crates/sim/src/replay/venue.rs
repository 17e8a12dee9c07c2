//! The venue of a replay: assets, indices, markets, fund, makers, hedgers and volunteers, built by ordinary commands.

use super::ReplayError;
use super::config::Config;
use super::desk::Desk;
use super::figures::Figures;
use super::population::{AccountPlan, MarketSpec, grid};
use engine::params::{AssetParams, IndexParams, LiquidationParams, MarketParams, RiskParams};
use engine::{AccountId, Answer, AssetId, Command, IndexId, MarketId, MarketStatus, Name, Quote, Role, Side};
use rules::{Contract, FundingRule, IndexRule, LineRule, MarkRule};
use units::{Money, Price, Rate, Round, Size};

/// Everything that the run addresses.
#[derive(Clone, Debug)]
pub struct Venue {
    /// The quote asset: collateral, profit and fees.
    pub quote: AssetId,
    /// BTC and ETH, where their prices are known.
    pub coins: Vec<Coin>,
    /// Markets in the order of the figures.
    pub markets: Vec<Listed>,
    /// The insurance fund of all markets.
    pub fund: AccountId,
    /// Market makers.
    pub makers: Vec<AccountId>,
    /// Holders of what longs and shorts of the population leave over.
    pub hedgers: Vec<AccountId>,
    /// Volunteers.
    pub backstops: Vec<AccountId>,
    /// Trades one lot with the makers at every step, so that last follows the quotes.
    pub tape: AccountId,
}

/// A coin that is collateral.
#[derive(Clone, Copy, Debug)]
pub struct Coin {
    /// The asset.
    pub asset: AssetId,
    /// First price.
    pub open: Price,
}

/// A listed market.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its handle.
    pub market: MarketId,
    /// Its index.
    pub index: IndexId,
    /// What the population knows of it.
    pub spec: MarketSpec,
    /// Planned opening interest: notional of the larger side at the first price.
    pub interest: Money,
    /// One contract is 10^`power` base units.
    pub power: u32,
}

/// Digits after the point that amounts of an account from a file may have, quote and coins: all there are.
const ASSET_DECIMALS: u8 = 16;
/// Digits after the point of the quote that drawn accounts pay in.
pub const QUOTE_DECIMALS: u8 = 6;
/// Digits of their coins.
pub const COIN_DECIMALS: u8 = 8;
/// Collateral value of a coin.
pub const COIN_HAIRCUT: Rate = Rate::bps(9_500);
/// What the converter takes off the index.
const CONVERSION_DISCOUNT: Rate = Rate::bps(250);
/// Coins that are collateral, by the symbol of their price.
const COINS: [(&str, &str); 2] = [("BTCUSDT", "BTC"), ("ETHUSDT", "ETH")];
/// Accounts that share what longs and shorts leave over.
const HEDGERS: u32 = 16;
/// Sources of each index: one says the price, the others 0.2 bps above and below it; the median is the price.
const SOURCES: [i64; 3] = [0, 20_000, -20_000];
/// Owners of the venue's own accounts are numbered from here.
const OWNERS: u32 = 4_000_000_000;
/// Interval of funding where no rates show another.
const FUNDING_INTERVAL_MS: i64 = 28_800_000;

/// What the population needs to know of each market.
#[must_use]
pub fn specs(figures: &Figures) -> Vec<MarketSpec> {
    let spec = |m: &super::figures::MarketFigures| {
        let first = m.candles.first().map_or(Price::ONE, |c| c.open);
        let (tick, lot) = grid(first);
        let open = first.to_tick(tick, Round::Down).unwrap_or(first);
        let weight = u64::try_from(m.turnover).unwrap_or(0).clamp(1, 1 << 48);
        MarketSpec { symbol: m.symbol.clone(), open, tick, lot, ladder: m.tiers.ladder.clone(), weight }
    };
    figures.markets.iter().map(spec).collect()
}

/// How many coins the figures price.
#[must_use]
pub fn coin_count(figures: &Figures) -> usize {
    COINS.iter().filter(|(symbol, _)| coin_price(figures, symbol).is_some()).count()
}

fn coin_price(figures: &Figures, symbol: &str) -> Option<(usize, Price)> {
    let mut markets = figures.markets.iter().enumerate();
    let (at, market) = markets.find(|(_, m)| m.symbol == symbol && m.power == 0)?;
    Some((at, market.candles.first()?.open))
}

/// Planned notional of the larger side of each market.
#[must_use]
pub fn interest(plans: &[AccountPlan], specs: &[MarketSpec]) -> Vec<Money> {
    let mut sides = vec![(Money::ZERO, Money::ZERO); specs.len()];
    for position in plans.iter().flat_map(|p| &p.positions) {
        let notional = specs[position.market].open * position.size;
        let (long, short) = &mut sides[position.market];
        match position.side {
            Side::Buy => *long += notional,
            Side::Sell => *short += notional,
        }
    }
    sides.into_iter().map(|(long, short)| long.max(short)).collect()
}

/// Sets the venue up, with first prices, and opens its markets. No account of the population exists yet.
///
/// # Errors
/// A command that the engine refused: a knob or figure that the checks before did not know to be impossible.
pub fn open(
    desk: &mut Desk<'_, '_>,
    config: &Config,
    figures: &Figures,
    specs: &[MarketSpec],
    interest: &[Money],
) -> Result<Venue, ReplayError> {
    let indices = specs.iter().map(|spec| add_index(desk, config, spec)).collect::<Result<Vec<_>, _>>()?;
    let quote = add_asset(desk, "USDT", ASSET_DECIMALS, None)?;
    let mut coins = Vec::new();
    for (symbol, name) in COINS {
        if let Some((at, open)) = coin_price(figures, symbol) {
            coins.push(Coin { asset: add_asset(desk, name, ASSET_DECIMALS, Some(indices[at]))?, open });
        }
    }
    let total: Money = interest.iter().copied().sum();
    let fund = desk.open("fund", OWNERS, Role::Fund)?;
    desk.deposit(fund, quote, to_quote(total.mul_rate(config.ladder.fund, Round::Up)))?;
    desk.must(&Command::SetRiskParams(Box::new(risk_params(config))))?;
    let mut markets = Vec::new();
    for (at, spec) in specs.iter().enumerate() {
        let params = market_params(config, figures, at, spec, (quote, indices[at], fund), interest[at]);
        let market = match desk.must(&Command::ListMarket(Box::new(params)))? {
            Answer::Market(market) => market,
            answer => return Err(ReplayError::Answer { command: "ListMarket".into(), answer }),
        };
        let power = figures.markets.get(at).map_or(0, |m| m.power);
        markets.push(Listed { market, index: indices[at], spec: spec.clone(), interest: interest[at], power });
    }
    let mut venue = Venue {
        quote,
        coins,
        markets,
        fund,
        makers: Vec::new(),
        hedgers: Vec::new(),
        backstops: Vec::new(),
        tape: AccountId::default(),
    };
    let first: Vec<Price> = specs.iter().map(|s| s.open).collect();
    desk.must(&prices(desk, &venue, &first))?;
    for listed in &venue.markets {
        if desk.engine.state().market(listed.market).status == MarketStatus::Open {
            continue;
        }
        desk.must(&Command::SetMarketStatus { market: listed.market, status: MarketStatus::Open })?;
    }
    open_house_accounts(desk, config, &mut venue, total)?;
    Ok(venue)
}

/// Makers and volunteers with enough behind them that their own ruin is not the story; hedgers are funded later.
fn open_house_accounts(
    desk: &mut Desk<'_, '_>,
    config: &Config,
    venue: &mut Venue,
    total: Money,
) -> Result<(), ReplayError> {
    for n in 0..u32::from(config.liquidity.makers) {
        let maker = desk.open(&format!("maker{n}"), OWNERS + 100 + n, Role::Trading)?;
        desk.deposit(maker, venue.quote, to_quote(total))?;
        venue.makers.push(maker);
    }
    let limit = to_quote(total.mul_rate(config.ladder.backstop_limit, Round::Up));
    for n in 0..u32::from(config.ladder.backstops) {
        let volunteer = desk.open(&format!("backstop{n}"), OWNERS + 200 + n, Role::Trading)?;
        desk.deposit(volunteer, venue.quote, limit)?;
        if limit.is_positive() {
            desk.must(&Command::CommitBackstop { account: volunteer, limit })?;
        }
        venue.backstops.push(volunteer);
    }
    venue.tape = desk.open("tape", OWNERS + 99, Role::Trading)?;
    desk.deposit(venue.tape, venue.quote, to_quote(Money::whole(1_000_000)))?;
    for n in 0..HEDGERS {
        venue.hedgers.push(desk.open(&format!("hedger{n}"), OWNERS + 300 + n, Role::Trading)?);
    }
    Ok(())
}

fn name(text: &str) -> Result<Name, ReplayError> {
    let problem =
        || ReplayError::Knob { name: "symbol".into(), asked: text.into(), allowed: "1 to 24 plain characters".into() };
    Name::new(text).ok_or_else(problem)
}

fn add_index(desk: &mut Desk<'_, '_>, config: &Config, spec: &MarketSpec) -> Result<IndexId, ReplayError> {
    let params = IndexParams {
        name: name(&spec.symbol)?,
        weights: vec![1; SOURCES.len()],
        rule: IndexRule { quorum: 2, max_deviation: Rate::bps(300) },
        stale_ns: (3 * config.step_ms).max(30_000) * 1_000_000,
        speed: Rate::bps(1_000),
        reduce_only_after_ns: (30 * config.step_ms).max(600_000) * 1_000_000,
        redemption: None,
        last_resort: Default::default(),
        own: None,
    };
    match desk.must(&Command::AddIndex(Box::new(params)))? {
        Answer::Index(index) => Ok(index),
        answer => Err(ReplayError::Answer { command: "AddIndex".into(), answer }),
    }
}

fn add_asset(
    desk: &mut Desk<'_, '_>,
    text: &str,
    decimals: u8,
    index: Option<IndexId>,
) -> Result<AssetId, ReplayError> {
    let (haircut, conversion_discount) = match index {
        Some(_) => (COIN_HAIRCUT, CONVERSION_DISCOUNT),
        None => (Rate::ONE, Rate::ZERO),
    };
    let params = AssetParams {
        name: name(text)?,
        decimals,
        index,
        haircut,
        conversion_discount,
        schedule: engine::params::CollateralSchedule::default(),
        borrow: Default::default(),
    };
    match desk.must(&Command::AddAsset(Box::new(params)))? {
        Answer::Asset(asset) => Ok(asset),
        answer => Err(ReplayError::Answer { command: "AddAsset".into(), answer }),
    }
}

fn risk_params(config: &Config) -> RiskParams {
    let (ladder, book) = (&config.ladder, config.rulebook.as_ref());
    RiskParams {
        line: book.map_or(LineRule::Below, |b| b.line),
        outflow_share: book.map_or(Rate::ZERO, |b| b.outflow_share),
        target: ladder.target,
        takeover: ladder.takeover,
        pause_ns: ladder.pause_ms * 1_000_000,
        ..RiskParams::default()
    }
}

type Handles = (AssetId, IndexId, AccountId);

fn market_params(
    config: &Config,
    figures: &Figures,
    at: usize,
    spec: &MarketSpec,
    handles: Handles,
    interest: Money,
) -> MarketParams {
    let ladder = &config.ladder;
    let (settlement, index, fund) = handles;
    let book = config.rulebook.as_ref();
    let row = book.and_then(|book| book.markets.get(at));
    MarketParams {
        name: Name::new(&spec.symbol).unwrap_or_else(|| Name::new("market").expect("a plain name")),
        contract: Contract::Linear,
        settlement,
        index,
        tick: spec.tick,
        lot: spec.lot,
        taker_fee: row.and_then(|r| r.taker_fee).unwrap_or(ladder.taker_fee),
        maker_fee: row.and_then(|r| r.maker_fee).unwrap_or(ladder.maker_fee),
        closing_fee: row.map_or(Rate::ZERO, |r| r.closing_fee),
        ladder: spec.ladder.clone(),
        mark: book.and_then(|b| b.mark).unwrap_or(MarkRule::Median { basis_window_s: 150 }),
        mark_band: Rate::bps(500),
        mark_speed: Rate::bps(100),
        order_band: Rate::bps(1_000),
        funding: row.and_then(|r| r.funding).unwrap_or_else(|| funding_rule(figures, at)),
        impact_notional: interest
            .mul_rate(config.liquidity.depth, Round::Up)
            .mul_rate(Rate::bps(1_000), Round::Up)
            .max(Money::whole(1)),
        funding_gap_ns: 3_600_000_000_000,
        liquidation: LiquidationParams {
            fee: ladder.liquidation_fee,
            band: ladder.band,
            depth_share: ladder.depth_share,
            fund_limit: interest.mul_rate(ladder.fund_limit, Round::Up),
            adl_price: ladder.adl_price,
            policy: ladder.policy,
            adl_policy: ladder.adl_policy,
            loss: Default::default(),
        },
        fund,
        rulebook: book.map_or([0; 16], |b| b.hash_bytes),
        guards: engine::params::MarketGuards::default(),
        fee_tiers: Vec::new(),
        kind: Default::default(),
        option: None,
        realise_every_ns: 0,
    }
}

/// The rule of Binance; the interval is the shortest distance of two known settlements, else eight hours.
fn funding_rule(figures: &Figures, at: usize) -> FundingRule {
    let known = figures.markets.get(at).map(|m| m.funding.as_slice()).unwrap_or_default();
    let seen = known.windows(2).map(|w| w[1].0 - w[0].0).min().unwrap_or(FUNDING_INTERVAL_MS);
    let whole_hours = seen - seen % 3_600_000;
    let interval_ms = if whole_hours > 0 { whole_hours.min(FUNDING_INTERVAL_MS) } else { FUNDING_INTERVAL_MS };
    let cap = Rate::bps(300);
    FundingRule { interval_ns: interval_ms * 1_000_000, interest: Rate::bps(1), clamp: Rate::bps(5), cap, floor: -cap }
}

/// One command with the quotes of all sources of all indices.
#[must_use]
pub fn prices(desk: &Desk<'_, '_>, venue: &Venue, prices: &[Price]) -> Command {
    let quotes = venue.markets.iter().zip(prices).flat_map(|(listed, price)| {
        (0u8..).zip(SOURCES).map(move |(source, offset)| {
            let offset = Rate::new(offset).unwrap_or(Rate::ZERO);
            let price = price.scale(offset, Round::Down).filter(|p| p.is_positive()).unwrap_or(*price);
            Quote { index: listed.index, source, price, time: desk.now() }
        })
    });
    Command::SetPrices { quotes: quotes.collect() }
}

/// An amount of the quote asset, rounded up to its decimals.
#[must_use]
pub fn to_quote(amount: Money) -> Money {
    to_decimals(amount, QUOTE_DECIMALS)
}

/// `amount` rounded up to a number of decimals.
#[must_use]
pub fn to_decimals(amount: Money, decimals: u8) -> Money {
    let unit = 10i128.pow(16u32.saturating_sub(u32::from(decimals)));
    let units = units::div_round(amount.units(), unit, Round::Up).unwrap_or(0);
    Money::new(units * unit).unwrap_or(Money::ZERO)
}

/// `share` of the interest of a market in contracts at its first price.
#[must_use]
pub fn share_of_interest(listed: &Listed, share: Rate) -> Size {
    super::population::contracts(listed.interest.mul_rate(share, Round::Down), listed.spec.open)
}
