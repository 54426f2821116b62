//! The service: runs all the time, and reports how it is doing.

use keyway::service::{Service, ServiceReport};
use keyway::{Json, Result, Stream};

use crate::Greeter;

impl Service for Greeter {
    fn run(&self) -> Result<Stream<Json<ServiceReport>>> {
        let greeter = self.clone();
        Ok(Stream::produce(|reports| async move {
            {%- if runtime == "tokio" %}
            // The host ends it by dropping the stream.
            loop {
                let greeting = greeter.greet("everybody").await;
                reports.send(Json(ServiceReport::ready(greeting))).await?;
            }
            {%- else %}
            let greeting = greeter.greet("everybody");
            reports.send(Json(ServiceReport::ready(greeting))).await?;
            // There is nothing else to report. The host ends it by dropping the stream.
            std::future::pending().await
            {%- endif %}
        }))
    }
}
