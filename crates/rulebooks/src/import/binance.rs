//! Brackets of Binance: the answers of USD-M, in amounts of the quote, and of COIN-M, in coins, to `leverageBracket`, and tables of
//! rows by symbol as recorded from those of USD-M. It knows nothing of files and days.

use super::json::Json;
use super::ladder::{self, Row};
use crate::problem::Checked;
use rules::TierTable;

/// The columns of a table of rows, in their order.
pub const COLUMNS: [&str; 5] =
    ["notional_floor", "notional_cap", "maint_margin_rate", "max_leverage", "maint_amount(cum)"];

/// Assets that names of markets end with; of the others, a file that has no more than names does not say what they settle in.
const SETTLEMENTS: [&str; 4] = ["USDT", "USDC", "USD1", "BUSD"];

/// What brackets count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Amounts of the quote, in which the contract settles: USD-M.
    Quote,
    /// Coins, in which the contract settles: COIN-M.
    Coins,
}

impl Counts {
    /// What those of a symbol count, by the first of them.
    pub fn of(brackets: Json<'_>) -> Self {
        let first = brackets.items().and_then(|found| found.into_iter().next());
        if first.is_some_and(|first| first.get("qtyCap").is_some()) { Self::Coins } else { Self::Quote }
    }

    /// The fields of floor, in every spelling, and cap. The venue writes `qtylFloor` for COIN-M and `qtyFloor` for the same
    /// brackets of a portfolio-margin account.
    fn fields(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Quote => (&["notionalFloor"], "notionalCap"),
            Self::Coins => (&["qtylFloor", "qtyFloor"], "qtyCap"),
        }
    }
}

/// The coin of a name such as `BTCUSD_PERP` or `BTCUSD_261225`, in which it settles.
pub fn coin(given: &str, at: Json<'_>) -> Checked<Name> {
    let pair = given.split_once('_').map_or(given, |(pair, _)| pair);
    let coin = pair.strip_suffix("USD").filter(|coin| !coin.is_empty());
    let coin = coin.ok_or_else(|| {
        at.wrong_from_here(format!("{given}: brackets in coins are those of a name such as BTCUSD_PERP"))
    })?;
    Ok(Name { symbol: given.to_owned(), settlement: Some(coin.to_owned()) })
}

/// A market of a name such as `BTCUSDT`, `BTCUSDT_261225` or `BTC/USDT:USDT-261225`.
pub struct Name {
    /// As the venue writes it: `BTCUSDT_261225`.
    pub symbol: String,
    /// The asset it settles in, where the name says so.
    pub settlement: Option<String>,
}

/// Reads a name; refuses that of a contract which settles in its coin.
pub fn name(given: &str, at: Json<'_>) -> Checked<Name> {
    let Some((pair, settles)) = given.split_once(':') else {
        let pair = given.split_once('_').map_or(given, |(pair, _)| pair);
        let settlement = SETTLEMENTS.iter().find(|asset| pair.len() > asset.len() && pair.ends_with(**asset));
        return Ok(Name { symbol: given.to_owned(), settlement: settlement.map(|asset| (*asset).to_owned()) });
    };
    let (settlement, delivery) = settles.split_once('-').map_or((settles, None), |(asset, day)| (asset, Some(day)));
    let Some((base, quote)) = pair.split_once('/') else {
        return Err(at.wrong_from_here(format!("{given}: expected a name such as BTC/USDT:USDT")));
    };
    if quote != settlement {
        let what =
            format!("{given}: quoted in {quote} and settled in {settlement}; only contracts settled in their quote");
        return Err(at.wrong_from_here(what + " have these brackets"));
    }
    let delivery = delivery.map_or(String::new(), |day| format!("_{day}"));
    Ok(Name { symbol: format!("{base}{quote}{delivery}"), settlement: Some(settlement.to_owned()) })
}

/// Checks the brackets of one symbol of `leverageBracket`.
pub fn brackets(symbol: &str, brackets: Json<'_>) -> Checked<(TierTable, Vec<String>)> {
    let found = brackets.items().ok_or_else(|| brackets.wrong_from_here(format!("{symbol}: brackets are a list")))?;
    ladder::count(brackets, symbol, found.len())?;
    let counts = Counts::of(brackets);
    let rows = (1..).zip(found).map(|(n, json)| bracket(symbol, n, json, counts)).collect::<Checked<Vec<Row<'_>>>>()?;
    Ok((ladder::check(brackets, symbol, &rows)?, leverages(&rows)))
}

fn bracket<'a>(symbol: &str, n: i128, json: Json<'a>, counts: Counts) -> Checked<Row<'a>> {
    let name = format!("{symbol}, bracket {n}");
    let fields = json.fields().ok_or_else(|| json.wrong_from_here(format!("{name}: expected an object")))?;
    let any = |spelled: &[&str]| {
        let mut found = fields.iter().filter(|(name, _)| spelled.contains(&name.as_str())).map(|(_, value)| *value);
        let first = spelled.first().copied().unwrap_or_default();
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(value),
            (Some(_), Some(again)) => Err(again.wrong(format!("{name}: {first} stands twice"))),
            _ => Err(json.wrong_from_here(format!("{name}: has no {first}"))),
        }
    };
    let field = |field: &str| any(&[field]);
    let (floor, cap) = counts.fields();
    let other = if counts == Counts::Quote { "qtyCap" } else { "notionalCap" };
    if let Some((_, value)) = fields.iter().find(|(name, _)| name == other) {
        return Err(value.wrong(format!("{name}: it has {other}, the first bracket {cap}")));
    }
    let row = Row {
        floor: ladder::amount(&name, floor.first().copied().unwrap_or_default(), any(floor)?)?,
        cap: ladder::amount(&name, cap, field(cap)?)?,
        rate: ladder::rate(&name, "maintMarginRatio", field("maintMarginRatio")?)?,
        leverage: ladder::leverage(&name, "initialLeverage", field("initialLeverage")?)?,
        cum: ladder::amount(&name, "cum", field("cum")?)?,
        name: name.clone(),
    };
    let number = field("bracket")?;
    if number.decimal().and_then(|number| number.to_units(0)) != Some(n) {
        return Err(number.wrong(format!("{name}: it is numbered {}, needed {n}", number.text())));
    }
    Ok(row)
}

/// Checks rows of [`COLUMNS`] of one symbol.
pub fn rows(symbol: &str, table: Json<'_>) -> Checked<(TierTable, Vec<String>)> {
    let found = table.items().ok_or_else(|| table.wrong_from_here(format!("{symbol}: expected a list of rows")))?;
    ladder::count(table, symbol, found.len())?;
    let rows: Vec<Row<'_>> = (1..).zip(found).map(|(n, json)| row(symbol, n, json)).collect::<Checked<_>>()?;
    Ok((ladder::check(table, symbol, &rows)?, leverages(&rows)))
}

fn row<'a>(symbol: &str, n: usize, json: Json<'a>) -> Checked<Row<'a>> {
    let name = format!("{symbol}, row {n}");
    let cells = json.items().unwrap_or_default();
    let [floor, cap, rate, leverage, cum] = cells[..] else {
        let columns = COLUMNS.join(", ");
        let found = if cells.is_empty() { "something else".to_owned() } else { format!("{} cells", cells.len()) };
        return Err(json.wrong(format!("{name}: expected [{columns}], found {found}")));
    };
    Ok(Row {
        floor: ladder::amount(&name, "floor", floor)?,
        cap: ladder::amount(&name, "cap", cap)?,
        rate: ladder::rate(&name, "maintenance rate", rate)?,
        leverage: ladder::leverage(&name, "leverage", leverage)?,
        cum: ladder::amount(&name, "cum", cum)?,
        name,
    })
}

fn leverages(rows: &[Row<'_>]) -> Vec<String> {
    rows.iter().map(|row| row.leverage.money.to_string()).collect()
}
