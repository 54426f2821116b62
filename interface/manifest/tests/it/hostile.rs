//! Text that was made to break the reader: it is answered with an error, in bounded time and stack.

use keyway_manifest::{Manifest, ManifestError, limits};

/// The stack of a thread that Rust starts by default is twice this.
const STACK_BYTES: usize = 1 << 20;

/// Reads on a small stack, where deep recursion would abort the test.
#[track_caller]
fn refuse(text: String, read: fn(&str, &str) -> Result<Manifest, ManifestError>) -> String {
    let reader = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            read(&text, "f")
                .expect_err("hostile text is refused")
                .to_string()
        });
    reader
        .expect("a thread starts")
        .join()
        .expect("the reader does not panic")
}

#[track_caller]
fn refuse_toml(text: String, expected: &str) {
    let error = refuse(text, Manifest::from_toml);
    assert!(error.contains(expected), "{error}");
}

/// Tables within tables, each below a dotted key of `parts` parts.
fn nested_tables(parts: usize, levels: usize) -> String {
    let key = vec!["a"; parts].join(".");
    format!(
        "{}{key} = 1{}",
        format!("{key} = {{").repeat(levels),
        "}".repeat(levels)
    )
}

#[test]
fn deep_toml_is_refused_before_it_overflows_the_stack() {
    refuse_toml(nested_tables(80, 78), "this key is nested too deeply");
    refuse_toml(
        nested_tables(limits::MAX_KEY_PARTS, 78),
        "this value is nested too deeply",
    );
    refuse_toml(nested_tables(limits::MAX_KEY_PARTS, 10_000), "invalid TOML");
    refuse_toml(format!("a = {}", "[".repeat(100_000)), "invalid TOML");
    refuse_toml(
        format!("[{}]", vec!["a"; 50_000].join(".")),
        "this key is nested too deeply",
    );
    refuse_toml(
        format!("[{}]", vec!["'a'"; 40_000].join(" . ")),
        "this key is nested too deeply",
    );
    refuse_toml("{a.a.a.a.a.a.a=[".repeat(10_000), "invalid TOML");
}

#[test]
fn dots_in_strings_and_numbers_are_no_nesting() {
    let text = format!(
        "[plugin]\nid = \"a\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"\n\
         description = \"{}\"\n[plugin.config.a]\ntype = \"array\"\nitems = \"number\"\n\
         default = [{}]\n",
        "a.".repeat(100),
        "1.5, ".repeat(100),
    );
    Manifest::from_toml(&text, "plugin.toml").unwrap_or_else(|error| panic!("{error}"));
}

#[cfg(feature = "json")]
#[test]
fn deep_json_is_refused_before_it_overflows_the_stack() {
    for text in [
        "[".repeat(200_000),
        "{\"a\":".repeat(50_000),
        "[{\"a\":".repeat(30_000),
    ] {
        let error = refuse(text, Manifest::from_json);
        assert!(error.contains("this value is nested too deeply"), "{error}");
    }
}

#[test]
fn a_manifest_that_is_too_long_is_not_read() {
    let text = "#".repeat(limits::MAX_TEXT_BYTES + 1);
    refuse_toml(
        text,
        "f:1:1: the manifest is too long; expected at most 262144 bytes, found 262145 bytes",
    );
}

#[cfg(feature = "json")]
#[test]
fn embedded_json_may_be_longer_than_the_text_it_was_made_from() {
    let text = format!("{{\"plugin\": {{}}}}{}", " ".repeat(limits::MAX_TEXT_BYTES));
    let error = Manifest::from_json(&text, "f").unwrap_err().to_string();
    assert!(error.contains("the manifest is too long"), "{error}");
    let error = Manifest::from_embedded(&text).unwrap_err().to_string();
    assert!(error.contains("missing key `id`"), "{error}");
}

#[test]
fn lists_and_tables_are_bounded() {
    let names: String = (0..=limits::MAX_ENTRIES)
        .map(|n| format!("\"n{n}\", "))
        .collect();
    refuse_toml(
        format!("plugin.capabilities.tools = [{names}]"),
        "`plugin.capabilities.tools` has too many entries; expected at most 1024, found 1025",
    );
    let needed: String = (0..=limits::MAX_ENTRIES)
        .map(|n| format!("n{n} = \"1\"\n"))
        .collect();
    refuse_toml(
        format!("[plugin.dependencies]\n{needed}"),
        "`plugin.dependencies` has too many entries; expected at most 1024, found 1025",
    );
}

#[test]
fn strings_are_bounded() {
    let license = "x".repeat(limits::MAX_LINE_CHARS + 1);
    refuse_toml(
        format!("[plugin]\nlicense = \"{license}\"\n"),
        "f:2:11: `plugin.license` is too long; expected at most 2048 characters, \
         found 2049 characters",
    );
}

#[test]
fn only_so_many_problems_are_listed() {
    let text: String = (0..500).map(|n| format!("k{n} = 1\n")).collect();
    let error = Manifest::from_toml(&text, "f").unwrap_err();
    assert_eq!(error.diagnostics().len(), limits::MAX_DIAGNOSTICS);
    assert_eq!(error.omitted(), 401);
    assert!(error.to_string().ends_with("\nand 401 more problems"));
    assert!(
        error
            .rendered()
            .to_string()
            .ends_with("\nand 401 more problems")
    );
}

#[test]
fn control_characters_of_a_file_never_reach_the_terminal() {
    for text in [
        "\u{1b}[31m = 1",
        "plugin = \"\u{1b}[31m\"",
        "\"\\u001b[31m\" = 1",
        "[plugin]\nid = \"\\u001b[31m\\u202e\"",
        "[plugin.config.\"\\u001b\"]\ntype = \"\\u001b\"",
        "[plugin.dependencies]\n\"\\u001b\" = \"\\u001b\"",
        "[plugin.capabilities]\n\"\\u001b.a\" = \"\\u001b\"",
        "[plugin]\nversion = \"\\u001b\"",
        "[plugin.config.a]\ntype = \"enum\"\nvalues = [\"\\u001b\"]\ndefault = \"\\u001b\"",
    ] {
        let error = Manifest::from_toml(text, "f").unwrap_err();
        for shown in [error.to_string(), error.rendered().to_string()] {
            let is_hostile = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!shown.contains(is_hostile), "{shown:?}");
        }
    }
}
