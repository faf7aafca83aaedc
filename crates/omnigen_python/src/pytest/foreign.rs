//! Values of other contracts' types, as their own test modules have them.
//!
//! They are asked for when the test runs: a test module that is not there, or has no valid document, is skipped and breaks nothing.

use omnigen_ir::naming::Unit;

use super::{Lists, Module, definitions::parametrized, function};
use crate::layout::{Doc, Writer, string};

/// A member of the root object that is, and only is, what another contract describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its name in JSON; the first valid document has it.
    pub name: Box<str>,
    /// The other contract.
    pub unit: Unit,
}

/// The list of such members.
pub(super) fn put_list(out: &mut Writer, unit: &Unit, foreign: &[Foreign]) {
    let case = |one: &Foreign| {
        let module = unit.import("test", &one.unit, "test");
        let texts = [string(&one.name), string(&module)].map(Doc::text);
        let id = Doc::keyword("id", Doc::text(string(&one.name)));
        Doc::group("pytest.param(", texts.into_iter().chain([id]).collect(), ")")
    };
    out.line("");
    out.statement("FOREIGN = ", &Doc::group("[", foreign.iter().map(case).collect(), "]"), "");
}

/// The test that takes them in.
pub(super) fn put_test(out: &mut Writer) {
    out.line("");
    out.line("");
    parametrized(out, "test_foreign", "FOREIGN", &[], &[("name", "str"), ("module", "str")]);
    out.indent();
    out.line("\"\"\"What another contract's tests know as valid is valid in here.\"\"\"");
    out.line("try:");
    out.line("    samples = import_module(module, __package__).VALID");
    out.line("except (ImportError, AttributeError):");
    out.line("    pytest.skip(\"the other contract has no valid samples\")");
    out.line("document: Any = VALID[0].values[0]");
    out.line("accept({**document, name: samples[0].values[0]})");
    out.dedent();
}

impl Module<'_> {
    /// What is asked of every valid document; a function of its own if two tests ask it.
    pub(super) fn accepted(&self, out: &mut Writer, lists: Lists) {
        if lists.foreign {
            function(out, "def accept(document: Any) -> None:", "It has no issues and comes back as it was.");
            self.accept(out);
        }
        out.line("");
        out.line("");
        out.line("@pytest.mark.parametrize(\"document\", VALID)");
        out.line("def test_valid(document: Any) -> None:");
        out.line("    \"\"\"A valid document has no issues and comes back as it was.\"\"\"");
        if lists.foreign {
            out.line("    accept(document)");
            put_test(out);
        } else {
            self.accept(out);
        }
        if lists.accepted {
            out.line("");
            out.line("");
            out.line("@pytest.mark.parametrize(\"document\", ACCEPTED)");
            out.line("def test_accepted(document: Any) -> None:");
            out.line("    \"\"\"A valid document has no issues.\"\"\"");
            out.line(&format!("    assert {}.errors(document) == []", self.names.validator));
        }
    }

    fn accept(&self, out: &mut Writer) {
        let (model, validator) = (&self.names.model, &self.names.validator);
        out.indent();
        out.line(&format!("assert {validator}.errors(document) == []"));
        out.line(&format!("model = {validator}.validate(document)"));
        out.line(&format!("assert isinstance(model, {model})"));
        out.line("dumped = model.model_dump(by_alias=True, exclude_unset=True, mode=\"json\")");
        out.line("assert dumped == document");
        out.dedent();
    }
}
