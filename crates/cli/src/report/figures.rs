//! The figures of one run: charts with their keys and tables.

use super::chart::{Chart, Ink, SMALL, Size, Span, WIDE, escape, percent, place, tick};
use super::data::{Distribution, MarketSeries, Num, Run, sums};
use super::table::{folded, open};
use super::words::{amount, named, share, sum, term};
use crate::replay::table::count;

const STAGES: [Ink<'static>; 4] = [
    Ink { class: "f-book", label: "book" },
    Ink { class: "f-volunteers", label: "volunteers" },
    Ink { class: "f-fund", label: "fund" },
    Ink { class: "f-adl", label: "deleveraged" },
];

/// One figure: caption, note, key, drawings, table.
pub fn figure(title: &str, note: &str, inks: &[Ink<'_>], drawings: &[String], table: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!("<span class=\"note\">{}</span>", escape(note)) };
    let entry = |ink: &Ink<'_>| {
        let mark = if ink.class.starts_with("f-") {
            format!("<rect class=\"{}\" width=\"12\" height=\"12\" x=\"5\"/>", ink.class)
        } else {
            format!("<path class=\"line {}\" d=\"M0 6H22\"/>", ink.class)
        };
        format!("<li><svg viewBox=\"0 0 22 12\" aria-hidden=\"true\">{mark}</svg>{}</li>", escape(ink.label))
    };
    let key: String = inks.iter().map(entry).collect();
    let key = if key.is_empty() { key } else { format!("<ul class=\"key\">{key}</ul>") };
    format!("<figure><figcaption>{}{note}</figcaption>{key}{}{table}</figure>", escape(title), drawings.concat())
}

/// The same drawing for a desk and for a phone.
pub fn twice(draw: &dyn Fn(Size, &str) -> String) -> [String; 2] {
    [draw(WIDE, "wide"), draw(SMALL, "narrow")]
}

fn times(run: &Run) -> Vec<(f64, String)> {
    let at = &run.series.at;
    let days = at.first().map(|t| t.get(..10)) != at.last().map(|t| t.get(..10)) && run.series.interval_ms > 300_000;
    let range = if days { 5..16 } else { 11..16 };
    let label = |(n, text): (usize, &String)| (place(n), text.get(range.clone()).unwrap_or(text).replace('T', " "));
    let is_round = |text: &str| text.get(14..16).is_some_and(|minute| minute == "00" || minute == "30");
    let all: Vec<_> = at.iter().enumerate().collect();
    let round: Vec<_> = all.iter().copied().filter(|(_, text)| is_round(text)).collect();
    let chosen = if round.len() >= 4 { round } else { all };
    let skip = chosen.len().div_ceil(12).max(1);
    chosen.into_iter().step_by(skip).map(label).collect()
}

/// A chart of the run's time, with its labels.
pub fn over_time(run: &Run, size: Size, y: Span, unit: &str, label: &dyn Fn(f64) -> String) -> Chart {
    let width = Span { low: 0.0, high: place(run.series.at.len().max(2) - 1) };
    let mut chart = Chart::new(size, width, y, unit, label);
    chart.x_labels(&times(run));
    chart
}

/// The times of the points.
pub fn moments(run: &Run) -> Vec<String> {
    run.series.at.iter().map(|t| t.get(5..16).unwrap_or(t).replace('T', " ")).collect()
}

/// A row for each of `first`, with its cell of every column.
pub fn rows(first: &[String], columns: &[Vec<String>]) -> Vec<Vec<String>> {
    let row = |(at, head): (usize, &String)| {
        let cells = columns.iter().map(|column| column.get(at).cloned().unwrap_or_default());
        std::iter::once(head.clone()).chain(cells).collect()
    };
    first.iter().enumerate().map(row).collect()
}

/// Amounts as [`Num::cut`] writes them.
pub fn cut(list: &[Num]) -> Vec<String> {
    list.iter().map(Num::cut).collect()
}

fn raw(list: &[Num]) -> Vec<String> {
    list.iter().map(|n| n.0.clone()).collect()
}

fn counts(list: &[u64]) -> Vec<String> {
    list.iter().map(u64::to_string).collect()
}

fn floats(list: &[u64]) -> Vec<f64> {
    list.iter().map(|n| Num(n.to_string()).f()).collect()
}

/// Price, mark and index of every market.
pub fn prices(run: &Run) -> String {
    run.series.markets.iter().map(|m| price(run, m)).collect()
}

fn price(run: &Run, m: &MarketSeries) -> String {
    let inks =
        [("c-last", "last"), ("c-mark", "mark"), ("c-index", "index")].map(|(class, label)| Ink { class, label });
    let lists = [&m.last, &m.mark, &m.index].map(|l| l.iter().map(Num::f).collect::<Vec<_>>());
    let span = Span::of(lists.iter().flatten().copied());
    let mut chart = over_time(run, SMALL, span, "quote per base unit", &tick);
    for (ink, values) in inks.iter().zip(&lists) {
        chart.line(*ink, values);
    }
    let text = |m: &[Num]| m.last().map_or_else(String::new, |n| n.0.clone());
    let summary = format!("{}: index, mark and last over time; index at the end {}.", m.symbol, text(&m.index));
    let head = ["time", "index", "index-low", "mark", "last"].map(term);
    let columns = [raw(&m.index), raw(&m.index_low), raw(&m.mark), raw(&m.last)];
    let table = folded(
        &format!("prices of {}", m.symbol),
        &format!("{}, quote per base unit", m.symbol),
        &head,
        &rows(&moments(run), &columns),
    );
    figure(&m.symbol, "", &inks, &[chart.finish("", &summary)], &table)
}

/// Expected funding of every market, and what was settled.
pub fn funding(run: &Run) -> String {
    let ink = Ink { class: "c-mark", label: "funding rate of the running interval" };
    let mut out = String::from("<div class=\"grid\">");
    for m in &run.series.markets {
        let values: Vec<f64> = m.funding_rate.iter().map(Num::f).collect();
        let mut chart = over_time(run, SMALL, Span::of(values.iter().copied()).with_zero(), "per interval", &percent);
        chart.line(ink, &values);
        let head = ["time", "rate"].map(term);
        let table = folded(
            &format!("funding rate of {}", m.symbol),
            &format!("{}, per interval", m.symbol),
            &head,
            &rows(&moments(run), &[raw(&m.funding_rate)]),
        );
        let summary = format!("{}: expected funding rate over time.", m.symbol);
        out += &figure(&m.symbol, "", &[ink], &[chart.finish("", &summary)], &table);
    }
    out += "</div>";
    let settled = run.markets.iter().flat_map(|m| m.funding.iter().map(move |f| (m, f)));
    let rows: Vec<Vec<String>> =
        settled.map(|(m, f)| vec![escape(&m.symbol), f.at.clone(), f.rate.0.clone(), f.mark.0.clone()]).collect();
    if rows.is_empty() {
        return out + "<p>No funding was settled inside the window.</p>";
    }
    out + &open("Settlements of funding", &["market", "time", "rate", "mark"].map(term), &rows)
}

/// Who fell below the line, and when.
pub fn below(run: &Run) -> String {
    let s = &run.series;
    let inks =
        [Ink { class: "f-below", label: "fell below the line" }, Ink { class: "c-index", label: "in liquidation" }];
    let (new, open) = (floats(&s.below_line), floats(&s.liquidating));
    let draw = |size, class: &str| {
        let span = Span::of(new.iter().chain(&open).copied()).with_zero();
        let mut chart = over_time(run, size, span, "accounts", &tick);
        chart.bars(inks[0], new.iter().enumerate().map(|(at, v)| (place(at) - 0.5, 0.0, *v)), 1.0);
        chart.line(inks[1], &open);
        chart.finish(
            class,
            "Accounts that fell below the line in each point, and subaccounts in liquidation at its end.",
        )
    };
    let head = ["time", "below", "liquidating"].map(term);
    let table = folded(
        "accounts below the line",
        "Accounts",
        &head,
        &rows(&moments(run), &[counts(&s.below_line), counts(&s.liquidating)]),
    );
    figure("Accounts below their line", &point(run), &inks, &twice(&draw), &table)
}

fn point(run: &Run) -> String {
    format!("Each point holds {} s.", run.series.interval_ms / 1_000)
}

/// What each stage closed, and when.
pub fn stages(run: &Run) -> String {
    let s = &run.series;
    let len = s.at.len();
    let closed = [
        sums(s.markets.iter().map(|m| &m.reduced), len),
        sums(s.markets.iter().map(|m| &m.backstop), len),
        sums(s.markets.iter().map(|m| &m.taken_over), len),
        sums(s.markets.iter().map(|m| &m.deleveraged), len),
        sums(s.markets.iter().map(|m| &m.unwound), len),
    ];
    // The fund's unwinding is not closing by force: it stands in the table, not in the stack.
    let lists: Vec<Vec<f64>> = closed.iter().take(STAGES.len()).map(|list| list.iter().map(Num::f).collect()).collect();
    let tops: Vec<f64> = (0..len).map(|at| lists.iter().filter_map(|l| l.get(at)).sum()).collect();
    let draw = |size, class: &str| {
        let mut chart = over_time(run, size, Span::of(tops.iter().copied()).with_zero(), "notional, quote", &tick);
        let mut base = vec![0.0; len];
        for (ink, list) in STAGES.iter().zip(&lists) {
            let bars = list.iter().zip(&base).enumerate().map(|(at, (v, base))| (place(at) - 0.5, *base, *v));
            chart.bars(*ink, bars.collect::<Vec<_>>().into_iter(), 1.0);
            base.iter_mut().zip(list).for_each(|(base, v)| *base += v);
        }
        chart.finish(class, "Notional closed by each stage of the ladder over time, stacked.")
    };
    let head = ["time", "book", "volunteers", "fund-took", "adl", "unwound"].map(term);
    let table = folded(
        "closed by stage over time",
        "All markets, notional at the mark, quote",
        &head,
        &rows(&moments(run), &closed.each_ref().map(|list| cut(list))),
    );
    figure("Closed by force, by stage", &point(run), &STAGES, &twice(&draw), &table) + &outcomes(run) + &by_market(run)
}

/// How liquidations ended.
fn outcomes(run: &Run) -> String {
    let t = &run.total;
    let rows = [
        (term("liquidations"), count(t.liquidations)),
        ("of makers, hedgers and volunteers".into(), count(t.liquidations_house)),
        (named("outcomes", "restored: above the line again"), count(t.restored)),
        (named("outcomes", "closed: without a position"), count(t.closed)),
        (named("outcomes", "not ended"), count(t.unfinished)),
        (term("conversions"), count(t.conversions)),
        (term("debts"), amount(&t.debts_unconverted)),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(label, value)| vec![label, value]).collect();
    let head = [named("liquidations", "how they ended"), named("outcomes", "number")];
    format!("<h3>How liquidations ended</h3>{}", open("All markets", &head, &rows))
}

/// The ladder by market.
fn by_market(run: &Run) -> String {
    let keys = [
        "market",
        "interest",
        "index-low",
        "move",
        "below",
        "cancelled",
        "book",
        "volunteers",
        "fund-took",
        "adl",
        "receipts",
        "unwound",
        "uncovered",
        "slippage",
        "fees",
        "worst",
        "interest-after",
    ];
    let row = |label: String, prices: [String; 2], c: &super::data::Counts, before: String, after: String| {
        let worst = c
            .worst_minute
            .as_ref()
            .map_or_else(|| "–".to_owned(), |m| format!("{} {}", m.at.get(11..16).unwrap_or(""), amount(&m.closed)));
        let [low, fall] = prices;
        let stage = |x: &super::data::Closed| amount(&x.notional);
        vec![
            label,
            before,
            low,
            fall,
            count(c.below_line),
            count(c.orders_cancelled),
            stage(&c.reduced),
            stage(&c.backstop),
            stage(&c.taken_over),
            stage(&c.deleveraged),
            count(c.deleveraged.steps),
            stage(&c.unwound),
            count(c.uncovered.steps),
            sum([&c.slippage, &c.unwind_slippage]),
            sum([&c.trading_fees, &c.liquidation_fees]),
            worst,
            after,
        ]
    };
    let mut rows: Vec<Vec<String>> = run
        .markets
        .iter()
        .map(|m| {
            let prices = [m.index.low.0.clone(), share(m.index.low.f() - m.index.first.f(), m.index.first.f())];
            row(escape(&m.symbol), prices, &m.counts, amount(&m.interest_before), amount(&m.interest_after))
        })
        .collect();
    rows.push(row(
        "total".into(),
        [String::new(), String::new()],
        &run.total.counts,
        sum(run.markets.iter().map(|m| &m.interest_before)),
        sum(run.markets.iter().map(|m| &m.interest_after)),
    ));
    format!("<h3>By market</h3>{}", open("Amounts in quote, three figures, cut", &keys.map(term), &rows))
}

/// The fund, and what nobody paid.
pub fn fund(run: &Run) -> String {
    let s = &run.series;
    let inks = [Ink { class: "c-fund", label: "equity" }, Ink { class: "c-low", label: "lowest within the point" }];
    let lists = [&s.fund, &s.fund_low].map(|l| l.iter().map(Num::f).collect::<Vec<_>>());
    let draw = |size, class: &str| {
        let mut chart = over_time(run, size, Span::of(lists.iter().flatten().copied()).with_zero(), "quote", &tick);
        inks.iter().zip(&lists).for_each(|(ink, list)| chart.line(*ink, list));
        chart.finish(class, "Equity of the insurance fund over time.")
    };
    let head = ["time", "fund", "fund-low", "fund-paid", "deficits"].map(term);
    let columns = [cut(&s.fund), cut(&s.fund_low), cut(&s.fund_paid), cut(&s.deficits)];
    let table = folded("the fund and deficits over time", "Quote", &head, &rows(&moments(run), &columns));
    let mut out = figure("Equity of the insurance fund", "", &inks, &twice(&draw), &table);
    if !s.deficits.iter().any(Num::is_some) {
        return out + "<p>No deficit was left unpaid at the end of any point; the table above has the column.</p>";
    }
    let ink = Ink { class: "c-liq", label: "deficits that nobody has paid" };
    let list: Vec<f64> = s.deficits.iter().map(Num::f).collect();
    let draw = |size, class: &str| {
        let mut chart = over_time(run, size, Span::of(list.iter().copied()).with_zero(), "quote", &tick);
        chart.line(ink, &list);
        chart.finish(class, "Deficits that nobody has paid over time.")
    };
    let table = folded(
        "deficits over time",
        "Quote",
        &["time", "deficits"].map(term),
        &rows(&moments(run), &[cut(&s.deficits)]),
    );
    out += &figure("Deficits that nobody has paid", "", &[ink], &twice(&draw), &table);
    out
}

/// Receipts of deleveraging.
pub fn receipts(run: &Run) -> String {
    if run.total.adl_receipts == 0 {
        return "<p>Nobody was deleveraged.</p>".to_owned();
    }
    let s = &run.series;
    let inks =
        [Ink { class: "f-unwound", label: "receipts" }, Ink { class: "f-adl", label: "of these, broke a hedge" }];
    let lists = [floats(&s.receipts), floats(&s.hedges_broken)];
    let draw = |size, class: &str| {
        let mut chart = over_time(run, size, Span::of(lists.iter().flatten().copied()).with_zero(), "receipts", &tick);
        for (ink, list) in inks.iter().zip(&lists) {
            chart.bars(*ink, list.iter().enumerate().map(|(at, v)| (place(at) - 0.5, 0.0, *v)), 1.0);
        }
        chart.finish(class, "Receipts of deleveraging over time, and those that broke a hedge.")
    };
    let table = folded(
        "receipts over time",
        "Receipts",
        &["time", "receipts", "broken"].map(term),
        &rows(&moments(run), &[counts(&s.receipts), counts(&s.hedges_broken)]),
    );
    let mut out = figure("Receipts of deleveraging", &point(run), &inks, &twice(&draw), &table);
    let row = |label: String, c: &super::data::Counts| {
        let (adl, broken) = (&c.deleveraged, &c.hedges_broken);
        vec![label, count(adl.steps), amount(&adl.notional), count(broken.steps), amount(&broken.notional)]
    };
    let mut table: Vec<Vec<String>> = run.markets.iter().map(|m| row(escape(&m.symbol), &m.counts)).collect();
    table.push(row("total".into(), &run.total.counts));
    out += "<h3>Receipts and broken hedges by market</h3>";
    out += &open("Amounts in quote", &["market", "receipts", "adl", "broken", "hedged"].map(term), &table);
    let largest: Vec<Vec<String>> = run
        .largest_receipts
        .iter()
        .map(|r| {
            vec![
                r.at.get(5..19).unwrap_or(&r.at).replace('T', " "),
                escape(&r.symbol),
                escape(&r.winner),
                r.side.clone(),
                r.notional.cut(),
                r.hedged.cut(),
                r.mark.0.clone(),
                r.price.0.clone(),
                r.rank.to_string(),
                escape(&r.failing),
            ]
        })
        .collect();
    let head = [
        term("time"),
        term("market"),
        named("winner", "winner"),
        named("winner", "its side"),
        term("adl"),
        named("hedged", "of it hedged"),
        term("mark"),
        term("price"),
        term("rank"),
        named("winner", "failing account"),
    ];
    out + &folded(
        &format!("the {} largest receipts", largest.len()),
        "Largest first; notional in quote",
        &head,
        &largest,
    )
}

/// How near everyone is to the line, at three moments.
pub fn ratios(run: &Run) -> String {
    let most = Span::of(run.distributions.iter().flat_map(|d| &d.bins).map(|b| Num(b.subaccounts.to_string()).f()))
        .with_zero();
    let panel = |d: &Distribution| {
        let ink = Ink { class: "f-book", label: "above the line" };
        let bad = Ink { class: "f-below", label: "at or below it" };
        let mut chart = Chart::new(SMALL, Span { low: 0.0, high: 11.0 }, most, "subaccounts", &tick);
        let labels = (0..=10u32).step_by(2).map(|n| (f64::from(n), format!("{} %", n * 10)));
        chart.x_labels(&labels.collect::<Vec<_>>());
        let bar =
            |(at, b): (usize, &super::data::RatioBin)| (place(at) + 0.08, 0.0, Num(b.subaccounts.to_string()).f());
        let bars: Vec<_> = d.bins.iter().enumerate().map(bar).collect();
        chart.bars(ink, bars.iter().copied().take(10), 0.84);
        chart.bars(bad, bars.iter().copied().skip(10), 0.84);
        let summary = format!("Subaccounts by margin ratio {}.", when(&d.when));
        let rows: Vec<Vec<String>> = d
            .bins
            .iter()
            .map(|b| vec![percent(b.from.f()), b.subaccounts.to_string(), b.notional.cut()])
            .chain(std::iter::once(vec!["no position".into(), d.without_position.to_string(), "0".into()]))
            .collect();
        let head = [named("ratio", "margin ratio from"), term("subaccounts"), term("notional")];
        let table = folded(
            &format!("margin ratios {}", when(&d.when)),
            "The last tenth holds 100 % and more, and those without equity",
            &head,
            &rows,
        );
        let title = format!("{}, {}", when(&d.when), d.at.get(11..19).unwrap_or(&d.at));
        figure(&title, "margin ratio →", &[ink, bad], &[chart.finish("", &summary)], &table)
    };
    format!("<div class=\"grid\">{}</div>", run.distributions.iter().map(panel).collect::<String>())
}

/// A moment in words.
pub fn when(word: &str) -> &str {
    match word {
        "before" => "before",
        "low" => "at the low",
        _ => "after",
    }
}
