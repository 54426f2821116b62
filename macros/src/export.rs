//! `export_plugin!`: reads and checks `plugin.toml`, embeds it as the note, and exports the
//! descriptor.

use std::path::{Path, PathBuf};

use keyway_manifest::Manifest;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{LitInt, LitStr, Token, Type};

/// `MyPlugin, manifest = "plugin.toml", required_minor = 0, crate = path`
struct Args {
    plugin: Type,
    manifest: Option<LitStr>,
    required_minor: Option<LitInt>,
    krate: TokenStream,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Err(input.error("name the plugin's type: export_plugin!(MyPlugin)"));
        }
        let plugin = input.parse()?;
        let mut args = Args {
            plugin,
            manifest: None,
            required_minor: None,
            krate: quote!(::keyway),
        };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                args.krate = input.parse::<syn::Path>()?.into_token_stream();
                continue;
            }
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "manifest" => args.manifest = Some(input.parse()?),
                "required_minor" => args.required_minor = Some(input.parse()?),
                other => {
                    let message = format!(
                        "unknown option `{other}`; expected `manifest` or `required_minor`"
                    );
                    return Err(syn::Error::new(key.span(), message));
                }
            }
        }
        Ok(args)
    }
}

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let args: Args = syn::parse2(input)?;
    let (mut manifest, path) = read_manifest(args.manifest.as_ref())?;
    let Args { plugin, krate, .. } = &args;
    let required_minor = args.required_minor.as_ref().map_or_else(
        || quote!(#krate::version::INTERFACE.minor),
        |minor| {
            quote! {{
                const REQUIRED: u16 = #minor;
                assert!(
                    REQUIRED <= #krate::version::INTERFACE.minor,
                    "required_minor is newer than the keyway that this plugin is built with",
                );
                REQUIRED
            }}
        },
    );
    let id = manifest.id.to_string();
    let version = manifest.version.to_string();
    manifest.package = std::env::var("CARGO_PKG_NAME").ok();
    let json = manifest.to_json();
    let symbol = format!("keyway_plugin_{}", id.replace('-', "_"));
    let path = path.to_str().ok_or_else(|| {
        syn::Error::new(plugin.span(), "the path of plugin.toml is not valid UTF-8")
    })?;
    Ok(quote! {
        #[allow(unsafe_code, reason = "a plugin exports one symbol and one section")]
        const _: () = {
            // Ties the compilation to the file: a changed manifest is a changed plugin.
            const _: &[u8] = ::core::include_bytes!(#path);

            const REQUIRED_MINOR: u16 = #required_minor;

            const PARTS: #krate::abi::note::NoteParts<'static> = #krate::abi::note::NoteParts {
                panic_abort: ::core::cfg!(panic = "abort"),
                interface_major: #krate::version::INTERFACE.major,
                built_minor: #krate::version::INTERFACE.minor,
                required_minor: REQUIRED_MINOR,
                target: #krate::version::TARGET,
                rustc: #krate::version::RUSTC,
                symbol: #symbol,
                manifest: #json,
            };

            // SAFETY: the sections hold nothing but notes, and a note is plain bytes.
            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__keyway"))]
            #[cfg_attr(windows, unsafe(link_section = ".keyway"))]
            #[cfg_attr(
                not(any(target_vendor = "apple", windows)),
                unsafe(link_section = ".note.keyway")
            )]
            static NOTE: #krate::abi::note::Aligned<{ #krate::abi::note::len(&PARTS) }> =
                #krate::abi::note::Aligned(#krate::abi::note::encode(&PARTS));

            unsafe extern "C" fn entry(
                host: #krate::abi::RawObject,
            ) -> #krate::abi::AbiResult<#krate::abi::RawObject> {
                // SAFETY: passed on to the caller, the host.
                unsafe {
                    #krate::shim::entry::enter(#krate::shim::author::Maker::of::<#plugin>(), host)
                }
            }


            // A unit test links the crate into a program of its own, where nothing is unloaded.
            // A module, since assembly has no place in a block.
            #[cfg(not(test))]
            mod thread_hooks {
                #krate::__thread_hooks! {}
            }

            // SAFETY: the symbol contains the plugin's id, which no other plugin of a process
            // or a binary shares.
            #[unsafe(export_name = #symbol)]
            pub static DESCRIPTOR: #krate::abi::Descriptor =
                #krate::abi::Descriptor::new(&NOTE.0, REQUIRED_MINOR, entry);

            impl #krate::Exported for #plugin {
                const ID: &'static str = #id;
                const VERSION: &'static str = #version;

                fn descriptor() -> &'static #krate::abi::Descriptor {
                    &DESCRIPTOR
                }
            }
        };
    })
}

/// Reads the manifest beside the crate's Cargo.toml.
fn read_manifest(name: Option<&LitStr>) -> syn::Result<(Manifest, PathBuf)> {
    let span = name.map_or_else(Span::call_site, LitStr::span);
    let file_name = name.map_or_else(|| "plugin.toml".to_owned(), LitStr::value);
    let root = std::env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| {
        syn::Error::new(
            span,
            "CARGO_MANIFEST_DIR is not set: build the plugin with cargo",
        )
    })?;
    let path = Path::new(&root).join(&file_name);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let message = format!(
            "cannot read the plugin's manifest {}: {error}\nhelp: every plugin has a plugin.toml \
             beside its Cargo.toml, or names another file with `manifest = \"...\"`",
            path.display()
        );
        syn::Error::new(span, message)
    })?;
    let manifest = Manifest::from_toml(&text, &file_name).map_err(|error| {
        let message = format!(
            "{file_name} is not a valid manifest\n\n{}",
            error.rendered()
        );
        syn::Error::new(span, message)
    })?;
    if manifest.content.is_some() {
        let message = format!(
            "{file_name} describes a plugin without code, which has no library to export\nhelp: \
             remove [plugin.content] and register the skills in `activate`, or ship plugin.toml \
             and its files without a library"
        );
        return Err(syn::Error::new(span, message));
    }
    Ok((manifest, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the author reads. The manifests lie beside the tests of this crate.
    fn refusal(manifest: &str) -> String {
        let input = quote!(MyPlugin, manifest = #manifest);
        expand(input).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_mistake_in_the_manifest_is_an_error_that_shows_its_line() {
        let refusal = refusal("tests/macros/manifests/mistakes.toml");
        let expected = include_str!("../tests/macros/manifests/mistakes.txt");
        assert_eq!(refusal.trim(), expected.trim(), "found:\n{refusal}");
    }

    #[test]
    fn a_manifest_that_is_no_toml_is_an_error_that_shows_its_line() {
        let refusal = refusal("tests/macros/manifests/broken.toml");
        assert!(
            refusal.contains("tests/macros/manifests/broken.toml:3:"),
            "{refusal}"
        );
        assert!(refusal.contains("version = 0.1.0"), "{refusal}");
    }

    #[test]
    fn a_manifest_of_a_plugin_without_code_is_refused_with_the_two_ways_out() {
        let refusal = refusal("tests/macros/manifests/content.toml");
        assert_eq!(
            refusal,
            "tests/macros/manifests/content.toml describes a plugin without code, which has no \
             library to export\nhelp: remove [plugin.content] and register the skills in \
             `activate`, or ship plugin.toml and its files without a library"
        );
    }

    #[test]
    fn a_missing_manifest_is_named_with_the_place_where_it_belongs() {
        let refusal = refusal("tests/macros/manifests/none.toml");
        let expected =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/macros/manifests/none.toml");
        assert!(refusal.contains(&*expected.to_string_lossy()), "{refusal}");
        assert!(
            refusal.contains("every plugin has a plugin.toml beside its Cargo.toml"),
            "{refusal}"
        );
    }
}
