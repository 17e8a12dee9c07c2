//! Liquidation maps: how much would come below its line at each price, one market alone and all at once.

use super::chart::{Chart, Ink, SMALL, Span, escape, percent, tick};
use super::data::{Map, Run, ShockMap, ShockStep};
use super::figures::{figure, when};
use super::table::folded;
use super::words::{amount, named, sum, term};
use crate::replay::table::count;

const INKS: [Ink<'static>; 2] = [Ink { class: "f-long", label: "longs" }, Ink { class: "f-short", label: "shorts" }];

/// Width of a step, and of its bar.
const STEP: f64 = 0.02;
const BAR: f64 = 0.0185;

/// How much would be closed were all marks to move by the same share.
pub fn shocks(run: &Run) -> String {
    let most = Span::of(run.shock_maps.iter().flat_map(|m| &m.steps).map(|s| s.long.f() + s.short.f())).with_zero();
    format!("<div class=\"grid\">{}</div>", run.shock_maps.iter().map(|m| shock(m, most)).collect::<String>())
}

fn shock(m: &ShockMap, most: Span) -> String {
    let mut chart = Chart::new(SMALL, Span { low: -0.9, high: 0.9 }, most, "quote per 2 % step", &tick);
    chart.x_labels(&[-0.8, -0.4, 0.0, 0.4, 0.8].map(|d| (d, percent(d))));
    let now = |s: &&ShockStep| !s.moved.is_some();
    let steps = || m.steps.iter().filter(|s| !now(s));
    // A step reaches from the price before it to its own.
    let left = |s: &ShockStep| if s.moved.f() < 0.0 { s.moved.f() } else { s.moved.f() - STEP };
    chart.bars(INKS[0], steps().map(|s| (left(s), 0.0, s.long.f())), BAR);
    chart.bars(INKS[1], steps().map(|s| (left(s), s.long.f(), s.short.f())), BAR);
    chart.upright(0.0, "now");
    let within = |low: f64, high: f64| {
        let inside = steps().filter(move |s| s.moved.f() > low && s.moved.f() < high);
        sum(inside.flat_map(|s| [&s.long, &s.short]))
    };
    let below = m.steps.iter().find(now).map_or("0".to_owned(), |s| sum([&s.long, &s.short]));
    let note = format!(
        "Down 10 %: {}; up 10 %: {}. Already below the line {below}. Asked {} of {} subaccounts, {} evaluations.",
        within(-0.101, 0.0),
        within(0.0, 0.101),
        count(m.candidates),
        count(m.accounts),
        count(m.evaluated)
    );
    let summary = format!(
        "All marks together, {}: longs of {} and shorts of {} would fall below their line within 90 %.",
        when(&m.when),
        sum(steps().map(|s| &s.long)),
        sum(steps().map(|s| &s.short))
    );
    let row = |s: &ShockStep| {
        let moved = if s.moved.is_some() { percent(s.moved.f()) } else { "already below".to_owned() };
        vec![moved, s.subaccounts.to_string(), s.long.cut(), s.short.cut()]
    };
    let rows: Vec<Vec<String>> = m.steps.iter().map(row).collect();
    let head = [named("shock", "all marks by"), term("subaccounts"), term("longs"), term("shorts")];
    let table = folded(
        &format!("all marks together {}", when(&m.when)),
        "Notional at the marks of the moment, quote; steps with nothing in them are left out",
        &head,
        &rows,
    );
    let title = format!("{}, {}", when(&m.when), m.at.get(11..19).unwrap_or(&m.at));
    figure(&title, &note, &INKS, &[chart.finish("", &summary)], &table)
}

/// How much would be closed at which price of one market alone.
pub fn each(run: &Run) -> String {
    let mut out = String::new();
    for market in &run.liquidation_maps {
        let most = Span::of(market.maps.iter().flat_map(|m| &m.steps).map(|s| s.long.f() + s.short.f())).with_zero();
        let panels: String = market.maps.iter().map(|m| map(&market.symbol, m, most)).collect();
        out += &format!("<h3>{}</h3><div class=\"grid\">{panels}</div>", escape(&market.symbol));
    }
    out
}

fn map(symbol: &str, m: &Map, most: Span) -> String {
    let mut chart = Chart::new(SMALL, Span { low: -0.9, high: 0.9 }, most, "quote per 2 % step", &tick);
    let labels = [-0.8, -0.4, 0.0, 0.4, 0.8].map(|d| (d, tick(m.mark.f() * (1.0 + d))));
    chart.x_labels(&labels);
    chart.bars(INKS[0], m.steps.iter().map(|s| (s.from.f(), 0.0, s.long.f())), BAR);
    chart.bars(INKS[1], m.steps.iter().map(|s| (s.from.f(), s.long.f(), s.short.f())), BAR);
    chart.upright(0.0, "mark");
    let note = format!(
        "Mark {}. Already below the line {}; farther or never: longs {}, shorts {}.",
        m.mark.0,
        amount(&m.below_line),
        amount(&m.far_long),
        amount(&m.far_short)
    );
    let summary = format!(
        "{symbol} {}: longs of {} and shorts of {} would fall below their line within 90 % of the mark.",
        when(&m.when),
        sum(m.steps.iter().map(|s| &s.long)),
        sum(m.steps.iter().map(|s| &s.short))
    );
    let mut rows: Vec<Vec<String>> = m
        .steps
        .iter()
        .map(|s| {
            vec![format!("{} to {}", s.price_from.0, s.price_to.0), percent(s.from.f()), s.long.cut(), s.short.cut()]
        })
        .collect();
    rows.push(vec![term("far"), String::new(), m.far_long.cut(), m.far_short.cut()]);
    rows.push(vec![named("already", "already below, both sides"), String::new(), m.below_line.cut(), String::new()]);
    let head = [named("step", "price"), named("step", "from the mark"), term("longs"), term("shorts")];
    let table = folded(
        &format!("{symbol} {}", when(&m.when)),
        "Notional at the mark of the moment, quote; steps with nothing in them are left out",
        &head,
        &rows,
    );
    let title = format!("{}, {}", when(&m.when), m.at.get(11..19).unwrap_or(&m.at));
    figure(&title, &note, &INKS, &[chart.finish("", &summary)], &table)
}
