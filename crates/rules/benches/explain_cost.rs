//! What the terms of a formula cost a caller that takes one field: nothing, in instructions.
//!
//! `cargo bench -p plimsoll-rules --bench explain_cost`. Each formula stands here twice, as a function that takes one field of the
//! terms and as one that was written by hand without terms. Both are disassembled from this very program with `nm` and `objdump`
//! (binutils) and their instructions counted. It fails where the terms cost more than a few instructions of another order.
//!
//! Estimate: the same code, give or take the order in which the compiler does it.
#![allow(missing_docs)]

use plimsoll_rules::{
    Contract, Haircuts, Ladder, Line, LineRule, TierTable, funding_payment, maintenance_margin, trading_fee,
};
use std::hint::black_box;
use std::process::{Command, ExitCode};
use units::{Money, Price, Rate, Round, Size, limits};

/// A formula and the two functions that compute it.
const PAIRS: [(&str, &str, &str); 4] = [
    ("maintenance margin", "maintenance_of_terms", "maintenance_by_hand"),
    ("headroom at a price", "headroom_of_terms", "headroom_by_hand"),
    ("funding payment", "funding_of_terms", "funding_by_hand"),
    ("trading fee", "fee_of_terms", "fee_by_hand"),
];

/// What the two may differ by: registers and the order of the code are the compiler's.
const SLACK: usize = 8;

#[inline(never)]
fn maintenance_of_terms(contract: Contract, mark: Price, size: Size, ladder: &Ladder, fee: Rate) -> Option<Money> {
    maintenance_margin(contract, mark, size, ladder, fee).map(|terms| terms.required)
}

#[inline(never)]
fn maintenance_by_hand(contract: Contract, mark: Price, size: Size, ladder: &Ladder, fee: Rate) -> Option<Money> {
    if size.is_zero() {
        return Some(Money::ZERO);
    }
    let notional = contract.notional(mark, size)?;
    let fee = notional.mul_rate(fee, Round::Up);
    let Ladder::Tiers(table) = ladder else { return None };
    let tier = table.of(notional);
    Some((notional.mul_rate(tier.maintenance_rate, Round::Up) - tier.deduction).max(Money::ZERO) + fee)
}

#[inline(never)]
fn headroom_of_terms(line: &Line<'_>, price: Price) -> Option<Money> {
    let upnl = line.contract.upnl(price, line.size, line.cost)?;
    let held = maintenance_margin(line.contract, price, line.size, line.ladder, line.closing_fee)?.required;
    (line.wallet.checked_add(upnl)?).checked_add(-held)
}

#[inline(never)]
fn headroom_by_hand(line: &Line<'_>, price: Price) -> Option<Money> {
    let upnl = line.contract.upnl(price, line.size, line.cost)?;
    let held = if line.size.is_zero() {
        Money::ZERO
    } else {
        let notional = line.contract.notional(price, line.size)?;
        let fee = notional.mul_rate(line.closing_fee, Round::Up);
        let Ladder::Tiers(table) = line.ladder else { return None };
        let tier = table.of(notional);
        (notional.mul_rate(tier.maintenance_rate, Round::Up) - tier.deduction).max(Money::ZERO) + fee
    };
    (line.wallet.checked_add(upnl)?).checked_add(-held)
}

#[inline(never)]
fn funding_of_terms(size: Size, delta: i128) -> Option<Money> {
    funding_payment(size, delta).map(|payment| payment.amount)
}

#[inline(never)]
fn funding_by_hand(size: Size, delta: i128) -> Option<Money> {
    let taken = -i128::from(size.units());
    units::mul_div(taken, delta, i128::from(limits::RATE_ONE), Round::Down).and_then(Money::new)
}

#[inline(never)]
fn fee_of_terms(notional: Money, rate: Rate) -> Money {
    trading_fee(notional, rate).fee
}

#[inline(never)]
fn fee_by_hand(notional: Money, rate: Rate) -> Money {
    notional.mul_rate(rate, Round::Up)
}

fn main() -> ExitCode {
    agree();
    match counts() {
        Ok(rows) => report(&rows),
        Err(why) => {
            eprintln!("skipped: {why}\nhint: apt-get install binutils");
            ExitCode::SUCCESS
        }
    }
}

/// Both ways come to the same; this also keeps all of them in the program.
fn agree() {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    let steps =
        [(Money::whole(5_000), rate("0.02"), rate("0.005")), (Money::whole(100_000), rate("0.1"), rate("0.01"))];
    let tiers = Ladder::Tiers(TierTable::derive(&steps).unwrap());
    for units in [0, 1, 10_000_000, -7_654_321] {
        let (size, mark) = (black_box(Size::new(units).unwrap()), black_box(Price::whole(50_200)));
        let (fee, contract) = (black_box(rate("0.0005")), black_box(Contract::Linear));
        let by_terms = maintenance_of_terms(contract, mark, size, &tiers, fee);
        assert_eq!(by_terms, maintenance_by_hand(contract, mark, size, &tiers, fee));
        let line = Line {
            contract,
            size,
            cost: Money::whole(500),
            opposite: (Size::ZERO, Money::ZERO),
            ladder: &tiers,
            closing_fee: fee,
            mark,
            wallet: Money::whole(600),
            index_price: Price::ONE,
            haircuts: Haircuts::flat(Rate::ONE),
            other: Money::ZERO,
            rule: LineRule::Below,
        };
        assert_eq!(headroom_of_terms(black_box(&line), mark), headroom_by_hand(black_box(&line), mark));
        let delta = black_box(600_000_000_000_000_007);
        assert_eq!(funding_of_terms(size, delta), funding_by_hand(size, delta));
        let notional = black_box(Money::from_units(i128::from(units) * 12_345));
        assert_eq!(fee_of_terms(notional, fee), fee_by_hand(notional, fee));
    }
}

/// A formula, and the instructions of both functions; none of one that the compiler has merged into the other.
type Row = (&'static str, Option<usize>, Option<usize>);

fn report(rows: &[Row]) -> ExitCode {
    println!("{:<22}{:>12}{:>12}   instructions", "formula", "one field", "by hand");
    let (mut dear, shown) = (false, |count: Option<usize>| count.map_or("merged".to_owned(), |n| n.to_string()));
    for (name, of_terms, by_hand) in rows {
        println!("{name:<22}{:>12}{:>12}", shown(*of_terms), shown(*by_hand));
        // Two functions of the same code become one: then there is nothing to compare.
        dear |= of_terms.zip(*by_hand).is_some_and(|(terms, hand)| terms > hand + SLACK);
    }
    if dear {
        eprintln!("error: the terms cost more than {SLACK} instructions");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Looks each pair up in this program.
fn counts() -> Result<Vec<Row>, String> {
    let program = std::env::current_exe().map_err(|why| why.to_string())?;
    let program = program.to_string_lossy();
    let symbols = output("nm", &["-S", "--demangle", &program])?;
    let count = |name: &str| -> Result<Option<usize>, String> {
        // address size kind name
        let of_name =
            |line: &&str| line.split_whitespace().nth(3).is_some_and(|full| full.split("::").nth(1) == Some(name));
        let Some(line) = symbols.lines().find(of_name) else { return Ok(None) };
        let number = |at| line.split_whitespace().nth(at).and_then(|text: &str| u64::from_str_radix(text, 16).ok());
        let (Some(from), Some(size)) = (number(0), number(1)) else { return Err(format!("nm says {line:?}")) };
        let (from, to) = (format!("--start-address={from}"), format!("--stop-address={}", from + size));
        let text = output("objdump", &["-d", "--no-show-raw-insn", &from, &to, &program])?;
        // Lines of instructions: an address, a colon, a tab. Padding is no instruction.
        let is_instruction = |line: &&str| line.contains(":\t") && !line.contains("\tnop") && !line.contains("\tint3");
        Ok(Some(text.lines().filter(is_instruction).count()))
    };
    let rows = PAIRS.iter().map(|(name, terms, hand)| Ok((*name, count(terms)?, count(hand)?)));
    let rows: Vec<_> = rows.collect::<Result<_, String>>()?;
    match rows.iter().find(|(_, terms, hand)| terms.is_none() && hand.is_none()) {
        Some((name, ..)) => Err(format!("nm finds neither function of {name}")),
        None => Ok(rows),
    }
}

fn output(tool: &str, words: &[&str]) -> Result<String, String> {
    let ran = Command::new(tool).args(words).output().map_err(|why| format!("{tool}: {why}"))?;
    String::from_utf8(ran.stdout).map_err(|why| format!("{tool}: {why}"))
}
