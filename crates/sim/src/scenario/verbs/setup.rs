//! The clock, what is printed, assets, accounts and the venue's risk parameters.

use crate::scenario::Error;
use crate::scenario::scene::{Actor, START, Trace, name};
use crate::scenario::words::{Words, duration, moment, rate};
use engine::params::{AssetParams, CollateralSchedule, ExposureLimits, RiskParams};
use engine::{AssetId, Command, GroupId, LimitScope, Role};
use rules::{HaircutTier, LineRule};
use units::{Money, Rate, Time};

pub fn at(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    actor.scene.now = moment_word(words)?;
    Ok(())
}

/// A moment, absolute or since the scenario began.
pub fn moment_word(words: &mut Words) -> Result<Time, Error> {
    let expected = "a moment such as 2025-01-01T08:00:00Z, or +DURATION since the scenario began";
    let word = words.word(expected)?;
    let since_start = || word.text.strip_prefix('+').and_then(duration).map(|ns| START.plus_ns(ns));
    moment(&word.text).or_else(since_start).ok_or_else(|| words.wrong(&word, expected))
}

pub fn wait(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let ns = words.duration()?;
    actor.scene.now = actor.scene.now.plus_ns(ns);
    tick(actor, words)
}

pub fn tick(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    actor.apply(words, Command::Tick).map(drop)
}

pub fn trace(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let word = words.word("usual, all, none or names of events")?;
    actor.scene.trace = match word.text.as_str() {
        "usual" => Trace::Usual,
        "all" => Trace::All,
        "none" => Trace::Only(std::collections::BTreeSet::new()),
        names => Trace::Only(names.split(',').map(str::to_owned).collect()),
    };
    Ok(())
}

pub fn asset(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let word = words.word("a name for the asset")?;
    let name = name(words, &word)?;
    let mut params = AssetParams {
        name,
        decimals: 8,
        index: None,
        haircut: Rate::ONE,
        conversion_discount: Rate::ZERO,
        schedule: CollateralSchedule::default(),
        borrow: Default::default(),
    };
    let mut numeraire = false;
    while let Some(option) = words.next_word() {
        match option.text.as_str() {
            "index" => params.index = Some(actor.scene.index(words)?),
            "numeraire" => numeraire = true,
            "decimals" => params.decimals = words.number("a number of decimals")?,
            _ => asset_option(&mut params, words, &option.text)?,
        }
    }
    if !numeraire && params.index.is_none() {
        params.index = Some(super::prices::index_called(actor, words, &word)?);
    }
    actor.apply(words, Command::AddAsset(Box::new(params))).map(drop)
}

fn asset_option(params: &mut AssetParams, words: &mut Words, option: &str) -> Result<(), Error> {
    match option {
        "haircut" => params.haircut = words.rate("a haircut")?,
        "discount" => params.conversion_discount = words.rate("a discount")?,
        "tiers" => slices(params, words)?,
        "borrow" => {
            params.borrow.rate = words.rate("a rate per interval")?;
            params.borrow.interval_ns = words.duration()?;
        }
        "borrow_free" => params.borrow.free = words.number::<Money>("an amount")?,
        "allowance" => {
            let none = words.eat("none");
            params.borrow.allowance = if none { None } else { Some(words.number("an amount, or none")?) };
        }
        "venue_cap" => params.schedule.venue_cap = words.number::<Money>("an amount")?,
        other => return Err(words.wrong_last(format!("expected an option of an asset, found `{other}`"))),
    }
    Ok(())
}

/// `600:90%,1000:0%`: what is above 600 counts 90 %, what is above 1,000 nothing.
fn slices(params: &mut AssetParams, words: &mut Words) -> Result<(), Error> {
    let expected = "up to five slices such as 600:90%,1000:0%";
    let word = words.word(expected)?;
    let slice = |text: &str| {
        let (above, haircut) = text.split_once(':')?;
        Some(HaircutTier { above: above.parse().ok()?, haircut: rate(haircut)? })
    };
    let slices: Option<Vec<HaircutTier>> = word.text.split(',').map(slice).collect();
    let tiers = &mut params.schedule.tiers;
    let slices = slices.filter(|s| s.len() <= tiers.len()).ok_or_else(|| words.wrong(&word, expected))?;
    *tiers = Default::default();
    for (place, slice) in tiers.iter_mut().zip(slices) {
        *place = slice;
    }
    Ok(())
}

pub fn asset_params(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let asset: AssetId = actor.scene.asset(words)?;
    let mut params = actor.scene.engine.state().asset(asset).params;
    while let Some(option) = words.next_word() {
        asset_option(&mut params, words, &option.text)?;
    }
    actor.apply(words, Command::SetAssetParams { asset, params: Box::new(params) }).map(drop)
}

pub fn account(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let word = words.word("a name for the account")?;
    let (mut owner, mut role) = (word.text.clone(), Role::Trading);
    while let Some(option) = words.next_word() {
        match option.text.as_str() {
            "owner" => owner = words.word("an owner")?.text,
            "fund" => role = Role::Fund,
            _ => return Err(words.wrong(&option, "owner or fund")),
        }
    }
    actor.open(words, &word, &owner, role).map(drop)
}

pub fn risk(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let mut risk: RiskParams = actor.scene.engine.state().risk;
    while let Some(option) = words.next_word() {
        match option.text.as_str() {
            "line" => risk.line = words.one_of(&[("below", LineRule::Below), ("at", LineRule::At)])?,
            "target" => risk.target = words.rate("a multiple of maintenance margin")?,
            "takeover" => risk.takeover = words.rate("a share of maintenance margin")?,
            "pause" => risk.pause_ns = words.duration()?,
            "calls" => calls(&mut risk, words)?,
            "hysteresis" => risk.call_hysteresis = words.rate("a difference of ratios")?,
            "outflow" => risk.outflow_share = words.rate("a share of notional")?,
            "favour" => risk.stale_favour = words.rate("a share of the price")?,
            "favour_cap" => risk.stale_favour_cap = words.number::<Money>("an amount")?,
            "subaccounts" => risk.subaccounts = words.number("a number of subaccounts, 0 for any")?,
            _ => return Err(words.wrong(&option, "an option of `risk`")),
        }
    }
    actor.apply(words, Command::SetRiskParams(Box::new(risk))).map(drop)
}

fn calls(risk: &mut RiskParams, words: &mut Words) -> Result<(), Error> {
    let expected = "up to four rising ratios such as 80%,90%";
    let word = words.word(expected)?;
    let levels: Option<Vec<Rate>> = word.text.split(',').map(rate).collect();
    let levels = levels.filter(|l| l.len() <= risk.calls.len()).ok_or_else(|| words.wrong(&word, expected))?;
    risk.calls = Default::default();
    for (place, level) in risk.calls.iter_mut().zip(levels) {
        *place = level;
    }
    Ok(())
}

/// Limits that are not named are none.
pub fn limits(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let scope = match words.word("account, owner or group")? {
        word if word.text == "account" => LimitScope::Account(actor.scene.account(words)?),
        word if word.text == "owner" => {
            let name = words.word("an owner")?.text;
            LimitScope::Owner(actor.scene.owner(&name))
        }
        word if word.text == "group" => LimitScope::Group(GroupId(words.number("the number of a group")?)),
        word => return Err(words.wrong(&word, "account, owner or group")),
    };
    let mut limits = ExposureLimits::default();
    while let Some(option) = words.next_word() {
        match option.text.as_str() {
            "orders" => limits.orders = Some(words.number("a number of orders")?),
            "position" => limits.position = Some(words.number::<Money>("an amount")?),
            "open" => limits.open = Some(words.number::<Money>("an amount")?),
            _ => return Err(words.wrong(&option, "orders, position or open")),
        }
    }
    actor.apply(words, Command::SetLimits { scope, limits: Box::new(limits) }).map(drop)
}

pub fn group(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let name = words.word("an owner")?.text;
    let owner = actor.scene.owner(&name);
    let group = if words.eat("none") { None } else { Some(GroupId(words.number("the number of a group, or none")?)) };
    actor.apply(words, Command::SetOwnerGroup { owner, group }).map(drop)
}

pub fn fee_tier(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let owner = words.word("an owner")?.text;
    let tier = words.number("a tier")?;
    let owner = actor.scene.owner(&owner);
    actor.apply(words, Command::SetFeeTier { owner, tier }).map(drop)
}

pub fn fee_discount(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let discount = words.rate("a share of the fee")?;
    actor.apply(words, Command::SetFeeDiscount { discount }).map(drop)
}

pub fn fee_asset(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let asset = if words.eat("none") { None } else { Some(actor.scene.asset(words)?) };
    actor.apply(words, Command::SetFeeAsset { account, asset }).map(drop)
}
