//! Charts as static SVG: axes with units, lines, stacked areas and bars. A chart knows numbers and labels, not what they
//! mean. Binary floats are fine here: they end in a tenth of a pixel.

use std::fmt::Write;

/// A drawing area in its own units; it is scaled to the width that the page has for it.
#[derive(Clone, Copy)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

/// For columns and phones.
pub const SMALL: Size = Size { width: 340.0, height: 210.0 };
/// For the whole width of a desk.
pub const WIDE: Size = Size { width: 780.0, height: 280.0 };

const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 26.0;

/// What a line or an area looks like and is called.
#[derive(Clone, Copy)]
pub struct Ink<'a> {
    pub class: &'static str,
    pub label: &'a str,
}

/// Numbers on one axis.
#[derive(Clone, Copy)]
pub struct Span {
    pub low: f64,
    pub high: f64,
}

impl Span {
    /// Around all values; never empty.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high { Self { low: 0.0, high: 1.0 } } else { Self { low, high } }
    }

    /// With zero in it.
    pub fn with_zero(self) -> Self {
        let high = self.high.max(0.0);
        Self { low: self.low.min(0.0), high: if high == 0.0 && self.low >= 0.0 { 1.0 } else { high } }
    }

    /// Wider to whole ticks, and the ticks.
    fn ticks(self, wanted: f64) -> (Self, Vec<f64>) {
        let width = (self.high - self.low).max(self.high.abs().max(self.low.abs()).max(1e-12) * 1e-3);
        let rough = width / wanted;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(10.0 * power);
        let (low, high) = ((self.low / step).floor() * step, (self.high / step).ceil() * step);
        let high = if high > low { high } else { low + step };
        let mut ticks = Vec::new();
        let mut at = low;
        while at <= high + step * 0.01 && ticks.len() < 20 {
            ticks.push(if at.abs() < step * 1e-6 { 0.0 } else { at });
            at += step;
        }
        (Self { low, high }, ticks)
    }
}

/// One chart in the making.
pub struct Chart {
    size: Size,
    x: Span,
    y: Span,
    body: String,
}

impl Chart {
    /// A frame with horizontal rules; `label` makes the text of a tick, `unit` stands above the axis.
    pub fn new(size: Size, x: Span, y: Span, unit: &str, label: &dyn Fn(f64) -> String) -> Self {
        let (y, ticks) = y.ticks(if size.height > 240.0 { 5.0 } else { 4.0 });
        let mut chart = Self { size, x, y, body: String::new() };
        let right = size.width - RIGHT;
        for tick in &ticks {
            let at = chart.py(*tick);
            let zero = if *tick == 0.0 { " class=\"zero\"" } else { " class=\"rule\"" };
            let _ = write!(
                chart.body,
                "<path{zero} d=\"M{LEFT} {at:.1}H{right}\"/><text class=\"end\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
                LEFT - 6.0,
                at + 4.0,
                escape(&label(*tick))
            );
        }
        let _ = write!(chart.body, "<text x=\"4\" y=\"12\" class=\"unit\">{}</text>", escape(unit));
        chart
    }

    fn px(&self, x: f64) -> f64 {
        let width = self.size.width - LEFT - RIGHT;
        LEFT + width * (x - self.x.low) / (self.x.high - self.x.low).max(1e-12)
    }

    fn py(&self, y: f64) -> f64 {
        let height = self.size.height - TOP - BOTTOM;
        self.size.height - BOTTOM - height * (y - self.y.low) / (self.y.high - self.y.low).max(1e-12)
    }

    /// Labels below; those that would touch the one before are left out.
    pub fn x_labels(&mut self, labels: &[(f64, String)]) {
        let base = self.size.height - BOTTOM;
        let mut free = 0.0;
        for (at, text) in labels {
            let half = 3.4 * f64::from(u32::try_from(text.chars().count()).unwrap_or(0));
            let x = self.px(*at).clamp(half, self.size.width - half);
            if x - half < free {
                continue;
            }
            free = x + half + 8.0;
            let _ = write!(
                self.body,
                "<path class=\"tick\" d=\"M{:.1} {base:.0}v4\"/><text class=\"mid\" x=\"{x:.1}\" y=\"{:.0}\">{}</text>",
                self.px(*at),
                base + 17.0,
                escape(text)
            );
        }
    }

    /// A line through points.
    pub fn line(&mut self, ink: Ink<'_>, values: &[f64]) {
        let mut path = String::new();
        for (at, value) in values.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if at == 0 { "M" } else { "L" }, self.px(place(at)), self.py(*value));
        }
        let _ = write!(self.body, "<path class=\"line {}\" d=\"{path}\"/>", ink.class);
    }

    /// Bars side by side over whole numbers of x, each `width` wide, from `base` to `base + value`; one path.
    pub fn bars(&mut self, ink: Ink<'_>, bars: impl Iterator<Item = (f64, f64, f64)>, width: f64) {
        let mut path = String::new();
        for (x, base, value) in bars.filter(|(_, _, value)| *value != 0.0) {
            let (left, right) = (self.px(x), self.px(x + width));
            let (low, high) = (self.py(base), self.py(base + value));
            let high = if low - high < 0.6 { low - 0.6 } else { high };
            let _ = write!(path, "M{left:.1} {low:.1}V{high:.1}H{right:.1}V{low:.1}Z");
        }
        if !path.is_empty() {
            let _ = write!(self.body, "<path class=\"fill {}\" d=\"{path}\"/>", ink.class);
        }
    }

    /// An upright line with a word beside it.
    pub fn upright(&mut self, x: f64, text: &str) {
        let at = self.px(x);
        let anchor = if at > self.size.width / 2.0 { ("end", -5.0) } else { ("start", 5.0) };
        let _ = write!(
            self.body,
            "<path class=\"here\" d=\"M{at:.1} {TOP:.0}V{:.0}\"/><text class=\"{}\" x=\"{:.1}\" y=\"{:.0}\">{}</text>",
            self.size.height - BOTTOM,
            anchor.0,
            at + anchor.1,
            TOP + 11.0,
            escape(text)
        );
    }

    /// The whole drawing. `summary` is what a reader who cannot see it is told.
    pub fn finish(self, class: &str, summary: &str) -> String {
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            self.size.width,
            self.size.height,
            escape(summary),
            self.body
        )
    }
}

/// A place on an axis that counts from 0.
pub fn place(at: usize) -> f64 {
    f64::from(u32::try_from(at).unwrap_or(u32::MAX))
}

/// A number in three figures at most with k, M or B.
pub fn tick(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v >= 1e9 => (value / 1e9, "B"),
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = match scaled.abs() {
        v if v == 0.0 || v >= 100.0 => format!("{scaled:.0}"),
        v if v >= 10.0 => trim(format!("{scaled:.1}")),
        v if v >= 1.0 => trim(format!("{scaled:.2}")),
        v if v >= 0.01 => trim(format!("{scaled:.4}")),
        _ => trim(format!("{scaled:.8}")),
    };
    minus(&format!("{text}{unit}"))
}

fn trim(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share as percent.
pub fn percent(value: f64) -> String {
    let text = if value.abs() >= 0.1 { format!("{:.0}", value * 100.0) } else { trim(format!("{:.4}", value * 100.0)) };
    minus(&format!("{text} %"))
}

/// A true minus sign, as wide as a plus.
pub fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

/// Text inside HTML or an attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let (span, ticks) = Span { low: 3.0, high: 97.0 }.ticks(5.0);
        assert_eq!((span.low, span.high, ticks), (0.0, 100.0, vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]));
        let (span, ticks) = Span { low: 7.0, high: 7.0 }.ticks(4.0);
        assert!(span.low <= 7.0 && span.high > span.low && ticks.len() >= 2);
        let (_, ticks) = Span { low: -0.03, high: 0.01 }.ticks(4.0);
        assert!(ticks.contains(&0.0));
        assert_eq!(
            [0.0, 1.5, 9_999.0, 12_500.0, -2e6, 0.0302].map(tick),
            ["0", "1.5", "9999", "12.5k", "−2M", "0.0302"]
        );
        assert_eq!([0.2, 0.005, -0.000161].map(percent), ["20 %", "0.5 %", "−0.0161 %"]);
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn labels_below_do_not_touch() {
        let span = Span { low: 0.0, high: 1.0 };
        let mut chart = Chart::new(SMALL, span, span, "", &tick);
        let before = chart.body.matches("class=\"mid\"").count();
        chart.x_labels(&(0..100).map(|n| (f64::from(n) / 100.0, "00:00".to_owned())).collect::<Vec<_>>());
        assert!((3..9).contains(&(chart.body.matches("class=\"mid\"").count() - before)));
    }
}
