//! What syntax alone can tell of a type in a signature.
//!
//! The compiler decides whether a type crosses, by the traits `Pass` and `Outcome`. But it would
//! report a type that does not at every place of the generated code that mentions it. So the
//! usual mistakes are told here, with the type to write instead; types that are known to cross
//! need no more attention; and for all others the generated code assumes that they cross and
//! lets the compiler check that in one place.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// What is known of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It crosses, unless the author gave one of the standard names to a type of another kind.
    Known,
    /// The compiler has to look.
    Unknown,
}

const NUMBERS: [&str; 13] = [
    "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32", "f64", "bool",
];

const JSON: &str = "; wrap it in `keyway::Json<...>` to let it cross as JSON";

/// Whether a type can be an argument.
pub(crate) fn argument(ty: &Type) -> syn::Result<Fit> {
    if let Some(stream) = stream_in(ty) {
        return Err(syn::Error::new_spanned(
            stream,
            "a stream crosses as a result only: who makes it keeps a waker of who reads it, and a \
             plugin's would be gone with the plugin; pass the items one by one, in calls",
        ));
    }
    match ty {
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => {
                owned(&slice.elem)?;
                Ok(match last_name(&slice.elem).as_deref() {
                    Some(name) if NUMBERS.contains(&name) => Fit::Known,
                    _ => Fit::Unknown,
                })
            }
            elem => borrowed(ty, elem, reference.mutability.is_some()),
        },
        ty => owned(ty),
    }
}

/// What a method's result is the result of, as far as its type says so: an alias may have any
/// name.
pub(crate) fn result(ty: &Type) -> syn::Result<Option<(Type, Fit)>> {
    if let Some(borrow) = borrow_in(ty) {
        return Err(syn::Error::new_spanned(
            borrow,
            "a result owns its data: the plugin may be unloaded while the caller still holds it; \
             return String, Vec<T> or Bytes",
        ));
    }
    let refuse = |what: &str| {
        Err(syn::Error::new_spanned(
            ty,
            format!("a capability method returns `keyway::Result<T>`, {what}"),
        ))
    };
    let always = "since a call into a plugin can always fail";
    let Some((path, segment)) = path_end(ty) else {
        return refuse(always);
    };
    if segment.ident != "Result" {
        // No number or text is an alias of a result.
        return match owned(ty) {
            Ok(Fit::Unknown) => Ok(None),
            Ok(Fit::Known) | Err(_) => refuse(always),
        };
    }
    let generics = generics(segment);
    let module = path.len().checked_sub(2).map(|index| path[index].as_str());
    let error = match (generics.as_slice(), module) {
        ([_], Some("io")) => "std::io::Error".to_owned(),
        ([_], Some("fmt")) => "std::fmt::Error".to_owned(),
        ([_], Some("anyhow")) => "anyhow::Error".to_owned(),
        ([_, error], _) if last_name(error).as_deref() != Some("PluginError") => shown(error),
        _ => {
            let value = generics.first().copied();
            return value
                .map(|value| Ok((value.clone(), owned(value)?)))
                .transpose();
        }
    };
    refuse(&format!(
        "whose error is `PluginError`, found `{error}`; `?` or `.context(\"...\")` converts it \
         inside the method"
    ))
}

impl Fit {
    pub(crate) fn and(self, other: Fit) -> Fit {
        if self == Fit::Known { other } else { self }
    }
}

/// A type that is passed by value.
fn owned(ty: &Type) -> syn::Result<Fit> {
    let refuse = |hint: &str| {
        Err(syn::Error::new_spanned(
            ty,
            format!("`{}` cannot cross a capability{hint}", shown(ty)),
        ))
    };
    match ty {
        Type::Paren(ty) => owned(&ty.elem),
        Type::Group(ty) => owned(&ty.elem),
        Type::Tuple(tuple) => match tuple.elems.len() {
            0 | 2 | 3 => all(tuple.elems.iter()),
            _ => refuse(": tuples of two and three do, and structs inside `keyway::Json<...>`"),
        },
        Type::Reference(_) => refuse(
            ": a reference crosses only as an argument of its own, as &str, &[T] or &mut [T]",
        ),
        Type::Array(_) => refuse("; take `&[T]` or `Vec<T>`"),
        Type::ImplTrait(_) | Type::TraitObject(_) => {
            refuse(": its layout is part of the interface, so it needs a concrete type")
        }
        Type::FnPtr(_) | Type::Ptr(_) | Type::Never(_) | Type::Slice(_) => {
            refuse(": it owns no data that could be copied or leased")
        }
        _ => named(ty, &refuse),
    }
}

fn named(ty: &Type, refuse: &dyn Fn(&str) -> syn::Result<Fit>) -> syn::Result<Fit> {
    let Some((_, segment)) = path_end(ty) else {
        return Ok(Fit::Unknown);
    };
    let generics = generics(segment);
    let name = segment.ident.to_string();
    match name.as_str() {
        name if NUMBERS.contains(&name) => Ok(Fit::Known),
        "String" | "Bytes" if generics.is_empty() => Ok(Fit::Known),
        "Vec" | "Option" | "Stream" if generics.len() == 1 => all(generics),
        "char" => refuse("; take `u32` or `&str`"),
        "i128" | "u128" => {
            refuse(": its alignment differs between platforms; take two `u64` or a `String`")
        }
        "str" => refuse("; take `&str` or `String`"),
        "PathBuf" | "OsString" => refuse("; take a `String`"),
        "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" | "VecDeque" => refuse(JSON),
        "Box" | "Arc" | "Rc" if generics.len() == 1 => {
            refuse(": its allocation belongs to one side; pass what is inside")
        }
        _ => Ok(Fit::Unknown),
    }
}

/// A borrow of anything but a slice.
fn borrowed(ty: &Type, elem: &Type, mutable: bool) -> syn::Result<Fit> {
    let name = last_name(elem);
    let instead = match name.as_deref() {
        Some("str") if !mutable => return Ok(Fit::Known),
        Some("String") if !mutable => "`&str`".to_owned(),
        Some("str" | "String") => "a `String`, and return the new one".to_owned(),
        Some("Vec") => {
            let element =
                path_end(elem).and_then(|(_, segment)| generics(segment).first().copied());
            let element = element.map_or_else(|| "T".to_owned(), shown);
            let borrow = if mutable { "&mut " } else { "&" };
            format!("`{borrow}[{element}]`")
        }
        Some("Path") => "`&str`".to_owned(),
        Some(name) if NUMBERS.contains(&name) && !mutable => format!("`{name}` by value"),
        _ if mutable => "it by value, and return the new one".to_owned(),
        _ => "it by value; other than strings and slices nothing crosses as a borrow".to_owned(),
    };
    Err(syn::Error::new_spanned(
        ty,
        format!("`{}` cannot cross a capability; take {instead}", shown(ty)),
    ))
}

fn all<'a>(types: impl IntoIterator<Item = &'a Type>) -> syn::Result<Fit> {
    types
        .into_iter()
        .try_fold(Fit::Known, |fit, ty| Ok(fit.and(owned(ty)?)))
}

/// The names of a path, and its last segment.
fn path_end(ty: &Type) -> Option<(Vec<String>, &PathSegment)> {
    match ty {
        Type::Path(ty) if ty.qself.is_none() => {
            let names = ty.path.segments.iter().map(|part| part.ident.to_string());
            Some((names.collect(), ty.path.segments.last()?))
        }
        _ => None,
    }
}

fn last_name(ty: &Type) -> Option<String> {
    path_end(ty).map(|(_, segment)| segment.ident.to_string())
}

fn generics(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// The borrow inside a type, if there is one.
fn borrow_in(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(_) => Some(ty),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(borrow_in),
        ty => {
            let (_, segment) = path_end(ty)?;
            let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
                return None;
            };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inside) => borrow_in(inside),
                GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => Some(ty),
                _ => None,
            })
        }
    }
}

/// The stream inside a type, if there is one.
fn stream_in(ty: &Type) -> Option<&Type> {
    if let Type::Tuple(tuple) = ty {
        return tuple.elems.iter().find_map(stream_in);
    }
    let (_, segment) = path_end(ty)?;
    let generics = generics(segment);
    if segment.ident == "Stream" && generics.len() == 1 {
        return Some(ty);
    }
    generics.into_iter().find_map(stream_in)
}

/// The type as a person would write it.
fn shown(ty: &Type) -> String {
    let mut text = String::new();
    for word in ty.to_token_stream().to_string().split(' ') {
        let tight = text.ends_with(['<', '&', ':', '[', '(', '*'])
            || word.starts_with(['<', '>', ':', ',', ']', ')', ';'])
            || text.is_empty();
        if !tight {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}
