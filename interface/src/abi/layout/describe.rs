//! A stable text of types, for the golden file that guards them.

use std::collections::BTreeMap;

use abi_stable::type_layout::{TLData, TLEnum, TLField, TLFields, TLFunction, TypeLayout};

use super::name::type_name;

/// Describes types and all that they are made of, sorted by name: size and alignment in bytes,
/// and each field with its offset and its type.
///
/// The text does not depend on the compiler, on the profile, or on which 64-bit target it is for.
pub fn describe_types(roots: &[&'static TypeLayout]) -> String {
    let mut types = BTreeMap::new();
    for root in roots {
        collect(root, &mut types);
    }
    types.into_values().map(describe).collect()
}

type Types = BTreeMap<(String, &'static str), &'static TypeLayout>;

fn collect(layout: &'static TypeLayout, types: &mut Types) {
    // Primitives and opaque bytes are said in full by their name; markers take no place.
    let is_told = !matches!(layout.data(), TLData::Primitive(_) | TLData::Opaque);
    if is_told && !is_marker(layout) {
        let key = (type_name(layout), layout.package().as_str());
        if types.insert(key, layout).is_some() {
            return;
        }
    }
    for nested in layout.shared_vars().type_layouts() {
        collect(nested(), types);
    }
}

fn is_marker(layout: &'static TypeLayout) -> bool {
    layout.name() == "PhantomData"
}

fn describe(layout: &'static TypeLayout) -> String {
    let (kind, body) = match layout.data() {
        TLData::Primitive(_) | TLData::Opaque => ("type", String::new()),
        TLData::Struct { fields } => ("struct", describe_struct(&fields)),
        TLData::Union { fields } => ("union", describe_names(fields.iter())),
        TLData::Enum(variants) => ("enum", describe_enum(&variants)),
        TLData::PrefixType(prefix) => ("table", describe_struct(&prefix.fields)),
    };
    format!(
        "{kind} {} of {}: size {}, align {}, {:?}\n{body}",
        type_name(layout),
        layout.package(),
        layout.size(),
        layout.alignment(),
        layout.repr_attr()
    )
}

/// The fields with their offsets by the rule of `repr(C)`, which every type here has.
fn describe_struct(fields: &TLFields) -> String {
    let mut end = 0_usize;
    let fields = fields.iter().filter(|field| !is_marker(field.layout()));
    let lines = fields.map(|field| {
        let layout = field.layout();
        let offset = end.next_multiple_of(layout.alignment().max(1));
        end = offset + layout.size();
        format!("  {offset} {}: {}\n", field.name(), describe_field(&field))
    });
    lines.collect()
}

fn describe_names(fields: impl Iterator<Item = TLField>) -> String {
    let lines = fields.map(|field| format!("  {}: {}\n", field.name(), describe_field(&field)));
    lines.collect()
}

fn describe_enum(variants: &TLEnum) -> String {
    let mut fields = variants.fields.iter();
    let names = variants.variant_names.as_str().split(';');
    let lines = names.zip(variants.field_count.iter()).map(|(name, count)| {
        let fields: Vec<String> = fields
            .by_ref()
            .take(usize::from(*count))
            .map(|field| describe_field(&field))
            .collect();
        if fields.is_empty() {
            format!("  {name}\n")
        } else {
            format!("  {name}({})\n", fields.join(", "))
        }
    });
    lines.collect()
}

fn describe_field(field: &TLField) -> String {
    match field.function_range().get(0) {
        Some(function) if field.is_function() => describe_function(&function),
        _ => type_name(field.layout()),
    }
}

fn describe_function(function: &TLFunction) -> String {
    let arguments: Vec<String> = function
        .param_type_layouts
        .iter()
        .map(|argument| type_name(argument()))
        .collect();
    let result = function.return_type_layout();
    let result = result.map_or_else(String::new, |result| format!(" -> {}", type_name(result())));
    let safety = if function.fn_qualifs.is_unsafe() {
        "unsafe "
    } else {
        ""
    };
    format!("{safety}fn({}){result}", arguments.join(", "))
}
