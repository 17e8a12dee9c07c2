//! What is said of books that are wrong: the same in TOML and JSON, each with its place.

use crate::support::rules;
use plimsoll_rulebooks::{Book, BookFile, Checked, Source};

const TOML: &str = r#"rulebook = "binance-usdm@2025-10-10"
account = { mode = "cross" }
collateral = [{ asset = "USDT", amount = "10000" }]

[[position]]
market = "BTCUSDT"
size = "0.5"
entry_price = "61000"
leverage = "20"

[prices]
BTCUSDT = { mark = "60500" }
"#;

const JSON: &str = r#"{
  "rulebook": "binance-usdm@2025-10-10",
  "account": { "mode": "cross" },
  "collateral": [ { "asset": "USDT", "amount": "10000" } ],
  "position": [
    { "market": "BTCUSDT",
      "size": "0.5", "entry_price":
        "61000", "leverage": "20" }
  ],
  "prices": { "BTCUSDT": { "mark": "60500" } }
}
"#;

fn checked(text: &str) -> Checked<Book> {
    let source = Source { file: "book", text };
    let file = BookFile::read(&source)?;
    file.named_rulebook(&source)?;
    Book::check(&file, &source, &rules("binance-usdm@2025-10-10", ""))
}

/// What is wrong with a text in which one part is another, and the part of the text that the message marks.
fn wrong(text: &str, was: &str, is: &str) -> (String, String) {
    assert_eq!(text.matches(was).count(), 1, "{was}");
    let text = text.replace(was, is);
    let problem = checked(&text).expect_err("it is wrong");
    let line = text.lines().nth(problem.line.checked_sub(1).expect("a place")).expect("a line");
    let shown = problem.to_string();
    let marks = shown.matches('^').count();
    (problem.what.clone(), line.chars().skip(problem.column - 1).take(marks).collect())
}

#[test]
fn json_is_read_as_toml_is() {
    let figures = |text: &str| {
        let book = checked(text).unwrap();
        let position = &book.units[0].positions[0];
        (position.market.clone(), position.size, position.cost, position.price, position.leverage)
    };
    assert_eq!(figures(JSON), figures(TOML));
    let one_line = JSON.replace('\n', "");
    assert_eq!(figures(&one_line), figures(TOML));
    assert_eq!(figures(&JSON.replace('\n', "\r\n")), figures(TOML));
    // Braces, colons and quotes inside of strings stay what they are.
    let (what, at) = wrong(JSON, "\"USDT\", \"am", "\"a:{\\\"}],\", \"am");
    assert!(what.starts_with("a:{\"}], is no collateral of binance-usdm"), "{what}");
    assert_eq!(at, "{ \"asset\": \"a:{\\\"}],\", \"amount\": \"10000\" }");
}

#[test]
fn what_is_wrong_has_its_place_in_json() {
    for (was, is, what, at) in [
        ("\"0.5\"", "0.5", "0.5 is a bare number, expected a number of contracts such as \"0.5\" in quotes", "0.5"),
        ("\"0.5\"", "\"x\"", "\"x\" is not a number of contracts such as \"0.5\"", "\"x\""),
        (
            "\"61000\"",
            "\"61000.123456789\"",
            "\"61000.123456789\" has 9 digits after the point, at most 8 are allowed",
            "\"61000.123456789\"",
        ),
        ("\"market\": \"BTCUSDT\"", "\"market\": \"BTC\"", "binance-usdm has no market BTC", "\"BTC\""),
        ("\"20\"", "\"200\"", "BTCUSDT: leverage 200 is above the greatest of its tier, 125", "\"200\""),
        ("\"cross\"", "\"portfolio\"", "portfolio margin is not built yet", "\"portfolio\""),
        (
            "2025-10-10",
            "2019-01-01",
            "binance-usdm has no version for 2019-01-01: the first is of 2021-03-01",
            "\"binance-usdm@2019-01-01\"",
        ),
        ("binance-usdm@", "binance@", "there is no rulebook \"binance\"", "\"binance@2025-10-10\""),
        ("\"61000\",", "\"61000\"", "no JSON: expected `,` or `}`", "\""),
    ] {
        assert_eq!(wrong(JSON, was, is), (what.to_owned(), at.to_owned()));
    }
}

#[test]
fn a_book_that_contradicts_itself_is_refused() {
    let margin = "leverage = \"20\"\nmargin = \"1600\"";
    let (what, at) = wrong(TOML, "leverage = \"20\"", margin);
    assert_eq!((what.as_str(), at.as_str()), ("margin is of isolated mode, the account is cross", "\"1600\""));
    // In isolated mode it is what stands behind the position.
    let isolated = TOML.replace("leverage = \"20\"", margin).replace("cross", "isolated");
    assert_eq!(checked(&isolated).unwrap().units[0].wallets[0].amount, units::Money::whole(1600));
}

#[test]
fn a_value_where_a_table_belongs_is_named_as_the_book_names_it() {
    let (what, at) = wrong(TOML, "{ mark = \"60500\" }", "\"60500\"");
    assert_eq!(what, "invalid type: string \"60500\", expected prices such as { mark = \"60500\" }");
    assert_eq!(at, "\"60500\"");
}
