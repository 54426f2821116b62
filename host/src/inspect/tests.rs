//! Tests of the inspection: on real libraries of the host, on small crafted ones of every format,
//! and on files that mean harm.

pub(crate) mod craft;
mod fixture;
mod hostile;
mod real;
mod refusals;
mod synthetic;
