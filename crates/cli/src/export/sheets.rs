//! The tables of an export, their columns, and their files. It knows no engine: whoever has rows pushes them here.

use crate::replay::Failure;
use crate::save::Target;
use crate::table::{Columns, Form, Table};
use sim::replay::{Cell, EVENT_COLUMNS, Unit};
use std::path::{Path, PathBuf};

/// What the files are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Typed columns, compressed
    #[default]
    Parquet,
    /// Text
    Csv,
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Name {
    /// Every event
    Events,
    /// Wallets, and the venue's own balances
    Balances,
    /// Open positions
    Positions,
    /// Open orders
    Orders,
    /// One row a liquidation
    Liquidations,
    /// Rates posted and payments made
    Funding,
    /// Every change of a wallet
    Income,
    /// Changes of wallets by day, owner, asset and kind
    IncomeDaily,
}

impl Name {
    const ALL: [Self; 8] = [
        Self::Events,
        Self::Balances,
        Self::Positions,
        Self::Orders,
        Self::Liquidations,
        Self::Funding,
        Self::Income,
        Self::IncomeDaily,
    ];

    /// As it is asked for, and its file is called.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Balances => "balances",
            Self::Positions => "positions",
            Self::Orders => "orders",
            Self::Liquidations => "liquidations",
            Self::Funding => "funding",
            Self::Income => "income",
            Self::IncomeDaily => "income_daily",
        }
    }

    const fn columns(self) -> &'static Columns {
        match self {
            Self::Events => &EVENT_COLUMNS,
            Self::Balances => &BALANCES,
            Self::Positions => &POSITIONS,
            Self::Orders => &ORDERS,
            Self::Liquidations => &LIQUIDATIONS,
            Self::Funding => &FUNDING,
            Self::Income => &INCOME,
            Self::IncomeDaily => &INCOME_DAILY,
        }
    }
}

/// Of [`Name::Balances`]. `docs/export.md` says what each column is, here and below.
const BALANCES: [(&str, Unit); 13] = [
    ("sequence", Unit::Count),
    ("time", Unit::Time),
    ("kind", Unit::Text),
    ("account", Unit::Text),
    ("account_id", Unit::Count),
    ("owner_id", Unit::Count),
    ("market", Unit::Text),
    ("asset", Unit::Text),
    ("wallet", Unit::Money),
    ("interest_due", Unit::Money),
    ("amount", Unit::Money),
    ("value", Unit::Money),
    ("withdrawable", Unit::Money),
];

/// Of [`Name::Positions`].
const POSITIONS: [(&str, Unit); 24] = [
    ("sequence", Unit::Count),
    ("time", Unit::Time),
    ("account", Unit::Text),
    ("account_id", Unit::Count),
    ("owner_id", Unit::Count),
    ("market", Unit::Text),
    ("asset", Unit::Text),
    ("leg", Unit::Text),
    ("mode", Unit::Text),
    ("leverage", Unit::Count),
    ("size", Unit::Size),
    ("cost", Unit::Money),
    ("entry_price", Unit::Price),
    ("mark", Unit::Price),
    ("notional", Unit::Money),
    ("upnl", Unit::Money),
    ("unsettled_funding", Unit::Money),
    ("shared_loss", Unit::Money),
    ("initial_margin", Unit::Money),
    ("maintenance_margin", Unit::Money),
    ("below_line", Unit::Flag),
    ("liquidation_price_below", Unit::Price),
    ("liquidation_price_above", Unit::Price),
    ("bankruptcy_price", Unit::Price),
];

/// Of [`Name::Orders`].
const ORDERS: [(&str, Unit); 22] = [
    ("sequence", Unit::Count),
    ("time", Unit::Time),
    ("order", Unit::Count),
    ("client_id", Unit::Text),
    ("account", Unit::Text),
    ("account_id", Unit::Count),
    ("owner_id", Unit::Count),
    ("market", Unit::Text),
    ("side", Unit::Text),
    ("leg", Unit::Text),
    ("state", Unit::Text),
    ("force", Unit::Text),
    ("reduce", Unit::Text),
    ("self_trade", Unit::Text),
    ("price", Unit::Price),
    ("remaining", Unit::Size),
    ("reserved", Unit::Money),
    ("trigger_by", Unit::Text),
    ("trigger_when", Unit::Text),
    ("trigger_price", Unit::Price),
    ("trail", Unit::Text),
    ("expires", Unit::Time),
];

/// Of [`Name::Liquidations`].
const LIQUIDATIONS: [(&str, Unit); 20] = [
    ("account", Unit::Text),
    ("account_id", Unit::Count),
    ("owner_id", Unit::Count),
    ("started_sequence", Unit::Count),
    ("started", Unit::Time),
    ("ended_sequence", Unit::Count),
    ("ended", Unit::Time),
    ("outcome", Unit::Text),
    ("equity_started", Unit::Money),
    ("maintenance_margin", Unit::Money),
    ("equity_ended", Unit::Money),
    ("steps_cancel", Unit::Count),
    ("steps_offset", Unit::Count),
    ("steps_reduce", Unit::Count),
    ("steps_convert", Unit::Count),
    ("steps_backstop", Unit::Count),
    ("steps_take_over", Unit::Count),
    ("steps_deleverage", Unit::Count),
    ("receipts", Unit::Count),
    ("headroom_lowest", Unit::Money),
];

/// Of [`Name::Funding`].
const FUNDING: [(&str, Unit); 15] = [
    ("sequence", Unit::Count),
    ("part", Unit::Count),
    ("time_ns", Unit::Count),
    ("time", Unit::Time),
    ("kind", Unit::Text),
    ("market", Unit::Text),
    ("asset", Unit::Text),
    ("account", Unit::Text),
    ("account_id", Unit::Count),
    ("owner_id", Unit::Count),
    ("leg", Unit::Text),
    ("amount", Unit::Money),
    ("residue", Unit::Count),
    ("rate", Unit::Rate),
    ("mark", Unit::Price),
];

/// Of [`Name::Income`].
const INCOME: [(&str, Unit); 11] = [
    ("sequence", Unit::Count),
    ("part", Unit::Count),
    ("time_ns", Unit::Count),
    ("time", Unit::Time),
    ("owner_id", Unit::Count),
    ("account", Unit::Text),
    ("account_id", Unit::Count),
    ("kind", Unit::Text),
    ("market", Unit::Text),
    ("asset", Unit::Text),
    ("amount", Unit::Money),
];

/// Of [`Name::IncomeDaily`].
const INCOME_DAILY: [(&str, Unit); 6] = [
    ("day", Unit::Text),
    ("owner_id", Unit::Count),
    ("asset", Unit::Text),
    ("kind", Unit::Text),
    ("amount", Unit::Money),
    ("entries", Unit::Count),
];

/// A table that was written.
pub struct Written {
    /// Which.
    pub name: Name,
    /// Where.
    pub path: PathBuf,
    /// Its rows, without the header.
    pub rows: u64,
}

struct Sheet {
    written: Written,
    table: Table<Target>,
}

/// The tables that were asked for, open; files beside their names until all are whole.
pub struct Sheets {
    open: Vec<Sheet>,
    failed: Option<Failure>,
}

impl Sheets {
    /// Opens all that are in `only`, or all that there are; `journal` is kept in Parquet.
    ///
    /// # Errors
    /// A file exists and may not be written over, or nothing can be written there.
    pub fn new(to: &Path, format: Format, only: &[Name], force: bool, journal: &str) -> Result<Self, Failure> {
        let ending = match format {
            Format::Parquet => "parquet",
            Format::Csv => "csv",
        };
        let mut open = Vec::new();
        for name in Name::ALL.into_iter().filter(|name| only.is_empty() || only.contains(name)) {
            let path = to.join(format!("{}.{ending}", name.text()));
            // Amounts of what happens repeat where makers quote; those of states do not.
            let repeats = name == Name::Events;
            let note = ("plimsoll.journal", journal);
            let form = Form { what: name.text(), columns: name.columns(), repeats, note };
            let table = Table::create(&path, force, &form)?;
            open.push(Sheet { written: Written { name, path, rows: 0 }, table });
        }
        Ok(Self { open, failed: None })
    }

    /// Whether the table was asked for.
    pub fn has(&self, name: Name) -> bool {
        self.open.iter().any(|sheet| sheet.written.name == name)
    }

    /// Writes a row of a table, if that was asked for; nothing after the first failure.
    pub fn push(&mut self, name: Name, row: &[Cell<'_>]) {
        debug_assert_eq!(row.len(), name.columns().len(), "{name:?}");
        let Some(sheet) = self.open.iter_mut().find(|sheet| sheet.written.name == name) else { return };
        if self.failed.is_none() {
            match sheet.table.push(row) {
                Ok(()) => sheet.written.rows += 1,
                Err(why) => self.fail(name, &why),
            }
        }
    }

    /// A table cannot be written.
    pub fn fail(&mut self, name: Name, why: &str) {
        let path = self.open.iter().find(|sheet| sheet.written.name == name).map(|sheet| &*sheet.written.path);
        let failure = Failure::unwritable(path.unwrap_or(Path::new(name.text())), why);
        self.failed.get_or_insert(failure);
    }

    /// Whether everything so far was written.
    ///
    /// # Errors
    /// The first thing that was not.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Writes what is held back, and then gives the files their names.
    ///
    /// # Errors
    /// What kept one from being written.
    pub fn finish(mut self) -> Result<Vec<Written>, Failure> {
        self.check()?;
        let mut whole = Vec::new();
        for Sheet { written, table } in self.open {
            let target = table.finish().map_err(|why| Failure::unwritable(&written.path, &why))?;
            whole.push((written, target));
        }
        whole.into_iter().map(|(written, target)| target.finish().map(|()| written)).collect()
    }
}
