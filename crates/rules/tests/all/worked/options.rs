//! Options: what they pay, cost in funding and need as margin, and the closed form of the perpetual ones.

use super::{Inputs, Ours, Outcome, Rule, list};
use crate::number::{m, p, r};
use plimsoll_rules::options::{Perpetual, Right, to_nearest_price};
use plimsoll_rules::*;
use units::{Money, Price, Rate, Round};

pub fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name {
        "short_option" => short_option,
        "book_of_options" => book,
        "option_time_values" => time_values,
        "option_funding" => funding,
        "perpetual_option" => perpetual,
        _ => return None,
    };
    Some(rule)
}

fn right(name: &str) -> Right {
    match name {
        "call" => Right::Call,
        "put" => Right::Put,
        other => panic!("right {other:?}"),
    }
}

fn share(inputs: &Inputs, key: &str) -> Rate {
    r(inputs.text(key))
}

/// Margin with the value of the option.
fn short_option(inputs: &Inputs) -> Outcome {
    let rule = ShortOptionRule {
        initial: share(inputs, "initial_share"),
        initial_least: share(inputs, "initial_least"),
        maintenance: OptionMaintenance::Shares {
            spot: share(inputs, "maintenance_share"),
            put_mark: r(inputs.or("put_mark_share", "0")),
            put_initial: r(inputs.or("put_initial", "0")),
        },
        put_cap: None,
    };
    let mark_value = m(inputs.text("mark_value"));
    let option = ShortOption {
        right: right(inputs.text("right")),
        spot: p(inputs.text("spot")),
        strike: p(inputs.text("strike")),
        size: inputs.size(),
        mark_value,
    };
    let OptionCharge { initial, maintenance } = rule.charge(&option);
    vec![("initial", (mark_value + initial).into()), ("maintenance", (mark_value + maintenance).into())]
}

/// Legs with their own isolated margin, where it is given, or the worst payoff: what is less.
fn book(inputs: &Inputs) -> Outcome {
    let legs: Vec<OptionLeg> = inputs
        .each("legs")
        .iter()
        .map(|leg| OptionLeg { right: right(leg.text("right")), strike: p(leg.text("strike")), size: leg.size() })
        .collect();
    let worst = worst_payoff(&legs).unwrap();
    let forward = p(inputs.or("forward", "0"));
    let of = |key| {
        let margin = worst.margin(forward, r(inputs.or(key, "0")));
        inputs.get("isolated_maintenance").map_or(margin, |isolated| margin.min(m(isolated)))
    };
    vec![("initial", of("initial_unpaired").into()), ("maintenance", of("maintenance_unpaired").into())]
}

fn time_values(inputs: &Inputs) -> Outcome {
    let spot = p(inputs.text("spot"));
    let (mut payoffs, mut rest) = (Vec::new(), Vec::new());
    for option in inputs.each("options") {
        let payoff = option_payoff(right(option.text("right")), spot, p(option.text("strike")));
        payoffs.push(payoff);
        rest.push(option.mark() - payoff);
    }
    vec![("payoffs", list(payoffs)), ("time_values", list(rest))]
}

fn funding(inputs: &Inputs) -> Outcome {
    const HOUR_NS: i64 = 3_600_000_000_000;
    let hours = |key| inputs.whole::<i64>(key) * HOUR_NS;
    let (held, period) = (hours("held_hours"), hours("period_hours"));
    let payment: Option<Money> = option_funding(p(inputs.text("time_value")), inputs.size(), held, period, Round::Up);
    vec![("payment", payment.map_or(Ours::None, Ours::from))]
}

fn perpetual(inputs: &Inputs) -> Outcome {
    let (spot, strike) = (p(inputs.text("spot")), p(inputs.text("strike")));
    let period = inputs.whole::<i64>("period_days") * 86_400_000_000_000;
    let option = Perpetual::new(spot, strike, share(inputs, "volatility"), period, share(inputs, "interest")).unwrap();
    let tick = Price::new(1).unwrap();
    let price = |right| to_nearest_price(option.price(right), tick).unwrap();
    vec![("call", price(Right::Call).into()), ("put", price(Right::Put).into())]
}
