//! Every kind of mistake in the host's file, with the exact lines that it is answered with.

use super::read;

/// The cases are in `messages.txt`. A case starts with `==== ` and what it is about; after `----` come
/// the lines of the error, or else of the warnings.
#[test]
fn every_mistake_is_told_in_these_words() {
    let cases = include_str!("messages.txt");
    let mut told = String::new();
    for case in cases.split("==== ").skip(1) {
        let (input, _) = case.split_once("----\n").expect("a case has two parts");
        let (_, text) = input.split_once('\n').expect("a case has a first line");
        let lines = match read(text) {
            Err(error) => error.to_string(),
            Ok(settings) => {
                let lines = settings.warnings.iter();
                let lines = lines.map(|warning| format!("warning: {warning}"));
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        told.push_str(&format!("==== {input}----\n{lines}\n"));
    }
    assert_eq!(told, cases);
}

#[test]
fn as_many_problems_as_a_manifest_may_have_are_listed_and_the_rest_counted() {
    let text: String = (0..103)
        .map(|index| format!("[plugin.p{index}]\nenabled = 1\n"))
        .collect();
    let error = read(&text).expect_err("all are wrong");
    assert_eq!(error.findings().len(), 100);
    assert_eq!(error.omitted(), 3);
    assert!(error.to_string().ends_with("\nand 3 more problems"));
}

#[test]
fn a_key_of_too_many_parts_is_refused_before_the_parser_sees_it() {
    let text = format!("a{} = 1", ".b".repeat(10_000));
    let error = read(&text).expect_err("it is too deep");
    assert!(error.to_string().contains("nested too deeply"), "{error}");
}

#[test]
fn too_many_tables_at_the_top_are_refused() {
    let text: String = (0..1_025).map(|index| format!("k{index} = 1\n")).collect();
    let error = read(&text).expect_err("there are too many");
    assert_eq!(
        error.to_string(),
        "conf/keyway.toml:1025:1: too many keys; expected at most 1024 at the top level, found 1025"
    );
}
