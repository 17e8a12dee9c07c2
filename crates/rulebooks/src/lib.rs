//! The margin rules of venues as data, and the figures of a book of positions under them.
//!
//! `rulebooks/<venue>/rulebook.toml` states a venue's rules by day; this crate reads and checks them, resolves them into the
//! parameters of `rules`, and computes a book under them. There is no formula here: those are in `rules`.

mod book;
mod check;
mod explain;
mod figures;
mod import;
mod many;
mod portfolio;
mod problem;
mod rename;
mod resolve;
mod schema;
mod shipped;
mod show;
mod values;
mod what_if;

pub use book::{Book, BookFile, LoweredLeverage, Position, Unit, Wallet};
pub use explain::{ACCOUNT_FIGURES, POSITION_FIGURES, Step, explain};
pub use figures::{Figures, PositionFigures, UnitFigures};
pub use import::{Added, ImportedContract, ImportedTable, MarketFacts, VenueTable, VenueTables, version_text};
pub use many::{AccountFigures, Desk, Filling, PositionRow, PricesFile, RowChecked, RowFault};
pub use portfolio::{Greeks, PortfolioFigures, PortfolioFile, ScenarioResult, UnderlyingSum};
pub use problem::{Checked, Problem};
pub use rename::{counterpart, rename_markets};
pub use resolve::{Asset, Market, Rulebook, Sections, Source};
pub use schema::{
    AdlAt, AdlRank, FeeOn, FundingForm, LiquidationUnit, MarginPrice, MarkMethod, MarketClauses, Mode, RulebookFile,
};
pub use shipped::{Shipped, named, named_near};
pub use show::{differences, shown};
pub use values::{Clause, Day, Percent};
pub use what_if::what_if;
