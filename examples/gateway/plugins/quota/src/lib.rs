//! Counts the requests of each account, and keeps out who has sent too many. It needs `accounts`, which
//! says whose a request is. The counts outlive a reload.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gateway_guard::{Guard, GuardHandle, Request};
use keyway::{
    Activation, Context, Imported, Json, Plugin, PluginError, Result, State, StateSchema,
};

#[keyway::data]
#[derive(Clone, Default)]
struct Counts(BTreeMap<String, u64>);

impl StateSchema for Counts {
    const SCHEMA: &'static str = "quota";
    const VERSION: u32 = 1;
}

#[derive(Clone)]
struct Quota {
    per_account: u64,
    counts: Arc<Mutex<Counts>>,
}

keyway::export_plugin!(Quota);

impl Plugin for Quota {
    async fn prepare(context: Context) -> Result<Self> {
        #[keyway::data]
        struct Settings {
            per_account: u64,
        }
        let Settings { per_account } = context.config()?;
        let counts = Arc::default();
        Ok(Quota {
            per_account,
            counts,
        })
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        activation.register("quota", GuardHandle::provide(self.clone()))?;
        Ok(())
    }

    async fn export_state(&self) -> Result<Option<State>> {
        State::of(&*self.counts.lock().unwrap_or_else(PoisonError::into_inner)).map(Some)
    }

    async fn import_state(&self, state: State) -> Result<Imported> {
        let (counts, imported) = state.read()?;
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        Ok(imported)
    }
}

impl Guard for Quota {
    fn admit(&self, request: Json<Request>) -> Result<Json<Request>> {
        let account = request.0.account.clone().unwrap_or_default();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.0.entry(account.clone()).or_default();
        if *count == self.per_account {
            let message = format!("{account} has used all {} requests", self.per_account);
            return Err(PluginError::invalid_input(message).code("quota-used"));
        }
        *count += 1;
        Ok(request)
    }

    fn rank(&self) -> Result<u32> {
        Ok(20)
    }
}

#[cfg(test)]
mod tests {
    use gateway_guard::{Guard, GuardHandle, Request};
    use keyway::testing::{TestContext, TestPlugin, block_on};
    use keyway::{Json, Result};
    use serde_json::json;

    use super::Quota;

    fn admit(quota: &TestPlugin<Quota>) -> Result<()> {
        let request = Request {
            token: "t-1".to_owned(),
            account: Some("Ada".to_owned()),
        };
        let guard = quota.capability::<GuardHandle>("quota")?;
        guard.admit(Json(request)).map(drop)
    }

    #[test]
    fn who_has_used_the_quota_is_kept_out_by_the_next_version_too() {
        let context = TestContext::new().config(json!({ "per_account": 2 }));
        let quota = block_on(TestPlugin::<Quota>::activate(context)).expect("it starts");
        quota.contract().assert_kept();
        admit(&quota).expect("the first");
        admit(&quota).expect("the second");
        let next = block_on(quota.reload()).expect("it takes the counts");
        let error = admit(&next).expect_err("the third is one too many");
        assert_eq!(error.error_code(), "quota-used");
    }
}
