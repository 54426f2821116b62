//! Reports in the XML of JUnit, which continuous integration reads: one suite for each library, one case for
//! each check.

use std::fmt::Write;

use crate::report::{Record, Report};
use crate::verdict::Outcome;

/// The reports as one document.
///
/// A failed check is a `failure`, one that ended the process an `error`. A warning is a case that passed, with
/// its text under `system-out`.
pub fn junit(reports: &[Report]) -> String {
    let all = |outcome| -> usize { reports.iter().map(|report| report.count(outcome)).sum() };
    let tests: usize = reports.iter().map(|report| report.checks.len()).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"keyway validate\" tests=\"{tests}\" failures=\"{}\" errors=\"{}\">\n",
        all(Outcome::Failed),
        all(Outcome::Crashed)
    );
    for report in reports {
        suite(&mut xml, report);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, report: &Report) {
    let name = report.plugin.clone();
    let name = name.unwrap_or_else(|| report.library.display().to_string());
    let time: u64 = report.checks.iter().map(Record::milliseconds).sum();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">",
        escape(&name),
        report.checks.len(),
        report.count(Outcome::Failed),
        report.count(Outcome::Crashed),
        report.count(Outcome::Skipped),
        seconds(time),
    );
    let _ = writeln!(
        xml,
        "    <properties>\n      <property name=\"library\" value=\"{}\"/>\n      \
         <property name=\"seed\" value=\"{}\"/>\n    </properties>",
        escape(&report.library.display().to_string()),
        report.seed
    );
    for record in &report.checks {
        case(xml, &name, record);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, suite: &str, record: &Record) {
    let verdict = &record.verdict;
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
        escape(suite),
        escape(record.id),
        seconds(record.milliseconds())
    );
    let mut text = String::new();
    if let Some(hint) = &verdict.hint {
        let _ = writeln!(text, "hint: {hint}");
    }
    if let Some(case) = &verdict.reproduce {
        let _ = writeln!(text, "reproduce: {case}");
    }
    for detail in &verdict.details {
        let _ = writeln!(text, "{detail}");
    }
    let element = match record.outcome() {
        Outcome::Success => return xml.push_str("/>\n"),
        Outcome::Skipped => "skipped",
        Outcome::Failed => "failure",
        Outcome::Crashed => "error",
        Outcome::Warning => {
            let text = format!("warning: {}\n{text}", verdict.message);
            let _ = writeln!(
                xml,
                ">\n      <system-out>{}</system-out>\n    </testcase>",
                escape(&text)
            );
            return;
        }
    };
    let _ = writeln!(
        xml,
        ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>",
        escape(&verdict.message),
        escape(&text)
    );
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Text for XML 1.0, which has no place for most control characters, not even escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.extend(c.escape_default());
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn each_outcome_has_its_element_and_nothing_breaks_the_document() {
        let failed = Verdict::failed("expected <a>, found \"b\" & \u{1b}[2J")
            .hint("mend it")
            .reproduce("tool-input:1:2".to_owned());
        let checks = [
            Verdict::success("fine"),
            Verdict::skipped("no tools"),
            Verdict::warning("slow"),
            failed,
            Verdict::crashed("SIGSEGV"),
        ];
        let report = Report {
            library: "lib.so".into(),
            plugin: Some("p".to_owned()),
            version: None,
            seed: 1,
            cases: 2,
            checks: checks
                .into_iter()
                .map(|verdict| Record {
                    id: "check",
                    verdict,
                    took: Duration::from_millis(1_234),
                })
                .collect(),
        };
        let xml = junit(&[report]);
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="keyway validate" tests="5" failures="1" errors="1">
  <testsuite name="p" tests="5" failures="1" errors="1" skipped="1" time="6.170">
    <properties>
      <property name="library" value="lib.so"/>
      <property name="seed" value="1"/>
    </properties>
    <testcase classname="p" name="check" time="1.234"/>
    <testcase classname="p" name="check" time="1.234">
      <skipped message="no tools"></skipped>
    </testcase>
    <testcase classname="p" name="check" time="1.234">
      <system-out>warning: slow&#10;</system-out>
    </testcase>
    <testcase classname="p" name="check" time="1.234">
      <failure message="expected &lt;a&gt;, found &quot;b&quot; &amp; \u{1b}[2J">hint: mend it&#10;reproduce: tool-input:1:2&#10;</failure>
    </testcase>
    <testcase classname="p" name="check" time="1.234">
      <error message="SIGSEGV"></error>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(xml, expected);
    }
}
