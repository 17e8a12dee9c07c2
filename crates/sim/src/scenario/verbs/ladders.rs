//! The margin ladder of a market: `initial`, `maintenance` and `cap` for the plain one, `tiers`, and the forms of single venues.

use crate::scenario::Error;
use crate::scenario::words::{Words, rate};
use rules::{Ladder, OpenInterestLadder, RiskFactors, SizeLadder, StepLadder, TierTable};
use units::{Money, Rate};

/// The largest position of the plain ladder.
pub const CAP: Money = Money::whole(1_000_000_000_000);

/// A ladder as its options build it up.
pub struct Draft {
    first: (Money, Rate, Rate),
    tiers: Vec<(Money, Rate, Rate)>,
    form: Option<Form>,
    touched: bool,
}

/// What another form than tiers has beside its two rates.
enum Form {
    Steps(Money, Money, Rate),
    PerSize(Rate),
    SizeRoot(Rate),
    PerNotional(Rate),
    OpenInterest(Rate, Money, Money),
    RiskFactors(RiskFactors),
}

impl Draft {
    /// Begins with the last tier of a ladder, or with the least rates of another form.
    pub fn of(ladder: &Ladder) -> Self {
        let first = match ladder {
            Ladder::Tiers(table) => table
                .tiers()
                .last()
                .map_or((CAP, Rate::ONE, Rate::ONE), |t| (t.cap, t.initial_rate, t.maintenance_rate)),
            _ => (CAP, ladder.least().initial, ladder.least().maintenance),
        };
        Self { first, tiers: Vec::new(), form: None, touched: false }
    }

    /// Reads one option, if it is one of a ladder.
    pub fn option(&mut self, words: &mut Words, option: &str) -> Result<bool, Error> {
        match option {
            "initial" => self.first.1 = words.rate("an initial margin rate")?,
            "maintenance" => self.first.2 = words.rate("a maintenance margin rate")?,
            "cap" => self.first.0 = words.money()?,
            "tiers" => {
                while words.peek().is_some_and(|text| text.contains(':')) {
                    let [cap, initial, maintenance] =
                        parts(words, "a tier: CAP:INITIAL:MAINTENANCE such as 50000:0.8%:0.4%")?;
                    self.tiers.push((cap.money()?, initial.rate()?, maintenance.rate()?));
                }
            }
            "steps" => {
                let [base, step, rise] = parts(words, "steps: BASE:STEP:RISE such as 200:150:0.5%")?;
                self.form = Some(Form::Steps(base.money()?, step.money()?, rise.rate()?));
            }
            "per_size" => self.form = Some(Form::PerSize(words.rate("what a contract adds to both rates")?)),
            "size_root" => self.form = Some(Form::SizeRoot(words.rate("what the root of a contract adds")?)),
            "per_notional" => {
                self.form = Some(Form::PerNotional(words.rate("what a coin of notional adds to both rates")?))
            }
            "by_open_interest" => {
                let expected = "FRACTION:LOWER:UPPER such as 60%:1000000:2000000";
                let [fraction, lower, upper] = parts(words, expected)?;
                self.form = Some(Form::OpenInterest(fraction.rate()?, lower.money()?, upper.money()?));
            }
            "risk_factors" => {
                let [slippage, long, short, factor] = parts(words, "SLIPPAGE:LONG:SHORT:FACTOR such as 1%:4%:5%:1.5")?;
                let (slippage, long, short) = (slippage.rate()?, long.rate()?, short.rate()?);
                self.form =
                    Some(Form::RiskFactors(RiskFactors { slippage, long, short, initial_factor: factor.rate()? }));
            }
            _ => return Ok(false),
        }
        self.touched = true;
        Ok(true)
    }

    /// The ladder, where an option of one was given.
    pub fn finish(self, words: &Words) -> Result<Option<Ladder>, Error> {
        if !self.touched {
            return Ok(None);
        }
        let (_, initial, maintenance) = self.first;
        let of_size = |rise| SizeLadder { initial, maintenance, rise };
        Ok(Some(match self.form {
            None => {
                let steps = if self.tiers.is_empty() { vec![self.first] } else { self.tiers };
                let table = TierTable::derive(&steps).map_err(|why| words.wrong_last(format!("tiers: {why}")))?;
                Ladder::Tiers(table)
            }
            Some(Form::Steps(base, step, rise)) => Ladder::Steps(StepLadder { initial, maintenance, base, step, rise }),
            Some(Form::PerSize(rise)) => Ladder::PerSize(of_size(rise)),
            Some(Form::SizeRoot(rise)) => Ladder::SizeRoot(of_size(rise)),
            Some(Form::PerNotional(rise)) => Ladder::PerNotional(of_size(rise)),
            Some(Form::OpenInterest(fraction, lower, upper)) => {
                Ladder::OpenInterest(OpenInterestLadder { initial, fraction, lower, upper })
            }
            Some(Form::RiskFactors(factors)) => Ladder::RiskFactors(factors),
        }))
    }
}

/// One part of a word with colons.
struct Part {
    text: String,
    wrong: Error,
}

impl Part {
    fn money(self) -> Result<Money, Error> {
        self.text.parse().map_err(|_| self.wrong)
    }

    fn rate(self) -> Result<Rate, Error> {
        rate(&self.text).ok_or(self.wrong)
    }
}

/// The next word, in as many parts as are expected.
fn parts<const N: usize>(words: &mut Words, expected: &'static str) -> Result<[Part; N], Error> {
    let word = words.word(expected)?;
    let part = |text: &str| Part { text: text.to_owned(), wrong: words.wrong(&word, expected) };
    let parts: Vec<Part> = word.text.split(':').map(part).collect();
    parts.try_into().map_err(|_| words.wrong(&word, expected))
}
