//! How long `plimsoll margin --accounts` takes for a million accounts of two positions, from file to file.
//!
//! `cargo bench -p plimsoll-cli --bench accounts [-- ACCOUNTS]`. The same accounts as Parquet and as CSV, made here from a fixed
//! seed into the target folder, figures written as both. CPU time and wall clock of the command, beside what cannot be avoided, in
//! the same run: reading the Parquet columns and the CSV records without looking at them.
//!
//! Estimate before measuring, for each account: two rows of six cells read and decoded, 0.3 µs; six numbers parsed, 0.1 µs; two
//! positions valued, 0.1 µs; five figures written, 0.4 µs of CSV: about a second for a million.
#![allow(missing_docs)] // a bench

use parquet::basic::{Compression, ZstdLevel};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const NAMES: [&str; 6] = ["account", "collateral", "market", "size", "entry_price", "leverage"];
/// Markets with their marks in cents and a size in lots that is worth about 100 dollars, with the digits of the lot.
const MARKETS: [(&str, i64, i64, usize); 3] =
    [("BTCUSDT", 11_950_000, 1, 3), ("ETHUSDT", 430_000, 23, 3), ("SOLUSDT", 21_500, 46, 2)];
const PRICES: &str =
    "[prices]\nBTCUSDT = { mark = \"119500\" }\nETHUSDT = { mark = \"4300\" }\nSOLUSDT = { mark = \"215\" }\n";
const GROUP: u64 = 131_072;

fn main() {
    let accounts = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(1_000_000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("accounts");
    fs::create_dir_all(&folder).expect("a folder");
    println!("{}, load {}", processor(), fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let files = ["accounts.parquet", "accounts.csv"].map(|name| folder.join(name));
    generate(accounts, &files[0], &files[1]);
    fs::write(folder.join("prices.toml"), PRICES).expect("prices");
    println!("{accounts} accounts of 2 positions in {}:", folder.display());
    for _ in 0..2 {
        let bare = [
            measured("read the Parquet columns only", || columns(&files[0])),
            measured("read the CSV records only", || records(&files[1])),
        ];
        for (from, bare) in files.iter().zip(bare) {
            for to in ["figures.parquet", "figures.csv"] {
                let cpu = figures(&folder, from, to, accounts);
                println!("           {:.1} times reading alone", cpu / bare);
            }
        }
    }
}

/// Runs the command; CPU seconds.
fn figures(folder: &Path, from: &Path, to: &str, accounts: u64) -> f64 {
    let (prices, out) = (folder.join("prices.toml"), folder.join(to));
    let _ = fs::remove_file(&out);
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("margin").arg("--accounts").arg(from).arg("--prices").arg(prices).arg("--out").arg(&out);
    command.args(["--rulebook", "binance-usdm@2025-10-10"]);
    let ending = |path: &Path| path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
    let what = format!("figures of {} into {}", ending(from), ending(&out));
    measured(&what, || {
        let ran = command.output().expect("the command runs");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(said.starts_with(&format!("{accounts} accounts, ")), "{said}");
    })
}

/// CPU seconds of this process and its children, printed beside the wall clock.
fn measured(what: &str, run: impl FnOnce()) -> f64 {
    let (started, before) = (Instant::now(), cpu_seconds());
    run();
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - before);
    println!("  {cpu:>5.2} s CPU, {wall:>5.2} s wall: {what}");
    cpu
}

fn columns(path: &Path) {
    let reader = SerializedFileReader::new(File::open(path).expect("the file")).expect("Parquet");
    let mut bytes = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).expect("a group");
        for column in 0..NAMES.len() {
            let ColumnReader::ByteArrayColumnReader(mut column) = group.get_column_reader(column).expect("a column")
            else {
                panic!("a column of texts");
            };
            let (mut values, mut levels) = (Vec::new(), Vec::new());
            while column.read_records(4_096, Some(&mut levels), None, &mut values).expect("rows").0 > 0 {
                bytes += values.drain(..).map(|value| value.len()).sum::<usize>();
                levels.clear();
            }
        }
    }
    assert!(bytes > 0);
}

fn records(path: &Path) {
    let mut reader = csv::Reader::from_path(path).expect("CSV");
    let (mut record, mut bytes) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).expect("a record") {
        bytes += record.as_slice().len();
    }
    assert!(bytes > 0);
}

/// Two rows of an account: collateral of 100 to 10,000, two markets, notionals of 100 to 10,000 at about the mark.
fn rows(account: u64, random: &mut Random) -> [[String; 6]; 2] {
    let first = random.below(3);
    [0, 1].map(|row| {
        let (market, cents, lots, digits) = MARKETS[usize::try_from((first + row) % 3).expect("small")];
        let lots = lots * i64::try_from(1 + random.below(100)).expect("small");
        let side = if random.below(2) == 0 { "-" } else { "" };
        let scale = 10i64.pow(u32::try_from(digits).expect("small"));
        let size = format!("{side}{}.{:0digits$}", lots / scale, lots % scale);
        let entry = cents / 1_000 * i64::try_from(950 + random.below(100)).expect("small");
        let collateral =
            if row == 0 { format!("{}.{:02}", 100 + random.below(9_900), random.below(100)) } else { String::new() };
        let entry_price = format!("{}.{:02}", entry / 100, entry % 100);
        [format!("account-{account:07}"), collateral, market.to_owned(), size, entry_price, "20".to_owned()]
    })
}

fn generate(accounts: u64, parquet: &PathBuf, csv: &PathBuf) {
    let fields: String = NAMES.iter().map(|name| format!("optional binary {name} (string);")).collect();
    let schema = Arc::new(parse_message_type(&format!("message rows {{ {fields} }}")).expect("a schema"));
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = Arc::new(WriterProperties::builder().set_compression(zstd).build());
    let mut parquet =
        SerializedFileWriter::new(File::create(parquet).expect("a file"), schema, properties).expect("a writer");
    let mut csv = csv::Writer::from_path(csv).expect("a file");
    csv.write_record(NAMES).expect("a header");
    let mut random = Random(7);
    for from in (0..accounts).step_by(usize::try_from(GROUP).expect("small")) {
        let all: Vec<[String; 6]> =
            (from..accounts.min(from + GROUP)).flat_map(|account| rows(account, &mut random)).collect();
        let mut group = parquet.next_row_group().expect("a group");
        for at in 0..NAMES.len() {
            let levels: Vec<i16> = all.iter().map(|row| i16::from(!row[at].is_empty())).collect();
            let cells = all.iter().map(|row| row[at].as_str()).filter(|cell| !cell.is_empty());
            let values: Vec<ByteArray> = cells.map(ByteArray::from).collect();
            let mut column = group.next_column().expect("a column").expect("a column");
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).expect("written");
            column.close().expect("written");
        }
        group.close().expect("written");
        for row in all {
            csv.write_record(row).expect("written");
        }
    }
    parquet.close().expect("written");
    csv.flush().expect("written");
}

/// SplitMix64: a bench's inputs, the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// CPU time of this process and of its children that have ended.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(") ").next().unwrap_or("");
    let ticks = after_name.split(' ').skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum::<u32>();
    f64::from(ticks) / 100.0 // the kernel counts hundredths
}

/// The processor's name.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    name.trim_start_matches(['\t', ' ', ':']).to_owned()
}
