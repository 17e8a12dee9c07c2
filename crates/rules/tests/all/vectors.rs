//! Published and recorded numbers in `rulebooks/<venue>/vectors/*.json`, recomputed.
//!
//! A file is `{"schema": "plimsoll.vectors/1", "vectors": [...]}`. A vector names a `rule` of `worked/`, the `clause` of its venue's
//! `SOURCE.md` that the rule is, its `source`, `inputs` and `expected` figures as decimal strings, and per expected figure a `rounding`:
//!
//! - none: every digit of ours equals the figure;
//! - `up 0`, `nearest 2`, `toward_zero 8`, ...: ours, so rounded, equals the figure;
//! - `bracket`: the figure lies between the first price below the line and the last that is not, one unit apart.
//!
//! What does not agree is said with its reason, and is asserted as well: `tolerance` (a figure that is met within so much and not
//! exactly), `differs` (ours, which must be this other number), `out_of_range` (an input that our numbers cannot hold, with the largest
//! that they can). `document` says that what the source prints is wrong. `own` marks a vector that is none of the given cases.
//!
//! Every expected figure must be computed and every input be read, so that a misspelt key fails.

use crate::number::Fixed;
use crate::worked::{Inputs, Ours, rule_named};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use units::{ParseError, ParseErrorKind, Price, Size};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    pub id: String,
    pub clause: String,
    rule: String,
    pub source: String,
    pub inputs: BTreeMap<String, Value>,
    pub expected: BTreeMap<String, Value>,
    #[serde(default)]
    rounding: BTreeMap<String, String>,
    #[serde(default)]
    tolerance: BTreeMap<String, Loose>,
    #[serde(default)]
    differs: BTreeMap<String, Other>,
    out_of_range: Option<OutOfRange>,
    pub document: Option<Document>,
    #[serde(default)]
    pub own: bool,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Loose {
    within: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    ours: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutOfRange {
    input: String,
    largest: String,
    why: String,
}

/// What a document prints that its own rule does not give.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub prints: BTreeMap<String, String>,
    pub why: String,
}

/// How far a vector agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Exact,
    WithinTolerance,
    Differs,
    OutOfRange,
}

/// A figure that is not exact.
pub struct Difference {
    pub key: String,
    pub theirs: String,
    pub ours: String,
    pub why: String,
}

/// A vector and how it fared.
pub struct Checked {
    pub venue: String,
    /// As the manifest names it: venue and file.
    pub file: String,
    pub vector: Vector,
    pub status: Status,
    pub differences: Vec<Difference>,
    /// What is wrong with it, one line each.
    pub errors: Vec<String>,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Folders of `rulebooks` that hold vectors, by name; one that a checkout left empty does not.
pub fn venues() -> Vec<(String, PathBuf)> {
    let has_files = |folder: PathBuf| fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
    let entries = fs::read_dir(root().join("rulebooks")).unwrap().map(|entry| entry.unwrap());
    let mut venues: Vec<_> = entries
        .filter(|entry| has_files(entry.path().join("vectors")))
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    venues.sort();
    venues
}

/// All vectors of the schema, checked, in the order of venues, files and lines.
pub fn all() -> Vec<Checked> {
    let mut checked = Vec::new();
    for (venue, folder) in venues() {
        let entries = fs::read_dir(folder.join("vectors")).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        // Scripts that made a file lie beside it.
        for path in paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
            // Files of other rules (options, portfolios) have their own schema and their own tests.
            let file: File = match serde_json::from_str::<Value>(&fs::read_to_string(&path).unwrap()).unwrap() {
                value if value["schema"] == "plimsoll.vectors/1" => serde_json::from_value(value).unwrap(),
                _ => continue,
            };
            assert_eq!(file.schema, "plimsoll.vectors/1");
            let name = format!("{venue}/vectors/{}", path.file_name().unwrap().to_str().unwrap());
            checked.extend(file.vectors.into_iter().map(|vector| check(&venue, &name, vector)));
        }
    }
    checked
}

#[test]
fn published_numbers_are_recomputed_digit_for_digit() {
    let checked = all();
    let wrong: Vec<String> = checked
        .iter()
        .flat_map(|one| one.errors.iter().map(|what| format!("{}: {}: {what}", one.file, one.vector.id)))
        .collect();
    assert!(wrong.is_empty(), "{} figures of {} vectors:\n{}", wrong.len(), checked.len(), wrong.join("\n"));
    assert!(checked.len() >= 220, "only {} vectors were found", checked.len());
}

#[test]
fn ids_are_unique_and_have_a_source() {
    let mut seen = BTreeMap::new();
    for one in all() {
        assert!(one.vector.source.len() > 3, "{} has no source", one.vector.id);
        let before = seen.insert(one.vector.id.clone(), one.file.clone());
        assert_eq!(before, None, "{} stands in {} too", one.vector.id, one.file);
    }
}

fn check(venue: &str, file: &str, vector: Vector) -> Checked {
    let (mut status, mut differences, mut errors) = (Status::Exact, Vec::new(), Vec::new());
    if let Some(out) = &vector.out_of_range {
        status = Status::OutOfRange;
        errors.extend(in_range_after_all(&vector, out));
        differences.extend(vector.expected.iter().map(|(key, theirs)| Difference {
            key: key.clone(),
            theirs: shown(theirs),
            ours: format!("none: {} at most {}", out.input, out.largest),
            why: out.why.clone(),
        }));
    } else {
        let inputs = Inputs::new(vector.inputs.clone());
        let ours: BTreeMap<&str, Ours> = rule_named(&vector.rule)(&inputs).into_iter().collect();
        errors.extend(inputs.unread().into_iter().map(|key| format!("input {key} is not read")));
        for (key, theirs) in &vector.expected {
            match ours.get(key.as_str()).ok_or_else(|| format!("rule {} gives no {key}", vector.rule)) {
                Ok(ours) => match compare(&vector, key, ours, theirs) {
                    Ok(None) => {}
                    Ok(Some((how, difference))) => {
                        status = status.max(how);
                        differences.push(difference);
                    }
                    Err(error) => errors.push(error),
                },
                Err(error) => errors.push(error),
            }
        }
    }
    errors.extend(not_expected(&vector));
    Checked { venue: venue.to_owned(), file: file.to_owned(), vector, status, differences, errors }
}

/// Directions about figures that are not expected.
fn not_expected(vector: &Vector) -> Vec<String> {
    let named = vector.rounding.keys().chain(vector.tolerance.keys()).chain(vector.differs.keys());
    let named = named.chain(vector.document.iter().flat_map(|document| document.prints.keys()));
    let loose = named.filter(|key| !vector.expected.contains_key(*key));
    loose.map(|key| format!("something about {key}, which is not expected")).collect()
}

/// Why an input that is said to be out of range is not: it does not fit, and the largest that is named fits just so.
fn in_range_after_all(vector: &Vector, out: &OutOfRange) -> Option<String> {
    let text = vector.inputs[&out.input].as_str().unwrap();
    let read = |text: &str| match out.input.as_str() {
        "size" => text.parse::<Size>().map(Size::units),
        "mark" => text.parse::<Price>().map(Price::units),
        other => panic!("{other} has no range"),
    };
    let too_large =
        |result: Result<i64, ParseError>| matches!(result, Err(ParseError { kind: ParseErrorKind::OutOfRange, .. }));
    let good = too_large(read(text.trim_start_matches('-'))) && read(&out.largest) == Ok(i64::MAX);
    (!good).then(|| format!("{} {text} is not just out of range, or {} not the largest", out.input, out.largest))
}

/// `None` when a figure is exact; else how far it agrees, as the vector says that it does.
fn compare(vector: &Vector, key: &str, ours: &Ours, theirs: &Value) -> Result<Option<(Status, Difference)>, String> {
    let rounding = vector.rounding.get(key).map(String::as_str);
    let exact = agrees(ours, theirs, rounding);
    let difference = |why: &str| Difference {
        key: key.to_owned(),
        theirs: shown(theirs),
        ours: ours.to_string(),
        why: why.to_owned(),
    };
    match (vector.tolerance.get(key), vector.differs.get(key)) {
        (Some(_), _) | (_, Some(_)) if exact => Err(format!("{key} is exact, and is said not to be")),
        (Some(loose), None) if is_near(ours, theirs, Fixed::read(&loose.within)) => {
            Ok(Some((Status::WithinTolerance, difference(&loose.why))))
        }
        (None, Some(other)) if other.ours == ours.to_string() => Ok(Some((Status::Differs, difference(&other.why)))),
        (None, None) if exact => Ok(None),
        _ => Err(format!("{key}: expected {theirs} ({}), ours {ours} {ours:?}", rounding.unwrap_or("exact"))),
    }
}

/// A figure of a vector as text.
fn shown(figure: &Value) -> String {
    match figure {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

fn is_near(ours: &Ours, theirs: &Value, within: Fixed) -> bool {
    match (ours, theirs) {
        (Ours::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_near(ours, theirs, within))
        }
        (Ours::Number(ours), Value::String(text)) => (ours.0 - Fixed::read(text).0).abs() <= within.0,
        _ => false,
    }
}

fn agrees(ours: &Ours, expected: &Value, rounding: Option<&str>) -> bool {
    match (ours, expected) {
        (Ours::None, Value::Null) => true,
        (Ours::Flag(ours), Value::Bool(expected)) => ours == expected,
        (Ours::Word(ours), Value::String(expected)) => ours == expected,
        (Ours::List(ours), Value::Array(expected)) => {
            ours.len() == expected.len()
                && ours.iter().zip(expected).all(|(ours, expected)| agrees(ours, expected, rounding))
        }
        (Ours::Whole(ours), Value::String(text)) => text.parse() == Ok(*ours),
        (Ours::Number(ours), Value::String(text)) => match rounding {
            Some(how) if how != "bracket" => ours.rounded(how) == Fixed::read(text),
            _ => *ours == Fixed::read(text),
        },
        (Ours::Crossing { first_below, last_good }, Value::String(text)) => match rounding {
            Some("bracket") => {
                let (low, high) = (first_below.min(last_good), first_below.max(last_good));
                assert_eq!(high.0 - low.0, 100_000_000, "one unit of price apart");
                (*low..=*high).contains(&Fixed::read(text))
            }
            Some(how) => last_good.rounded(how) == Fixed::read(text),
            None => *last_good == Fixed::read(text),
        },
        _ => false,
    }
}
