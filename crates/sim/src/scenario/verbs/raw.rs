//! `cmd {json}`: any command as the API takes it. Where a field holds a handle, a string stands for the name.

use crate::scenario::Error;
use crate::scenario::names::Names;
use crate::scenario::scene::Actor;
use crate::scenario::words::Words;
use engine::Command;
use serde_json::Value;

pub fn cmd(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let at_end = words.clone().word("a command in JSON")?;
    let text = words.rest();
    let fail = |what: String| Error::new(words.line(), at_end.column, 1, what);
    let mut json: Value = serde_json::from_str(&text).map_err(|why| fail(format!("expected JSON: {why}")))?;
    resolve(&actor.scene.names(), &mut json).map_err(|what| fail(format!("expected {what}")))?;
    let hint = "docs/scenarios.md has an example of each command; amounts, prices and rates are strings";
    let command: Command =
        serde_json::from_value(json).map_err(|why| fail(format!("expected a command: {why}")).hint(hint))?;
    actor.apply(words, command).map(drop)
}

/// Puts handles in the place of names, in the fields that hold handles.
fn resolve(names: &Names<'_>, value: &mut Value) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve(names, item)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(field, value)| match value.as_str() {
            None => resolve(names, value),
            Some(name) => {
                if let Some(handle) = handle(names, field, name) {
                    *value = handle.ok_or_else(|| format!("the name of {field}, found `{name}`"))?;
                }
                Ok(())
            }
        }),
        _ => Ok(()),
    }
}

/// The handle of a name, when the field holds one; the inner `None` when there is no such name.
fn handle(names: &Names<'_>, field: &str, name: &str) -> Option<Option<Value>> {
    match field {
        "account" | "from" | "to" | "fund" | "bidder" => Some(names.account(name).map(|id| id.0.into())),
        "market" => Some(names.market(name).map(|id| id.0.into())),
        "asset" | "settlement" => Some(names.asset(name).map(|id| id.0.into())),
        "index" => Some(names.index(name).map(|id| id.0.into())),
        "id" => Some(names.order(name).map(|id| id.0.into())),
        _ => None,
    }
}
