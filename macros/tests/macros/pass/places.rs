//! Where a capability may be defined, and how visible.
#![allow(dead_code, reason = "that it compiles is the test")]

use keyway::capability::Capability;

mod inner {
    use keyway::Result;

    #[keyway::capability(id = "acme.inner", version = 2)]
    pub(in crate::pass) trait Inner: Send + Sync + 'static {
        fn one(&self) -> Result<()>;
    }

    /// Re-exported under another name, as an application's own crate may do with keyway.
    pub(super) mod facade {
        pub(crate) use keyway as plugins;
    }

    #[keyway::capability(id = "acme.facade", version = 1, crate = crate::pass::places::inner::facade::plugins)]
    pub(crate) trait Facade: Sync + Send {
        async fn one(&self, text: &str) -> Result<()> {
            let _ = text;
            Ok(())
        }
    }
}

#[test]
fn a_trait_may_be_private_to_a_function() {
    #[keyway::capability(id = "acme.local", version = 1)]
    trait Local: Send + Sync {
        #[expect(clippy::needless_arbitrary_self_type, reason = "some write it so")]
        fn one(self: &Self, element: &[Point]) -> keyway::Result<Point>;
    }
    assert_eq!(LocalHandle::ID, "acme.local");
    assert_eq!(inner::InnerHandle::MAJOR, 2);
    assert_eq!(inner::FacadeHandle::LAYOUT.method_count(), 1);
}

/// A type that crosses as it is, defined by a macro, with its type as a fragment.
macro_rules! point {
    ($name:ident, $number:ty) => {
        #[repr(C)]
        #[derive(Clone, Copy, Debug, abi_stable::StableAbi)]
        struct $name {
            x: $number,
        }
        keyway::plain!($name);

        #[keyway::capability(id = "acme.by-macro", version = 1)]
        trait ByMacro: Send + Sync {
            fn one(&self, number: $number, numbers: &[$number]) -> keyway::Result<$name>;
            async fn two(&self, number: Option<$name>) -> keyway::Result<Vec<$number>>;
        }
    };
}
point!(Point, u32);
