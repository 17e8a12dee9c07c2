//! `BTC -12%, ETH -15%`: the prices of a book, moved.

use crate::book::BookFile;
use crate::values::too_many_digits;
use units::{Money, Rate, Round};

/// Moves every price whose name is a given one or begins with it: `BTC` moves BTCUSDT and the index of BTC.
///
/// # Errors
/// A text that is not `NAME ±PERCENT%`, none at all, a name that moves nothing, a move that leaves no positive price.
pub fn what_if(file: &BookFile, moves: &str) -> Result<BookFile, String> {
    let mut moved = file.clone();
    for part in moves.split(',').map(str::trim) {
        let wrong = || format!("expected NAME ±PERCENT% such as \"BTC -12%\", found {part:?}");
        let (name, by) = part.rsplit_once(' ').ok_or_else(wrong)?;
        let name = name.trim();
        let by = by.strip_suffix('%').ok_or_else(wrong)?;
        let by = by.strip_prefix('+').unwrap_or(by);
        if let Some(what) = too_many_digits(by, 7) {
            return Err(format!("{part}: {what}"));
        }
        let percent: Money = by.parse().map_err(|_| wrong())?;
        let hundredths = percent.units() / 1_000_000_000;
        let rate = i64::try_from(hundredths).ok().and_then(Rate::new).ok_or_else(wrong)?;
        let exact = moved.prices.keys().any(|key| key == name);
        let mut any = false;
        for (_, price) in
            moved.prices.iter_mut().filter(|(key, _)| if exact { *key == name } else { key.starts_with(name) })
        {
            any = true;
            let row = price.get_mut();
            for price in [&mut row.mark, &mut row.index].into_iter().flatten() {
                let moved = price.0.scale(rate, Round::Down).filter(|price| price.is_positive());
                price.0 = moved.ok_or_else(|| format!("{part}: no positive price is left of {}", price.0))?;
            }
        }
        if !any {
            let names: Vec<&str> = file.prices.keys().map(String::as_str).collect();
            return Err(format!("no price is called {name}: there are {}", names.join(", ")));
        }
    }
    Ok(moved)
}
