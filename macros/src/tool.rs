//! `#[tool]`: an async function becomes a tool.
//!
//! The function stays as it is. Beside it, in the type namespace, comes a type of the same name
//! that describes and runs it: `activation.tool::<redact>()`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::token::Bracket;
use syn::{
    Attribute, Expr, ExprLit, FnArg, ItemFn, Lit, LitBool, LitStr, Meta, Path, ReturnType, Token,
    Type, bracketed,
};

/// The options of the attribute.
struct Args {
    name: Option<LitStr>,
    title: Option<LitStr>,
    /// `read_only`, `destructive` and `idempotent`, as written: with a value, or as a word.
    flags: Vec<(Ident, bool)>,
    /// The arguments that are paths: by `reads`, and by `writes`.
    reads: Vec<LitStr>,
    writes: Vec<LitStr>,
    krate: TokenStream,
}

impl Default for Args {
    fn default() -> Self {
        Args {
            name: None,
            title: None,
            flags: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            krate: quote!(::keyway),
        }
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut args = Args::default();
        while !input.is_empty() {
            if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                args.krate = input.parse::<Path>()?.into_token_stream();
            } else {
                args.option(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }
}

impl Args {
    fn option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let key: Ident = input.parse()?;
        match key.to_string().as_str() {
            "name" => self.name = Some(value(input)?),
            "title" => self.title = Some(value(input)?),
            "reads" => self.reads.extend(names(input)?),
            "writes" => self.writes.extend(names(input)?),
            "read_only" | "destructive" | "idempotent" => {
                let says = match input.peek(Token![=]) {
                    true => value::<LitBool>(input)?.value,
                    false => true,
                };
                self.flags.push((key, says));
            }
            other => {
                let message = format!(
                    "unknown option `{other}`; expected one of name, title, read_only, \
                     destructive, idempotent, reads, writes"
                );
                return Err(syn::Error::new(key.span(), message));
            }
        }
        Ok(())
    }

    /// What is called on the description that the arguments' type gives.
    fn additions(&self) -> TokenStream {
        let krate = &self.krate;
        let tool = quote!(#krate::tool);
        let title = self.title.iter().map(|title| quote!(.with_title(#title)));
        let flags = self.flags.iter().map(|(flag, says)| {
            let with = format_ident!("with_{flag}");
            quote!(.#with(#says))
        });
        let annotations: TokenStream = title.chain(flags).collect();
        let annotations = (!annotations.is_empty())
            .then(|| quote!(.with_annotations(#tool::ToolAnnotations::new() #annotations)));
        let reads = self.reads.iter();
        let reads = reads.map(|name| quote!(.with_path(#tool::PathParameter::read(#name))));
        let writes = self.writes.iter();
        let writes = writes.map(|name| quote!(.with_path(#tool::PathParameter::write(#name))));
        quote!(#annotations #(#reads)* #(#writes)*)
    }
}

/// `= value`
fn value<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// `= "name"` or `= ["name", "name"]`
fn names(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    input.parse::<Token![=]>()?;
    if !input.peek(Bracket) {
        return Ok(vec![input.parse()?]);
    }
    let list;
    bracketed!(list in input);
    let names = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
    Ok(names.into_iter().collect())
}

/// How the function takes its parameters, in their order.
enum Parameter {
    State(Type),
    Arguments(Type),
}

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(item)?;
    let (args, error) = match syn::parse2(args) {
        Ok(args) => (args, None),
        Err(error) => (Args::default(), Some(error)),
    };
    let krate = args.krate.clone();
    let tool = match error {
        None => emit(args, &function),
        Some(error) => Err(error),
    };
    Ok(tool.unwrap_or_else(|error| recover(&krate, &function, &error)))
}

/// What a function with mistakes becomes: the function as it stands, and a type of its name that
/// passes as a tool, so that registering it adds no errors of its own.
fn recover(krate: &TokenStream, function: &ItemFn, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    // A method has no room for a type beside it, and nobody registers it.
    if function.sig.receiver().is_some() {
        return quote!(#function #error);
    }
    let (ident, marker) = (&function.sig.ident, marker(function));
    let state = state_of(function);
    quote! {
        #function
        #error
        #marker

        impl #krate::tool::ToolFunction for #ident {
            type State = #state;

            fn spec() -> #krate::tool::ToolSpec {
                ::core::unreachable!()
            }

            async fn run(
                _: &Self::State,
                _: ::std::string::String,
            ) -> #krate::Result<::std::string::String> {
                ::core::unreachable!()
            }
        }
    }
}

/// The type of the first parameter by reference, by which a registration passes the state, as far
/// as it means something outside of the function.
fn state_of(function: &ItemFn) -> TokenStream {
    let mut references = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => match &*input.ty {
            Type::Reference(ty) => Some(ty.elem.to_token_stream()),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    let is_plain = function.sig.generics.params.is_empty();
    let first = references.next().filter(|_| is_plain);
    first.unwrap_or_else(|| quote!(()))
}

/// The type that stands for the function where it is registered.
fn marker(function: &ItemFn) -> TokenStream {
    let (ident, vis) = (&function.sig.ident, &function.vis);
    let doc = format!("The function [`{ident}`](fn@{ident}) as a tool.");
    quote! {
        #[doc = #doc]
        #[allow(non_camel_case_types, reason = "it is named like its function")]
        #[derive(::core::fmt::Debug)]
        #vis enum #ident {}
    }
}

fn emit(args: Args, function: &ItemFn) -> syn::Result<TokenStream> {
    let additions = args.additions();
    let Args { name, krate, .. } = args;
    let (ident, marker) = (&function.sig.ident, marker(function));
    if function.sig.asyncness.is_none() {
        return Err(syn::Error::new(
            function.sig.fn_token.span(),
            "a tool is an async function: write `async fn`",
        ));
    }
    if !function.sig.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &function.sig.generics,
            "a tool has no generic parameters: its schema is fixed when the plugin is compiled",
        ));
    }
    let description = doc_text(&function.attrs);
    if description.is_empty() {
        return Err(syn::Error::new(
            ident.span(),
            "a tool needs a doc comment: it is the description by which callers choose it",
        ));
    }
    let ReturnType::Type(_, output) = &function.sig.output else {
        return Err(syn::Error::new(
            ident.span(),
            "a tool answers `keyway::Result<T>`; write `Result<()>` if there is nothing to say",
        ));
    };
    let name = name.map_or_else(|| ident.unraw().to_string(), |name| name.value());
    let parameters = parameters(function)?;
    let mut state_type = quote!(());
    let mut arguments_type = quote!(#krate::tool::NoArguments);
    for parameter in &parameters {
        match parameter {
            Parameter::State(ty) => state_type = ty.to_token_stream(),
            Parameter::Arguments(ty) => arguments_type = ty.to_token_stream(),
        }
    }
    // Hygienic: the function may have the same name.
    let local = |name: &str| Ident::new(name, Span::mixed_site());
    let (state, text, arguments) = (local("state"), local("text"), local("arguments"));
    let pass = parameters.iter().map(|parameter| match parameter {
        Parameter::State(_) => state.clone(),
        Parameter::Arguments(_) => arguments.clone(),
    });
    // With all tokens at the place of the type, so that a type which does not fit is one error.
    let reader = quote_spanned! {arguments_type.span()=>
        <#arguments_type as #krate::tool::FromArguments>
    };
    let write = quote_spanned!(output.span()=> #krate::tool::write_answer::<#output>);
    Ok(quote! {
        #function
        #marker

        #[allow(deprecated, reason = "a deprecated tool still has to work")]
        #[allow(clippy::all, clippy::pedantic, reason = "the signature is the author's")]
        impl #krate::tool::ToolFunction for #ident {
            type State = #state_type;

            fn spec() -> #krate::tool::ToolSpec {
                #reader::spec(#name, #description) #additions
            }

            async fn run(
                #state: &Self::State,
                #text: ::std::string::String,
            ) -> #krate::Result<::std::string::String> {
                let _ = #state;
                let #arguments = #reader::read(#name, &#text)?;
                let _ = &#arguments;
                #write(#name, #ident(#(#pass),*).await)
            }
        }
    })
}

fn parameters(function: &ItemFn) -> syn::Result<Vec<Parameter>> {
    let (mut state, mut arguments) = (false, false);
    function
        .sig
        .inputs
        .iter()
        .map(|input| {
            let FnArg::Typed(input) = input else {
                let message = "a tool is a free function; pass its state as `&State`";
                return Err(syn::Error::new_spanned(input, message));
            };
            let (seen, parameter) = match &*input.ty {
                Type::Reference(ty) if ty.mutability.is_some() => {
                    return Err(syn::Error::new_spanned(
                        ty,
                        "a tool's state is shared by concurrent calls: take `&State`",
                    ));
                }
                Type::Reference(ty) => (&mut state, Parameter::State((*ty.elem).clone())),
                ty => (&mut arguments, Parameter::Arguments(ty.clone())),
            };
            if std::mem::replace(seen, true) {
                return Err(syn::Error::new_spanned(
                    input,
                    "a tool takes at most one state by reference and one struct of arguments by \
                     value",
                ));
            }
            Ok(parameter)
        })
        .collect()
}

/// The doc comment as text: lines joined, paragraphs kept.
fn doc_text(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let mut text = String::new();
    for line in lines {
        let line = line.trim().to_owned();
        if line.is_empty() {
            text.push_str("\n\n");
        } else {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(&line);
        }
    }
    text.trim().to_owned()
}
