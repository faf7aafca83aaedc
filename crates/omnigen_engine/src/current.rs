//! What a key of a trace gives now: whether it still holds.

use omnigen_ir::{Digest, FileId, View};

use crate::findings::sound_digest;
use crate::graph::{Graph, Presence, Uri, broken, declarations, id_at, presence, sound};
use crate::inputs::{Content, Project};
use crate::settings::Setting;
use crate::trace::{self, ReadKey, Target};

impl Graph {
    /// The digest that a key has now. `Err` names a file whose text is needed to tell.
    ///
    /// Keys about artifacts and agents belong to the driver, which knows them.
    pub fn current(&self, project: &Project, key: &ReadKey) -> Result<Option<Digest>, FileId> {
        let known = |file: &FileId| match self.content(file) {
            None | Some(Content::Unread) => Err(file.clone()),
            Some(_) => Ok(()),
        };
        Ok(match key {
            ReadKey::Own(file, full) => {
                known(file)?;
                self.outline(file).map(|outline| if *full { outline.full } else { outline.meaning })
            }
            ReadKey::Node(file) => {
                known(file)?;
                self.outline(file).and_then(|outline| outline.node)
            }
            ReadKey::Findings(file) => {
                known(file)?;
                self.outline(file).map(|outline| outline.findings)
            }
            ReadKey::Sound(file) => {
                known(file)?;
                let Some(source) = self.source(file) else { return Ok(None) };
                let (held, needs) = sound(self, source);
                if let Some(need) = needs.first() {
                    return Err(need.clone());
                }
                sound_digest(held)
            }
            ReadKey::File(file) => {
                known(file)?;
                let source = self.source(file).filter(|source| presence(self, *source) != Presence::Absent);
                source.map(|source| trace::file_digest(broken(self, source)))
            }
            ReadKey::Schema(file, pointer, full) => {
                known(file)?;
                let Some(outline) = self.outline(file) else { return Ok(None) };
                match trace::export(&outline.exports, pointer) {
                    Some(export) => Some(if *full { export.full } else { export.meaning }),
                    None => {
                        if matches!(self.content(file), Some(Content::Stored(_))) {
                            return Err(file.clone());
                        }
                        let view = if *full { View::Full } else { View::Meaning };
                        let source = self.source(file);
                        source
                            .and_then(|source| declarations(self, source).as_ref()?.declared.schema(pointer))
                            .map(|schema| trace::schema_digest(schema, view))
                    }
                }
            }
            ReadKey::Name(file, pointer, shape) => {
                known(file)?;
                let outline = self.outline(file);
                outline
                    .and_then(|outline| trace::export(&outline.exports, pointer))
                    .map(|e| trace::name_digest(e, *shape))
            }
            ReadKey::Forward(file, pointer) => {
                known(file)?;
                self.outline(file).and_then(|outline| trace::forward(outline, pointer)).map(trace::forward_digest)
            }
            ReadKey::Form(file, pointer) => {
                known(file)?;
                self.outline(file).and_then(|outline| crate::forms::digest(outline, pointer))
            }
            ReadKey::Scopes(file) => {
                known(file)?;
                self.outline(file).map(|outline| trace::scopes_digest(&outline.exports.scopes))
            }
            ReadKey::Reach(file) => {
                known(file)?;
                self.outline(file).map(|outline| trace::reach_digest(&outline.reach))
            }
            ReadKey::Dialect(file) => {
                known(file)?;
                self.outline(file).map(|outline| trace::dialect_digest(&outline.stated))
            }
            ReadKey::Id(uri) => id_at(self, Uri::new(self, uri.clone())).as_ref().map(trace::place_digest),
            ReadKey::Anchor(file, resource, name) => {
                known(file)?;
                let outline = self.outline(file);
                outline.and_then(|o| trace::anchor(o, resource, name)).map(|pointer| Digest::of(pointer.as_bytes()))
            }
            ReadKey::Document(file) => match self.content(file) {
                Some(Content::Text(_)) => self.document_digest(file),
                Some(Content::Absent | Content::Unusable(_)) => None,
                _ => return Err(file.clone()),
            },
            ReadKey::Generator(name) => {
                let target = Target::ALL.into_iter().find(|target| target.name() == &**name);
                target.map(|target| trace::generator_digest(&project.enters(target)))
            }
            ReadKey::Setting(Setting::DuplicateKeys, _) => Some(Setting::said(&project.strict_keys.to_string())),
            ReadKey::Setting(Setting::Dialects, file) => {
                let file = FileId::from(&**file);
                known(&file)?;
                self.unit(&file).and_then(|unit| unit.assumed.as_deref()).map(Setting::said)
            }
            ReadKey::Setting(Setting::External, class) => Setting::origin(&project.python.external, class),
            ReadKey::Artifact(..)
            | ReadKey::Agent(_)
            | ReadKey::Bytes(_)
            | ReadKey::Patterns(..)
            | ReadKey::Like(..) => None,
        })
    }
}
