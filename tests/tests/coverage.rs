//! Every test that `COVERAGE.md` names exists.

use keyway_tests::workspace;

#[test]
fn every_test_that_the_page_names_exists() {
    let page = workspace().join("tests/COVERAGE.md");
    let page = std::fs::read_to_string(page).expect("it can be read");
    let named: Vec<(&str, &str)> = page
        .split('`')
        .filter_map(|quoted| quoted.split_once("::"))
        .collect();
    assert!(named.len() > 50, "the page names tests");
    for (file, test) in named {
        let crates = ["examples/", "host/", "interface/", "macros/"];
        let path =
            match crates.iter().any(|dir| file.starts_with(dir)) || file.starts_with("examples/") {
                true => workspace().join(file),
                false => workspace().join("tests/tests").join(file),
            };
        let source = std::fs::read_to_string(&path);
        let source = source.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            source.contains(&format!("fn {test}(")),
            "{file} has no test {test}"
        );
    }
}
