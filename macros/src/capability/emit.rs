//! The code that a capability trait becomes.
//!
//! The trait itself, with `async fn` written out as `-> impl Future + Send`; a handle with the
//! same methods; and, in an anonymous block, the method table, one adapter function per method
//! for the author's side, and one forwarding method for the caller's. Adapters and forwarders are
//! a few lines each: guards, leases and conversions are functions of `keyway`.
//!
//! Names of the author's and of the generated code never meet: generated items start with two
//! underscores, generated methods with `method_`, and generated variables are hygienic.

mod forward;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::bounds::Bounds;
use super::handle_ident;
use super::model::{Arg, Capability, Method};

pub(crate) fn emit(model: &Capability) -> TokenStream {
    let bounds = Bounds::of(model);
    let item = emit_trait(model);
    let handle = emit_handle(model);
    let check = &bounds.check;
    let table = emit_table(model, &bounds.clause);
    let adapter = emit_adapter(model, &bounds.clause);
    let capability = emit_capability(model, &bounds.clause);
    let forward = forward::emit(model, &bounds.clause);
    quote! {
        #item
        #handle
        #[allow(unsafe_code, reason = "the method table is called and filled here")]
        #[allow(deprecated, reason = "a deprecated method still has to work")]
        #[allow(improper_ctypes_definitions, reason = "an argument may be the empty tuple")]
        #[allow(clippy::all, clippy::pedantic, reason = "the signatures are the author's")]
        const _: () = {
            #check
            #table
            #adapter
            #capability
            #forward
        };
    }
}

fn emit_trait(model: &Capability) -> TokenStream {
    let Capability {
        attrs,
        vis,
        ident,
        supertraits,
        ..
    } = model;
    let methods = model.methods.iter().map(|method| {
        let attrs = &method.attrs;
        let signature = signature(method, true);
        let body = method.default.as_ref().map_or_else(
            || quote!(;),
            |body| {
                if method.is_async {
                    // At the place of the body, for what the compiler has to say of its future.
                    quote_spanned!(body.span()=> { async move #body })
                } else {
                    quote!(#body)
                }
            },
        );
        quote!(#(#attrs)* #signature #body)
    });
    quote! {
        #(#attrs)*
        #vis trait #ident: #supertraits {
            #(#methods)*
        }
    }
}

/// The method as the trait (`declared`) and the handle have it.
fn signature(method: &Method, declared: bool) -> TokenStream {
    let Method {
        ident,
        receiver,
        output,
        ..
    } = method;
    let args = method.args.iter().map(|arg| {
        let (ident, written) = (&arg.ident, &arg.written);
        let mutability = arg.mutability.filter(|_| declared);
        quote!(#mutability #ident: #written)
    });
    let output = if method.is_async {
        // At the place of the result, for what the compiler has to say of the future.
        quote_spanned! {output.span()=>
            impl ::core::future::Future<Output = #output> + ::core::marker::Send
        }
    } else {
        output.to_token_stream()
    };
    quote!(fn #ident(#receiver, #(#args),*) -> #output)
}

fn emit_handle(model: &Capability) -> TokenStream {
    let Capability {
        vis,
        ident,
        krate,
        id,
        version,
        ..
    } = model;
    let handle = handle_ident(ident);
    let doc = format!(
        "A handle to an implementation of [`{ident}`] (`{id}/{version}`) in a plugin.\n\n\
         Cheap to clone, callable from any thread, and valid over reloads: each call goes to the \
         version that serves at that moment."
    );
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #handle {
            target: #krate::capability::Target,
        }
    }
}

/// `<T as Pass>::Abi`, with all tokens at the place of the type, so that whatever the compiler
/// has to say of it, it says there.
fn abi(krate: &TokenStream, ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as #krate::abi::pass::Pass>::Abi)
}

/// The boundary form of what a method answers when all is well.
fn output_abi(krate: &TokenStream, method: &Method) -> TokenStream {
    let output = &method.output;
    method.value.as_ref().map_or_else(
        || {
            let value = quote_spanned!(output.span()=> <#output as #krate::abi::pass::Outcome>::Ok);
            quote_spanned!(output.span()=> <#value as #krate::abi::pass::Pass>::Abi)
        },
        |(value, _)| abi(krate, value),
    )
}

/// The result type as a result. As with `abi`, whatever there is to say of the type is said there,
/// and in the same words, so that the compiler says it once.
fn outcome(krate: &TokenStream, method: &Method) -> TokenStream {
    let output = &method.output;
    match &method.value {
        Some((value, _)) => quote_spanned! {output.span()=>
            <#output as #krate::shim::signature::ResultOf<#value>>
        },
        None => quote_spanned!(output.span()=> <#output as #krate::abi::pass::Outcome>),
    }
}

/// What the table's function answers.
fn answer(krate: &TokenStream, method: &Method) -> TokenStream {
    let output = output_abi(krate, method);
    if method.is_async {
        quote!(#krate::abi::BorrowingFfiFuture<'call, #krate::abi::AbiResult<#output>>)
    } else {
        quote!(#krate::abi::AbiResult<#output>)
    }
}

/// The name of a method in the table and the adapter.
fn table_ident(method: &Method) -> Ident {
    format_ident!("method_{}", method.name())
}

fn emit_table(model: &Capability, clause: &TokenStream) -> TokenStream {
    let krate = &model.krate;
    let fields = model.methods.iter().map(|method| {
        let name = table_ident(method);
        let args = method.args.iter().map(|arg| abi(krate, &arg.call));
        let answer = answer(krate, method);
        quote! {
            #name: for<'call> unsafe extern "C" fn(
                #krate::shim::This<'call>, #(#args),*
            ) -> #answer
        }
    });
    quote! {
        #[repr(C)]
        struct __Table #clause {
            header: #krate::abi::VTableHeader,
            #(#fields,)*
        }
    }
}

fn emit_adapter(model: &Capability, clause: &TokenStream) -> TokenStream {
    let Capability { krate, ident, .. } = model;
    let names: Vec<_> = model.methods.iter().map(table_ident).collect();
    let adapters = model
        .methods
        .iter()
        .map(|method| adapter_method(krate, ident, method));
    quote! {
        /// The functions of the table for implementations of type `__T`.
        struct __Adapter<__T>(::core::marker::PhantomData<__T>);

        impl<__T: #ident + 'static> __Adapter<__T> #clause {
            const TABLE: __Table = __Table {
                header: #krate::shim::header::<__Table, __T>(),
                #(#names: Self::#names,)*
            };

            #(#adapters)*
        }
    }
}

fn adapter_method(krate: &TokenStream, trait_ident: &Ident, method: &Method) -> TokenStream {
    let (name, table_name) = (&method.ident, table_ident(method));
    // Hygienic: an argument may have the same name.
    let this = Ident::new("this", Span::mixed_site());
    let args: Vec<_> = method.args.iter().map(|arg| &arg.ident).collect();
    let types = method.args.iter().map(|arg| abi(krate, &arg.call));
    let answer = answer(krate, method);
    let outcome = outcome(krate, method);
    let receive = quote! {
        // SAFETY: the caller read this function from the table that belongs to the object.
        let #this = unsafe { #this.get::<__T>() };
        // SAFETY: the layouts of both sides were compared before the first call, and whoever
        // calls holds the arguments' memory for the time of the call.
        #(let #args = unsafe {
            #krate::abi::pass::Pass::receive(#args, &#krate::abi::pass::Origin::OUTLIVES_US)
        }?;)*
    };
    let body = if method.is_async {
        quote! {
            #krate::shim::future(async move {
                #receive
                #outcome::into_result(#trait_ident::#name(#this, #(#args),*).await)
            })
        }
    } else {
        quote! {
            #krate::shim::call(move || {
                #receive
                #outcome::into_result(#trait_ident::#name(#this, #(#args),*))
            })
        }
    };
    quote! {
        unsafe extern "C" fn #table_name<'call>(
            #this: #krate::shim::This<'call>,
            #(#args: #types),*
        ) -> #answer {
            #body
        }
    }
}

fn emit_capability(model: &Capability, clause: &TokenStream) -> TokenStream {
    let Capability {
        vis,
        krate,
        ident,
        id,
        version,
        ..
    } = model;
    let handle = handle_ident(ident);
    let required = u32::try_from(model.required()).unwrap_or(u32::MAX);
    let methods = model
        .methods
        .iter()
        .map(|method| method_layout(krate, method));
    quote! {
        impl #handle #clause {
            /// Makes an implementation ready to be registered by a plugin.
            #vis fn provide(
                implementation: impl #ident + 'static,
            ) -> #krate::capability::Provided {
                <Self as #krate::capability::Provide<_>>::provide(implementation)
            }

            /// The same handle with a deadline for each async call made through it.
            ///
            /// A call that waits longer is cancelled and answers a deadline-exceeded error. The
            /// deadline is looked at whenever the call waits: code that blocks its thread is not
            /// interrupted. Sync calls have no deadline.
            #[must_use]
            #vis fn with_deadline(&self, deadline: ::core::time::Duration) -> Self {
                Self { target: self.target.with_deadline(deadline) }
            }
        }

        impl #krate::capability::Capability for #handle #clause {
            const ID: &'static str = #id;
            const MAJOR: u32 = #version;
            const LAYOUT: &'static #krate::abi::InterfaceLayout =
                &#krate::abi::InterfaceLayout::new(#id, #version, #required, &[#(#methods),*]);

            fn from_target(target: #krate::capability::Target) -> Self {
                Self { target }
            }

            fn target(&self) -> &#krate::capability::Target {
                &self.target
            }
        }

        impl<__T: #ident + 'static> #krate::capability::Provide<__T> for #handle #clause {
            fn provide(implementation: __T) -> #krate::capability::Provided {
                // SAFETY: the table was made for this type and follows the layout.
                unsafe {
                    #krate::capability::Provided::new(
                        implementation,
                        &__Adapter::<__T>::TABLE.header,
                        <Self as #krate::capability::Capability>::LAYOUT,
                    )
                }
            }
        }
    }
}

fn method_layout(krate: &TokenStream, method: &Method) -> TokenStream {
    let name = method.name();
    let kind = if method.is_async {
        quote!(future)
    } else {
        quote!(sync)
    };
    let output = output_abi(krate, method);
    let args = method.args.iter().map(|arg: &Arg| {
        let (name, ty) = (arg.name(), abi(krate, &arg.fixed));
        quote!(#krate::abi::ArgLayout::of::<#ty>(#name))
    });
    quote!(#krate::abi::MethodLayout::#kind::<#output>(#name, &[#(#args),*]))
}
