//! Named columns of a CSV or Parquet file, row by row. Cells are lent as text from memory that is used again, so that a row costs
//! none of its own, and of Parquet only the columns asked for are read.
//!
//! It knows no accounts: what a cell means is the business of its reader.

use crate::replay::{Failure, is_parquet, not_parquet, unreadable_csv};
use parquet::basic::{ConvertedType, LogicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use sim::replay::{RowError, push_decimal};
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 4_096;

/// Decimals of the longest decimal that Parquet has in 16 bytes.
const DECIMALS_MAX: u32 = 38;

/// The columns of a file by name.
#[derive(Clone, Copy)]
pub struct Names<const N: usize> {
    /// In the order of the cells.
    pub names: [&'static str; N],
    /// How many of them, from the front, a file must have; the others are empty where they are not there.
    pub required: usize,
}

impl<const N: usize> Names<N> {
    /// Where each stands in a header.
    fn find(&self, file: &str, header: &[&str]) -> Result<[Option<usize>; N], RowError> {
        let found = self.names.map(|name| header.iter().position(|cell| cell.trim() == name));
        let (required, others) = self.names.split_at(self.required.min(N));
        match required.iter().zip(&found).find(|(_, at)| at.is_none()) {
            None => Ok(found),
            Some((name, _)) => Err(RowError {
                file: file.to_owned(),
                row: Some(1),
                what: format!("no column `{name}`"),
                expected: format!("the columns {}", required.join(",")),
                hint: format!("{} may stand beside them; any order", others.join(",")),
            }),
        }
    }
}

/// What is done with a row, whose number comes first.
type Take<'a, const N: usize> = dyn FnMut(u64, [&str; N]) -> Result<(), RowError> + 'a;

/// Gives every row with its number, the header being 1; stops at the first error. A cell without a value is empty.
///
/// # Errors
/// The file cannot be read, a column that is required is missing, or what `take` says.
pub fn rows<const N: usize>(path: &Path, names: Names<N>, take: &mut Take<'_, N>) -> Result<(), Failure> {
    if is_parquet(path)? { parquet_rows(path, names, take) } else { csv_rows(path, names, take) }
}

fn csv_rows<const N: usize>(path: &Path, names: Names<N>, take: &mut Take<'_, N>) -> Result<(), Failure> {
    let file = File::open(path).map_err(|why| Failure::file(path, &why.to_string()))?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(1 << 16).from_reader(file);
    let (mut record, mut found, mut width) = (csv::StringRecord::new(), None, 0);
    while reader.read_record(&mut record).map_err(|why| unreadable_csv(path, &why))? {
        let Some(found) = &found else {
            let header: Vec<&str> = record.iter().map(|cell| cell.trim_start_matches('\u{feff}')).collect();
            found = Some(names.find(&path.display().to_string(), &header)?);
            width = header.len();
            continue;
        };
        let row = record.position().map_or(0, csv::Position::line);
        if record.len() > width {
            return Err(RowError {
                file: path.display().to_string(),
                row: Some(row),
                what: format!("{} cells", record.len()),
                expected: format!("the {width} of the header"),
                hint: "a number with a comma in it is two cells: write 1000, or put quotes round it".to_owned(),
            }
            .into());
        }
        take(row, found.map(|at| at.and_then(|at| record.get(at)).map_or("", plain)))?;
    }
    if found.is_none() {
        names.find(&path.display().to_string(), &[])?; // says what a header has
    }
    Ok(())
}

/// A cell without space around it; `null` is nothing.
fn plain(cell: &str) -> &str {
    match cell.trim() {
        "null" => "",
        cell => cell,
    }
}

fn parquet_rows<const N: usize>(path: &Path, names: Names<N>, take: &mut Take<'_, N>) -> Result<(), Failure> {
    let problem = |why: ParquetError| not_parquet(path, &why);
    let file = File::open(path).map_err(|why| Failure::file(path, &why.to_string()))?;
    let reader = SerializedFileReader::new(file).map_err(problem)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let header: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    let found = names.find(&path.display().to_string(), &header)?;
    let mut row = 2;
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number).map_err(problem)?;
        let texts = |at: usize| Texts::new(group.get_column_reader(at)?, &schema.column(at));
        let mut columns = Vec::with_capacity(N);
        for at in found {
            columns.push(at.map(texts).transpose().map_err(problem)?);
        }
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        while left > 0 {
            let count = left.min(BATCH_ROWS);
            left -= count;
            for column in columns.iter_mut().flatten() {
                column.fill(count).map_err(problem)?;
            }
            for at in 0..count {
                let mut cells = [""; N];
                for (cell, column) in cells.iter_mut().zip(&columns) {
                    *cell = column.as_ref().map_or("", |column| plain(column.cell(at)));
                }
                take(row, cells)?;
                row += 1;
            }
        }
    }
    Ok(())
}

/// Some rows of a column as text, one after the other.
struct Texts {
    reader: ColumnReader,
    name: String,
    /// Digits after the point, of a decimal.
    scale: Option<u32>,
    /// Level of a cell with a value in it; 0 where each has one.
    full: i16,
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn new(reader: ColumnReader, column: &ColumnDescriptor) -> Result<Self, ParquetError> {
        if column.max_rep_level() > 0 {
            return Err(ParquetError::General(format!("column `{}` holds lists", column.name())));
        }
        let is_decimal = column.converted_type() == ConvertedType::DECIMAL
            || matches!(column.logical_type_ref(), Some(LogicalType::Decimal { .. }));
        let scale = is_decimal.then(|| u32::try_from(column.type_scale()).unwrap_or(0));
        if scale.is_some_and(|scale| scale > DECIMALS_MAX) {
            return Err(ParquetError::General(format!(
                "column `{}` has more than {DECIMALS_MAX} decimals",
                column.name()
            )));
        }
        let (name, full) = (column.name().to_owned(), column.max_def_level());
        Ok(Self { reader, name, scale, full, text: String::new(), ends: Vec::new() })
    }

    fn cell(&self, at: usize) -> &str {
        let from = if at == 0 { 0 } else { self.ends.get(at - 1).copied().unwrap_or(0) };
        self.ends.get(at).and_then(|end| self.text.get(from..*end)).unwrap_or("")
    }

    /// Reads the next rows. A binary float is written as its shortest decimal text, before anything is computed.
    fn fill(&mut self, count: usize) -> Result<(), ParquetError> {
        self.text.clear();
        self.ends.clear();
        let (name, scale) = (&self.name, self.scale);
        let Self { reader, full, text, ends, .. } = self;
        let unknown = || ParquetError::General(format!("column `{name}` is of a type that is not read"));
        let mut to = Cells { full: *full, text, ends };
        let decimal = |text: &mut String, bytes: &[u8], scale: u32| {
            let units = big_endian(bytes).ok_or_else(unknown)?;
            push_decimal(text, units, scale);
            Ok(())
        };
        let integer = |text: &mut String, value: i64| {
            push_decimal(text, i128::from(value), scale.unwrap_or(0));
            Ok(())
        };
        match reader {
            ColumnReader::ByteArrayColumnReader(reader) => to.read(reader, count, |text, value| match scale {
                Some(scale) => decimal(text, value.data(), scale),
                None => value.as_utf8().map(|cell| text.push_str(cell)),
            }),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => to.read(reader, count, |text, value| match scale {
                Some(scale) => decimal(text, value.data(), scale),
                None => Err(unknown()),
            }),
            ColumnReader::Int32ColumnReader(reader) => to.read(reader, count, |text, n| integer(text, i64::from(*n))),
            ColumnReader::Int64ColumnReader(reader) => to.read(reader, count, |text, n| integer(text, *n)),
            ColumnReader::FloatColumnReader(reader) => to.read(reader, count, shown),
            ColumnReader::DoubleColumnReader(reader) => to.read(reader, count, shown),
            ColumnReader::BoolColumnReader(reader) => to.read(reader, count, shown),
            ColumnReader::Int96ColumnReader(_) => Err(unknown()),
        }
    }
}

fn shown(text: &mut String, value: &impl std::fmt::Display) -> Result<(), ParquetError> {
    write!(text, "{value}").map_err(|why| ParquetError::General(why.to_string()))
}

/// A signed number of at most 16 bytes.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
    let mut all = [sign; 16];
    all.get_mut(16usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(all))
}

/// Where cells go.
struct Cells<'a> {
    full: i16,
    text: &'a mut String,
    ends: &'a mut Vec<usize>,
}

impl Cells<'_> {
    fn read<T: DataType>(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        count: usize,
        push: impl Fn(&mut String, &T::T) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        let (mut levels, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut done = 0;
        while done < count {
            let (records, _, _) = reader.read_records(count - done, Some(&mut levels), None, &mut values)?;
            if records == 0 {
                return Err(ParquetError::General("a column ends before its row group".to_owned()));
            }
            done += records;
        }
        let mut values = values.iter();
        for at in 0..count {
            if self.full == 0 || levels.get(at) == Some(&self.full) {
                let value = values.next();
                value.map_or(Ok(()), |value| push(self.text, value))?;
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }
}
