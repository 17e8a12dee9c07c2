//! Every event of a run or of a venue's journal as a row of one table, for other people's analysis. It takes events and the
//! engine after their command and gives cells; it knows no files, and nothing of what the run counts.
//!
//! A row has the names of handles, sizes and prices per base unit of a run, per contract of a venue (whose journal does not say
//! what a contract is), and the fields of the event in a column of their kind.
//! Fields without a column stand in `details`, so that none is lost and a new one needs nothing here.

use super::decimal::push_decimal;
use super::figures::Figures;
use engine::{AccountId, AssetId, Event, MarketId, OrderId, State};
use serde::de::IntoDeserializer;
use serde::ser::{Impossible, SerializeStructVariant, Serializer};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use units::{Price, Size, Time, limits};

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A whole number.
    Count,
    /// A word or a name.
    Text,
    /// Nanoseconds since the Unix epoch, shown as a moment.
    Time,
    /// 1e-8 base unit.
    Size,
    /// 1e-18 quote per base unit.
    Price,
    /// 1e-16 of an asset.
    Money,
    /// 1e-9.
    Rate,
    /// 0 or 1, shown as `false` and `true`.
    Flag,
}

impl Unit {
    /// Digits after the point; none for what has no point.
    #[must_use]
    pub const fn decimals(self) -> Option<u32> {
        match self {
            Self::Count | Self::Text | Self::Time | Self::Flag => None,
            Self::Size => Some(8),
            Self::Price => Some(PRICE_DECIMALS),
            Self::Money => Some(16),
            Self::Rate => Some(9),
        }
    }
}

/// A price of 1e-8 per contract of 10^9 base units, the largest there is, has 17.
const PRICE_DECIMALS: u32 = 18;

/// The columns in their order. `docs/replay.md` says what each is.
pub const EVENT_COLUMNS: [(&str, Unit); 37] = [
    ("sequence", Unit::Count),
    ("part", Unit::Count),
    ("time_ns", Unit::Count),
    ("time", Unit::Time),
    ("phase", Unit::Text),
    ("kind", Unit::Text),
    ("account", Unit::Text),
    ("account_id", Unit::Count),
    ("other", Unit::Text),
    ("other_id", Unit::Count),
    ("market", Unit::Text),
    ("asset", Unit::Text),
    ("order", Unit::Count),
    ("other_order", Unit::Count),
    ("side", Unit::Text),
    ("stage", Unit::Text),
    ("reason", Unit::Text),
    ("size", Unit::Size),
    ("remaining", Unit::Size),
    ("position", Unit::Size),
    ("hedged", Unit::Size),
    ("price", Unit::Price),
    ("mark", Unit::Price),
    ("value", Unit::Money),
    ("notional", Unit::Money),
    ("amount", Unit::Money),
    ("fee", Unit::Money),
    ("wallet", Unit::Money),
    ("realised", Unit::Money),
    ("cost", Unit::Money),
    ("equity", Unit::Money),
    ("maintenance_margin", Unit::Money),
    ("headroom_before", Unit::Money),
    ("headroom_after", Unit::Money),
    ("rate", Unit::Rate),
    ("rank", Unit::Count),
    ("details", Unit::Text),
];

/// One cell; a number is a count of the unit of its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    #[default]
    Empty,
    /// A number.
    Number(i128),
    /// A word or a name.
    Text(&'a str),
}

impl Cell<'_> {
    /// Adds the cell as text: decimals with every digit they need, moments as `2025-10-10T21:15:00Z`, nothing for nothing.
    pub fn write(self, unit: Unit, to: &mut String) {
        match self {
            Cell::Empty => {}
            Cell::Text(text) => to.push_str(text),
            Cell::Number(n) => match (unit, i64::try_from(n)) {
                (Unit::Flag, _) => to.push_str(if n == 0 { "false" } else { "true" }),
                (Unit::Time, Ok(ns)) => to.push_str(&Time::from_ns(ns).to_string()),
                _ => push_decimal(to, n, unit.decimals().unwrap_or(0)),
            },
        }
    }
}

/// A row, a cell for each of [`EVENT_COLUMNS`].
pub type EventRow<'a> = [Cell<'a>; EVENT_COLUMNS.len()];

/// The kinds of events that tell what the ladder did and what it cost: `ladder` in [`EventTable::only`].
const LADDER: [&str; 17] = [
    "margin_called",
    "liquidation_started",
    "liquidation_step",
    "liquidation_fee",
    "liquidation_paused",
    "liquidation_ended",
    "legs_offset",
    "auction_started",
    "auction_filled",
    "auction_ended",
    "converted",
    "taken_over",
    "deleveraged",
    "left_uncovered",
    "deficit_left",
    "loss_shared",
    "loss_settled",
];

/// Whose events they are.
enum Source {
    /// A replay's, with symbol and power of ten of a contract by market; each has an index of its own, of the same number.
    Run(Vec<(String, u32)>),
    /// Any venue's: what is not in its state is not known.
    Venue,
}

/// Makes rows of events.
pub struct EventTable {
    source: Source,
    /// Kinds that are wanted; empty: all.
    only: BTreeSet<String>,
    /// Account and market of each open order.
    orders: BTreeMap<OrderId, (AccountId, MarketId)>,
    opening: bool,
    sequence: u64,
    at: Time,
}

impl EventTable {
    /// All events of a run of these figures.
    #[must_use]
    pub fn new(figures: &Figures) -> Self {
        let markets = figures.markets.iter().map(|m| (m.symbol.clone(), m.power)).collect();
        Self::of(Source::Run(markets))
    }

    /// All events of a venue from a state on, sizes and prices per contract; no row has a phase.
    #[must_use]
    pub fn of_venue(state: &State) -> Self {
        let orders = state.orders.iter().map(|order| (order.id, (order.account, order.market))).collect();
        Self { orders, ..Self::of(Source::Venue) }
    }

    fn of(source: Source) -> Self {
        let (only, orders) = (BTreeSet::new(), BTreeMap::new());
        Self { source, only, orders, opening: true, sequence: 0, at: Time::EPOCH }
    }

    /// The same, only of some kinds. `ladder` is all that tell what the ladder did.
    ///
    /// # Errors
    /// A word that is no kind.
    pub fn only(mut self, kinds: &[String]) -> Result<Self, String> {
        for kind in kinds {
            match kind.as_str() {
                "ladder" => self.only.extend(LADDER.map(str::to_owned)),
                known if Self::kinds().contains(&known) => drop(self.only.insert(kind.clone())),
                _ => {
                    return Err(format!(
                        "`{kind}` is no kind of event\n  expected: ladder, {}",
                        Self::kinds().join(", ")
                    ));
                }
            }
        }
        Ok(self)
    }

    /// What comes from here on is the run, which the report counts; before was the opening of venue and accounts.
    pub fn opened(&mut self) {
        self.opening = false;
    }

    /// All kinds, as the engine names them.
    #[must_use]
    pub fn kinds() -> &'static [&'static str] {
        struct Names(&'static [&'static str]);
        impl<'de> serde::Deserializer<'de> for &mut Names {
            type Error = serde::de::value::Error;
            fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
                IntoDeserializer::<Self::Error>::into_deserializer(()).deserialize_any(visitor)
            }
            fn deserialize_enum<V: serde::de::Visitor<'de>>(
                self,
                _: &'static str,
                variants: &'static [&'static str],
                visitor: V,
            ) -> Result<V::Value, Self::Error> {
                self.0 = variants;
                self.deserialize_any(visitor)
            }
            serde::forward_to_deserialize_any! {
                bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
                newtype_struct seq tuple tuple_struct map struct identifier ignored_any
            }
        }
        let mut names = Names(&[]);
        // It is asked for its names only: there is no event in it to read.
        let _ = Event::deserialize(&mut names);
        names.0
    }

    /// Gives a row for each of the events of one command; `state` is the one after it.
    pub fn take(&mut self, events: &[Event], state: &State, give: &mut dyn FnMut(&EventRow<'_>)) {
        for (part, event) in (0i128..).zip(events) {
            match *event {
                Event::Began { sequence, time } => (self.sequence, self.at) = (sequence, time),
                Event::OrderAccepted { order, account, market, .. } => {
                    self.orders.insert(order, (account, market));
                }
                _ => {}
            }
            let mut draft = Draft::new(&self.only, &self.source);
            // It fails on kinds that are not wanted and on nothing else.
            if event.serialize(&mut draft).is_ok() {
                self.row(part, &draft, state, give);
            }
        }
        for event in events {
            match *event {
                Event::OrderAccepted { order, .. }
                | Event::OrderCancelled { order, .. }
                | Event::OrderTriggered { order, .. } => self.forget(order, state),
                Event::Filled { maker, taker, .. } => {
                    self.forget(maker, state);
                    self.forget(taker, state);
                }
                _ => {}
            }
        }
    }

    fn forget(&mut self, order: OrderId, state: &State) {
        if state.order(order).is_none() {
            self.orders.remove(&order);
        }
    }

    /// Names for handles, base units for contracts, and what the size is worth at the mark.
    fn row(&self, part: i128, draft: &Draft<'_>, state: &State, give: &mut dyn FnMut(&EventRow<'_>)) {
        let mut row: EventRow<'_> = draft.cells;
        let order = |column| draft.handle(column).map(OrderId);
        let placed = |column| order(column).and_then(|order| self.orders.get(&order).copied());
        let account = |column| draft.handle(column).and_then(|n| u32::try_from(n).ok()).map(AccountId);
        let market = draft.handle("market").and_then(|n| usize::try_from(n).ok());
        let market = market.or(placed("order").map(|(_, market)| market.index()));
        let listed = market.and_then(|at| Some((at, state.markets.get(at)?)));
        let named = listed.and_then(|(at, market)| match &self.source {
            Source::Run(markets) => markets.get(at).map(|(symbol, power)| (symbol.as_str(), *power)),
            Source::Venue => Some((market.params.name.as_str(), 0)),
        });
        let power = named.map_or(0, |(_, power)| power);
        let mark = listed.map(|(_, market)| market.mark).filter(|mark| *mark != Price::ZERO);
        let size = draft.number("size").and_then(|n| i64::try_from(n).ok()).and_then(Size::new);
        let asset = draft.handle("asset").and_then(|n| u8::try_from(n).ok()).map(AssetId);
        let mut set = |column, cell| {
            if let Some(place) = row.get_mut(place(column)) {
                *place = cell;
            }
        };
        set("sequence", Cell::Number(self.sequence.into()));
        set("part", Cell::Number(part));
        set("time_ns", Cell::Number(self.at.ns().into()));
        set("time", Cell::Number(self.at.ns().into()));
        match self.source {
            Source::Run(_) => set("phase", Cell::Text(if self.opening { "opening" } else { "run" })),
            Source::Venue => {}
        }
        set("kind", Cell::Text(draft.kind));
        for (name, id, order) in [("account", "account_id", "order"), ("other", "other_id", "other_order")] {
            let account = account(id).or(placed(order).map(|(account, _)| account));
            let label = account.and_then(|id| state.account(state.parent_of(id)).name.as_ref());
            set(name, label.map_or(Cell::Empty, |name| Cell::Text(name.as_str())));
            set(id, account.map_or(Cell::Empty, |id| Cell::Number(id.0.into())));
            set(order, self::number(draft.handle(order).map(|id| OrderId(id).serial().into())));
        }
        set("market", named.map_or(Cell::Empty, |(symbol, _)| Cell::Text(symbol)));
        set("asset", asset.map_or(Cell::Empty, |asset| Cell::Text(state.asset(asset).params.name.as_str())));
        set("mark", number(mark.map(|mark| mark.units().into())));
        set("notional", number(mark.zip(size).map(|(mark, size)| (mark * size.abs()).units())));
        let details = if draft.details.is_empty() { String::new() } else { format!("{}}}", draft.details) };
        set("details", if details.is_empty() { Cell::Empty } else { Cell::Text(&details) });
        for (cell, (_, unit)) in row.iter_mut().zip(EVENT_COLUMNS) {
            // The point moves from a contract to a base unit; no digit changes.
            let shift = match unit {
                Unit::Size => power,
                Unit::Price => PRICE_DECIMALS.saturating_sub(limits::PRICE_DECIMALS + power),
                _ => continue,
            };
            if let Cell::Number(n) = cell {
                *n = n.saturating_mul(10i128.pow(shift));
            }
        }
        give(&row);
    }
}

fn number<'a>(n: Option<i128>) -> Cell<'a> {
    n.map_or(Cell::Empty, Cell::Number)
}

/// Where a column stands; behind the last for none.
fn place(column: &str) -> usize {
    EVENT_COLUMNS.iter().position(|(name, _)| *name == column).unwrap_or(EVENT_COLUMNS.len())
}

/// The column of a field: the one of its name, but for those that say the same under another.
fn column(source: &Source, kind: &str, field: &'static str) -> &'static str {
    match (kind, field) {
        ("position_changed", "size") => "position",
        ("isolated_opened", "child") => "account_id",
        ("isolated_opened", "parent") => "other_id",
        (_, "account" | "from" | "failing" | "parent") => "account_id",
        (_, "to" | "winner" | "fund" | "child" | "bidder") => "other_id",
        (_, "taker") => "order",
        (_, "maker") => "other_order",
        (_, "index") if matches!(source, Source::Run(_)) => "market",
        (_, "sold") => "asset",
        (_, "sold_amount") => "amount",
        (_, "outcome" | "cause") => "reason",
        (_, "mark") => "price",
        _ => field,
    }
}

/// What a field was written as.
#[derive(Clone, Copy)]
enum Raw {
    Number(i128),
    Word(&'static str),
    /// A word with fields of its own.
    Rich(&'static str),
    Other,
}

/// An event taken apart: what has a column in its cell, as the engine counts it, the rest as JSON without its last brace.
struct Draft<'a> {
    only: &'a BTreeSet<String>,
    source: &'a Source,
    kind: &'static str,
    raw: Raw,
    cells: EventRow<'static>,
    details: String,
}

impl<'a> Draft<'a> {
    fn new(only: &'a BTreeSet<String>, source: &'a Source) -> Self {
        let cells = [Cell::Empty; EVENT_COLUMNS.len()];
        Self { only, source, kind: "", raw: Raw::Other, cells, details: String::new() }
    }

    fn number(&self, column: &str) -> Option<i128> {
        match self.cells.get(place(column)) {
            Some(Cell::Number(n)) => Some(*n),
            _ => None,
        }
    }

    fn handle(&self, column: &str) -> Option<u64> {
        self.number(column).and_then(|n| u64::try_from(n).ok())
    }

    fn begin(&mut self, kind: &'static str) -> fmt::Result {
        self.kind = kind;
        if self.only.is_empty() || self.only.contains(kind) { Ok(()) } else { Err(fmt::Error) }
    }

    fn write(&mut self, raw: Raw) -> fmt::Result {
        self.raw = raw;
        Ok(())
    }
}

impl SerializeStructVariant for &mut Draft<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, field: &'static str, value: &T) -> fmt::Result {
        self.raw = Raw::Other;
        // What is neither number nor word stays `Other`, or `Rich`.
        let _ = value.serialize(&mut **self);
        let place = place(column(self.source, self.kind, field));
        let fits = EVENT_COLUMNS.get(place).zip(self.cells.get_mut(place));
        match (self.raw, fits) {
            (Raw::Word("net"), None) if field == "leg" => return Ok(()),
            (Raw::Number(n), Some(((name, unit), cell)))
                if *unit != Unit::Text || matches!(*name, "market" | "asset") =>
            {
                *cell = Cell::Number(n);
                return Ok(());
            }
            (Raw::Word(word), Some(((_, Unit::Text), cell))) => {
                *cell = Cell::Text(word);
                return Ok(());
            }
            (Raw::Rich(word), Some(((_, Unit::Text), cell))) => *cell = Cell::Text(word),
            _ => {}
        }
        let value = serde_json::to_string(value).map_err(|_| fmt::Error)?;
        let comma = if self.details.is_empty() { '{' } else { ',' };
        write!(self.details, "{comma}\"{field}\":{value}")
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident: $int:ty),*) => { $(fn $method(self, n: $int) -> fmt::Result { self.write(Raw::Number(n.into())) })* };
}

/// Kinds that no field with a column has; they are left to `details`.
macro_rules! others {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $arg),*) -> Result<$ok, fmt::Error> { Err(fmt::Error) })*
    };
}

type Never = Impossible<(), fmt::Error>;

impl<'a, 'b> Serializer for &'a mut Draft<'b> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = &'a mut Draft<'b>;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    others! {
        serialize_bool(bool) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> fmt::Result {
        Err(fmt::Error)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> fmt::Result {
        Err(fmt::Error)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> fmt::Result {
        self.write(Raw::Rich(variant))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> fmt::Result {
        if self.kind.is_empty() { self.begin(variant) } else { self.write(Raw::Word(variant)) }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, fmt::Error> {
        if self.kind.is_empty() {
            self.begin(variant).map(|()| self)
        } else {
            self.write(Raw::Rich(variant))?;
            Err(fmt::Error)
        }
    }
}
