//! The page as a reader's machine sees it: nothing from outside, well-formed, every chart with its table, every number with
//! its definition.

use super::page;
use serde_json::Value;
use sim::replay::{Config, Figures, Window, named, run};
use std::collections::BTreeSet;

fn result(variant: &str, seed: u64) -> Value {
    let figures = Figures::new(
        &named("2025-10-10").unwrap(),
        &Window { symbols: vec!["BTCUSDT".into(), "AAVEUSDT".into()], ..Window::default() },
    )
    .unwrap();
    let config = Config { accounts: 120, seed, step_ms: 60_000, ..Config::default() };
    let report = run(&config, &figures, &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    let mut value = serde_json::to_value(&report).unwrap();
    value["variant"] = variant.into();
    value["reproduce"] = "plimsoll replay <x> & \"y\"".into();
    value
}

/// Tags in order; fails on one that is not closed, closed by another, or an attribute without quotes.
fn assert_well_formed(html: &str) {
    let empty = ["meta", "br", "path", "rect"];
    let mut open: Vec<String> = Vec::new();
    let body = html.split_once("<style>").map(|(a, b)| format!("{a}{}", b.split_once("</style>").unwrap().1)).unwrap();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("unclosed tag {part}"));
        assert!(!text.contains('>'), "a bare > in {text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of {tag}");
        let name: String = tag.chars().skip_while(|c| *c == '/').take_while(char::is_ascii_alphanumeric).collect();
        if tag.starts_with('!') {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "closing {tag}");
        } else if tag.ends_with('/') {
            assert!(empty.contains(&name.as_str()), "{tag} closes itself");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

fn between<'a>(html: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(from).skip(1).filter_map(move |rest| rest.split_once(to).map(|(inside, _)| inside))
}

fn assert_page(html: &str) {
    assert_well_formed(html);
    for forbidden in
        ["http:", "https:", "url(", "@import", "<script", "<img", "<link", " src=", "NaN", "inf\"", "style=\""]
    {
        assert!(!html.contains(forbidden), "{forbidden} in the page");
    }
    let ids: BTreeSet<&str> = between(html, " id=\"", "\"").collect();
    assert_eq!(ids.len(), html.matches(" id=\"").count(), "an id stands twice");
    for target in between(html, "href=\"", "\"") {
        let id = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads away"));
        assert!(ids.contains(id), "{target} leads nowhere");
    }
    for figure in between(html, "<figure>", "</figure>") {
        assert!(figure.contains("role=\"img\" aria-label=\"") && figure.contains("<table>"), "a chart without a table");
    }
    assert!(html.contains("Content-Security-Policy") && html.contains("default-src 'none'"));
}

#[test]
fn the_page_is_whole_and_needs_nothing_from_outside() {
    let one = result("", 1);
    let html = page(std::slice::from_ref(&one)).unwrap();
    assert_page(&html);
    assert!(html.matches("<figure>").count() >= 16);
    // Every column of every table leads to the definition of its number.
    for cell in between(&html, "<th scope=\"col\">", "</th>") {
        assert!(cell.contains("href=\"#d-"), "no definition for the column {cell}");
    }
    for tile in between(&html, "<li><b>", "</li>") {
        assert!(tile.contains("href=\"#d-"), "no definition for the tile {tile}");
    }
    assert!(html.contains("plimsoll replay &lt;x&gt; &amp;") && html.contains(one["event_digest"].as_str().unwrap()));
}

#[test]
fn several_results_are_compared() {
    let html = page(&[result("base", 1), result("<other> seed", 2)]).unwrap();
    assert_page(&html);
    assert!(html.contains("id=\"compare\"") && html.contains("&lt;other&gt; seed"));
    assert!(html.contains("NOT the same accounts or prices"));
}

#[test]
fn a_page_of_variants_says_of_each_what_its_index_is() {
    let mut fed = result("fed", 1);
    fed["statements"][0] = "FEEDBACK IS ON: the index is a model".into();
    let html = page(&[result("base", 1), fed.clone()]).unwrap();
    assert!(html.contains("The same accounts and prices under each variant"));
    assert_eq!(html.matches("FEEDBACK IS ON").count(), 2, "as a limit and as an assumption");
    assert!(html.contains("the index follows published prices"));
    let html = page(&[fed]).unwrap();
    assert!(!html.contains("the index follows published prices"));
}

#[test]
fn a_sum_is_cut_and_not_rounded() {
    use super::data::Num;
    assert_eq!(super::words::sum([&Num("1999998.5".into()), &Num("0.5".into())]), "1.99M");
}

#[test]
fn what_is_no_result_is_refused() {
    assert!(page(&[]).unwrap_err().contains("no result"));
    assert!(page(&[Value::Null]).unwrap_err().contains("not the result of a replay"));
}
