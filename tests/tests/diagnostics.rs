//! `DIAGNOSTICS.md` lists every code that a host answers, or that is found out about an installation, and is written from the tables that the
//! host itself uses.

use std::collections::BTreeSet;
use std::fmt::Write;

use keyway_host::Code;
use keyway_tests::workspace;

/// Set to write the page anew.
const APPROVE: &str = "KEYWAY_APPROVE_DIAGNOSTICS";

/// All tables: those of the host, and that of what is installed.
fn reference() -> impl Iterator<Item = (&'static str, &'static [&'static Code])> {
    keyway_host::reference().chain([("What is installed", keyway_install::codes::ALL)])
}

#[test]
fn the_page_is_what_the_tables_say() {
    let path = workspace().join("DIAGNOSTICS.md");
    let page = page();
    if std::env::var_os(APPROVE).is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "DIAGNOSTICS.md is not what the host's tables say; write it anew with {APPROVE}=1 cargo \
         test -p keyway-tests --test diagnostics"
    );
}

#[test]
fn every_code_is_there_once_and_explained() {
    let mut seen = BTreeSet::new();
    for (_, codes) in reference() {
        for code in codes {
            assert!(seen.insert(code.id), "{} is there twice", code.id);
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(code.id.chars().all(is_kebab), "{}", code.id);
            for text in [code.cause, code.cure] {
                assert!(
                    text.ends_with('.') && text.len() > 20,
                    "{}: {text}",
                    code.id
                );
            }
        }
    }
    for code in keyway_host::reference().flat_map(|(_, codes)| codes) {
        assert_eq!(keyway_host::explain(code.id), Some(*code));
    }
    assert_eq!(keyway_host::explain("no-such-code"), None);
}

fn page() -> String {
    let mut page = String::from(
        "# Diagnostics\n\n\
         Every refusal and every finding of a host has a code that does not change: \
         `HostError::code`, `Finding::code`, and `code` in the JSON of the command line. This page is \
         written from the tables that the host uses; `keyway_host::explain` answers the same texts. `keyway doctor` tells \
         findings with these codes.\n\n\
         An **error** means that the plugin, or what was asked for, is not used; a **warning** that \
         something is not in order; a **note** is good to know.\n",
    );
    for (title, codes) in reference() {
        let _ = write!(
            page,
            "\n## {title}\n\n| code | | cause | cure |\n|---|---|---|---|\n"
        );
        for code in codes {
            let [cause, cure] = [code.cause, code.cure].map(|text| text.replace('|', "\\|"));
            let _ = writeln!(
                page,
                "| `{}` | {} | {cause} | {cure} |",
                code.id, code.severity
            );
        }
    }
    page
}
