//! Events, refusals and views as text: `name  field value  field value`. Handles are printed as names, money and prices
//! with at least two digits after the point, rates in percent. Every digit is shown.

use super::names::Names;
use super::words::percent;
use engine::{AccountId, AssetId, Event, IndexId, MarketId, OrderId, Reject};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;
use units::Time;

/// The fields of a value in the order of their declaration, which a JSON object does not keep.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Fields {
    /// The fields of a struct.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        // Views and events are plain structs of numbers, strings and lists: their JSON form always exists.
        let text = serde_json::to_string(value).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

/// The name of a variant, as the API writes it, and its fields.
#[must_use]
pub fn tagged(value: &impl Serialize) -> (String, Fields) {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Named(std::collections::BTreeMap<String, Fields>);
    let text = serde_json::to_string(value).unwrap_or_default();
    match serde_json::from_str::<Named>(&text) {
        Ok(Named(map)) => map.into_iter().next().unwrap_or_default(),
        Err(_) => (text.trim_matches('"').to_owned(), Fields::default()),
    }
}

/// `> filled  BTC-PERP  maker house#1 …` without the `> `. Fields called after their table are printed by name alone.
#[must_use]
pub fn event_line(names: &Names<'_>, event: &Event) -> String {
    let (kind, fields) = tagged(event);
    let mut line = kind.clone();
    for (field, value) in &fields.0 {
        // Told only where it is not the usual: a leg, and the policy and broken hedges of a receipt.
        let usual = [("leg", "net"), ("policy", "profit_leverage"), ("hedged", "0")];
        if usual.iter().any(|(name, text)| field == name && value == text) {
            continue;
        }
        // An index of 1e-25 is for who keeps one; a reader has the amount.
        if kind == "loss_shared" && field == "cumulative" {
            continue;
        }
        let text = render(names, field, value);
        let bare = matches!(field.as_str(), "account" | "market" | "asset" | "index" | "order");
        line += &if bare { format!("  {text}") } else { format!("  {field} {text}") };
    }
    line
}

/// `refused price_off_tick: price is not …`; handles in the message become names.
#[must_use]
pub fn refusal_line(names: &Names<'_>, reject: &Reject) -> String {
    let (name, fields) = tagged(reject);
    let mut message = reject.to_string();
    for (field, value) in &fields.0 {
        // What a limit is of: `{"account": 2}` reads "account 2".
        let (field, value) = match value.as_object().and_then(|scope| scope.iter().next()) {
            Some((kind, id)) => (kind, id),
            None => (field, value),
        };
        if let Some(text) = handle(names, field, value) {
            message = message.replace(&format!("{field} {value}"), &format!("{field} {text}"));
        }
    }
    format!("refused {name}: {message}")
}

/// The name of a refusal in the form that scenarios print.
#[must_use]
pub fn reject_name(code: u16) -> String {
    let mut out = String::new();
    for char in Reject::name_of(code).unwrap_or("?").chars() {
        if char.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(char.to_lowercase());
    }
    out
}

/// A field as a person reads it.
#[must_use]
pub fn render(names: &Names<'_>, field: &str, value: &Value) -> String {
    handle(names, field, value).unwrap_or_else(|| match (field, value) {
        (
            "time" | "since" | "until" | "next" | "usable_until" | "funding_next" | "reduce_only_at" | "settle_at"
            | "expires" | "cancel_all_at",
            Value::Number(ns),
        ) => Time::from_ns(ns.as_i64().unwrap_or(0)).to_string(),
        ("code", Value::Number(code)) => {
            u16::try_from(code.as_u64().unwrap_or(0)).map_or_else(|_| code.to_string(), reject_name)
        }
        ("size" | "most" | "hedged" | "asked" | "allowed" | "remaining", Value::String(text)) => text.clone(),
        (
            "rate" | "discount" | "haircut" | "conversion_discount" | "premium" | "margin_ratio" | "funding_rate",
            Value::String(text),
        ) => text.parse().map_or_else(|_| text.clone(), percent),
        ("liquidation_price", Value::Object(sides)) => both_sides(sides.get("below"), sides.get("above")),
        ("trigger", Value::Object(trigger)) => trigger_text(trigger),
        (_, value) => plain(names, value),
    })
}

/// `mark_at_or_below:59000.00`; a trailing one as `mark_at_or_below:trail:1%`, with `:from:61000.00` before it is active.
fn trigger_text(trigger: &serde_json::Map<String, Value>) -> String {
    let part = |name: &str| trigger.get(name).and_then(Value::as_str).unwrap_or("?");
    let (followed, at) = (format!("{}_{}", part("by"), part("when")), two_decimals(part("price")));
    let trail = trigger.get("trail").and_then(Value::as_object);
    let behind = |kind: &str| trail.and_then(|t| t.get(kind)).and_then(Value::as_str);
    let behind = match (behind("rate"), behind("distance")) {
        (Some(rate), _) => rate.parse().map_or_else(|_| rate.to_owned(), percent),
        (_, Some(distance)) => two_decimals(distance),
        (None, None) => return format!("{followed}:{at}"),
    };
    let from = if at == "0.00" { String::new() } else { format!(":from:{at}") };
    format!("{followed}:trail:{behind}{from}")
}

fn plain(names: &Names<'_>, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => two_decimals(text),
        Value::Object(map) if map.len() == 1 => {
            let inner = map.iter().next().map(|(name, value)| (name, variant(names, value)));
            inner.map_or_else(String::new, |(name, value)| if name == "at" { value } else { format!("{name}:{value}") })
        }
        other => other.to_string(),
    }
}

fn variant(names: &Names<'_>, value: &Value) -> String {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| render(names, name, value)).collect::<Vec<_>>().join(","),
        other => plain(names, other),
    }
}

/// A field that holds a handle.
fn handle(names: &Names<'_>, field: &str, value: &Value) -> Option<String> {
    let number = value.as_u64()?;
    let small = || u16::try_from(number).ok();
    match field {
        "account" | "from" | "to" | "child" | "parent" | "fund" | "reserve" | "failing" | "winner" | "counterparty"
        | "holder" | "bidder" => u32::try_from(number).ok().map(|n| names.of_account(AccountId(n))),
        "asset" | "only" | "sold" | "bought" => u8::try_from(number).ok().map(|n| names.of_asset(AssetId(n))),
        "market" => small().map(|n| names.of_market(MarketId(n))),
        "index" | "fallback" => small().map(|n| names.of_index(IndexId(n))),
        "order" | "maker" | "taker" => Some(names.of_order(OrderId(number))),
        _ => None,
    }
}

/// `below`, `above` or `below/above`: a price of liquidation on each side of the mark.
fn both_sides(below: Option<&Value>, above: Option<&Value>) -> String {
    let side = |value: Option<&Value>| match value {
        Some(Value::Object(map)) => map.get("at").and_then(Value::as_str).map(two_decimals),
        Some(Value::String(text)) if text != "none" => Some(text.clone()),
        _ => None,
    };
    match (side(below), side(above)) {
        (None, None) => "none".to_owned(),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(below), Some(above)) if below == above => below,
        (Some(below), Some(above)) => format!("{below}/{above}"),
    }
}

/// `26` is `26.00`, `26.125` stays; what is no number stays, too.
#[must_use]
pub fn two_decimals(text: &str) -> String {
    let is_number =
        text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-') && text.bytes().any(|b| b.is_ascii_digit());
    let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    match digits {
        _ if !is_number => text.to_owned(),
        0 => format!("{text}.00"),
        1 => format!("{text}0"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_two_digits_and_keep_all() {
        for (text, want) in [("26", "26.00"), ("-0.5", "-0.50"), ("0.125", "0.125"), ("open", "open"), ("-", "-")] {
            assert_eq!(two_decimals(text), want);
        }
        assert_eq!(reject_name(44), "not_a_fund");
    }
}
