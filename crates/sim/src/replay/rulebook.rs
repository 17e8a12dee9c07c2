//! A venue's rulebook as the rules of a replay. What the rulebook does not say, or the engine has no form for and the replay
//! can do without, stays as it is and is named in the notes; what would make another venue of it is refused.

use super::ReplayError;
use super::config::Config;
use super::figures::Figures;
use super::tiers::{TierChoice, TierOrigin};
use engine::params::{AdlPolicy, AdlPrice, LiquidationPolicy};
use rulebooks::{AdlAt, AdlRank, FeeOn, FundingForm, LiquidationUnit, MarginPrice, MarkMethod, Rulebook};
use rules::{Contract, FundingRule, Ladder, LineRule, MarkRule, SizeLadder};
use serde::Serialize;
use units::{Money, Rate, Time};

/// The rulebook of a run: which one, and what of it is no knob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BookRules {
    /// Its name.
    pub venue: String,
    /// The day of its version.
    pub version: String,
    /// Hash of that, hexadecimal.
    pub hash: String,
    /// The same, as the engine has it.
    #[serde(skip)]
    pub hash_bytes: [u8; 16],
    /// When an account is below its line.
    #[serde(skip)]
    pub line: LineRule,
    /// What must stay after an outflow.
    #[serde(skip)]
    pub outflow_share: Rate,
    /// How marks are made; none: as in every replay.
    #[serde(skip)]
    pub mark: Option<MarkRule>,
    /// In the order of the figures.
    #[serde(skip)]
    pub markets: Vec<BookMarket>,
}

/// What a market has of its own; none: the knob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookMarket {
    /// Of the order that takes.
    pub taker_fee: Option<Rate>,
    /// Of the order that rests.
    pub maker_fee: Option<Rate>,
    /// Part of margin.
    pub closing_fee: Rate,
    /// Funding, where no settled rates are known.
    pub funding: Option<FundingRule>,
}

/// Puts the rules of a venue into knobs and figures.
///
/// # Errors
/// Markets that the venue does not have; ladders and liquidations that the engine has no form for.
pub fn apply_rulebook(book: &Rulebook, config: &mut Config, figures: &mut Figures) -> Result<(), ReplayError> {
    let mut notes = Notes { taken: Vec::new(), left: vec!["haircuts of coins".to_owned()] };
    let day = figures.day();
    let matched = matches(book, figures)?;
    ladder_knobs(book, config, &mut notes)?;
    let mut markets = Vec::new();
    let funding = funding(book, figures, &mut notes);
    for (figures, row) in figures.markets.iter_mut().zip(matched) {
        let (market, ladder) = row;
        figures.tiers = TierChoice { date: book.from.clone(), origin: TierOrigin::Rulebook, ladder };
        notes.taken.push(format!("{} as {} ({})", figures.symbol, market.symbol, market.clause));
        markets.push(BookMarket {
            taker_fee: Some(market.taker_fee),
            maker_fee: Some(market.maker_fee),
            closing_fee: market.rules.closing_fee,
            funding,
        });
    }
    let fee = &book.sections.closing_fee;
    notes.taken.push(format!("closing fee ({})", fee.clause));
    if fee.on == FeeOn::Bankruptcy {
        notes.left.push(format!("closing fee on the bankruptcy price: on the notional instead ({})", fee.clause));
    }
    notes.taken.push(format!("line and outflow ({})", book.sections.account.clause));
    let mark = mark(book, &mut notes);
    let late = if book.from > day { format!(", a LATER day than {day}") } else { String::new() };
    figures.notes.push(format!("rulebook: {}@{}{late}", book.venue, book.from));
    figures.notes.push(format!("rulebook, taken: {}", notes.taken.join("; ")));
    figures.notes.push(format!("rulebook, left as in every replay: {}", notes.left.join("; ")));
    config.rulebook = Some(BookRules {
        venue: book.venue.clone(),
        version: book.from.clone(),
        hash: book.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        hash_bytes: book.hash,
        line: book.account.line,
        outflow_share: book.account.outflow_share,
        mark,
        markets,
    });
    Ok(())
}

struct Notes {
    taken: Vec<String>,
    left: Vec<String>,
}

fn refused(book: &Rulebook, what: String, hint: &str) -> ReplayError {
    ReplayError::Rulebook { venue: format!("{}@{}", book.venue, book.from), what, hint: hint.to_owned() }
}

type Matched<'a> = (&'a rulebooks::Market, Ladder);

/// The venue's market of each market of the figures.
fn matches<'a>(book: &'a Rulebook, figures: &Figures) -> Result<Vec<Matched<'a>>, ReplayError> {
    let find = |symbol: &str| rulebooks::counterpart(symbol, book).and_then(|name| book.market(&name));
    let symbols = || figures.markets.iter().map(|m| m.symbol.as_str());
    let missing: Vec<&str> = symbols().filter(|symbol| find(symbol).is_none()).collect();
    if !missing.is_empty() {
        let there: Vec<&str> = symbols().filter(|symbol| find(symbol).is_some()).collect();
        let hint = match there.is_empty() {
            true => "another venue or a later VENUE@DAY".to_owned(),
            false => format!("--symbols {}", there.join(",")),
        };
        return Err(refused(book, format!("no market for {}", missing.join(", ")), &hint));
    }
    let one = |(market, power): (&'a rulebooks::Market, u32)| match market.rules.contract {
        Contract::Inverse { .. } => {
            let what = format!("{} is inverse ({}), the markets of a replay are linear", market.symbol, market.clause);
            Err(refused(book, what, "a venue with a linear market of that coin"))
        }
        Contract::Linear => {
            let ladder = by_contract(&market.rules.ladder, power).ok_or_else(|| {
                let what = format!("the ladder of {} ({}) is too steep for", market.symbol, market.clause);
                refused(book, format!("{what} contracts of {} base units", 10u64.pow(power)), "another venue")
            })?;
            Ok((market, ladder))
        }
    };
    figures.markets.iter().filter_map(|m| Some((find(&m.symbol)?, m.power))).map(one).collect()
}

/// A ladder that counts base units, for contracts of 10^`power` of them. A root is rounded up to 1e-9.
fn by_contract(ladder: &Ladder, power: u32) -> Option<Ladder> {
    let times = 10i128.checked_pow(power)?;
    let rate = |units: i128| i64::try_from(units).ok().and_then(Rate::new);
    Some(match *ladder {
        Ladder::PerSize(l) => Ladder::PerSize(SizeLadder { rise: rate(i128::from(l.rise.units()) * times)?, ..l }),
        Ladder::SizeRoot(l) => {
            let square = i128::from(l.rise.units()).pow(2).checked_mul(times)?;
            let floor = square.isqrt();
            let root = if floor * floor == square { floor } else { floor + 1 };
            Ladder::SizeRoot(SizeLadder { rise: rate(root)?, ..l })
        }
        _ => ladder.clone(),
    })
}

/// Liquidation and deleveraging.
fn ladder_knobs(book: &Rulebook, config: &mut Config, notes: &mut Notes) -> Result<(), ReplayError> {
    let to = &mut config.ladder;
    match &book.sections.liquidation {
        None => notes.left.push("liquidation".to_owned()),
        Some(rule) => {
            let cooldown_ns = rule.cooldown.as_ref().map_or(0, |span| span.0);
            to.policy = match rule.unit {
                LiquidationUnit::ToTarget => LiquidationPolicy::ToTarget,
                LiquidationUnit::Whole => LiquidationPolicy::FullClose,
                LiquidationUnit::TierStepDown => LiquidationPolicy::TierStepDown { tiers: rule.tiers.unwrap_or(1) },
                LiquidationUnit::Fraction => LiquidationPolicy::Fraction {
                    share: rule.fraction.as_ref().map_or(Rate::ONE, |share| share.0),
                    whole_below: rule.whole_below.as_ref().map_or(Money::ZERO, |amount| amount.0.0),
                    cooldown_ns,
                },
                LiquidationUnit::Ramp => {
                    notes.left.push(format!("ramp of liquidations ({}): to the target at once", rule.clause));
                    LiquidationPolicy::ToTarget
                }
                LiquidationUnit::Takeover => {
                    to.takeover = Rate::ONE; // nothing goes through the book
                    LiquidationPolicy::FullClose
                }
                LiquidationUnit::Auction => {
                    let what = format!("liquidation by {:?} ({}) has no form in a replay", rule.unit, rule.clause);
                    return Err(refused(book, what, "a venue that closes through its book, such as hyperliquid"));
                }
            };
            if cooldown_ns > 0 && rule.unit != LiquidationUnit::Fraction {
                to.pause_ms = cooldown_ns / 1_000_000;
            }
            notes.taken.push(format!("liquidation ({})", rule.clause));
            let mut set = |knob: &mut Rate, rate: Option<Rate>, name: &str| match rate {
                Some(rate) => *knob = rate,
                None => notes.left.push(name.to_owned()),
            };
            set(&mut to.liquidation_fee, rule.fee.as_ref().map(|fee| fee.0), "liquidation fee");
            if rule.unit != LiquidationUnit::Takeover {
                set(&mut to.takeover, rule.takeover.as_ref().map(|share| share.0), "take-over");
            }
            set(&mut to.target, rule.target.as_ref().map(|multiple| multiple.0), "target");
        }
    }
    let Some(adl) = &book.sections.adl else {
        notes.left.push("deleveraging".to_owned());
        return Ok(());
    };
    match adl.rank {
        AdlRank::ProfitLeverage => to.adl_policy = AdlPolicy::ProfitLeverage,
        AdlRank::GrowthLeverage => to.adl_policy = AdlPolicy::GrowthLeverage,
        AdlRank::Unranked | AdlRank::None => notes.left.push(format!("rank of deleveraging ({})", adl.clause)),
    }
    match adl.price {
        Some(AdlAt::Bankruptcy) => to.adl_price = AdlPrice::Bankruptcy,
        Some(AdlAt::Mark) => to.adl_price = AdlPrice::Mark,
        None => notes.left.push("price of deleveraging".to_owned()),
    }
    notes.taken.push(format!("deleveraging ({})", adl.clause));
    Ok(())
}

fn mark(book: &Rulebook, notes: &mut Notes) -> Option<MarkRule> {
    if book.sections.account.margin_price == MarginPrice::Index {
        notes.taken.push(format!("margin at the index ({})", book.sections.account.clause));
        return Some(MarkRule::Index);
    }
    let rule = book.sections.mark.as_ref();
    let seconds = rule.and_then(|r| r.window.as_ref()).and_then(|w| u16::try_from(w.0 / Time::SECOND_NS).ok());
    let made = match (rule.map(|r| r.method), seconds) {
        (Some(MarkMethod::MedianOfThree), Some(basis_window_s)) => Some(MarkRule::Median { basis_window_s }),
        (Some(MarkMethod::Oracle), _) => Some(MarkRule::Index),
        _ => None,
    };
    let clause = rule.map_or(String::new(), |rule| format!(" ({})", rule.clause));
    let list = if made.is_some() { &mut notes.taken } else { &mut notes.left };
    list.push(format!("mark{clause}"));
    made
}

/// Only where no settled rates are known, which are of their own venue's interval, and where the interval is the time that
/// rates are quoted for: the engine does not divide a premium.
fn funding(book: &Rulebook, figures: &Figures, notes: &mut Notes) -> Option<FundingRule> {
    let rule = book.sections.funding.as_ref();
    let settled = figures.markets.iter().any(|market| !market.funding.is_empty());
    let made = rule
        .filter(|r| !settled && r.form == FundingForm::ClampedPremium && r.interval == r.quoted_for)
        .and_then(|r| {
            let (clamp, cap) = (r.clamp.as_ref()?.0, r.cap.as_ref()?.0);
            Some(FundingRule { interval_ns: r.interval.0, interest: r.interest.0, clamp, cap, floor: -cap })
        });
    let clause = rule.map_or(String::new(), |rule| format!(" ({})", rule.clause));
    match made {
        Some(_) => notes.taken.push(format!("funding{clause}")),
        None if settled => notes.left.push(format!("funding{clause}: settled rates are known")),
        None => notes.left.push(format!("funding{clause}")),
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_by_size_counts_the_same_in_larger_contracts() {
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        let of = |rise| SizeLadder { initial: rate("0.05"), maintenance: rate("0.03"), rise };
        let (size, root) = (Ladder::PerSize(of(rate("0.00005"))), Ladder::SizeRoot(of(rate("0.001"))));
        assert_eq!(by_contract(&size, 0), Some(size.clone()));
        assert_eq!(by_contract(&size, 3), Some(Ladder::PerSize(of(rate("0.05")))));
        assert_eq!(by_contract(&root, 2), Some(Ladder::SizeRoot(of(rate("0.01")))));
        // 0.001 × √1,000 = 0.0316227766…
        assert_eq!(by_contract(&root, 3), Some(Ladder::SizeRoot(of(rate("0.031622777")))));
        assert_eq!(by_contract(&size, 9), None);
    }
}
