//! Contracts of ONEX nodes: their manifests used from Python, foreign classes, files within files, a first project.

use omnigen_tests::{Project, python};

const NODE: &str = "contract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\n";

#[test]
fn numbers_of_a_manifest_have_the_type_that_the_contract_states() {
    let rest = "retry_policy: {max_retries: 3, exponential_base: 2.0, jitter: .5, limit: 1e3}\n\
                handler_routing: {handlers: [{operation: a, handler: {name: A, module: a}, priority: 2.0}]}\n";
    let project = Project::with(&[("contracts/pay.yaml", &format!("{NODE}{rest}"))]);
    project.build().ends(0);
    runs(
        &project,
        "from generated.nodes import node_pay as pay\n\
         assert [(type(n), n) for n in pay.RETRY_POLICY] == [(int, 3), (float, 2.0), (float, 0.5), (float, 1000.0)]\n\
         assert type(pay.ROUTES[0].priority) is float",
    );
}

fn runs(project: &Project, script: &str) {
    let Some(mut command) = python() else { return };
    project.finish(command.args(["-c", script]).current_dir(project.root())).ends(0);
}

#[test]
fn a_manifest_says_what_the_contract_says() {
    let project = Project::fixture("onex");
    project.build().ends(0);
    runs(
        &project,
        "\
import sys
from generated.nodes import node_payment_effect as pay, node_refund_reducer as refund, node_ledger_compute as ledger
from generated.nodes import node_odd as odd
from generated.nodes.events import node_payment_made_v1 as wire

assert 'pydantic' not in sys.modules
assert (pay.NAME, pay.KIND, pay.NODE_TYPE) == ('payment_effect', 'effect', 'EFFECT_GENERIC')
assert pay.CONTRACT_VERSION == (1, 2, 0, '') and pay.NODE_VERSION == (1, 2, 0, 'rc.1')
assert pay.DESCRIPTION == 'Takes payments. Talks to the bank.'
assert pay.INPUT_MODEL == 'shop.payments.models.ModelPaymentCommand'
assert pay.TOPIC_PAYMENT_MADE == 'onex.evt.shop.payment-made.v1'
assert pay.PUBLISHED_TOPICS == (pay.TOPIC_PAYMENT_MADE, pay.TOPIC_PAYMENT_REFUSED)
assert pay.SUBSCRIBED_TOPICS == ('onex.cmd.shop.pay.v1',)
assert pay.DEAD_LETTER_TOPICS == ('onex.dlq.shop.pay.v1',)
assert pay.TERMINAL_TOPICS == (pay.TOPIC_PAYMENT_MADE,)
assert pay.TOPIC_SCHEMAS == {pay.TOPIC_PAYMENT_MADE: 'shop.payments.models.ModelPaymentDone'}
assert [route.key for route in pay.ROUTES] == ['charge', 'ping', 'shop.models.ModelAnything']
assert pay.ROUTES[0].handler == ('HandlerCharge', 'shop.payments.charge', '')
assert pay.ROUTES[2].handler.kind == 'function' and pay.ROUTES[1].priority == 10
assert pay.DEFAULT_HANDLER == ('HandlerLost', 'shop.payments', '')
assert [(d.name, d.kind, d.required) for d in pay.DEPENDENCIES] == [
    ('bank', 'protocol', True), ('BANK_KEY', 'environment', False)]
assert pay.RETRY_POLICY.max_retries == 3 and pay.RETRY_POLICY.exponential_base == 1.5
assert pay.RETRY_POLICY.retry_on == ('BankTimeout',)
assert pay.ERROR_TYPES[0].code == 'PAY-1' and pay.CAPABILITIES[1].name == 'audit'
assert [o.value for o in pay.Operation] == ['charge', 'ping']
assert pay.OPERATIONS[0].idempotent is False and pay.OPERATIONS[1].inputs == ('host', 'port')
assert pay.DESCRIPTOR.timeout_ms == 5000 and pay.METADATA.tags == ('money', 'bank')
S = pay.State
assert pay.INITIAL_STATE is S.IDLE and pay.TERMINAL_STATES == {S.DONE, S.FAILED}
allowed = {(a, b) for a in S for b in S if pay.can_transition(a, b)}
assert allowed == {(S.IDLE, S.CHARGING), (S.CHARGING, S.DONE)} | {(a, S.FAILED) for a in S}
assert refund.State.PAID_BACK.value == 'paid-back' and refund.can_transition(refund.State.ASKED, refund.State.PAID_BACK)
assert not refund.can_transition(refund.State.PAID_BACK, refund.State.ASKED)
assert ledger.PUBLISHED_TOPICS == ('onex.evt.shop.summed.v1', 'onex.evt.shop.sum-failed.v1')
assert ledger.SUCCESS_TOPICS == ('onex.evt.shop.summed.v1',)
assert odd.DESCRIPTOR.runtime_profiles == ('b',)
assert wire.PUBLISHED_TOPICS == ('onex.evt.shop.payment-made.v1',)
",
    );
}

#[test]
fn foreign_classes_are_opaque_until_they_are_mapped() {
    let project = Project::with(&[
        ("omnigen.toml", "[project]\nname = \"shop\"\n"),
        (
            "contracts/pay.yaml",
            &format!(
                "{NODE}inputs:\n  order: {{type: shop.models.ModelOrder, required: true}}\n  kind: {{type: 'list[Kind]'}}\n"
            ),
        ),
    ]);
    project.build().ends(0);
    let before = project.read("generated/models/model_pay.py");
    assert!(before.contains("ModelOrder = TypeAliasType(\"ModelOrder\", Any)"), "{before}");
    assert!(before.contains("shop.models.ModelOrder"), "{before}");
    runs(&project, "from generated.models.model_pay import ModelPayInput as M; assert M(order=[1]).order == [1]");

    project.write("shop/__init__.py", "");
    project.write("shop/models.py", "from pydantic import BaseModel\n\n\nclass ModelOrder(BaseModel):\n    id: int\n");
    project.write("shop/kinds.py", "from enum import Enum\n\n\nclass PayKind(Enum):\n    CARD = \"card\"\n");
    let mapped =
        "[project]\nname = \"shop\"\n[python.external]\n\"shop.*\" = \"import\"\nKind = \"shop.kinds.PayKind\"\n";
    project.write("omnigen.toml", mapped);
    project.build().ends(0);
    let after = project.read("generated/models/model_pay.py");
    assert!(after.contains("from shop.models import ModelOrder as ModelOrder"), "{after}");
    assert!(after.contains("from shop.kinds import PayKind as _ModelKind"), "{after}");
    let script = "\
from generated.models.model_pay import ModelPayInput as M
assert M.model_validate_json('{\"order\": {\"id\": 1}, \"kind\": [\"card\"]}').order.id == 1
try:
    M.model_validate_json('{\"order\": {\"id\": \"x\"}}')
except ValueError:
    pass
else:
    raise AssertionError
";
    runs(&project, script);

    project.write("omnigen.toml", "[project]\nname = \"shop\"\n[python.external]\n\"a b\" = \"imports\"\n");
    project.build().ends(2).says("`a b` is no class").says("must be \"import\"");
}

#[test]
fn an_included_file_makes_its_includer_again() {
    let project = Project::with(&[
        ("omnigen.toml", "[project]\nname = \"shop\"\nexclude = [\"contracts/parts/**\"]\n"),
        (
            "contracts/pay.yaml",
            &format!("{NODE}inputs: !include parts/inputs.yaml\nevent_bus: !include parts/none.yaml\n"),
        ),
        (
            "contracts/other.json",
            r#"{ "type": "object", "properties": { "a": { "$ref": "pay.yaml#/$defs/PayInput" } } }"#,
        ),
        ("contracts/parts/inputs.yaml", "order: !include order.yaml\n"),
        ("contracts/parts/order.yaml", "{type: str, required: true}\n"),
        ("contracts/parts/none.yaml", "# nothing\n"),
    ]);
    project.build().ends(0);
    assert!(project.read("generated/models/model_pay.py").contains("order: str"));
    project.build().ends(0).says("nothing to do");

    project.write("contracts/parts/order.yaml", "{type: int, required: true}\n");
    project.build().ends(0);
    assert!(project.read("generated/models/model_pay.py").contains("order: _Integer"));
    assert!(project.read("generated/validators/validator_pay.py").contains("\"order\": {"));
    let (clean, differences) = project.rebuild();
    clean.ends(0);
    assert!(differences.is_empty(), "{differences:?}");

    project.remove("contracts/parts/order.yaml");
    project.build().ends(1).says("bad-include").says("there is no file contracts/parts/order.yaml");
    project.write("contracts/parts/order.yaml", "{type: bool, required: true}\n");
    project.build().ends(0);
    assert!(project.read("generated/models/model_pay.py").contains("order: bool"));
}

#[test]
fn includes_have_limits() {
    let long = format!("a: {}\n", "x".repeat(1 << 20));
    let mut files = vec![
        ("omnigen.toml".to_owned(), "[project]\nname = \"shop\"\nexclude = [\"contracts/parts/**\"]\n".to_owned()),
        ("contracts/parts/long.yaml".to_owned(), long),
        ("contracts/parts/self.yaml".to_owned(), "again: !include self.yaml\n".to_owned()),
        ("contracts/parts/bad.yaml".to_owned(), "a: [1\n".to_owned()),
    ];
    for level in 0..12 {
        files.push((format!("contracts/parts/deep{level}.yaml"), format!("a: !include deep{}.yaml\n", level + 1)));
    }
    for (name, path) in [
        ("absolute", "/etc/passwd"),
        ("up", "../secret.yaml"),
        ("missing", "parts/missing.yaml"),
        ("long", "parts/long.yaml"),
        ("circle", "parts/self.yaml"),
        ("bad", "parts/bad.yaml"),
        ("deep", "parts/deep0.yaml"),
    ] {
        files.push((format!("contracts/{name}.yaml"), format!("{NODE}routing: !include {path}\n")));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let project = Project::with(&files);
    let run = project.run(&["check"]);
    run.ends(1)
        .says("absolute paths are not allowed")
        .says("`..` is not allowed")
        .says("there is no file contracts/parts/missing.yaml")
        .says("the limit for included files is 1048576")
        .says("the file includes itself")
        .says("contracts/parts/bad.yaml")
        .says("the limit is 10");
}

#[test]
fn a_node_without_types_has_a_manifest_only() {
    let project = Project::with(&[("omnigen.toml", "[project]\nname = \"shop\"\n"), ("contracts/pay.yaml", NODE)]);
    project.build().ends(0);
    assert!(project.has("generated/nodes/node_pay.py"));
    assert!(!project.has("generated/models") && !project.has("generated/validators"));
    // Its tests go with it.
    assert!(project.read("generated/tests/test_pay.py").contains("from ..nodes import node_pay as node"));
    project.write("contracts/pay.yaml", format!("{NODE}inputs:\n  to: str\n"));
    project.build().ends(0);
    assert!(project.has("generated/models/model_pay.py") && project.has("generated/validators/validator_pay.py"));
    project.write("contracts/pay.yaml", NODE);
    project.build().ends(0);
    assert!(!project.has("generated/models/model_pay.py") && project.has("generated/nodes/node_pay.py"));
    project.build().ends(0).says("nothing to do");
}

#[test]
fn a_first_project_builds_at_once() {
    let project = Project::empty();
    project
        .run(&["init", "--onex"])
        .ends(0)
        .says("contracts/node_greeting_effect/contract.yaml")
        .says("next: omnigen build");
    project.build().ends(0).does_not_say("warning");
    runs(
        &project,
        "\
from generated.nodes.node_greeting_effect import State, can_transition
from generated.validators.validator_greeting_effect import ValidatorGreetingEffectInput
assert can_transition(State.IDLE, State.GREETING) and not can_transition(State.DONE, State.IDLE)
assert ValidatorGreetingEffectInput.validate({'to': 'World'}).times == 1
assert ValidatorGreetingEffectInput.errors({'to': ''})[0]['keyword'] == 'minLength'
",
    );
}

#[test]
fn a_mended_node_makes_a_package_of_the_folder_of_manifests() {
    // It has types, so that its other artifacts are wanted all the while.
    let node = format!("{NODE}definitions: {{T: {{type: object, properties: {{a: {{type: string}}}}}}}}\n");
    let broken = format!("{node}more: [\n");
    let project = Project::with(&[("contracts/pay.yaml", &broken), ("contracts/ok.json", "{ \"type\": \"string\" }")]);
    project.build().ends(1);
    project.write("contracts/pay.yaml", node);
    project.build().ends(0);
    assert!(project.has("generated/nodes/node_pay.py") && project.has("generated/nodes/__init__.py"));
}
