//! Pseudo-random draws: splitmix64, integers only, one stream per account, so that an account's draws do not depend on
//! how many there are beside it.

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Draw {
    state: u64,
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Draw {
    /// The stream of one account of one seed.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        Self { state: mix(seed.wrapping_add(STEP)) ^ mix(stream.wrapping_mul(STEP).wrapping_add(1)) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// Evenly from 0 to `n` − 1; 0 for no `n`. The bias is below n ÷ 2⁶⁴.
    pub fn below(&mut self, n: u64) -> u64 {
        u64::try_from((u128::from(self.bits()) * u128::from(n)) >> 64).unwrap_or(0)
    }

    /// True in `share` of a million cases.
    pub fn chance(&mut self, share: u64) -> bool {
        self.below(1_000_000) < share
    }

    /// The position in a list of weights, each as often as its weight says; 0 when they sum to nothing.
    pub fn pick(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if left < *weight {
                return at;
            }
            left -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_fixed_for_ever() {
        // Another value here is another population: every published digest would change.
        let mut draw = Draw { state: 0 };
        assert_eq!([draw.bits(), draw.bits()], [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
        let mut draw = Draw::new(1, 7);
        let picks: Vec<usize> = (0..1_000).map(|_| draw.pick(&[1, 0, 3])).collect();
        assert!(!picks.contains(&1) && picks.iter().filter(|p| **p == 2).count() > 650);
        assert_eq!(draw.below(0), 0);
    }
}
