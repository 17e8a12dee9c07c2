//! CSV and Parquet rows, handed to `sim` cell by cell: which checks they pass is decided there, the same for both.
//!
//! Parquet holds binary floats where CSV holds text. The shortest decimal text of a float is what was written, and it is
//! made before anything is computed.

use crate::save::Target;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use sim::replay::{Book, BookReader, CandleReader, FundingReader, FundingTable, RawTable, RowError, Sources, TierBook};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// Why there is no result.
#[derive(Debug)]
pub struct Failure {
    text: String,
    code: u8,
}

impl From<crate::data::Failed> for Failure {
    fn from(crate::data::Failed { text, code }: crate::data::Failed) -> Self {
        Self { text, code }
    }
}

impl Failure {
    /// Its exit code.
    pub fn number(&self) -> u8 {
        self.code
    }

    /// A usage error, or figures that cannot be used.
    pub fn usage(text: String) -> Self {
        Self { text, code: 2 }
    }

    /// A file that cannot be read.
    pub fn file(path: &Path, why: &str) -> Self {
        Self { text: format!("cannot read {}: {why}", path.display()), code: 3 }
    }

    /// A file that cannot be written.
    pub fn unwritable(path: &Path, why: &str) -> Self {
        Self { text: format!("cannot write {}: {why}", path.display()), code: 3 }
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A user's prices as sources, with the tables of tiers that the project carries.
pub fn sources(path: &Path) -> Result<Sources, Failure> {
    let prices = candles(path)?;
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Sources {
        name,
        notes: vec![format!("prices: {}", path.display())],
        prices,
        marks: None,
        funding: None,
        turnover: BTreeMap::new(),
        generated: false,
        tiers: TierBook::carried()?,
    })
}

/// Reads candles.
pub fn candles(path: &Path) -> Result<RawTable, Failure> {
    Ok(read(path, CandleReader::new, CandleReader::push)?.finish()?)
}

/// Reads funding rates.
pub fn funding(path: &Path) -> Result<FundingTable, Failure> {
    Ok(read(path, FundingReader::new, FundingReader::push)?.finish())
}

/// Reads the accounts of a population.
pub fn book(path: &Path, balance: Option<&str>) -> Result<Book, Failure> {
    Ok(read(path, BookReader::new, BookReader::push)?.finish(balance)?)
}

/// Makes a reader of the header and gives it the other rows.
fn read<R>(
    path: &Path,
    new: impl Fn(&str, &[&str]) -> Result<R, RowError>,
    push: impl Fn(&mut R, u64, &[&str]) -> Result<(), RowError>,
) -> Result<R, Failure> {
    let mut reader = None;
    rows(path, |file, row, cells| match reader.as_mut() {
        None => new(file, cells).map(|made| reader = Some(made)),
        Some(reader) => push(reader, row, cells),
    })?;
    let hint = "expected: a line of column names, then rows";
    reader.ok_or_else(|| Failure::usage(format!("{}: the file is empty\n  {hint}", path.display())))
}

/// Writes rows under a header as CSV.
pub fn write_rows(path: &Path, target: Target, header: &[&str], rows: &[[String; 8]]) -> Result<(), Failure> {
    let problem = |why: &dyn fmt::Display| Failure::unwritable(path, &why.to_string());
    let mut writer = csv::Writer::from_writer(target);
    writer.write_record(header).map_err(|why| problem(&why))?;
    for row in rows {
        writer.write_record(row).map_err(|why| problem(&why))?;
    }
    writer.into_inner().map_err(|why| problem(why.error()))?.finish()
}

/// Gives the header as row 1, then every row; stops at the first error.
pub fn rows(path: &Path, mut take: impl FnMut(&str, u64, &[&str]) -> Result<(), RowError>) -> Result<(), Failure> {
    let name = path.display().to_string();
    let is_parquet = is_parquet(path)?;
    let file = File::open(path).map_err(|why| Failure::file(path, &why.to_string()))?;
    if is_parquet { parquet_rows(path, file, &name, &mut take) } else { csv_rows(path, file, &name, &mut take) }
}

/// Whether a file is Parquet, by its first bytes.
pub fn is_parquet(path: &Path) -> Result<bool, Failure> {
    let mut file = File::open(path).map_err(|why| Failure::file(path, &why.to_string()))?;
    let mut magic = [0; 4];
    Ok(file.read_exact(&mut magic).is_ok() && &magic == b"PAR1")
}

type Take<'a> = dyn FnMut(&str, u64, &[&str]) -> Result<(), RowError> + 'a;

fn csv_rows(path: &Path, file: File, name: &str, take: &mut Take<'_>) -> Result<(), Failure> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|why| unreadable_csv(path, &why))? {
        let row = record.position().map_or(0, csv::Position::line);
        let cells: Vec<&str> = record.iter().map(|cell| cell.trim_start_matches('\u{feff}')).collect();
        take(name, row, &cells)?;
    }
    Ok(())
}

/// A CSV file that cannot be read on.
pub fn unreadable_csv(path: &Path, why: &csv::Error) -> Failure {
    match why.kind() {
        csv::ErrorKind::Io(why) => Failure::file(path, &why.to_string()),
        csv::ErrorKind::Utf8 { pos, .. } => {
            let row = pos.as_ref().map_or(0, csv::Position::line);
            Failure::usage(format!(
                "{} row {row}: not UTF-8\n  expected: CSV text or Parquet\n  hint: export the file again",
                path.display()
            ))
        }
        _ => Failure::usage(format!("{}: {why}\n  expected: CSV text or Parquet", path.display())),
    }
}

/// A Parquet file that cannot be read on.
pub fn not_parquet(path: &Path, why: &parquet::errors::ParquetError) -> Failure {
    let hint = "hint: write it again as CSV, or as Parquet with zstd, snappy or no compression";
    Failure::usage(format!("{}: not a Parquet file that can be read: {why}\n  {hint}", path.display()))
}

fn parquet_rows(path: &Path, file: File, name: &str, take: &mut Take<'_>) -> Result<(), Failure> {
    let problem = |why: parquet::errors::ParquetError| not_parquet(path, &why);
    let reader = SerializedFileReader::new(file).map_err(problem)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let header: Vec<String> = schema.columns().iter().map(|c| c.name().to_owned()).collect();
    take(name, 1, &header.iter().map(String::as_str).collect::<Vec<_>>())?;
    for (row, record) in (2u64..).zip(reader.get_row_iter(None).map_err(problem)?) {
        let cells: Vec<String> = record.map_err(problem)?.get_column_iter().map(|(_, field)| text(field)).collect();
        take(name, row, &cells.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The decimal text of a cell; what is neither number nor text becomes a text that is refused.
fn text(field: &Field) -> String {
    match field {
        Field::Str(text) => text.clone(),
        Field::Double(value) => value.to_string(),
        Field::Float(value) => value.to_string(),
        Field::TimestampMillis(ms) => ms.to_string(),
        Field::TimestampMicros(us) if us % 1_000 == 0 => (us / 1_000).to_string(),
        other => other.to_string(),
    }
}
