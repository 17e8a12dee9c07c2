//! The venue that random work begins with: three assets, four indices, four markets, two funds and a reserve, up to 32 traders. What
//! is generous and what is mean about it differs from seed to seed, so that every stage of the ladder is reached.

use super::dice::Dice;
use super::forms::{self, tiers};
use engine::params::{
    AdlPolicy, AdlPrice, AssetParams, BorrowTerms, CollateralSchedule, Drawdown, Expiry, IndexParams, Kind, LastResort,
    LiquidationParams, LiquidationPolicy, LossRules, MarketGuards, MarketParams, OwnTrades, Redemption, RiskParams,
};
use engine::{AccountId, AssetId, Command, IndexId, MarketId, Name, OwnerId, PositionMode, Role};
use rules::{Contract, FundingRule, IndexRule, LineRule, MarkRule, OwnRule};
use units::{Money, Price, Rate, Size, Time};

/// Number of insurance funds: the first accounts; no market has the last one, which may be a reserve.
pub const FUNDS: u32 = 3;
/// Sources of each index.
pub const SOURCES: u8 = 3;
/// Number of markets.
pub const MARKETS: u16 = 4;
/// The market whose index nothing else reads, so that it can split.
pub const NEW: MarketId = MarketId(3);
/// Its lot before it splits.
pub const NEW_LOT: Size = Size::whole(1);

/// What is fixed for one seed.
#[derive(Clone, Debug)]
pub struct Character {
    /// Trading subaccounts.
    pub traders: u32,
    /// How often prices jump, in a thousand price commands.
    pub jumps: u64,
    /// Greatest jump, percent.
    pub jump_percent: u64,
    /// Share of their margin that traders put at risk with one order, percent.
    pub greed: u64,
    /// Largest amount that a fund starts with, whole numeraire.
    pub fund: u64,
    /// Prices, sizes and deposits are round numbers, so that boundaries are met exactly.
    pub plain: bool,
    /// Nanoseconds between two commands, at most, when nothing special happens.
    pub pace_ns: u64,
    /// Of a hundred traders, those that begin in hedge mode.
    pub hedgers: u64,
}

impl Character {
    /// Draws one.
    pub fn draw(dice: &mut Dice) -> Self {
        Self {
            traders: u32::try_from(2 + dice.below(31)).unwrap_or(2),
            jumps: [0, 50, 150, 300][dice.pick(&[1, 2, 3, 2])],
            jump_percent: [2, 10, 30, 60][dice.pick(&[1, 3, 3, 1])],
            greed: [10, 60, 95][dice.pick(&[1, 2, 3])],
            fund: [0, 500, 20_000, 1_000_000][dice.pick(&[2, 2, 2, 1])],
            plain: dice.one_in(6),
            pace_ns: [1_000, 500_000_000, 3_000_000_000][dice.pick(&[1, 3, 2])],
            hedgers: [0, 10, 90][dice.pick(&[2, 1, 1])],
        }
    }
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap_or_else(|| panic!("{text} is a name"))
}

pub fn rate(text: &str) -> Rate {
    text.parse().unwrap_or_else(|_| panic!("{text} is a rate"))
}

/// Free, cheap or ruinous debts; `unit` is about a dollar's worth of the asset.
pub fn borrow(dice: &mut Dice, unit: Money) -> BorrowTerms {
    if dice.one_in(2) {
        return BorrowTerms::default();
    }
    let amount = |dice: &mut Dice| Money::from_units(unit.units() * i128::from([0, 1, 100][dice.pick(&[2, 1, 1])]));
    BorrowTerms {
        rate: rate(["0", "0.00001", "0.01"][dice.pick(&[1, 2, 2])]),
        interval_ns: [60, 3_600][dice.pick(&[2, 1])] * Time::SECOND_NS,
        free: amount(dice),
        allowance: if dice.one_in(2) { Some(amount(dice)) } else { None },
    }
}

fn asset(text: &str, decimals: u8, index: Option<u16>, haircut: &str, discount: &str, borrow: BorrowTerms) -> Command {
    Command::AddAsset(Box::new(AssetParams {
        name: name(text),
        decimals,
        index: index.map(IndexId),
        haircut: rate(haircut),
        conversion_discount: rate(discount),
        schedule: CollateralSchedule::default(),
        borrow,
    }))
}

/// Another index after a quarter of an hour, the end after the given number of minutes, zero for never.
fn resort(minutes: i64) -> LastResort {
    let minute = 60 * Time::SECOND_NS;
    LastResort {
        fallback: Some(IndexId(2)),
        fallback_after_ns: 15 * minute,
        fallback_band: rate("0.1"),
        settle_after_ns: minutes * minute,
        settle_window_ns: 5 * minute,
    }
}

fn index(text: &str, dice: &mut Dice) -> Command {
    let weights = if dice.one_in(3) { vec![1, 2, 1] } else { vec![1; usize::from(SOURCES)] };
    Command::AddIndex(Box::new(IndexParams {
        name: name(text),
        weights,
        rule: IndexRule { quorum: if dice.one_in(4) { 1 } else { 2 }, max_deviation: rate("0.05") },
        stale_ns: 30 * Time::SECOND_NS,
        speed: rate("0.01"),
        reduce_only_after_ns: 600 * Time::SECOND_NS,
        redemption: if dice.one_in(3) { Some(Redemption { source: 2, band: rate("0.004") }) } else { None },
        last_resort: Default::default(),
        own: None,
    }))
}

/// In most seeds the index follows trades until it is launched.
fn before_launch(command: Command, dice: &mut Dice) -> Command {
    let Command::AddIndex(mut params) = command else { return command };
    if !dice.one_in(4) {
        let window_s = [60, 600][dice.pick(&[1, 1])];
        let rule = OwnRule { window_s, anchor_s: window_s * 10, reach: rate(["0.02", "0.5"][dice.pick(&[1, 1])]) };
        params.own = Some(OwnTrades { first: Price::whole([19, 20, 24][dice.pick(&[1, 1, 1])]), rule });
        params.redemption = None;
    }
    Command::AddIndex(params)
}

fn policy(dice: &mut Dice, band: Rate) -> LiquidationPolicy {
    let cooldown_ns = [0, 30 * Time::SECOND_NS][dice.pick(&[1, 1])];
    let whole_below = Money::whole([0, 1, 5_000][dice.pick(&[1, 1, 1])]);
    match dice.pick(&[4, 1, 2, 2, 6]) {
        0 => LiquidationPolicy::ToTarget,
        1 => LiquidationPolicy::FullClose,
        2 => LiquidationPolicy::Fraction {
            share: rate(["0.2", "0.333333333"][dice.pick(&[1, 1])]),
            whole_below,
            cooldown_ns,
        },
        3 => LiquidationPolicy::TierStepDown { tiers: [1, 2][dice.pick(&[1, 1])] },
        _ => LiquidationPolicy::DutchAuction {
            duration_ns: [1, 10, 120, 3_600][dice.pick(&[1, 3, 3, 1])] * Time::SECOND_NS,
            discount: [rate("0.0005"), rate("0.005"), band][dice.pick(&[1, 1, 2])],
        },
    }
}

fn liquidation(dice: &mut Dice, limit: Money) -> LiquidationParams {
    let band = rate(["0.005", "0.02", "0.1"][dice.pick(&[1, 2, 1])]);
    LiquidationParams {
        fee: rate(["0", "0.001", "0.0125"][dice.pick(&[1, 2, 1])]),
        band,
        depth_share: rate(["0.1", "0.5", "1"][dice.pick(&[1, 2, 2])]),
        fund_limit: limit,
        adl_price: if dice.one_in(2) { AdlPrice::Mark } else { AdlPrice::Bankruptcy },
        policy: policy(dice, band),
        adl_policy: [
            AdlPolicy::ProfitLeverage,
            AdlPolicy::GrowthLeverage,
            AdlPolicy::ProRata,
            AdlPolicy::LeastHedgesBroken,
        ][dice.pick(&[2, 1, 2, 2])],
        loss: LossRules {
            drawdown: Drawdown {
                share: rate(["0", "0.000001", "0.05", "0.3", "1"][dice.pick(&[3, 1, 2, 2, 1])]),
                window_ns: [1, 20, 480][dice.pick(&[1, 1, 1])] * 60 * Time::SECOND_NS,
            },
            socialise: rate(["0", "0.000001", "0.005", "0.009999999"][dice.pick(&[2, 1, 2, 2])]),
        },
    }
}

fn funding(dice: &mut Dice) -> FundingRule {
    FundingRule {
        interval_ns: [60, 300, 3_600][dice.pick(&[2, 2, 1])] * Time::SECOND_NS,
        interest: rate("0.0001"),
        clamp: rate("0.0005"),
        cap: rate("0.02"),
        floor: rate("-0.02"),
    }
}

/// Half an hour to three hours after the sequences begin, so that some of them see the end.
fn expiry(dice: &mut Dice) -> Kind {
    let minute = 60 * Time::SECOND_NS;
    let reduce_only_at = Time::from_ns(super::START_NS).plus_ns(dice.between(2, 40) * minute);
    let settle_at = reduce_only_at.plus_ns(dice.between(10, 60) * minute);
    Kind::Dated(Expiry { reduce_only_at, settle_at, window_ns: dice.between(1, 10) * minute })
}

/// The four markets: two linear ones, one settled in the coin, and a linear one that can split.
pub fn markets(dice: &mut Dice) -> Vec<MarketParams> {
    let coin_limit = Money::from_units(Money::whole(1).units() / 2);
    let limits = [Money::ZERO, Money::whole(5_000), Money::whole(10_000_000)];
    let limit = limits[dice.pick(&[2, 1, 1])];
    let rebate = if dice.one_in(2) { rate("-0.0001") } else { rate("0.0002") };
    let btc = tiers(&[(50_000, "0.02", "0.01"), (250_000, "0.04", "0.02"), (5_000_000, "0.1", "0.05")]);
    let alt = tiers(&[(10_000, "0.05", "0.025"), (100_000, "0.1", "0.06"), (1_000_000, "0.5", "0.3")]);
    let coins = tiers(&[(2, "0.02", "0.01"), (10, "0.05", "0.025"), (500, "0.1", "0.05")]);
    let btc = forms::draw(dice, btc, Money::whole(25_000), 1);
    let base = MarketParams {
        name: name("BTC-PERP"),
        contract: Contract::Linear,
        settlement: AssetId(0),
        index: IndexId(0),
        tick: "0.1".parse().unwrap_or(Price::ONE),
        lot: "0.001".parse().unwrap_or(Size::whole(1)),
        taker_fee: rate("0.0005"),
        maker_fee: rebate,
        closing_fee: Rate::ZERO,
        ladder: btc,
        mark: MarkRule::Index,
        mark_band: rate("0.05"),
        mark_speed: Rate::ONE,
        order_band: rate("0.3"),
        funding: funding(dice),
        impact_notional: Money::whole(1_000),
        funding_gap_ns: 7_200 * Time::SECOND_NS,
        liquidation: liquidation(dice, limit),
        fund: AccountId(0),
        rulebook: [0; 16],
        guards: guards(dice),
        fee_tiers: fee_tiers(dice),
        kind: Default::default(),
        option: None,
        realise_every_ns: [0, 60, 900][dice.pick(&[3, 1, 1])] * Time::SECOND_NS,
    };
    let dated = dice.one_in(4);
    let alt = MarketParams {
        name: name("ALT-PERP"),
        index: IndexId(1),
        tick: "0.0001".parse().unwrap_or(Price::ONE),
        lot: Size::whole(1),
        maker_fee: rate("0.0003333"),
        closing_fee: rate("0.0007"),
        ladder: forms::draw(dice, alt, Money::whole(4_000), 200),
        mark: if dated { MarkRule::Basis { basis_window_s: 60 } } else { MarkRule::Median { basis_window_s: 60 } },
        kind: if dated { expiry(dice) } else { Kind::Perpetual },
        mark_speed: rate("0.1"),
        funding: funding(dice),
        liquidation: liquidation(dice, limit),
        fund: AccountId(1),
        ..base.clone()
    };
    let inverse = MarketParams {
        name: name("BTC-INV"),
        contract: Contract::Inverse { face: if dice.one_in(2) { 1 } else { 100 } },
        settlement: AssetId(1),
        tick: "0.5".parse().unwrap_or(Price::ONE),
        lot: Size::whole(1),
        closing_fee: if dice.one_in(2) { rate("0.0005") } else { Rate::ZERO },
        ladder: forms::draw(dice, coins, Money::whole(1), 5_000),
        funding: funding(dice),
        impact_notional: Money::from_units(Money::whole(1).units() / 10),
        liquidation: liquidation(dice, if limit.is_zero() { Money::ZERO } else { coin_limit }),
        ..base.clone()
    };
    // Within the limits of a market before its launch, which it is in most seeds.
    let cap = Money::whole([5_000, 1_000_000][dice.pick(&[1, 2])]);
    let new = MarketParams {
        name: name("NEW-PERP"),
        index: IndexId(3),
        tick: "0.001".parse().unwrap_or(Price::ONE),
        lot: NEW_LOT,
        ladder: tiers(&[(4_000, "0.2", "0.1"), (5_000, "0.5", "0.3")]),
        mark: if dice.one_in(2) { MarkRule::Index } else { MarkRule::Median { basis_window_s: 60 } },
        mark_band: rate("0.1"),
        order_band: rate("0.2"),
        funding: funding(dice),
        liquidation: LiquidationParams { adl_price: AdlPrice::Bankruptcy, ..liquidation(dice, Money::ZERO) },
        guards: MarketGuards { open_interest_cap: cap, ..guards(dice) },
        kind: Kind::Perpetual,
        realise_every_ns: 0,
        ..alt.clone()
    };
    let mut markets = vec![base, alt, inverse, new];
    for market in markets.iter_mut().filter(|m| !m.ladder.has_steps()) {
        if let LiquidationPolicy::TierStepDown { .. } = market.liquidation.policy {
            market.liquidation.policy = LiquidationPolicy::ToTarget;
        }
    }
    markets
}

pub fn risk(dice: &mut Dice) -> RiskParams {
    let plain = RiskParams::default();
    RiskParams {
        line: if dice.one_in(3) { LineRule::At } else { LineRule::Below },
        target: rate(["1", "1.1", "1.5"][dice.pick(&[1, 2, 1])]),
        takeover: rate(["0", "0.666666667", "1"][dice.pick(&[2, 3, 1])]),
        pause_ns: [0, Time::SECOND_NS, 60 * Time::SECOND_NS][dice.pick(&[1, 2, 1])],
        calls: [rate("0.5"), rate("0.8"), Rate::ZERO, Rate::ZERO],
        call_hysteresis: rate("0.05"),
        outflow_share: if dice.one_in(3) { rate("0.1") } else { Rate::ZERO },
        stale_favour: if dice.one_in(3) { rate("0.05") } else { Rate::ZERO },
        stale_favour_cap: if dice.one_in(2) { Money::whole(100) } else { plain.stale_favour_cap },
        subaccounts: 0,
    }
}

/// Rates of tiers 1 and 2: the lowest taker fee of all pays every rebate, also after half of it is taken off.
fn fee_tiers(dice: &mut Dice) -> Vec<engine::params::FeeRates> {
    let tier = |maker: &str, taker: &str| engine::params::FeeRates { maker: rate(maker), taker: rate(taker) };
    vec![vec![], vec![tier("0.0001", "0.0004")], vec![tier("0.0003", "0.0008"), tier("-0.00012", "0.0003")]]
        .swap_remove(dice.pick(&[1, 1, 2]))
}

/// Bands and caps, on some markets.
fn guards(dice: &mut Dice) -> MarketGuards {
    let cap = |dice: &mut Dice| {
        if dice.one_in(5) { Money::whole([1, 500, 20_000][dice.pick(&[1, 2, 2])]) } else { Money::ZERO }
    };
    let band = |dice: &mut Dice, most: i64| {
        if dice.one_in(4) { Rate::bps(i16::try_from(dice.between(1, most)).unwrap_or(1)) } else { Rate::ZERO }
    };
    MarketGuards {
        market_band: band(dice, 900),
        triggered_band: band(dice, 900),
        away_band: band(dice, 200),
        trigger_protect: band(dice, 300),
        open_interest_cap: cap(dice),
        longs_cap: cap(dice),
        shorts_cap: cap(dice),
    }
}

/// The commands that set the venue up; accounts are opened, not yet funded.
pub fn commands(dice: &mut Dice, character: &Character) -> Vec<Command> {
    let mut list = vec![
        index("BTC", dice),
        index("ALT", dice),
        index("BTC-2", dice),
        before_launch(index("NEW", dice), dice),
        asset("USDC", 6, None, "1", "0", borrow(dice, Money::whole(1))),
        asset("BTC", 8, Some(0), "0.9", "0.02", borrow(dice, Money::from_units(Money::whole(1).units() / 50_000))),
        asset("ALT", 16, Some(1), "0.777777777", "0.05", BorrowTerms::default()),
    ];
    if let (Some(Command::AddIndex(params)), true) = (list.first().cloned(), dice.one_in(2)) {
        let last_resort = resort([0, 60][dice.pick(&[3, 1])]);
        let params = Box::new(IndexParams { last_resort, ..*params });
        list.push(Command::SetIndexParams { index: IndexId(0), params });
    }
    for at in 0..FUNDS {
        list.push(Command::OpenAccount {
            owner: OwnerId(1_000 + at),
            role: Role::Fund,
            name: name(&format!("fund-{at}")),
        });
    }
    for at in 0..character.traders {
        // Some owners have two subaccounts.
        let owner = OwnerId(if dice.one_in(6) { at / 2 } else { at });
        list.push(Command::OpenAccount { owner, role: Role::Trading, name: name(&format!("trader-{at}")) });
    }
    for at in 0..character.traders {
        if dice.below(100) < character.hedgers {
            list.push(Command::SetPositionMode { account: AccountId(FUNDS + at), mode: PositionMode::Hedge });
        }
    }
    list.push(Command::SetRiskParams(Box::new(risk(dice))));
    list.extend(markets(dice).into_iter().map(|m| Command::ListMarket(Box::new(m))));
    list
}
