//! Deposits, withdrawals, transfers and backstop commitments.

use crate::scenario::Error;
use crate::scenario::scene::Actor;
use crate::scenario::words::Words;
use engine::params::Reserve;
use engine::{Command, Role};

/// Opens the account when its name is new.
pub fn deposit(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let word = words.word("an account")?;
    let known = actor.scene.names().account(&word.text);
    let amount = words.money()?;
    let asset = actor.scene.asset_or_usdc(words);
    let reference = if words.eat("ref") { words.number("a reference")? } else { actor.scene.next_reference() };
    words.clone().end()?;
    if known.is_none() && actor.open(words, &word, &word.text, Role::Trading)?.is_err() {
        return Ok(()); // the refusal is printed
    }
    let Some(account) = actor.scene.names().account(&word.text) else { return Err(words.wrong(&word, "an account")) };
    actor.apply(words, Command::Deposit { account, asset, amount, reference }).map(drop)
}

pub fn withdraw(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let amount = words.money()?;
    let asset = actor.scene.asset_or_usdc(words);
    words.clone().end()?;
    actor.apply(words, Command::RequestWithdrawal { account, asset, amount }).map(drop)
}

pub fn confirm(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let withdrawal = words.number("the number of a withdrawal")?;
    actor.apply(words, Command::ConfirmWithdrawal { withdrawal }).map(drop)
}

pub fn give_back(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let withdrawal = words.number("the number of a withdrawal")?;
    actor.apply(words, Command::ReturnWithdrawal { withdrawal }).map(drop)
}

pub fn transfer(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let (from, to) = (actor.scene.account(words)?, actor.scene.account(words)?);
    let amount = words.money()?;
    let asset = actor.scene.asset_or_usdc(words);
    words.clone().end()?;
    actor.apply(words, Command::Transfer { from, to, asset, amount }).map(drop)
}

pub fn reserve(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let fund = actor.scene.account(words)?;
    let reserve = if words.eat("none") {
        None
    } else {
        let (reserve, limit) = (actor.scene.account(words)?, words.money()?);
        Some(Reserve { fund: reserve, limit, window_ns: words.duration()? })
    };
    actor.apply(words, Command::SetReserve { fund, reserve }).map(drop)
}

pub fn backstop(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let limit = words.money()?;
    actor.apply(words, Command::CommitBackstop { account, limit }).map(drop)
}
