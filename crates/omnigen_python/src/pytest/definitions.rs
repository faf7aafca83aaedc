//! Cases of definitions that the documents of the root do not show: each by its own functions and its own type.

use omnigen_ir::naming::name_at;
use omnigen_ir::samples::{Candidate, Samples};
use omnigen_ir::{Contract, Export};

use super::literal;
use crate::layout::{Doc, Writer, string};

/// A definition, and documents of its own.
#[derive(Clone, Debug)]
pub struct Definition<'a> {
    /// The definition.
    pub export: &'a Export,
    /// Its documents.
    pub samples: Samples,
    /// Which of them are valid.
    pub verdicts: Vec<bool>,
}

/// The cases, by verdict.
pub(super) struct Lists {
    valid: Vec<Doc>,
    invalid: Vec<Doc>,
}

/// A case of a definition: who is asked, the document, where it fails and by which keyword if that is certain, and what it is about.
pub(crate) fn case(mut asked: Vec<Doc>, samples: &Samples, candidate: &Candidate, valid: bool, name: &str) -> Doc {
    asked.push(literal(&samples.document(candidate)));
    if !valid {
        asked.push(if candidate.certain {
            let texts = [&*candidate.pointer, candidate.keyword];
            Doc::group("(", texts.iter().map(|text| Doc::text(string(text))).collect(), ")")
        } else {
            Doc::text("None")
        });
    }
    asked.push(Doc::keyword("id", Doc::text(string(&format!("{name}: {}", candidate.about)))));
    Doc::group("pytest.param(", asked, ")")
}

impl Lists {
    pub(super) fn new(contract: &Contract<'_>, definitions: &[Definition<'_>]) -> Lists {
        let mut lists = Lists { valid: Vec::new(), invalid: Vec::new() };
        for Definition { export, samples, verdicts } in definitions {
            let name = name_at(contract.unit, &export.pointer);
            for (candidate, &valid) in samples.candidates.iter().zip(verdicts) {
                let mut items = vec![Doc::text(format!("validators.accepts{}", export.function))];
                if valid {
                    items.push(Doc::text(format!("models.{}", export.class)));
                } else {
                    items.push(Doc::text(format!("validators.collect{}", export.function)));
                }
                let case = case(items, samples, candidate, valid, &name);
                if valid { &mut lists.valid } else { &mut lists.invalid }.push(case);
            }
        }
        lists
    }

    pub(super) fn any(&self) -> bool {
        self.valid() || !self.invalid.is_empty()
    }

    pub(super) fn valid(&self) -> bool {
        !self.valid.is_empty()
    }

    /// The cases and the functions that try them.
    pub(super) fn put(&self, out: &mut Writer) {
        for (name, cases) in [("VALID_DEFINITIONS", &self.valid), ("INVALID_DEFINITIONS", &self.invalid)] {
            if !cases.is_empty() {
                if name.starts_with('V') || !self.valid() {
                    out.line("");
                }
                out.line("");
                out.statement(&format!("{name} = "), &Doc::group("[", cases.clone(), "]"), "");
            }
        }
        if self.valid() {
            put_adapter(out);
            out.line("");
            out.line("");
            parametrized(out, "test_valid_definition", "VALID_DEFINITIONS", &["accepts", "model", "document"], &[]);
            out.indent();
            out.line("\"\"\"A definition that stands for itself: what is valid comes back.\"\"\"");
            out.line("assert accepts(document)");
            out.line("kind = adapter(model)");
            let arguments = ["kind.validate_python(document)", "by_alias=True", "exclude_unset=True", "mode=\"json\""];
            let arguments = arguments.into_iter().map(Doc::text).collect();
            out.statement("dumped = ", &Doc::group("kind.dump_python(", arguments, ")"), "");
            out.line("assert dumped == document");
            out.dedent();
        }
        if !self.invalid.is_empty() {
            out.line("");
            out.line("");
            let issue = [("issue", "tuple[str, str] | None")];
            let arguments = ["accepts", "collect", "document"];
            parametrized(out, "test_invalid_definition", "INVALID_DEFINITIONS", &arguments, &issue);
            out.indent();
            out.line("\"\"\"What a definition rules out is refused, with the issue where it is known.\"\"\"");
            out.line("assert not accepts(document)");
            out.line("issues: list[Any] = []");
            out.line("collect(document, \"\", issues)");
            out.line("found = [(one[\"pointer\"], one[\"keyword\"]) for one in issues]");
            out.line("assert found");
            out.line("if issue is not None:");
            out.line("    assert issue in found");
            out.dedent();
        }
    }
}

/// The function that makes what loads and dumps values of a type, once for each: that takes longer than to use it.
pub(crate) fn put_adapter(out: &mut Writer) {
    out.line("");
    out.line("");
    out.line("@cache");
    out.line("def adapter(model: Any) -> TypeAdapter[Any]:");
    out.line("    \"\"\"What loads and dumps values of a type.\"\"\"");
    out.line("    return TypeAdapter(model)");
}

/// The decorator and the head of a test with arguments, those of any type and others.
pub(super) fn parametrized(out: &mut Writer, name: &str, cases: &str, any: &[&str], others: &[(&str, &str)]) {
    let names = any.iter().chain(others.iter().map(|(name, _)| name)).map(|name| Doc::text(string(name))).collect();
    let list = vec![Doc::group("(", names, ")"), Doc::text(cases.to_owned())];
    out.statement("", &Doc::group("@pytest.mark.parametrize(", list, ")"), "");
    let typed = any.iter().map(|name| format!("{name}: Any"));
    let typed = typed.chain(others.iter().map(|(name, kind)| format!("{name}: {kind}"))).map(Doc::text).collect();
    out.statement("def ", &Doc::group(format!("{name}("), typed, ")"), " -> None:");
}
