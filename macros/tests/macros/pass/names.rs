//! Names of the author's that the generated code uses as well, and names that are keywords.
#![allow(dead_code, reason = "that it compiles is the test")]

use keyway::capability::{Capability, Provide};
use keyway::{Json, Result, Stream};

/// Types with the names that generated code might want for itself.
#[keyway::data]
struct Table;
#[keyway::data]
struct T;
#[keyway::data]
struct Adapter;
#[keyway::data]
struct Defaults;
#[keyway::data]
struct Target;
#[keyway::data]
struct Object;
#[keyway::data]
struct This;

#[keyway::capability(id = "acme.names", version = 1)]
trait Names: Send + Sync {
    fn header(&self, object: u8, this: &str, table: String) -> Result<()>;
    fn drop(&self, entered: &[u8], state: &mut [u8]) -> Result<()>;
    async fn target(&self, arguments: &str, answer: &[u8], object: u64, this: u8) -> Result<u64>;
    fn clone(&self, target: Option<u8>, needed: (u8, u16)) -> Result<()>;
    fn fmt(&self, data: (), f: u8, cx: u8) -> Result<Json<Table>>;
    fn call(&self, one: Json<T>, two: Json<Adapter>) -> Result<Json<Defaults>>;
    async fn size(&self, one: Json<Target>, two: Json<Object>) -> Result<Json<This>>;
    fn into(&self, keyway: u8, core: u8) -> Result<Stream<u8>>;
    fn r#type(&self, r#fn: u8, r#match: &str) -> Result<u8>;
    async fn r#move(&self, r#async: Vec<String>) -> Result<()>;
    fn poll(&self, this: &mut [u8], object: u8) -> Result<u8> {
        this[0] = object;
        Ok(object)
    }
    async fn next(&self, mut this: Vec<u8>, object: &[u8]) -> Result<Vec<u8>> {
        this.extend_from_slice(object);
        self.target("", &this, 0, 0).await?;
        Ok(this)
    }
}

#[test]
fn names_and_arguments_cross_without_the_marks_of_raw_identifiers() {
    let layout = NamesHandle::LAYOUT.describe();
    assert!(layout.contains("fn type(fn: u8, match: "), "{layout}");
    assert!(layout.contains("async fn move(async: "), "{layout}");
}

/// Two capabilities in one module, one of them with no method at all.
#[keyway::capability(id = "acme.marker", version = 1)]
trait Marker: Send + Sync {}

struct Marked;
impl Marker for Marked {}

#[test]
fn a_capability_without_methods_is_a_marker() {
    let provided = <MarkerHandle as Provide<Marked>>::provide(Marked);
    assert_eq!(provided.layout().method_count(), 0);
    assert_eq!(provided.layout().id(), "acme.marker");
}
