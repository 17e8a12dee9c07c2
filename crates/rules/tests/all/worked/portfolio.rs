//! Portfolio margin: Derive's books, Deribit's replies, Paradex's deltas and its partial liquidation.

use super::{Inputs, Outcome, Rule, list};
use crate::number::{m, p, r};
use crate::portfolio::{HOUR_NS, derive};
use plimsoll_rules::options::Right;
use plimsoll_rules::portfolio::{
    Damp, Held, Instrument, InstrumentKind, Market, OkxCharges, OkxClass, ParadexLiquidation, ParadexRules,
    ParadexTable, PlimsollRules, PmePosition, PmeRules, Pmrm2Terms, Scan, Scenario, VolatilityMove, okx_grid,
    okx_margin,
};
use serde_json::{Value, json};
use units::{Money, Price};

pub fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name {
        "pmrm2" => pmrm2,
        "pme" => pme,
        "paradex_deltas" => deltas,
        "paradex_liquidation" => liquidation,
        "okx_units" => okx,
        "plimsoll_pm" => plimsoll,
        _ => return None,
    };
    Some(rule)
}

/// Derive's, by one of the parameter sets of `derive/vectors/portfolio.json`; what is not given is nothing.
fn pmrm2(inputs: &Inputs) -> Outcome {
    let list = |key| inputs.value(key).cloned().unwrap_or(json!([]));
    let case = json!({
        "params": inputs.text("params"), "cash": inputs.or("cash", "0"), "spot": inputs.or("spot", "1"),
        "spot_conf": inputs.or("spot_conf", "1"), "perp": inputs.or("perp", "0"), "stable": inputs.or("stable", "1"),
        "perp_price": inputs.or("perp_price", "1"), "perp_conf": inputs.or("perp_conf", "1"), "perp_upnl": "0",
        "perp_funding": "0", "collaterals": list("collaterals"), "expiries": list("expiries"),
    });
    let file: Value = derive::file();
    let ours = derive::margin(&file, &case).unwrap();
    let rules = derive::rules(&file["params"][inputs.text("params")]);
    let worst = |kind: &dyn Fn(&Scenario) -> bool| least(&ours, rules.grid.scenarios(), kind);
    let skew = |one: &Scenario| matches!(one.volatility, VolatilityMove::SkewLinear | VolatilityMove::SkewAbsolute);
    vec![
        ("mark_to_market", ours.mark_to_market.into()),
        ("worst_regular", worst(&|one| one.damp == Damp::ONE && !skew(one)).into()),
        ("worst_tail", worst(&|one| one.damp != Damp::ONE).into()),
        ("worst_skew", worst(&skew).into()),
        ("basis", ours.basis.into()),
        ("charges", (Money::ZERO - ours.maintenance_charges).into()),
        ("initial_charges", (Money::ZERO - ours.initial_charges).into()),
        ("initial", ours.initial_excess.into()),
        ("maintenance", ours.maintenance_excess.into()),
    ]
}

fn least(ours: &Pmrm2Terms, scenarios: &[Scenario], kind: &dyn Fn(&Scenario) -> bool) -> Money {
    let results = ours.scenarios.iter().zip(scenarios).filter(|(_, one)| kind(one)).map(|(result, _)| *result);
    results.min().unwrap()
}

fn pme(inputs: &Inputs) -> Outcome {
    const DAY_NS: i64 = 86_400_000_000_000;
    let positions: Vec<PmePosition> = inputs
        .each("positions")
        .iter()
        .map(|one| PmePosition {
            delta: m(one.text("delta")),
            left_ns: one.or("days", "0").parse::<i64>().unwrap() * DAY_NS,
        })
        .collect();
    let rules = PmeRules {
        price_range: r(inputs.text("price_range")),
        buckets: inputs.whole("buckets"),
        gains: r(inputs.text("gains")),
        maintenance: r(inputs.text("maintenance_share")),
        roll_least: r(inputs.text("roll_least")),
        roll_per_year: r(inputs.text("roll_per_year")),
        delta_shock_most: r(inputs.or("delta_shock_most", "0")),
        delta_threshold: m(inputs.or("delta_threshold", "0")),
    };
    let (index, initial_only) = (p(inputs.text("index")), m(inputs.or("initial_only", "0")));
    let ours = rules.margin(index, &positions, initial_only).unwrap();
    let first = rules.margin(index, &positions[..1], Money::ZERO).unwrap();
    vec![
        ("first_cells", list(first.cells)),
        ("aggregated", list(ours.aggregated)),
        ("worst", ours.worst.into()),
        ("roll_shock", ours.roll_shock.into()),
        ("delta_shock", ours.delta_shock.into()),
        ("risk_matrix", ours.risk_matrix.into()),
        ("initial", ours.initial.into()),
        ("maintenance", ours.maintenance.into()),
    ]
}

fn deltas(inputs: &Inputs) -> Outcome {
    let rules = ParadexRules::published(ParadexTable::Majors).unwrap();
    let deltas: Vec<_> = inputs.texts("deltas").iter().map(|text| text.parse().unwrap()).collect();
    vec![("least", rules.least_of_deltas(p(inputs.text("spot")), &deltas).unwrap().into())]
}

fn liquidation(inputs: &Inputs) -> Outcome {
    let rules = ParadexLiquidation {
        step: r(inputs.text("step")),
        until: r(inputs.text("until")),
        penalty: r(inputs.text("penalty")),
    };
    let (mut equity, mut notional) = (m(inputs.text("wallet")), Money::ZERO);
    for one in inputs.each("positions") {
        equity += (one.mark() - p(one.text("entry"))) * one.size();
        notional += one.mark() * one.size().abs();
    }
    let maintenance = notional.mul_rate(r(inputs.text("maintenance_rate")), units::Round::Up);
    let closed = rules.close(equity, maintenance).unwrap();
    vec![
        ("equity", equity.into()),
        ("maintenance", maintenance.into()),
        ("share", closed.share.into()),
        ("penalty_paid", closed.penalty.into()),
        ("equity_after", closed.equity.into()),
        ("maintenance_after", closed.maintenance.into()),
    ]
}

/// A risk unit whose terms are given but for the steps of the minimum and how they go together; the scan is one number.
fn okx(inputs: &Inputs) -> Outcome {
    let grid = okx_grid(OkxClass::Majors).unwrap();
    let of = |key| m(inputs.or(key, "0"));
    let mut results = vec![Money::ZERO; grid.scenarios().len()];
    results[0] = Money::ZERO - of("scanned");
    let scan = Scan { worst: results[0], scenario: 0, rounding: Money::ZERO, results };
    let charges = OkxCharges {
        theta: Money::ZERO,
        vega: Money::ZERO,
        basis: of("basis"),
        rates: Money::ZERO,
        minimum_raw: of("minimum_raw"),
        borrowing: Money::ZERO,
        depeg: Money::ZERO,
    };
    let ours = okx_margin(&scan, &grid, &charges, r("1.3"));
    vec![("minimum", ours.minimum.into()), ("maintenance", ours.maintenance.into())]
}

/// Our own rules with steps of 4 %, lots of 0.001 and entries of 1e-8: terms of one underlying and what the account needs.
fn plimsoll(inputs: &Inputs) -> Outcome {
    let rules = PlimsollRules::with_step(r("0.04")).unwrap();
    let spot = p(inputs.text("spot"));
    let market = Market { spot, confidence: r(inputs.or("confidence", "0")), horizon_ns: 8 * HOUR_NS };
    let (mut instruments, mut held) = (Vec::new(), Vec::new());
    for one in inputs.each("positions") {
        held.push(Held { instrument: instruments.len(), size: one.size() });
        let quote = one.or("quote", "0").parse().unwrap();
        instruments.push(Instrument { kind: kind(&one), lot: "0.001".parse().unwrap(), quote });
    }
    let table = rules.table(&market, &instruments, m("0.00000001")).unwrap();
    let part = rules.underlying(&table, spot, m(inputs.or("depth", "1000000000")), &held).unwrap();
    let all = rules.portfolio(std::slice::from_ref(&part), &[], p(inputs.or("settlement", "1"))).unwrap();
    vec![
        ("loss", part.loss.into()),
        ("scanned", part.scanned().into()),
        ("basis", part.basis.into()),
        ("concentration", part.concentration.into()),
        ("quotes", part.quotes.into()),
        ("rounding", part.rounding.into()),
        ("initial", all.initial.into()),
        ("maintenance", all.maintenance.into()),
    ]
}

fn kind(one: &Inputs) -> InstrumentKind {
    let days = |one: &Inputs| one.whole::<i64>("days") * 24 * HOUR_NS;
    match one.text("kind") {
        "spot" => InstrumentKind::Spot { mark: one.mark() },
        "future" => InstrumentKind::Future { mark: one.mark(), left_ns: days(one) },
        "perpetual" => InstrumentKind::Perpetual {
            mark: one.mark(),
            funding: r(one.or("funding", "0")),
            funding_stress: r(one.or("funding_stress", "0")),
        },
        "call" => InstrumentKind::DatedOption {
            right: Right::Call,
            strike: p(one.text("strike")),
            forward: p(one.text("forward")),
            forward_fixed: Price::ZERO,
            volatility: Some(r(one.text("volatility"))),
            left_ns: days(one),
            interest: units::Rate::ZERO,
        },
        other => panic!("kind {other:?}"),
    }
}
