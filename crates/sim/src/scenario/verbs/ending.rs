//! How a market ends or changes its unit.

use super::setup::moment_word;
use crate::scenario::Error;
use crate::scenario::scene::Actor;
use crate::scenario::words::Words;
use engine::params::{Expiry, HaircutStep};
use engine::{Command, Split};
use units::Time;

pub fn settle(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let market = actor.scene.market(words)?;
    if words.eat("never") {
        return actor.apply(words, Command::CancelSettlement { market }).map(drop);
    }
    let expiry = expiry(words)?;
    actor.apply(words, Command::ScheduleSettlement { market, expiry }).map(drop)
}

/// `at MOMENT reduce_only MOMENT window DURATION`, in any order.
pub fn expiry(words: &mut Words) -> Result<Expiry, Error> {
    let mut expiry = Expiry { reduce_only_at: Time::EPOCH, settle_at: Time::EPOCH, window_ns: 0 };
    for _ in 0..3 {
        let word = words.word("at, reduce_only or window")?;
        match word.text.as_str() {
            "at" => expiry.settle_at = moment_word(words)?,
            "reduce_only" => expiry.reduce_only_at = moment_word(words)?,
            "window" => expiry.window_ns = words.duration()?,
            _ => return Err(words.wrong(&word, "at, reduce_only or window")),
        }
    }
    Ok(expiry)
}

pub fn delist(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let asset = actor.scene.asset(words)?;
    if words.eat("never") {
        return actor.apply(words, Command::CancelDelisting { asset }).map(drop);
    }
    let mut steps = Vec::new();
    while words.eat("at") {
        steps.push(HaircutStep { at: moment_word(words)?, haircut: words.rate("a haircut")? });
    }
    actor.apply(words, Command::ScheduleDelisting { asset, steps }).map(drop)
}

pub fn split(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let index = actor.scene.index(words)?;
    let join = words.one_of(&[("into", false), ("join", true)])?;
    let factor = words.number("a whole number")?;
    let split = if join { Split::Join(factor) } else { Split::Into(factor) };
    actor.apply(words, Command::SplitIndex { index, split }).map(drop)
}
