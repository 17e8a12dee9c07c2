//! `plimsoll margin --accounts`: CSV and Parquet say the same, as a single book does, and what is wrong is said with its place.

use parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
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
        ("ben,800,BTCUSDT,1,127,000,20", "row 3: 7 cells"),
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
    std::fs::write(&path, "").unwrap();
    let empty = of_file(path.to_str().unwrap(), &[]);
    assert!(text(&empty.stderr).contains("row 1: no column `account`") && empty.status.code() == Some(2), "{empty:?}");
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

/// Every row of a Parquet file as text: decimals with the digits that they need, nothing for nothing.
fn cells(path: &Path) -> Vec<Vec<String>> {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let text = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Decimal(_) => field.to_string().trim_end_matches('0').trim_end_matches('.').to_owned(),
        Field::Bool(is) => is.to_string(),
        other => panic!("{other} is neither a name, a decimal nor a flag"),
    };
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_column_iter().map(|(_, field)| text(field)).collect()).collect()
}

#[test]
fn parquet_figures_are_those_of_csv() {
    let folder = folder("figures");
    let path = folder.join("accounts.csv");
    let mut rows = HEAD.to_owned() + "\n";
    for n in 0..300u32 {
        let side = if n % 2 == 0 { "" } else { "-" };
        // The first has nothing left, so that it has no ratio.
        let entry = if n == 0 { 300_000 } else { 119_000 + n * 7 };
        rows += &format!("\"a, {n}\",{}.5,BTCUSDT,{side}0.{:03},{},20\n", n * 3, n % 400 + 1, entry);
        if n % 3 == 0 {
            rows += &format!("\"a, {n}\",,ETHUSDT,{}.003,4301.07,10\n", n % 11);
        }
    }
    std::fs::write(&path, rows).unwrap();
    let [csv, parquet] = ["csv", "parquet"].map(|ending| {
        let to = folder.join(format!("figures.{ending}"));
        let ran = of_file(path.to_str().unwrap(), &["--liquidation-moves", "--out", to.to_str().unwrap()]);
        assert!(text(&ran.stderr).starts_with("300 accounts, "), "{}", text(&ran.stderr));
        to
    });
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let wanted: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!((wanted.len(), wanted[0].len()), (300, 9));
    for at in [5, 7, 8] {
        assert!(wanted.iter().any(|row| row[at].is_empty()), "column {at} is never empty");
    }
    assert_eq!(cells(&parquet), wanted);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn numbers_of_parquet_are_read_as_they_were_written() {
    let folder = folder("numbers");
    let path = folder.join("accounts.parquet");
    let schema =
        "message rows { required binary account (string); required int64 leverage; required double entry_price;
        required fixed_len_byte_array(5) collateral (decimal(10,2)); required int32 size (decimal(9,3));
        required binary market (string); optional int64 other; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(std::fs::File::create(&path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut at = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        let name = |text: &str| vec![ByteArray::from(text)];
        match at {
            0 => column.typed::<ByteArrayType>().write_batch(&name("ann"), None, None),
            1 => column.typed::<Int64Type>().write_batch(&[20], None, None),
            2 => column.typed::<DoubleType>().write_batch(&[121_000.1], None, None),
            3 => {
                let money = FixedLenByteArray::from(2_500_050i64.to_be_bytes()[3..].to_vec());
                column.typed::<FixedLenByteArrayType>().write_batch(&[money], None, None)
            }
            4 => column.typed::<Int32Type>().write_batch(&[-3_050], None, None),
            5 => column.typed::<ByteArrayType>().write_batch(&name("BTCUSDT"), None, None),
            _ => column.typed::<Int64Type>().write_batch(&[], Some(&[0]), None),
        }
        .unwrap();
        column.close().unwrap();
        at += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
    let same = folder.join("accounts.csv");
    std::fs::write(&same, format!("{HEAD}\nann,25000.50,BTCUSDT,-3.050,121000.1,20\n")).unwrap();
    let [parquet, csv] = [path, same].map(|path| of_file(path.to_str().unwrap(), &[]));
    assert!(csv.status.success(), "{}", text(&csv.stderr));
    assert_eq!(text(&parquet.stdout), text(&csv.stdout), "{}", text(&parquet.stderr));
    std::fs::remove_dir_all(&folder).unwrap();
}
