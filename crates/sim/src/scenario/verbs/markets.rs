//! Markets: listing with defaults, parameters, status, a given funding rate.

use super::ladders::{CAP, Draft};
use super::prices::index_called;
use crate::scenario::Error;
use crate::scenario::scene::{Actor, name};
use crate::scenario::words::{Word, Words, rate};
use engine::params::{
    AdlPolicy, AdlPrice, Drawdown, FeeRates, Kind, LiquidationParams, LiquidationPolicy, MarketGuards, MarketParams,
};
use engine::{AccountId, AssetId, Command, IndexId, MarketStatus, Name};
use rules::{Contract, FundingRule, Ladder, MarkRule, TierTable};
use units::{Money, Price, Rate, Size, Time};

const HOUR_NS: i64 = 3_600 * Time::SECOND_NS;

pub fn market(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let word = words.word("a name for the market")?;
    let base = Word { text: word.text.split('-').next().unwrap_or("").to_owned(), column: word.column };
    let index = if index_is_given(words) { IndexId(u16::MAX) } else { index_called(actor, words, &base)? };
    let fund = actor.scene.names().account("fund").unwrap_or(AccountId(0));
    let mut params = defaults(name(words, &word)?, index, fund, words)?;
    options(actor, words, &mut params)?;
    actor.apply(words, Command::ListMarket(Box::new(params))).map(drop)
}

/// True when the option `index` follows, which is not the `index` of `mark index`.
fn index_is_given(words: &Words) -> bool {
    let mut ahead = words.clone();
    let mut before = String::new();
    while let Some(word) = ahead.next_word() {
        if word.text == "index" && before != "mark" {
            return true;
        }
        before = word.text;
    }
    false
}

pub fn params(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let market = actor.scene.market(words)?;
    let mut params = actor.scene.engine.state().market(market).params.clone();
    options(actor, words, &mut params)?;
    actor.apply(words, Command::SetMarketParams { market, params: Box::new(params) }).map(drop)
}

pub fn status(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let market = actor.scene.market(words)?;
    let status = words.one_of(&[
        ("open", MarketStatus::Open),
        ("post_only", MarketStatus::PostOnly),
        ("reduce_only", MarketStatus::ReduceOnly),
        ("cancel_only", MarketStatus::CancelOnly),
        ("halted", MarketStatus::Halted),
    ])?;
    actor.apply(words, Command::SetMarketStatus { market, status }).map(drop)
}

pub fn funding_rate(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let market = actor.scene.market(words)?;
    let rate = words.rate("a funding rate")?;
    actor.apply(words, Command::SetFundingRate { market, rate }).map(drop)
}

/// Linear in USDC, 1 % and 0.5 % margin, no fees, mark = index, wide bands, a fund that takes any position.
fn defaults(name: Name, index: IndexId, fund: AccountId, words: &Words) -> Result<MarketParams, Error> {
    let tiers = TierTable::derive(&[(CAP, Rate::bps(100), Rate::bps(50))]);
    let half = Rate::bps(5_000);
    Ok(MarketParams {
        name,
        contract: Contract::Linear,
        settlement: AssetId(0),
        index,
        tick: words.constant("0.01")?,
        lot: words.constant("0.001")?,
        taker_fee: Rate::ZERO,
        maker_fee: Rate::ZERO,
        closing_fee: Rate::ZERO,
        ladder: Ladder::Tiers(tiers.map_err(|why| words.wrong_last(why.to_string()))?),
        mark: MarkRule::Index,
        mark_band: half,
        mark_speed: Rate::ONE,
        order_band: half,
        funding: FundingRule {
            interval_ns: 8 * HOUR_NS,
            interest: Rate::ZERO,
            clamp: Rate::bps(5),
            cap: Rate::bps(75),
            floor: Rate::bps(-75),
        },
        impact_notional: Money::whole(1_000),
        funding_gap_ns: 30 * 24 * HOUR_NS,
        liquidation: LiquidationParams {
            fee: Rate::ZERO,
            band: Rate::bps(500),
            depth_share: Rate::ONE,
            fund_limit: CAP,
            adl_price: AdlPrice::Bankruptcy,
            policy: LiquidationPolicy::ToTarget,
            adl_policy: AdlPolicy::ProfitLeverage,
            loss: Default::default(),
        },
        fund,
        rulebook: [0; 16],
        guards: MarketGuards::default(),
        fee_tiers: Vec::new(),
        kind: Kind::Perpetual,
        option: None,
        realise_every_ns: 0,
    })
}

fn options(actor: &mut Actor<'_, '_>, words: &mut Words, params: &mut MarketParams) -> Result<(), Error> {
    let mut ladder = Draft::of(&params.ladder);
    while let Some(option) = words.next_word() {
        let known = handles(actor, words, params, &option.text)?
            || super::options::option(actor, words, params, &option.text)?
            || ladder.option(words, &option.text)?
            || trading(words, params, &option.text)?
            || pricing(words, params, &option.text)?
            || liquidation(words, params, &option.text)?;
        if !known {
            let hint = "docs/scenarios.md lists the options of a market";
            return Err(words.wrong(&option, "an option of a market").hint(hint));
        }
    }
    if let Some(ladder) = ladder.finish(words)? {
        params.ladder = ladder;
    }
    Ok(())
}

/// What names something else of the venue.
fn handles(
    actor: &mut Actor<'_, '_>,
    words: &mut Words,
    params: &mut MarketParams,
    option: &str,
) -> Result<bool, Error> {
    match option {
        "index" => params.index = actor.scene.index(words)?,
        "settle" => params.settlement = actor.scene.asset(words)?,
        "fund" => params.fund = actor.scene.account(words)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn trading(words: &mut Words, params: &mut MarketParams, option: &str) -> Result<bool, Error> {
    match option {
        "inverse" => {
            params.contract = Contract::Inverse { face: words.number("quote per contract")? };
            params.lot = Size::whole(1);
        }
        "dated" => params.kind = Kind::Dated(super::ending::expiry(words)?),
        "quanto" => params.kind = Kind::Quanto,
        "power" => params.kind = Kind::Power { exponent: words.number("an exponent")? },
        "tick" => params.tick = words.number::<Price>("a tick")?,
        "lot" => params.lot = words.number::<Size>("a lot")?,
        "taker" => params.taker_fee = words.rate("a fee")?,
        "maker" => params.maker_fee = words.rate("a fee")?,
        "fee_tiers" => {
            params.fee_tiers.clear();
            while words.peek().is_some_and(|text| text.contains(':')) {
                let expected = "the fees of a tier: MAKER:TAKER such as -0.01%:0.03%";
                let word = words.word(expected)?;
                let rates = word.text.split_once(':').and_then(|(maker, taker)| Some((rate(maker)?, rate(taker)?)));
                let (maker, taker) = rates.ok_or_else(|| words.wrong(&word, expected))?;
                params.fee_tiers.push(FeeRates { maker, taker });
            }
        }
        "closing_fee" => params.closing_fee = words.rate("a fee")?,
        "order_band" => params.order_band = words.rate("a share of the mark")?,
        "market_band" => params.guards.market_band = words.rate("a share of the mark")?,
        "triggered_band" => params.guards.triggered_band = words.rate("a share of the mark")?,
        "away_band" => params.guards.away_band = words.rate("a share of the mark")?,
        "trigger_protect" => params.guards.trigger_protect = words.rate("a share of the mark")?,
        "open_interest_cap" => params.guards.open_interest_cap = words.number::<Money>("an amount")?,
        "longs_cap" => params.guards.longs_cap = words.number::<Money>("an amount")?,
        "shorts_cap" => params.guards.shorts_cap = words.number::<Money>("an amount")?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn pricing(words: &mut Words, params: &mut MarketParams, option: &str) -> Result<bool, Error> {
    match option {
        "mark" => {
            params.mark = words.one_of(&[
                ("index", MarkRule::Index),
                ("median", MarkRule::Median { basis_window_s: 300 }),
                ("basis", MarkRule::Basis { basis_window_s: 300 }),
            ])?
        }
        "mark_band" => params.mark_band = words.rate("a share of the index")?,
        "mark_speed" => params.mark_speed = words.rate("a share per second")?,
        "funding" => params.funding.interval_ns = words.duration()?,
        "interest" => params.funding.interest = words.rate("a rate per interval")?,
        "clamp" => params.funding.clamp = words.rate("a rate per interval")?,
        "funding_cap" => params.funding.cap = words.rate("a rate per interval")?,
        "funding_floor" => params.funding.floor = words.rate("a rate per interval")?,
        "funding_gap" => params.funding_gap_ns = words.duration()?,
        "realise" => params.realise_every_ns = words.duration()?,
        "impact" => params.impact_notional = words.money()?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn liquidation(words: &mut Words, params: &mut MarketParams, option: &str) -> Result<bool, Error> {
    let ladder = &mut params.liquidation;
    match option {
        "liquidation_fee" => ladder.fee = words.rate("a fee")?,
        "liquidation_band" => ladder.band = words.rate("a share of the mark")?,
        "depth_share" => ladder.depth_share = words.rate("a share of the depth")?,
        "fund_limit" => ladder.fund_limit = words.money()?,
        "adl" => ladder.adl_price = words.one_of(&[("bankruptcy", AdlPrice::Bankruptcy), ("mark", AdlPrice::Mark)])?,
        "liquidate" => ladder.policy = policy(words)?,
        "drawdown" => {
            let share = words.rate("a share of the fund's highest worth")?;
            ladder.loss.drawdown = Drawdown { share, window_ns: words.duration()? };
        }
        "socialise" => ladder.loss.socialise = words.rate("a share of the mark")?,
        "adl_policy" => {
            ladder.adl_policy = words.one_of(&[
                ("profit_leverage", AdlPolicy::ProfitLeverage),
                ("growth_leverage", AdlPolicy::GrowthLeverage),
                ("pro_rata", AdlPolicy::ProRata),
                ("least_hedges_broken", AdlPolicy::LeastHedgesBroken),
            ])?
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// `to_target`, `full_close`, `fraction SHARE [whole_below AMOUNT] [cooldown DURATION]`, `tier_step_down N` or
/// `dutch_auction DURATION DISCOUNT`.
fn policy(words: &mut Words) -> Result<LiquidationPolicy, Error> {
    let expected = "to_target, full_close, fraction, tier_step_down or dutch_auction";
    let word = words.word(expected)?;
    Ok(match word.text.as_str() {
        "to_target" => LiquidationPolicy::ToTarget,
        "full_close" => LiquidationPolicy::FullClose,
        "tier_step_down" => LiquidationPolicy::TierStepDown { tiers: words.number("a number of tiers")? },
        "dutch_auction" => LiquidationPolicy::DutchAuction {
            duration_ns: words.duration()?,
            discount: words.rate("a share of the mark")?,
        },
        "fraction" => {
            let share = words.rate("a share of the position")?;
            let (mut whole_below, mut cooldown_ns) = (Money::ZERO, 0);
            while let Some("whole_below" | "cooldown") = words.peek() {
                match words.next_word().map(|word| word.text).as_deref() {
                    Some("whole_below") => whole_below = words.money()?,
                    _ => cooldown_ns = words.duration()?,
                }
            }
            LiquidationPolicy::Fraction { share, whole_below, cooldown_ns }
        }
        _ => return Err(words.wrong(&word, expected)),
    })
}
