//! What is planned for each kind of trigger, in which order, and with which words.

mod properties;

use semver::{Version, VersionReq};

use super::{Facts, Plan, Reason, Trigger, plan};
use crate::resolve::{Dependency, Subject, resolve};

/// A plugin as both parts see it.
#[derive(Clone, Debug)]
struct Piece<'a> {
    facts: Facts<'a>,
    needs: Vec<&'a str>,
}

fn piece<'a>(id: &'a str, declares: &[(&'a str, &'a str)], hints: &[Trigger<'a>]) -> Piece<'a> {
    let facts = Facts {
        id,
        declares: declares.to_vec(),
        hints: hints.to_vec(),
        startup: false,
    };
    Piece {
        facts,
        needs: Vec::new(),
    }
}

impl<'a> Piece<'a> {
    fn needs(mut self, ids: &[&'a str]) -> Self {
        self.needs.extend(ids);
        self
    }

    fn at_startup(mut self) -> Self {
        self.facts.startup = true;
        self
    }
}

fn planned(trigger: Trigger<'_>, pieces: &[Piece<'_>]) -> Plan {
    let (version, any) = (Version::new(1, 0, 0), VersionReq::STAR);
    let subjects = pieces.iter().map(|piece| {
        let needs = piece.needs.iter().map(|id| Dependency {
            id,
            versions: &any,
            optional: false,
        });
        let mut subject = Subject::new(piece.facts.id, &version);
        subject.dependencies.extend(needs);
        subject
    });
    let subjects: Vec<Subject<'_>> = subjects.collect();
    let facts: Vec<Facts<'_>> = pieces.iter().map(|piece| piece.facts.clone()).collect();
    plan(trigger, &facts, &resolve(&subjects, &[]))
}

/// Compares entries, as `id: reason, reason`, and findings.
#[track_caller]
fn check(trigger: Trigger<'_>, pieces: &[Piece<'_>], expected: &[&str]) {
    let plan = planned(trigger, pieces);
    let entries = plan.entries.iter().map(|entry| {
        let reasons: Vec<String> = entry.reasons.iter().map(Reason::to_string).collect();
        format!("{}: {}", entry.plugin, reasons.join(", "))
    });
    let findings = plan.findings.iter();
    let findings = findings.map(|f| format!("{} {}: {f}", f.severity(), f.code));
    assert_eq!(entries.chain(findings).collect::<Vec<_>>(), expected);
}

#[test]
fn who_declares_what_is_used_is_started_for_each_kind() {
    let capability = |id, name| Trigger::Capability { id, name };
    for (trigger, declares, reason) in [
        (
            Trigger::Tool("x"),
            "keyway.tool",
            "declares keyway.tool 'x'",
        ),
        (
            Trigger::Command("x"),
            "keyway.command",
            "declares keyway.command 'x'",
        ),
        (
            Trigger::Channel("x"),
            "keyway.channel",
            "declares keyway.channel 'x'",
        ),
        (
            Trigger::Provider("x"),
            "keyway.provider",
            "declares keyway.provider 'x'",
        ),
        (
            capability("acme.filter", None),
            "acme.filter",
            "declares acme.filter 'x'",
        ),
        (
            capability("acme.filter", Some("x")),
            "acme.filter",
            "declares acme.filter 'x'",
        ),
        (
            capability("keyway.tool", Some("x")),
            "keyway.tool",
            "declares keyway.tool 'x'",
        ),
    ] {
        let owner = piece("owner", &[(declares, "x"), ("acme.other", "x")], &[]);
        let other = piece("other", &[("acme.another", "x")], &[]);
        check(trigger, &[owner, other], &[&format!("owner: {reason}")]);
    }
}

#[test]
fn hints_come_before_owners_and_each_after_what_it_needs() {
    let pieces = [
        piece("alpha", &[("keyway.tool", "redact")], &[]).needs(&["words"]),
        piece("omega", &[], &[Trigger::Tool("redact")]).needs(&["store"]),
        piece("store", &[], &[]),
        piece("words", &[], &[]).needs(&["store"]),
        piece(
            "both",
            &[("keyway.tool", "redact")],
            &[Trigger::Tool("redact")],
        ),
        piece(
            "unasked",
            &[("keyway.tool", "restore")],
            &[Trigger::Tool("restore")],
        ),
    ];
    let expected = [
        "both: asks to be started on tool:redact, declares keyway.tool 'redact'",
        "store: dependency of 'omega', dependency of 'words'",
        "omega: asks to be started on tool:redact",
        "words: dependency of 'alpha'",
        "alpha: declares keyway.tool 'redact'",
    ];
    check(Trigger::Tool("redact"), &pieces, &expected);
    let plan = planned(Trigger::Tool("redact"), &pieces);
    let ids = ["both", "store", "omega", "words", "alpha"];
    assert_eq!(plan.ids().collect::<Vec<_>>(), ids);
    let labels: Vec<&str> = plan.entries[0].reasons.iter().map(Reason::label).collect();
    assert_eq!(labels, ["hint", "declares"]);
}

#[test]
fn what_an_owner_needs_is_started_before_it_even_if_it_was_hinted_itself() {
    let pieces = [
        piece("audit", &[], &[Trigger::Tool("redact")]).needs(&["zebra"]),
        piece("zebra", &[], &[Trigger::Tool("redact")]),
    ];
    let expected = [
        "zebra: asks to be started on tool:redact, dependency of 'audit'",
        "audit: asks to be started on tool:redact",
    ];
    check(Trigger::Tool("redact"), &pieces, &expected);
}

#[test]
fn a_hint_for_a_whole_capability_stands_for_its_names_and_the_other_way_round() {
    let tools = Trigger::Capability {
        id: "keyway.tool",
        name: None,
    };
    let audit = [piece("audit", &[], &[tools])];
    check(
        Trigger::Tool("redact"),
        &audit,
        &["audit: asks to be started on capability:keyway.tool"],
    );
    let redact = [piece("redact", &[], &[Trigger::Tool("redact")])];
    check(
        tools,
        &redact,
        &["redact: asks to be started on tool:redact"],
    );
}

#[test]
fn event_hints_are_patterns_and_replace_the_guess_about_hooks() {
    let hooks = &[("keyway.event-hook", "log")];
    let pieces = [
        piece("exact", hooks, &[Trigger::Event("message.received")]),
        piece("group", hooks, &[Trigger::Event("message.*")]),
        piece(
            "other",
            hooks,
            &[Trigger::Event("timer.*"), Trigger::Tool("x")],
        ),
        piece("silent", hooks, &[Trigger::Tool("x")]),
        piece("none", &[], &[]),
    ];
    let expected = [
        "exact: asks to be started on event:message.received",
        "group: asks to be started on event:message.*",
        "silent: has event hooks, and no hint about their topics",
    ];
    check(Trigger::Event("message.received"), &pieces, &expected);
}

#[test]
fn the_start_of_the_host_starts_what_is_not_lazy_and_what_that_needs() {
    let pieces = [
        piece("eager", &[], &[])
            .needs(&["lazy-but-needed"])
            .at_startup(),
        piece("lazy", &[("keyway.tool", "x")], &[]),
        piece("lazy-but-needed", &[], &[]),
    ];
    let expected = [
        "lazy-but-needed: dependency of 'eager'",
        "eager: starts with the host",
    ];
    check(Trigger::Startup, &pieces, &expected);
    check(Trigger::Startup, &[], &[]);
}

#[test]
fn a_blocked_plugin_is_no_part_of_the_plan_and_is_told_of() {
    let pieces = [
        piece("broken", &[("keyway.tool", "redact")], &[]).needs(&["gone"]),
        piece("sound", &[("keyway.tool", "redact")], &[]),
    ];
    let finding = "error activation-blocked: plugin 'broken': would be started for tool 'redact', and \
                   is blocked: needs 'gone' *, which is missing; hint: install 'gone', or enable it if \
                   it is disabled";
    let sound = "sound: declares keyway.tool 'redact'";
    check(Trigger::Tool("redact"), &pieces, &[sound, finding]);
    check(Trigger::Tool("redact"), &pieces[..1], &[finding]);

    let stranger = [Facts {
        declares: vec![("keyway.tool", "redact")],
        ..Facts::new("stranger")
    }];
    let plan = plan(Trigger::Tool("redact"), &stranger, &resolve(&[], &[]));
    assert_eq!(
        plan.findings[0].to_string(),
        "plugin 'stranger': would be started for tool 'redact', and was not resolved with the others; \
         hint: plan with the plugins that were resolved"
    );
}

#[test]
fn nothing_to_activate_names_what_may_be_meant_or_what_there_is() {
    let pieces = [
        piece(
            "filter",
            &[("keyway.tool", "redact"), ("keyway.tool", "restore")],
            &[],
        ),
        piece(
            "copy",
            &[("keyway.tool", "redact"), ("acme.filter", "blur")],
            &[],
        ),
    ];
    check(
        Trigger::Tool("redcat"),
        &pieces,
        &[
            "warning nothing-to-activate: no plugin declares tool 'redcat', or asks to be started for \
             it; hint: 'copy' has 'redact'; is that what is meant?",
        ],
    );
    check(
        Trigger::Tool("summarize"),
        &pieces,
        &[
            "warning nothing-to-activate: no plugin declares tool 'summarize', or asks to be started \
             for it; hint: there are these names: redact, restore",
        ],
    );
    check(
        Trigger::Command("status"),
        &pieces,
        &[
            "warning nothing-to-activate: no plugin declares command 'status', or asks to be started \
             for it; hint: no plugin declares anything of keyway.command; install or enable one that \
             does",
        ],
    );
    let capability = |id, name| Trigger::Capability { id, name };
    check(
        capability("acme.fliter", None),
        &pieces,
        &[
            "warning nothing-to-activate: no plugin declares capability acme.fliter, or asks to be \
             started for it; hint: 'copy' has 'acme.filter'; is that what is meant?",
        ],
    );
    check(
        capability("acme.sound", None),
        &pieces,
        &[
            "warning nothing-to-activate: no plugin declares capability acme.sound, or asks to be \
             started for it; hint: there are these capabilities: acme.filter, keyway.tool",
        ],
    );
    check(
        capability("acme.filter", Some("blurr")),
        &pieces,
        &[
            "warning nothing-to-activate: no plugin declares capability acme.filter named 'blurr', or \
             asks to be started for it; hint: 'copy' has 'blur'; is that what is meant?",
        ],
    );
    check(
        capability("acme.filter", None),
        &[],
        &[
            "warning nothing-to-activate: no plugin declares capability acme.filter, or asks to be \
             started for it; hint: no plugin declares anything at all; install or enable one that does",
        ],
    );
}

#[test]
fn an_event_that_nobody_listens_to_is_only_a_note() {
    let pieces = [piece("log", &[], &[Trigger::Event("message.received")])];
    check(
        Trigger::Event("message.recieved"),
        &pieces,
        &[
            "note no-listener: no plugin listens to event 'message.recieved'; hint: there are hooks for \
             'message.received'; is that what is meant?",
        ],
    );
    check(
        Trigger::Event("timer"),
        &pieces,
        &["note no-listener: no plugin listens to event 'timer'"],
    );
}

#[test]
fn triggers_read_as_in_a_manifest() {
    let capability = |name| Trigger::Capability {
        id: "acme.filter",
        name,
    };
    for (trigger, text) in [
        (Trigger::Startup, "startup"),
        (Trigger::Tool("x"), "tool:x"),
        (Trigger::Command("x"), "command:x"),
        (Trigger::Channel("x"), "channel:x"),
        (Trigger::Provider("x"), "provider:x"),
        (capability(None), "capability:acme.filter"),
        (capability(Some("x")), "capability:acme.filter:x"),
        (Trigger::Event("a.*"), "event:a.*"),
    ] {
        assert_eq!(trigger.to_string(), text);
    }
}

#[test]
fn ten_times_the_plugins_are_ten_times_the_edges_to_look_at() {
    let effort = |plugins: usize| {
        let ids: Vec<String> = (0..plugins).map(|n| format!("plugin-{n:06}")).collect();
        let in_a_row = (0..plugins).map(|n| {
            let piece = piece(&ids[n], &[], &[]).at_startup();
            match n {
                0 => piece,
                _ => piece.needs(&[&ids[n - 1]]),
            }
        });
        let pieces: Vec<Piece<'_>> = in_a_row.collect();
        let (plan, steps) = crate::steps::of(|| planned(Trigger::Startup, &pieces));
        assert_eq!(plan.ids().len(), plugins);
        steps
    };
    let (few, many) = (effort(300), effort(3000));
    assert!(many <= 11 * few, "{few} for 300, {many} for 3000");
}
