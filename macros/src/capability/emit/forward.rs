//! The caller's side: the handle as an implementation of the trait.
//!
//! Each method passes its arguments, calls through the handle's target and answers. A method with
//! a default body runs that where the implementation was built before the method existed.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{outcome, signature, table_ident};
use crate::capability::handle_ident;
use crate::capability::model::{Capability, Method};

pub(super) fn emit(model: &Capability, clause: &TokenStream) -> TokenStream {
    let Capability { krate, ident, .. } = model;
    let handle = handle_ident(ident);
    let forward = model.methods.iter().map(|method| {
        let signature = signature(method, false);
        let body = forward_body(krate, ident, method);
        quote!(#[inline] #signature { #body })
    });
    let defaults = (model.required() < model.methods.len()).then(|| emit_defaults(model, clause));
    quote! {
        impl #ident for #handle #clause {
            #(#forward)*
        }
        #defaults
    }
}

/// What runs the default bodies where the implementation lacks the method.
fn emit_defaults(model: &Capability, clause: &TokenStream) -> TokenStream {
    let ident = &model.ident;
    let handle = handle_ident(ident);
    let required = model
        .methods
        .iter()
        .filter(|method| method.default.is_none())
        .map(|method| {
            let signature = signature(method, false);
            let (name, this) = (&method.ident, method.receiver.self_token);
            let args = method.args.iter().map(|arg| &arg.ident);
            quote!(#signature { #ident::#name(#this.0, #(#args),*) })
        });
    let unused = (model.required() == 0)
        .then(|| quote!(#[allow(dead_code, reason = "no default body calls another method")]));
    quote! {
        /// Runs the default bodies, for an implementation that was built before a method
        /// existed. What a default body calls goes to the implementation.
        struct __Defaults<'a>(#unused &'a #handle);

        impl #ident for __Defaults<'_> #clause {
            #(#required)*
        }
    }
}

fn forward_body(krate: &TokenStream, trait_ident: &Ident, method: &Method) -> TokenStream {
    let (name, table_name) = (&method.ident, table_ident(method));
    let this = method.receiver.self_token;
    // Hygienic: an argument may have the same name.
    let object = Ident::new("object", Span::mixed_site());
    let args: Vec<_> = method.args.iter().map(|arg| &arg.ident).collect();
    let outcome = outcome(krate, method);
    let pass = quote!(#(let #args = #krate::abi::pass::Pass::pass(#args)?;)*);
    let invoke = quote! {
        // SAFETY: the target only hands out objects whose table was compared with the layout of
        // this capability and is long enough for this method.
        unsafe { (#object.table::<__Table>().#table_name)(#object.this(), #(#args),*) }
    };
    let needed = quote! {
        #krate::shim::signature::end_of(::core::mem::offset_of!(__Table, #table_name))
    };
    let default = method.default.is_some().then(|| {
        let run = quote!(#trait_ident::#name(&__Defaults(#this), #(#args),*));
        let run = if method.is_async {
            quote!(#run.await)
        } else {
            run
        };
        quote! {
            if !#this.target.offers(#needed) {
                return #run;
            }
        }
    });
    if method.is_async {
        let needed = if default.is_some() { needed } else { quote!(0) };
        // An async block, since it may capture the lifetimes of several borrowed arguments.
        return quote! {
            async move {
                #default
                let call = #this.target.call_async(#needed, move |#object| {
                    #pass
                    ::core::result::Result::Ok(#invoke)
                });
                #outcome::from_result(call.await)
            }
        };
    }
    let call = if default.is_some() {
        quote!(#this.target.call_appended(#needed, move |#object| #invoke))
    } else {
        quote!(#this.target.call(move |#object| #invoke))
    };
    quote! {
        #default
        let answer = #krate::shim::signature::forward(|| {
            #pass
            #call
        });
        #outcome::from_result(answer)
    }
}
