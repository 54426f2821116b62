//! `#[data]` and `#[tool]` with the attributes of serde and schemars, and what the tools say.

use keyway::tool::{PathParameter, ToolAnnotations, ToolFunction, ToolSpec};
use keyway::{ErrorKind, PluginError, Result, serde_json};

/// How to greet.
#[keyway::data]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tone {
    /// As one does.
    #[default]
    Polite,
    VeryRude,
}

#[keyway::data]
#[derive(Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Greeting {
    /// Whom to greet.
    #[schemars(length(min = 1))]
    full_name: String,
    /// In which tone.
    #[serde(default)]
    tone: Tone,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u8>,
}

/// Greets a person
/// by name.
///
/// Says it as often as asked for.
#[keyway::tool(name = "greet-person")]
async fn greet(greeting: Greeting) -> Result<String> {
    let Greeting {
        full_name,
        tone,
        times,
    } = greeting;
    let one = match tone {
        Tone::Polite => format!("Good day, {full_name}. "),
        Tone::VeryRude => format!("Oi {full_name}! "),
    };
    Ok(one.repeat(times.unwrap_or(1).into()))
}

/// Counts.
#[keyway::tool]
async fn state(state: &u32) -> Result<u32> {
    Ok(*state)
}

/// Reads a file.
#[keyway::tool]
async fn read(path: Greeting, root: &String) -> std::io::Result<Option<String>> {
    std::fs::read_to_string(format!("{root}/{}", path.full_name)).map(Some)
}

/// Nothing in, nothing out.
#[keyway::tool]
#[deprecated]
async fn r#nothing() -> Result<()> {
    Ok(())
}

/// Says all that there is to say of it.
#[keyway::tool(
    title = "Copy",
    read_only = false,
    idempotent,
    reads = ["from", "filter"],
    writes = "to",
)]
async fn annotated() -> Result<()> {
    Ok(())
}

/// Own errors.
#[keyway::tool]
async fn own() -> Result<Tone, OwnError> {
    Err(OwnError)
}

struct OwnError;

impl From<OwnError> for PluginError {
    fn from(_: OwnError) -> Self {
        PluginError::not_found("mine").code("own")
    }
}

fn run<F: ToolFunction>(state: &F::State, arguments: &str) -> Result<String> {
    let future = std::pin::pin!(F::run(state, arguments.to_owned()));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut cx) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => unreachable!("nothing in here waits"),
    }
}

#[test]
fn a_tool_is_described_by_its_doc_comment_and_its_types() {
    let ToolSpec {
        name,
        description,
        input_schema,
        ..
    } = greet::spec();
    assert_eq!(name, "greet-person");
    assert_eq!(
        description,
        "Greets a person by name.\n\nSays it as often as asked for."
    );
    let expected: serde_json::Value =
        serde_json::from_str(include_str!("data/greeting.schema.json")).expect("it is JSON");
    assert_eq!(input_schema, expected, "found:\n{input_schema:#}");
}

#[test]
fn what_the_attribute_says_of_a_tool_is_in_its_description() {
    let spec = annotated::spec();
    let annotations = ToolAnnotations::new()
        .with_title("Copy")
        .with_read_only(false)
        .with_idempotent(true);
    assert_eq!(spec.annotations, annotations);
    let paths = [
        PathParameter::read("from"),
        PathParameter::read("filter"),
        PathParameter::write("to"),
    ];
    assert_eq!(spec.path_parameters, paths);

    let json = serde_json::to_string(&nothing::spec()).expect("it is JSON");
    assert!(
        !json.contains("annotations") && !json.contains("path"),
        "{json}"
    );
    assert_eq!(
        nothing::spec(),
        serde_json::from_str(&json).expect("it reads back")
    );
}

#[test]
fn arguments_and_answers_are_json() {
    let answer = run::<greet>(
        &(),
        r#"{"fullName": "Ada", "tone": "very-rude", "times": 2}"#,
    );
    assert_eq!(answer.expect("it fits"), r#""Oi Ada! Oi Ada! ""#);
    assert_eq!(run::<nothing>(&(), "{}").expect("it fits"), "null");
    assert_eq!(nothing::spec().name, "nothing");
    assert_eq!(run::<state>(&7, "{}").expect("it fits"), "7");
}

#[test]
fn arguments_that_do_not_fit_are_an_error_that_names_tool_and_field() {
    let error = run::<greet>(&(), r#"{"fullName": "Ada", "mood": 1}"#).expect_err("no such field");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.error_code(), "invalid-arguments");
    let message = error.message();
    assert!(
        message
            .starts_with("the arguments of tool `greet-person` do not fit: unknown field `mood`"),
        "{message}"
    );
}

#[test]
fn errors_of_other_types_are_converted() {
    let error = run::<read>(&"/nowhere".into(), r#"{"fullName": "x"}"#).expect_err("no such file");
    assert_eq!(error.kind(), ErrorKind::Failed);
    let error = run::<own>(&(), "{}").expect_err("it always fails");
    assert_eq!(
        (error.kind(), error.error_code()),
        (ErrorKind::NotFound, "own")
    );
}
