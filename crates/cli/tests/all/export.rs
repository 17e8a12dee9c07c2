//! What `plimsoll export` writes, read back and added up against the engine that the same journal leads to.

use engine::{AccountId, AccountKind, AssetId, Engine, Event, MarketId};
use journal::{Reader, RealDisk};
use node::Follower;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use units::{Money, Price, Rate, Size, Time};

/// Rows as text by column.
type Rows = Vec<BTreeMap<String, String>>;

const TABLES: [&str; 8] =
    ["events", "balances", "positions", "orders", "liquidations", "funding", "income", "income_daily"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("export-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn plimsoll(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(words).current_dir(root()).output().unwrap()
}

/// A run that has to succeed.
fn done(words: &[&str]) -> Output {
    let output = plimsoll(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The journal of a scenario, in a folder of this test.
fn scenario(folder: &Path, path: &str) -> String {
    let venue = folder.join("venue").display().to_string();
    done(&["run", path, "--data", &venue]);
    venue
}

/// The journal of a crash: hedges, funds, volunteers, receipts, several collateral assets, many days' worth of orders.
fn crash(folder: &Path) -> String {
    let venue = folder.join("venue").display().to_string();
    done(&["replay", "2025-10-10", "--accounts", "400", "--step", "60", "--quiet", "--data", &venue]);
    venue
}

fn export(venue: &str, out: &Path, more: &[&str]) -> Value {
    let out = out.display().to_string();
    let words = [&["export", venue, "--to", &out, "--json"], more].concat();
    serde_json::from_slice(&done(&words).stdout).unwrap()
}

fn csv(path: &Path) -> Rows {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect::<BTreeMap<_, _>>()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The engine that a journal leads to, with all events on the way there.
fn followed(venue: &str) -> (Engine, Vec<Event>) {
    let disk = RealDisk::read_only(Path::new(venue)).unwrap();
    let mut reader = Reader::first(&disk).unwrap();
    let mut follower = Follower::beginning(&disk, &reader).unwrap();
    let mut events = Vec::new();
    while let Some(batch) = reader.next_batch(&disk).unwrap() {
        if batch.records > 0 {
            follower.apply(&batch, &mut |_| {}).unwrap();
            events.extend_from_slice(follower.engine().events());
        }
    }
    (follower.engine().clone(), events)
}

fn money(text: &str) -> i128 {
    text.parse::<Money>().unwrap_or_else(|_| panic!("{text:?}")).units()
}

fn size(text: &str) -> i128 {
    text.parse::<Size>().unwrap_or_else(|_| panic!("{text:?}")).units().into()
}

/// A sum by key of the rows that are meant.
fn sums<K: Ord>(rows: &Rows, key: impl Fn(&BTreeMap<String, String>) -> Option<(K, i128)>) -> BTreeMap<K, i128> {
    let mut sums = BTreeMap::new();
    for (key, amount) in rows.iter().filter_map(key) {
        *sums.entry(key).or_insert(0) += amount;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// Everything that a CSV export says, against the state and the events of its journal.
fn adds_up(what: &str, venue: &str, out: &Path) {
    let told = export(venue, out, &["--format", "csv", "--force"]);
    let (engine, events) = followed(venue);
    let state = engine.state();
    assert_eq!(told["state_digest"], engine.state_digest().to_string(), "{what}");
    assert_eq!(told["to"], state.sequence, "{what}");
    let tables = TABLES.map(|name| csv(&out.join(format!("{name}.csv"))));
    for (table, name) in tables.iter().zip(TABLES) {
        let rows = told["tables"].as_array().unwrap().iter().find(|row| row["table"] == name).unwrap();
        assert_eq!(rows["rows"], table.len(), "{what}: {name}");
    }
    let [rows, balances, positions, orders, liquidations, funding, income, daily] = tables;
    let (assets, markets) = (0..state.assets.len(), 0..state.markets.len());

    assert_eq!(rows.len(), events.len(), "{what}");
    let keys: BTreeSet<(&str, &str)> = rows.iter().map(|row| (&*row["sequence"], &*row["part"])).collect();
    assert_eq!(keys.len(), rows.len(), "{what}: an event twice");
    for row in funding.iter().chain(&income) {
        assert!(keys.contains(&(&row["sequence"], &row["part"])), "{what}: {row:?} is of no event");
    }

    // Balances: the venue's own, every wallet, and the vault as their sum.
    for at in assets.clone() {
        let asset = state.asset(AssetId::at(at));
        let name = asset.params.name.as_str();
        let here = || balances.iter().filter(|row| row["asset"] == name);
        let of = |kind: &str| here().filter(|row| row["kind"] == kind).map(|row| money(&row["wallet"])).sum::<i128>();
        let all: i128 = here().filter(|row| row["kind"] != "vault").map(|row| money(&row["wallet"])).sum();
        assert_eq!(all, asset.vault.units(), "{what}: {name}");
        let expected = [asset.vault, asset.fees, asset.rounding, asset.pending].map(Money::units);
        assert_eq!(["vault", "fees", "rounding", "pending"].map(of), expected, "{what}: {name}");
    }
    let wallets =
        sums(&balances, |row| Some(((row["account_id"].parse().ok()?, row["asset"].clone()), money(&row["wallet"]))));
    let mut expected: BTreeMap<(u32, String), i128> = BTreeMap::new();
    for (id, account) in (0..).zip(&state.accounts) {
        for wallet in account.wallets.iter().filter(|wallet| !wallet.amount.is_zero()) {
            let asset = state.asset(wallet.asset).params.name.to_string();
            expected.insert((id, asset), wallet.amount.units());
        }
    }
    assert_eq!(wallets, expected, "{what}");

    // Income: every wallet is the sum of its entries, and the days are their sums.
    let earned =
        sums(&income, |row| Some(((row["account_id"].parse().unwrap(), row["asset"].clone()), money(&row["amount"]))));
    assert_eq!(earned, expected, "{what}: income is not what is in the wallets");
    let key = |row: &BTreeMap<String, String>, day: &str| {
        Some((["owner_id", "asset", "kind"].map(|c| row[c].clone()), day.to_owned()))
    };
    let by_day = sums(&daily, |row| Some((key(row, &row["day"])?, money(&row["amount"]))));
    assert_eq!(by_day, sums(&income, |row| Some((key(row, &row["time"][..10])?, money(&row["amount"])))), "{what}");
    let entries: usize = daily.iter().map(|row| row["entries"].parse::<usize>().unwrap()).sum();
    assert_eq!(entries, income.len(), "{what}");

    // Positions: both sides of a market are the same, and each is as the engine has it.
    let mut held = 0;
    for at in markets {
        let market = state.market(MarketId::at(at));
        let name = market.params.name.as_str();
        let here: Vec<_> = positions.iter().filter(|row| row["market"] == name).collect();
        let longs: i128 = here.iter().map(|row| size(&row["size"])).filter(|size| *size > 0).sum();
        assert_eq!(longs, market.open_interest, "{what}: {name}");
        if !market.is_over() {
            assert_eq!(here.iter().map(|row| size(&row["size"])).sum::<i128>(), 0, "{what}: {name}");
        }
        // Funding: what was paid and is on its way sums to zero but for a unit each, rounded down.
        let paid = funding.iter().filter(|row| row["kind"] == "settled" && row["market"] == name);
        let (entries, paid) = paid.fold((0, 0), |(n, sum), row| (n + 1, sum + money(&row["amount"])));
        let due: i128 = here.iter().map(|row| money(&row["unsettled_funding"])).sum();
        let roundings = entries + i128::try_from(here.len()).unwrap();
        if !market.is_over() {
            assert!((-roundings..=0).contains(&(paid + due)), "{what}: {name}: {paid} + {due}, {roundings} roundings");
        }
        held += here.len();
    }
    assert_eq!(held, positions.len(), "{what}");
    for row in &positions {
        let holder: AccountId = AccountId(row["account_id"].parse().unwrap());
        let views = engine.positions(state.parent_of(holder));
        let mine = |view: &&engine::PositionView| {
            view.holder == holder
                && state.market(view.market).params.name.as_str() == row["market"]
                && serde_json::to_value(view.leg).unwrap() == row["leg"]
        };
        let view = views.iter().find(mine).unwrap_or_else(|| panic!("{what}: {row:?}"));
        assert_eq!(size(&row["size"]), i128::from(view.size.units()), "{what}");
        let columns = ["cost", "notional", "upnl", "unsettled_funding", "initial_margin", "maintenance_margin"];
        let expected =
            [view.cost, view.notional, view.upnl, view.unsettled_funding, view.initial_margin, view.maintenance_margin];
        assert_eq!(columns.map(|column| money(&row[column])), expected.map(Money::units), "{what}");
        assert_eq!(row["mark"].parse::<Price>().unwrap(), view.mark_price, "{what}");
        assert_eq!(row["entry_price"].parse::<Price>().ok(), view.entry_price, "{what}");
        let isolated = matches!(state.account(holder).kind, AccountKind::Isolated { .. });
        assert_eq!(row["mode"], if isolated { "isolated" } else { "cross" }, "{what}");
    }

    assert_eq!(orders.len(), state.orders.len(), "{what}");
    for order in state.orders.iter() {
        let row = orders.iter().find(|row| row["order"] == order.id.serial().to_string()).unwrap();
        assert_eq!(size(&row["remaining"]), i128::from(order.remaining.units()), "{what}");
        assert_eq!(row["price"].parse::<Price>().unwrap(), order.price, "{what}");
        assert_eq!(row["account_id"], order.account.0.to_string(), "{what}");
        let client = if order.client_id == 0 { String::new() } else { order.client_id.to_string() };
        assert_eq!(row["client_id"], client, "{what}");
    }

    liquidations_are_the_events(what, &liquidations, &events, state.liquidating.len());
    let posted = events.iter().filter_map(|event| match event {
        Event::FundingPosted { rate, mark, .. } => Some((*rate, *mark)),
        _ => None,
    });
    let told = funding.iter().filter(|row| row["kind"] == "posted");
    let told = told.map(|row| (row["rate"].parse::<Rate>().unwrap(), row["mark"].parse::<Price>().unwrap()));
    assert_eq!(told.collect::<Vec<_>>(), posted.collect::<Vec<_>>(), "{what}");
}

fn liquidations_are_the_events(what: &str, rows: &Rows, events: &[Event], open: usize) {
    let (mut started, mut ended, mut receipts) = (0, Vec::new(), 0);
    for event in events {
        match event {
            Event::LiquidationStarted { .. } => started += 1,
            Event::LiquidationEnded { account, equity, .. } => ended.push((account.0.to_string(), equity.units())),
            Event::Deleveraged { .. } => receipts += 1,
            _ => {}
        }
    }
    assert_eq!(rows.len(), started, "{what}");
    let (closed, still): (Vec<_>, Vec<_>) = rows.iter().partition(|row| !row["ended"].is_empty());
    assert_eq!(still.len(), open, "{what}");
    let told = closed.iter().map(|row| (row["account_id"].clone(), money(&row["equity_ended"])));
    assert_eq!(told.collect::<Vec<_>>(), ended, "{what}");
    let told: u64 = rows.iter().map(|row| row["receipts"].parse::<u64>().unwrap()).sum();
    assert_eq!(told, receipts, "{what}");
    for row in rows {
        assert!(!row["started"].is_empty() && !row["equity_started"].is_empty(), "{what}: {row:?}");
    }
}

/// What moves money or positions in every way there is; all other topics add up as well and would take a minute.
const TOPICS: [&str; 10] =
    ["adl", "collateral", "fund", "funding", "hedge", "income", "inverse", "isolated", "loss", "split"];

#[test]
fn scenarios_add_up() {
    let folder = folder("scenarios");
    let (mut files, mut seen) = (Vec::new(), 0);
    for topic in TOPICS {
        let topic = root().join("scenarios").join(topic);
        files.extend(std::fs::read_dir(topic).unwrap().map(|file| file.unwrap().path()));
    }
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "txt")) {
        let file = file.display().to_string();
        let place = folder.join(seen.to_string());
        std::fs::create_dir(&place).unwrap();
        adds_up(&file, &scenario(&place, &file), &place.join("tables"));
        std::fs::remove_dir_all(&place).unwrap();
        seen += 1;
    }
    assert!(seen > 50, "{seen} scenarios");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_crash_adds_up_and_parquet_has_what_csv_has() {
    let folder = folder("crash");
    let venue = crash(&folder);
    let out = folder.join("tables");
    adds_up("2025-10-10", &venue, &out);
    let told = export(&venue, &out, &[]);
    assert!(told["tables"].as_array().unwrap().iter().all(|table| table["rows"].as_u64() > Some(0)), "{told:#}");
    for name in TABLES {
        let (text, typed) = (csv(&out.join(format!("{name}.csv"))), parquet(&out.join(format!("{name}.parquet"))));
        assert_eq!(text.len(), typed.len(), "{name}");
        for (text, typed) in text.iter().zip(&typed) {
            for (column, text) in text {
                let typed = &typed[column];
                let same = match typed.parse::<i64>() {
                    Ok(ns) if ["time", "started", "ended", "expires"].contains(&column.as_str()) => {
                        Time::from_ns(ns).to_string() == *text
                    }
                    _ if typed.contains('.') && column != "details" => {
                        typed.trim_end_matches('0').trim_end_matches('.') == text
                    }
                    _ => typed == text,
                };
                assert!(same, "{name}.{column}: {text:?} is {typed:?} in Parquet");
            }
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn parquet(path: &Path) -> Rows {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let text = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |row: parquet::record::Row| row.get_column_iter().map(|(name, f)| (name.clone(), text(f))).collect();
    reader.get_row_iter(None).unwrap().map(|found| row(found.unwrap())).collect()
}

#[test]
fn up_to_a_sequence_is_how_it_was_then() {
    let folder = folder("at");
    let venue = scenario(&folder, "scenarios/income/ledger.txt");
    let whole = folder.join("whole");
    let last = export(&venue, &whole, &["--format", "csv"])["to"].as_u64().unwrap();
    let read = |out: &Path, name: &str| std::fs::read_to_string(out.join(format!("{name}.csv"))).unwrap();
    let mut digests = BTreeSet::new();
    for at in 1..=last {
        let out = folder.join("part");
        let told = export(&venue, &out, &["--format", "csv", "--force", "--at", &at.to_string()]);
        assert_eq!(told["to"], at);
        digests.insert(told["state_digest"].as_str().unwrap().to_owned());
        for name in ["events", "funding", "income"] {
            let (part, whole) = (read(&out, name), read(&whole, name));
            let rest = whole.strip_prefix(&part).unwrap_or_else(|| panic!("{name} at {at} is no beginning of {name}"));
            let next = rest.lines().next().and_then(|row| row.split(',').next()?.parse::<u64>().ok());
            assert!(next.is_none_or(|next| next > at), "{name} at {at} leaves out {next:?}");
        }
        // The income until then is in the wallets of then.
        let by = |rows: &Rows, amount: &str| {
            sums(rows, |row| Some(((row["account_id"].clone(), row["asset"].clone()), money(&row[amount]))))
        };
        let balances = csv(&out.join("balances.csv")).into_iter().filter(|row| !row["account"].is_empty()).collect();
        assert_eq!(by(&csv(&out.join("income.csv")), "amount"), by(&balances, "wallet"), "at {at}");
    }
    assert!(digests.len() > 5, "{} states", digests.len());
    assert_eq!(read(&folder.join("part"), "balances"), read(&whole, "balances"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_be_exported_is_said_with_its_exit_code() {
    let folder = folder("refused");
    let venue = scenario(&folder, "scenarios/adl/by_rank.txt");
    let out = folder.join("tables").display().to_string();
    let text = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let inside = format!("{venue}/tables");
    let round = format!("{}/../venue/tables", folder.join("venue").display());
    let file = folder.join("file").display().to_string();
    std::fs::write(&file, "kept").unwrap();
    let (far, none) = (format!("{out}/a/b"), folder.join("none").display().to_string());
    let go = |words: &[&str]| plimsoll(&[&["export"], words].concat());
    for (words, code, wanted) in [
        (&[&*venue, "--to", &inside][..], 2, "is in the data directory"),
        (&[&venue, "--to", &venue], 2, "is in the data directory"),
        (&[&venue, "--to", &round], 2, "is in the data directory"),
        (&[&venue, "--to", &file], 3, "it is no folder"),
        (&[&venue, "--to", &far], 3, "cannot write"),
        (&[&venue, "--to", &out, "--at", "1000000"], 2, "is after the end of the journal, which is at "),
        (&[&venue, "--to", &out, "--at", "0"], 2, "0 is not in 1.."),
        (&[&venue, "--to", &out, "--only", "trades"], 2, "possible values: events, balances"),
        (&[&venue, "--to", &out, "--format", "xlsx"], 2, "possible values: parquet, csv"),
        (&[&venue], 2, "--to"),
        (&[&none, "--to", &out], 3, "none"),
    ] {
        let output = go(words);
        let text = text(&output);
        assert!(output.status.code() == Some(code) && text.contains(wanted), "{words:?}: {:?} {text}", output.status);
        assert!(!Path::new(&out).exists(), "{words:?} left a folder");
    }
    done(&["export", &venue, "--to", &out, "--only", "income,orders"]);
    let files = || {
        let names = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(files(), BTreeSet::from(["income.parquet", "orders.parquet"].map(str::to_owned)));
    let again = go(&[&venue, "--to", &out]);
    assert!(again.status.code() == Some(3) && text(&again).contains("it exists\n  hint: --force"), "{}", text(&again));
    assert_eq!(files().len(), 2, "a part of a refused export was left");
    done(&["export", &venue, "--to", &out, "--force"]);
    assert_eq!(files().len(), TABLES.len());
    // A journal that is not as it was written: what was there before stays, and nothing else comes.
    let before = std::fs::read(Path::new(&out).join("events.parquet")).unwrap();
    let segment = Path::new(&venue).join("segment-00000001.plim");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[700] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let spoiled = go(&[&venue, "--to", &out, "--force"]);
    let said = text(&spoiled);
    assert!(spoiled.status.code() == Some(1) && said.contains("not whole") && said.contains("hint: "), "{said}");
    assert_eq!((files().len(), std::fs::read(Path::new(&out).join("events.parquet")).unwrap()), (8, before));
    // The journal was opened by its venue in between, and has no file of ours.
    assert!(std::fs::read_dir(&venue).unwrap().all(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name == "lock" || name.ends_with(".plim")
    }));
    std::fs::remove_dir_all(folder).unwrap();
}
