//! Rows of candles and funding rates from outside, checked one by one before anything runs. It knows columns and rules,
//! not files: a caller brings the name of the file, the header and the cells.

use std::collections::BTreeMap;
use std::fmt;
use units::{Decimal, Rate};

/// Digits after the point that a price of a file may have.
pub const FILE_DECIMALS: u32 = 18;
/// The most rows of one file.
pub const ROWS_MAX: usize = 20_000_000;
/// The longest name of a symbol.
const SYMBOL_MAX: usize = 20;

/// A row that cannot be used; nothing has been run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Name of the file.
    pub file: String,
    /// Number of the row, the header being row 1; none when it is about the whole file.
    pub row: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// What would have been right.
    pub expected: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(row) = self.row {
            write!(f, " row {row}")?;
        }
        write!(f, ": {}\n  expected: {}\n  hint: {}", self.what, self.expected, self.hint)
    }
}

impl std::error::Error for RowError {}

/// One candle, prices and volume in 10^−18 of the unit that the file uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCandle {
    /// First price.
    pub open: i128,
    /// Highest price.
    pub high: i128,
    /// Lowest price.
    pub low: i128,
    /// Last price.
    pub close: i128,
    /// Volume in base units; zero where the file knows none.
    pub volume: i128,
}

/// The candles of one symbol: one per interval, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSeries {
    /// Opening of the first, Unix milliseconds.
    pub start_ms: i64,
    /// In order of time.
    pub candles: Vec<RawCandle>,
}

/// A checked file of candles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTable {
    /// Name of the file.
    pub file: String,
    /// Milliseconds of one candle.
    pub interval_ms: i64,
    /// By symbol.
    pub series: BTreeMap<String, RawSeries>,
}

/// Where the columns are and what has been read: rows go in one by one.
#[derive(Clone, Debug)]
pub struct CandleReader {
    file: String,
    columns: [usize; 7],
    interval_ms: Option<i64>,
    series: BTreeMap<String, RawSeries>,
    rows: usize,
}

const CANDLE_COLUMNS: [&[&str]; 7] = [
    &["open_time_ms", "open_time", "ts", "time_ms"],
    &["symbol"],
    &["open"],
    &["high"],
    &["low"],
    &["close"],
    &["volume"],
];
const FUNDING_COLUMNS: [&[&str]; 3] = [&["ts", "time_ms", "open_time_ms"], &["symbol"], &["rate", "funding_rate"]];

/// The position of each column; the names of a column are alternatives.
pub fn find_columns<const N: usize>(file: &str, header: &[&str], wanted: [&[&str]; N]) -> Result<[usize; N], RowError> {
    let listed = wanted.map(|names| names[0]).join(",");
    let fail = |what: String| RowError {
        file: file.to_owned(),
        row: Some(1),
        what,
        expected: format!("the columns {listed}"),
        hint: format!("give the first line as `{listed}`, in any order"),
    };
    let mut found = [0; N];
    for (place, names) in found.iter_mut().zip(wanted) {
        let mut at = header.iter().enumerate().filter(|(_, name)| names.contains(&name.trim())).map(|(at, _)| at);
        *place = at.next().ok_or_else(|| fail(format!("no column `{}`", names[0])))?;
        if at.next().is_some() {
            return Err(fail(format!("two columns for `{}`", names[0])));
        }
    }
    match header.iter().find(|name| !wanted.iter().any(|names| names.contains(&name.trim()))) {
        Some(other) => Err(fail(format!("unknown column `{}`", other.trim()))),
        None => Ok(found),
    }
}

impl CandleReader {
    /// A file with this header.
    ///
    /// # Errors
    /// A column that is missing, unknown or there twice.
    pub fn new(file: &str, header: &[&str]) -> Result<Self, RowError> {
        let columns = find_columns(file, header, CANDLE_COLUMNS)?;
        Ok(Self { file: file.to_owned(), columns, interval_ms: None, series: BTreeMap::new(), rows: 0 })
    }

    /// Takes the next row; `row` is its number in the file, the header being row 1.
    ///
    /// # Errors
    /// Whatever is wrong with the row, or with its place among the others.
    pub fn push(&mut self, row: u64, cells: &[&str]) -> Result<(), RowError> {
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return Err(self.error(row, "too many rows".into(), format!("at most {ROWS_MAX}"), "cut the file"));
        }
        if cells.len() != self.columns.len() {
            let what = format!("{} cells", cells.len());
            return Err(self.error(row, what, "7 cells".into(), "one row is time,symbol,open,high,low,close,volume"));
        }
        let time = self.time(row, cells)?;
        let symbol = symbol(cells[self.columns[1]]).ok_or_else(|| {
            self.error(
                row,
                "symbol cannot be used".into(),
                "1 to 20 of A-Z a-z 0-9 . _ -".into(),
                "for example BTCUSDT",
            )
        })?;
        let candle = self.candle(row, cells)?;
        self.place(row, time, symbol)?;
        let series = self.series.entry(symbol.to_owned());
        series.or_insert_with(|| RawSeries { start_ms: time, candles: Vec::new() }).candles.push(candle);
        Ok(())
    }

    fn error(&self, row: u64, what: String, expected: String, hint: &str) -> RowError {
        RowError { file: self.file.clone(), row: Some(row), what, expected, hint: hint.to_owned() }
    }

    fn time(&self, row: u64, cells: &[&str]) -> Result<i64, RowError> {
        let text = cells[self.columns[0]];
        parse_time(text).ok_or_else(|| {
            let hint =
                "for example 1760122800000 for 2025-10-10T19:00:00Z; seconds become milliseconds with 000 behind them";
            self.error(row, format!("time is `{text}`"), "Unix milliseconds between 2000 and 2100".into(), hint)
        })
    }

    fn candle(&self, row: u64, cells: &[&str]) -> Result<RawCandle, RowError> {
        let mut prices = [0; 4];
        for (price, (column, name)) in
            prices.iter_mut().zip(self.columns[2..6].iter().zip(["open", "high", "low", "close"]))
        {
            *price = self.number(row, name, cells[*column])?;
            if *price <= 0 {
                let hint = "leave the market out with --symbols, or begin later with --from";
                return Err(self.error(
                    row,
                    format!("{name} is {}", cells[*column]),
                    "a price above zero".into(),
                    hint,
                ));
            }
        }
        let [open, high, low, close] = prices;
        if high < open.max(close) || low > open.min(close) {
            let what = format!(
                "open {}, high {}, low {}, close {}",
                cells[self.columns[2]], cells[self.columns[3]], cells[self.columns[4]], cells[self.columns[5]]
            );
            return Err(self.error(
                row,
                what,
                "low <= open, close <= high".into(),
                "columns may be exchanged; see the first line",
            ));
        }
        let volume = self.number(row, "volume", cells[self.columns[6]])?;
        if volume < 0 {
            return Err(self.error(
                row,
                format!("volume is {}", cells[self.columns[6]]),
                "zero or more".into(),
                "write 0 where it is not known",
            ));
        }
        Ok(RawCandle { open, high, low, close, volume })
    }

    fn number(&self, row: u64, name: &str, text: &str) -> Result<i128, RowError> {
        Decimal::parse(text).and_then(|d| d.to_units(FILE_DECIMALS)).ok_or_else(|| {
            let expected = format!("a decimal number with at most {FILE_DECIMALS} digits after the point");
            self.error(row, format!("{name} is `{text}`"), expected, "no thousands separators, no empty cells, no NaN")
        })
    }

    /// Each symbol's rows rise by exactly one interval, which its first two rows show.
    fn place(&mut self, row: u64, time: i64, symbol: &str) -> Result<(), RowError> {
        let Some(series) = self.series.get(symbol) else { return Ok(()) };
        let count = i64::try_from(series.candles.len()).unwrap_or(i64::MAX);
        let last = series.start_ms + self.interval_ms.unwrap_or(0) * (count - 1);
        let next = self.interval_ms.map_or_else(|| "a later time".to_owned(), |i| format!("time {}", last + i));
        if time <= last {
            let kind = if time == last { "duplicated" } else { "out of order" };
            return Err(self.error(
                row,
                format!("{symbol} at {time} is {kind}: its last row is {last}"),
                next,
                "sort by time and keep one row of each",
            ));
        }
        let interval = *self.interval_ms.get_or_insert(time - last);
        if time == last + interval {
            return Ok(());
        }
        let what = if time > last + interval {
            format!("{symbol} has a gap: {last} is followed by {time}")
        } else {
            format!(
                "{symbol} at {time} comes {} ms after its last row, rows before it {interval} ms apart",
                time - last
            )
        };
        Err(self.error(row, what, next, "one row per interval: fetch what is missing, or choose a window without it"))
    }

    /// All rows are in.
    ///
    /// # Errors
    /// An empty file, or one with so few rows that the interval cannot be seen.
    pub fn finish(self) -> Result<RawTable, RowError> {
        let Some(interval_ms) = self.interval_ms else {
            return Err(RowError {
                file: self.file,
                row: None,
                what: format!("{} rows do not show an interval", self.rows),
                expected: "at least two candles of a symbol".into(),
                hint: "a row is time,symbol,open,high,low,close,volume".into(),
            });
        };
        Ok(RawTable { file: self.file, interval_ms, series: self.series })
    }
}

/// Funding rates from outside, by symbol and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FundingTable {
    /// Name of the file.
    pub file: String,
    /// Settlements of each symbol: Unix milliseconds and rate, in order of time.
    pub rates: BTreeMap<String, Vec<(i64, Rate)>>,
}

/// Reads funding rates row by row.
#[derive(Clone, Debug)]
pub struct FundingReader {
    columns: [usize; 3],
    table: FundingTable,
}

impl FundingReader {
    /// A file with this header.
    ///
    /// # Errors
    /// A column that is missing, unknown or there twice.
    pub fn new(file: &str, header: &[&str]) -> Result<Self, RowError> {
        let columns = find_columns(file, header, FUNDING_COLUMNS)?;
        Ok(Self { columns, table: FundingTable { file: file.to_owned(), rates: BTreeMap::new() } })
    }

    /// Takes the next row. A rate may have an exponent; it is read exactly.
    ///
    /// # Errors
    /// Whatever is wrong with the row, or with its place among the others.
    pub fn push(&mut self, row: u64, cells: &[&str]) -> Result<(), RowError> {
        let file = self.table.file.clone();
        let fail = |what: String, expected: &str, hint: &str| {
            Err(RowError { file, row: Some(row), what, expected: expected.to_owned(), hint: hint.to_owned() })
        };
        let [time, name, rate] = match <[&str; 3]>::try_from(cells) {
            Ok(cells) => self.columns.map(|column| cells[column]),
            Err(_) => return fail(format!("{} cells", cells.len()), "3 cells", "one row is ts,symbol,rate"),
        };
        let Some(at) = parse_time(time) else {
            return fail(
                format!("time is `{time}`"),
                "Unix milliseconds between 2000 and 2100",
                "for example 1760140800000",
            );
        };
        let Some(symbol) = symbol(name) else {
            return fail("symbol cannot be used".into(), "1 to 20 of A-Z a-z 0-9 . _ -", "for example BTCUSDT");
        };
        let parsed =
            Decimal::parse(rate).and_then(|d| d.to_units(9)).and_then(|u| i64::try_from(u).ok()).and_then(Rate::new);
        let Some(rate) = parsed.filter(|r| r.units().abs() < Rate::ONE.units()) else {
            return fail(
                format!("rate is `{rate}`"),
                "a rate between -1 and 1 with at most 9 digits after the point",
                "0.01 % is 0.0001 or 1e-04",
            );
        };
        let rates = self.table.rates.entry(symbol.to_owned()).or_default();
        if let Some((last, _)) = rates.last().filter(|(last, _)| *last >= at) {
            let kind = if *last == at { "duplicated" } else { "out of order" };
            let what = format!("{symbol} at {at} is {kind}: its last row is {last}");
            return fail(what, "a later time", "sort by time and keep one row of each");
        }
        rates.push((at, rate));
        Ok(())
    }

    /// All rows are in.
    #[must_use]
    pub fn finish(self) -> FundingTable {
        self.table
    }
}

/// Unix milliseconds of this century: a file in seconds or microseconds is noticed.
fn parse_time(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|ms| digits && (946_684_800_000..4_102_444_800_000).contains(ms))
}

pub fn symbol(text: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    Some(text).filter(|t| !t.is_empty() && t.len() <= SYMBOL_MAX && t.bytes().all(plain))
}
