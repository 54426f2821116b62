//! Generated code needs no prelude, and no name that the author could have given another meaning.
#![no_implicit_prelude]
#![allow(dead_code, reason = "that it compiles is the test")]

struct Ok;
struct Err;
struct Some;
struct Send;
struct Sync;
struct Result;
struct Future;
struct Box;

#[::keyway::capability(id = "acme.bare", version = 1)]
trait Bare: ::core::marker::Send + ::core::marker::Sync {
    fn first(&self, numbers: &mut [u8], text: &str) -> ::keyway::Result<()>;
    async fn second(&self, text: ::std::string::String) -> ::keyway::Result<u64>;
    fn third(&self) -> ::keyway::Result<u64> {
        ::core::result::Result::Ok(1)
    }
    async fn fourth(&self, text: &str) -> ::keyway::Result<u64> {
        ::core::result::Result::Ok(text.len() as u64)
    }
}

// The derive macro of schemars does need the prelude.
use crate::pass::data::Greeting;

/// A tool.
#[::keyway::tool]
async fn arguments(state: &u8, arguments: Greeting) -> ::keyway::Result<u8> {
    let _ = arguments;
    ::core::result::Result::Ok(*state)
}
