//! JSON whose values keep their place, so that a wrong one can be shown. Numbers stay text until they are read exactly. It
//! knows nothing of tiers.

use crate::problem::{Checked, Problem};
use crate::resolve::Source;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;
use units::Decimal;

/// A value and where it stands.
#[derive(Clone, Copy)]
pub struct Json<'a> {
    source: &'a Source<'a>,
    /// A part of the text of the source.
    text: &'a str,
}

impl<'a> Json<'a> {
    /// The whole text of a file, whose form is good.
    pub fn read(source: &'a Source<'a>) -> Checked<Self> {
        match serde_json::from_str::<&RawValue>(source.text) {
            Ok(value) => Ok(Self { source, text: value.get() }),
            Err(error) => Err(source.at(place(source.text, &error), format!("this is no JSON: {}", told(&error)))),
        }
    }

    /// Something that is wrong with it.
    pub fn wrong(self, what: impl Into<String>) -> Box<Problem> {
        self.source.at(self.span(), what)
    }

    /// The same in short: where a value is long, its first character is the place.
    pub fn wrong_from_here(self, what: impl Into<String>) -> Box<Problem> {
        let start = self.span().start;
        self.source.at(start..start + 1, what)
    }

    fn span(self) -> Range<usize> {
        let start = self.text.as_ptr().addr() - self.source.text.as_ptr().addr();
        start..start + self.text.len()
    }

    fn part(self, raw: &'a RawValue) -> Self {
        Self { source: self.source, text: raw.get() }
    }

    /// The values of an array; `None` for anything else.
    pub fn items(self) -> Option<Vec<Self>> {
        let items = serde_json::from_str::<Vec<&'a RawValue>>(self.text).ok()?;
        Some(items.into_iter().map(|raw| self.part(raw)).collect())
    }

    /// The fields of an object in their order, a name that stands twice included; `None` for anything else.
    pub fn fields(self) -> Option<Vec<(String, Self)>> {
        let pairs = serde_json::Deserializer::from_str(self.text).deserialize_map(Pairs).ok()?;
        Some(pairs.into_iter().map(|(name, raw)| (name, self.part(raw))).collect())
    }

    /// The field of an object; `None` where there is none, or it is `null`.
    pub fn get(self, name: &str) -> Option<Self> {
        let found = self.fields()?.into_iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value).filter(|value| value.text != "null")
    }

    /// A text; `None` for anything else.
    pub fn string(self) -> Option<String> {
        serde_json::from_str(self.text).ok()
    }

    /// A number, quoted or not, exactly as it is written; `None` for anything else.
    pub fn decimal(self) -> Option<Decimal> {
        let text = self.text;
        let plain = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Decimal::parse(plain.unwrap_or(text))
    }

    /// What is written, for messages.
    pub fn text(self) -> &'a str {
        self.text
    }
}

/// Reads an object in its order.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// The byte that the reader stopped at.
fn place(text: &str, error: &serde_json::Error) -> Range<usize> {
    let before = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let mut start = (before + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    start..start + 1
}

/// What the reader says, without the place that is shown beside it.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}
