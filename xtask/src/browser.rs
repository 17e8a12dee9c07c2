//! Opens the report of a replay in a real browser: nothing on the console, no request, nothing wider than the screen or
//! the paper, in light and dark. It knows Chromium's command line and the page's words for light and dark, not its content.
//!
//! The page stands in frames of one wrapper, whose script measures it: a frame is as narrow as a phone, a window is not.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cargo::Cargo;
use crate::tree;

/// Names of the browser, the first that is there.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const INSTALL: &str = "apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core";
/// One start of the browser takes a few seconds; this is far above any.
const LIMIT: Duration = Duration::from_secs(120);
/// Widths of a desk, a phone and the text of an A4 page, in CSS pixels; the last with the rules for print.
const WIDTHS: [u32; 3] = [1280, 360, 688];
/// Chromium's own number of a colour scheme, its name, and the page's background in it.
const SCHEMES: [(u8, &str, &str); 2] = [(1, "light", "rgb(255, 255, 255)"), (0, "dark", "rgb(18, 23, 27)")];

/// `None` when there is no browser and it is not asked for: that has been said.
pub fn run(root: &Path) -> Result<Option<bool>, String> {
    let Some(browser) = found()? else {
        println!(
            "skipped: no Chromium found, so no page was opened\nhint: {INSTALL}\nhint: or PLIMSOLL_BROWSER=/path/to/chrome cargo xtask browser"
        );
        return Ok(None);
    };
    let folder = tree::target(root).join("browser");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    // One that was killed leaves its lock.
    let _ = fs::remove_dir_all(folder.join("profile"));
    let stage = Stage { browser, folder };
    let pages = [("one", &[][..]), ("compared", &["--compare", "adl-price"][..])];
    let mut bad = 0;
    for (name, options) in pages {
        write_report(root, &stage.folder.join(format!("{name}.html")), options)?;
        for scheme in SCHEMES {
            let findings = stage.open(name, scheme)?;
            println!("{} {name} in {}", if findings.is_empty() { "ok     " } else { "FAILED " }, scheme.1);
            findings.iter().for_each(|finding| println!("  {finding}"));
            bad += findings.len();
        }
    }
    stage.must_notice()?;
    println!("pictures, papers and logs: {}", stage.folder.display());
    Ok(Some(bad == 0))
}

fn found() -> Result<Option<PathBuf>, String> {
    let in_path = || {
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
        BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
    };
    if let Some(path) = std::env::var_os("PLIMSOLL_BROWSER").map(PathBuf::from).or_else(in_path) {
        return Ok(Some(path));
    }
    if std::env::var("CI").as_deref() != Ok("true") {
        return Ok(None);
    }
    println!("CI=true and no Chromium: {INSTALL}");
    let mut command = Command::new("sh");
    let status = command.args(["-c", INSTALL]).env("DEBIAN_FRONTEND", "noninteractive").status();
    let status = status.map_err(|error| format!("cannot run sh: {error}"))?;
    match in_path() {
        Some(path) if status.success() => Ok(Some(path)),
        _ => Err(format!("Chromium cannot be installed: {status}\nhint: {INSTALL}")),
    }
}

fn write_report(root: &Path, page: &Path, options: &[&str]) -> Result<(), String> {
    let mut cargo =
        Cargo::parse("cargo run --quiet --profile test -p plimsoll-cli -- replay 2025-10-10 --quiet --force");
    let words = ["--accounts", "300", "--step", "60", "--report"].iter().chain(options);
    cargo.args.extend(words.map(|word| (*word).to_owned()));
    let at = cargo.args.iter().position(|word| word == "--report").map_or(cargo.args.len(), |at| at + 1);
    cargo.args.insert(at, page.display().to_string());
    let output = cargo.command(root).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}\n{}", cargo.shown(), output.status, String::from_utf8_lossy(&output.stderr)))
}

/// A browser and where its files go.
struct Stage {
    browser: PathBuf,
    folder: PathBuf,
}

/// What a browser said of a page.
#[derive(Default)]
struct Said {
    /// The wrapper as it stood after its script.
    dom: String,
    /// The log, with what reached the console.
    log: String,
    /// The log of the network, an event a line.
    net: String,
}

impl Stage {
    /// Everything that is wrong with a page in a colour scheme.
    fn open(&self, name: &str, scheme: (u8, &str, &str)) -> Result<Vec<String>, String> {
        let said = self.measure(name, scheme)?;
        let mut findings = findings(&said, scheme.2);
        let shot = self.folder.join(format!("{name}-{}.png", scheme.1));
        let paper = self.folder.join(format!("{name}-{}.pdf", scheme.1));
        for file in [&shot, &paper] {
            let _ = fs::remove_file(file); // it may not be there
        }
        let options = [
            format!("--screenshot={}", shot.display()),
            format!("--print-to-pdf={}", paper.display()),
            "--no-pdf-header-footer".to_owned(),
            "--window-size=1280,2000".to_owned(),
        ];
        self.start(scheme.0, &options, &format!("{name}.html"))?;
        let picture = fs::read(&shot).unwrap_or_default();
        if !picture.starts_with(b"\x89PNG") || picture.len() < 50_000 {
            findings.push(format!("the screenshot is empty: {} bytes", picture.len()));
        }
        let pages = paper_pages(&fs::read(&paper).unwrap_or_default());
        if pages < 3 {
            findings.push(format!("printed on {pages} pages"));
        }
        Ok(findings)
    }

    fn measure(&self, name: &str, scheme: (u8, &str, &str)) -> Result<Said, String> {
        let wrapper = format!("{name}-frames.html");
        fs::write(self.folder.join(&wrapper), frames(&format!("{name}.html"))).map_err(|error| error.to_string())?;
        let net = self.folder.join("net.json");
        let options =
            ["--dump-dom".to_owned(), "--enable-logging=stderr".to_owned(), format!("--log-net-log={}", net.display())];
        let (dom, log) = self.start(scheme.0, &options, &wrapper)?;
        let net = fs::read(&net).map_err(|error| format!("no log of the network: {error}"))?;
        Ok(Said { dom, log, net: String::from_utf8_lossy(&net).into_owned() })
    }

    /// One start of the browser: its standard output and error.
    fn start(&self, scheme: u8, options: &[String], page: &str) -> Result<(String, String), String> {
        let [out, err] = ["stdout.txt", "stderr.txt"].map(|name| self.folder.join(name));
        let file = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
        let mut command = Command::new(&self.browser);
        command
            // The sandbox of a process of root does not start; the only page opened is our own.
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            // A frame of a file may be looked into by the file around it.
            .arg("--allow-file-access-from-files")
            .arg(format!("--user-data-dir={}", self.folder.join("profile").display()))
            .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
            .args(options)
            .arg(format!("file://{}", self.folder.join(page).display()))
            .stdin(Stdio::null())
            .stdout(file(&out)?)
            .stderr(file(&err)?);
        let mut child = command.spawn().map_err(|error| format!("cannot start {}: {error}", self.browser.display()))?;
        let end = Instant::now() + LIMIT;
        let status = loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if Instant::now() > end => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("{page}: the browser did not end within {} s", LIMIT.as_secs()));
                }
                None => thread::sleep(Duration::from_millis(50)),
            }
        };
        let [out, err] =
            [out, err].map(|path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned());
        if status.success() { Ok((out, err)) } else { Err(format!("{page}: the browser ended with {status}\n{err}")) }
    }

    /// A page with one fault of each kind: a check that finds none of them finds nothing anywhere.
    fn must_notice(&self) -> Result<(), String> {
        let html = fs::read_to_string(self.folder.join("one.html")).map_err(|error| error.to_string())?;
        let faults = "<img src=\"http://plimsoll.invalid/x.png\"><script>console.error('on purpose')</script><div style=\"width:2000px\">wide</div></header>";
        let broken = html.replacen("Content-Security-Policy", "none", 1).replacen("</header>", faults, 1);
        fs::write(self.folder.join("broken.html"), broken).map_err(|error| error.to_string())?;
        let found = findings(&self.measure("broken", SCHEMES[0])?, SCHEMES[1].2).join("\n");
        let missed: Vec<&str> = ["wider than", "asks for", "on the console", "on the network", "not in its colours"]
            .into_iter()
            .filter(|fault| !found.contains(fault))
            .collect();
        match missed.is_empty() {
            true => Ok(()),
            false => Err(format!("faults made on purpose were not noticed: {}\n{found}", missed.join(", "))),
        }
    }
}

/// The page in frames, and a script that measures each with every table open.
fn frames(page: &str) -> String {
    let frames: String = WIDTHS
        .iter()
        .map(|width| format!("<iframe src=\"{page}\" width=\"{width}\" height=\"900\" style=\"border:0\"></iframe>"))
        .collect();
    format!(
        "<!doctype html><body>{frames}<pre id=\"said\"></pre><script>
addEventListener('load', () => {{
  const lines = [...document.querySelectorAll('iframe')].map((frame, at) => {{
    const page = frame.contentDocument, root = page.documentElement;
    page.querySelectorAll('details').forEach(details => details.open = true);
    if (at === 2) for (const sheet of page.styleSheets) for (const rule of sheet.cssRules)
      if (rule.media && rule.media.mediaText === 'print') rule.media.mediaText = 'all';
    const asked = frame.contentWindow.performance.getEntriesByType('resource').map(entry => entry.name);
    const others = [...page.querySelectorAll('[src],[srcset],[data],link[href]')].map(tag => tag.tagName);
    const words = page.body ? page.body.innerText.length : 0;
    const colour = getComputedStyle(page.body).backgroundColor;
    return ['frame', frame.width, root.clientWidth, root.scrollWidth, words, colour, [...asked, ...others].join(' ')].join('|');
  }});
  document.getElementById('said').textContent = lines.join('\\n');
}});
</script></body>"
    )
}

/// What is wrong, one line each.
fn findings(said: &Said, background: &str) -> Vec<String> {
    let mut found = Vec::new();
    let frames: Vec<Vec<&str>> = said
        .dom
        .lines()
        .filter_map(|line| line.split("</pre>").next()?.rsplit_once("frame|"))
        .map(|(_, cells)| cells.split('|').collect())
        .collect();
    let measured = frames.iter().filter(|cells| cells.len() == 6 && cells[0].parse::<u32>().is_ok()).count();
    if measured != WIDTHS.len() {
        found.push(format!("{measured} of {} frames were measured", WIDTHS.len()));
    }
    for cells in &frames {
        let [width, inside, needed, words, colour, asked] = cells[..] else { continue };
        let number = |text: &str| text.parse::<u32>().unwrap_or(0);
        if number(needed) > number(inside) {
            found.push(format!("wider than {width} px: {needed} px"));
        }
        if number(words) < 1_000 {
            found.push(format!("next to no text at {width} px: {words} characters"));
        }
        // On paper it is always the light one.
        if colour != background && number(width) != WIDTHS[2] {
            found.push(format!("not in its colours at {width} px: {colour} instead of {background}"));
        }
        if !asked.trim().is_empty() {
            found.push(format!("asks for {asked}"));
        }
    }
    found.extend(
        said.log.lines().filter(|line| line.contains(":CONSOLE")).map(|line| format!("on the console: {line}")),
    );
    // The browser has requests of its own; those of the page name it as the one who asks.
    let is_request =
        |line: &&str| line.contains("file://") && (line.contains("\"url\":\"") || line.contains("\"host\":\""));
    let requests = said.net.lines().filter(is_request);
    found.extend(requests.map(|line| format!("on the network: {}", line.get(..300).unwrap_or(line))));
    found
}

/// Pages of a PDF as this browser writes it.
fn paper_pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    if !text.starts_with("%PDF") {
        return 0;
    }
    text.matches("/Type /Page").count() - text.matches("/Type /Pages").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(frames: &str) -> Said {
        Said {
            dom: format!("<script>['frame', x].join('|')</script><pre id=\"said\">{frames}</pre><script>"),
            ..Said::default()
        }
    }

    const GOOD: &str = "frame|1280|1280|1280|5000|white|\nframe|360|360|360|5000|white|\nframe|688|688|688|5000|white|";

    #[test]
    fn a_good_page_has_no_findings_and_each_fault_has_one() {
        assert_eq!(findings(&said(GOOD), "white"), Vec::<String>::new());
        for (from, to, wanted) in [
            ("360|360|360", "360|360|916", "wider than 360 px: 916 px"),
            ("1280|5000", "1280|0", "next to no text at 1280 px"),
            ("white|\nframe|688", "white|http://x/y\nframe|688", "asks for http://x/y"),
            ("frame|360", "frame|", "2 of 3 frames were measured"),
        ] {
            let found = findings(&said(&GOOD.replacen(from, to, 1)), "white");
            assert!(found.len() == 1 && found[0].contains(wanted), "{found:?}");
        }
        assert_eq!(findings(&said(GOOD), "black").len(), 2, "not on paper");
        let mut noisy = said(GOOD);
        noisy.log = "[1:2:INFO:CONSOLE:3] \"boo\"\n[1:2:ERROR:dbus] no bus".to_owned();
        noisy.net = "{\"initiator\":\"not an origin\",\"url\":\"https://own\"}\n{\"initiator\":\"file://\",\"url\":\"https://x\"}".to_owned();
        let found = findings(&noisy, "white");
        assert!(found.len() == 2 && found[0].contains("boo") && found[1].contains("https://x"), "{found:?}");
    }

    #[test]
    fn pages_of_paper_are_counted() {
        assert_eq!(paper_pages(b"%PDF-1.4 /Type /Pages /Type /Page\n/Type /Page\n"), 2);
        assert_eq!(paper_pages(b"<html>"), 0);
    }
}
