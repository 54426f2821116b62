//! The first cause in a report of abi_stable, as half a line of text.
//!
//! abi_stable compares whole trees of types and lists every difference on the way up: a field
//! whose type changed is reported once for itself, and again as the size of each type around it.
//! The innermost difference on the first path is the one that a person has to know.

use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityError, AbiInstabilityErrors, ExpectedFound,
};
use abi_stable::type_layout::{TLField, TLFieldOrFunction, TypeLayout};

use super::name::type_name;

/// The innermost difference on the first path that has one.
pub(super) fn first_cause(report: &AbiInstabilityErrors) -> String {
    let mut errors: Vec<&AbiInstabilityError> = report
        .errors
        .iter()
        .filter(|error| !error.errs.is_empty())
        .collect();
    // Indices are given on the way down, so a type comes before what it is made of.
    errors.sort_by_key(|error| error.index);
    let mut errors = errors.into_iter();
    let Some(mut innermost) = errors.next() else {
        return "abi_stable names no cause".to_owned();
    };
    for error in errors {
        if is_conclusive(innermost) {
            break;
        }
        let (outer, inner) = (path(innermost), path(error));
        if inner.len() > outer.len() && inner.starts_with(&outer) {
            innermost = error;
        }
    }
    let pair = ExpectedFound {
        expected: report.interface,
        found: report.implementation,
    };
    describe(innermost, &pair)
}

/// The names of the fields that lead to the types of an error.
fn path(error: &AbiInstabilityError) -> Vec<&'static str> {
    let steps = error.stack_trace.iter();
    steps
        .map(|step| match step.expected {
            TLFieldOrFunction::Field(field) => field.name(),
            TLFieldOrFunction::Function(function) => function.name.as_str(),
        })
        .collect()
}

/// Whether an error says what is wrong, and not only that something inside of it is.
fn is_conclusive(error: &AbiInstabilityError) -> bool {
    error.errs.iter().any(|cause| rank(cause) < CONSEQUENCES)
}

/// From here on a difference follows from another one that is reported as well, if there is one.
const CONSEQUENCES: u8 = 10;

/// What is better told first.
fn rank(cause: &AbiInstability) -> u8 {
    match cause {
        AbiInstability::Name(_) | AbiInstability::Package(_) => 0,
        AbiInstability::PackageVersion(_) | AbiInstability::PackageVersionParseError(_) => 1,
        AbiInstability::UnexpectedField(_) | AbiInstability::UnexpectedVariant(_) => 2,
        AbiInstability::FieldCountMismatch(_) | AbiInstability::TooManyVariants(_) => 3,
        AbiInstability::ReprAttr(_) => 5,
        AbiInstability::Size(_) => CONSEQUENCES,
        AbiInstability::Alignment(_) => CONSEQUENCES + 1,
        AbiInstability::NonZeroness(_) => CONSEQUENCES + 2,
        _ => 4,
    }
}

/// The types in which the difference lies, and the field of them if it is a field's.
struct Place {
    parent: Option<&'static TypeLayout>,
    field: Option<TLField>,
}

fn describe(error: &AbiInstabilityError, top: &ExpectedFound<&'static TypeLayout>) -> String {
    let place = Place::of(error, top.expected);
    let layouts = innermost_layouts(error, top);
    let Some(cause) = error.errs.iter().min_by_key(|cause| rank(cause)) else {
        return "abi_stable names no cause".to_owned();
    };
    let mut text = String::new();
    // The type as a whole was named by our caller.
    let of_field = matches!(cause, AbiInstability::Name(_));
    match (&place.field, place.parent) {
        (Some(field), parent) if of_field => {
            if let Some(parent) = parent.filter(|parent| !same(parent, top.expected)) {
                text.push_str(&format!("in `{}`, ", type_name(parent)));
            }
            text.push_str(&format!("field `{}`: ", field.name()));
        }
        (Some(field), _) => {
            text.push_str(&format!("in `{}`, ", type_name(field.layout())));
        }
        (None, _) => {}
    }
    text.push_str(&say(cause, &layouts));
    text
}

fn same(a: &'static TypeLayout, b: &'static TypeLayout) -> bool {
    std::ptr::eq(a, b)
}

impl Place {
    fn of(error: &AbiInstabilityError, top: &'static TypeLayout) -> Self {
        let mut fields = error
            .stack_trace
            .iter()
            .rev()
            .map(|step| match step.expected {
                TLFieldOrFunction::Field(field) => Some(field),
                TLFieldOrFunction::Function(_) => None,
            });
        let field = fields.next().flatten();
        let parent = match fields.next() {
            Some(Some(field)) => Some(field.layout()),
            Some(None) => None,
            None => Some(top),
        };
        Place { parent, field }
    }
}

/// The two types that the innermost step of an error compared.
fn innermost_layouts(
    error: &AbiInstabilityError,
    top: &ExpectedFound<&'static TypeLayout>,
) -> Option<ExpectedFound<&'static TypeLayout>> {
    match error.stack_trace.last() {
        None => Some(top.clone()),
        Some(step) => match (step.expected, step.found) {
            (TLFieldOrFunction::Field(expected), TLFieldOrFunction::Field(found)) => {
                Some(ExpectedFound {
                    expected: expected.layout(),
                    found: found.layout(),
                })
            }
            _ => None,
        },
    }
}

fn say(cause: &AbiInstability, layouts: &Option<ExpectedFound<&'static TypeLayout>>) -> String {
    match cause {
        AbiInstability::Name(types) => match layouts {
            // The names that abi_stable gives lack their type arguments.
            Some(pair) => {
                let (expected, found) = (type_name(pair.expected), type_name(pair.found));
                format!("expected `{expected}`, found `{found}`")
            }
            None => format!("expected `{}`, found `{}`", types.expected, types.found),
        },
        AbiInstability::Package(packages) => format!(
            "expected it from package `{}`, found it from `{}`",
            packages.expected, packages.found
        ),
        AbiInstability::PackageVersion(versions) => {
            let package = layouts.as_ref().map_or_else(String::new, |pair| {
                format!(" `{}`", pair.expected.package())
            });
            format!(
                "expected it from a version of package{package} that is compatible with {}, \
                 found it from {}",
                versions.expected, versions.found
            )
        }
        AbiInstability::UnexpectedField(fields) => format!(
            "expected field `{}: {}`, found `{}: {}`",
            fields.expected.name(),
            type_name(fields.expected.layout()),
            fields.found.name(),
            type_name(fields.found.layout())
        ),
        AbiInstability::FieldCountMismatch(counts) => {
            let mut text = format!(
                "expected {} fields, found {}",
                counts.expected, counts.found
            );
            if let Some(names) = layouts.as_ref().and_then(odd_fields) {
                text.push_str(&format!(" ({names})"));
            }
            text
        }
        AbiInstability::TooManyVariants(counts) => {
            format!(
                "expected {} variants, found {}",
                counts.expected, counts.found
            )
        }
        AbiInstability::UnexpectedVariant(names) => {
            format!(
                "expected variant `{}`, found `{}`",
                names.expected, names.found
            )
        }
        AbiInstability::Size(sizes) => {
            format!("expected {} bytes, found {}", sizes.expected, sizes.found)
        }
        AbiInstability::Alignment(alignments) => format!(
            "expected an alignment of {} bytes, found {}",
            alignments.expected, alignments.found
        ),
        AbiInstability::MismatchedPrimitive(kinds) => {
            format!("expected {:?}, found {:?}", kinds.expected, kinds.found)
        }
        AbiInstability::TLDataDiscriminant(kinds) => {
            let (expected, found) = (kinds.expected, kinds.found);
            format!("expected a type of kind {expected:?}, found {found:?}")
        }
        AbiInstability::ReprAttr(attributes) => {
            let (expected, found) = (attributes.expected, attributes.found);
            format!("expected the representation {expected:?}, found {found:?}")
        }
        AbiInstability::EnumDiscriminant(values) => {
            format!(
                "expected discriminant {:?}, found {:?}",
                values.expected, values.found
            )
        }
        AbiInstability::FieldLifetimeMismatch(_) | AbiInstability::FnLifetimeMismatch(_) => {
            "lifetimes differ".to_owned()
        }
        AbiInstability::FnQualifierMismatch(_) => {
            "one function pointer is unsafe, the other is not".to_owned()
        }
        AbiInstability::NonZeroness(_) => "one side has a niche, the other has none".to_owned(),
        AbiInstability::GenericParamCount(types) => {
            format!("expected `{}`, found `{}`", types.expected, types.found)
        }
        // What is left cannot come up between types that derive `StableAbi` without options; the
        // full report has it.
        _ => "see the full report".to_owned(),
    }
}

/// The fields that only one of two types has, if they are the only difference.
fn odd_fields(layouts: &ExpectedFound<&'static TypeLayout>) -> Option<String> {
    let names = |layout: &'static TypeLayout| -> Option<Vec<&'static str>> {
        Some(
            layout
                .get_fields()?
                .iter()
                .map(|field| field.name())
                .collect(),
        )
    };
    let (expected, found) = (names(layouts.expected)?, names(layouts.found)?);
    let odd = |names: &[&'static str], others: &[&'static str]| {
        let odd = names.iter().filter(|name| !others.contains(name));
        odd.map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (gone, new) = (odd(&expected, &found), odd(&found, &expected));
    match (gone.is_empty(), new.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("{new} is new")),
        (false, true) => Some(format!("{gone} is missing")),
        (false, false) => Some(format!("{gone} is missing, {new} is new")),
    }
}
