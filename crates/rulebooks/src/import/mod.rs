//! Tier tables that venues publish, read from their JSON, checked row by row, and written as sections of a rulebook.
//!
//! The form of a file is told by its shape. Nothing passes through binary floating point. What a table does not say (the
//! clause, the fees, from when it holds) the user adds; it is never made up here.

mod binance;
mod hyperliquid;
mod json;
mod ladder;
mod write;

pub use write::{MarketFacts, version_text};

use crate::book::suggestion;
use crate::problem::{Checked, Problem};
use crate::resolve::Source;
use crate::values::is_day;
use binance::Counts;
use json::Json;
use rules::TierTable;
use units::{Money, Size};

/// The shapes that are read.
const SHAPES: &str = "known are: leverageBracket of Binance USD-M or COIN-M, [{\"symbol\", \"brackets\"}, …] or one of these; \
    rows by symbol, {\"as_of\", \"columns\", \"symbols\"} or {\"2023-08-28\": {\"BTC/USDT:USDT\": [[…], …]}, …}; \
    meta of Hyperliquid, {\"universe\", \"marginTables\"}, or a capture, {\"selection\": {\"perpUniverse\"}}";

/// The tables of a file, found but not checked: those that nobody asks for may be broken.
pub struct VenueTables<'a> {
    file: &'a str,
    tables: Vec<VenueTable<'a>>,
}

/// The table of one market on one day.
pub struct VenueTable<'a> {
    /// As a rulebook names it: `BTCUSDT`.
    pub symbol: String,
    /// The day of which the file states it; `None` where the file states none.
    pub day: Option<String>,
    /// As the file names it: `BTC/USDT:USDT`.
    given: String,
    settlement: Option<String>,
    note: Option<String>,
    entry: Json<'a>,
    form: Form<'a>,
}

/// How a table is written.
#[derive(Clone, Copy)]
enum Form<'a> {
    Brackets(Json<'a>),
    Rows(Json<'a>),
    MarginTable(hyperliquid::Asset<'a>),
}

/// What some tables do not say.
#[derive(Clone, Debug, Default)]
pub struct Added {
    /// The asset that the markets settle in, where their names do not say it.
    pub settlement: Option<String>,
    /// Where the last tier ends, settlement asset: Hyperliquid states none.
    pub cap: Option<Money>,
}

/// How the contracts of a table settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportedContract {
    /// In the quote.
    Linear,
    /// In the coin; what a contract is worth in the quote the table does not say.
    Inverse,
}

impl ImportedContract {
    /// As a rulebook writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Inverse => "inverse",
        }
    }
}

/// A table that is good.
#[derive(Clone, Debug)]
pub struct ImportedTable {
    /// As a rulebook names the market.
    pub symbol: String,
    /// The asset that it settles in; its tiers are amounts of it.
    pub settlement: String,
    /// The day of which the file states it.
    pub day: Option<String>,
    /// Step of sizes, where the file states it.
    pub lot: Option<Size>,
    /// The tiers.
    pub tiers: TierTable,
    /// The greatest leverage of each tier, as the venue states it.
    pub leverages: Vec<String>,
    /// How its contracts settle.
    pub contract: ImportedContract,
    /// Whether maintenance rates are half of the initial ones by rule, so that the table states none.
    pub half: bool,
    /// What a reader must know.
    note: Option<String>,
}

impl<'a> VenueTables<'a> {
    /// Finds the tables of a file.
    ///
    /// # Errors
    /// It is no JSON, its shape is not known, a table has no name, or one name stands twice.
    pub fn read(source: &'a Source<'a>) -> Checked<Self> {
        let root = Json::read(source)?;
        let unknown = || Box::new(root.wrong_from_here("the shape of this JSON is not known").hint(SHAPES));
        let mut tables = if let Some(items) = root.items() {
            match items.first() {
                Some(first) if first.get("universe").is_some() => meta(*first)?,
                Some(first) if first.get("brackets").is_some() => {
                    items.into_iter().map(leverage_bracket).collect::<Checked<_>>()?
                }
                _ => return Err(unknown()),
            }
        } else {
            let fields = root.fields().ok_or_else(unknown)?;
            if root.get("brackets").is_some() {
                vec![leverage_bracket(root)?]
            } else if let Some(symbols) = root.get("symbols") {
                columns(root)?;
                by_symbol(symbols, as_of(root)?.as_deref())?
            } else if root.get("universe").is_some() {
                meta(root)?
            } else if let Some(universe) = root.get("selection").and_then(|selection| selection.get("perpUniverse")) {
                capture(root, universe)?
            } else if !fields.is_empty() && fields.iter().all(|(name, _)| is_day(name)) {
                let days = fields.iter().map(|(day, symbols)| by_symbol(*symbols, Some(day)));
                days.collect::<Checked<Vec<_>>>()?.into_iter().flatten().collect()
            } else {
                return Err(unknown());
            }
        };
        tables.sort_by(|a, b| a.day.cmp(&b.day)); // stable: the order of the file inside a day
        let mut names: Vec<_> = tables.iter().map(|table| (&table.day, &table.symbol, table.entry)).collect();
        names.sort_by_key(|(day, symbol, _)| (*day, *symbol));
        for pair in names.windows(2) {
            if let [(day, symbol, _), (again_day, again, entry)] = pair
                && (day, symbol) == (again_day, again)
            {
                return Err(entry.wrong_from_here(format!("{symbol} stands twice")));
            }
        }
        Ok(Self { file: source.file, tables })
    }

    /// All of them, by day, in the order of the file.
    pub fn all(&self) -> impl Iterator<Item = &VenueTable<'a>> {
        self.tables.iter()
    }

    /// Those of a day and of some markets, in the order of the file; `None` and no name mean all. A name may be that of the
    /// file or that of a rulebook.
    ///
    /// # Errors
    /// There is no table of that day or name.
    pub fn chosen(&self, day: Option<&str>, symbols: &[String]) -> Checked<Vec<&VenueTable<'a>>> {
        let wrong = |what: String, hint: String| Err(Box::new(Problem::new(self.file, what).hint(hint)));
        let of_day: Vec<_> = self.all().filter(|table| day.is_none() || table.day.as_deref() == day).collect();
        if let Some(day) = day.filter(|_| of_day.is_empty()) {
            let mut days: Vec<&str> = self.all().filter_map(|table| table.day.as_deref()).collect();
            days.dedup();
            let hint = if days.is_empty() {
                "the file states no day".to_owned()
            } else {
                format!("it has {}", days.join(", "))
            };
            return wrong(format!("it has no tables of {day}"), hint);
        }
        let is = |table: &VenueTable<'_>, name: &String| table.symbol == *name || table.given == *name;
        if let Some(unknown) = symbols.iter().find(|name| !of_day.iter().any(|table| is(table, name))) {
            let names: Vec<&str> = of_day.iter().map(|table| table.symbol.as_str()).collect();
            return wrong(format!("it has no table of {unknown}"), suggestion(unknown, &names));
        }
        Ok(of_day
            .into_iter()
            .filter(|table| symbols.is_empty() || symbols.iter().any(|name| is(table, name)))
            .collect())
    }
}

impl VenueTable<'_> {
    /// Checks the table: floors, caps, rates, leverages and deductions against each other.
    ///
    /// # Errors
    /// The first row that is wrong, with both numbers; what the table does not say and nobody has added.
    pub fn check(&self, added: &Added) -> Checked<ImportedTable> {
        let settlement = self.settlement(added.settlement.as_deref())?;
        if added.cap.is_some() && !matches!(self.form, Form::MarginTable(_)) {
            let what = format!("{}: its last row says where the table ends", self.symbol);
            return Err(Box::new(self.entry.wrong_from_here(what).hint("leave --cap away")));
        }
        let (tiers, leverages) = match self.form {
            Form::Brackets(brackets) => binance::brackets(&self.symbol, brackets)?,
            Form::Rows(rows) => binance::rows(&self.symbol, rows)?,
            Form::MarginTable(asset) => hyperliquid::tiers(&self.symbol, asset, added.cap)?,
        };
        let (lot, half) = match self.form {
            Form::MarginTable(asset) => (hyperliquid::lot(&self.symbol, asset.entry)?, true),
            _ => (None, false),
        };
        let contract = match self.form {
            Form::Brackets(brackets) if Counts::of(brackets) == Counts::Coins => ImportedContract::Inverse,
            _ => ImportedContract::Linear,
        };
        Ok(ImportedTable {
            contract,
            symbol: self.symbol.clone(),
            settlement,
            day: self.day.clone(),
            lot,
            tiers,
            leverages,
            half,
            note: self.note.clone(),
        })
    }

    fn settlement(&self, added: Option<&str>) -> Checked<String> {
        let symbol = &self.symbol;
        let wrong = |what: String, hint: &str| Err(Box::new(self.entry.wrong_from_here(what).hint(hint)));
        match (self.settlement.as_deref(), added) {
            (Some(stated), Some(added)) if stated != added => {
                wrong(format!("{symbol} settles in {stated}, not in {added}"), "leave --settlement away")
            }
            (None, None) => {
                wrong(format!("{symbol}: the file does not say what it settles in"), "add --settlement USDT")
            }
            (_, Some(asset)) | (Some(asset), None) if !asset.is_empty() && !asset.contains(char::is_whitespace) => {
                Ok(asset.to_owned())
            }
            _ => wrong(format!("{symbol}: an asset is one word"), "write --settlement USDT"),
        }
    }
}

/// One symbol of the answer of `leverageBracket`.
fn leverage_bracket(entry: Json<'_>) -> Checked<VenueTable<'_>> {
    let symbol = entry.get("symbol").and_then(Json::string);
    let symbol = symbol.ok_or_else(|| {
        let problem = entry.wrong_from_here("a table without a symbol");
        match entry.get("pair") {
            Some(_) => Box::new(
                problem.hint("brackets by pair are ambiguous: ask /dapi/v2/leverageBracket for those by symbol"),
            ),
            None => problem,
        }
    })?;
    let missing = || entry.wrong_from_here(format!("{symbol}: has no brackets"));
    let brackets = entry.get("brackets").ok_or_else(missing)?;
    let name = match Counts::of(brackets) {
        Counts::Quote => binance::name(&symbol, entry)?,
        Counts::Coins => binance::coin(&symbol, entry)?,
    };
    let coefficient =
        entry.get("notionalCoef").filter(|factor| factor.decimal().and_then(|f| f.to_units(0)) != Some(1));
    let note =
        coefficient.map(|factor| format!("notionalCoef {}: brackets of one account, moved by Binance", factor.text()));
    let form = Form::Brackets(brackets);
    Ok(VenueTable { symbol: name.symbol, day: None, given: symbol, settlement: name.settlement, note, entry, form })
}

/// Rows by symbol.
fn by_symbol<'a>(symbols: Json<'a>, day: Option<&str>) -> Checked<Vec<VenueTable<'a>>> {
    let fields = symbols.fields().ok_or_else(|| symbols.wrong_from_here("expected rows by symbol"))?;
    let table = |(given, rows): (String, Json<'a>)| {
        let name = binance::name(&given, rows)?;
        let (day, form) = (day.map(str::to_owned), Form::Rows(rows));
        Ok(VenueTable { symbol: name.symbol, day, given, settlement: name.settlement, note: None, entry: rows, form })
    };
    fields.into_iter().map(table).collect()
}

/// The columns are those that the rows are read by.
fn columns(root: Json<'_>) -> Checked<()> {
    let Some(given) = root.get("columns") else { return Ok(()) };
    let names: Vec<Option<String>> = given.items().unwrap_or_default().into_iter().map(Json::string).collect();
    if names.iter().map(Option::as_deref).eq(binance::COLUMNS.map(Some)) {
        return Ok(());
    }
    let what = format!("columns are {}, needed {}", given.text(), binance::COLUMNS.join(", "));
    Err(given.wrong(what))
}

fn as_of(root: Json<'_>) -> Checked<Option<String>> {
    let Some(given) = root.get("as_of") else { return Ok(None) };
    let day = given.string().filter(|day| is_day(day));
    day.map(Some).ok_or_else(|| given.wrong(format!("as_of {} is no day such as \"2025-10-10\"", given.text())))
}

/// The answer of Hyperliquid to `meta`. Markets that are no longer traded are left out.
fn meta(root: Json<'_>) -> Checked<Vec<VenueTable<'_>>> {
    let part = |name: &str| root.get(name).and_then(Json::items);
    let universe = part("universe").ok_or_else(|| root.wrong_from_here("expected a list universe"))?;
    let listed = part("marginTables").ok_or_else(|| root.wrong_from_here("expected a list marginTables"))?;
    let mut tables = Vec::new();
    for pair in listed {
        let Some([id, table]) = pair.items().and_then(|pair| <[Json<'_>; 2]>::try_from(pair).ok()) else {
            return Err(pair.wrong_from_here("a margin table is [id, table]"));
        };
        tables.push((id.text(), table));
    }
    let in_usdc = root.get("collateralToken").is_none_or(|token| token.text() == "0");
    let assets = universe.into_iter().filter(|entry| entry.get("isDelisted").is_none_or(|flag| flag.text() != "true"));
    assets
        .map(|entry| {
            let id = entry.get("marginTableId").map(Json::text);
            let table = tables.iter().find(|(listed, _)| Some(*listed) == id).map(|(_, table)| *table);
            margin_table(entry, table, in_usdc, None)
        })
        .collect()
}

/// A recorded part of `meta`, each market with its table.
fn capture<'a>(root: Json<'a>, universe: Json<'a>) -> Checked<Vec<VenueTable<'a>>> {
    let captured = root.get("capturedAt").and_then(Json::string);
    let day = captured.and_then(|time| time.get(..10).map(str::to_owned)).filter(|day| is_day(day));
    let entries = universe.items().ok_or_else(|| universe.wrong_from_here("expected a list perpUniverse"))?;
    entries.into_iter().map(|entry| margin_table(entry, entry.get("marginTable"), true, day.clone())).collect()
}

fn margin_table<'a>(
    entry: Json<'a>,
    table: Option<Json<'a>>,
    in_usdc: bool,
    day: Option<String>,
) -> Checked<VenueTable<'a>> {
    let name = entry.get("name").and_then(Json::string);
    let symbol = name.ok_or_else(|| entry.wrong_from_here("a market without a name"))?;
    let settlement = in_usdc.then(|| "USDC".to_owned());
    let form = Form::MarginTable(hyperliquid::Asset { entry, table });
    Ok(VenueTable { given: symbol.clone(), symbol, day, settlement, note: None, entry, form })
}
