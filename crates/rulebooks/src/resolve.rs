//! From a rulebook file and a day to the parameters of that day, checked.

use crate::problem::{Checked, Problem};
use crate::schema::{
    AccountSection, AdlSection, AssetSection, Basis, ContractForm, DigitsSection, FeeOn, FeeSection, FundingSection,
    GainsRule, IndexSection, InitialSection, LadderFile, Line, Link, LiquidationSection, MarkSection, MarketClauses,
    MarketSection, PriceFormText, PriceSection, RulebookFile, TierFile, VersionFile,
};
use crate::values::{Amount, Percent};
use rules::{
    AccountRules, Contract, FeeBasis, Gains, HaircutTier, InitialBasis, Ladder, LineRule, MarketRules,
    OpenInterestLadder, PriceForm, RiskFactors, SizeLadder, StepLadder, TierError, TierTable,
};
use std::ops::Range;
use toml::Spanned;
use units::{Money, Price, Rate, Round, Size};

/// The rules of one venue on one day.
#[derive(Clone, Debug)]
pub struct Rulebook {
    /// Its name.
    pub venue: String,
    /// For people.
    pub name: String,
    /// The day of the version.
    pub from: String,
    /// Hash of the resolved version: its canonical text, BLAKE3, the first 16 bytes.
    pub hash: [u8; 16],
    /// What the rulebook leaves out.
    pub gaps: Vec<String>,
    /// Sections as written, for their clauses and what is not computed from.
    pub sections: Sections,
    /// The account's rules.
    pub account: AccountRules,
    /// Collateral.
    pub assets: Vec<Asset>,
    /// Markets.
    pub markets: Vec<Market>,
}

/// The sections that hold on the day.
#[derive(Clone, Debug)]
pub struct Sections {
    /// The account as a whole.
    pub account: AccountSection,
    /// Initial margin.
    pub initial: InitialSection,
    /// The fee to close.
    pub closing_fee: FeeSection,
    /// The liquidation price.
    pub liquidation_price: PriceSection,
    /// Digits, where the venue has fewer.
    pub digits: Option<DigitsSection>,
    /// Funding.
    pub funding: Option<FundingSection>,
    /// The mark.
    pub mark: Option<MarkSection>,
    /// The index.
    pub index: Option<IndexSection>,
    /// Below the line.
    pub liquidation: Option<LiquidationSection>,
    /// Auto-deleveraging.
    pub adl: Option<AdlSection>,
}

/// What an asset counts.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its name.
    pub symbol: String,
    /// Clause of its haircut.
    pub clause: String,
    /// Share of the first slice.
    pub haircut: Rate,
    /// Further slices.
    pub slices: Vec<HaircutTier>,
}

/// A market with its resolved parameters.
#[derive(Clone, Debug)]
pub struct Market {
    /// Its name.
    pub symbol: String,
    /// Clause of its figures.
    pub clause: String,
    /// Of those that have another.
    pub clauses: MarketClauses,
    /// Asset in which it settles.
    pub settlement: String,
    /// Step of prices.
    pub tick: Option<Price>,
    /// Step of sizes.
    pub lot: Size,
    /// Fee of the order that takes.
    pub taker_fee: Rate,
    /// Fee of the order that rests.
    pub maker_fee: Rate,
    /// What margin needs.
    pub rules: MarketRules,
}

/// A rulebook file with its text, for messages.
pub struct Source<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Source<'_> {
    /// A problem at a place.
    pub(crate) fn at(&self, span: Range<usize>, what: impl Into<String>) -> Box<Problem> {
        Box::new(Problem::at(self.file, self.text, Some(span), what))
    }

    /// Reads TOML into a type; messages name line and column.
    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&self) -> Checked<T> {
        self.parse_as(self.text)
    }

    /// Reads another form of the text, in which every value has the same place.
    pub(crate) fn parse_as<T: serde::de::DeserializeOwned>(&self, form: &str) -> Checked<T> {
        toml::from_str(form).map_err(|error| {
            let problem = Problem::at(self.file, self.text, error.span(), error.message());
            Box::new(problem)
        })
    }
}

impl RulebookFile {
    /// Reads a rulebook.
    ///
    /// # Errors
    /// What is wrong first, with its place.
    pub fn read(source: &Source<'_>) -> Checked<Self> {
        let file: Self = source.parse()?;
        if file.versions.is_empty() {
            return Err(Box::new(Problem::new(source.file, "a rulebook needs at least one [[version]]")));
        }
        for pair in file.versions.windows(2) {
            let [before, after] = pair else { continue };
            if after.as_ref().from.as_ref().0 <= before.as_ref().from.as_ref().0 {
                let span = after.as_ref().from.span();
                return Err(source.at(span, "versions must be in the order of their days, each day once"));
            }
        }
        Ok(file)
    }

    /// The first days of its versions, oldest first.
    pub fn days(&self) -> impl Iterator<Item = &str> {
        self.versions.iter().map(|version| version.as_ref().from.as_ref().0.as_str())
    }

    /// The rules on a day; without one, the newest.
    ///
    /// # Errors
    /// No version is that old; a section is missing; a market or asset is wrong.
    pub fn on(&self, source: &Source<'_>, day: Option<&str>) -> Checked<Rulebook> {
        let holds =
            |version: &&Spanned<VersionFile>| day.is_none_or(|day| version.as_ref().from.as_ref().0.as_str() <= day);
        let versions: Vec<&VersionFile> = self.versions.iter().filter(holds).map(Spanned::as_ref).collect();
        let Some(newest) = versions.last() else {
            let first = self.versions.first().map_or("", |version| version.as_ref().from.as_ref().0.as_str());
            let what =
                format!("{} has no version for {}: the first is of {first}", self.venue.as_ref(), day.unwrap_or(""));
            return Err(Box::new(
                Problem::new(source.file, what).hint(format!("write {}@{first} or a later day", self.venue.as_ref())),
            ));
        };
        let sections = self.sections(source, &versions)?;
        let assets = latest(&versions, |v| &v.assets, |a| &a.symbol);
        let markets = latest(&versions, |v| &v.markets, |m| &m.symbol);
        let mut resolved = Rulebook {
            venue: self.venue.as_ref().clone(),
            name: self.name.clone(),
            from: newest.from.as_ref().0.clone(),
            hash: [0; 16],
            gaps: self.gaps.clone(),
            account: account_rules(&sections),
            sections,
            assets: Vec::new(),
            markets: Vec::new(),
        };
        for asset in assets {
            resolved.assets.push(check_asset(source, asset)?);
        }
        for market in markets {
            let market = check_market(source, &resolved.sections, market)?;
            resolved.markets.push(market);
        }
        resolved.hash = hash(&resolved);
        Ok(resolved)
    }

    fn sections(&self, source: &Source<'_>, versions: &[&VersionFile]) -> Checked<Sections> {
        let missing = |name: &str| {
            let span = self.versions.first().map_or(0..0, Spanned::span);
            source.at(span.start..span.start + 11, format!("the first version needs [version.{name}]"))
        };
        Ok(Sections {
            account: newest(versions, |v| v.account.as_ref()).ok_or_else(|| missing("account"))?,
            initial: newest(versions, |v| v.initial.as_ref()).ok_or_else(|| missing("initial"))?,
            closing_fee: newest(versions, |v| v.closing_fee.as_ref()).ok_or_else(|| missing("closing_fee"))?,
            liquidation_price: newest(versions, |v| v.liquidation_price.as_ref())
                .ok_or_else(|| missing("liquidation_price"))?,
            digits: newest(versions, |v| v.digits.as_ref()),
            funding: newest(versions, |v| v.funding.as_ref()),
            mark: newest(versions, |v| v.mark.as_ref()),
            index: newest(versions, |v| v.index.as_ref()),
            liquidation: newest(versions, |v| v.liquidation.as_ref()),
            adl: newest(versions, |v| v.adl.as_ref()),
        })
    }
}

impl From<PriceFormText> for PriceForm {
    fn from(form: PriceFormText) -> Self {
        match form {
            PriceFormText::Solved => Self::Solved,
            PriceFormText::Distance => Self::Distance,
            PriceFormText::Undivided => Self::Undivided,
            PriceFormText::EntryMaintenance => Self::EntryMaintenance,
            PriceFormText::UndividedAtEntry => Self::UndividedAtEntry,
        }
    }
}

fn newest<T: Clone>(versions: &[&VersionFile], of: impl Fn(&VersionFile) -> Option<&T>) -> Option<T> {
    versions.iter().rev().find_map(|version| of(version)).cloned()
}

/// The latest statement about each name, in the order in which they came.
fn latest<'a, T>(
    versions: &[&'a VersionFile],
    of: impl Fn(&'a VersionFile) -> &'a Vec<Spanned<T>>,
    name: impl Fn(&T) -> &String,
) -> Vec<&'a Spanned<T>> {
    let mut rows: Vec<&Spanned<T>> = Vec::new();
    for row in versions.iter().flat_map(|version| of(version)) {
        match rows.iter_mut().find(|known| name(known.as_ref()) == name(row.as_ref())) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }
    rows
}

fn account_rules(sections: &Sections) -> AccountRules {
    let account = &sections.account;
    AccountRules {
        line: match account.line {
            Line::Below => LineRule::Below,
            Line::At => LineRule::At,
        },
        gains: match account.gains {
            GainsRule::Count => Gains::Count,
            GainsRule::MaintenanceOnly => Gains::MaintenanceOnly,
        },
        outflow_share: account.outflow_share.as_ref().map_or(Rate::ZERO, |share| share.0),
        nearest_price: sections.liquidation_price.nearest,
    }
}

fn check_asset(source: &Source<'_>, asset: &Spanned<AssetSection>) -> Checked<Asset> {
    let row = asset.as_ref();
    let wrong = |what: &str| source.at(asset.span(), format!("{}: {what}", row.symbol));
    let mut slices = vec![HaircutTier::default(); rules::HAIRCUT_TIERS_MAX];
    if row.above.len() > slices.len() {
        return Err(wrong(&format!("at most {} slices", slices.len())));
    }
    for (slice, given) in slices.iter_mut().zip(&row.above) {
        if given.amount.0.1 != row.symbol {
            return Err(wrong(&format!("slices are amounts of {}, found {}", row.symbol, given.amount.0.1)));
        }
        *slice = HaircutTier { above: given.amount.0.0, haircut: given.haircut.0 };
    }
    let haircuts = rules::Haircuts { first: row.haircut.0, tiers: &slices };
    if !haircuts.is_good() {
        return Err(wrong("shares are from 0 to 100 % and do not rise, amounts rise"));
    }
    Ok(Asset { symbol: row.symbol.clone(), clause: row.clause.0.clone(), haircut: row.haircut.0, slices })
}

fn check_market(source: &Source<'_>, sections: &Sections, market: &Spanned<MarketSection>) -> Checked<Market> {
    let row = market.as_ref();
    let wrong = |what: String| source.at(market.span(), format!("{}: {what}", row.symbol));
    let contract = match (row.contract, row.face) {
        (ContractForm::Linear, None) => Contract::Linear,
        (ContractForm::Linear, Some(_)) => return Err(wrong("a linear contract has no face".into())),
        (ContractForm::Inverse, Some(face)) if face > 0 => Contract::Inverse { face },
        (ContractForm::Inverse, _) => {
            return Err(wrong("an inverse contract needs face, its worth in the quote".into()));
        }
    };
    let lot = row.lot.as_ref().map_or(Size::new(1), |lot| Some(lot.0)).filter(|lot| lot.is_positive());
    let lot = lot.ok_or_else(|| wrong("lot must be above zero".into()))?;
    let fee = &sections.closing_fee;
    let digits = sections.digits.as_ref();
    let rules = MarketRules {
        contract,
        ladder: ladder(source, row)?,
        open_interest: Money::ZERO,
        closing_fee: if fee.on == FeeOn::None { Rate::ZERO } else { row.taker_fee.0 },
        fee_basis: if fee.on == FeeOn::Bankruptcy { FeeBasis::Bankruptcy } else { FeeBasis::Notional },
        fee_in_initial: fee.in_initial,
        fee_in_price: fee.in_liquidation_price,
        initial_basis: match sections.initial.basis {
            Basis::Price => InitialBasis::Price,
            Basis::Entry => InitialBasis::Entry,
        },
        notional_digits: digits.and_then(|d| d.notional.as_ref()).map(|d| d.0),
        initial_digits: digits.and_then(|d| d.initial.as_ref()).map(|d| d.0),
        maintenance_digits: digits.and_then(|d| d.maintenance.as_ref()).map(|d| d.0),
        price_form: sections.liquidation_price.form.into(),
    };
    Ok(Market {
        symbol: row.symbol.clone(),
        clause: row.clause.0.clone(),
        clauses: row.clauses.clone(),
        settlement: row.settlement.clone(),
        tick: row.tick.as_ref().map(|tick| tick.0),
        lot,
        taker_fee: row.taker_fee.0,
        maker_fee: row.maker_fee.0,
        rules,
    })
}

fn ladder(source: &Source<'_>, market: &MarketSection) -> Checked<Ladder> {
    let wrong = |what: &str| source.at(market.ladder.span(), format!("{}: {what}", market.symbol));
    let settled = |amount: &Amount| {
        let (money, asset) = &amount.0;
        if *asset == market.settlement {
            Ok(*money)
        } else {
            Err(wrong(&format!("amounts are of {}, found {asset}", market.settlement)))
        }
    };
    let share = |rate: &Percent| {
        let good = rate.0.is_positive() && rate.0 <= Rate::ONE;
        if good { Ok(rate.0) } else { Err(wrong("rates are above 0 % and at most 100 %")) }
    };
    Ok(match market.ladder.as_ref() {
        LadderFile::Tiers(tiers) => Ladder::Tiers(tier_table(source, market, tiers)?),
        LadderFile::Steps { initial, maintenance, base, step, rise } => Ladder::Steps(StepLadder {
            initial: share(initial)?,
            maintenance: share(maintenance)?,
            base: settled(base)?,
            step: Some(settled(step)?)
                .filter(|step| step.is_positive())
                .ok_or_else(|| wrong("a step is above zero"))?,
            rise: share(rise)?,
        }),
        LadderFile::PerSize { initial, maintenance, rise } => Ladder::PerSize(SizeLadder {
            initial: share(initial)?,
            maintenance: share(maintenance)?,
            rise: share(rise)?,
        }),
        LadderFile::PerNotional { initial, maintenance, rise } => Ladder::PerNotional(SizeLadder {
            initial: share(initial)?,
            maintenance: share(maintenance)?,
            rise: share(rise)?,
        }),
        LadderFile::SizeRoot { initial, maintenance, rise } => Ladder::SizeRoot(SizeLadder {
            initial: share(initial)?,
            maintenance: share(maintenance)?,
            rise: share(rise)?,
        }),
        LadderFile::OpenInterest { initial, fraction, lower, upper } => {
            let (lower, upper) = (settled(lower)?, settled(upper)?);
            if lower.is_negative() || (upper.is_positive() && upper <= lower) {
                return Err(wrong("the upper bound is above the lower one, or zero"));
            }
            Ladder::OpenInterest(OpenInterestLadder {
                initial: share(initial)?,
                fraction: share(fraction)?,
                lower,
                upper,
            })
        }
        LadderFile::RiskFactors { slippage, long, short, initial_factor } => Ladder::RiskFactors(RiskFactors {
            slippage: share(slippage)?,
            long: share(long)?,
            short: share(short)?,
            initial_factor: Some(initial_factor.0)
                .filter(|factor| *factor >= Rate::ONE)
                .ok_or_else(|| wrong("initial is at least maintenance"))?,
        }),
    })
}

/// A tier table whose first broken rule is told at the row that breaks it.
fn tier_table(source: &Source<'_>, market: &MarketSection, tiers: &[Spanned<TierFile>]) -> Checked<TierTable> {
    let mut steps = Vec::new();
    for (row, tier) in tiers.iter().enumerate() {
        let at =
            |span: Range<usize>, what: &str| source.at(span, format!("{}, tier {}: {what}", market.symbol, row + 1));
        let file = tier.as_ref();
        let (cap, asset) = &file.cap.as_ref().0;
        if *asset != market.settlement {
            return Err(at(file.cap.span(), &format!("caps are amounts of {}, found {asset}", market.settlement)));
        }
        let (initial, leverage) = match (&file.leverage, &file.initial) {
            (Some(leverage), None) => (leverage.as_ref().0.0, Some(leverage)),
            (None, Some(initial)) => (initial.as_ref().0, None),
            _ => return Err(at(tier.span(), "either leverage or initial is needed")),
        };
        let maintenance = match (market.maintenance, &file.maintenance, leverage) {
            (Link::Own, Some(rate), _) => rate.as_ref().0,
            (Link::HalfAtMaxLeverage, None, Some(leverage)) => {
                let half = crate::values::half_of_one_over(leverage.as_ref().0.1.trim_end_matches('x'));
                half.ok_or_else(|| at(leverage.span(), "too large"))?
            }
            (Link::Own, None, _) => return Err(at(tier.span(), "maintenance is needed")),
            (Link::HalfAtMaxLeverage, _, _) => {
                return Err(at(
                    tier.span(),
                    "maintenance is half of the initial margin at the greatest leverage: state leverage alone",
                ));
            }
        };
        steps.push((*cap, initial, maintenance));
        // Checked row by row, so that the first bad row is the one that is told.
        let table = TierTable::derive(&steps).map_err(|error| at(tier.span(), &tier_error(error, &steps)))?;
        if let (Some(given), Some(derived)) = (&file.deduction, table.tiers().last()) {
            let money = given.as_ref().0.0;
            if money != derived.deduction {
                let what = format!(
                    "deduction {money} does not continue the tier before it, which needs {}",
                    derived.deduction
                );
                return Err(at(given.span(), &what));
            }
        }
    }
    TierTable::derive(&steps).map_err(|error| source.at(market.ladder.span(), format!("{}: {error}", market.symbol)))
}

fn tier_error(error: TierError, steps: &[(Money, Rate, Rate)]) -> String {
    match (error, steps) {
        (TierError::NotContiguous, [.., (before, ..), (cap, ..)]) => {
            format!("cap {cap} is not above the one before it, {before}")
        }
        (error, _) => error.to_string(),
    }
}

/// The first 16 bytes of BLAKE3 over what the engine and the figures are computed from, in a fixed order.
fn hash(rulebook: &Rulebook) -> [u8; 16] {
    let text = format!(
        "{} {} {:?} {:?} {:?} {:?}",
        rulebook.venue, rulebook.from, rulebook.account, rulebook.sections, rulebook.assets, rulebook.markets
    );
    let full = blake3::hash(text.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&full.as_bytes()[..16]);
    short
}

impl Rulebook {
    /// A market by its name.
    #[must_use]
    pub fn market(&self, symbol: &str) -> Option<&Market> {
        self.markets.iter().find(|market| market.symbol == symbol)
    }

    /// An asset by its name.
    #[must_use]
    pub fn asset(&self, symbol: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.symbol == symbol)
    }

    /// Rounds a liquidation price the way the venue shows it.
    #[must_use]
    pub fn shown_price(&self, price: Price) -> Price {
        let section = &self.sections.liquidation_price;
        let Some(digits) = section.shown.as_ref() else { return price };
        let step = match &section.step {
            Some(step) => Some(step.0),
            None => Price::new(10i64.pow(8u32.saturating_sub(digits.0.decimals.min(8)))),
        };
        step.and_then(|tick| price.to_tick(tick, digits.0.round)).unwrap_or(price)
    }
}

/// What rounding upward means for a reader of the sections.
pub(crate) fn direction(round: Round) -> &'static str {
    match round {
        Round::Up => "up",
        Round::Down => "down",
        Round::TowardZero => "toward zero",
    }
}
