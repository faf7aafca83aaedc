//! What the metadata of older nodes says of itself, in the words of their published schema (`onex_node.yaml`, 1.0.0).

use omnigen_report::{At, Code};

use super::Reader;
use crate::value::{Data, Value};

/// Keys with the only values that they may have.
const CHOICES: [(&str, &[&str]); 3] = [
    ("lifecycle", &["draft", "review", "active", "deprecated", "archived"]),
    ("meta_type", &["tool", "validator", "agent", "model", "schema", "plugin", "ignore_config"]),
    ("entrypoint/type", &["python", "cli", "docker"]),
];

impl Reader<'_> {
    /// Reports what is no such value.
    pub(super) fn identity(&mut self, root: &Value<'_>) {
        if ["meta_type", "lifecycle", "entrypoint"].iter().any(|key| root.get(key).is_none()) {
            return;
        }
        for (path, choices) in CHOICES {
            let pointer = format!("/{path}");
            let Some(Data::String(text)) = root.at(&pointer).map(|value| &value.data) else { continue };
            // Templates leave them to be filled in.
            if choices.contains(&text.as_ref()) || text.contains(['{', '<']) {
                continue;
            }
            let name = path.rsplit('/').next().unwrap_or(path);
            let message = format!("`{text}` is no `{name}`");
            let hint = match omnigen_report::nearest(text, choices.iter().copied(), 2) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of {}", choices.join(", ")),
            };
            self.warn(Code::WrongType, At::value(self.file, &pointer), message, Some(hint));
        }
        type Right = fn(&str) -> bool;
        let texts: [(&str, Right, &str); 3] = [
            ("uuid", is_uuid, "a UUID such as `0b9c2f6e-3c1d-4c7e-9a43-6f0d8c1b2a55`"),
            ("hash", |text| text.len() == 64 && is_hex(text), "64 hexadecimal digits (SHA-256)"),
            ("version", |text| super::parse_version(text).is_some() && text.matches('.').count() >= 2, "`1.0.0`"),
        ];
        for (key, right, expected) in texts {
            if let Some(Data::String(text)) = root.get(key).map(|value| &value.data)
                && !right(text)
                && !text.contains(['{', '<'])
            {
                let shown: String = text.chars().take(60).collect();
                let message = format!("`{key}` is {expected}, not `{shown}`");
                let hint = Some(format!("expected {expected}"));
                self.warn(Code::WrongType, At::value(self.file, &format!("/{key}")), message, hint);
            }
        }
        if let Some(value) = root.get("trust_score")
            && !matches!(value.data, Data::Number(_) | Data::Null)
        {
            self.wrong("/trust_score", value, "a number from 0 to 1");
        }
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.split('-').all(is_hex)
}
