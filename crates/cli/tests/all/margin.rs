//! `plimsoll margin` with one book: what is refused with which exit code, and a CSV that says what the JSON says.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const BOOK: &str = "docs/books/three.toml";

fn plimsoll(line: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(line).current_dir(root).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn what_asks_for_nothing_or_gives_nothing_is_refused() {
    for (line, code, wanted) in [
        (vec!["margin", BOOK, "--what-if", ""], 2, "expected NAME ±PERCENT% such as \"BTC -12%\", found \"\""),
        (vec!["margin", BOOK, "--what-if", "BTC -12%,"], 2, "found \"\""),
        (vec!["margin", BOOK, "--compare", "okx"], 2, "none of these venues can hold the book"),
        (vec!["margin", BOOK, "--compare", "okx", "--json"], 2, "not comparable:\nokx: "),
        (vec!["rulebook", "check", "no/such.toml"], 3, "error: cannot read no/such.toml: "),
        (vec!["margin", "no/such.toml"], 3, "error: cannot read no/such.toml: "),
    ] {
        let ran = plimsoll(&line);
        let told = text(&ran.stderr);
        assert!(told.contains(wanted) && ran.stdout.is_empty(), "{line:?}: {told}");
        assert_eq!(ran.status.code(), Some(code), "{line:?}: {told}");
    }
}

#[test]
fn csv_has_the_figures_of_json() {
    let csv = text(&plimsoll(&["margin", BOOK, "--csv"]).stdout);
    let json: Value = serde_json::from_slice(&plimsoll(&["margin", BOOK, "--json"]).stdout).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let unit = &json["units"][0];
    let positions = unit["positions"].as_array().unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), positions.len());
    for (row, position) in rows.iter().zip(positions) {
        for (name, cell) in head.iter().zip(row) {
            let figure = match name.strip_prefix("account_") {
                Some(name) => &unit[name],
                None if name == "rulebook" || name == "version" => &json[name],
                None => &position[name],
            };
            assert_eq!(figure.as_str().unwrap_or_default(), cell, "{name}: {figure}");
        }
    }
    for name in ["account_free_collateral", "account_liquidation_fall", "largest_buy", "bankruptcy_price"] {
        assert!(head.iter().any(|column| column == name), "{name}");
    }
}
