//! An account of many has the figures of a book with the same rows, and is refused where that is.

use plimsoll_rulebooks::{
    AccountFigures, Book, BookFile, Desk, Figures, Filling, Market, PositionRow, PricesFile, Rulebook, Source,
};
use std::fmt::Write as _;
use units::Size;

/// SplitMix64: the same accounts every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

struct Row<'a> {
    market: &'a Market,
    size: String,
    entry_price: String,
    leverage: &'static str,
}

struct Drawn<'a> {
    collateral: String,
    rows: Vec<Row<'a>>,
}

/// One to four positions, some of them wrong: a market twice, part of a lot, a leverage too high or none, a tier too far.
fn draw<'a>(markets: &[&'a Market], leverages: &[&'static str], random: &mut Random) -> Drawn<'a> {
    let row = |random: &mut Random| {
        let market = random.pick(markets);
        let lots = random.pick(&[1, 2, 7, 40, 900, 20_000]) * i64::try_from(1 + random.below(9)).unwrap();
        let part = i64::from(random.below(60) == 0);
        let side = random.pick(&[1, -1]);
        let size = Size::new(side * (market.lot.units() * lots + part)).unwrap().to_string();
        let entry_price = format!("{}.{}", 80 + random.below(40), random.below(100));
        Row { market, size, entry_price, leverage: random.pick(leverages) }
    };
    let rows = (0..1 + random.below(4)).map(|_| row(random)).collect();
    let whole = random.pick(&[2, 100, 10_000, 1_000_000]);
    Drawn { collateral: format!("{}.{}", random.below(whole), random.below(100)), rows }
}

/// The account of the rows, or what is wrong with them.
fn of_many(desk: &Desk<'_>, drawn: &Drawn<'_>) -> Result<AccountFigures, String> {
    let mut filling = Filling::new(desk);
    filling.begin(&drawn.collateral).map_err(|fault| fault.what)?;
    for row in &drawn.rows {
        let Row { market, size, entry_price, leverage } = row;
        filling
            .push(&PositionRow { market: &market.symbol, size, entry_price, leverage })
            .map_err(|fault| fault.what)?;
    }
    filling.figures(true).map_err(|fault| fault.what)
}

/// The same as a book.
fn of_book(rulebook: &Rulebook, prices: &str, drawn: &Drawn<'_>) -> Result<AccountFigures, String> {
    let asset = &drawn.rows[0].market.settlement;
    let mut text =
        format!("account.mode = \"cross\"\n[[collateral]]\nasset = \"{asset}\"\namount = \"{}\"\n", drawn.collateral);
    for Row { market, size, entry_price, leverage } in &drawn.rows {
        let symbol = &market.symbol;
        write!(text, "[[position]]\nmarket = \"{symbol}\"\nsize = \"{size}\"\nentry_price = \"{entry_price}\"\n")
            .unwrap();
        if !leverage.is_empty() {
            writeln!(text, "leverage = \"{leverage}\"").unwrap();
        }
    }
    text += prices;
    let source = Source { file: "book.toml", text: &text };
    let book = Book::check(&BookFile::read(&source).unwrap(), &source, rulebook).map_err(|problem| problem.what)?;
    let unit = Figures::of(&book, rulebook).ok_or("figures are out of range")?.units.remove(0);
    Ok(AccountFigures {
        equity: unit.equity,
        initial_margin: unit.initial_margin,
        maintenance_margin: unit.maintenance_margin,
        headroom: unit.headroom,
        margin_ratio: unit.margin_ratio,
        is_below_line: unit.is_below_line,
        moves: Some((unit.liquidation_fall, unit.liquidation_rise)),
    })
}

/// How many of 300 accounts have figures, are below their line, and are refused.
fn compared(venue: &str, leverages: &[&'static str], seed: u64) -> [u32; 3] {
    let rulebook = plimsoll_rulebooks::named(venue).unwrap();
    let markets: Vec<&Market> = rulebook.markets.iter().take(4).collect();
    let mut prices = "[prices]\n".to_owned();
    for (at, market) in markets.iter().enumerate() {
        let mark = 90 + 7 * at;
        writeln!(prices, "\"{}\" = {{ mark = \"{mark}.5\", open_interest = \"5000\" }}", market.symbol).unwrap();
    }
    let mut assets: Vec<&str> = markets.iter().map(|market| market.settlement.as_str()).collect();
    assets.sort_unstable();
    assets.dedup();
    for asset in assets {
        writeln!(prices, "\"{asset}\" = {{ index = \"1.25\" }}").unwrap();
    }
    let file = PricesFile::read(&Source { file: "prices.toml", text: &prices }).unwrap();
    let (desk, mut random) = (Desk::new(&rulebook, &file).unwrap(), Random(seed));
    let mut counts = [0; 3];
    for at in 0..300 {
        let drawn = draw(&markets, leverages, &mut random);
        match (of_many(&desk, &drawn), of_book(&rulebook, &prices, &drawn)) {
            (Ok(many), Ok(book)) => {
                assert_eq!(many, book, "{venue} {at}");
                counts[usize::from(many.is_below_line)] += 1;
            }
            // A book names the market, and the value where its place does not.
            (Err(many), Err(book)) => {
                assert!(book.ends_with(&many), "{venue} {at}: {many:?} against {book:?}");
                counts[2] += 1;
            }
            (many, book) => panic!("{venue} {at}: {many:?} against {book:?}"),
        }
    }
    counts
}

#[test]
fn an_account_of_many_is_the_book_of_its_rows() {
    let usual = ["2", "2", "2", "2", "3", "3", "5.5", "10", "500", ""];
    for (venue, leverages) in [
        ("binance-usdm", &usual[..]),
        ("binance-coinm", &usual),
        ("bitmex", &usual),
        ("hyperliquid", &usual),
        ("dydx", &["", "", "", "", "", "3"]),
    ] {
        let [above, below, refused] = compared(venue, leverages, 7);
        assert!(above > 5 && below > 3 && refused > 5, "{venue}: {above} above, {below} below, {refused} refused");
    }
}
