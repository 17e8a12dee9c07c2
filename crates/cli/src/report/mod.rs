//! The report: one HTML page of one or several replays, for people who decide about money. It needs no network, no script
//! and no file beside it. What it says is computed from the JSON of the replays and from nothing else.

mod chart;
mod compare;
mod data;
mod figures;
mod maps;
mod table;
mod words;

#[cfg(test)]
mod tests;

use crate::replay::table::count;
use chart::escape;
use data::Run;
use serde_json::Value;
use sim::replay::STATEMENTS;
use words::{DEFINITIONS, amount, finding, interest, share, term};

const STYLE: &str = include_str!("style.css");
/// Nothing may be loaded, run or sent; only the style inside the page counts.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const LIMITS: [&str; 4] = [
    "A replay cannot say how far the price would have fallen under other rules: the index follows published prices, which already contain the cascade that happened. Only last and premium, and through them a mark made from them, move with the liquidations of this run.",
    "Amounts are those of this population. Its equity, leverage and sides are assumptions. Shares of opening interest, orders of magnitude and the effect of changing one rule are what a replay is for; “the exchange lost X” is not.",
    "Liquidity is a model: makers have money enough and quote by a formula. What the real books held in those minutes is not in the data.",
    "Nobody opens positions after the first price but makers, the ladder and orders left in the book. Nobody adds margin, nobody panics.",
];

/// The page of one or several results of `plimsoll replay --json`.
///
/// # Errors
/// Results that are none, or no list of at least one.
pub fn page(results: &[Value]) -> Result<String, String> {
    let read = |value: &Value| {
        serde_json::from_value::<Run>(value.clone()).map_err(|why| format!("not the result of a replay: {why}"))
    };
    let runs = results.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let first = runs.first().ok_or("no result to report")?;
    let title = match runs.len() {
        1 => format!("Replay of {}", first.name),
        n => format!("{n} variants on {}", first.name),
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><meta name=\"color-scheme\" content=\"light dark\"/><title>{0}</title><style>{STYLE}</style></head>\n<body><a class=\"skip\" href=\"#main\">To the finding</a><header><h1>{0}</h1>",
        escape(&title)
    );
    out += &head(first);
    out += &contents(runs.len() > 1);
    out += "</header>\n<main id=\"main\">";
    out += &opening(&runs);
    for run in &runs {
        out += &details(run, runs.len() > 1);
    }
    out += &closing(&runs);
    out += "</main>\n<footer>Made by plimsoll replay. Amounts in the quote asset, which counts as worth 1; short amounts are cut, not rounded. Definitions stand under each dotted word.</footer></body></html>\n";
    Ok(out)
}

fn head(run: &Run) -> String {
    let accounts = run.population.get("accounts").and_then(Value::as_u64).unwrap_or(0);
    let minutes = |t: &str| t.get(..16).unwrap_or(t).replace('T', " ");
    format!(
        "<p class=\"sub\">{} to {} UTC · {} accounts · {} markets · {} prices · {} {}</p>",
        minutes(&run.from),
        minutes(&run.to),
        count(accounts),
        run.markets.len(),
        count(run.steps),
        count(run.commands),
        term("commands")
    )
}

fn contents(compared: bool) -> String {
    let compare = if compared { "<li><a href=\"#compare\">Comparison</a></li>" } else { "" };
    let mut out =
        format!("<nav aria-label=\"Contents\"><ul><li><a href=\"#limits\">What may not be concluded</a></li>{compare}");
    if !compared {
        for (id, title, _) in SECTIONS {
            out += &format!("<li><a href=\"#{id}\">{title}</a></li>");
        }
    }
    out + "<li><a href=\"#assumptions\">Assumptions</a></li><li><a href=\"#repeat\">Digests</a></li><li><a href=\"#definitions\">Definitions</a></li></ul></nav>"
}

fn opening(runs: &[Run]) -> String {
    let mut out = String::new();
    for run in runs {
        if runs.len() > 1 {
            out += &format!("<h3>{}</h3>", escape(&run.variant));
        }
        out += &format!("<p class=\"finding\">{}</p>", finding(run));
    }
    if let [run] = runs {
        out += &tiles(run);
    }
    out += "<section id=\"limits\" class=\"caution\"><h2>What may not be concluded</h2>";
    // A run on generated prices, or with feedback, says itself what its index is.
    let index = runs.iter().filter_map(|run| run.statements.first());
    let index = index.map(|text| if text == STATEMENTS[0] { LIMITS[0] } else { text.as_str() });
    out += &list(index.chain(LIMITS.into_iter().skip(1)));
    out += "</section>";
    if runs.len() > 1 {
        out += &compare::section(runs);
    }
    out
}

fn tiles(run: &Run) -> String {
    let t = &run.total;
    let whole = interest(run);
    let tile = |value: String, key: &str, more: String| {
        format!("<li><b>{value}</b><span>{}</span><span>{more}</span></li>", term(key))
    };
    let tiles = [
        tile(count(t.counts.below_line), "below", format!("{} {}", count(t.liquidations), term("liquidations"))),
        tile(
            share(t.counts.forced(), whole),
            "forced",
            format!("of {} {}", words::sum(run.markets.iter().map(|m| &m.interest_before)), term("interest")),
        ),
        tile(
            amount(&t.fund.low),
            "fund-low",
            format!("from {}, after {}", amount(&t.fund.before), amount(&t.fund.after)),
        ),
        tile(
            share(t.counts.deleveraged.notional.f(), whole),
            "adl",
            format!(
                "{} {}, {} {}",
                count(t.adl_receipts),
                term("receipts"),
                count(t.counts.hedges_broken.steps),
                term("broken")
            ),
        ),
        tile(amount(&t.deficits), "deficits", "that nobody paid".to_owned()),
    ];
    format!("<ul class=\"tiles\">{}</ul>", tiles.concat())
}

type Draw = fn(&Run) -> String;

const SECTIONS: [(&str, &str, Draw); 7] = [
    ("below", "Below the line", figures::below),
    ("closed", "Closed by stage", figures::stages),
    ("fund", "Fund and deficits", figures::fund),
    ("receipts", "Deleveraging", figures::receipts),
    ("ratios", "Margin ratios", ratios),
    ("maps", "Liquidation maps", both_maps),
    ("prices", "Prices and funding", prices),
];

fn ratios(run: &Run) -> String {
    format!(
        "<p>How much of its equity each subaccount needs as maintenance margin: before, at the lowest index of the market with the largest turnover, and after.</p>{}",
        figures::ratios(run)
    )
}

fn both_maps(run: &Run) -> String {
    format!(
        "<p>How much would fall below its line at each price, at three moments. Whole positions of the population; makers, hedgers, volunteers and the fund are left out, and nothing is said of what the closing would do to the price.</p><h3>All marks together</h3><p>Every mark moves by the same share, and the coins that are collateral with it: before, at the lowest index of the market with the largest turnover, and after.</p>{}<p>Below, one market at a time: its mark moves, every other price, position and order stays. After the first price, at the market’s own lowest index, and after the last price.</p>{}",
        maps::shocks(run),
        maps::each(run)
    )
}

fn prices(run: &Run) -> String {
    format!("<div class=\"grid\">{}</div><h3>Funding</h3>{}", figures::prices(run), figures::funding(run))
}

fn details(run: &Run, compared: bool) -> String {
    let mut out = String::new();
    if compared {
        out += &format!("<details><summary>All figures of “{}”</summary>", escape(&run.variant));
    }
    for (id, title, draw) in SECTIONS {
        let anchor = if compared { String::new() } else { format!(" id=\"{id}\"") };
        out += &format!("<section><h2{anchor}>{title}</h2>{}</section>", draw(run));
    }
    if compared {
        out += "</details>";
    }
    out
}

/// Each text once, in the order in which it is first said.
fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut said: Vec<&str> = Vec::new();
    texts.for_each(|text| {
        if !said.contains(&text) {
            said.push(text);
        }
    });
    let items: String = said.iter().map(|text| format!("<li>{}</li>", escape(text))).collect();
    format!("<ul>{items}</ul>")
}

fn closing(runs: &[Run]) -> String {
    let mut out = String::from("<section><h2 id=\"assumptions\">Assumptions</h2>");
    out += "<h3>Figures of exchanges</h3>";
    out += &list(runs.iter().flat_map(|run| &run.sources).map(String::as_str));
    out += "<h3>What is ours</h3>";
    out += &list(runs.iter().flat_map(|run| &run.statements).map(String::as_str));
    if let Some(run) = runs.first() {
        let rows: Vec<Vec<String>> = run
            .markets
            .iter()
            .map(|m| vec![escape(&m.symbol), m.tiers_date.clone(), m.tiers_origin.replace('_', " ")])
            .collect();
        let head = [term("market"), term("tiers"), words::named("tiers", "known")];
        out += &table::folded("size tiers", "Size tiers", &head, &rows);
    }
    out += &compare::settings(runs);
    out += "</section><section><h2 id=\"repeat\">Digests and how to repeat it</h2><p>The same command on another machine gives the same two digests, or something is wrong.</p>";
    for run in runs {
        if !run.variant.is_empty() {
            out += &format!("<h3>{}</h3>", escape(&run.variant));
        }
        out += &format!(
            "<pre>{}</pre><p class=\"digest\">events {}<br/>state {}</p>",
            escape(&run.reproduce),
            escape(&run.event_digest),
            escape(&run.state_digest)
        );
    }
    out += "</section><section><h2 id=\"definitions\">Definitions</h2><dl>";
    for (key, label, text) in DEFINITIONS {
        out += &format!("<dt id=\"d-{key}\">{}</dt><dd>{}</dd>", escape(label), escape(text));
    }
    out + "</dl></section>"
}
