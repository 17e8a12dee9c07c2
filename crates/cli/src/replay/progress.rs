//! Progress on standard error, where that is a terminal: simulated time, a mark, and what has been closed.

use super::table::{plain, short};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sim::replay::Progress;

/// One line that is drawn again and again; nothing where nobody looks.
pub struct Bar(ProgressBar);

impl Bar {
    /// Hidden when asked for, or when standard error is no terminal.
    pub fn new(hidden: bool) -> Self {
        let bar = ProgressBar::new(0);
        if hidden {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3}% {msg}") {
            bar.set_style(style);
        }
        bar.set_message("opening accounts");
        bar.tick();
        Self(bar)
    }

    /// Tells a step.
    pub fn tell(&mut self, p: &Progress<'_>) {
        if self.0.is_hidden() {
            return;
        }
        let (symbol, mark) = (p.lead.0, &p.lead.1);
        let time = p.at.to_string();
        self.0.set_length(p.steps);
        self.0.set_message(format!(
            "{}  {symbol} {}  below the line {}  in liquidation {}  closed {}  adl {}",
            time.get(..16).unwrap_or(&time),
            plain(mark),
            p.below,
            p.liquidating,
            short(p.closed),
            p.receipts
        ));
        self.0.set_position(p.step);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
