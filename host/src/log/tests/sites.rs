//! The table of call sites.

use keyway::log::wire::{Callsite, Kinds, Level};

use super::site;
use crate::log::intern::Sites;

#[test]
fn the_same_content_has_the_same_number_whoever_asks() {
    let sites = Sites::new(100);
    let content = site(Kinds::EVENT, Level::Info, "my_plugin", &["message", "x"]);
    let number = sites.intern(&content);
    for _ in 0..1_000 {
        let bytes = content.encode();
        assert_eq!(sites.intern(&Callsite::decode(&bytes).unwrap()), number);
    }
    let metadata = sites.site(number).unwrap().metadata();
    assert_eq!(metadata.name(), "a name");
    assert_eq!(metadata.target(), "my_plugin");
    assert_eq!(metadata.level(), &tracing::Level::INFO);
    assert_eq!(metadata.file(), Some("src/module.rs"));
    assert_eq!(metadata.line(), Some(17));
    assert_eq!(metadata.module_path(), Some("my_plugin::module"));
    assert!(metadata.is_event() && !metadata.is_span());
    let fields: Vec<_> = metadata.fields().iter().map(|field| field.name()).collect();
    assert_eq!(fields, ["message", "x", "plugin"]);
}

#[test]
fn every_part_of_the_content_tells_call_sites_apart() {
    let sites = Sites::new(100);
    let base = site(Kinds::EVENT, Level::Info, "my_plugin", &["a"]);
    let mut numbers = vec![
        sites.intern(&base),
        sites.intern(&Callsite {
            kinds: Kinds::SPAN,
            ..base.clone()
        }),
        sites.intern(&Callsite {
            level: Level::Debug,
            ..base.clone()
        }),
        sites.intern(&Callsite {
            name: "b",
            ..base.clone()
        }),
        sites.intern(&Callsite {
            target: "b",
            ..base.clone()
        }),
        sites.intern(&Callsite {
            module_path: None,
            ..base.clone()
        }),
        sites.intern(&Callsite {
            file: None,
            ..base.clone()
        }),
        sites.intern(&Callsite {
            line: Some(18),
            ..base.clone()
        }),
        sites.intern(&Callsite {
            fields: vec!["b"],
            ..base.clone()
        }),
    ];
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 9);
}

#[test]
fn too_many_call_sites_share_a_general_one_per_level_and_kind() {
    let sites = Sites::new(300);
    let numbered = |line, kinds, level| {
        sites.intern(&Callsite {
            line: Some(line),
            ..site(kinds, level, "my_plugin", &["x"])
        })
    };
    let numbers: Vec<_> = (0..300)
        .map(|line| numbered(line, Kinds::EVENT, Level::Info))
        .collect();
    assert_eq!(numbers, (1..=300).collect::<Vec<u64>>());
    let general = numbered(300, Kinds::EVENT, Level::Info);
    assert_eq!(numbered(301, Kinds::EVENT, Level::Info), general);
    assert_eq!(numbered(0, Kinds::EVENT, Level::Info), 1);
    let metadata = sites.site(general).unwrap().metadata();
    assert_eq!(metadata.target(), "keyway::plugin");
    assert_eq!(metadata.level(), &tracing::Level::INFO);
    let levels = [
        Level::Error,
        Level::Warn,
        Level::Info,
        Level::Debug,
        Level::Trace,
    ];
    for level in levels {
        for kinds in [Kinds::EVENT, Kinds::SPAN, Kinds::HINT] {
            let number = numbered(302, kinds, level);
            assert!(number > 300 && sites.site(number).is_some());
        }
    }
    assert!(sites.site(0).is_none());
    assert!(sites.site(311).is_none());
    assert!(sites.site(u64::MAX).is_none());
}

#[test]
fn threads_that_ask_at_once_get_one_site() {
    let sites = Sites::new(1_000);
    let numbers = std::thread::scope(|scope| {
        let ask = |_| {
            scope.spawn(|| {
                let number = |line| {
                    let base = site(Kinds::EVENT, Level::Info, "my_plugin", &[]);
                    sites.intern(&Callsite {
                        line: Some(line),
                        ..base
                    })
                };
                (0..500).map(number).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..4).map(ask).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(numbers.iter().all(|of_one| of_one == &numbers[0]));
    assert_eq!(numbers[0].iter().max(), Some(&500));
}

#[test]
fn long_names_are_cut_and_many_fields_left_out() {
    let sites = Sites::new(10);
    let long = "ä".repeat(1_000);
    let fields = vec!["x"; 1_000];
    let number = sites.intern(&site(Kinds::EVENT, Level::Info, &long, &fields));
    let metadata = sites.site(number).unwrap().metadata();
    assert_eq!(metadata.target(), "ä".repeat(512));
    assert_eq!(metadata.fields().len(), 65);
}
