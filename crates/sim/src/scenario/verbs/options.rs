//! Option markets: `option call 60000 vol BTC-VOL`, with `period 7d` for a perpetual one or `dated …` for one that ends.

use super::prices::index_called;
use crate::scenario::Error;
use crate::scenario::scene::Actor;
use crate::scenario::words::Words;
use engine::params::{MarketParams, OptionTerms};
use engine::{Command, ProtectionLimits};
use rules::options::Right;
use rules::{OptionMaintenance, OptionMarginRule, ShortOptionRule};
use units::{Money, Price, Rate};

/// Paradex's shares of dated options: a short 15 % less what it is out of the money, at least 10 %, a put at most half its
/// strike; a long its mark, at most 20 %; maintenance half.
fn defaults(right: Right, strike: Price, volatility: engine::IndexId) -> OptionTerms {
    let half = Rate::bps(5_000);
    OptionTerms {
        right,
        strike,
        volatility,
        period_ns: 0,
        interest: Rate::ZERO,
        margin: OptionMarginRule {
            short: ShortOptionRule {
                initial: Rate::bps(1_500),
                initial_least: Rate::bps(1_000),
                maintenance: OptionMaintenance::OfInitial(half),
                put_cap: Some(half),
            },
            long: Rate::bps(2_000),
            long_maintenance: half,
        },
        exit: None,
    }
}

/// True when it was one of these words.
pub fn option(
    actor: &mut Actor<'_, '_>,
    words: &mut Words,
    params: &mut MarketParams,
    word: &str,
) -> Result<bool, Error> {
    if word == "option" {
        let right = words.one_of(&[("call", Right::Call), ("put", Right::Put)])?;
        let strike = words.number::<Price>("a strike")?;
        let vol = words.word("vol and the name of the index that says the volatility")?;
        if vol.text != "vol" {
            return Err(words.wrong(&vol, "vol and the name of the index that says the volatility"));
        }
        let name = words.word("the name of an index")?;
        let volatility = index_called(actor, words, &name)?;
        params.option = Some(defaults(right, strike, volatility));
        return Ok(true);
    }
    let Some(option) = &mut params.option else { return Ok(false) };
    let margin = &mut option.margin;
    match word {
        "period" => option.period_ns = words.duration()?,
        "rate" => option.interest = words.rate("interest a year")?,
        "exit" => option.exit = Some(words.rate("a share of the index")?),
        "short" => {
            margin.short.initial = words.rate("a share of the index, at the money")?;
            margin.short.initial_least = words.rate("the least share of the index")?;
        }
        "short_maintenance" => {
            margin.short.maintenance = OptionMaintenance::OfInitial(words.rate("a share of initial margin")?);
        }
        "short_spot" => {
            margin.short.maintenance = OptionMaintenance::Shares {
                spot: words.rate("a share of the index")?,
                put_mark: words.rate("a share of a put's mark")?,
                put_initial: words.rate("the multiple of a put's maintenance")?,
            };
        }
        "put_cap" => {
            let cap = words.rate("a share of the strike, 0 for none")?;
            margin.short.put_cap = (cap != Rate::ZERO).then_some(cap);
        }
        "long" => {
            margin.long = words.rate("a share of the index")?;
            margin.long_maintenance = words.rate("a share of initial margin")?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

pub fn exit(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let (account, market) = (actor.scene.account(words)?, actor.scene.market(words)?);
    let size = words.size()?;
    actor.apply(words, Command::ExitOption { account, market, size }).map(drop)
}

pub fn protect(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let (account, index) = (actor.scene.account(words)?, actor.scene.index(words)?);
    if words.eat("none") {
        return actor.apply(words, Command::SetProtection { account, index, limits: None }).map(drop);
    }
    let mut limits = ProtectionLimits::default();
    while let Some(word) = words.next_word() {
        match word.text.as_str() {
            "window" => limits.window_ns = words.duration()?,
            "freeze" => limits.freeze_ns = words.duration()?,
            "contracts" => limits.contracts = words.size()?,
            "delta" => limits.delta = words.size()?,
            "vega" => limits.vega = words.number::<Money>("an amount")?,
            _ => return Err(words.wrong(&word, "window, freeze, contracts, delta or vega")),
        }
    }
    actor.apply(words, Command::SetProtection { account, index, limits: Some(limits) }).map(drop)
}
