//! The procedural macros of Keyway: `#[capability]`, `#[tool]` and `export_plugin!`.
//!
//! Use them through the `keyway` crate, which re-exports and documents them. Each macro parses
//! into a model, checks the model, and emits code that mostly calls functions of `keyway`.

mod capability;
mod data;
mod export;
mod tool;

use proc_macro::TokenStream;

/// Makes a trait an extension point. See `keyway::capability` for what it generates.
///
/// The generated code contains `unsafe` under an `#[allow(unsafe_code)]` of its own: it works in
/// a crate that denies unsafe code, and is an error in one that forbids it.
#[proc_macro_attribute]
pub fn capability(args: TokenStream, item: TokenStream) -> TokenStream {
    capability::expand(args.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes an async function a tool. See `keyway::tool` for what it generates.
#[proc_macro_attribute]
pub fn tool(args: TokenStream, item: TokenStream) -> TokenStream {
    let original = item.clone();
    tool::expand(args.into(), item.into())
        .unwrap_or_else(|error| {
            // The function stays, so that one mistake in its signature is one error.
            let error = error.into_compile_error();
            let original = proc_macro2::TokenStream::from(original);
            quote::quote!(#original #error)
        })
        .into()
}

/// Exports a type as the plugin of this crate. See `keyway::export_plugin` for its options.
///
/// As with [`macro@capability`], the crate may deny unsafe code, but not forbid it.
#[proc_macro]
pub fn export_plugin(input: TokenStream) -> TokenStream {
    export::expand(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives what a type needs to be the argument or the answer of a tool. See `keyway::data`.
#[proc_macro_attribute]
pub fn data(args: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(args.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
