//! Tables: the numbers behind each chart, to be read by anyone and copied.

use super::chart::escape;
use std::fmt::Write;

/// A table under a summary that opens it.
pub fn folded(summary: &str, caption: &str, head: &[String], rows: &[Vec<String>]) -> String {
    format!("<details><summary>Table: {}</summary>{}</details>", escape(summary), framed("scroll", caption, head, rows))
}

/// A table that is always shown.
pub fn open(caption: &str, head: &[String], rows: &[Vec<String>]) -> String {
    framed("scroll whole", caption, head, rows)
}

/// Cells are HTML already. The first cell of a row names it; a row that begins with "total" is the sum.
fn framed(class: &str, caption: &str, head: &[String], rows: &[Vec<String>]) -> String {
    let label = escape(caption);
    let mut out = format!(
        "<div class=\"{class}\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table><caption>{label}</caption><thead><tr>"
    );
    for cell in head {
        let _ = write!(out, "<th scope=\"col\">{cell}</th>");
    }
    out += "</tr></thead><tbody>";
    for row in rows {
        let is_sum = row.first().is_some_and(|cell| cell == "total");
        out += if is_sum { "<tr class=\"sum\">" } else { "<tr>" };
        for (at, cell) in row.iter().enumerate() {
            let _ = if at == 0 { write!(out, "<th scope=\"row\">{cell}</th>") } else { write!(out, "<td>{cell}</td>") };
        }
        out += "</tr>";
    }
    out += "</tbody></table></div>";
    out
}
