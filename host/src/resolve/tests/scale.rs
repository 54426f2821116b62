//! How the work grows, in edges that are looked at and in text that is written, and not in seconds.

use std::fmt::Write;
use std::thread;

use super::world::World;
use crate::resolve::resolve;
use crate::steps;

/// All ids have the same length, so that texts differ by what they say only.
fn id(number: usize) -> String {
    format!("plugin-{number:06}")
}

type Shape = (&'static str, fn(usize, usize) -> String);

/// What the plugin of a number among so many wants.
const SHAPES: [Shape; 10] = [
    ("alone", |_, _| String::new()),
    ("a chain", |n, all| match n + 1 {
        next if next < all => format!("needs {} *", id(next)),
        _ => String::new(),
    }),
    ("a chain whose end misses something", |n, _| {
        format!("needs {} *", id(n + 1))
    }),
    ("one circle", |n, all| {
        format!("needs {} *", id((n + 1) % all))
    }),
    ("small circles", |n, all| {
        format!(
            "needs {} * | needs {} *",
            id(n ^ 1),
            id((n + 2).min(all - 1))
        )
    }),
    ("five dependencies each", |n, _| {
        let next = (1..6).map(|k| format!("can-use {} ^1", id(n * k / 7)));
        next.collect::<Vec<_>>().join(" | ")
    }),
    ("all need one, of many versions", |n, _| {
        format!("needs {} ^{}", id(0), n % 5)
    }),
    ("all require what all offer", |n, _| {
        format!(
            "can-require acme.x | requires acme.x | offers acme.x {}",
            id(n)
        )
    }),
    (
        "half require what the other half offers, and cannot",
        |n, _| match n % 2 {
            0 => format!("requires acme.x | can-require acme.x {}", id(n)),
            _ => format!("offers acme.x {} | needs gone *", id(n)),
        },
    ),
    ("everybody misses another name", |n, _| {
        format!("needs missing-{n:06} * | requires acme.x-{n:06}")
    }),
];

fn world(plugins: usize, wants: fn(usize, usize) -> String) -> World {
    let mut text = String::new();
    for n in 0..plugins {
        let wants = wants(n, plugins);
        let bar = if wants.is_empty() { "" } else { " | " };
        let _ = writeln!(text, "{} 1.0.0{bar}{wants}", id(n));
    }
    World::parse(&text)
}

#[test]
fn ten_times_the_plugins_are_ten_times_the_work() {
    for (shape, wants) in SHAPES {
        let effort = |plugins| {
            let world = world(plugins, wants);
            let subjects = world.subjects();
            let (resolution, steps) = steps::of(|| resolve(&subjects, &[]));
            let blocked = resolution.blocked().values().flatten();
            let findings = blocked.chain(resolution.notes());
            let text: usize = findings.map(|finding| finding.to_string().len()).sum();
            (steps, text)
        };
        let (few, many) = (effort(500), effort(5000));
        assert!(
            many.0 <= 11 * few.0 && many.1 <= 11 * few.1 + 1000,
            "{shape}: {few:?} steps and bytes for 500 plugins, {many:?} for 5000"
        );
    }
}

/// Of threads that have less than the usual stack; recursion would need far more.
const STACK: usize = 128 * 1024;

#[test]
fn a_hundred_thousand_plugins_in_a_row_or_a_circle_do_not_overflow_the_stack() {
    const PLUGINS: usize = 100_000;
    for (shape, wants) in &SHAPES[1..4] {
        let world = world(PLUGINS, *wants);
        let resolved = thread::Builder::new().stack_size(STACK).spawn(move || {
            let resolution = world.resolve();
            let all = resolution.order().count() + resolution.blocked().len();
            (all, resolution.dependencies_of(&id(0)).len())
        });
        let (all, below) = resolved
            .expect("a thread starts")
            .join()
            .expect("the stack is enough");
        assert_eq!(all, PLUGINS);
        assert!(below == 0 || below == PLUGINS - 1, "{shape}: {below}");
    }
}
