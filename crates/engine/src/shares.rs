//! One amount of contracts shared by many in proportion to what they hold, exactly. It knows nothing of accounts.

use alloc::vec::Vec;
use core::cmp::Reverse;
use units::Size;

/// Adds to `shares` what each of `held` (1e-8 contract) gives of `asked`: the same share of each, in whole lots or all that
/// it holds; what rounding leaves goes a lot each to the largest remainders, ties to the first. Returns what they give in sum: all
/// that is asked, unless they hold less, or odd parts below a lot stand in the way.
///
/// 5 of 6, 3 and 1 lots are 3, 1½ and ½: 3, 1 and 0, and the lot that is left goes to the second.
pub(crate) fn share_out(asked: i128, held: &[i128], lot: Size, shares: &mut [Size]) -> i128 {
    let all: i128 = held.iter().sum();
    let asked = asked.min(all);
    let lot = i128::from(lot.units());
    if asked <= 0 || lot <= 0 {
        return 0;
    }
    // (remainder, place, what it can give more); the products are below 2¹²⁶.
    let mut rest: Vec<(Reverse<i128>, usize, i128)> = Vec::new();
    let mut given = 0;
    for (at, (units, share)) in held.iter().zip(shares.iter_mut()).enumerate().filter(|(_, (units, _))| **units > 0) {
        let exact = (asked * units).checked_div(all).unwrap_or(0);
        let whole = if exact == *units { exact } else { exact - exact.checked_rem(lot).unwrap_or(0) };
        *share += sized(whole);
        given += whole;
        rest.push((Reverse(asked * units - whole * all), at, units - whole));
    }
    // Each gives at most a lot more, so that only the first few are needed.
    let lots = (asked - given + lot - 1).checked_div(lot).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if lots < rest.len() {
        rest.select_nth_unstable(lots);
        rest.truncate(lots);
    }
    rest.sort_unstable();
    for (_, at, more) in rest {
        let part = lot.min(more).min(asked - given);
        if let Some(share) = shares.get_mut(at).filter(|_| part > 0) {
            *share += sized(part);
            given += part;
        }
    }
    given
}

fn sized(units: i128) -> Size {
    i64::try_from(units).ok().and_then(Size::new).unwrap_or(Size::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_equal_and_remainders_go_to_the_largest() {
        let of = |asked: i128, held: &[i128]| {
            let mut shares = alloc::vec![Size::ZERO; held.len()];
            let given = share_out(asked, held, Size::new(10).unwrap(), &mut shares);
            (given, shares.iter().map(|s| s.units()).collect::<Vec<_>>())
        };
        assert_eq!(of(50, &[60, 30, 10]), (50, alloc::vec![30, 20, 0]));
        assert_eq!(of(50, &[10, 30, 60]), (50, alloc::vec![10, 10, 30]));
        assert_eq!(of(200, &[60, 0, 10]), (70, alloc::vec![60, 0, 10]));
        assert_eq!(of(0, &[60]), (0, alloc::vec![0]));
        // A last part below a lot is given whole to the largest remainder.
        assert_eq!(of(15, &[30, 30]), (15, alloc::vec![10, 5]));
    }
}
