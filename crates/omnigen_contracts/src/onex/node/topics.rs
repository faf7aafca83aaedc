//! Topics: eight places where a contract may name them.

use omnigen_ir::{NodeManifest, Topic, TopicRole};
use omnigen_report::{At, Code};

use super::{Reader, description, indexed, text};
use crate::value::{Data, Value, push_token};

pub(super) fn read(reader: &mut Reader<'_>, root: &Value<'_>, node: &mut NodeManifest) {
    let mut found = Found { reader, topics: Vec::new() };
    if let Some(bus) = root.get("event_bus") {
        match &bus.data {
            Data::Object(_) => found.bus(bus),
            _ => found.reader.wrong("/event_bus", bus, "a map with `publish_topics` and `subscribe_topics`"),
        }
    }
    for (key, role) in [
        ("publish_topics", TopicRole::Published),
        ("subscribe_topics", TopicRole::Subscribed),
        ("dlq_topics", TopicRole::DeadLetter),
        ("published_events", TopicRole::Published),
        ("consumed_events", TopicRole::Subscribed),
        ("terminal_event", TopicRole::Terminal),
        ("topic", TopicRole::Published),
        ("publish", TopicRole::Published),
        ("subscribe", TopicRole::Subscribed),
    ] {
        if let Some(value) = root.get(key) {
            found.value(value, &format!("/{key}"), role);
        }
    }
    for (key, role) in [
        ("produces", TopicRole::Published),
        ("publishes", TopicRole::Published),
        ("consumes", TopicRole::Subscribed),
        ("subscribes", TopicRole::Subscribed),
    ] {
        if let Some(value) = root.get("topics").and_then(|topics| topics.get(key)) {
            found.value(value, &format!("/topics/{key}"), role);
        }
    }
    if let Some(value) = root.get("subscriptions").and_then(|subscriptions| subscriptions.get("topics")) {
        found.value(value, "/subscriptions/topics", TopicRole::Subscribed);
    }
    node.topics = found.topics;
}

struct Found<'f, 'r> {
    reader: &'f mut Reader<'r>,
    topics: Vec<Topic>,
}

impl Found<'_, '_> {
    fn bus(&mut self, bus: &Value<'_>) {
        for (key, role) in [
            ("publish_topics", TopicRole::Published),
            ("subscribe_topics", TopicRole::Subscribed),
            ("dlq_topics", TopicRole::DeadLetter),
            ("dlq_topic", TopicRole::DeadLetter),
            ("terminal_event", TopicRole::Terminal),
            ("subscribe", TopicRole::Subscribed),
            ("publish", TopicRole::Published),
        ] {
            if let Some(value) = bus.get(key) {
                self.value(value, &format!("/event_bus/{key}"), role);
            }
        }
        for key in ["publish_topic_metadata", "subscribe_topic_metadata"] {
            for part in bus.get(key).and_then(Value::members).unwrap_or_default() {
                for topic in self.topics.iter_mut().filter(|topic| *topic.name == *part.name) {
                    if topic.description.is_none() {
                        topic.description = description(&part.value);
                    }
                    if topic.schema.is_none() {
                        topic.schema = text(&part.value, "schema_ref").map(Into::into);
                    }
                }
            }
        }
    }

    /// A topic, a list of them, or a map that holds some.
    fn value(&mut self, value: &Value<'_>, pointer: &str, role: TopicRole) {
        match &value.data {
            Data::String(name) => self.topic(name, pointer, role, None, None),
            Data::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = indexed(pointer, index);
                    match &item.data {
                        Data::String(name) => self.topic(name, &pointer, role, None, None),
                        Data::Object(_) => self.one(item, &pointer, role),
                        _ => self.reader.wrong(&pointer, item, "the name of a topic"),
                    }
                }
            }
            Data::Object(_) => self.one(value, pointer, role),
            Data::Null => {}
            Data::Bool(_) | Data::Number(_) => self.reader.wrong(pointer, value, "a topic or a list of topics"),
        }
    }

    /// A map about one topic, or one for each outcome.
    fn one(&mut self, item: &Value<'_>, pointer: &str, role: TopicRole) {
        let schema = ["payload_schema", "schema_ref", "payload_model"].iter().find_map(|key| text(item, key));
        let about = text(item, "description");
        for (key, role) in [
            ("topic", role),
            ("full_topic_pattern", role),
            ("success_topic", TopicRole::Success),
            ("failure_topic", TopicRole::Failure),
        ] {
            if let Some(name) = text(item, key) {
                let mut place = pointer.to_owned();
                push_token(&mut place, key);
                if matches!(role, TopicRole::Success | TopicRole::Failure) {
                    self.topic(name, &place, TopicRole::Published, about, schema);
                }
                self.topic(name, &place, role, about, schema);
            }
        }
    }

    fn topic(&mut self, name: &str, pointer: &str, role: TopicRole, about: Option<&str>, schema: Option<&str>) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        if let Some(known) = self.topics.iter_mut().find(|topic| *topic.name == *name && topic.role == role) {
            if known.description.is_none() {
                known.description = about.map(Into::into);
            }
            return;
        }
        if let Some(why) = breach(name)
            && self.topics.iter().all(|topic| *topic.name != *name)
        {
            let message = format!("the topic `{name}` is not named `onex.<kind>.<service>.<name>.v<N>`: {why}");
            let at = At::value(self.reader.file, pointer);
            let hint = name
                .contains('_')
                .then(|| format!("`{}`", name.replace('_', "-")))
                .filter(|fixed| breach(fixed.trim_matches('`')).is_none());
            self.reader.warn(Code::BadTopic, at, message, hint.map(|fixed| format!("did you mean {fixed}?")));
        }
        self.topics.push(Topic {
            name: name.into(),
            role,
            description: about.map(Into::into),
            schema: schema.map(Into::into),
        });
    }
}

/// Why a topic breaks the pattern `onex.<kind>.<service>.<name>.v<N>`.
fn breach(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.first() != Some(&"onex") {
        return Some("it does not begin with `onex`".to_owned());
    }
    if !parts.get(1).is_some_and(|kind| ["evt", "cmd", "intent", "dlq", "snapshot", "internal"].contains(kind)) {
        return Some("its kind is none of evt, cmd, intent, dlq, snapshot, internal".to_owned());
    }
    let version = parts.last().and_then(|last| last.strip_prefix('v'));
    if !version.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())) {
        return Some("it does not end in a version such as `v1`".to_owned());
    }
    if parts.len() < 5 {
        return Some(format!("it has {} parts instead of 5", parts.len()));
    }
    let odd = parts.iter().find(|part| {
        part.is_empty() || part.bytes().any(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
    });
    match odd {
        Some(part) if part.contains('_') => Some(format!("`{part}` has an underscore")),
        Some(part) => Some(format!("`{part}` is not made of small letters, digits and hyphens")),
        None if parts.len() > 5 => Some(format!("it has {} parts instead of 5", parts.len())),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns() {
        for (name, fine) in [
            ("onex.evt.shop.order-paid.v1", true),
            ("onex.cmd.shop.pay.v12", true),
            ("onex.evt.shop.order_paid.v1", false),
            ("onex.evt.shop.order-paid", false),
            ("shop.evt.order.v1", false),
            ("onex.evt.shop.v1", false),
            ("onex.evt..paid.v1", false),
        ] {
            assert_eq!(super::breach(name).is_none(), fine, "{name}");
        }
    }
}
