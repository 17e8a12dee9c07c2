//! The shipped rulebooks give the figures that venues published, or that positions of theirs were recorded with. Where a figure
//! cannot be had, both numbers stand beside each other.

use crate::support::{cut, digits, figures, nearest, position, price, rules, unit};
use plimsoll_rulebooks::{Book, BookFile, Figures, PositionFigures, Source};
use units::{Money, Round};

fn isolated(market: &str, size: &str, entry: &str, mark: &str, more: &str) -> String {
    format!(
        "account = {{ mode = \"isolated\" }}\n[[position]]\nmarket = \"{market}\"\nsize = \"{size}\"\nentry_price = \"{entry}\"\n\
         {more}\n[prices]\n\"{market}\" = {{ mark = \"{mark}\" }}\n"
    )
}

fn cross(asset: &str, amount: &str, market: &str, size: &str, entry: &str, mark: &str, more: &str) -> String {
    format!(
        "account = {{ mode = \"cross\" }}\ncollateral = [{{ asset = \"{asset}\", amount = \"{amount}\" }}]\n[[position]]\n\
         market = \"{market}\"\nsize = \"{size}\"\nentry_price = \"{entry}\"\n{more}\n[prices]\n\"{market}\" = {{ mark = \"{mark}\" }}\n"
    )
}

/// An amount to the nearest 1e-8.
fn nearest_amount(amount: Money) -> String {
    cut(amount + "0.000000005".parse().expect("half a step"), 8)
}

/// A price of a long to the nearest cent, as pages print it.
fn cents(position: &PositionFigures) -> String {
    nearest(position.liquidation_price_below, "0.01")
}

fn below(position: &PositionFigures, step: &str) -> String {
    price(position.liquidation_price_below, step, Round::TowardZero)
}

/// Binance's own example of two positions (BIN-LIQ-03), in the brackets of 2021. Its prices are printed with two digits.
#[test]
fn binance_gives_the_liquidation_price_of_its_example() {
    let book = r#"
        account = { mode = "cross" }
        collateral = [{ asset = "USDT", amount = "1535443.01" }]
        position = [
            { market = "ETHUSDT", size = "3683.979", entry_price = "1456.84", leverage = "5" },
            { market = "BTCUSDT", size = "109.488", entry_price = "32481.98", leverage = "20" },
        ]
        prices = { ETHUSDT = { mark = "1335.18" }, BTCUSDT = { mark = "31967.27" } }
    "#;
    let unit = unit("binance-usdm@2021-03-01", "", book);
    let [eth, btc] = &unit.positions[..] else { panic!("two positions") };
    assert_eq!(cents(eth), "1153.26");
    assert_eq!(cut(btc.maintenance_margin, 5), "71200.81144");
    assert_eq!(digits(-btc.upnl, 2, Round::Up), "56354.57");
    // Alone with the same wallet: BIN-LIQ-01 and -02.
    let day = "binance-usdm@2022-06-01";
    let eth = position(
        day,
        "",
        &isolated("ETHUSDT", "3683.979", "1456.84", "1335.18", "leverage = \"5\"\nmargin = \"1535443.01\""),
    );
    let btc = position(
        day,
        "",
        &isolated("BTCUSDT", "109.488", "32481.98", "31967.27", "leverage = \"20\"\nmargin = \"1535443.01\""),
    );
    assert_eq!((cents(&eth).as_str(), cents(&btc).as_str()), ("1114.78", "18778.73"));
}

/// Positions that Binance's own client libraries and one other recorded. Of amounts, digits after the eighth are cut.
#[test]
fn binance_gives_recorded_positions() {
    let book = isolated("BTCUSDT", "0.010", "21396.6", "21434.68734933", "leverage = \"20\"\nmargin = \"10.82948412\"");
    let shipped = unit("binance-usdm@2022-06-27", "", &book);
    assert_eq!(cut(shipped.equity, 8), "11.21035761");
    let long = &shipped.positions[0];
    assert_eq!((cut(long.upnl, 8).as_str(), cut(long.notional, 8).as_str()), ("0.38087349", "214.34687349"));
    // Its price was 20518.83998788, of the brackets of the test network: 1 % from the first unit on. The brackets of 2021 have
    // 0.4 % there and give another.
    assert_eq!(long.liquidation_price_below.map(|p| p.to_string()).as_deref(), Some("20395.23251807"));
    let testnet = "clause = \"BN-TI-01\"\nsymbol = \"BTCUSDT\"\ncontract = \"linear\"\nsettlement = \"USDT\"\ntaker_fee = \"0.04%\"\n\
        maker_fee = \"0.02%\"\nladder = { tiers = [{ cap = \"250000 USDT\", leverage = \"20x\", maintenance = \"1%\" }] }";
    let long = position("binance-usdm@2022-06-27", testnet, &book);
    assert_eq!(long.liquidation_price_below.map(|p| p.to_string()).as_deref(), Some("20518.83998788"));

    // Cross positions whose wallet was not recorded: all but the liquidation price.
    let book = cross("USDT", "100", "BTCUSDT", "0.001", "22185.2", "21123.05052574", "leverage = \"4\"");
    let long = position("binance-usdm@2022-06-14", "", &book);
    assert_eq!((cut(long.upnl, 8).as_str(), cut(long.notional, 8).as_str()), ("-1.06214947", "21.12305052"));
    let book = cross("USDT", "100", "BTCUSDT", "-0.003", "42976.6", "42832.79591057", "leverage = \"20\"");
    let short = position("binance-usdm@2024-01-04", "", &book);
    assert_eq!((cut(short.upnl, 8).as_str(), cut(short.notional, 8).as_str()), ("0.43141226", "128.49838773"));
    assert_eq!(cut(short.maintenance_margin, 8), "0.51399355");
}

/// BIN-MAM-01: 1,000 of BNB count 950, of ADA 900.
#[test]
fn binance_counts_collateral_at_its_shares() {
    let book = r#"
        account = { mode = "cross" }
        collateral = [{ asset = "BNB", amount = "2" }, { asset = "ADA", amount = "1000" }]
        prices = { BNB = { index = "500" }, ADA = { index = "1" } }
    "#;
    assert_eq!(cut(unit("binance-usdm", "", book).equity, 16), "1850");
}

/// COIN-M by the formula of its page: 33,578.86. The page itself shows 33,599.40 in a community post, which nobody explains.
#[test]
fn binance_coin_margined_follows_the_formula() {
    let book = cross("BTC", "101", "BTCUSD_PERP", "100000", "45000", "45000", "leverage = \"4\"");
    let long = position("binance-coinm", "", &book);
    assert_eq!(cents(&long), "33578.86");
    assert_eq!(cut(long.notional, 4), "222.2222");
}

/// BYB-MM-01, BYB-BANK-01 and -02 of the unified account, BYB-LIQ-02 of the account before it.
#[test]
fn bybit_gives_its_examples() {
    let fifty = "leverage = \"50\"";
    let long = position("bybit-linear", "", &isolated("BTCUSDT", "1", "40000", "40000", fifty));
    assert_eq!(cut(long.maintenance_margin, 16), "221.56");
    assert_eq!(long.bankruptcy_price.map(|p| p.to_string()).as_deref(), Some("39200"));
    for (entry, nothing) in [("60000", "58800"), ("10000", "9800")] {
        let long = position("bybit-linear", "", &isolated("BTCUSDT", "1", entry, entry, fifty));
        assert_eq!(long.bankruptcy_price.map(|p| p.to_string()).as_deref(), Some(nothing));
    }
    let long = position("bybit-linear@2024-10-24", "", &isolated("BTCUSDT", "1", "20000", "20000", fifty));
    assert_eq!(long.liquidation_price_below.map(|p| p.to_string()).as_deref(), Some("19700"));
    assert_eq!((cut(long.initial_margin, 16).as_str(), cut(long.maintenance_margin, 16).as_str()), ("400", "100"));
}

/// A SOLUSDT position recorded on 2025-10-02, of an account whose taker fee was 0.0649 %.
#[test]
fn bybit_gives_the_margins_of_a_recorded_position() {
    let market = "clause = \"BY-TI-02\"\nsymbol = \"SOLUSDT\"\ncontract = \"linear\"\nsettlement = \"USDT\"\ntaker_fee = \"0.0649%\"\n\
        maker_fee = \"0.02%\"\nladder = { tiers = [{ cap = \"100000 USDT\", leverage = \"100x\", maintenance = \"0.5%\" }] }";
    let book = cross("USDT", "11.47724524", "SOLUSDT", "0.2", "233.02", "233.029", "leverage = \"10\"");
    let account = unit("bybit-linear@2025-10-02", market, &book);
    let long = &account.positions[0];
    assert_eq!(cut(account.equity, 8), "11.47904524");
    assert_eq!(cut(long.upnl, 8), "0.0018");
    // `positionIMByMp` and `positionMMByMp`.
    assert_eq!(
        (cut(long.initial_margin, 8).as_str(), cut(long.maintenance_margin, 8).as_str()),
        ("4.68780139", "0.26025039")
    );
    // `positionIM` 4.6876214 and `positionMM` 0.2602414 are those of the entry price, and so are the account's totals, in USD.
    let priced = book + "USDT = { index = \"1.000686\" }\n";
    assert_eq!(cut(unit("bybit-linear@2025-10-02", market, &priced).equity, 6), "11.486919");
    let at_entry = unit("bybit-linear@2025-10-02", market, &priced.replace("233.029", "233.02"));
    let margins = (nearest_amount(at_entry.initial_margin), nearest_amount(at_entry.maintenance_margin));
    assert_eq!((margins.0.as_str(), margins.1.as_str()), ("4.6908371", "0.26041992"));
    let at_entry = &at_entry.positions[0];
    let margins = (nearest_amount(at_entry.initial_margin), nearest_amount(at_entry.maintenance_margin));
    assert_eq!((margins.0.as_str(), margins.1.as_str()), ("4.6876214", "0.2602414"));
    // 233.029 − (11.48691986 − 0.26041992) ÷ 0.2: equity and maintenance of the account in USD, without a divisor. Bybit showed
    // 176.89650029; the index, which is known to eight digits, moves ours by 1e-8.
    let in_dollars = &unit("bybit-linear@2025-10-02", market, &priced).positions[0];
    assert_eq!(below(in_dollars, "0.00000001"), "176.89650028");
}

/// BYB-INV-01: the raw solution is 5739.08, shown rounded up to the tick of 0.5. BYB-BANK-03 rounds the bankruptcy price the same
/// way (7735.50), which is a figure of its own here and not rounded.
#[test]
fn bybit_inverse_rounds_up_to_its_tick() {
    let long =
        position("bybit-inverse", "", &cross("BTC", "0.5", "BTCUSD", "10000", "8000", "8000", "leverage = \"2.5\""));
    assert_eq!(long.liquidation_price_below.map(|p| p.to_string()).as_deref(), Some("5739.5"));
    let long = position("bybit-inverse", "", &isolated("BTCUSD", "10000", "7890.08", "7890.08", "leverage = \"50\""));
    assert_eq!(price(long.bankruptcy_price, "0.0001", Round::TowardZero), "7735.3725");
}

/// The isolated ETH position of Hyperliquid's API documentation. Its maintenance margin has six digits.
#[test]
fn hyperliquid_gives_the_position_of_its_documentation() {
    let book = isolated("ETH", "0.0335", "2986.3", "2985.9", "leverage = \"20\"\nmargin = \"4.981226\"");
    let unit = unit("hyperliquid@2024-02-22", "", &book);
    let long = &unit.positions[0];
    assert_eq!((cut(unit.equity, 6).as_str(), cut(long.upnl, 6).as_str()), ("4.967826", "-0.0134"));
    assert_eq!(cut(long.notional, 6), "100.02765");
    assert_eq!(cut(long.maintenance_margin, 16), "1.000276");
    assert_eq!(below(long, "0.00000001"), "2866.26936529");
}

/// An account of 2023-03-27. The record names six of its positions; what is missing is put in as one of BTC that neither gains nor
/// loses, of 1,570.3929, so that maintenance is what the record says: the venue cuts the sum, here each is cut.
#[test]
fn hyperliquid_gives_an_account_of_2023() {
    let held = [
        ("ETH", "0.1334", "1705.82", "1706.71"),
        ("MATIC", "76.6", "1.03483", "1.036"),
        ("DYDX", "-121.2", "2.36808", "2.37"),
        ("APE", "-131.8", "3.86082", "3.866"),
        ("LTC", "5.33", "88.0926", "88.14"),
        ("ARB", "246.5", "1.17991", "1.1798"),
        ("BTC", "1", "1570.3929", "1570.3929"),
    ];
    let mut book =
        String::from("account = { mode = \"cross\" }\ncollateral = [{ asset = \"USDC\", amount = \"1182.794049\" }]\n");
    for (market, size, entry, _) in held {
        book += &format!(
            "[[position]]\nmarket = \"{market}\"\nsize = \"{size}\"\nentry_price = \"{entry}\"\nleverage = \"20\"\n"
        );
    }
    book += "[prices]\n";
    for (market, _, _, mark) in held {
        book += &format!("{market} = {{ mark = \"{mark}\" }}\n");
    }
    let account = unit("hyperliquid@2023-03-27", "", &book);
    assert_eq!(cut(account.maintenance_margin, 6), "34.348153");
    let shown: Vec<(String, String)> = account
        .positions
        .iter()
        .map(|row| (below(row, "0.00000001"), price(row.liquidation_price_above, "0.00000001", Round::TowardZero)))
        .collect();
    let prices: Vec<(&str, &str)> = shown.iter().map(|(low, high)| (low.as_str(), high.as_str())).collect();
    // As recorded: DYDX 11.841653, APE 12.57589638, and none for the longs, whose prices are not positive.
    assert_eq!(
        prices[..6],
        [
            ("none", "none"),
            ("none", "none"),
            ("none", "11.841653"),
            ("none", "12.57589638"),
            ("none", "none"),
            ("none", "none")
        ]
    );
    let margins: Vec<String> = account.positions.iter().map(|row| cut(row.initial_margin, 6)).collect();
    // As recorded: 11.383755, 3.96788, 14.3622, 25.47694, 23.48931, 14.541035.
    assert_eq!(margins[..6], ["11.383755", "3.96788", "14.3622", "25.47694", "23.48931", "14.541035"]);
}

/// The venue's own vault on 2026-07-19, whose positions have a greatest leverage of 50 in every coin: `maxLeverage` in the answer,
/// where `meta` has 5 for DYDX. The rest of its maintenance, 38,190.917162, is put in as one position of ETH.
#[test]
fn hyperliquid_gives_the_price_of_its_vault() {
    let market = "clause = \"HL-TI-02\"\nsymbol = \"DYDX\"\ncontract = \"linear\"\nsettlement = \"USDC\"\n\
        taker_fee = \"0.045%\"\nmaker_fee = \"0.015%\"\nmaintenance = \"half_at_max_leverage\"\n\
        ladder = { tiers = [{ cap = \"10000000000 USDC\", leverage = \"50x\" }] }";
    let book = r#"
        account = { mode = "cross" }
        collateral = [{ asset = "USDC", amount = "3001325.70868" }]
        position = [
            { market = "DYDX", size = "-100480.9", entry_price = "0.12169", leverage = "20" },
            { market = "ETH", size = "1", entry_price = "1909545.8581", leverage = "20" },
        ]
        prices = { DYDX = { mark = "0.12083" }, ETH = { mark = "1909545.8581" } }
    "#;
    let account = unit("hyperliquid@2026-07-19", market, book);
    assert_eq!(
        (cut(account.equity, 6).as_str(), cut(account.maintenance_margin, 6).as_str()),
        ("3001412.122254", "38312.328233")
    );
    // Recorded with ten digits, 29.3180423289; a price here has eight.
    let short = &account.positions[0];
    assert_eq!(nearest(short.liquidation_price_above, "0.00000001"), "29.31804233");
    assert_eq!(cut(short.initial_margin, 6), "607.055357");
}

/// HL-TIER-01: from 150,000,000 on the rate is 2.5 % and the deduction 1,875,000.
#[test]
fn hyperliquid_joins_its_tiers() {
    for (size, maintenance) in [("1500", "1875000"), ("-2000", "3125000")] {
        let row = position(
            "hyperliquid",
            "",
            &cross("USDC", "90000000", "BTC", size, "100000", "100000", "leverage = \"5\""),
        );
        assert_eq!(cut(row.maintenance_margin, 16), maintenance);
    }
}

/// DER-STD-01 and -02, and the other rows of the page; the inverse contract has the same shape in coin.
#[test]
fn deribit_gives_its_table() {
    let rows = [
        ("BTC_USDC-PERPETUAL", "25", "100000", "53125", "28125"),
        ("BTC_USDC-PERPETUAL", "350", "100000", "1312500", "962500"),
        ("SOL_USDC-PERPETUAL", "25", "200", "200.625", "100.625"),
        ("SOL_USDC-PERPETUAL", "-6000", "200", "84000", "60000"),
        ("BTC-PERPETUAL", "250000", "100000", "0.53125", "0.28125"),
    ];
    for (market, size, mark, initial, maintenance) in rows {
        let book = cross("USDC", "10000000", market, size, mark, mark, "") + "BTC = { index = \"100000\" }\n";
        let row = position("deribit", "", &book);
        let margins = (cut(row.initial_margin, 16), cut(row.maintenance_margin, 16));
        assert_eq!((margins.0.as_str(), margins.1.as_str()), (initial, maintenance), "{market} {size}");
    }
}

/// OKX-LIQ-01 and -02: the fee to close is in the price. They print 16 digits, a price here has eight.
#[test]
fn okx_has_the_fee_in_its_liquidation_price() {
    for (leverage, shown) in [("5", "11.87413417"), ("3", "13.19348241")] {
        let book = isolated("BTC-USDT-SWAP", "-1", "10", "10", &format!("leverage = \"{leverage}\""));
        let short = position("okx", "", &book);
        assert_eq!(price(short.liquidation_price_above, "0.00000001", Round::TowardZero), shown);
    }
}

fn dydx(initial: &str, fraction: &str, lower: &str, upper: &str) -> String {
    format!(
        "clause = \"DX-TI-01\"\nsymbol = \"TEST-USD\"\ncontract = \"linear\"\nsettlement = \"USDC\"\ntaker_fee = \"0.05%\"\n\
         maker_fee = \"0.02%\"\n[version.market.ladder.open_interest]\ninitial = \"{initial}\"\nfraction = \"{fraction}\"\n\
         lower = \"{lower} USDC\"\nupper = \"{upper} USDC\"\n"
    )
}

/// The integers of the chain's own tests, in whole 1e-6 of USDC, on the tiers of those tests.
#[test]
fn dydx_gives_the_integers_of_its_tests() {
    let rows = [
        // DYDX-IMR-01 to -03, DYDX-MMF-02, DYDX-OIMF-01 to -03 and -05: tier, price of one contract, open interest, initial.
        (("56.7243%", "50%", "0", "0"), "0.123456", "0", "0.07003"),
        (("20%", "50%", "25000000", "60000000"), "0.5", "28123456.789123", "0.135697"),
        (("10%", "50%", "0", "0"), "0.000001", "0", "0.000001"),
        (("20%", "50%", "1000000", "2000000"), "1", "1500000", "0.6"),
        (("20%", "50%", "1000000", "2000000"), "1", "1234567", "0.387653"),
        (("20%", "50%", "1000000", "2000000"), "1", "1000000", "0.2"),
        (("20%", "50%", "0", "0"), "1", "1500000", "0.2"),
    ];
    for ((initial, fraction, lower, upper), index, open_interest, expected) in rows {
        let book = format!(
            "account = {{ mode = \"cross\" }}\ncollateral = [{{ asset = \"USDC\", amount = \"100\" }}]\n\
             position = [{{ market = \"TEST-USD\", size = \"1\", entry_price = \"{index}\" }}]\n\
             prices = {{ TEST-USD = {{ index = \"{index}\", open_interest = \"{open_interest}\" }} }}\n"
        );
        let row = position("dydx", &dydx(initial, fraction, lower, upper), &book);
        assert_eq!(cut(row.initial_margin, 16), expected, "{initial} at {open_interest}");
    }
    let book = cross("USDC", "100", "TEST-USD", "1", "1", "1", "");
    assert_eq!(
        cut(position("dydx", &dydx("63.7239%", "28.9284%", "0", "0"), &book).maintenance_margin, 16),
        "0.184343"
    );
    // DYDX-LIQ-01: short 3 at 3,000 with equity of 1,000.
    let short =
        position("dydx", &dydx("10%", "50%", "0", "0"), &cross("USDC", "1000", "TEST-USD", "-3", "3000", "3000", ""));
    assert_eq!(price(short.liquidation_price_above, "0.01", Round::TowardZero), "3174.6");
    // And a shipped market half way up: 10 % + 90 % × ½.
    let book = cross("USDC", "1000", "LINK-USD", "1", "10", "10", "")
        .replace("mark = \"10\"", "index = \"10\", open_interest = \"35000000\"");
    assert_eq!(cut(position("dydx", "", &book).initial_margin, 16), "5.5");
}

/// BMX-RISK-01: 180 XBT and 230 XBT, a step of 150; before it a step of 100.
#[test]
fn bitmex_charges_a_started_step_on_the_whole_position() {
    let at = |day: &str, contracts: &str| {
        let book = cross("XBT", "100", "XBTUSD", contracts, "10000", "10000", "");
        let row = position(day, "", &book);
        (cut(row.initial_margin, 16), cut(row.maintenance_margin, 16))
    };
    assert_eq!(at("bitmex", "1800000"), ("1.8".into(), "0.9".into()));
    assert_eq!(at("bitmex", "2300000"), ("3.45".into(), "2.3".into()));
    assert_eq!(at("bitmex", "3400000"), ("5.1".into(), "3.4".into()));
    assert_eq!(at("bitmex@2021-08-30", "3400000"), ("6.8".into(), "5.1".into()));
}

/// DRIFT-PERP-01 has 6.1475409835 contracts and 13555.327867: two digits more than a size has here, so 13555.32786 of the size cut
/// to eight. VEGA-MM-01. Derive's rates.
#[test]
fn drift_vega_and_derive_give_their_examples() {
    let row = position("drift", "", &cross("USDC", "100000", "BTC-PERP", "6.14754098", "22050", "22050", ""));
    assert_eq!(cut(row.initial_margin, 6), "13555.32786");
    let row = position("vega", "", &cross("USDT", "100000", "BTC-PERP", "-1", "15900", "15900", ""));
    assert_eq!(cut(row.maintenance_margin, 16), "5565");
    let row = position("derive", "", &cross("USDC", "100000", "ETH-PERP", "-2", "1500", "1500", ""));
    assert_eq!((cut(row.initial_margin, 16), cut(row.maintenance_margin, 16)), ("195".into(), "150".into()));
}

/// Our own rules on one case that can be checked by hand: 20 BTC at 50,000 is 1,000,000 in the first tier, 2 % and 1 %, and 0.05 %
/// to close.
#[test]
fn plimsoll_has_half_the_initial_rate_and_the_fee_to_close() {
    let account = figures(&rules("plimsoll", ""), &cross("USDC", "50000", "BTC-PERP", "20", "50000", "50000", ""));
    let unit = &account.units[0];
    let row = &unit.positions[0];
    assert_eq!((cut(row.initial_margin, 16), cut(row.maintenance_margin, 16)), ("20000".into(), "10500".into()));
    // 10 % of the notional stays behind, though initial margin is 2 %: nothing may leave of 50,000.
    assert_eq!(unit.withdrawable[0].amount, Money::ZERO);
    // (1,000,000 − 50,000) ÷ 20 ÷ (1 − 1.05 %).
    assert_eq!(below(row, "0.00000001"), "48004.04244567");
    // 100,000 USD at 50,000 is 2 BTC.
    let book = cross("BTC", "1", "BTC-INV", "-100000", "50000", "50000", "") + "BTC = { index = \"50000\" }\n";
    let row = position("plimsoll", "", &book);
    assert_eq!((cut(row.initial_margin, 16), cut(row.maintenance_margin, 16)), ("0.04".into(), "0.021".into()));
}

/// 0.5 BTC at 60,500 with a leverage of 200: an error where the book is the venue's own, the tier's greatest where it is compared.
#[test]
fn a_leverage_above_its_tier_is_refused_and_can_be_lowered() {
    let rules = rules("hyperliquid", "");
    let check = |mode: &str, lower: bool| {
        let text = cross("USDC", "1000", "BTC", "0.5", "61000", "60500", "leverage = \"200\"").replace("cross", mode);
        let source = Source { file: "book.toml", text: &text };
        let file = BookFile::read(&source).expect("a good book");
        let check = if lower { Book::check_lowering } else { Book::check };
        check(&file, &source, &rules).map(|book| Figures::of(&book, &rules).expect("figures in range"))
    };
    let problem = check("cross", false).expect_err("200 is above 40");
    assert_eq!(problem.what, "BTC: leverage 200 is above the greatest of its tier, 40");
    let unit = |mode| check(mode, true).unwrap_or_else(|problem| panic!("{problem}")).units.remove(0);
    let row = unit("cross").positions.remove(0);
    // 30,250 ÷ 40.
    assert_eq!(cut(row.initial_margin, 16), "756.25");
    let lowered = row.lowered_leverage.expect("it was lowered");
    assert_eq!((lowered.from.as_str(), lowered.to.as_str()), ("200", "40"));
    // Isolated, what stands behind it is the margin of the lowered one at entry: 30,500 ÷ 40, and 250 are lost.
    assert_eq!(cut(unit("isolated").equity, 16), "512.5");
}

/// A value whose source is another than its section's has a clause of its own, and `show` and `--explain` name that one.
#[test]
fn values_name_their_own_clauses() {
    let shown =
        |name: &str, market: Option<&str>| plimsoll_rulebooks::shown(&rules(name, ""), market).expect("it is shown");
    let line = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let binance = shown("binance-usdm", None);
    assert_eq!(line(&binance, "funding: cap"), "funding: cap 0.3% [BN-FU-02]");
    assert_eq!(line(&binance, "funding: clamp"), "funding: clamp 0.05% [BN-FU-01]");
    let okx = shown("okx", Some("BTC-USDT-SWAP"));
    assert_eq!(line(&okx, "BTC-USDT-SWAP taker fee"), "BTC-USDT-SWAP taker fee 0.06% [OK-TI-01]");
    assert_eq!(line(&okx, "BTC-USDT-SWAP maker fee"), "BTC-USDT-SWAP maker fee 0.02% [OK-TI-02]");
    assert!(line(&okx, "BTC-USDT-SWAP tier 1").ends_with("[OK-TI-01, cap OK-TI-02, initial OK-TI-02]"), "{okx}");
    let explained = |name: &str, figure: &str, text: &str| {
        let (rules, source) = (rules(name, ""), Source { file: "book.toml", text });
        let file = BookFile::read(&source).expect("a good book");
        let book = Book::check(&file, &source, &rules).unwrap_or_else(|problem| panic!("{problem}"));
        plimsoll_rulebooks::explain(&book, &rules, figure).expect("a figure")[0].to_string()
    };
    // The rate that the leverage of the book is above comes from the tier, whose greatest leverage is not the page's.
    let book = cross("USDC", "1000", "BTC-PERP", "0.1", "60000", "60000", "");
    let initial = explained("plimsoll", "initial_margin", &book);
    assert!(initial.contains("rate = 2%") && initial.contains("[PL-TI-01]"), "{initial}");
    let maintenance = explained("plimsoll", "maintenance_margin", &book);
    assert!(maintenance.contains("tier 1 of 5: above 0 up to 2000000   [PL-MM-01]"), "{maintenance}");
    let book = cross("USDT", "1000", "BTCUSDT", "0.1", "60000", "60000", "leverage = \"20\"");
    let price = explained("bybit-linear", "liquidation_price", &book);
    assert!(
        price.lines().next().is_some_and(|line| line.ends_with("nearest, 8 digits [BY-LP-03]   [BY-LP-04]")),
        "{price}"
    );
    let fee = explained("bybit-linear", "maintenance_margin", &book);
    assert!(fee.contains("taker fee = 0.055%   of the market   [BY-FE-01]"), "{fee}");
    let book = cross("USDC", "1000", "BTC", "0.1", "60000", "60000", "leverage = \"20\"");
    let digits = explained("hyperliquid", "maintenance_margin", &book);
    assert!(digits.contains("toward zero to 6 digits [HL-MM-03]"), "{digits}");
}
