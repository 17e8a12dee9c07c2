//! Paradex: its two tables, its scan by the common engine, maintenance, and the steps of its liquidation.

use super::{instruments, market, unit};
use crate::number::{m, p, r};
use plimsoll_rules::portfolio::{Damp, Held, ParadexLiquidation, ParadexRules, ParadexTable, Table, VolatilityMove};
use units::{Money, Size};

#[test]
fn paradex_tables_have_the_published_cells() {
    for (table, ends, most) in [(ParadexTable::Majors, "0.16", "0.024"), (ParadexTable::Others, "0.28", "0.04")] {
        let rules = ParadexRules::published(table).unwrap();
        let cells = rules.grid.scenarios();
        assert_eq!(cells.len(), 24);
        assert_eq!(cells[0].price, units::Rate::ZERO - r(ends));
        assert_eq!((cells[23].price, cells[23].damp), (r("5"), Damp::of(r(most))));
        assert_eq!(cells.iter().filter(|one| one.volatility == VolatilityMove::Down).count(), 7);
    }
}

/// A perpetual loses 16 % of its mark; a sold call loses most far up, in part.
#[test]
fn paradex_scan_is_the_worst_of_24() {
    let rules = ParadexRules::published(ParadexTable::Majors).unwrap();
    let table = Table::build(&rules.grid, &rules.volatility, &market(), &instruments(), unit()).unwrap();
    let one = |instrument, text: &str| table.scan(&[Held { instrument, size: text.parse().unwrap() }]).unwrap();
    let long = one(1, "1");
    assert_eq!((long.worst, long.scenario), (m("-9600"), 0));
    let margin =
        rules.margin(long.worst, rules.least_of_deltas(p("60000"), &[Size::whole(1)]).unwrap(), m("30"), m("12"));
    assert_eq!((margin.net, margin.initial, margin.maintenance), (m("9600"), m("9642"), m("4842")));
    let wing = one(4, "-1");
    assert!(table.moves()[wing.scenario] > r("0.16"), "a far call loses most in a tail: {}", wing.scenario);
    let hedged = rules.margin(Money::ZERO, m("1400"), Money::ZERO, Money::ZERO);
    assert_eq!((hedged.initial, hedged.maintenance), (m("1400"), m("700")));
}

#[test]
fn paradex_closes_in_steps_and_stops_when_it_is_enough() {
    let rules = ParadexLiquidation { step: r("0.2"), until: r("0.9"), penalty: r("0.5") };
    let closed = rules.close(m("80"), m("88.8")).unwrap();
    assert_eq!((closed.share, closed.penalty), (r("0.4"), m("17.76")));
    assert_eq!((closed.equity, closed.maintenance), (m("62.24"), m("53.28")));
    // With the 70 % of the text the example would need a step more.
    let dearer = ParadexLiquidation { penalty: r("0.7"), ..rules }.close(m("80"), m("88.8")).unwrap();
    assert_eq!(dearer.share, r("0.6"));
    assert_eq!(rules.close(m("1"), m("88.8")).unwrap().share, r("1"), "nothing is enough: all of it");
    assert_eq!(ParadexLiquidation { step: r("0"), ..rules }.close(m("80"), m("88.8")), None);
}
