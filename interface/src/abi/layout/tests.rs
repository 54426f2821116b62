//! What the comparison of two interfaces accepts and refuses, and in which words.

use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RSlice, RString, RVec, Tuple2};

use crate::abi::{AbiResult, RawBuffer, RawStream};

use super::{ArgLayout, Comparison, InterfaceLayout, MethodLayout, Same, compatible};

/// The types of one crate in its first version.
mod first {
    use super::*;

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Span {
        start: u32,
        end: u32,
    }

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Page {
        number: u64,
        span: Span,
    }

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Book {
        title: RString,
        pages: RVec<Page>,
    }

    #[repr(u8)]
    #[derive(StableAbi)]
    #[expect(dead_code, reason = "only its layout is used")]
    pub(super) enum Color {
        Red,
        Green,
    }
}

/// The same with a field of another type, deep inside.
mod wider {
    use super::*;

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Span {
        start: u32,
        end: u64,
    }

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Page {
        number: u64,
        span: Span,
    }

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Book {
        title: RString,
        pages: RVec<Page>,
    }
}

/// The same with fields in another order.
mod reordered {
    use super::*;

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Span {
        end: u32,
        start: u32,
    }

    #[repr(u8)]
    #[derive(StableAbi)]
    #[expect(dead_code, reason = "only its layout is used")]
    pub(super) enum Color {
        Green,
        Red,
    }
}

/// The same with one more field.
mod longer {
    use super::*;

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Span {
        start: u32,
        end: u32,
        flags: u32,
    }

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Page {
        number: u64,
        span: Span,
    }

    #[repr(u8)]
    #[derive(StableAbi)]
    #[expect(dead_code, reason = "only its layout is used")]
    pub(super) enum Color {
        Red,
        Green,
        Blue,
    }
}

/// The same with a field of the same size and another meaning.
mod signed {
    use super::*;

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Span {
        start: u32,
        end: i32,
    }

    #[repr(C)]
    #[derive(StableAbi)]
    pub(super) struct Book {
        title: RString,
        pages: ROption<RVec<first::Page>>,
    }
}

const fn interface(required: u32, methods: &'static [MethodLayout]) -> InterfaceLayout {
    InterfaceLayout::new("acme.codec", 1, required, methods)
}

const TEXT: ArgLayout = ArgLayout::of::<RString>("text");
const ENCODE: MethodLayout = MethodLayout::sync::<RString>("encode", &[TEXT]);
const DECODE: MethodLayout = MethodLayout::future::<RVec<u8>>("decode", &[TEXT]);

/// Two required methods.
static OLD: InterfaceLayout = interface(2, &[ENCODE, DECODE]);
/// One appended with a default body.
static NEW: InterfaceLayout = interface(
    2,
    &[ENCODE, DECODE, MethodLayout::sync::<u64>("count", &[])],
);
/// Another one appended.
static NEWER: InterfaceLayout = interface(
    2,
    &[
        ENCODE,
        DECODE,
        MethodLayout::sync::<u64>("count", &[]),
        MethodLayout::future::<()>("flush", &[]),
    ],
);

#[test]
fn appended_methods_fit_in_every_direction() {
    for (caller, callee) in [
        (&OLD, &OLD),
        (&OLD, &NEW),
        (&NEW, &OLD),
        (&OLD, &NEWER),
        (&NEWER, &OLD),
        (&NEW, &NEWER),
        (&NEWER, &NEW),
    ] {
        assert_eq!(caller.check(callee), Ok(()));
    }
}

#[test]
fn a_default_body_may_become_required_and_the_other_way_round_among_equal_tables() {
    static ALL_REQUIRED: InterfaceLayout = interface(
        3,
        &[ENCODE, DECODE, MethodLayout::sync::<u64>("count", &[])],
    );
    assert_eq!(NEW.check(&ALL_REQUIRED), Ok(()));
    assert_eq!(ALL_REQUIRED.check(&NEW), Ok(()));
}

#[test]
fn every_incompatible_change_is_refused_in_one_line_that_names_the_method() {
    static OTHER_ID: InterfaceLayout = InterfaceLayout::new("acme.coder", 1, 0, &[]);
    static OTHER_MAJOR: InterfaceLayout = InterfaceLayout::new("acme.codec", 2, 0, &[]);
    static RENAMED: InterfaceLayout = interface(
        2,
        &[ENCODE, MethodLayout::future::<RVec<u8>>("unpack", &[TEXT])],
    );
    static REORDERED: InterfaceLayout = interface(2, &[DECODE, ENCODE]);
    static REMOVED: InterfaceLayout = interface(1, &[ENCODE]);
    static MORE_REQUIRED: InterfaceLayout = interface(
        3,
        &[ENCODE, DECODE, MethodLayout::sync::<u64>("count", &[])],
    );
    static ARGUMENT: InterfaceLayout = interface(
        2,
        &[
            MethodLayout::sync::<RString>("encode", &[ArgLayout::of::<RVec<u8>>("text")]),
            DECODE,
        ],
    );
    static ARGUMENTS: InterfaceLayout = interface(
        2,
        &[
            MethodLayout::sync::<RString>("encode", &[TEXT, ArgLayout::of::<u32>("rounds")]),
            DECODE,
        ],
    );
    static RESULT: InterfaceLayout = interface(
        2,
        &[MethodLayout::sync::<RVec<u8>>("encode", &[TEXT]), DECODE],
    );
    static NOT_ASYNC: InterfaceLayout = interface(
        2,
        &[ENCODE, MethodLayout::sync::<RVec<u8>>("decode", &[TEXT])],
    );
    for (offered, expected) in [
        (&OTHER_ID, "expected this interface, found acme.coder/1"),
        (&OTHER_MAJOR, "expected this interface, found acme.codec/2"),
        (
            &RENAMED,
            "method 1: expected `decode`, found `unpack`; methods may only be appended",
        ),
        (
            &REORDERED,
            "method 0: expected `encode`, found `decode`; methods may only be appended",
        ),
        (
            &REMOVED,
            "method `decode` is required, and the implementation ends after 1 of 2 methods",
        ),
        (
            &MORE_REQUIRED,
            "the implementation requires 3 methods, the caller knows 2",
        ),
        (
            &ARGUMENT,
            "method `encode`, argument `text`: expected type `RString`, found `RVec<u8>`",
        ),
        (&ARGUMENTS, "method `encode`: expected 1 arguments, found 2"),
        (
            &RESULT,
            "method `encode`, result: expected type `RString`, found `RVec<u8>`",
        ),
        (
            &NOT_ASYNC,
            "method `decode`: expected it to be async, found it not async",
        ),
    ] {
        let error = OLD.check(offered).expect_err(expected);
        let expected = format!("interface acme.codec/1: {expected}");
        assert_eq!(error.to_string(), expected);
        // Whoever is the caller, it does not fit.
        assert!(offered.check(&OLD).is_err(), "{expected}");
    }
}

fn refusal<A: StableAbi, B: StableAbi>() -> String {
    let error = Comparison::new()
        .types(A::LAYOUT, B::LAYOUT)
        .expect_err("they differ");
    let details = error.details().expect("types differ in detail");
    assert!(details.contains("Compared <this>"), "{details}");
    assert!(!error.to_string().contains('\n'), "{error}");
    error.to_string()
}

#[test]
fn a_difference_deep_inside_a_type_is_told_by_its_innermost_cause() {
    for (found, expected) in [
        (
            refusal::<first::Span, wider::Span>(),
            "type `Span` has another layout: field `end`: expected `u32`, found `u64`",
        ),
        (
            refusal::<first::Page, wider::Page>(),
            "type `Page` has another layout: in `Span`, field `end`: expected `u32`, found `u64`",
        ),
        (
            refusal::<first::Book, wider::Book>(),
            "type `Book` has another layout: in `Span`, field `end`: expected `u32`, found `u64`",
        ),
        (
            refusal::<ROption<RVec<first::Book>>, ROption<RVec<wider::Book>>>(),
            "type `ROption<RVec<Book>>` has another layout: in `Span`, field `end`: expected \
             `u32`, found `u64`",
        ),
        (
            refusal::<first::Span, signed::Span>(),
            "type `Span` has another layout: field `end`: expected `u32`, found `i32`",
        ),
        (
            refusal::<first::Book, signed::Book>(),
            "type `Book` has another layout: field `pages`: expected `RVec<Page>`, found \
             `ROption<RVec<Page>>`",
        ),
        (
            refusal::<first::Span, reordered::Span>(),
            "type `Span` has another layout: expected field `start: u32`, found `end: u32`",
        ),
        (
            refusal::<first::Span, longer::Span>(),
            "type `Span` has another layout: expected 2 fields, found 3 (`flags` is new)",
        ),
        (
            refusal::<longer::Span, first::Span>(),
            "type `Span` has another layout: expected 3 fields, found 2 (`flags` is missing)",
        ),
        (
            refusal::<first::Page, longer::Page>(),
            "type `Page` has another layout: in `Span`, expected 2 fields, found 3 (`flags` is \
             new)",
        ),
        (
            refusal::<first::Color, longer::Color>(),
            "type `Color` has another layout: expected 2 variants, found 3",
        ),
        (
            refusal::<first::Color, reordered::Color>(),
            "type `Color` has another layout: expected variant `Red`, found `Green`",
        ),
        (
            refusal::<Tuple2<u8, first::Span>, Tuple2<u8, wider::Span>>(),
            "type `Tuple2<u8, Span>` has another layout: in `Span`, field `end`: expected `u32`, \
             found `u64`",
        ),
        (
            refusal::<RVec<u8>, RVec<u16>>(),
            "expected type `RVec<u8>`, found `RVec<u16>`",
        ),
        (
            refusal::<RString, first::Span>(),
            "expected type `RString`, found `Span`",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn the_place_in_an_interface_stands_before_the_cause_and_the_full_report_is_kept() {
    static ONE: InterfaceLayout = interface(
        1,
        &[MethodLayout::sync::<()>(
            "render",
            &[ArgLayout::of::<RVec<first::Page>>("pages")],
        )],
    );
    static OTHER: InterfaceLayout = interface(
        1,
        &[MethodLayout::sync::<()>(
            "render",
            &[ArgLayout::of::<RVec<wider::Page>>("pages")],
        )],
    );
    let error = ONE.check(&OTHER).expect_err("a page changed");
    assert_eq!(
        error.to_string(),
        "interface acme.codec/1: method `render`, argument `pages`: type `RVec<Page>` has \
         another layout: in `Span`, field `end`: expected `u32`, found `u64`"
    );
    let details = error.details().expect("types differ in detail");
    assert!(details.contains("Span"), "{details}");
}

#[test]
fn equal_types_of_different_definitions_fit_and_generic_ones_fit_both_ways() {
    mod copy {
        use super::*;

        #[repr(C)]
        #[derive(StableAbi)]
        pub(super) struct Span {
            start: u32,
            end: u32,
        }
    }
    fn fits<A: StableAbi, B: StableAbi>() {
        assert_eq!(Comparison::new().types(A::LAYOUT, B::LAYOUT), Ok(()));
        assert_eq!(Comparison::new().types(B::LAYOUT, A::LAYOUT), Ok(()));
    }
    fits::<first::Span, copy::Span>();
    fits::<RVec<first::Span>, RVec<copy::Span>>();
    fits::<ROption<RVec<first::Span>>, ROption<RVec<copy::Span>>>();
    fits::<Tuple2<RString, first::Span>, Tuple2<RString, copy::Span>>();
}

/// The comparison without abi_stable accepts nothing that abi_stable would refuse.
#[test]
fn what_is_found_the_same_at_first_sight_is_compatible() {
    mod copy {
        use super::*;

        #[repr(C)]
        #[derive(StableAbi)]
        pub(super) struct Span {
            start: u32,
            end: u32,
        }
    }
    let layouts = [
        <u8 as StableAbi>::LAYOUT,
        <()>::LAYOUT,
        <[u8; 4]>::LAYOUT,
        <[u8; 5]>::LAYOUT,
        <[u32; 1]>::LAYOUT,
        <[(); 1]>::LAYOUT,
        <[(); 2]>::LAYOUT,
        <*const u8>::LAYOUT,
        <*const u16>::LAYOUT,
        RString::LAYOUT,
        RVec::<u8>::LAYOUT,
        RVec::<u16>::LAYOUT,
        RVec::<first::Span>::LAYOUT,
        RVec::<copy::Span>::LAYOUT,
        RVec::<wider::Span>::LAYOUT,
        ROption::<RString>::LAYOUT,
        AbiResult::<u64>::LAYOUT,
        AbiResult::<RString>::LAYOUT,
        RawBuffer::LAYOUT,
        RawStream::<u64>::LAYOUT,
        first::Span::LAYOUT,
        copy::Span::LAYOUT,
        wider::Span::LAYOUT,
        reordered::Span::LAYOUT,
        longer::Span::LAYOUT,
        signed::Span::LAYOUT,
        first::Page::LAYOUT,
        wider::Page::LAYOUT,
        longer::Page::LAYOUT,
        first::Book::LAYOUT,
        wider::Book::LAYOUT,
        signed::Book::LAYOUT,
        first::Color::LAYOUT,
        reordered::Color::LAYOUT,
        longer::Color::LAYOUT,
    ];
    // One for all, as a load has one: what was found before must not mislead it.
    let mut same = Same::default();
    let mut found = 0;
    for one in layouts {
        for other in layouts {
            if same.holds(one, other) {
                assert_eq!(compatible(one, other), Ok(()), "{one:?}, {other:?}");
                found += usize::from(!std::ptr::eq(one, other));
            }
        }
    }
    // The two spans and the vectors of them, both ways round.
    assert_eq!(found, 4);
}

#[test]
fn the_name_of_a_type_has_its_type_arguments() {
    fn name<T: StableAbi>() -> String {
        super::name::type_name(T::LAYOUT)
    }
    assert_eq!(
        [
            name::<u8>(),
            name::<ROption<RVec<first::Page>>>(),
            name::<RSlice<'static, Tuple2<RString, u8>>>(),
            name::<RawStream<RawBuffer>>(),
            name::<AbiResult<()>>(),
            name::<*const RVec<u8>>(),
        ],
        [
            "u8",
            "ROption<RVec<Page>>",
            "RSlice<Tuple2<RString, u8>>",
            "RawStream<RawBuffer>",
            "RResult<(), AbiError>",
            "*const RVec<u8>",
        ]
    );
}
