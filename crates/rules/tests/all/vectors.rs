//! Published and recorded numbers in `rulebooks/<venue>/vectors/*.json`, recomputed.
//!
//! A file is `{"schema": "plimsoll.vectors/1", "vectors": [...]}`. A vector names a `rule` of `worked.rs`, its `source`,
//! `inputs` and `expected` figures as decimal strings, and per expected figure a `rounding`:
//!
//! - none: every digit of ours equals the figure;
//! - `up 0`, `nearest 2`, `toward_zero 8`, ...: ours, so rounded, equals the figure;
//! - `bracket`: the figure lies between the first price below the line and the last that is not, one unit apart.
//!
//! Every expected figure must be computed and every input be read, so that a misspelt key fails.

use crate::number::Fixed;
use crate::worked::{Inputs, Ours, rule_named};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    rule: String,
    source: String,
    inputs: BTreeMap<String, Value>,
    expected: BTreeMap<String, Value>,
    #[serde(default)]
    rounding: BTreeMap<String, String>,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files() -> Vec<PathBuf> {
    let venues = fs::read_dir(root().join("rulebooks")).unwrap().map(|entry| entry.unwrap().path().join("vectors"));
    let mut files: Vec<PathBuf> = venues
        .filter(|path| path.is_dir())
        .flat_map(|path| fs::read_dir(path).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn published_numbers_are_recomputed_digit_for_digit() {
    let (mut count, mut wrong) = (0, Vec::new());
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        // Files of other rules (options, portfolios) have their own schema and their own tests.
        let file: File = match serde_json::from_str::<Value>(&text).unwrap() {
            value if value["schema"] == "plimsoll.vectors/1" => serde_json::from_value(value).unwrap(),
            _ => continue,
        };
        assert_eq!(file.schema, "plimsoll.vectors/1");
        for vector in &file.vectors {
            count += 1;
            wrong.extend(
                differences(vector).into_iter().map(|what| format!("{}: {}: {what}", path.display(), vector.id)),
            );
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 70, "only {count} vectors were found");
}

#[test]
fn ids_are_unique_and_have_a_source() {
    let mut seen = BTreeMap::new();
    for path in files() {
        let Ok(file) = serde_json::from_str::<File>(&fs::read_to_string(&path).unwrap()) else { continue };
        for vector in file.vectors {
            assert!(vector.source.len() > 3, "{} has no source", vector.id);
            let before = seen.insert(vector.id.clone(), path.clone());
            assert_eq!(before, None, "{} stands in {} too", vector.id, path.display());
        }
    }
}

/// What differs between a vector and our own numbers, one line each.
fn differences(vector: &Vector) -> Vec<String> {
    let inputs = Inputs::new(vector.inputs.clone());
    let ours: BTreeMap<&str, Ours> = rule_named(&vector.rule)(&inputs).into_iter().collect();
    let mut found: Vec<String> = inputs.unread().into_iter().map(|key| format!("input {key} is not read")).collect();
    for (key, expected) in &vector.expected {
        let rounding = vector.rounding.get(key).map(String::as_str);
        let Some(ours) = ours.get(key.as_str()) else {
            found.push(format!("rule {} gives no {key}", vector.rule));
            continue;
        };
        if !agrees(ours, expected, rounding) {
            found.push(format!("{key}: expected {expected} ({}), ours {ours:?}", rounding.unwrap_or("exact")));
        }
    }
    let loose = vector.rounding.keys().filter(|key| !vector.expected.contains_key(*key));
    found.extend(loose.map(|key| format!("rounding of {key}, which is not expected")));
    found
}

fn agrees(ours: &Ours, expected: &Value, rounding: Option<&str>) -> bool {
    match (ours, expected) {
        (Ours::None, Value::Null) => true,
        (Ours::Flag(ours), Value::Bool(expected)) => ours == expected,
        (Ours::List(ours), Value::Array(expected)) => {
            ours.len() == expected.len()
                && ours.iter().zip(expected).all(|(ours, expected)| agrees(ours, expected, rounding))
        }
        (Ours::Whole(ours), Value::String(text)) => text.parse() == Ok(*ours),
        (Ours::Number(ours), Value::String(text)) => match rounding {
            Some(how) => ours.rounded(how) == Fixed::read(text),
            None => *ours == Fixed::read(text),
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
