//! `plimsoll margin --portfolio`: a book under portfolio margin, every scenario, the worst one, greeks, and what is needed.

use crate::margin::{Failure, aligned};
use rulebooks::{PortfolioFigures, PortfolioFile, Source, UnderlyingSum};
use serde_json::json;
use std::path::Path;

/// The answer for the book at a path.
pub fn answer(path: &Path, as_json: bool) -> Result<String, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|why| Failure(3, format!("error: cannot read {name}: {why}")))?;
    let file = PortfolioFile::read(&Source { file: &name, text: &text })?;
    let hint = "hint: docs/portfolio.md has the form of a book and every refusal";
    let figures = file.figures().map_err(|why| Failure(2, format!("error: {name}: {why}\n{hint}")))?;
    Ok(if as_json { format!("{:#}\n", json!(figures)) } else { table(&figures) })
}

fn table(figures: &PortfolioFigures) -> String {
    let mut text = String::new();
    for one in &figures.underlyings {
        text += &underlying(one);
        text.push('\n');
    }
    let row = |name: &str, amount: units::Money, note: &str| vec![name.into(), amount.to_string(), note.into()];
    let peg = format!("initial 1, maintenance 0.8 of scanned - offset; + {} for the peg", figures.peg);
    text += &aligned(&[
        row("scanned", figures.scanned, ""),
        row("offset", figures.offset, ""),
        row("charges", figures.charges, "beside the scan, in both"),
        row("initial_margin", figures.initial_margin, &peg),
        row("maintenance_margin", figures.maintenance_margin, ""),
    ]);
    text
}

fn underlying(one: &UnderlyingSum) -> String {
    let mut rows =
        vec![["scenario", "price", "volatility", "funding", "counts", "result", ""].map(String::from).to_vec()];
    for (at, scenario) in one.scenarios.iter().enumerate() {
        let worst = if at == one.worst { "worst" } else { "" };
        rows.push(vec![
            at.to_string(),
            percent(i128::from(scenario.price.units()), 9),
            scenario.volatility.into(),
            scenario.funding.into(),
            percent(i128::from(scenario.damp), 18),
            scenario.result.to_string(),
            worst.into(),
        ]);
    }
    let greeks = &one.greeks;
    let terms = [
        ("loss", one.loss.to_string()),
        ("short_options", one.short_options.to_string()),
        ("basis", one.basis.to_string()),
        ("vega", one.vega.to_string()),
        ("concentration", one.concentration.to_string()),
        ("quotes", one.quotes.to_string()),
        ("rounding", one.rounding.to_string()),
    ];
    let terms: Vec<String> = terms.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
    format!(
        "{}\n{}{}\ndelta {}, gamma {} per 1 %, vega {} per 100 %, theta {} a day\n",
        one.name,
        aligned(&rows),
        terms.join(", "),
        greeks.delta,
        greeks.gamma,
        greeks.vega,
        greeks.theta
    )
}

/// A share of 10^`digits` as a percentage, whole where it is.
fn percent(units: i128, digits: u32) -> String {
    let one = 10i128.pow(digits - 2);
    let (whole, rest) = (units / one, (units % one).abs());
    if rest == 0 {
        return format!("{whole}%");
    }
    let sign = if units < 0 && whole == 0 { "-" } else { "" };
    let places = usize::try_from(digits - 2).unwrap_or(0);
    let rest = format!("{rest:0places$}");
    format!("{sign}{whole}.{}%", rest.trim_end_matches('0'))
}
