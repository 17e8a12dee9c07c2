//! The JSON Schemas of rulebooks and books, which editors complete and check the files by, are those of the types that read them.

use plimsoll_rulebooks::{BookFile, RulebookFile, Shipped};
use schemars::{JsonSchema, schema_for};
use std::path::Path;

fn compare<T: JsonSchema>(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebooks").join(name);
    let schema = serde_json::to_string_pretty(&schema_for!(T)).expect("a schema is JSON") + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &schema).expect("the folder is writable");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == schema,
        "{name} is not what the types say: run UPDATE_GOLDEN=1 cargo test -p plimsoll-rulebooks schema"
    );
}

#[test]
fn the_schema_of_rulebooks_is_that_of_the_types() {
    compare::<RulebookFile>("rulebook.schema.json");
}

#[test]
fn the_schema_of_books_is_that_of_the_types() {
    compare::<BookFile>("book.schema.json");
}

#[test]
fn every_rulebook_names_its_schema() {
    for shipped in Shipped::all() {
        assert!(shipped.text.starts_with("#:schema ../rulebook.schema.json\n"), "{}", shipped.file());
    }
}
