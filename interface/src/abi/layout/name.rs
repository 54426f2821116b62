//! The name of a type with its type arguments, such as `RVec<ROption<Page>>`.
//!
//! abi_stable does not record the type arguments of a type, only those of pointers, so they are
//! found again in the fields of the generic types that capabilities use.

use abi_stable::type_layout::{TLData, TLField, TLPrimitive, TypeLayout};

/// The name of a type, with the type arguments of the containers that capabilities use.
///
/// Other generic types stand without their arguments.
pub(super) fn type_name(layout: &'static TypeLayout) -> String {
    let name = layout.name();
    let arguments = match (layout.package().as_str(), name) {
        ("abi_stable", "RVec") => pointees(layout, "buffer"),
        ("abi_stable", "RSlice" | "RSliceMut" | "RBox") => pointees(layout, "data"),
        ("abi_stable", "ROption" | "RResult" | "Tuple1" | "Tuple2" | "Tuple3" | "Tuple4")
        | ("async-ffi", "FfiPoll") => fields(layout),
        ("keyway", "RawStream") => stream_item(layout).into_iter().collect(),
        _ => return plain_name(layout),
    };
    if arguments.is_empty() {
        return name.to_owned();
    }
    let arguments: Vec<String> = arguments.into_iter().map(type_name).collect();
    format!("{name}<{}>", arguments.join(", "))
}

/// Names and pointers; lifetimes are left out, since the boundary knows only those of calls.
fn plain_name(layout: &'static TypeLayout) -> String {
    let pointee = || {
        let pointees = layout.generics().type_params();
        let pointee = pointees.first().map(|pointee| type_name(pointee()));
        pointee.unwrap_or_else(|| "_".to_owned())
    };
    match layout.data() {
        TLData::Primitive(primitive) => match primitive {
            TLPrimitive::SharedRef => format!("&{}", pointee()),
            TLPrimitive::MutRef => format!("&mut {}", pointee()),
            TLPrimitive::ConstPtr => format!("*const {}", pointee()),
            TLPrimitive::MutPtr => format!("*mut {}", pointee()),
            TLPrimitive::Array => layout.full_type().to_string(),
            _ => layout.name().to_owned(),
        },
        TLData::Opaque => format!("({} opaque bytes)", layout.size()),
        _ if layout.generics().type_params().is_empty() => layout.name().to_owned(),
        _ => format!("{}<{}>", layout.name(), pointee()),
    }
}

fn fields(layout: &'static TypeLayout) -> Vec<&'static TypeLayout> {
    let fields = layout.get_fields();
    fields.map_or_else(Vec::new, |fields| {
        fields.iter().map(|field| field.layout()).collect()
    })
}

fn field(layout: &'static TypeLayout, name: &str) -> Option<TLField> {
    layout
        .get_fields()?
        .iter()
        .find(|field| field.name() == name)
}

/// What a pointer field points to.
fn pointees(layout: &'static TypeLayout, pointer: &str) -> Vec<&'static TypeLayout> {
    let pointer = field(layout, pointer).map(|field| field.layout());
    pointer.map_or_else(Vec::new, |pointer| {
        let pointees = pointer.generics().type_params();
        pointees.iter().map(|pointee| pointee()).collect()
    })
}

/// The item type of a stream, from what its poll function answers.
fn stream_item(layout: &'static TypeLayout) -> Option<&'static TypeLayout> {
    let poll = field(layout, "poll")?.function_range().get(0)?;
    let polled = poll.return_type_layout()?();
    let item = *fields(polled).first()?;
    let result = *fields(item).first()?;
    fields(result).first().copied()
}
