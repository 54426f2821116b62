//! What the macros accept and what they refuse, each refusal with one error at the right place.
//!
//! `pass` is compiled with this test. `fail` holds mistakes that the macros find themselves, so
//! that the wording is the same with every compiler. `judged` holds those that the compiler
//! finds; its wording changes, so they are compared with that of one version only.

mod pass;

/// The compiler that wrote the expectations in `judged`.
const JUDGE: &str = "1.95";

#[test]
fn each_mistake_is_one_error_at_the_place_of_the_mistake() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/macros/fail/*.rs");
    if keyway::version::RUSTC.contains(JUDGE) {
        cases.compile_fail("tests/macros/judged/*.rs");
    } else {
        skip(&format!(
            "tests/macros/judged has the wording of rustc {JUDGE}, this is {}",
            keyway::version::RUSTC
        ));
    }
}

#[expect(
    clippy::print_stderr,
    reason = "what is left out is seen with --nocapture"
)]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
