//! The form of a rulebook file. Each section is one rule of the venue and carries the code of its clause, and of values that rest on
//! another one theirs; a later version states the sections, assets and markets that changed.

use crate::values::{Amount, Clause, Day, DigitsText, Leverage, Multiple, Percent, PriceText, SizeText, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// The clauses of single values of a section, where they are others than the section's.
macro_rules! clauses {
    ($name:ident: $($field:ident)+) => {
        /// Clauses of single values, where they are others than the section's.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(#[serde(skip_serializing_if = "Option::is_none")] $field: Option<Clause>,)+
        }

        impl $name {
            $(
                #[doc = concat!("That of `", stringify!($field), "`: its own, or else the section's.")]
                #[must_use]
                pub fn $field<'a>(&'a self, section: &'a str) -> &'a str {
                    self.$field.as_ref().map_or(section, |clause| &clause.0)
                }
            )+
        }
    };
}

clauses!(AccountClauses: numeraire modes hedge margin_price line gains ratio outflow_share);
clauses!(InitialClauses: basis leverage);
clauses!(FeeClauses: on in_initial in_liquidation_price);
clauses!(PriceClauses: form cross shown nearest step);
clauses!(DigitsClauses: notional initial maintenance);
clauses!(FundingClauses: form interval quoted_for interest clamp cap price average);
clauses!(MarkClauses: method window band);
clauses!(IndexClauses: method outlier stale);
clauses!(LiquidationClauses: unit fraction whole_below cooldown tiers fee takeover target);
clauses!(AdlClauses: rank price);
clauses!(MarketClauses: contract tick lot taker_fee maker_fee cap initial maintenance);

/// A rulebook: one venue, its versions in the order of their days.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulebookFile {
    /// Its name for commands; the folder has the same.
    #[schemars(with = "String")]
    pub venue: Spanned<String>,
    /// For people.
    pub name: String,
    /// What no clause can say: what the rulebook leaves out.
    #[serde(default)]
    pub gaps: Vec<String>,
    /// Dated versions.
    #[serde(rename = "version")]
    #[schemars(with = "Vec<VersionFile>")]
    pub versions: Vec<Spanned<VersionFile>>,
}

/// What holds from a day on; what is left out is as in the version before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionFile {
    /// The first day.
    #[schemars(with = "Day")]
    pub from: Spanned<Day>,
    /// What changed, or what the day rests on.
    #[serde(default)]
    pub note: String,
    /// The account as a whole.
    pub account: Option<AccountSection>,
    /// Initial margin.
    pub initial: Option<InitialSection>,
    /// The fee to close, where margin has it.
    pub closing_fee: Option<FeeSection>,
    /// How the liquidation price is stated.
    pub liquidation_price: Option<PriceSection>,
    /// Figures that the venue computes with fewer digits.
    pub digits: Option<DigitsSection>,
    /// Funding.
    pub funding: Option<FundingSection>,
    /// How the mark is made.
    pub mark: Option<MarkSection>,
    /// How the index is made.
    pub index: Option<IndexSection>,
    /// What happens below the line.
    pub liquidation: Option<LiquidationSection>,
    /// Auto-deleveraging.
    pub adl: Option<AdlSection>,
    /// Collateral.
    #[serde(default, rename = "asset")]
    #[schemars(with = "Vec<AssetSection>")]
    pub assets: Vec<Spanned<AssetSection>>,
    /// Markets.
    #[serde(default, rename = "market")]
    #[schemars(with = "Vec<MarketSection>")]
    pub markets: Vec<Spanned<MarketSection>>,
}

/// How margin may be kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All positions of a subaccount stand behind each other.
    Cross,
    /// Each position has its own margin.
    Isolated,
}

/// Which price margin is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarginPrice {
    /// The mark.
    Mark,
    /// The index or oracle price.
    Index,
}

/// When headroom means a liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Equity below maintenance.
    Below,
    /// Equity equal to maintenance, too.
    At,
}

/// Whether unrealised gains support new risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GainsRule {
    /// Like cash.
    Count,
    /// For maintenance only.
    MaintenanceOnly,
}

/// Which way round the venue shows its margin ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatioForm {
    /// Maintenance ÷ equity: liquidation at 100 %.
    MaintenanceToEquity,
    /// Equity ÷ maintenance: liquidation at 100 %, more is better.
    EquityToMaintenance,
}

/// The account as a whole.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: AccountClauses,
    /// The asset in which figures are summed up.
    pub numeraire: String,
    /// Modes it has.
    pub modes: Vec<Mode>,
    /// Whether a market may be held long and short at once.
    pub hedge: bool,
    /// Which price margin is computed from.
    pub margin_price: MarginPrice,
    /// When headroom means a liquidation.
    pub line: Line,
    /// Whether gains support new risk.
    pub gains: GainsRule,
    /// Which way round the ratio is shown.
    pub ratio: RatioForm,
    /// What must stay after an outflow, as a share of notional.
    pub outflow_share: Option<Percent>,
}

/// On what initial margin is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The notional at the price that margin is computed from.
    Price,
    /// What the position cost.
    Entry,
}

/// Whether a position has a leverage of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// It must have one.
    Required,
    /// It may; else the ladder decides.
    Optional,
    /// The ladder decides.
    Never,
}

/// Initial margin.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InitialSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: InitialClauses,
    /// On what it is reckoned.
    pub basis: Basis,
    /// Whether a position has a leverage of its own.
    pub leverage: Chosen,
}

/// On what the fee to close is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeeOn {
    /// Not part of margin.
    None,
    /// The notional.
    Notional,
    /// The notional at the price where the chosen leverage leaves nothing.
    Bankruptcy,
}

/// The fee to close; its rate is the market's taker fee.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: FeeClauses,
    /// On what it is reckoned.
    pub on: FeeOn,
    /// Whether initial margin has it, too.
    #[serde(default)]
    pub in_initial: bool,
    /// Whether the liquidation price has it.
    #[serde(default)]
    pub in_liquidation_price: bool,
}

/// How the liquidation price is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceFormText {
    /// Where equity meets maintenance, all terms at that price.
    Solved,
    /// Price ∓ headroom ÷ size ÷ (1 ∓ maintenance rate).
    Distance,
    /// Price ∓ headroom ÷ size.
    Undivided,
    /// Where equity meets the maintenance margin of the entry price.
    EntryMaintenance,
    /// Price ∓ (equity − maintenance margins of the entry prices with their fees) ÷ size, in the numeraire.
    UndividedAtEntry,
}

/// How the liquidation price is stated.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: PriceClauses,
    /// Its form.
    pub form: PriceFormText,
    /// Its form in cross mode, where that is another.
    pub cross: Option<PriceFormText>,
    /// How it is shown: direction and digits. Left out: eight digits toward zero.
    pub shown: Option<DigitsText>,
    /// Whether its eighth digit is the nearest one and not the one toward zero.
    #[serde(default)]
    pub nearest: bool,
    /// It is shown in multiples of this, in the direction of `shown`: a tick that is no power of ten.
    pub step: Option<PriceText>,
}

/// Figures that the venue computes with fewer digits than we have.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DigitsSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: DigitsClauses,
    /// Notional.
    pub notional: Option<DigitsText>,
    /// Initial margin.
    pub initial: Option<DigitsText>,
    /// Maintenance margin.
    pub maintenance: Option<DigitsText>,
}

/// How a premium becomes a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FundingForm {
    /// P + clamp(interest − P, ±dead band), then inside the caps.
    ClampedPremium,
    /// Continuous: max(band, P) + min(−band, P).
    ContinuousDeadBand,
    /// P + interest, inside the caps.
    PremiumPlusInterest,
    /// (TWAP of marks − TWAP of the index) with a clamp.
    TwapSpread,
    /// Premium ÷ hours of convergence + a fixed rate.
    Convergence,
}

/// Funding.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FundingSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: FundingClauses,
    /// How a premium becomes a rate.
    pub form: FundingForm,
    /// Between two payments.
    pub interval: Span,
    /// The time for which interest, dead band and caps are quoted; the rate of an interval is its part of that.
    pub quoted_for: Span,
    /// Interest.
    pub interest: Percent,
    /// Half-width of the dead band.
    pub clamp: Option<Percent>,
    /// Greatest rate, either way.
    pub cap: Option<Percent>,
    /// Which price the payment is reckoned on.
    pub price: MarginPrice,
    /// How the premium is averaged, in words.
    pub average: String,
}

/// How the mark is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkMethod {
    /// Median of the index grown by funding, the index plus the average basis, and the last trade.
    MedianOfThree,
    /// Index plus the average basis.
    IndexPlusBasis,
    /// Index grown by funding.
    IndexGrownByFunding,
    /// Median of an oracle plus an average, the own book, and perpetual prices of other venues.
    MedianOfVenues,
    /// The oracle price itself.
    Oracle,
}

/// How the mark is made.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: MarkClauses,
    /// The method.
    pub method: MarkMethod,
    /// Over which the basis is averaged.
    pub window: Option<Span>,
    /// Greatest distance from the index.
    pub band: Option<Percent>,
}

/// How the index is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexMethod {
    /// Weighted by the volume of sources.
    VolumeWeighted,
    /// Weighted median of sources.
    WeightedMedian,
    /// Average of sources without the outermost.
    TrimmedMean,
    /// One price that validators or a sidecar agree on.
    Vote,
}

/// How the index is made.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: IndexClauses,
    /// The method.
    pub method: IndexMethod,
    /// A source farther than this from the median is held there.
    pub outlier: Option<Percent>,
    /// A source older than this does not count.
    pub stale: Option<Span>,
}

/// What is closed below the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiquidationUnit {
    /// One order for as much as brings the account back.
    ToTarget,
    /// The whole position at once.
    Whole,
    /// A share of the position, then the rest.
    Fraction,
    /// Down to the cap of a lower tier.
    TierStepDown,
    /// A share that grows with time.
    Ramp,
    /// The whole account by auction.
    Auction,
    /// The venue takes the position and sells it off.
    Takeover,
}

/// What happens below the line.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiquidationSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: LiquidationClauses,
    /// What a step closes.
    pub unit: LiquidationUnit,
    /// The share of a step.
    pub fraction: Option<Percent>,
    /// A position worth no more than this is closed whole.
    pub whole_below: Option<Amount>,
    /// Between two steps.
    pub cooldown: Option<Span>,
    /// Tiers down in one step.
    pub tiers: Option<u8>,
    /// Fee on what is closed.
    pub fee: Option<Percent>,
    /// Below this share of maintenance the venue takes over.
    pub takeover: Option<Percent>,
    /// A liquidation ends when equity is this multiple of maintenance.
    pub target: Option<Multiple>,
}

/// Whom auto-deleveraging asks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdlRank {
    /// Profit × leverage.
    ProfitLeverage,
    /// Mark ÷ entry × notional ÷ account value.
    GrowthLeverage,
    /// No ranking.
    Unranked,
    /// The venue has none.
    None,
}

/// At which price winners are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdlAt {
    /// The bankruptcy price of the one who failed.
    Bankruptcy,
    /// The mark.
    Mark,
}

/// Auto-deleveraging.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdlSection {
    /// Its clause.
    pub clause: Clause,
    /// Of values that have another.
    #[serde(default)]
    pub clauses: AdlClauses,
    /// Whom it asks first.
    pub rank: AdlRank,
    /// At which price.
    pub price: Option<AdlAt>,
}

/// What an asset counts as collateral.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetSection {
    /// Its clause.
    pub clause: Clause,
    /// Its name.
    pub symbol: String,
    /// Share of the index that a positive amount counts.
    pub haircut: Percent,
    /// Further slices, lowest first.
    #[serde(default)]
    pub above: Vec<SliceFile>,
}

/// A further slice of an amount.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SliceFile {
    /// What is above this.
    pub amount: Amount,
    /// Counts this share.
    pub haircut: Percent,
}

/// Linear or inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContractForm {
    /// Settled in the quote.
    Linear,
    /// A fixed amount of quote, settled in the coin.
    Inverse,
}

/// A market.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketSection {
    /// Clause of its figures.
    pub clause: Clause,
    /// Of values that have another.
    /// `cap`, `initial` and `maintenance` are those of its ladder, `contract` has face and settlement.
    #[serde(default)]
    pub clauses: MarketClauses,
    /// Its name.
    pub symbol: String,
    /// Linear or inverse.
    pub contract: ContractForm,
    /// Quote per contract of an inverse one.
    pub face: Option<u32>,
    /// Asset in which it settles.
    pub settlement: String,
    /// Step of prices.
    pub tick: Option<PriceText>,
    /// Step of sizes.
    pub lot: Option<SizeText>,
    /// Of the order that takes.
    pub taker_fee: Percent,
    /// Of the order that rests.
    pub maker_fee: Percent,
    /// How margin grows with the position.
    #[schemars(with = "LadderFile")]
    pub ladder: Spanned<LadderFile>,
    /// Where the maintenance rates of its tiers come from.
    #[serde(default)]
    pub maintenance: Link,
}

/// How margin grows with the position.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LadderFile {
    /// The whole notional at its tier's rate minus a deduction, lowest first.
    Tiers(#[schemars(with = "Vec<TierFile>")] Vec<Spanned<TierFile>>),
    /// The whole notional at the rate of its step.
    Steps {
        /// Initial rate up to the base.
        initial: Percent,
        /// Maintenance rate up to the base.
        maintenance: Percent,
        /// Notional that these hold for.
        base: Amount,
        /// Length of a step.
        step: Amount,
        /// What each started step adds to both.
        rise: Percent,
    },
    /// Rates that grow with each contract.
    PerSize {
        /// Initial rate of nothing.
        initial: Percent,
        /// Maintenance rate of nothing.
        maintenance: Percent,
        /// What a contract adds to both.
        rise: Percent,
    },
    /// Rates that grow with each coin of notional: inverse contracts.
    PerNotional {
        /// Initial rate of nothing.
        initial: Percent,
        /// Maintenance rate of nothing.
        maintenance: Percent,
        /// What a coin adds to both.
        rise: Percent,
    },
    /// Rates that grow with the root of the size.
    SizeRoot {
        /// Initial rate of nothing.
        initial: Percent,
        /// Maintenance rate of nothing.
        maintenance: Percent,
        /// What the root of a contract adds to 80 % of either.
        rise: Percent,
    },
    /// An initial rate driven by open interest.
    OpenInterest {
        /// Initial rate up to the lower bound.
        initial: Percent,
        /// Maintenance as a share of it.
        fraction: Percent,
        /// From here it rises.
        lower: Amount,
        /// Here it is 100 %.
        upper: Amount,
    },
    /// A rate for each side.
    RiskFactors {
        /// Linear slippage.
        slippage: Percent,
        /// Risk of a long.
        long: Percent,
        /// Risk of a short.
        short: Percent,
        /// Initial as a multiple of maintenance.
        initial_factor: Multiple,
    },
}

/// Where the maintenance rate of a tier comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Each tier states its own.
    #[default]
    Own,
    /// Half of the initial margin at the tier's greatest leverage.
    HalfAtMaxLeverage,
}

/// A tier.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierFile {
    /// Notional up to which it holds, inclusive.
    #[schemars(with = "Amount")]
    pub cap: Spanned<Amount>,
    /// Greatest leverage. Either this or `initial`.
    #[schemars(with = "Option<Leverage>")]
    pub leverage: Option<Spanned<Leverage>>,
    /// Least initial rate.
    #[schemars(with = "Option<Percent>")]
    pub initial: Option<Spanned<Percent>>,
    /// Maintenance rate, unless the ladder derives it.
    #[schemars(with = "Option<Percent>")]
    pub maintenance: Option<Spanned<Percent>>,
    /// As the venue prints it; it must be the one that joins the tiers.
    #[schemars(with = "Option<Amount>")]
    pub deduction: Option<Spanned<Amount>>,
}
