//! Which handler gets what: some fifty shapes of routes, one shape out.

use omnigen_ir::{Handler, Route, Routing};
use omnigen_report::{At, Code};

use super::{Reader, class_of, description, indexed, text};
use crate::value::{Data, Value};

/// What a route may match by, best first.
const KEYS: [&str; 10] = [
    "operation",
    "routing_key",
    "event_type",
    "payload_type",
    "backend",
    "topic",
    "subscribe_topic",
    "message_category",
    "path",
    "handler_key",
];

pub(super) fn read(reader: &mut Reader<'_>, root: &Value<'_>) -> Option<Routing> {
    let mut routing = Routing::default();
    let own = root.get("handler").and_then(handler);
    match root.get("handler_routing") {
        None => {
            // A node with one handler has no table.
            routing.default = Some(own?);
            return Some(routing);
        }
        Some(value @ Value { data: Data::Object(_), .. }) => {
            routing.strategy = text(value, "routing_strategy").or_else(|| text(value, "strategy")).map(Into::into);
            routing.default = ["default_handler", "entry_point"].iter().find_map(|key| handler(value.get(key)?));
            for key in ["handlers", "routes", "adapters", "backends"] {
                match value.get(key).map(|list| (list, &list.data)) {
                    Some((_, Data::Array(items))) => {
                        for (index, item) in items.iter().enumerate() {
                            let pointer = indexed(&format!("/handler_routing/{key}"), index);
                            match &item.data {
                                Data::Object(_) => routing.routes.extend(route(reader, item, &pointer)),
                                Data::String(name) if key == "backends" => {
                                    let _ = name;
                                }
                                _ => reader.wrong(&pointer, item, "a map with a `handler`"),
                            }
                        }
                    }
                    Some((_, Data::Object(members))) => {
                        for part in members {
                            let Some(handler) = handler(&part.value) else { continue };
                            let (key, by) = (part.name.as_ref().into(), "name".into());
                            routing.routes.push(Route { key, by, handler, ..Route::default() });
                        }
                    }
                    None | Some((_, Data::Null)) => {}
                    Some((list, _)) => reader.wrong(&format!("/handler_routing/{key}"), list, "a list of routes"),
                }
            }
        }
        Some(value) => reader.wrong("/handler_routing", value, "a map with `handlers`"),
    }
    routing.default = routing.default.or(own);
    Some(routing)
}

fn route(reader: &mut Reader<'_>, item: &Value<'_>, pointer: &str) -> Option<Route> {
    let handler = item.get("handler").and_then(handler).or_else(|| {
        let name =
            ["handler_class", "handler_key", "handler_name", "adapter"].iter().find_map(|key| text(item, key))?;
        let module = text(item, "handler_module").unwrap_or_default();
        Some(Handler { name: name.into(), module: module.into(), kind: Box::default() })
    });
    let handler = handler.or_else(|| self::handler(item));
    let Some(mut handler) = handler else {
        let message = "this route names no handler; it is left out";
        let hint = "add `handler: {name: …, module: …}`";
        reader.warn(Code::MissingKey, At::value(reader.file, pointer), message, Some(hint.to_owned()));
        return None;
    };
    if handler.kind.is_empty() {
        handler.kind = text(item, "handler_type").unwrap_or_default().into();
    }
    let model = ["event_model", "input_model"].iter().find_map(|key| class_of(item.get(key)?));
    let model = model.map_or_else(String::new, |(module, class)| match module {
        "" => class.to_owned(),
        module => format!("{module}.{class}"),
    });
    let (by, key) = KEYS
        .iter()
        .find_map(|key| Some((*key, text(item, key)?.to_owned())))
        .unwrap_or_else(|| if model.is_empty() { ("", String::new()) } else { ("event_model", model.clone()) });
    let texts = |key: &str| match item.get(key).map(|list| &list.data) {
        Some(Data::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_str().or_else(|| text(item, "name")).or_else(|| text(item, "event_type")))
            .map(Into::into)
            .collect(),
        _ => Vec::new(),
    };
    let mut operations: Vec<Box<str>> = texts("supported_operations");
    operations.extend(texts("actions"));
    let priority = match item.get("priority").map(|value| &value.data) {
        Some(Data::Number(text)) => text.as_ref().into(),
        _ => Box::default(),
    };
    Some(Route {
        key: key.into(),
        by: by.into(),
        handler,
        model: model.into(),
        topic: text(item, "topic").or_else(|| text(item, "subscribe_topic")).unwrap_or_default().into(),
        output_events: texts("output_events"),
        operations,
        priority,
        description: description(item),
    })
}

/// `{name, module}`, `{function, module, type}`, `{class, module}`, or a text.
fn handler(value: &Value<'_>) -> Option<Handler> {
    match &value.data {
        Data::String(path) if !path.trim().is_empty() => {
            let (module, name) = match path.split_once(':') {
                Some((module, name)) => (module, name),
                None => path.rsplit_once('.').unwrap_or(("", path)),
            };
            Some(Handler { name: name.trim().into(), module: module.trim().into(), kind: Box::default() })
        }
        Data::Object(_) => {
            let name = ["name", "class", "class_name", "function"].iter().find_map(|key| text(value, key))?;
            Some(Handler {
                name: name.into(),
                module: text(value, "module").unwrap_or_default().into(),
                kind: text(value, "handler_type").or_else(|| text(value, "type")).unwrap_or_default().into(),
            })
        }
        _ => None,
    }
}
