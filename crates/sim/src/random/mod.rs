//! Random work for an engine: a venue of a random character and commands that fit its present state, wrong ones among
//! them. The same seed gives the same commands as long as the engine answers the same.

mod acts;
mod coverage;
mod dice;
mod forms;
mod gap;
mod hunt;
mod options;
mod venue;
mod wrong;

pub use coverage::Coverage;
pub use dice::Dice;
pub use hunt::{Failure, play};
pub use venue::{Character, FUNDS, MARKETS, NEW, SOURCES};

use engine::{AccountId, Command, Engine, IndexId, Quote};
use std::collections::VecDeque;
use units::{Money, Price, Time};

/// Makes the commands of one seed, one after the other.
#[derive(Clone, Debug)]
pub struct Random {
    dice: Dice,
    character: Character,
    /// Commands that come before anything is drawn.
    queue: VecDeque<Command>,
    now: Time,
    /// Where the outside world's prices are, by index, 1e-8.
    outside: [i64; 2],
    reference: u64,
    client_id: u64,
    /// Lot of the market that splits: how many of its first contracts one is now.
    lot: i64,
    /// The venue has option markets.
    options: bool,
}

/// Where the sequences begin: 2025-10-10T20:00:00Z.
const START_NS: i64 = 1_760_126_400_000_000_000;

impl Random {
    /// The work of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(seed, None)
    }

    /// The work of a seed for so many traders.
    #[must_use]
    pub fn crowd(seed: u64, traders: u32) -> Self {
        Self::with(seed, Some(traders))
    }

    fn with(seed: u64, traders: Option<u32>) -> Self {
        let mut dice = Dice::new(seed);
        let mut character = Character::draw(&mut dice);
        character.traders = traders.unwrap_or(character.traders);
        let queue = venue::commands(&mut dice, &character).into();
        let outside = [Price::whole(50_000).units(), Price::whole(20).units()];
        let now = Time::from_ns(START_NS);
        let (lot, options) = (venue::NEW_LOT.units(), options::has_them(seed));
        let mut random = Self { dice, character, queue, now, outside, reference: 0, client_id: 0, lot, options };
        let first = random.queue.iter().find_map(|command| match command {
            Command::ListMarket(params) => Some(params.clone()),
            _ => None,
        });
        if let Some(params) = first.filter(|_| options) {
            let more = options::commands(&mut random, &params);
            random.queue.extend(more);
            let volatility = random.volatility();
            random.queue.push_back(volatility);
        }
        random.fund_everyone();
        random
    }

    /// How many commands set the venue up.
    #[must_use]
    pub fn setup(&self) -> usize {
        self.queue.len()
    }

    /// The next command, for an engine that has applied all before it.
    pub fn next(&mut self, engine: &Engine) -> (Time, Command) {
        if let Some(command) = self.queue.pop_front() {
            return (self.now, command);
        }
        self.pass_time();
        self.lot = engine.state().markets.get(NEW.index()).map_or(self.lot, |m| m.params.lot.units());
        let command = self.act(engine);
        (self.now, command)
    }

    /// What every source says when nothing is wrong, a second later or at a time, whichever is later: prices stand still.
    pub fn calm(&mut self, not_before: Time) -> (Time, Command) {
        self.now = self.now.plus_ns(1_000_000_000).max(not_before);
        (self.now, self.quotes_of_all(0))
    }

    /// The clock has come further than this knew.
    pub fn not_before(&mut self, time: Time) {
        self.now = self.now.max(time);
    }

    fn pass_time(&mut self) {
        let pace = self.character.pace_ns;
        let ns = match self.dice.pick(&[930, 50, 16, 4]) {
            0 => self.dice.below(pace + 1),
            1 => self.dice.below(30_000_000_000),
            2 => self.dice.below(400_000_000_000),
            _ => self.dice.below(9_000_000_000_000),
        };
        self.now = self.now.plus_ns(i64::try_from(ns).unwrap_or(0));
    }

    fn fund_everyone(&mut self) {
        let first = self.quotes_of_all(0);
        self.queue.push_back(first);
        for _ in 0..2 {
            let reserve = self.reserve();
            self.queue.push_back(reserve);
        }
        for fund in 0..FUNDS {
            let amount = self.dice.below(self.character.fund + 1);
            self.deposit(fund, 0, amount, 1_000_000);
            if self.dice.one_in(2) {
                self.deposit(fund, 1, amount, 20);
            }
        }
        for trader in FUNDS..FUNDS + self.character.traders {
            match self.dice.pick(&[5, 2, 2, 1]) {
                0 => self.deposit(trader, 0, 10_000, 1_000_000),
                1 => self.deposit(trader, 1, 10_000, 20),
                2 => self.deposit(trader, 2, 10_000, 50_000),
                _ => {
                    self.deposit(trader, 0, 3_000, 1_000_000);
                    self.deposit(trader, 1, 3_000, 20);
                    self.deposit(trader, 2, 3_000, 50_000);
                }
            }
        }
        let again = self.quotes_of_all(0);
        self.queue.push_back(again);
    }

    /// Up to `most` millionths of `unit` of an asset; nothing when the draw is nothing.
    fn deposit(&mut self, account: u32, asset: u8, most: u64, unit: i128) {
        let mut drawn = i128::from(self.dice.below(most + 1));
        if self.character.plain {
            drawn -= drawn % 500;
        }
        let amount = Money::from_units(drawn * unit * 10_000_000_000);
        if drawn == 0 {
            return;
        }
        self.reference += 1;
        let (account, asset, reference) = (AccountId(account), engine::AssetId(asset), self.reference);
        self.queue.push_back(Command::Deposit { account, asset, amount, reference });
    }

    /// What all sources say, each up to `spread` millionths apart.
    fn quotes_of_all(&mut self, spread: u64) -> Command {
        let mut quotes = Vec::new();
        for index in 0..MARKETS {
            for source in 0..SOURCES {
                let price = self.price_of(index, spread);
                quotes.push(Quote { index: IndexId(index), source, price, time: self.now });
            }
        }
        Command::SetPrices { quotes }
    }

    /// The third index follows the first from elsewhere, the fourth the second in the unit of its market.
    fn price_of(&mut self, index: u16, spread: u64) -> Price {
        let (lot, unit) = if index == 3 { (self.lot, venue::NEW_LOT.units()) } else { (1, 1) };
        let index = index % 2;
        let price = self.outside[usize::from(index)];
        if self.character.plain {
            let round = [Price::whole(1_000).units(), Price::whole(1).units()][usize::from(index)];
            let units = i128::from((price / round).max(1) * round) * i128::from(unit) / i128::from(lot);
            return i64::try_from(units.max(1)).ok().and_then(Price::new).unwrap_or(Price::ONE);
        }
        let off = i128::from(self.dice.between(-1, 1)) * i128::from(self.dice.below(spread + 1));
        let units = i128::from(price) * (1_000_000 + off) / 1_000_000 * i128::from(unit) / i128::from(lot);
        i64::try_from(units.max(1)).ok().and_then(Price::new).unwrap_or(Price::ONE)
    }
}
