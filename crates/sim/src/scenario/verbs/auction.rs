//! Auctions of positions: bids, and the list of what takes them.

use super::trade::leg;
use crate::scenario::Error;
use crate::scenario::print::{Fields, render};
use crate::scenario::scene::Actor;
use crate::scenario::words::Words;
use engine::{Bid, Command, Leg};

/// `bid BOB auction ANN BTC-PERP [long|short] size 0.5 limit 49000`.
pub fn bid(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let bidder = actor.scene.account(words)?;
    word(words, "auction")?;
    let (account, market) = (actor.scene.account(words)?, actor.scene.market(words)?);
    let leg = leg(words);
    word(words, "size")?;
    let size = words.size()?;
    word(words, "limit")?;
    let limit = words.price()?;
    actor.apply(words, Command::BidAuction(Bid { bidder, account, market, leg, size, limit })).map(drop)
}

fn word(words: &mut Words, expected: &str) -> Result<(), Error> {
    let expected = format!("`{expected}`");
    let found = words.word(&expected)?;
    if expected.trim_matches('`') == found.text { Ok(()) } else { Err(words.wrong(&found, &expected)) }
}

/// Every auction that takes bids now, in the order of accounts.
pub fn auctions(actor: &mut Actor<'_, '_>, _: &mut Words) -> Result<(), Error> {
    let mut lines = Vec::new();
    for auction in actor.scene.engine.auctions() {
        let (names, mut line) = (actor.scene.names(), String::new());
        for (field, value) in &Fields::of(&auction).0 {
            if field == "leg" && auction.leg == Leg::Net {
                continue;
            }
            let text = render(&names, field, value);
            let bare = matches!(field.as_str(), "account" | "market" | "leg");
            line += &if bare { format!("{text}  ") } else { format!("{field} {text}  ") };
        }
        lines.push(line.trim_end().to_owned());
    }
    let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
    lines.into_iter().for_each(|line| actor.scene.say(line));
    Ok(())
}
