//! The rulebooks that come with the project, by name.

use crate::book::suggestion;
use crate::problem::{Checked, Problem};
use crate::resolve::{Rulebook, Source};
use crate::schema::RulebookFile;

/// A rulebook that comes with the project.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name; the folder has the same.
    pub venue: &'static str,
    /// The file.
    pub text: &'static str,
}

const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

impl Shipped {
    /// All of them, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        FILES.iter().map(|&(venue, text)| Self { venue, text })
    }

    /// Reads it.
    ///
    /// # Errors
    /// None in a released version: a test reads them all.
    pub fn read(&self) -> Checked<RulebookFile> {
        let file = self.file();
        let source = Source { file: &file, text: self.text };
        let read = RulebookFile::read(&source)?;
        if read.venue.as_ref() != self.venue {
            return Err(source.at(read.venue.span(), format!("the folder is {}", self.venue)));
        }
        Ok(read)
    }

    /// Where it is in the project.
    #[must_use]
    pub fn file(&self) -> String {
        format!("rulebooks/{}/rulebook.toml", self.venue)
    }
}

/// The rules named `venue` (the newest) or `venue@2025-10-10` (those of that day).
///
/// # Errors
/// An unknown venue or a day before its first version.
pub fn named(name: &str) -> Checked<Rulebook> {
    let (venue, day) = match name.split_once('@') {
        Some((venue, day)) => (venue, Some(day)),
        None => (name, None),
    };
    if let Some(day) = day.filter(|day| !crate::values::is_day(day)) {
        let problem = Problem::new(name, format!("{day:?} is not a day"));
        return Err(Box::new(problem.hint(format!("write {venue}@2025-10-10"))));
    }
    let Some(shipped) = Shipped::all().find(|shipped| shipped.venue == venue) else {
        let names: Vec<&str> = Shipped::all().map(|shipped| shipped.venue).collect();
        let problem = Problem::new(name, format!("there is no rulebook {venue:?}"));
        return Err(Box::new(problem.hint(suggestion(venue, &names).replacen("it has", "there are", 1))));
    };
    let file = shipped.file();
    shipped.read()?.on(&Source { file: &file, text: shipped.text }, day)
}

/// The rules named `venue@day`, or those of `venue` on `day`: where its first version is later than that, the first.
///
/// # Errors
/// As [`named`].
pub fn named_near(name: &str, day: &str) -> Checked<Rulebook> {
    let Some(shipped) = Shipped::all().find(|shipped| shipped.venue == name) else { return named(name) };
    let file = shipped.read()?;
    let day = file.days().next().map_or(day, |first| first.max(day)).to_owned();
    named(&format!("{name}@{day}"))
}
