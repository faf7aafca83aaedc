//! What happens, told on the `tracing` stream: the one way in which anybody hears of a run while it is under way.

use omnigen_report::{Activity, BuildEvent, Carried};
use tracing::Level;

/// Tells of something. Who is interested is decided outside; if nobody is, the event is not even made.
pub(crate) fn tell(event: impl FnOnce() -> BuildEvent) {
    if tracing::enabled!(target: Carried::TARGET, Level::INFO) {
        let carried = Carried(event());
        let event: &(dyn std::error::Error + 'static) = &carried;
        tracing::info!(target: Carried::TARGET, event);
    }
}

/// A run, or a round of `watch`, begins.
pub(crate) fn started(activity: Activity, cause: Option<&str>) {
    tell(|| BuildEvent::Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        activity,
        cause: cause.map(str::to_owned),
    });
}
