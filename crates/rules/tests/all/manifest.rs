//! Every case that others computed is carried or excepted, and every vector is one of them: `rulebooks/manifest.json`.
//!
//! A row names a case, the digest of its JSON (BLAKE3 of the text with sorted keys and no spaces), and either where it is `carried` or
//! why it is `excepted`. `figures` say which figure of the vector each of the case's is, `-name` where ours has the other sign,
//! `id:name` where it is another vector's; `omitted` are those that are not asserted, with the reason.

use crate::vectors::{Checked, all, root};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: String,
    pub cases: Vec<Row>,
    /// Documents that are known to be wrong and are not the source of a vector.
    pub documents: Vec<WrongDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub given: String,
    pub id: String,
    digest: String,
    pub venue: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    carried: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excepted: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    figures: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub omitted: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongDocument {
    pub venue: String,
    pub document: String,
    pub prints: String,
    pub ours: String,
}

const GIVEN: [&str; 3] = ["venue_examples.json", "peer_cases.json", "recorded_positions.json"];

pub fn read() -> Manifest {
    let text = fs::read_to_string(root().join("rulebooks/manifest.json")).unwrap();
    let manifest: Manifest = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest.schema, "plimsoll.manifest/1");
    manifest
}

#[test]
fn every_row_is_carried_or_excepted_and_every_vector_is_a_row() {
    let (manifest, vectors) = (read(), all());
    let files: BTreeMap<&str, &Checked> = vectors.iter().map(|one| (one.vector.id.as_str(), one)).collect();
    let mut rows = BTreeSet::new();
    for row in &manifest.cases {
        assert!(rows.insert(row.id.as_str()), "{} has two rows", row.id);
        assert!(GIVEN.contains(&row.given.as_str()), "{}: no file {}", row.id, row.given);
        let found = files.get(row.id.as_str()).map(|one| one.file.clone());
        assert_eq!(row.carried, found, "{} is not carried where its row says", row.id);
        match &row.excepted {
            Some(why) => {
                assert!(found.is_none() && why.len() > 9, "{} is excepted without a reason, or carried", row.id)
            }
            None => assert!(found.is_some(), "{} is neither carried nor excepted", row.id),
        }
        let figures = row.figures.values().map(|figure| figure_of(figure, row, &files).is_some());
        assert!(figures.into_iter().all(|found| found), "{}: a figure is not expected by its vector", row.id);
    }
    for one in &vectors {
        let is_row = rows.contains(one.vector.id.as_str());
        assert_eq!(is_row, !one.vector.own, "{}: a row of the manifest or our own, one of the two", one.vector.id);
    }
}

/// The expected figure that a name in `figures` stands for.
fn figure_of<'a>(name: &str, row: &Row, vectors: &BTreeMap<&str, &'a Checked>) -> Option<&'a Value> {
    let name = name.trim_start_matches('-');
    let (id, key) = name.split_once(':').unwrap_or((&row.id, name));
    vectors.get(id)?.vector.expected.get(key)
}

#[test]
fn the_manifest_is_of_the_given_cases_and_their_digits_are_asserted() {
    let folder = root().join("../shared/vectors");
    if !folder.is_dir() {
        // Not println!, which the test harness hides when a test passes.
        writeln!(std::io::stderr(), "skipped: ../shared/vectors absent, the manifest is not compared with it").unwrap();
        return;
    }
    let (mut manifest, vectors, mut given) = (read(), all(), BTreeMap::new());
    for file in GIVEN {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        given.extend(cases(&serde_json::from_str(&text).unwrap()).into_iter().map(|case| ((file, id(&case)), case)));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for row in &mut manifest.cases {
            row.digest = digest(&given[&(row.given.as_str(), row.id.clone())]);
        }
        write(&manifest);
    }
    let files: BTreeMap<&str, &Checked> = vectors.iter().map(|one| (one.vector.id.as_str(), one)).collect();
    for row in &manifest.cases {
        let case = given.remove(&(row.given.as_str(), row.id.clone()));
        let case = case.unwrap_or_else(|| panic!("{} is not in {}", row.id, row.given));
        assert_eq!(row.digest, digest(&case), "{} has changed", row.id);
        if row.excepted.is_none() {
            check_figures(row, case["expected"].as_object().unwrap(), &files);
        }
    }
    assert!(given.is_empty(), "without a row: {:?}", given.keys().collect::<Vec<_>>());
}

/// One line for each row, as the vectors stand one to a few lines.
fn write(manifest: &Manifest) {
    let lines = |rows: Vec<String>| rows.join(",\n    ");
    let cases = lines(manifest.cases.iter().map(|row| serde_json::to_string(row).unwrap()).collect());
    let documents = lines(manifest.documents.iter().map(|one| serde_json::to_string(one).unwrap()).collect());
    let schema = &manifest.schema;
    let text = format!(
        "{{\n  \"schema\": \"{schema}\",\n  \"cases\": [\n    {cases}\n  ],\n  \"documents\": [\n    {documents}\n  ]\n}}\n"
    );
    let path = root().join("rulebooks/manifest.json");
    if fs::read_to_string(&path).unwrap() != text {
        fs::write(path, text).unwrap();
    }
}

/// The cases of a given file, in whichever of the three forms it has.
fn cases(file: &Value) -> Vec<Value> {
    let of = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    match file {
        Value::Array(list) => list.clone(),
        _ => of(file, "examples")
            .into_iter()
            .chain(of(file, "suites").iter().flat_map(|suite| of(suite, "cases")))
            .collect(),
    }
}

fn id(case: &Value) -> String {
    case["id"].as_str().unwrap().to_owned()
}

/// Of the text with sorted keys and no spaces; `serde_json` sorts the keys of its maps.
fn digest(case: &Value) -> String {
    blake3::hash(case.to_string().as_bytes()).to_hex().to_string()
}

/// Every figure of a case is asserted with its own digits, or omitted with a reason.
fn check_figures(row: &Row, expected: &Map<String, Value>, vectors: &BTreeMap<&str, &Checked>) {
    let named: BTreeSet<&str> = row.figures.keys().flat_map(|key| key.split('/')).collect();
    for key in expected.keys() {
        let said = (named.contains(key.as_str()), row.omitted.contains_key(key));
        assert!(said == (true, false) || said == (false, true), "{}: {key} is asserted and omitted: {said:?}", row.id);
    }
    for (key, name) in &row.figures {
        let theirs = match key.split_once('/') {
            Some((part, whole)) => Value::String(quotient(&expected[part], &expected[whole])),
            None => expected[key].clone(),
        };
        let ours = figure_of(name, row, vectors).unwrap();
        let negated = name.starts_with('-');
        assert_eq!(digits(ours, negated), digits(&theirs, false), "{}: {key} is {theirs}, carried as {ours}", row.id);
    }
}

/// A figure without its point and the zeros round it, so that the same number in another unit is the same text.
fn digits(figure: &Value, negated: bool) -> String {
    let strip = |text: &str| {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let bare: String = digits.chars().filter(|c| *c != '.').collect();
        let sign = if negated == sign.is_empty() { "-" } else { "" };
        let bare = bare.trim_start_matches('0');
        // A value below one has no zeros of its own at the end; a whole one may.
        let bare = bare.trim_end_matches('0');
        if bare.is_empty() { "0".to_owned() } else { format!("{sign}{bare}") }
    };
    match figure {
        Value::String(text) => strip(text),
        Value::Number(number) => strip(&number.to_string()),
        Value::Array(list) => list.iter().map(|one| digits(one, negated)).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A fraction that divides evenly, in its digits.
fn quotient(part: &Value, whole: &Value) -> String {
    let read = |value: &Value| value.as_str().unwrap().parse::<i128>().unwrap();
    let scaled = read(part) * 10i128.pow(18);
    assert_eq!(scaled % read(whole), 0, "{part}/{whole} has no end");
    (scaled / read(whole)).to_string()
}
