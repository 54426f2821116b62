//! Would note where a request comes from, if its table were not empty. It panics when it is prepared, to
//! show what becomes of that: nothing, for everybody else.

use gateway_guard::{Guard, GuardHandle, Request};
use keyway::{Activation, Context, Json, Plugin, Result};

static COUNTRIES: &[&str] = &[];

struct Geo;

keyway::export_plugin!(Geo);

impl Plugin for Geo {
    async fn prepare(_: Context) -> Result<Self> {
        assert!(!COUNTRIES.is_empty(), "the table of countries is empty");
        Ok(Geo)
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation.register("geo", GuardHandle::provide(Geo))?;
        Ok(())
    }
}

impl Guard for Geo {
    fn admit(&self, request: Json<Request>) -> Result<Json<Request>> {
        Ok(request)
    }

    fn rank(&self) -> Result<u32> {
        Ok(5)
    }
}
