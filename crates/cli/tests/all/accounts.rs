//! `plimsoll margin --accounts`: CSV and Parquet say the same, as a single book does, and what is wrong is said with its place.

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

const HEAD: &str = "account,collateral,market,size,entry_price,leverage";
const PRICES: &str = "docs/books/prices.toml";

fn margin(line: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("margin").args(line).args(["--rulebook", "binance-usdm@2025-10-10"]).current_dir(root).output().unwrap()
}

fn of_file(path: &str, more: &[&str]) -> Output {
    margin(&[&["--accounts", path, "--prices", PRICES], more].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder that is empty.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("plimsoll-accounts-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn parquet_and_csv_give_the_same_rows() {
    let folder = folder("kinds");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let csv = std::fs::read_to_string(root.join("docs/books/accounts.csv")).unwrap();
    let path = folder.join("accounts.parquet");
    let fields: String = HEAD.split(',').map(|name| format!("optional binary {name} (string);")).collect();
    let schema = Arc::new(parse_message_type(&format!("message rows {{ {fields} }}")).unwrap());
    let mut writer = SerializedFileWriter::new(std::fs::File::create(&path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for at in 0..6 {
        let cells: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').nth(at).unwrap()).collect();
        let levels: Vec<i16> = cells.iter().map(|cell| i16::from(!cell.is_empty())).collect();
        let values: Vec<ByteArray> = cells.into_iter().filter(|cell| !cell.is_empty()).map(ByteArray::from).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let (one, other) = (of_file("docs/books/accounts.csv", &[]), of_file(path.to_str().unwrap(), &[]));
    assert!(one.status.success() && !one.stdout.is_empty(), "{}", text(&one.stderr));
    assert_eq!(text(&one.stdout), text(&other.stdout), "{}", text(&other.stderr));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_account_of_many_has_the_figures_of_its_book() {
    let rows = text(&of_file("docs/books/accounts.csv", &["--liquidation-moves"]).stdout);
    let book: serde_json::Value = serde_json::from_slice(&margin(&["docs/books/three.toml", "--json"]).stdout).unwrap();
    let (head, ann) = (rows.lines().next().unwrap(), rows.lines().nth(1).unwrap());
    assert_eq!(head.split(',').count(), 9);
    for (name, cell) in head.split(',').zip(ann.split(',')).skip(1) {
        let want = &book["units"][0][name];
        let want = want.as_str().map_or_else(|| want.to_string().replace("null", ""), str::to_owned);
        assert_eq!(cell, want, "{name}");
    }
    let is_below = |line: usize| rows.lines().nth(line).unwrap().split(',').nth(6).unwrap().to_owned();
    assert_eq!([is_below(1), is_below(2), is_below(3)], ["false", "true", "false"]);
}

#[test]
fn what_is_wrong_is_said_with_row_and_column() {
    let folder = folder("wrong");
    let (path, to) = (folder.join("accounts.csv"), folder.join("margins.csv"));
    let good = "ann,25000,BTCUSDT,3,121000,20\n";
    for (row, wanted) in [
        ("ben,800,BTCUSD,1,127000,20", "row 3: market: binance-usdm has no market BTCUSD"),
        ("ben,800,XRPUSDT,1,3,20", "row 3: market: XRPUSDT has no price"),
        ("ben,800,BTCUSDT,0.00001,127000,20", "row 3: size: 0.00001 is no multiple of 0.001"),
        ("ben,800,BTCUSDT,1e3,127000,20", "row 3: size: \"1e3\""),
        ("ben,8OO,BTCUSDT,1,127000,20", "row 3: collateral: \"8OO\""),
        ("ben,800,BTCUSDT,1,,20", "row 3: entry_price: \"\""),
        ("ben,800,BTCUSDT,1,0,20", "row 3: entry_price: 0 is not above zero"),
        ("ben,800,BTCUSDT,1,127000,", "row 3: leverage: binance-usdm needs a leverage"),
        ("ben,800,BTCUSDT,1,127000,200", "row 3: leverage: 200 is above the greatest"),
        ("ben,800,BTCUSDT,1,127000,x", "row 3: leverage: \"x\" is no leverage"),
        ("ben,800,BTCUSDT,1000000,127000,1", "row 3: size: a notional of"),
        ("ann,1,ETHUSDT,1,4300,20", "row 3: collateral: 1 differs from 25000"),
        ("ann,,BTCUSDT,1,121000,20", "row 3: market: BTCUSDT stands twice"),
        (",800,BTCUSDT,1,127000,20", "row 3: account: it is empty"),
        ("ben,800,BTCUSDT,1,127000,20\nann,25000,ETHUSDT,1,4300,20", "row 4: account: ann stands here again"),
    ] {
        std::fs::write(&path, format!("{HEAD}\n{good}{row}\n")).unwrap();
        let ran = of_file(path.to_str().unwrap(), &["--out", to.to_str().unwrap()]);
        let why = text(&ran.stderr);
        assert!(why.contains(wanted) && why.contains("hint: "), "{row}: {why}");
        assert_eq!(ran.status.code(), Some(2), "{row}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "{row} left a file");
    }
    std::fs::write(&path, "account,market,size,entry_price\n").unwrap();
    let why = text(&of_file(path.to_str().unwrap(), &[]).stderr);
    assert!(why.contains("row 1: no column `collateral`"), "{why}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_file_is_written_once() {
    let folder = folder("out");
    let to = folder.join("margins.csv");
    let ran = of_file("docs/books/accounts.csv", &["--out", to.to_str().unwrap()]);
    assert!(text(&ran.stderr).starts_with("3 accounts, 1 below the line, "), "{}", text(&ran.stderr));
    assert_eq!(std::fs::read(&to).unwrap(), of_file("docs/books/accounts.csv", &[]).stdout);
    let again = of_file("docs/books/accounts.csv", &["--out", to.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(3));
    assert!(text(&again.stderr).contains("it exists"), "{}", text(&again.stderr));
    let ending = folder.join("margins.xlsx");
    let why = text(&of_file("docs/books/accounts.csv", &["--out", ending.to_str().unwrap()]).stderr);
    assert!(why.contains("ends in .csv"), "{why}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}
