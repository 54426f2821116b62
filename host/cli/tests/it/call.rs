//! `keyway call`: one tool of a plugin, and everything that can keep it from answering.

use expect_test::expect;

use crate::libraries::{libraries, library};
use crate::run::{Run, keyway};

fn redact(arguments: &str) -> Run {
    keyway("call")
        .arg(library("text-filter"))
        .args_of("redact", arguments)
}

/// `misbehaves` doing what it is told by `--config`.
fn misbehaves(settings: &[&str]) -> Run {
    let run = keyway("call --host-version 1.0.0")
        .arg(library("misbehaves"))
        .args_of("double", r#"{"number": 21}"#);
    settings
        .iter()
        .fold(run, |run, setting| run.arg(format!("--config={setting}")))
}

impl Run {
    fn args_of(self, tool: &str, arguments: &str) -> Self {
        self.arg(tool).arg(arguments).name(libraries(), "[LIBS]")
    }
}

#[test]
fn the_answer_is_one_line_of_json_on_stdout() {
    redact(r#"{"text": "mail bob@example.com"}"#).check(&expect![[r#"
        exit 0
        --- stdout
        {"findings":[{"end":20,"kind":"email","start":5}],"text":"mail [email]"}
    "#]]);
}

#[test]
fn a_dash_reads_the_arguments_from_stdin() {
    redact("-")
        .stdin(r#"{"text": "from stdin: bob@example.com"}"#)
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"findings":[{"end":27,"kind":"email","start":12}],"text":"from stdin: [email]"}
        "#]]);
    redact("-").stdin("").check(&expect![[r#"
        exit 2
        --- stderr
        error: the arguments of tool `redact` are not JSON: EOF while parsing a value at line 1 column 0, found nothing
    "#]]);
}

#[test]
fn the_configuration_reaches_the_plugin() {
    redact(r#"{"text": "bob@example.com"}"#)
        .arg("--config=replacement=\"<{kind}>\"")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"findings":[{"end":15,"kind":"email","start":0}],"text":"<email>"}
        "#]]);
}

#[test]
fn a_configuration_that_is_not_json_is_refused() {
    redact(r#"{"text": ""}"#)
        .arg("--config=replacement=stars")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: invalid value 'replacement=stars' for '--config <KEY=JSON>': `replacement` is not JSON: expected value at line 1 column 1; a text needs quotes: 'replacement="text"'

            For more information, try '--help'.
        "#]]);
}

#[test]
fn an_unknown_tool_is_answered_with_the_nearest_name() {
    keyway("call")
        .arg(library("text-filter"))
        .arg("redcat")
        .check(&expect![[r#"
            exit 5
            --- stderr
            error: plugin 'text-filter' v0.1.0 offers no tool `redcat`
            hint: did you mean `redact`?
        "#]]);
}

#[test]
fn a_name_that_is_no_tool_is_told_for_what_it_is() {
    keyway("call --host-version 1.0.0")
        .arg(library("misbehaves"))
        .arg("trouble")
        .check(&expect![[r#"
            exit 5
            --- stderr
            error: plugin 'misbehaves' v0.1.0 offers no tool `trouble`
            hint: `trouble` is offered as tests.trouble/1, which is no keyway.tool/1
        "#]]);
}

#[test]
fn arguments_that_are_not_json_are_refused_with_the_place() {
    redact("{text: 1}").check(&expect![[r#"
        exit 2
        --- stderr
        error: the arguments of tool `redact` are not JSON: key must be a string at line 1 column 2, found `{text: 1}`
        hint: put the whole in single quotes: '{"key": "value"}'
    "#]]);
}

#[test]
fn arguments_that_do_not_fit_the_schema_are_refused_with_what_fits() {
    redact(r#"{"txt": "bob@example.com"}"#).check(&expect![[r#"
        exit 2
        --- stderr
        error: the arguments of tool `redact` do not fit: the arguments: Additional properties are not allowed ('txt' was unexpected) (and 1 more)
        hint: redact takes {"kinds"?: array, "replacement"?: string, "text": string}
    "#]]);
    keyway("call --json")
        .arg(library("text-filter"))
        .args_of("redact", "{}")
        .check(&expect![[r#"
            exit 2
            --- stderr
            {"error":{"code":"invalid-arguments","exit_code":2,"hint":"redact takes {\"kinds\"?: array, \"replacement\"?: string, \"text\": string}","message":"the arguments of tool `redact` do not fit: the arguments: \"text\" is a required property","retryable":false},"schema_version":1}
        "#]]);
}

#[test]
fn a_deadline_needs_a_unit() {
    redact("{}").arg("--deadline=5").check(&expect![[r#"
        exit 2
        --- stderr
        error: invalid value '5' for '--deadline <TIME>': expected a number above 0 with one of the units ms, s or m, found `5`

        For more information, try '--help'.
    "#]]);
}

#[test]
fn an_error_of_the_tool_is_told_with_its_message() {
    redact(r#"{"text": "", "kinds": ["secrets"]}"#).check(&expect![[r#"
        exit 1
        --- stderr
        error: tool `redact` failed: unknown kind "secrets"; expected one of private-key, jwt, github-token, aws-key, payment-card, iban, email, ip, phone
    "#]]);
}

#[test]
fn a_plugin_that_fails_to_prepare_is_told_with_its_own_words() {
    redact(r#"{"text": ""}"#)
        .arg(r#"--config=custom_patterns=["broken=("]"#)
        .check(&expect![[r#"
            exit 1
            --- stderr
            error: plugin 'text-filter' v0.1.0 ([LIBS]/text-filter.so): prepare failed: invalid setting `custom_patterns`: custom pattern "broken" is not a regular expression: unclosed group, at byte 0
        "#]]);
}

#[test]
fn a_panic_is_told_with_its_place() {
    misbehaves(&["at=\"activate\""]).check(&expect![[r#"
        exit 1
        --- stderr
        error: plugin 'misbehaves' v0.1.0 ([LIBS]/misbehaves.so): activate failed: the plugin panicked: asked to panic at Activate (at tests/fixtures/misbehaves/src/settings.rs:[LINE])
    "#]]);
}

#[test]
fn an_error_as_json_has_all_parts_and_says_whether_to_try_again() {
    misbehaves(&["at=\"activate\"", "how=\"fail\""])
        .arg("--json")
        .check(&expect![[r#"
            exit 1
            --- stderr
            {"error":{"code":"activate","exit_code":1,"message":"activate failed: asked to fail at Activate","path":"[LIBS]/misbehaves.so","plugin":"'misbehaves' v0.1.0","retryable":true},"schema_version":1}
        "#]]);
}

#[test]
fn an_undeclared_registration_is_refused_with_what_to_add() {
    misbehaves(&["offer=\"undeclared\""]).check(&expect![[r#"
        exit 1
        --- stderr
        error: plugin 'misbehaves' v0.1.0 ([LIBS]/misbehaves.so): registered tests.trouble `trouble-too`, which its manifest does not declare: expected trouble, found `trouble-too`
        hint: add "trouble-too" to `tests.trouble` under [plugin.capabilities] in plugin.toml
    "#]]);
}

#[test]
fn what_is_declared_and_not_offered_is_a_warning() {
    misbehaves(&["offer=\"nothing\""]).check(&expect![[r#"
        exit 5
        --- stderr
        warning: its manifest declares no setting `offer`, whose value is passed on unchecked
        warning: its manifest declares keyway.tool `double`, which it did not register; hint: register it in activate, or take it out of plugin.toml
        warning: its manifest declares tests.trouble `trouble`, which it did not register; hint: register it in activate, or take it out of plugin.toml
        error: plugin 'misbehaves' v0.1.0 offers no tool `double`
        hint: it offers nothing; what it registers in activate is offered
    "#]]);
}

#[test]
fn a_plugin_that_fails_to_end_does_not_spoil_the_answer() {
    misbehaves(&["at=\"deactivate\"", "how=\"fail\""]).check(&expect![[r#"
        exit 0
        --- stdout
        {"calls":1,"double":42}
        --- stderr
        warning: its manifest declares no setting `at`, whose value is passed on unchecked
        warning: its manifest declares no setting `how`, whose value is passed on unchecked
        warning: plugin 'misbehaves' v0.1.0: deactivate failed: asked to fail at Deactivate
    "#]]);
}

#[test]
fn a_panic_on_the_way_out_is_told_once() {
    misbehaves(&["at=\"deactivate\""]).check(&expect![[r#"
        exit 0
        --- stdout
        {"calls":1,"double":42}
        --- stderr
        warning: its manifest declares no setting `at`, whose value is passed on unchecked
        warning: plugin 'misbehaves' v0.1.0: deactivate failed: the plugin panicked: asked to panic at Deactivate (at tests/fixtures/misbehaves/src/settings.rs:[LINE])
    "#]]);
}

#[test]
fn a_plugin_for_another_version_of_the_application_is_refused() {
    keyway("call")
        .arg(library("misbehaves"))
        .args_of("double", "{}")
        .check(&expect![[r#"
            exit 3
            --- stderr
            error: plugin 'misbehaves' v0.1.0 ([LIBS]/misbehaves.so): wants another version of keyway: expected at least 1.0.0 (min_host_version), found 0.1.0
            hint: keyway stands in for the application; say which version of it with --host-version
        "#]]);
}

#[test]
fn several_libraries_are_not_guessed_from() {
    keyway("call")
        .arg(libraries())
        .args_of("redact", "{}")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: [LIBS]: expected one library, found 4: logs.so, misbehaves.so, not-a-plugin.so, text-filter.so
            hint: give the file of one of them
        "#]]);
}

/// `logs` doing what it is told, with what it logs on stderr.
fn logs(what: &str, options: &str) -> Run {
    keyway("call --host-version 1.0.0")
        .arg(library("logs"))
        .args_of("log", &format!("{{\"what\": \"{what}\"}}"))
        .args(options)
        .env("RUST_LOG", "")
}

#[test]
fn what_a_plugin_logs_is_shown_from_warnings_on() {
    logs("levels", "").check(&expect![[r#"
        exit 0
        --- stdout
        null
        --- stderr
        ERROR logs: level plugin="logs"
         WARN logs: level plugin="logs"
    "#]]);
}

#[test]
fn the_level_of_what_is_shown_moves_with_verbose_and_quiet() {
    let cases = [("-qq", 0), ("-q", 1), ("", 2), ("-v", 3), ("-vv", 4)];
    for (options, lines) in cases {
        let output = logs("levels", options).output();
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        let of_plugin = stderr.lines().filter(|line| line.contains("logs: level"));
        assert_eq!(of_plugin.count(), lines, "{options}: {stderr}");
    }
}

#[test]
fn directives_in_the_environment_choose_what_is_shown() {
    logs("levels", "")
        .env("RUST_LOG", "off,logs=info")
        .check(&expect![[r#"
            exit 0
            --- stdout
            null
            --- stderr
            ERROR logs: level plugin="logs"
             WARN logs: level plugin="logs"
             INFO logs: level plugin="logs"
        "#]]);
}

#[test]
fn a_panic_of_a_tool_is_told_with_its_place() {
    logs("panic", "").check(&expect![[r#"
            exit 1
            --- stderr
            error: tool `log` panicked: told to
              at: tests/fixtures/logs/src/lib.rs:[LINE]
        "#]]);
}
