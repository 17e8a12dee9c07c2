//! The words of the page: what each number is, and the finding in sentences made from the numbers.

use super::chart::{escape, minus};
use super::data::{Num, Run};
use crate::replay::table::{count, short};
use units::Money;

/// Every number that the page shows: key, label, definition. A table head or tile names its number by the key.
pub const DEFINITIONS: &[(&str, &str, &str)] = &[
    (
        "below",
        "below the line",
        "Accounts whose equity fell below their maintenance margin at least once. In total each account counts once, its isolated positions included; in a market, those with a position there; over time, at the first time.",
    ),
    (
        "forced",
        "closed by force",
        "Notional at the mark that was closed through the book, taken over by volunteers or by the fund, or closed against winners. A position that the fund took over and that was deleveraged later counts twice.",
    ),
    ("interest", "opening interest", "Notional of all longs at the first mark. The shorts have the same."),
    ("interest-after", "interest after", "Notional of all longs at the last mark."),
    ("share", "share of interest", "Closed by force ÷ opening interest."),
    ("book", "book", "Closed through the order book by the ladder, notional at the mark."),
    ("volunteers", "volunteers", "Taken over by backstop volunteers at the bankruptcy price, notional at the mark."),
    ("fund-took", "fund", "Taken over by the insurance fund at the bankruptcy price, notional at the mark."),
    ("adl", "deleveraged", "Closed against winners (ADL) because nobody else took it, notional at the mark."),
    (
        "unwound",
        "unwound",
        "What the fund had taken over and sold or bought back through the book; not part of closed by force.",
    ),
    ("uncovered", "uncovered", "Attempts that found nobody left to take a size; it was tried again later."),
    ("fund", "fund equity", "Equity of the insurance fund at the marks: money and positions."),
    ("fund-low", "fund low", "The lowest fund equity after any price; over time, within the point."),
    ("fund-paid", "fund paid", "What the fund paid for accounts that ended below zero."),
    (
        "deficits",
        "deficits",
        "What nobody has paid: the sum below zero of accounts without positions, at index without haircuts.",
    ),
    (
        "debts",
        "debts beside coins",
        "Debts of accounts without positions that hold enough other collateral, which nobody has bought.",
    ),
    (
        "receipts",
        "receipts",
        "Positions of winners that were closed or made smaller by deleveraging; one receipt each.",
    ),
    ("winners", "winners", "Accounts with at least one receipt."),
    (
        "broken",
        "broken hedges",
        "Receipts that closed contracts which hedged something else in the winner's account: those that its net exposure (signed notionals at the mark and coins at their index) did not cover.",
    ),
    (
        "hedged",
        "hedging contracts closed",
        "The contracts of broken hedges that had hedged something else, at the mark; the rest of such a receipt is not in it.",
    ),
    ("liquidations", "liquidations", "Liquidations of positions begun, a second one of the same account included."),
    (
        "outcomes",
        "restored, closed, not ended",
        "How liquidations ended: above the line again, without a position, or not before the last price.",
    ),
    (
        "conversions",
        "conversions",
        "Sales of other collateral to the fund for an asset that an account below its line was short of.",
    ),
    ("liquidating", "in liquidation", "Subaccounts that the ladder was working on at that moment."),
    ("cancelled", "orders cancelled", "Orders of the population that the ladder cancelled."),
    ("slippage", "slippage", "What the ladder's and the fund's trades cost against the mark; + is a cost."),
    ("fees", "fees", "Fees of orders and of the ladder, the opening excluded."),
    ("worst", "worst minute", "The minute in which most was closed by force, and how much."),
    (
        "index",
        "index",
        "Price per base unit that the sources quote: published or generated, and moved by this run only where a feedback is on.",
    ),
    ("index-low", "index low", "Lowest index; over time, within the point."),
    ("move", "move", "From the first index to the lowest."),
    (
        "mark",
        "mark",
        "Price per base unit that margin is computed from: median of index with funding, index with average basis, and last.",
    ),
    ("last", "last", "Price per base unit of the last trade; the liquidations of this run move it."),
    (
        "rate",
        "funding rate",
        "What the next settlement would charge per interval; + means that longs pay shorts. In the list of settlements: what was charged.",
    ),
    ("ratio", "margin ratio", "Maintenance margin ÷ equity of a subaccount; at 100 % it is at its line."),
    ("subaccounts", "subaccounts", "Cross accounts and isolated positions with a position: each is margined alone."),
    ("notional", "notional", "|size| × mark."),
    ("without", "without position", "Accounts of the population that hold no position."),
    (
        "step",
        "price step",
        "A step of the liquidation map: 2 % of the mark of that moment. Its prices are those at which the mark would have to be.",
    ),
    (
        "shock",
        "common move",
        "A step of the map of all marks: all have moved by this share of what they are at that moment, with the coins that are collateral. A subaccount stands at the first step on each side at which it is below its line.",
    ),
    (
        "longs",
        "longs",
        "Whole positions, at the mark of the moment, of longs that fall below their line when the mark reaches the step. The ladder may close less.",
    ),
    ("shorts", "shorts", "The same of shorts."),
    (
        "far",
        "farther or never",
        "Positions whose line is more than 90 % from the mark, or is not crossed at any price of this market alone.",
    ),
    ("already", "already below", "Positions of accounts that are below their line at that moment."),
    ("rank", "rank", "Place of the winner in its round of deleveraging, from 1."),
    ("price", "price of the receipt", "What the winner's position was closed at, per base unit."),
    (
        "winner",
        "winner and failing account",
        "Names of accounts of the population, of makers, hedgers and volunteers, or of the fund.",
    ),
    (
        "knob",
        "setting",
        "A knob of the run as `plimsoll replay --help` names it; every amount is a share of opening interest unless it says otherwise.",
    ),
    ("time", "time", "UTC. A point holds what happened after the point before and up to its time."),
    ("market", "market", "Symbol on the exchange whose prices are used; base and quote asset together."),
    ("difference", "difference", "To the first variant."),
    ("commands", "commands", "Commands sent to the engine, the opening included."),
    (
        "tiers",
        "size tiers",
        "Date of the table of size tiers, and whether it was known on the day (on or before), is later, or is a ladder of ours (generic).",
    ),
];

/// A word that leads to its definition. An unknown key is a mistake that the tests find.
pub fn term(key: &str) -> String {
    let label = DEFINITIONS.iter().find(|(k, ..)| *k == key).map_or(key, |(_, label, _)| label);
    named(key, label)
}

/// The same with another word.
pub fn named(key: &str, label: &str) -> String {
    format!("<a class=\"t\" href=\"#d-{key}\">{}</a>", escape(label))
}

/// An amount in three figures.
pub fn amount(num: &Num) -> String {
    minus(&num.0.parse::<Money>().map_or_else(|_| num.0.clone(), short))
}

/// A share of a whole in tenths of a percent.
pub fn share(part: f64, whole: f64) -> String {
    if whole == 0.0 { "–".to_owned() } else { minus(&format!("{:.1} %", part / whole * 100.0)) }
}

/// A sum of amounts, cut as each of them is.
pub fn sum<'a>(nums: impl IntoIterator<Item = &'a Num>) -> String {
    minus(&short(nums.into_iter().map(Num::money).sum()))
}

/// Opening interest of all markets.
pub fn interest(run: &Run) -> f64 {
    run.markets.iter().map(|m| m.interest_before.f()).sum()
}

/// What happened, in sentences. Only what the numbers say.
pub fn finding(run: &Run) -> String {
    let (t, whole) = (&run.total, interest(run));
    let accounts = run.population.get("accounts").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let mut out = vec![falls(run)];
    if t.counts.below_line == 0 {
        out.push(format!("None of {} accounts fell below its line; nothing was closed by force.", count(accounts)));
        return out.join(" ");
    }
    out.push(format!(
        "<strong>{} of {} accounts ({}) fell below their line, and {} of the opening interest was closed by force</strong>: {} through the book, {} by volunteers, {} by the fund and {} against winners.",
        count(t.counts.below_line),
        count(accounts),
        share(Num(t.counts.below_line.to_string()).f(), Num(accounts.to_string()).f()),
        share(t.counts.forced(), whole),
        amount(&t.counts.reduced.notional),
        amount(&t.counts.backstop.notional),
        amount(&t.counts.taken_over.notional),
        amount(&t.counts.deleveraged.notional),
    ));
    out.push(fund(run));
    out.push(adl(run));
    out.retain(|text| !text.is_empty());
    out.join(" ")
}

fn falls(run: &Run) -> String {
    let mut falls: Vec<(f64, &str)> =
        run.markets.iter().map(|m| (m.index.low.f() / m.index.first.f() - 1.0, m.symbol.as_str())).collect();
    falls.sort_by(|a, b| a.0.total_cmp(&b.0));
    let text = |(fall, symbol): &(f64, &str)| format!("{} lost {}", escape(symbol), share(-fall, 1.0));
    match (falls.first(), falls.last()) {
        (Some(worst), Some(least)) if falls.len() > 1 => {
            format!(
                "From its first price to its lowest, {} and {}, the least and the most of {} markets.",
                text(least),
                text(worst),
                falls.len()
            )
        }
        (Some(only), _) => format!("From its first price to its lowest, {}.", text(only)),
        _ => String::new(),
    }
}

fn fund(run: &Run) -> String {
    let (fund, deficits) = (&run.total.fund, &run.total.deficits);
    let end = if deficits.is_some() {
        format!("<strong>deficits of {} were left that nobody paid</strong>", amount(deficits))
    } else {
        "no deficit was left unpaid".to_owned()
    };
    let state = if fund.low.f() <= 0.0 { "The fund was exhausted: its" } else { "The fund held: its" };
    format!(
        "{state} equity went from {} to a low of {} ({} of what it began with) and ended at {}; it paid {} for accounts below zero, and {end}.",
        amount(&fund.before),
        amount(&fund.low),
        share(fund.low.f(), fund.before.f()),
        amount(&fund.after),
        amount(&fund.paid),
    )
}

fn adl(run: &Run) -> String {
    let t = &run.total;
    if t.adl_receipts == 0 {
        return "Nobody was deleveraged.".to_owned();
    }
    format!(
        "{} winners were deleveraged in {} receipts worth {}; {} of these broke a hedge.",
        count(t.adl_accounts),
        count(t.adl_receipts),
        amount(&t.counts.deleveraged.notional),
        count(t.counts.hedges_broken.steps),
    )
}
