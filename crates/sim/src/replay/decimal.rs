//! Counts of a power of ten as text. It knows nothing of prices or rates.

/// A count of 10^−`decimals` as text, with the digits that it needs: −5,000 in 4 decimals is `-0.5`.
#[must_use]
pub fn decimal_text(units: i128, decimals: u32) -> String {
    let scale = 10u128.pow(decimals);
    let (whole, part) = (units.unsigned_abs() / scale, units.unsigned_abs() % scale);
    let (sign, width) = (if units < 0 { "-" } else { "" }, usize::try_from(decimals).unwrap_or(0));
    if part == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{part:0width$}").trim_end_matches('0').to_owned()
}
