//! A line of a scenario as words with their columns, and a cursor that reads them one after the other as numbers,
//! rates, durations and names. Knows no verb and no state.

use super::Error;
use std::str::FromStr;
use units::{Money, Price, Rate, Size, Time};

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its text.
    pub text: String,
    /// Column of its first character, from 1.
    pub column: usize,
}

/// Splits a line: spaces and `=` separate words, `@` and braces are words of their own, and a word that begins with `#`
/// begins a comment.
#[must_use]
pub fn split(line: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, char) in line.chars().enumerate() {
        match char {
            '#' if !open => break,
            '@' | '{' | '}' => {
                words.push(Word { text: char.to_string(), column: at + 1 });
                open = false;
            }
            _ if char.is_whitespace() || char == '=' => open = false,
            _ if open => words.last_mut().into_iter().for_each(|word| word.text.push(char)),
            _ => {
                words.push(Word { text: char.to_string(), column: at + 1 });
                open = true;
            }
        }
    }
    words
}

/// Reads the words of one line.
#[derive(Clone, Debug)]
pub struct Words {
    line: usize,
    text: String,
    words: Vec<Word>,
    at: usize,
}

impl Words {
    /// The words of a line; `line` is its number.
    #[must_use]
    pub fn new(line: usize, text: &str) -> Self {
        let first = text.lines().next().unwrap_or("");
        Self { line, text: text.to_owned(), words: split(first), at: 0 }
    }

    /// Everything from the next word on, as written, further lines included; nothing is left to read.
    pub fn rest(&mut self) -> String {
        let from = self.words.get(self.at).map_or(usize::MAX, |word| word.column - 1);
        self.at = self.words.len();
        self.text.chars().skip(from).collect()
    }

    /// Number of the line.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The next word, left where it is.
    #[must_use]
    pub fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(|word| word.text.as_str())
    }

    /// True, and past it, when the next word is `text`.
    pub fn eat(&mut self, text: &str) -> bool {
        let eaten = self.peek() == Some(text);
        self.at += usize::from(eaten);
        eaten
    }

    /// The next word, if there is one.
    pub fn next_word(&mut self) -> Option<Word> {
        let word = self.words.get(self.at).cloned();
        self.at += usize::from(word.is_some());
        word
    }

    /// The next word; an error that names what is missing when the line ends.
    ///
    /// # Errors
    /// When the line ends here.
    pub fn word(&mut self, expected: &str) -> Result<Word, Error> {
        let end = self.words.last().map_or(1, |word| word.column + word.text.chars().count());
        let missing = Error::new(self.line, end, 1, format!("expected {expected}, found the end of the line"));
        self.next_word().ok_or(missing)
    }

    /// An error about a word that was read.
    #[must_use]
    pub fn wrong(&self, word: &Word, expected: &str) -> Error {
        let what = format!("expected {expected}, found `{}`", word.text);
        Error::new(self.line, word.column, word.text.chars().count(), what)
    }

    /// An error about the last word that was read.
    #[must_use]
    pub fn wrong_last(&self, what: impl Into<String>) -> Error {
        let last = self.words.get(self.at.saturating_sub(1));
        let (column, width) = last.map_or((1, 1), |word| (word.column, word.text.chars().count()));
        Error::new(self.line, column, width, what)
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// When a word follows.
    pub fn end(&mut self) -> Result<(), Error> {
        match self.next_word() {
            None => Ok(()),
            Some(word) => Err(self.wrong(&word, "the end of the line")),
        }
    }

    /// The next word read as `T`; a leading `+` is allowed.
    ///
    /// # Errors
    /// When it is missing or not such a number; the reason is the hint.
    pub fn number<T: FromStr>(&mut self, expected: &str) -> Result<T, Error>
    where
        T::Err: std::fmt::Display,
    {
        let word = self.word(expected)?;
        let text = word.text.strip_prefix('+').unwrap_or(&word.text);
        text.parse().map_err(|why: T::Err| self.wrong(&word, expected).hint(why.to_string()))
    }

    /// A number written in this program.
    ///
    /// # Errors
    /// When it is none, which would be a bug.
    pub fn constant<T: FromStr>(&self, text: &str) -> Result<T, Error> {
        text.parse().map_err(|_| Error::new(self.line, 1, 1, format!("`{text}` is not such a number")))
    }

    /// A price.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub fn price(&mut self) -> Result<Price, Error> {
        self.number("a price")
    }

    /// A size.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub fn size(&mut self) -> Result<Size, Error> {
        self.number("a size in contracts")
    }

    /// An amount of an asset.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub fn money(&mut self) -> Result<Money, Error> {
        self.number("an amount")
    }

    /// A rate: `0.5%` or `0.005`.
    ///
    /// # Errors
    /// When it is missing, not a number, or has more than nine digits after the point as a ratio.
    pub fn rate(&mut self, expected: &str) -> Result<Rate, Error> {
        let word = self.word(expected)?;
        rate(&word.text).ok_or_else(|| self.wrong(&word, expected).hint("a rate is written 0.5% or 0.005"))
    }

    /// A duration in nanoseconds: `10s`, `8h`, `1h30m`, `500ms`.
    ///
    /// # Errors
    /// When it is missing or not a duration.
    pub fn duration(&mut self) -> Result<i64, Error> {
        let word = self.word("a duration")?;
        let hint = "a duration is whole numbers with d, h, m, s, ms, us or ns: 10s, 8h, 1h30m";
        duration(&word.text).ok_or_else(|| self.wrong(&word, "a duration").hint(hint))
    }

    /// `@` and a price.
    ///
    /// # Errors
    /// When either is missing.
    pub fn at_price(&mut self) -> Result<Price, Error> {
        let word = self.word("`@` and a price")?;
        if word.text != "@" {
            return Err(self.wrong(&word, "`@` and a price").hint("for example: @ 60000"));
        }
        self.price()
    }

    /// One of several words, as the value that stands beside it.
    ///
    /// # Errors
    /// When it is missing or none of them.
    pub fn one_of<T: Copy>(&mut self, choices: &[(&str, T)]) -> Result<T, Error> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of {}", names.join(", "));
        let word = self.word(&expected)?;
        let found = choices.iter().find(|(name, _)| *name == word.text);
        found.map(|(_, value)| *value).ok_or_else(|| self.wrong(&word, &expected))
    }
}

/// `0.5%` or `0.005`.
#[must_use]
pub fn rate(text: &str) -> Option<Rate> {
    let Some(percent) = text.strip_suffix('%') else { return text.parse().ok() };
    // A price has 8 digits after the point: 1e-8 of a percent is 1e-10, a tenth of the unit of a rate.
    let units = percent.parse::<Price>().ok()?.units();
    if units % 10 == 0 { Rate::new(units / 10) } else { None }
}

/// The rate as text with `%`, exact.
#[must_use]
pub fn percent(rate: Rate) -> String {
    let hundredfold = i128::from(rate.units()) * 100 * 10_000_000;
    format!("{}%", Money::from_units(hundredfold))
}

/// Nanoseconds of `1h30m`; `None` when it is no duration.
#[must_use]
pub fn duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
        ("d", 86_400 * Time::SECOND_NS),
        ("h", 3_600 * Time::SECOND_NS),
        ("m", 60 * Time::SECOND_NS),
        ("s", Time::SECOND_NS),
    ];
    let (mut rest, mut total) = (text, 0i64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest.get(..digits)?.parse().ok()?;
        let tail = rest.get(digits..)?;
        let (unit, ns) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        total = total.checked_add(count.checked_mul(*ns)?)?;
        rest = tail.get(unit.len()..)?;
    }
    if text.is_empty() { None } else { Some(total) }
}

/// The moment of `2025-01-01T08:00:00Z`, or `None`. The year is 1970 to 2261.
#[must_use]
pub fn moment(text: &str) -> Option<Time> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts = |text: &str, by: char| text.split(by).map(|part| part.parse::<i64>().ok()).collect::<Option<Vec<_>>>();
    let ([year, month, day], [hour, minute, second]) =
        (parts(date, '-')?.try_into().ok()?, parts(clock, ':')?.try_into().ok()?);
    let fits = (1970..2262).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits
        || !(0..24).contains(&hour)
        || !(0..60).contains(&minute)
        || !(0..60).contains(&second)
        || fraction.len() > 9
    {
        return None;
    }
    // Days from civil, with March as the first month of the year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    let time = Time::from_ns(seconds.checked_mul(Time::SECOND_NS)?.checked_add(nanos)?);
    (time.to_string() == text).then_some(time) // a day that the month does not have reads back as another
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_a_comment_and_split_at_equal_signs() {
        let words: Vec<String> = split("  buy ann#3 id=7 @60000 # more").into_iter().map(|w| w.text).collect();
        assert_eq!(words, ["buy", "ann#3", "id", "7", "@", "60000"]);
        assert_eq!(split("  buy")[0].column, 3);
    }

    #[test]
    fn rates_and_durations_are_exact_or_refused() {
        assert_eq!(rate("0.5%"), Rate::new(5_000_000));
        assert_eq!(rate("0.0000001%"), Rate::new(1));
        assert_eq!((rate("0.00000001%"), rate("1 %"), rate("20000%")), (None, None, None));
        assert_eq!(percent(Rate::bps(-5)), "-0.05%");
        assert_eq!(duration("1h30m"), Some(5_400 * Time::SECOND_NS));
        assert_eq!(duration("500ms"), Some(500_000_000));
        assert_eq!((duration("5"), duration(""), duration("h"), duration("1w")), (None, None, None, None));
    }

    #[test]
    fn moments_round_trip() {
        for text in ["2025-01-01T00:00:00Z", "2024-02-29T23:59:59.000000001Z"] {
            assert_eq!(moment(text).map(|t| t.to_string()).as_deref(), Some(text));
        }
        assert_eq!(
            (moment("2025-02-29T00:00:00Z"), moment("2025-01-01"), moment("2025-01-01T24:00:00Z")),
            (None, None, None)
        );
    }
}
