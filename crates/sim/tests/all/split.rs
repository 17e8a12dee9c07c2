//! A split changes the unit and nothing else: equity and maintenance of everyone, the balance of open interest, and each
//! liquidation price divided by the factor.

use engine::{AccountId, Command, Engine, MarketId};
use plimsoll_sim::scenario;

/// Equity, initial and maintenance margin of each account, then what each position cost and its result.
fn figures(engine: &Engine) -> Vec<String> {
    let state = engine.state();
    let accounts = (0..state.accounts.len()).map(AccountId::at);
    accounts
        .map(|id| {
            let costs: Vec<_> = state.account(id).exposures.iter().map(|e| (e.leg, e.cost)).collect();
            format!("{:?} {costs:?}", state.terms(id))
        })
        .collect()
}

/// Open interest, Σ of long and Σ of short contracts, 1e-8.
fn interest(engine: &Engine) -> [i128; 3] {
    let sizes = engine.state().accounts.iter().flat_map(|a| &a.exposures).map(|e| i128::from(e.size.units()));
    let (long, short): (Vec<i128>, Vec<i128>) = sizes.partition(|size| *size > 0);
    [engine.state().market(MarketId(0)).open_interest, long.iter().sum(), -short.iter().sum::<i128>()]
}

/// Liquidation prices of every position of an account, 1e-8.
fn lines(engine: &Engine, account: u32) -> Vec<(String, i64)> {
    let view = serde_json::to_value(engine.account_view(AccountId(account)).unwrap()).unwrap();
    let mut lines = Vec::new();
    for position in view["positions"].as_array().unwrap() {
        for side in ["below", "above"] {
            if let Some(price) = position["liquidation_price"][side]["at"].as_str() {
                lines.push((format!("{side} {}", position["leg"]), price.parse::<units::Price>().unwrap().units()));
            }
        }
    }
    lines
}

#[test]
fn a_split_leaves_every_account_as_it_was() {
    for (words, times, over) in [("into 8", 8, 1), ("into 1000", 1_000, 1), ("join 5", 1, 5)] {
        let text = format!(
            "market TOK-PERP tick 0.01 lot 0.1 tiers 2000:5%:2.5% 9000:10%:6% 1000000:20%:15% funding 1h mark median\n\
             index TOK 20\ndeposit ann 2000\ndeposit bob 3000\ndeposit cid 500\nhedge bob\nisolated cid TOK-PERP\n\
             fill ann TOK-PERP +317.3 @ 20\nfill bob TOK-PERP +90.1 @ 20.08 long\nfill bob TOK-PERP -301.7 @ 19.95 short\n\
             leverage cid TOK-PERP 5\nfill cid TOK-PERP -40 @ 20.4\nindex TOK 21.5\nfunding_rate TOK-PERP 0.0137%\n\
             at +1h\ntick\nindex TOK 19.6\nstatus TOK-PERP halted\nsplit TOK {words}\n"
        );
        let mut before: Option<Engine> = None;
        let mut seen = false;
        let mut watch = |step: scenario::Step<'_>| {
            if let (Command::SplitIndex { .. }, Some(old)) = (step.command, &before) {
                seen = step.result.is_ok();
                assert_eq!(figures(step.engine), figures(old), "{words}");
                let [open, long, short] = interest(old);
                assert_eq!(long, short);
                assert_eq!(interest(step.engine), [open, long, short].map(|units| units * times / over), "{words}");
                let mut any = 0;
                for account in 0..u32::try_from(old.state().accounts.len()).unwrap() {
                    for (was, is) in lines(old, account).into_iter().zip(lines(step.engine, account)) {
                        // Each is rounded to the early side in its own unit.
                        let (was, is) = (i128::from(was.1) * over, i128::from(is.1) * times);
                        assert!((was - is).abs() <= times.max(over), "{words}: {was} {is}");
                        any += 1;
                    }
                }
                assert!(any >= 3, "{any} liquidation prices");
            }
            before = Some(step.engine.clone());
        };
        scenario::run_observed(&text, &mut watch).unwrap();
        assert!(seen, "{words}");
    }
}
