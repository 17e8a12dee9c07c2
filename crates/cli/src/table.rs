//! Rows of named columns, written as CSV or Parquet while they come. What a row holds is decided elsewhere; how a cell is stored,
//! here.

use crate::replay::Failure;
use crate::save::Target;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::{parser::parse_message_type, types::ColumnPath};
use sim::replay::{Cell, Unit};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Rows that are held back to be written as one group: of events about 30 MB.
const GROUP_ROWS: usize = 65_536;

/// The columns of a table in their order, with what their numbers are.
pub type Columns = [(&'static str, Unit)];

/// What a table is.
pub struct Form<'a> {
    /// What its rows are, in messages and in Parquet.
    pub what: &'a str,
    /// Its columns.
    pub columns: &'a Columns,
    /// Whether decimals repeat, so that Parquet is smaller with a dictionary of them.
    pub repeats: bool,
    /// A note that is kept in Parquet, under its name.
    pub note: (&'a str, &'a str),
}

/// Where rows go.
pub enum Table<W: Write + Send> {
    /// As text.
    Csv(Box<Text<W>>),
    /// As columns.
    Parquet(Box<Groups<W>>),
}

/// Rows on their way into CSV.
pub struct Text<W: Write + Send> {
    writer: csv::Writer<W>,
    units: Vec<Unit>,
    cell: String,
}

impl Table<Target> {
    /// Opens the file that `path` names by its ending.
    ///
    /// # Errors
    /// Another ending than `.csv` or `.parquet`, or nothing can be written there.
    pub fn create(path: &Path, force: bool, form: &Form<'_>) -> Result<Self, Failure> {
        let problem = |why: String| Failure::unwritable(path, &why);
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Self::csv(Target::new(path, force)?, form.columns).map_err(problem),
            Some("parquet") => {
                let groups = Groups::new(Target::new(path, force)?, form);
                Ok(Self::Parquet(Box::new(groups.map_err(|why| problem(why.to_string()))?)))
            }
            _ => Err(Failure::usage(format!(
                "{} cannot be written to {}\n  expected: a name that ends in .csv or .parquet",
                form.what,
                path.display()
            ))),
        }
    }
}

impl<W: Write + Send> Table<W> {
    /// CSV with a header.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn csv(to: W, columns: &Columns) -> Result<Self, String> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(to);
        writer.write_record(columns.iter().map(|(name, _)| name)).map_err(|why| why.to_string())?;
        let units = columns.iter().map(|(_, unit)| *unit).collect();
        Ok(Self::Csv(Box::new(Text { writer, units, cell: String::new() })))
    }

    /// Writes a row, a cell for each column.
    ///
    /// # Errors
    /// What keeps it from being written; a number with more digits than Parquet's decimals have, in both forms.
    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), String> {
        let wide = |cell: &Cell<'_>| matches!(cell, Cell::Number(n) if n.unsigned_abs() >= DECIMAL_END);
        if row.iter().any(wide) {
            return Err("a number has more than 38 digits".to_owned());
        }
        match self {
            Self::Csv(text) => text.push(row).map_err(|why| why.to_string()),
            Self::Parquet(groups) => groups.push(row).map_err(|why| why.to_string()),
        }
    }

    /// Writes what is held back.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn finish(self) -> Result<W, String> {
        match self {
            Self::Csv(text) => text.writer.into_inner().map_err(|why| why.error().to_string()),
            Self::Parquet(groups) => groups.finish().map_err(|why| why.to_string()),
        }
    }
}

impl<W: Write + Send> Text<W> {
    fn push(&mut self, row: &[Cell<'_>]) -> Result<(), csv::Error> {
        for (cell, unit) in row.iter().zip(&self.units) {
            self.cell.clear();
            cell.write(*unit, &mut self.cell);
            self.writer.write_field(&self.cell)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }
}

/// Rows on their way into Parquet, column by column.
pub struct Groups<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
}

/// A column of the group that is not written yet: 1 for a cell with something in it, 0 for an empty one, and the cells that
/// are not empty.
struct Column {
    unit: Unit,
    levels: Vec<i16>,
    counts: Vec<i64>,
    flags: Vec<bool>,
    /// Decimals and texts, one after the other.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Bytes of a decimal: any `i128`.
const DECIMAL_BYTES: usize = 16;

/// The least number that a decimal of 38 digits does not hold. Amounts end at 2^116, which has 35.
const DECIMAL_END: u128 = 10u128.pow(38);

impl<W: Write + Send> Groups<W> {
    fn new(to: W, form: &Form<'_>) -> Result<Self, ParquetError> {
        let Form { what, columns, repeats, note: (name, text) } = *form;
        let field = |(name, unit): &(&str, Unit)| match (unit.decimals(), unit) {
            (Some(scale), _) => {
                format!("optional fixed_len_byte_array({DECIMAL_BYTES}) {name} (decimal(38,{scale}));")
            }
            (None, Unit::Text) => format!("optional binary {name} (string);"),
            (None, Unit::Time) => format!("optional int64 {name} (timestamp(nanos,true));"),
            (None, Unit::Flag) => format!("optional boolean {name};"),
            (None, _) => format!("optional int64 {name};"),
        };
        let fields: String = columns.iter().map(field).collect();
        let schema = parse_message_type(&format!("message {what} {{ {fields} }}"))?;
        let note = KeyValue::new(name.to_owned(), text.to_owned());
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(vec![note]));
        // Names repeat and go through a dictionary; numbers that rise are smaller as differences.
        for (name, unit) in columns {
            let path = ColumnPath::from(*name);
            if !repeats && unit.decimals().is_some() {
                properties = properties.set_column_dictionary_enabled(path, false);
            } else if matches!(unit, Unit::Count | Unit::Time) {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
        }
        let writer = SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties.build()))?;
        Ok(Self { writer, columns: columns.iter().map(|(_, unit)| Column::new(*unit)).collect(), rows: 0 })
    }

    fn push(&mut self, row: &[Cell<'_>]) -> Result<(), ParquetError> {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.push(*cell);
        }
        self.rows += 1;
        if self.rows < GROUP_ROWS { Ok(()) } else { self.write() }
    }

    /// Writes the group, if there is anything in it.
    fn write(&mut self) -> Result<(), ParquetError> {
        if std::mem::take(&mut self.rows) == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut to) = group.next_column()? else { continue };
            let levels = std::mem::take(&mut column.levels);
            let levels = Some(&levels[..]);
            match column.unit {
                Unit::Text => to.typed::<ByteArrayType>().write_batch(&column.slices(), levels, None)?,
                Unit::Count | Unit::Time => to.typed::<Int64Type>().write_batch(&column.counts, levels, None)?,
                Unit::Flag => to.typed::<BoolType>().write_batch(&column.flags, levels, None)?,
                _ => {
                    let values: Vec<FixedLenByteArray> = column.slices().into_iter().map(Into::into).collect();
                    to.typed::<FixedLenByteArrayType>().write_batch(&values, levels, None)?
                }
            };
            to.close()?;
            *column = Column::new(column.unit);
        }
        group.close().map(|_| ())
    }

    fn finish(mut self) -> Result<W, ParquetError> {
        self.write()?;
        self.writer.into_inner()
    }
}

impl Column {
    fn new(unit: Unit) -> Self {
        let (levels, counts, flags) = (Vec::new(), Vec::new(), Vec::new());
        Self { unit, levels, counts, flags, bytes: Vec::new(), ends: Vec::new() }
    }

    fn push(&mut self, cell: Cell<'_>) {
        self.levels.push(i16::from(cell != Cell::Empty));
        match cell {
            Cell::Empty => {}
            Cell::Text(text) => self.push_bytes(text.as_bytes()),
            Cell::Number(n) if self.unit.decimals().is_some() => self.push_bytes(&n.to_be_bytes()),
            Cell::Number(n) if self.unit == Unit::Flag => self.flags.push(n != 0),
            // Handles, numbers of commands and moments are 64 bits in the engine.
            Cell::Number(n) => self.counts.push(i64::try_from(n).unwrap_or(i64::MAX)),
        }
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.ends.push(self.bytes.len());
    }

    /// Its decimals or texts, which share one piece of memory.
    fn slices(&mut self) -> Vec<ByteArray> {
        let bytes = ByteArray::from(std::mem::take(&mut self.bytes));
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(from, to)| bytes.slice(from, to - from)).collect()
    }
}
