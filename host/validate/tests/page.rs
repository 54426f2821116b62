//! `VALIDATE.md` has the table of checks that the program has.

use std::path::Path;

/// Set to write the table anew.
const APPROVE: &str = "KEYWAY_APPROVE_CHECKS";
const BEGIN: &str = "<!-- checks -->\n";
const END: &str = "<!-- end of checks -->";

#[test]
fn the_page_has_the_table_of_checks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../VALIDATE.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (table, after) = rest.split_once(END).expect("the table ends");
    let expected = keyway_validate::reference();
    if std::env::var_os(APPROVE).is_some() {
        let page = format!("{before}{BEGIN}{expected}{END}{after}");
        std::fs::write(&path, page).expect("the page can be written");
        return;
    }
    assert_eq!(
        table, expected,
        "the table of VALIDATE.md is not that of the program; write it anew with {APPROVE}=1 cargo test -p \
         keyway-validate --test page"
    );
}
