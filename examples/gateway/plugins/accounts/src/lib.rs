//! Knows whose token a request shows. The list is a file beside the library, which the plugin reads by
//! way of its host: `plugin.toml` asks for it, and the gateway's `keyway.toml` grants it.

use std::collections::BTreeMap;

use gateway_guard::{Guard, GuardHandle, Request};
use keyway::{Activation, Context, Json, Plugin, PluginError, Result, ResultExt};

struct Accounts {
    by_token: BTreeMap<String, String>,
}

keyway::export_plugin!(Accounts);

impl Plugin for Accounts {
    async fn prepare(context: Context) -> Result<Self> {
        let list = context.files().read_to_string("accounts.txt").await;
        let list = list.context("the list of accounts")?;
        let lines = list.lines().filter_map(|line| line.split_once(' '));
        let by_token = lines.map(|(token, name)| (token.to_owned(), name.to_owned()));
        Ok(Accounts {
            by_token: by_token.collect(),
        })
    }

    async fn activate(&self, activation: &mut Activation) -> Result<()> {
        let by_token = self.by_token.clone();
        activation.register("accounts", GuardHandle::provide(Accounts { by_token }))?;
        Ok(())
    }
}

impl Guard for Accounts {
    fn admit(&self, request: Json<Request>) -> Result<Json<Request>> {
        let Json(mut request) = request;
        let account = self.by_token.get(&request.token);
        request.account = Some(account.ok_or_else(unknown)?.clone());
        Ok(Json(request))
    }

    fn rank(&self) -> Result<u32> {
        Ok(10)
    }
}

fn unknown() -> PluginError {
    PluginError::invalid_input("nobody has this token").code("unknown-token")
}

#[cfg(test)]
mod tests {
    use gateway_guard::{Guard, GuardHandle, Request};
    use keyway::Json;
    use keyway::testing::{TestContext, TestPlugin, block_on};

    use super::Accounts;

    #[test]
    fn a_token_is_known_by_the_file_and_another_one_is_refused() {
        let context = TestContext::new().file("accounts.txt", "t-1 Ada\n");
        let accounts = block_on(TestPlugin::<Accounts>::activate(context)).expect("it starts");
        accounts.contract().assert_kept();
        let guard = accounts.capability::<GuardHandle>("accounts");
        let guard = guard.expect("it is one");
        let admit = |token: &str| {
            guard.admit(Json(Request {
                token: token.to_owned(),
                account: None,
            }))
        };
        let Json(admitted) = admit("t-1").expect("it is in the file");
        assert_eq!(admitted.account.as_deref(), Some("Ada"));
        let refused = admit("t-2").expect_err("it is not");
        assert_eq!(refused.error_code(), "unknown-token");
    }

    #[test]
    fn without_the_file_it_does_not_start() {
        let error = block_on(TestPlugin::<Accounts>::activate(TestContext::new()));
        let error = error.expect_err("nobody grants it");
        assert_eq!(error.error_code(), "read-not-granted");
    }
}
