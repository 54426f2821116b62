//! The primitives the slot is built from: those of `std`, or loom's where the slot is being
//! modelled.

#[cfg(keyway_loom)]
pub(super) use loom::{
    cell::Cell,
    sync::atomic::{AtomicPtr, AtomicU8, fence},
    sync::{Arc, Mutex, MutexGuard},
    thread::yield_now,
};
#[cfg(not(keyway_loom))]
pub(super) use std::{
    cell::Cell,
    sync::atomic::{AtomicPtr, AtomicU8, fence},
    sync::{Arc, Mutex, MutexGuard},
    thread::yield_now,
};

pub(super) use std::sync::atomic::{Ordering, compiler_fence};

use std::sync::PoisonError;

/// A static with interior mutability, that lives as long as the process; loom keeps one per
/// modelled execution.
#[cfg(not(keyway_loom))]
macro_rules! global {
    ($(#[$attr:meta])* static $name:ident: $ty:ty = $init:expr;) => {
        $(#[$attr])*
        static $name: $ty = $init;
    };
}
#[cfg(keyway_loom)]
macro_rules! global {
    ($(#[$attr:meta])* static $name:ident: $ty:ty = $init:expr;) => {
        loom::lazy_static! {
            $(#[$attr])*
            static ref $name: $ty = $init;
        }
    };
}
pub(super) use global;

/// A function that a static can be made with; loom makes its primitives when the model runs.
#[cfg(not(keyway_loom))]
macro_rules! constant {
    ($(#[$attr:meta])* fn $name:ident($($arg:ident: $arg_ty:ty),*) -> $ty:ty $body:block) => {
        $(#[$attr])*
        const fn $name($($arg: $arg_ty),*) -> $ty $body
    };
}
#[cfg(keyway_loom)]
macro_rules! constant {
    ($(#[$attr:meta])* fn $name:ident($($arg:ident: $arg_ty:ty),*) -> $ty:ty $body:block) => {
        $(#[$attr])*
        fn $name($($arg: $arg_ty),*) -> $ty $body
    };
}
pub(super) use constant;

/// A thread-local that costs no check where it has no destructor; loom cannot parse the `const`
/// which asks for that.
#[cfg(not(keyway_loom))]
macro_rules! local {
    ($(#[$attr:meta])* static $name:ident: $ty:ty = $init:expr;) => {
        std::thread_local! {
            $(#[$attr])*
            static $name: $ty = const { $init };
        }
    };
}
#[cfg(keyway_loom)]
macro_rules! local {
    ($(#[$attr:meta])* static $name:ident: $ty:ty = $init:expr;) => {
        loom::thread_local! {
            $(#[$attr])*
            static $name: $ty = $init;
        }
    };
}
pub(super) use local;

/// Locks a mutex whose data is valid between any two statements, so that a poisoned one is as good
/// as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
