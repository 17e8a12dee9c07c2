//! Funding that accrues with time, or follows from averages and margins.

use super::holding::slippage_rule;
use super::{Inputs, Ours, Outcome, Rule};
use crate::number::{Fixed, m, p, r};
use plimsoll_rules::*;
use units::{Price, Rate};

pub fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name {
        "funding_index" => index,
        "funding_cap" => cap,
        "spread_funding" => spread,
        "average_funding" => average,
        _ => return None,
    };
    Some(rule)
}

/// An index, in 1e-17, as text at 1e-16; what is beyond is lost, which no vector has.
fn of_index(units: i128) -> Ours {
    assert_eq!(units % 10, 0, "an index finer than is shown");
    Fixed(units / 10).into()
}

/// A granularity of indices, given in the quote per contract.
fn grain(inputs: &Inputs) -> i128 {
    m(inputs.text("grain")).units() * 10
}

/// A rate that may be above the largest, as a sample of a premium: it is held to it.
fn held(text: &str) -> Rate {
    let most = Rate::new(units::limits::RATE_MAX).unwrap();
    if m(text) > units::Money::whole(100) { most } else { r(text) }
}

fn index(inputs: &Inputs) -> Outcome {
    let most = inputs.get("most").map_or_else(|| Rate::new(units::limits::RATE_MAX).unwrap(), r);
    let rule = FundingRule { interval_ns: 1, interest: Rate::ZERO, clamp: Rate::ZERO, cap: most, floor: -most };
    let rate = funding_rate(held(inputs.text("premium")), &rule);
    let delta =
        funding_index_over(inputs.mark(), rate, inputs.whole("elapsed_s"), inputs.whole("period_s"), grain(inputs));
    vec![("rate", rate.into()), ("index_delta", of_index(delta.unwrap()))]
}

fn cap(inputs: &Inputs) -> Outcome {
    let [initial, maintenance, multiple] =
        ["initial_rate", "maintenance_rate", "multiple"].map(|key| r(inputs.text(key)));
    let impact = impact_notional(m(inputs.text("impact_base")), r(inputs.text("impact_rate"))).unwrap();
    vec![("cap", funding_cap(initial, maintenance, multiple).unwrap().into()), ("impact_notional", impact.into())]
}

fn spread(inputs: &Inputs) -> Outcome {
    let rule = |divisor| SpreadRule {
        offset_divisor: inputs.or("offset_divisor", "0").parse().unwrap(),
        most_divisor: divisor,
        periods: inputs.whole("periods"),
        tick: p(inputs.text("tick")),
    };
    let index = p(inputs.text("index_average"));
    let (first, others) = (inputs.whole("divisor"), inputs.or("other_divisor", "1").parse().unwrap());
    let mut outcome = vec![
        ("most", rule(first).most(index).unwrap().into()),
        ("most_of_other", rule(others).most(index).unwrap().into()),
    ];
    if let Some(mark) = inputs.get("mark_average") {
        outcome.push(("rate", of_index(rule(first).step(p(mark), index, grain(inputs)).unwrap())));
    }
    outcome
}

/// An average: given, or by time.
fn average_of(inputs: &Inputs, name: &str) -> Option<Price> {
    if let Some(given) = inputs.get(&format!("{name}_average")) {
        return Some(p(given));
    }
    let key = format!("{name}_prices");
    inputs.value(&key)?;
    let time = |text: &str| text.parse::<i64>().unwrap();
    let points: Vec<(i64, Price)> = inputs.pairs(&key).iter().map(|(at, price)| (time(at), p(price))).collect();
    let gaps = inputs.value("gaps").map_or(Vec::new(), |_| inputs.pairs("gaps"));
    let gaps: Vec<(i64, i64)> = gaps.iter().map(|(from, to)| (time(from), time(to))).collect();
    let span = (inputs.whole("start"), inputs.whole("end"));
    Some(average_by_time(&points, &gaps, span, p(inputs.or("tick", "0.00000001"))).unwrap())
}

fn average(inputs: &Inputs) -> Outcome {
    let index = average_of(inputs, "index").unwrap();
    let mut outcome = vec![("index_average", index.into())];
    if let Some(mark) = average_of(inputs, "mark") {
        let rule = AverageFunding {
            interest: r(inputs.or("interest", "0")),
            interest_least: r(inputs.or("interest_least", "0")),
            interest_most: r(inputs.or("interest_most", "0")),
            scaling: r(inputs.or("scaling", "1")),
            floor: inputs.get("floor").map(r),
            cap: inputs.get("cap").map(r),
        };
        let years = (inputs.or("elapsed", "0").parse().unwrap(), inputs.or("year", "1").parse().unwrap());
        let paid = rule.payment(mark, index, years, p(inputs.or("payment_tick", "0.00000001"))).unwrap();
        outcome.push(("mark_average", mark.into()));
        outcome.push(("payment", paid.payment.into()));
        outcome.push(("rate", paid.rate.into()));
        if inputs.get("slippage").is_some() {
            outcome.extend(with_margin(inputs, paid.payment));
        }
    }
    outcome
}

/// The margin that this funding adds to.
fn with_margin(inputs: &Inputs, funding: Price) -> Outcome {
    let of = WithOrders { size: inputs.size(), ..WithOrders::default() };
    let rule = slippage_rule(inputs);
    let futures = rule.maintenance(inputs.mark(), &of, Price::ZERO, 16).unwrap();
    vec![
        ("futures_margin", futures.into()),
        ("total", rule.maintenance(inputs.mark(), &of, funding, 16).unwrap().into()),
    ]
}
