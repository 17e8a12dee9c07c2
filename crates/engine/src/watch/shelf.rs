//! Triggers in the order of their keys: exact keys in buckets of about a basis point, so that a tick that crosses none costs
//! one comparison and one that crosses some touches little else.

use crate::AccountId;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// It fires when the value falls below this.
    pub key: i64,
    /// Whose.
    pub account: AccountId,
    /// Of which arming of the account.
    pub armed: u32,
}

/// Triggers on one value, which fire when it falls below them. For one that must not rise, both are negated.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    buckets: BTreeMap<i32, Vec<Entry>>,
    /// The greatest key; the smallest number when there is none.
    nearest: i64,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { buckets: BTreeMap::new(), nearest: i64::MIN }
    }
}

impl Shelf {
    pub fn insert(&mut self, entry: Entry) {
        self.nearest = self.nearest.max(entry.key);
        self.buckets.entry(bucket(entry.key)).or_default().push(entry);
    }

    /// Takes out every trigger whose key is above the value.
    pub fn fire(&mut self, value: i64, fired: &mut impl FnMut(Entry)) {
        if value >= self.nearest {
            return;
        }
        let here = bucket(value);
        for entry in self.buckets.split_off(&(here + 1)).into_values().flatten() {
            fired(entry);
        }
        if let Some(list) = self.buckets.get_mut(&here) {
            list.retain(|entry| {
                let stays = entry.key <= value;
                if !stays {
                    fired(*entry);
                }
                stays
            });
            if list.is_empty() {
                self.buckets.remove(&here);
            }
        }
        self.find_nearest();
    }

    /// The key that the next trigger to fire has; the smallest number when there is none.
    pub fn nearest(&self) -> i64 {
        self.nearest
    }

    /// Every trigger whose key is above a value, left where it is.
    pub fn above(&self, value: i64) -> impl Iterator<Item = &Entry> {
        let buckets = (value < self.nearest).then(|| self.buckets.range(bucket(value)..));
        buckets.into_iter().flatten().flat_map(|(_, list)| list).filter(move |entry| entry.key > value)
    }

    /// Keeps what `keep` says.
    pub fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.buckets.retain(|_, list| {
            list.retain(&keep);
            list.shrink_to_fit();
            !list.is_empty()
        });
        self.find_nearest();
    }

    fn find_nearest(&mut self) {
        let last = self.buckets.last_key_value();
        self.nearest = last.and_then(|(_, list)| list.iter().map(|entry| entry.key).max()).unwrap_or(i64::MIN);
    }
}

/// Rises with the key; 4,096 buckets for each doubling, so that a price may move a thousandfold.
fn bucket(key: i64) -> i32 {
    let size = key.unsigned_abs();
    let doublings = size.checked_ilog2().unwrap_or(0).saturating_sub(12);
    // The leading bit of what is left is worth the doubling before it.
    let rank = (size >> doublings) + u64::from(doublings) * 4_096;
    let rank = i32::try_from(rank).unwrap_or(i32::MAX - 1);
    if key < 0 { -rank } else { rank }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: i64) -> Entry {
        Entry { key, account: AccountId(0), armed: 0 }
    }

    fn fired(shelf: &mut Shelf, value: i64) -> Vec<i64> {
        let mut keys = Vec::new();
        shelf.fire(value, &mut |e| keys.push(e.key));
        keys.sort_unstable();
        keys
    }

    #[test]
    fn buckets_rise_with_their_keys() {
        let mut keys: Vec<i64> = (0..63).flat_map(|n| [(1i64 << n) - 1, 1 << n, (1 << n) + 1, 3 << (n / 2)]).collect();
        keys.extend([i64::MAX, i64::MAX - 1, 4_095, 4_096, 4_097, 8_191, 8_192]);
        keys.extend(keys.clone().iter().map(|key| -key));
        keys.push(i64::MIN);
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| bucket(pair[0]) <= bucket(pair[1])));
        assert_eq!((bucket(0), bucket(4_095), bucket(8_191), bucket(8_192)), (0, 4_095, 8_191, 8_192));
        assert_eq!(bucket(1 << 40) + 4_096, bucket(1 << 41));
    }

    #[test]
    fn what_is_above_the_value_fires_once() {
        let mut shelf = Shelf::default();
        for key in [100, 7_000_000_000_001, 7_000_000_000_002, 7_000_000_900_000, -5, 6_999_999_999_999] {
            shelf.insert(entry(key));
        }
        let above = |value| shelf.above(value).map(|e| e.key).collect::<Vec<_>>();
        assert_eq!(above(7_000_000_000_001), [7_000_000_000_002, 7_000_000_900_000]);
        assert_eq!((above(7_000_000_900_000).len(), above(i64::MIN).len()), (0, 6));
        assert_eq!(fired(&mut shelf, 7_000_000_900_000), []);
        assert_eq!(fired(&mut shelf, 7_000_000_000_001), [7_000_000_000_002, 7_000_000_900_000]);
        assert_eq!(shelf.nearest, 7_000_000_000_001);
        assert_eq!(fired(&mut shelf, 100), [6_999_999_999_999, 7_000_000_000_001]);
        shelf.insert(entry(101));
        shelf.retain(|e| e.key != 101);
        assert_eq!(shelf.nearest, 100);
        assert_eq!(fired(&mut shelf, i64::MIN), [-5, 100]);
        assert_eq!(shelf.nearest, i64::MIN);
    }
}
