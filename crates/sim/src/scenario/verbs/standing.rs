//! What a subaccount may do, and how many an owner may open.

use crate::scenario::Error;
use crate::scenario::scene::Actor;
use crate::scenario::words::Words;
use engine::{AccountReason, AccountStatus, Command};

pub fn account_status(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let status = words.one_of(&[
        ("active", AccountStatus::Active),
        ("reduce_only", AccountStatus::ReduceOnly),
        ("frozen", AccountStatus::Frozen),
    ])?;
    let reason = if words.peek().is_none() {
        AccountReason::Normal
    } else {
        words.one_of(&[
            ("normal", AccountReason::Normal),
            ("owner", AccountReason::Owner),
            ("risk", AccountReason::Risk),
            ("security", AccountReason::Security),
            ("compliance", AccountReason::Compliance),
            ("legal", AccountReason::Legal),
        ])?
    };
    actor.apply(words, Command::SetAccountStatus { account, status, reason }).map(drop)
}

pub fn subaccounts(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let name = words.word("an owner")?.text;
    let owner = actor.scene.owner(&name);
    let limit = if words.eat("none") { None } else { Some(words.number("a number of subaccounts, or none")?) };
    actor.apply(words, Command::SetSubaccountLimit { owner, limit }).map(drop)
}

pub fn collateral(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let account = actor.scene.account(words)?;
    let only = if words.eat("all") { None } else { Some(actor.scene.asset(words)?) };
    actor.apply(words, Command::SetCollateralMode { account, only }).map(drop)
}
