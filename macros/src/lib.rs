//! The procedural macros of Keyway: `#[capability]`, `#[tool]`, `#[data]` and `export_plugin!`.
//!
//! Use them through the `keyway` crate, which re-exports and documents them. Each macro parses
//! into a model, checks the model, and emits code that mostly calls functions of `keyway`.

// What is written on a macro here comes at the end of what is written on its re-export, so it is
// one line that can stand there.

mod capability;
mod data;
mod export;
mod tool;

use proc_macro::TokenStream;

/// Use it as `#[keyway::capability(id = "acme.image-filter", version = 1)]`.
#[proc_macro_attribute]
pub fn capability(args: TokenStream, item: TokenStream) -> TokenStream {
    capability::expand(args.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Use it as `#[keyway::tool]`.
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

/// Use it once in a crate, as `keyway::export_plugin!(MyPlugin);`.
#[proc_macro]
pub fn export_plugin(input: TokenStream) -> TokenStream {
    export::expand(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Use it as `#[keyway::data]`.
#[proc_macro_attribute]
pub fn data(args: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(args.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
