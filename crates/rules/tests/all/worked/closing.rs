//! Closing an account: when, at what price, who pays and who takes over.

use super::{Inputs, Ours, Outcome, Rule};
use crate::number::{m, p, r};
use plimsoll_rules::*;
use units::{Money, Price, Rate, Round, Size};

pub fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name {
        "is_liquidatable" => is_liquidatable,
        "limit_price" => limit_price,
        "limit_and_insurance" => limit_and_insurance,
        "part_bankruptcy" => part,
        "insurance_delta" => insurance,
        "insurance_of_fill" => insurance_of_fill,
        "deleverage_pair" => pair,
        _ => return None,
    };
    Some(rule)
}

/// Figures in millionths of the quote, as dYdX keeps them.
const DECIMALS: u32 = 6;

/// One position of an account.
struct Held {
    market: String,
    size: Size,
    mark: Price,
    /// Initial rate, and maintenance as a fraction of it.
    margin: (Rate, Rate),
}

impl Held {
    fn value(&self, size: Size) -> Money {
        value_at_decimals(Contract::Linear, self.mark, size, DECIMALS).unwrap()
    }

    fn maintenance(&self, size: Size) -> Money {
        let (rate, fraction) = self.margin;
        fraction_margin(self.value(size.abs()), rate, rate, fraction, DECIMALS).unwrap().maintenance
    }

    /// What is left of it after `delta`.
    fn part(&self, delta: Size) -> PartClose {
        let after = self.size + delta;
        PartClose {
            value_before: self.value(self.size),
            value_after: self.value(after),
            maintenance_before: self.maintenance(self.size),
            maintenance_after: self.maintenance(after),
        }
    }
}

/// Cash and positions. The market that is closed is the first of them, or the one that is named.
struct Account {
    cash: Money,
    positions: Vec<Held>,
    closing: usize,
}

impl Account {
    fn read(inputs: &Inputs) -> Self {
        let margin = (r(inputs.or("rate", "0")), r(inputs.or("fraction", "1")));
        let read = |one: Inputs| {
            let market = one.or("market", "").to_owned();
            let held = Held { market, size: one.size(), mark: one.mark(), margin };
            assert_eq!(one.unread(), [""; 0]);
            held
        };
        let positions: Vec<Held> = inputs.each("positions").into_iter().map(read).collect();
        let named = inputs.get("market").map(|name| positions.iter().position(|held| held.market == name).unwrap());
        Self { cash: m(inputs.text("cash")), positions, closing: named.unwrap_or(0) }
    }

    fn closing(&self) -> &Held {
        &self.positions[self.closing]
    }

    fn margin(&self) -> AccountMargin {
        AccountMargin {
            equity: self.cash + self.positions.iter().map(|held| held.value(held.size)).sum(),
            maintenance: self.positions.iter().map(|held| held.maintenance(held.size)).sum(),
        }
    }

    fn bankrupt(&self, delta: Size) -> Money {
        let quote = part_bankruptcy(&self.margin(), &self.closing().part(delta), DECIMALS).unwrap();
        let held = self.closing();
        // The bankruptcy price that the engine uses says the same of an account with nothing else.
        if self.positions.len() == 1 && held.size == -delta {
            let round = if held.size.is_positive() { Round::Up } else { Round::Down };
            let same = Contract::Linear.price_of(quote, held.size, round).map_or(Bankruptcy::None, Bankruptcy::At);
            assert_eq!(bankruptcy_price(Contract::Linear, held.size, Money::ZERO, self.cash), same);
        }
        quote
    }
}

fn s(text: &str) -> Size {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn is_liquidatable(inputs: &Inputs) -> Outcome {
    vec![("liquidatable", Ours::Flag(Account::read(inputs).margin().is_liquidatable(LineRule::Below)))]
}

fn path(inputs: &Inputs) -> LimitPath {
    LimitPath { slope_ppm: inputs.whole("slope_ppm"), spread: r(inputs.text("spread")) }
}

fn limit_price(inputs: &Inputs) -> Outcome {
    let account = Account::read(inputs);
    let held = account.closing();
    let limit = path(inputs).limit(held.mark, held.size, held.maintenance(held.size), &account.margin());
    vec![("limit_price", limit.unwrap().into())]
}

/// The farthest limit, and what the fund pays for a fill within it.
fn limit_and_insurance(inputs: &Inputs) -> Outcome {
    let account = Account::read(inputs);
    let held = account.closing();
    let maintenance = held.maintenance(held.size);
    let limit = LimitPath { slope_ppm: 0, spread: r(inputs.text("spread")) };
    let filled = p(inputs.text("fill")) * held.size;
    let delta = insurance_delta(filled, account.bankrupt(-held.size), Rate::ZERO, DECIMALS).unwrap();
    vec![
        ("equity", account.margin().equity.into()),
        ("limit_price", limit.farthest(held.mark, held.size, maintenance).unwrap().into()),
        ("insurance_paid", (-delta).into()),
    ]
}

fn part(inputs: &Inputs) -> Outcome {
    vec![("quote", Account::read(inputs).bankrupt(s(inputs.text("delta"))).into())]
}

fn insurance(inputs: &Inputs) -> Outcome {
    let of = |key| m(inputs.text(key));
    let delta = insurance_delta(of("filled"), of("bankrupt"), r(inputs.text("most")), DECIMALS).unwrap();
    vec![("insurance_delta", delta.into())]
}

fn insurance_of_fill(inputs: &Inputs) -> Outcome {
    let account = Account::read(inputs);
    let delta = s(inputs.text("delta"));
    let filled = value_at_decimals(Contract::Linear, p(inputs.text("fill")), -delta, DECIMALS).unwrap();
    let gained = insurance_delta(filled, account.bankrupt(delta), r(inputs.text("most")), DECIMALS).unwrap();
    vec![("insurance_delta", gained.into())]
}

/// Two accounts with one position each, of which the first is closed.
fn pair(inputs: &Inputs) -> Outcome {
    let account = Account::read(inputs);
    let delta = s(inputs.text("delta"));
    let leg = |cash, size| PairLeg { cash, size, has_others: false };
    let other = leg(m(inputs.text("other_cash")), s(inputs.text("other_size")));
    let first = leg(account.cash, account.closing().size);
    match deleverage_pair(first, other, delta, account.bankrupt(delta)) {
        None => vec![("accepted", Ours::Flag(false))],
        Some((first, other)) => vec![
            ("accepted", Ours::Flag(true)),
            ("cash_after", first.cash.into()),
            ("other_cash_after", other.cash.into()),
        ],
    }
}
