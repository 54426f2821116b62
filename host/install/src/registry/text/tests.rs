use proptest::prelude::*;

use super::*;

const LINE: &str = "{\"format\":1,\"name\":\"one\",\"version\":\"1.0.0\",\"interface\":\"1.0\",\
                    \"min_host_version\":\"0.1.0\",\"targets\":{\"any\":{\"archive\":\"a/b-1.0.0+x.tar.gz\",\
                    \"hash\":\"blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\",\
                    \"size\":12}},\"yanked\":false}";

fn one() -> PluginId {
    PluginId::new("one").expect("an id")
}

#[test]
fn the_example_of_the_reference_reads_and_is_written_in_the_same_way() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../REGISTRY.md");
    let page = std::fs::read_to_string(page).expect("it is there");
    let example = page.split("```json\n").nth(1).expect("an example");
    let (example, _) = example.split_once("```").expect("it ends");
    let name = PluginId::new("weather").expect("an id");
    let index = read(&name, example).expect("it reads");
    assert_eq!(write(&index), example);
    assert_eq!(index.releases.len(), 2);
}

#[test]
fn lines_of_later_formats_are_passed_over_and_kept() {
    let newer = "{\"format\":2,\"name\":[]}";
    let index = read(&one(), &format!("{newer}\n{LINE}\n")).expect("it reads");
    assert_eq!(index.releases.len(), 1);
    assert_eq!(write(&index), format!("{LINE}\n{newer}\n"));
}

#[test]
fn each_thing_that_is_wrong_is_told_with_its_line() {
    for (from, to, fault) in [
        (
            "\"one\"",
            "\"two\"",
            "expected the name 'one', found \"two\"",
        ),
        (
            "a/b-",
            "../b-",
            "the archive \"../b-1.0.0+x.tar.gz\" has `..` in it: expected a path inside of the registry",
        ),
        (
            "a/b-",
            "https://e.org/b-",
            "the archive \"https://e.org/b-1.0.0+x.tar.gz\" is a URL: expected a path inside of the registry",
        ),
        (
            "a/b-",
            "a%2fb-",
            "the archive \"a%2fb-1.0.0+x.tar.gz\" has '%' in its path",
        ),
        (
            "\"size\":12",
            "\"size\":1073741825",
            "the archive \"a/b-1.0.0+x.tar.gz\" is too large: expected at most 1073741824 bytes, found \
             1073741825",
        ),
        (
            "\"size\":12",
            "\"size\":-1",
            "invalid value: integer `-1`, expected u64, at column 227",
        ),
        (
            "\"1.0\"",
            "\"1\"",
            "the interface: expected such as \"1.0\", found \"1\"",
        ),
    ] {
        let text = format!(
            "{LINE}\n{}\n",
            LINE.replace("1.0.0\",\"int", "1.0.1\",\"int")
                .replace(from, to)
        );
        let error = read(&one(), &text).expect_err(fault);
        assert_eq!(
            error.message(),
            format!("the index of 'one' does not read: line 2: {fault}")
        );
        assert_eq!(error.code(), "index");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", at in 0..300_usize) {
        let _ = read(&one(), &text);
        let mut line = LINE.to_owned();
        let at = at.min(line.len());
        line.insert_str(at, &text);
        let _ = read(&one(), &line);
    }
}
