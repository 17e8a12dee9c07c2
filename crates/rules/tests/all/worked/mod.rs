//! How the figures of a vector are put together from the rules.

mod accruing;
mod closing;
mod covering;
mod holding;
mod lines;
mod options;
mod portfolio;

use crate::number::{Fixed, ladder_with, m, p, r};
use plimsoll_rules::*;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use units::{Money, Price, Rate, Round, Size};

/// One of our numbers.
#[derive(Debug)]
pub enum Ours {
    None,
    Flag(bool),
    Whole(i128),
    Word(&'static str),
    Number(Fixed),
    Crossing { first_below: Fixed, last_good: Fixed },
    List(Vec<Ours>),
}

impl<T: Into<Fixed>> From<T> for Ours {
    fn from(number: T) -> Self {
        Self::Number(number.into())
    }
}

fn list<T: Into<Fixed>>(numbers: impl IntoIterator<Item = T>) -> Ours {
    Ours::List(numbers.into_iter().map(Ours::from).collect())
}

impl fmt::Display for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "none"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(whole) => write!(f, "{whole}"),
            Self::Word(word) => write!(f, "{word}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Crossing { last_good, .. } => write!(f, "{last_good}"),
            Self::List(list) => write!(f, "{}", list.iter().map(Self::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

pub type Outcome = Vec<(&'static str, Ours)>;
pub type Rule = fn(&Inputs) -> Outcome;

pub fn rule_named(name: &str) -> Rule {
    let topics =
        [lines::rule, holding::rule, closing::rule, covering::rule, accruing::rule, options::rule, portfolio::rule];
    topics.iter().find_map(|topic| topic(name)).unwrap_or_else(|| panic!("no rule is called {name:?}"))
}

/// The inputs of a vector; remembers which were asked for.
pub struct Inputs {
    values: BTreeMap<String, Value>,
    read: RefCell<BTreeSet<String>>,
}

impl Inputs {
    pub fn new(values: BTreeMap<String, Value>) -> Self {
        Self { values, read: RefCell::default() }
    }

    pub fn unread(&self) -> Vec<&str> {
        self.values.keys().filter(|key| !self.read.borrow().contains(*key)).map(String::as_str).collect()
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.values.get(key)
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.value(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no string")))
    }

    fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_else(|| panic!("input {key} is missing"))
    }

    fn or<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.get(key).unwrap_or(default)
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        let values = self.value(key).and_then(Value::as_array).unwrap_or_else(|| panic!("input {key} is no list"));
        values.iter().map(|value| value.as_str().unwrap()).collect()
    }

    /// A list of inputs of their own; none where there is no list. All of each must be read.
    fn each(&self, key: &str) -> Vec<Inputs> {
        let list = self.value(key).and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().map(|one| Inputs::new(serde_json::from_value(one).unwrap())).collect()
    }

    /// A list of pairs of texts.
    fn pairs(&self, key: &str) -> Vec<(String, String)> {
        let list = self.value(key).cloned().unwrap_or_else(|| panic!("input {key} is missing"));
        serde_json::from_value(list).unwrap()
    }

    /// A whole number.
    fn whole<T: std::str::FromStr>(&self, key: &str) -> T {
        self.text(key).parse().unwrap_or_else(|_| panic!("input {key} is no such number"))
    }

    fn contract(&self) -> Contract {
        match self.or("contract", "linear") {
            "linear" => Contract::Linear,
            "inverse" => Contract::Inverse { face: 1 },
            other => panic!("contract {other:?}"),
        }
    }

    fn size(&self) -> Size {
        self.text("size").parse().unwrap()
    }

    /// What the position cost: given, or its value at the entry price.
    fn cost(&self) -> Money {
        match self.get("cost") {
            Some(cost) => m(cost),
            None => self.contract().value(p(self.text("entry")), self.size(), Round::TowardZero).unwrap(),
        }
    }

    /// What stands beside the position: given, or |cost| ÷ leverage, less what is reserved.
    fn wallet(&self) -> Money {
        let wallet = match (self.get("wallet"), self.get("leverage")) {
            (Some(wallet), _) => m(wallet),
            (None, Some(leverage)) => self.cost().abs().share(1, leverage.parse().unwrap(), Round::Down),
            (None, None) => m(self.text("cash")) + self.cost(),
        };
        wallet - m(self.or("reserved", "0"))
    }

    /// The mark: given, or the entry price.
    fn mark(&self) -> Price {
        self.get("mark").map_or_else(|| p(self.text("entry")), p)
    }

    fn tiers(&self) -> Ladder {
        ladder_with(r(self.or("maintenance_rate", "0.000000001")), m(self.or("deduction", "0")))
    }

    fn line<'a>(&self, ladder: &'a Ladder) -> Line<'a> {
        Line {
            contract: self.contract(),
            size: self.size(),
            cost: self.cost(),
            opposite: (Size::ZERO, Money::ZERO),
            ladder,
            closing_fee: r(self.or("closing_fee", "0")),
            mark: self.mark(),
            wallet: self.wallet(),
            index_price: Price::ONE,
            haircuts: Haircuts::flat(Rate::ONE),
            other: m(self.or("other", "0")),
            rule: LineRule::Below,
        }
    }
}
