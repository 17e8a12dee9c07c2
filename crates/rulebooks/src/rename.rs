//! The same book at another venue: BTCUSDT is BTC-PERP there.

use crate::book::BookFile;
use crate::resolve::Rulebook;

/// What a symbol or asset is at the venue, by its base coin: the market of the same kind whose symbol begins with it.
///
/// A linear market stays linear. Collateral in a dollar coin becomes the venue's numeraire. What has no match keeps its name, and is
/// refused with it.
#[must_use]
pub fn rename_markets(file: &BookFile, rulebook: &Rulebook) -> BookFile {
    let mut renamed = file.clone();
    let numeraire = &rulebook.sections.account.numeraire;
    for position in &mut renamed.positions {
        let row = position.get_mut();
        if let Some(symbol) = counterpart(row.market.as_ref(), rulebook) {
            *row.market.get_mut() = symbol;
        }
        if rulebook.sections.initial.leverage == crate::schema::Chosen::Never {
            row.leverage = None;
        }
    }
    let prices = std::mem::take(&mut renamed.prices);
    for (name, mut price) in prices {
        let symbol = counterpart(&name, rulebook);
        if symbol.is_some() {
            let row = price.get_mut();
            let any = row.mark.clone().or(row.index.clone());
            row.mark = row.mark.take().or(any.clone());
            row.index = row.index.take().or(any);
        }
        renamed.prices.insert(symbol.unwrap_or(name), price);
    }
    for collateral in &mut renamed.collateral {
        let row = collateral.get_mut();
        if is_dollar(&row.asset) && is_dollar(numeraire) {
            row.asset.clone_from(numeraire);
        }
    }
    renamed
}

fn is_dollar(asset: &str) -> bool {
    matches!(asset, "USD" | "USDT" | "USDC" | "DAI" | "USDE")
}

/// The symbol that a market of another venue has at this one: the same, or that of the linear market with the same base coin.
#[must_use]
pub fn counterpart(symbol: &str, rulebook: &Rulebook) -> Option<String> {
    if rulebook.market(symbol).is_some() {
        return Some(symbol.to_owned());
    }
    let base = base(symbol)?;
    let linear = rulebook.markets.iter().filter(|market| market.rules.contract == rules::Contract::Linear);
    linear.map(|market| &market.symbol).find(|other| self::base(other) == Some(base)).cloned()
}

/// The coin a symbol begins with: BTC of BTCUSDT, BTC-PERP, BTC_USDC-PERPETUAL, BTC-USD or BTC.
fn base(symbol: &str) -> Option<&str> {
    let head = symbol.split(['-', '_', '/']).next()?;
    let coin = ["USDT", "USDC", "USD"].iter().find_map(|quote| head.strip_suffix(quote)).unwrap_or(head);
    Some(if coin == "XBT" { "BTC" } else { coin }).filter(|coin| !coin.is_empty() && !is_dollar(coin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_of_a_symbol() {
        for symbol in ["BTCUSDT", "BTC-PERP", "BTC_USDC-PERPETUAL", "BTC-USD", "BTC", "XBTUSD", "BTC-USDT-SWAP"] {
            assert_eq!(base(symbol), Some("BTC"), "{symbol}");
        }
        assert_eq!((base("USDC"), base("1000PEPEUSDT")), (None, Some("1000PEPE")));
    }
}
