//! Portfolio margin by scenarios: what a whole book of one underlying loses when price, volatility and funding move together.
//!
//! A [`Grid`] says how they move. Each instrument is repriced once per scenario into an integer [`Table`]; what an account would lose is
//! then a sparse sum of integers ([`Table::scan`], or [`Book`] for many accounts). Venues' own forms stand beside it: [`Pmrm2`] (Derive),
//! [`ParadexRules`], [`PmeRules`] (Deribit), [`okx_margin`], [`SpanRules`], and our own default, [`PlimsollRules`]. Doubles live in `doubles/` only and leave it as integers, rounded
//! against the account. Formulas, units, sources: `docs/portfolio.md`. Knows no engine, no files and no clock.

mod book;
mod doubles;
mod error;
mod grid;
mod okx;
mod paradex;
mod plimsoll;
mod pme;
mod span;
mod table;

pub use book::{Book, LongWay, Worst};
pub use doubles::{
    CollateralRole, Pmrm2, Pmrm2Account, Pmrm2Basis, Pmrm2Charges, Pmrm2Collateral, Pmrm2Expiry, Pmrm2Option,
    Pmrm2Perpetual, Pmrm2Skew, Pmrm2Terms, SkewCap, StaticDiscount, SurfaceFlag, SurfacePoint, VolatilityShock,
    surface_flags,
};
pub use error::PortfolioError;
pub use grid::{Damp, FundingMove, Grid, SCENARIOS_MAX, Scenario, VolatilityMove};
pub use okx::{OkxCharges, OkxClass, OkxMargin, okx_grid, okx_margin, okx_minimum};
pub use paradex::{ParadexClosed, ParadexLiquidation, ParadexMargin, ParadexRules, ParadexTable};
pub use plimsoll::{Offset, POSITIONS_MAX, PlimsollRules, PortfolioTerms, UnderlyingTerms};
pub use pme::{PmePosition, PmeRules, PmeTerms};
pub use span::{SpanCharges, SpanMargin, SpanRules, span_margin};
pub use table::{COLUMNS, Held, Instrument, InstrumentKind, Market, Scan, Table};
