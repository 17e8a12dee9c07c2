//! Indices and their quotes. A mark is set through the index that it follows.

use crate::scenario::Error;
use crate::scenario::scene::{Actor, name};
use crate::scenario::words::{Word, Words};
use engine::params::{IndexParams, OwnTrades, Redemption};
use engine::{Command, IndexId, MarketId, Quote};
use rules::{IndexRule, MarkRule, OwnRule};
use units::{Price, Rate, Time};

const HOUR_NS: i64 = 3_600 * Time::SECOND_NS;

/// One source, quorum 1, stale after a day.
fn defaults(words: &Words, word: &Word) -> Result<IndexParams, Error> {
    Ok(IndexParams {
        name: name(words, word)?,
        weights: vec![1],
        rule: IndexRule { quorum: 1, max_deviation: Rate::bps(300) },
        stale_ns: 24 * HOUR_NS,
        speed: Rate::bps(100),
        reduce_only_after_ns: 24 * HOUR_NS,
        redemption: None,
        last_resort: Default::default(),
        own: None,
    })
}

/// The index of that name; a new one with the defaults when there is none.
pub fn index_called(actor: &mut Actor<'_, '_>, words: &Words, word: &Word) -> Result<IndexId, Error> {
    if let Some(index) = actor.scene.names().index(&word.text) {
        return Ok(index);
    }
    let params = defaults(words, word)?;
    // A refusal is printed; the handle then points at nothing and the next command is refused, too.
    actor.apply(words, Command::AddIndex(Box::new(params))).map(drop)?;
    Ok(actor.scene.names().index(&word.text).unwrap_or(IndexId(u16::MAX)))
}

/// Quotes when a price follows, else a new index.
pub fn index(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let mut ahead = words.clone();
    ahead.word("the name of an index")?;
    if ahead.peek().is_some_and(|text| text.parse::<Price>().is_ok()) {
        return quotes(actor, words);
    }
    let word = words.word("the name of an index")?;
    let mut params = defaults(words, &word)?;
    while let Some(option) = words.next_word() {
        match option.text.as_str() {
            "weights" => params.weights = list(words, "weights such as 1,1,1")?,
            "quorum" => params.rule.quorum = words.number("a number of sources")?,
            "deviation" => params.rule.max_deviation = words.rate("a share of the median")?,
            "stale" => params.stale_ns = words.duration()?,
            "speed" => params.speed = words.rate("a share per second")?,
            "reduce_only_after" => params.reduce_only_after_ns = words.duration()?,
            "redemption" => {
                let source = words.number("the number of a source")?;
                params.redemption = Some(Redemption { source, band: words.rate("a share of its price")? });
            }
            "fallback" => params.last_resort.fallback = Some(actor.scene.index(words)?),
            "fallback_after" => params.last_resort.fallback_after_ns = words.duration()?,
            "fallback_band" => params.last_resort.fallback_band = words.rate("a share of the index")?,
            "settle_after" => params.last_resort.settle_after_ns = words.duration()?,
            "own" => params.own = Some(own_trades(words)?),
            "settle_window" => params.last_resort.settle_window_ns = words.duration()?,
            _ => return Err(words.wrong(&option, "a price, or an option of an index")),
        }
    }
    actor.apply(words, Command::AddIndex(Box::new(params))).map(drop)
}

/// `PRICE window DURATION anchor DURATION reach RATE`: in whole seconds with trades.
fn own_trades(words: &mut Words) -> Result<OwnTrades, Error> {
    let first = words.price()?;
    let mut rule = OwnRule { window_s: 0, anchor_s: 0, reach: Rate::ZERO };
    for _ in 0..3 {
        let word = words.word("window, anchor or reach")?;
        let seconds = |words: &mut Words| {
            let ns = words.duration()?;
            u32::try_from(ns / Time::SECOND_NS).map_err(|_| words.wrong_last("too long"))
        };
        match word.text.as_str() {
            "window" => rule.window_s = seconds(words)?,
            "anchor" => rule.anchor_s = seconds(words)?,
            "reach" => rule.reach = words.rate("a share of the long average")?,
            _ => return Err(words.wrong(&word, "window, anchor or reach")),
        }
    }
    Ok(OwnTrades { first, rule })
}

pub fn launch(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let index = actor.scene.index(words)?;
    actor.apply(words, Command::LaunchIndex { index }).map(drop)
}

pub fn mark(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let market = actor.scene.market(&mut words.clone())?;
    let params = &actor.scene.engine.state().market(market).params;
    if params.mark != MarkRule::Index {
        words.next_word();
        let hint = "quote its index with `index`, and trade or place orders to move the mark";
        return Err(words.wrong_last("the mark of this market is not its index").hint(hint));
    }
    quotes(actor, words)
}

/// Pairs of an index, or a market that follows it, and a price; then from which sources and how old.
pub fn quotes(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let mut prices = Vec::new();
    let (mut sources, mut age) = (None, 0);
    while let Some(text) = words.peek() {
        match text {
            "source" => {
                words.next_word();
                sources = Some(list(words, "numbers of sources such as 0,1")?);
            }
            "age" => {
                words.next_word();
                age = words.duration()?;
            }
            _ => prices.push((actor.scene.index(words)?, words.price()?)),
        }
    }
    let indices: Vec<IndexId> = prices.iter().map(|(index, _)| *index).collect();
    let mut quotes = Vec::new();
    let_a_second_pass(actor, &indices);
    for (index, price) in prices {
        quotes.extend(of_sources(actor, index, price, sources.as_deref(), age));
    }
    actor.apply(words, Command::SetPrices { quotes }).map(drop)
}

/// A mark cannot move while no time passes, since its speed is limited. Where a market that follows one of the indices
/// had its mark set at the present time, a second passes.
fn let_a_second_pass(actor: &mut Actor<'_, '_>, indices: &[IndexId]) {
    let now = actor.scene.now;
    let markets = &actor.scene.engine.state().markets;
    if markets.iter().any(|m| indices.contains(&m.params.index) && m.mark.is_positive() && m.moved_at == now) {
        actor.scene.now = now.plus_ns(Time::SECOND_NS);
    }
}

fn of_sources(actor: &Actor<'_, '_>, index: IndexId, price: Price, sources: Option<&[u8]>, age: i64) -> Vec<Quote> {
    let params = &actor.scene.engine.state().index(index).params;
    let count = u8::try_from(params.weights.len()).unwrap_or(u8::MAX);
    // The redemption source is quoted by its number alone.
    let all: Vec<u8> = (0..count).filter(|n| params.redemption.is_none_or(|r| r.source != *n)).collect();
    let time = actor.scene.now.plus_ns(-age);
    sources.unwrap_or(&all).iter().map(|source| Quote { index, source: *source, price, time }).collect()
}

/// A first price for a market that has none, so that a scenario can begin with a trade.
pub fn first_price(actor: &mut Actor<'_, '_>, words: &Words, market: MarketId, price: Price) -> Result<(), Error> {
    let market = actor.scene.engine.state().market(market);
    if market.mark.is_positive() {
        return Ok(());
    }
    let quotes = of_sources(actor, market.params.index, price, None, 0);
    actor.apply(words, Command::SetPrices { quotes }).map(drop)
}

fn list<T: std::str::FromStr>(words: &mut Words, expected: &str) -> Result<Vec<T>, Error> {
    let word = words.word(expected)?;
    let numbers: Result<Vec<T>, _> = word.text.split(',').map(str::parse).collect();
    numbers.map_err(|_| words.wrong(&word, expected))
}
