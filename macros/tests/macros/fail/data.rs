//! What `#[data]` goes on.

#[keyway::data]
fn function() {}

#[keyway::data(serde)]
struct Options;

fn main() {}
