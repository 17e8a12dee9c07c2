//! A venue on which a scenario plays: the engine, the clock, what was said, and what every command must survive
//! besides: the round trip through both encodings, and the conservation of money.

use super::error::BUG;
use super::names::{Names, OrderOwners};
use super::print::{event_line, refusal_line, tagged};
use super::words::{Word, Words};
use super::{Error, Step};
use engine::params::{AssetParams, CollateralSchedule};
use engine::{
    AccountId, Answer, AssetId, Command, Engine, Event, Income, IndexId, MarketId, Name, OwnerId, Reject, Role,
};
use std::collections::{BTreeMap, BTreeSet};
use units::{Money, Rate, Time};

/// When every scenario begins: 2025-01-01T00:00:00Z.
pub const START: Time = Time::from_ns(1_735_689_600 * Time::SECOND_NS);

/// Events that are printed unless `trace` says otherwise: those that a reader cannot infer from the statement itself.
const SIGNIFICANT: &[&str] = &[
    "auction_ended",
    "auction_filled",
    "auction_started",
    "converted",
    "deficit_left",
    "deleveraged",
    "filled",
    "fund_drawn_down",
    "funding_posted",
    "funding_settled",
    "funding_skipped",
    "isolated_opened",
    "left_uncovered",
    "legs_offset",
    "liquidation_ended",
    "liquidation_fee",
    "liquidation_paused",
    "liquidation_started",
    "liquidation_step",
    "loss_settled",
    "loss_shared",
    "margin_called",
    "market_status_set",
    "moved",
    "order_cancelled",
    "item_refused",
    "order_cut",
    "order_reduced",
    "order_rested",
    "order_triggered",
    "order_parked",
    "extreme_moved",
    "reservation_used",
    "reserve_drawn",
    "rounding_swept",
    "taken_over",
    "withdrawal_confirmed",
    "withdrawal_requested",
    "withdrawal_returned",
    "settlement_scheduled",
    "settlement_cancelled",
    "settlement_priced",
    "option_ended",
    "option_exited",
    "exit_right_set",
    "protection_set",
    "protection_reached",
    "position_settled",
    "settlement_continues",
    "market_settled",
    "market_split",
    "index_split",
    "launch_began",
    "launched",
    "index_fell_back",
    "index_restored",
    "delisting_scheduled",
    "delisting_cancelled",
    "haircut_stepped",
    "interest_charged",
    "interest_posted",
    "realisation_began",
    "realisation_continues",
];

/// Which events are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// The significant ones.
    Usual,
    /// Every one.
    All,
    /// These.
    Only(BTreeSet<String>),
}

/// Called after each command, before its events are cleared.
pub type Observer<'o> = dyn FnMut(Step<'_>) + 'o;

/// The venue.
#[derive(Clone)]
pub struct Scene {
    /// The engine.
    pub engine: Engine,
    /// The time that the next command carries.
    pub now: Time,
    /// Which events are printed.
    pub trace: Trace,
    /// Every command so far.
    pub commands: Vec<(Time, Command)>,
    /// Accounts of all orders.
    pub orders: OrderOwners,
    owners: Vec<String>,
    references: u64,
    said: Vec<String>,
    hidden: &'static [&'static str],
    /// Every change of a wallet, in order.
    pub income: Vec<Income>,
    /// Their sums: what each wallet must hold.
    ledger: BTreeMap<(AccountId, AssetId), Money>,
}

impl Scene {
    /// The built-ins: asset USDC, accounts `fund` and `house`.
    ///
    /// # Errors
    /// When the engine refuses a built-in.
    pub fn new(observer: &mut Observer<'_>) -> Result<Self, Error> {
        let mut scene = Self {
            engine: Engine::new(),
            now: START,
            trace: Trace::Usual,
            commands: Vec::new(),
            orders: OrderOwners::new(),
            owners: Vec::new(),
            references: 1_000_000,
            said: Vec::new(),
            hidden: &[],
            income: Vec::new(),
            ledger: BTreeMap::new(),
        };
        let mut actor = Actor { scene: &mut scene, observer };
        match actor.built_ins()? {
            None => Ok(scene),
            Some(reject) => Err(Error::new(1, 1, 1, format!("a built-in was refused: {reject}"))),
        }
    }

    /// Names in the present state.
    #[must_use]
    pub fn names(&self) -> Names<'_> {
        Names::new(self.engine.state(), &self.orders)
    }

    /// Adds a line to what the present statement prints.
    pub fn say(&mut self, line: impl Into<String>) {
        self.said.push(line.into());
    }

    /// What was said since this was last called.
    pub fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    fn shows(&self, event: &str) -> bool {
        match &self.trace {
            Trace::Usual => SIGNIFICANT.contains(&event) && !self.hidden.contains(&event),
            Trace::All => true,
            Trace::Only(events) => events.contains(event),
        }
    }

    /// An account that exists.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn account(&self, words: &mut Words) -> Result<AccountId, Error> {
        let word = words.word("an account")?;
        let hint = "an account is opened by its first `deposit`, or by `account`";
        self.names().account(&word.text).ok_or_else(|| words.wrong(&word, "an account").hint(hint))
    }

    /// A market that exists.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn market(&self, words: &mut Words) -> Result<MarketId, Error> {
        let word = words.word("a market")?;
        let known: Vec<_> = self.engine.state().markets.iter().map(|m| m.params.name.to_string()).collect();
        let hint = format!("markets so far: {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") });
        self.names().market(&word.text).ok_or_else(|| words.wrong(&word, "a market").hint(hint))
    }

    /// An asset that exists.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn asset(&self, words: &mut Words) -> Result<AssetId, Error> {
        let word = words.word("an asset")?;
        let known: Vec<_> = self.engine.state().assets.iter().map(|a| a.params.name.to_string()).collect();
        let hint = format!("assets so far: {}", known.join(", "));
        self.names().asset(&word.text).ok_or_else(|| words.wrong(&word, "an asset").hint(hint))
    }

    /// The asset that the next word names, or USDC when it names none.
    #[must_use]
    pub fn asset_or_usdc(&self, words: &mut Words) -> AssetId {
        match words.peek().and_then(|text| self.names().asset(text)) {
            Some(asset) => {
                words.next_word();
                asset
            }
            None => AssetId(0),
        }
    }

    /// An index by its name or by that of a market.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn index(&self, words: &mut Words) -> Result<IndexId, Error> {
        let word = words.word("an index or a market")?;
        let of_market = |market| self.engine.state().market(market).params.index;
        let found = self.names().index(&word.text).or_else(|| self.names().market(&word.text).map(of_market));
        found.ok_or_else(|| words.wrong(&word, "an index or a market"))
    }

    /// The owner of a name; a new one for a new name.
    pub fn owner(&mut self, name: &str) -> OwnerId {
        let at = self.owners.iter().position(|owner| owner == name).unwrap_or_else(|| {
            self.owners.push(name.to_owned());
            self.owners.len() - 1
        });
        OwnerId::at(at)
    }

    /// Books what the last command's events did to wallets.
    fn book_income(&mut self) {
        for event in self.engine.events() {
            for row in event.income(self.engine.state()) {
                *self.ledger.entry((row.account, row.asset)).or_default() += row.amount;
                self.income.push(row);
            }
        }
    }

    /// Every wallet is the sum of its income.
    fn attributed(&self) -> Result<(), String> {
        let state = self.engine.state();
        for at in 0..state.accounts.len() {
            let id = AccountId::at(at);
            for asset in (0..state.assets.len()).map(AssetId::at) {
                let sum = self.ledger.get(&(id, asset)).copied().unwrap_or_default();
                let wallet = state.account(id).wallet(asset);
                if wallet != sum {
                    let (who, what) = (self.names().of_account(id), self.names().of_asset(asset));
                    return Err(format!("the income of {who} in {what} adds up to {sum}, its wallet is {wallet}"));
                }
            }
        }
        Ok(())
    }

    /// A deposit reference that no other deposit has.
    pub fn next_reference(&mut self) -> u64 {
        self.references += 1;
        self.references
    }
}

/// A name for the engine.
///
/// # Errors
/// When it is too long or has other characters.
pub fn name(words: &Words, word: &Word) -> Result<Name, Error> {
    let hint = "a name has 1 to 24 of A-Z a-z 0-9 . _ - : /";
    Name::new(&word.text).ok_or_else(|| words.wrong(word, "a name").hint(hint))
}

/// A scene and who watches it: what verbs act on.
pub struct Actor<'s, 'o> {
    /// The venue.
    pub scene: &'s mut Scene,
    /// Who watches.
    pub observer: &'s mut Observer<'o>,
}

impl Actor<'_, '_> {
    /// USDC, `fund` and `house`; the first refusal, which would be a bug.
    fn built_ins(&mut self) -> Result<Option<Reject>, Error> {
        let words = Words::new(1, "");
        let word = |text: &str| Word { text: text.to_owned(), column: 1 };
        let (haircut, conversion_discount) = (Rate::ONE, Rate::ZERO);
        let asset = AssetParams {
            name: name(&words, &word("USDC"))?,
            decimals: 6,
            index: None,
            haircut,
            conversion_discount,
            schedule: CollateralSchedule::default(),
            borrow: Default::default(),
        };
        let mut refused = self.apply(&words, Command::AddAsset(Box::new(asset)))?.err();
        for (account, role) in [("fund", Role::Fund), ("house", Role::Trading)] {
            refused = refused.or(self.open(&words, &word(account), account, role)?.err());
        }
        Ok(refused)
    }

    /// Applies a command at the present time, prints what is significant and checks what must hold after each.
    ///
    /// # Errors
    /// When a round trip changes the command or money is not conserved: a bug, not a fault of the scenario.
    pub fn apply(&mut self, words: &Words, command: Command) -> Result<Result<Answer, Reject>, Error> {
        self.apply_hiding(words, command, &[])
    }

    /// The same, without some of the usual events.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn apply_hiding(
        &mut self,
        words: &Words,
        command: Command,
        hidden: &'static [&'static str],
    ) -> Result<Result<Answer, Reject>, Error> {
        let bug = |what: String| Error::new(words.line(), 1, 1, what).hint(BUG);
        round_trips(&command).map_err(bug)?;
        let result = self.scene.engine.apply(self.scene.now, &command);
        for event in self.scene.engine.events() {
            if let Event::OrderAccepted { order, account, .. } = event {
                self.scene.orders.insert(*order, *account);
            }
        }
        self.scene.book_income();
        self.scene.attributed().map_err(bug)?;
        self.scene.hidden = hidden;
        let names = Names::new(self.scene.engine.state(), &self.scene.orders);
        let shown = self.scene.engine.events().iter().filter(|event| self.scene.shows(&tagged(event).0));
        let mut lines: Vec<String> = shown.map(|event| event_line(&names, event)).collect();
        match &result {
            Err(reject) => lines.push(refusal_line(&names, reject)),
            Ok(Answer::Repeated) => lines.push("repeated".to_owned()),
            Ok(_) => {}
        }
        self.scene.said.extend(lines);
        conserved(&self.scene.engine, &self.scene.names()).map_err(bug)?;
        (self.observer)(Step { engine: &self.scene.engine, at: self.scene.now, command: &command, result: &result });
        self.scene.engine.end_batch();
        self.scene.commands.push((self.scene.now, command));
        Ok(result)
    }

    /// Opens an account for the owner of that name.
    ///
    /// # Errors
    /// When the name cannot be one, or as [`Self::apply`].
    pub fn open(
        &mut self,
        words: &Words,
        word: &Word,
        owner: &str,
        role: Role,
    ) -> Result<Result<Answer, Reject>, Error> {
        let name = name(words, word)?;
        let owner = self.scene.owner(owner);
        self.apply(words, Command::OpenAccount { owner, role, name })
    }
}

/// Binary and JSON give the same command back.
fn round_trips(command: &Command) -> Result<(), String> {
    let bytes = engine::encode(command);
    if engine::decode(&bytes).ok().as_ref() != Some(command) {
        return Err(format!("the binary form of {command:?} does not read back"));
    }
    let json = serde_json::to_string(command).map_err(|why| format!("{command:?} has no JSON form: {why}"))?;
    match serde_json::from_str::<Command>(&json) {
        Ok(back) if back == *command => Ok(()),
        Ok(_) => Err(format!("JSON reads back as another command: {json}")),
        Err(why) => Err(format!("JSON does not read back: {why}: {json}")),
    }
}

/// Wallets + clearing + fees + rounding + pending withdrawals = vault, for every asset.
fn conserved(engine: &Engine, names: &Names<'_>) -> Result<(), String> {
    let state = engine.state();
    for (at, asset) in state.assets.iter().enumerate() {
        let id = AssetId::at(at);
        let wallets: Money = state.accounts.iter().map(|account| account.wallet(id)).sum();
        let markets = state.markets.iter().filter(|market| market.params.settlement == id);
        let clearing: Money = markets.map(|market| market.clearing).sum();
        let sum = wallets + clearing + asset.fees + asset.rounding + asset.pending;
        if sum != asset.vault {
            return Err(format!("money is not conserved in {}: vault {}, sum {sum}", names.of_asset(id), asset.vault));
        }
    }
    Ok(())
}
