//! What feeds do to prices on their way: late, frozen, swapped, another unit, from the future, out of the world.

use crate::random::{Dice, SOURCES};
use engine::{Command, Quote};
use units::Price;

/// How a run's feeds are, drawn once.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    /// One command in so many is spoiled.
    rare: u64,
    /// What the sources said when they froze.
    frozen: Option<Command>,
}

impl Feed {
    pub fn draw(dice: &mut Dice) -> Self {
        Self { rare: [8, 40, 200, 100_000][dice.pick(&[1, 2, 2, 2])], frozen: None }
    }

    /// Spoils prices now and then; whether it did.
    pub fn pass(&mut self, dice: &mut Dice, command: &mut Command) -> bool {
        let Command::SetPrices { quotes } = command else { return false };
        if !dice.one_in(self.rare) {
            if dice.one_in(20) {
                self.frozen = Some(Command::SetPrices { quotes: quotes.clone() });
            }
            return false;
        }
        // One source is what a quorum is for; all of them, a bad day of everyone's.
        let source = u8::try_from(dice.below(u64::from(SOURCES))).unwrap_or(0);
        let all = dice.one_in(6);
        let kind = dice.below(9);
        if let (8, Some(frozen)) = (kind, &self.frozen) {
            *command = frozen.clone();
            return true;
        }
        let late = i64::try_from(dice.below(600_000_000_000)).unwrap_or(0);
        for quote in quotes.iter_mut().filter(|quote| all || quote.source == source) {
            spoil(kind, late, quote);
        }
        if kind == 6 {
            // Two sources take each other's symbols.
            let prices: Vec<Price> = quotes.iter().map(|quote| quote.price).collect();
            let others = prices.iter().cycle().skip(usize::from(SOURCES));
            for (quote, price) in quotes.iter_mut().zip(others).filter(|(quote, _)| quote.source == source) {
                quote.price = *price;
            }
        }
        true
    }
}

fn spoil(kind: u64, late: i64, quote: &mut Quote) {
    let units = quote.price.units();
    let price = |units: Option<i64>| units.and_then(Price::new);
    let spoiled = match kind {
        0 => price(units.checked_mul(1_000)),
        1 => price(Some((units / 1_000).max(1))),
        2 => price(Some(0)),
        3 => price(Some(1)),
        4 => price(Some(-units)),
        5 => price(Some(i64::MAX - 1)),
        _ => None,
    };
    if let Some(spoiled) = spoiled {
        quote.price = spoiled;
    } else if kind == 7 {
        quote.time = quote.time.plus_ns(late / 1_000); // from the future
    } else {
        quote.time = quote.time.plus_ns(-late);
    }
}
