//! Round trips of both forms, and what readers do with bytes that nobody wrote.

use std::error::Error;
use std::fmt;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Owned {
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Bool(bool),
    Str(String),
    Debug(String),
    Bytes(Vec<u8>),
    Error(Vec<String>),
}

impl Owned {
    fn write(&self, writer: &mut ValueWriter, field: usize) {
        match self {
            Owned::I64(value) => writer.i64(field, *value),
            Owned::U64(value) => writer.u64(field, *value),
            Owned::I128(value) => writer.i128(field, *value),
            Owned::U128(value) => writer.u128(field, *value),
            Owned::F64(value) => writer.f64(field, *value),
            Owned::Bool(value) => writer.bool(field, *value),
            Owned::Str(value) => writer.str(field, value),
            Owned::Debug(value) => writer.debug(field, &format_args!("{value}")),
            Owned::Bytes(value) => writer.byte_string(field, value),
            Owned::Error(texts) => writer.error(field, &Chained::new(texts)),
        }
    }

    fn read(&self) -> Value<'_> {
        match self {
            Owned::I64(value) => Value::I64(*value),
            Owned::U64(value) => Value::U64(*value),
            Owned::I128(value) => Value::I128(*value),
            Owned::U128(value) => Value::U128(*value),
            Owned::F64(value) => Value::F64(*value),
            Owned::Bool(value) => Value::Bool(*value),
            Owned::Str(value) => Value::Str(value),
            Owned::Debug(value) => Value::Debug(value),
            Owned::Bytes(value) => Value::Bytes(value),
            Owned::Error(texts) => {
                Value::Error(ErrorChain(texts.iter().map(String::as_str).collect()))
            }
        }
    }
}

#[derive(Debug)]
struct Chained {
    text: String,
    source: Option<Box<Chained>>,
}

impl Chained {
    fn new(texts: &[String]) -> Self {
        let source = (texts.len() > 1).then(|| Box::new(Chained::new(&texts[1..])));
        Chained {
            text: texts[0].clone(),
            source,
        }
    }
}

impl fmt::Display for Chained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Chained {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &dyn Error)
    }
}

fn owned() -> impl Strategy<Value = Owned> {
    prop_oneof![
        any::<i64>().prop_map(Owned::I64),
        any::<u64>().prop_map(Owned::U64),
        any::<i128>().prop_map(Owned::I128),
        any::<u128>().prop_map(Owned::U128),
        any::<f64>()
            .prop_filter("NaN differs from itself", |x| !x.is_nan())
            .prop_map(Owned::F64),
        any::<bool>().prop_map(Owned::Bool),
        any::<String>().prop_map(Owned::Str),
        any::<String>().prop_map(Owned::Debug),
        any::<Vec<u8>>().prop_map(Owned::Bytes),
        prop::collection::vec(any::<String>(), 1..5).prop_map(Owned::Error),
    ]
}

fn written(values: &[(u16, Owned)]) -> ValueWriter {
    let mut writer = ValueWriter::new();
    for (field, value) in values {
        value.write(&mut writer, usize::from(*field));
    }
    writer
}

proptest! {
    #[test]
    fn values_survive_the_round_trip(values in prop::collection::vec((any::<u16>(), owned()), 0..40)) {
        let writer = written(&values);
        let read = Values::new(writer.bytes()).collect::<Result<Vec<_>, _>>().unwrap();
        let expected: Vec<_> =
            values.iter().map(|(field, value)| (usize::from(*field), value.read())).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn call_sites_survive_the_round_trip(
        (kinds, level) in (any::<u8>(), 0..5usize),
        (name, target) in any::<(String, String)>(),
        (module, file, line) in any::<(Option<String>, Option<String>, Option<u32>)>(),
        fields in prop::collection::vec(any::<String>(), 0..40),
    ) {
        let levels = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];
        let callsite = Callsite {
            kinds: Kinds(kinds),
            level: levels[level],
            name: &name,
            target: &target,
            module_path: module.as_deref(),
            file: file.as_deref(),
            line,
            fields: fields.iter().map(String::as_str).collect(),
        };
        let mut bytes = callsite.encode();
        prop_assert_eq!(Callsite::decode(&bytes), Ok(callsite.clone()));
        bytes.extend_from_slice(b"what a later minor appends");
        prop_assert_eq!(Callsite::decode(&bytes), Ok(callsite));
    }

    #[test]
    fn any_bytes_read_as_something_or_as_an_error(bytes in any::<Vec<u8>>()) {
        let _ = Callsite::decode(&bytes);
        let read = Values::new(&bytes).count();
        prop_assert!(read <= bytes.len());
    }

    #[test]
    fn damaged_values_never_panic(
        values in prop::collection::vec((any::<u16>(), owned()), 1..8),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = written(&values).bytes().to_vec();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        let _ = Values::new(&bytes).count();
    }

    #[test]
    fn a_cut_call_site_is_an_error(fields in prop::collection::vec(any::<String>(), 0..4)) {
        let callsite = Callsite {
            kinds: Kinds::EVENT,
            level: Level::Info,
            name: "name",
            target: "target",
            module_path: Some("module"),
            file: None,
            line: Some(7),
            fields: fields.iter().map(String::as_str).collect(),
        };
        let bytes = callsite.encode();
        for end in 0..bytes.len() {
            prop_assert!(Callsite::decode(&bytes[..end]).is_err(), "cut at {}", end);
        }
    }
}

#[test]
fn an_unknown_type_of_value_is_skipped_by_its_length() {
    let mut writer = ValueWriter::new();
    writer.u64(0, 1);
    let mut bytes = writer.bytes().to_vec();
    bytes.extend_from_slice(&[1, 0, 200, 3, 0, 0, 0, 9, 9, 9]);
    bytes.extend_from_slice(written(&[(2, Owned::Bool(true))]).bytes());
    let read = Values::new(&bytes).collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(
        read,
        [
            (0, Value::U64(1)),
            (1, Value::Unknown),
            (2, Value::Bool(true))
        ]
    );
}

#[test]
fn the_values_before_a_damaged_one_are_read_and_nothing_after_it() {
    let mut bytes = written(&[(0, Owned::U64(1)), (1, Owned::U64(2))])
        .bytes()
        .to_vec();
    bytes.truncate(bytes.len() - 1);
    let read: Vec<_> = Values::new(&bytes).collect();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0], Ok((0, Value::U64(1))));
    let error = read[1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a log record does not read: a value at byte 22"
    );
}

#[test]
fn a_long_text_is_cut_at_a_character_and_says_so() {
    let long = "ä".repeat(20_000);
    let mut writer = ValueWriter::new();
    writer.str(0, &format!("x{long}"));
    writer.bool(1, true);
    let read = Values::new(writer.bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let (0, Value::Str(text)) = read[0] else {
        panic!("{read:?}")
    };
    assert!(text.len() <= 16 * 1024 + 3, "{} bytes", text.len());
    assert!(text.starts_with("xä") && text.ends_with("ä…"));
    assert_eq!(read[1], (1, Value::Bool(true)));
}

#[test]
fn a_record_stops_growing_at_its_limit() {
    let mut writer = ValueWriter::new();
    for field in 0..1_000 {
        writer.str(field, &"x".repeat(10_000));
    }
    let read = Values::new(writer.bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    assert_eq!(read.len(), 7);
}

#[test]
fn an_endless_debug_implementation_ends_at_the_limit() {
    struct Endless;
    impl fmt::Debug for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("again ")?;
            }
        }
    }
    let mut writer = ValueWriter::new();
    writer.debug(0, &Endless);
    let Some(Ok((0, Value::Debug(text)))) = Values::new(writer.bytes()).next() else {
        panic!()
    };
    assert!(text.starts_with("again again ") && text.ends_with('…'));
}

#[test]
fn a_panicking_debug_implementation_costs_only_its_own_value() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half ")?;
            std::panic::resume_unwind(Box::new("boom"));
        }
    }
    let mut writer = ValueWriter::new();
    writer.u64(0, 1);
    writer.debug(1, &Panics);
    writer.u64(2, 3);
    let read = Values::new(writer.bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    assert_eq!(
        read,
        [
            (0, Value::U64(1)),
            (1, Value::Debug("half <panicked while it was formatted>")),
            (2, Value::U64(3)),
        ]
    );
}

#[test]
fn an_error_that_is_its_own_source_ends() {
    #[derive(Debug)]
    struct Circular;
    impl fmt::Display for Circular {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("around")
        }
    }
    impl Error for Circular {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Circular)
        }
    }
    let mut writer = ValueWriter::new();
    writer.error(0, &Circular);
    let Some(Ok((0, Value::Error(chain)))) = Values::new(writer.bytes()).next() else {
        panic!()
    };
    assert_eq!(chain.0, ["around"; 17]);
}
