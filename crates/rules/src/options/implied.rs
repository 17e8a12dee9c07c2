//! Which volatility a price means.

use super::{DatedOption, OptionError, OptionKind, PerpetualOption, VOLATILITY_MAX};

/// A price of one option, whose volatility is asked for; the one in the option is not looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quoted<T> {
    /// The option.
    pub option: T,
    /// Call or put.
    pub kind: OptionKind,
    /// What it costs.
    pub price: f64,
}

/// Halvings: the last is below a bit of any volatility that is taken.
const HALVINGS: u32 = 80;

/// The least volatility that is found.
const LEAST: f64 = 1e-4;

/// Halves the range of volatilities for as long as that changes anything.
fn search(price: f64, value: impl Fn(f64) -> Result<f64, OptionError>) -> Result<f64, OptionError> {
    let (mut low, mut high) = (LEAST, VOLATILITY_MAX);
    let no_price = !price.is_finite();
    if no_price || price < value(low)? || price > value(high)? {
        return Err(OptionError::NoVolatility);
    }
    for _ in 0..HALVINGS {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            break;
        }
        if value(middle)? < price {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(high)
}

impl Quoted<PerpetualOption> {
    /// The volatility at which the option is worth its price: the least such double, from 0.01 % to 1,000 %.
    ///
    /// # Errors
    /// [`OptionError::NoVolatility`] for a price that none gives, such as one below the payoff; what the option refuses.
    pub fn volatility(&self) -> Result<f64, OptionError> {
        let at = |volatility| PerpetualOption { volatility, ..self.option }.value().map(|pair| pair.of(self.kind));
        search(self.price, at)
    }
}

impl Quoted<DatedOption> {
    /// The volatility at which the option is worth its price: the least such double, from 0.01 % to 1,000 %.
    ///
    /// # Errors
    /// [`OptionError::NoVolatility`] for a price that none gives, such as one below the discounted payoff; what the option refuses; an
    /// expiry of now.
    pub fn volatility(&self) -> Result<f64, OptionError> {
        if self.option.time <= 0.0 {
            return Err(OptionError::Time);
        }
        let at = |volatility| DatedOption { volatility, ..self.option }.value().map(|pair| pair.of(self.kind));
        search(self.price, at)
    }
}
