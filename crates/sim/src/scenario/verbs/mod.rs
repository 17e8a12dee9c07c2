//! Every verb: its name, its form, and what it does. Verbs end in commands of the engine or print what a view says; none
//! of them changes anything by itself but the clock and what is printed.

mod auction;
mod ending;
mod ladders;
mod markets;
mod money;
mod options;
mod prices;
mod query;
mod raw;
mod setup;
mod standing;
mod trade;

pub use query::state_line;

use super::Error;
use super::scene::Actor;
use super::words::Words;

/// A verb.
pub struct Verb {
    /// Its name.
    pub name: &'static str,
    /// What follows it.
    pub form: &'static str,
    run: fn(&mut Actor<'_, '_>, &mut Words) -> Result<(), Error>,
}

const fn verb(
    name: &'static str,
    form: &'static str,
    run: fn(&mut Actor<'_, '_>, &mut Words) -> Result<(), Error>,
) -> Verb {
    Verb { name, form, run }
}

/// All verbs but `what_if`, in the order of the documentation.
pub const VERBS: &[Verb] = &[
    verb("at", "MOMENT | +DURATION", setup::at),
    verb("wait", "DURATION", setup::wait),
    verb("tick", "", setup::tick),
    verb("trace", "usual | all | none | EVENT,EVENT", setup::trace),
    verb(
        "asset",
        "NAME [index INDEX | numeraire] [decimals N] [haircut RATE] [tiers ABOVE:RATE,…] [discount RATE] [venue_cap AMOUNT] [borrow RATE DURATION] [borrow_free AMOUNT] [allowance AMOUNT|none]",
        setup::asset,
    ),
    verb(
        "asset_params",
        "ASSET [haircut RATE] [tiers ABOVE:RATE,…] [discount RATE] [venue_cap AMOUNT] [borrow RATE DURATION] [borrow_free AMOUNT] [allowance AMOUNT|none]",
        setup::asset_params,
    ),
    verb(
        "index",
        "NAME [weights N,N] [quorum N] [deviation RATE] [stale DURATION] [speed RATE] [reduce_only_after DURATION] [redemption SOURCE BAND] [fallback INDEX] [fallback_after DURATION] [fallback_band RATE] [settle_after DURATION] [settle_window DURATION] [own PRICE window DURATION anchor DURATION reach RATE] | INDEX PRICE [source N,N] [age DURATION]",
        prices::index,
    ),
    verb("market", "NAME [OPTION VALUE]…", markets::market),
    verb("params", "MARKET [OPTION VALUE]…", markets::params),
    verb(
        "risk",
        "[line below|at] [target RATE] [takeover RATE] [pause DURATION] [calls RATE,RATE] [hysteresis RATE] [outflow RATE] [favour RATE] [favour_cap AMOUNT] [subaccounts N]",
        setup::risk,
    ),
    verb("status", "MARKET open|post_only|reduce_only|cancel_only|halted", markets::status),
    verb("delist", "ASSET at MOMENT RATE [at MOMENT RATE]… | ASSET never", ending::delist),
    verb("settle", "MARKET at MOMENT reduce_only MOMENT window DURATION | MARKET never", ending::settle),
    verb("launch", "INDEX", prices::launch),
    verb("split", "INDEX into N | INDEX join N", ending::split),
    verb("account", "NAME [owner NAME] [fund]", setup::account),
    verb("deposit", "ACCOUNT AMOUNT [ASSET] [ref N]", money::deposit),
    verb("withdraw", "ACCOUNT AMOUNT [ASSET]", money::withdraw),
    verb("confirm", "N", money::confirm),
    verb("return", "N", money::give_back),
    verb("transfer", "FROM TO AMOUNT [ASSET]", money::transfer),
    verb("backstop", "ACCOUNT AMOUNT", money::backstop),
    verb("reserve", "FUND RESERVE LIMIT WINDOW | FUND none", money::reserve),
    verb("bid", "BIDDER auction ACCOUNT MARKET [long|short] size SIZE limit PRICE", auction::bid),
    verb("exit", "ACCOUNT MARKET SIZE", options::exit),
    verb(
        "protect",
        "ACCOUNT INDEX window DURATION [freeze DURATION] [contracts SIZE] [delta SIZE] [vega AMOUNT] | ACCOUNT INDEX none",
        options::protect,
    ),
    verb("fill", "ACCOUNT MARKET SIZE @ PRICE [long|short]", trade::fill),
    verb(
        "buy",
        "ACCOUNT MARKET SIZE [@ PRICE] [market|ioc|fok|post_only] [reduce_only|close_position] [self_trade resting|arriving|both|decrement] [expires MOMENT|+DURATION] [id N] [long|short] [trigger mark|last|index above|below PRICE] [trail mark|last|index above|below RATE%|PRICE [from PRICE]]",
        trade::buy,
    ),
    verb(
        "sell",
        "ACCOUNT MARKET SIZE [@ PRICE] [market|ioc|fok|post_only] [reduce_only|close_position] [self_trade resting|arriving|both|decrement] [expires MOMENT|+DURATION] [id N] [long|short] [trigger mark|last|index above|below PRICE] [trail mark|last|index above|below RATE%|PRICE [from PRICE]]",
        trade::sell,
    ),
    verb("amend", "ACCOUNT ID SIZE @ PRICE | ORDER SIZE @ PRICE", trade::amend),
    verb("cancel", "ACCOUNT ID | ORDER", trade::cancel),
    verb("batch", "{ buy … | sell … | amend … | cancel …, one a line }", trade::batch),
    verb("fee_tier", "OWNER N", setup::fee_tier),
    verb("fee_discount", "RATE", setup::fee_discount),
    verb("fee_asset", "ACCOUNT ASSET | ACCOUNT none", setup::fee_asset),
    verb("cancel_all", "ACCOUNT [MARKET]", trade::cancel_all),
    verb("cancel_all_after", "ACCOUNT DURATION|off", trade::cancel_all_after),
    verb("leverage", "ACCOUNT MARKET N", trade::leverage),
    verb("isolated", "ACCOUNT MARKET", trade::isolated),
    verb("cross", "ACCOUNT MARKET", trade::cross),
    verb("margin", "ACCOUNT MARKET [long|short] AMOUNT", trade::margin),
    verb("limits", "account NAME|owner NAME|group N [orders N] [position AMOUNT] [open AMOUNT]", setup::limits),
    verb("group", "OWNER N|none", setup::group),
    verb(
        "account_status",
        "ACCOUNT active|reduce_only|frozen [normal|owner|risk|security|compliance|legal]",
        standing::account_status,
    ),
    verb("subaccounts", "OWNER N|none", standing::subaccounts),
    verb("collateral", "ACCOUNT ASSET|all", standing::collateral),
    verb("hedge", "ACCOUNT", trade::hedge),
    verb("one_way", "ACCOUNT", trade::one_way),
    verb("mark", "MARKET PRICE [source N,N] [age DURATION]", prices::mark),
    verb("quotes", "INDEX PRICE [INDEX PRICE]… [source N,N] [age DURATION]", prices::quotes),
    verb("funding_rate", "MARKET RATE", markets::funding_rate),
    verb("cmd", "JSON", raw::cmd),
    verb("show", "ACCOUNT | MARKET", query::show),
    verb("book", "MARKET", query::book),
    verb("queue", "MARKET buy|sell", query::queue),
    verb("auctions", "", auction::auctions),
    verb("state", "", query::state),
    verb("income", "ACCOUNT [ASSET]", query::income),
];

/// Does what a line says.
///
/// # Errors
/// When the verb is unknown or its words are not of its form; the form is then the hint.
pub fn perform(actor: &mut Actor<'_, '_>, words: &mut Words) -> Result<(), Error> {
    let word = words.word("a verb")?;
    let Some(verb) = VERBS.iter().find(|verb| verb.name == word.text) else {
        let near = VERBS.iter().find(|verb| verb.name.starts_with(word.text.get(..3).unwrap_or(&word.text)));
        let hint = near.map_or("docs/scenarios.md lists all verbs".to_owned(), |v| format!("{} {}", v.name, v.form));
        return Err(words.wrong(&word, "a verb").hint(hint));
    };
    (verb.run)(actor, words).and_then(|()| words.end()).map_err(|error| match error.hint {
        None => error.hint(format!("{} {}", verb.name, verb.form)),
        Some(_) => error,
    })
}
