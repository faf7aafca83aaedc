"""Small faults: a contract with one constraint changed, a validator's code with one operator or constant changed, a model with
less in it."""

import ast
import copy

SINGLE = ("additionalProperties", "additionalItems", "items", "not", "if", "then", "else", "contains", "propertyNames")
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
MAPS = ("properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies")
BOUNDS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "multipleOf", "minContains", "maxContains",
)  # fmt: skip
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def subschemas(schema, pointer=()):
    """Every schema object within, with its path."""
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for key in SINGLE:
        yield from subschemas(schema.get(key), (*pointer, key))
    for key in LISTS:
        if isinstance(schema.get(key), list):
            for index, part in enumerate(schema[key]):
                yield from subschemas(part, (*pointer, key, index))
    for key in MAPS:
        if isinstance(schema.get(key), dict):
            for name, part in schema[key].items():
                yield from subschemas(part, (*pointer, key, name))


def changes(schema):
    """What can be changed in one schema: (kind, function that changes a copy)."""

    def setter(key, value):
        return lambda node: node.__setitem__(key, value)

    def without(key, index=None):
        def change(node):
            if index is None:
                del node[key]
            else:
                del node[key][index]
                if not node[key]:
                    del node[key]

        return change

    for key in BOUNDS:
        value = schema.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield "bound moved", setter(key, value + 1)
            if value >= 1:
                yield "bound moved", setter(key, value - 1)
            yield "bound removed", without(key)
    if isinstance(schema.get("required"), list):
        for index in range(len(schema["required"])):
            yield "required name removed", without("required", index)
    if isinstance(schema.get("properties"), dict):
        required = schema.get("required") if isinstance(schema.get("required"), list) else []
        for name in schema["properties"]:
            yield "property removed", without("properties", name)
            if name not in required:
                yield "required name added", setter("required", [*required, name])
    if isinstance(schema.get("type"), str):
        for other in TYPES:
            if other != schema["type"]:
                yield "type changed", setter("type", other)
        yield "type removed", without("type")
        yield "type widened", setter("type", [schema["type"], "null"] if schema["type"] != "null" else ["null", "string"])
    elif isinstance(schema.get("type"), list):
        for index in range(len(schema["type"])):
            yield "type narrowed", without("type", index)
    if isinstance(schema.get("enum"), list):
        for index in range(len(schema["enum"])):
            if len(schema["enum"]) > 1:
                yield "enum member removed", without("enum", index)
        yield "enum member changed", setter("enum", [*schema["enum"][:-1], "changed"])
        yield "enum removed", without("enum")
    if "const" in schema:
        yield "const changed", setter("const", "changed")
        yield "const removed", without("const")
    if "additionalProperties" in schema:
        yield "additionalProperties", setter("additionalProperties", schema["additionalProperties"] is False)
        yield "additionalProperties", without("additionalProperties")
    elif isinstance(schema.get("properties"), dict):
        yield "additionalProperties", setter("additionalProperties", False)
    for key in ("pattern", "format", "not", "propertyNames", "contains", "items", "$ref", "if", "then", "else"):
        if key in schema:
            yield f"{key} removed", without(key)
    if isinstance(schema.get("pattern"), str):
        yield "pattern changed", setter("pattern", schema["pattern"] + "x")
        if "+" in schema["pattern"]:
            yield "pattern changed", setter("pattern", schema["pattern"].replace("+", "*", 1))
        if "$" in schema["pattern"]:
            yield "pattern changed", setter("pattern", schema["pattern"].removesuffix("$"))
        if schema["pattern"].startswith("^"):
            yield "pattern changed", setter("pattern", schema["pattern"][1:])
    if isinstance(schema.get("patternProperties"), dict):
        for name in schema["patternProperties"]:
            yield "patternProperties removed", without("patternProperties", name)
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(schema.get(key), list):
            for index in range(len(schema[key])):
                yield "branch removed", without(key, index)
            for other in ("allOf", "anyOf", "oneOf"):
                if other != key and other not in schema and len(schema[key]) > 1:
                    yield "branches joined otherwise", lambda node, key=key, other=other: node.__setitem__(other, node.pop(key))
    if "then" in schema or "else" in schema:

        def swap(node):
            then, otherwise = node.pop("then", None), node.pop("else", None)
            if then is not None:
                node["else"] = then
            if otherwise is not None:
                node["then"] = otherwise

        yield "branches swapped", swap
    if schema.get("uniqueItems") is True:
        yield "uniqueItems removed", without("uniqueItems")
    elif "items" in schema:
        yield "uniqueItems added", setter("uniqueItems", True)
    for key in ("dependentRequired", "dependencies", "dependentSchemas"):
        if isinstance(schema.get(key), dict):
            for name in schema[key]:
                yield "dependency removed", without(key, name)


def schema_faults(schema, random):
    """Changed copies of a schema, the kinds by turns, in a random order: (kind, pointer, schema)."""
    by_kind = {}
    for pointer, node in subschemas(schema):
        for kind, change in changes(node):
            by_kind.setdefault(kind, []).append((pointer, change))
    for list_ in by_kind.values():
        random.shuffle(list_)
    kinds = list(by_kind)
    random.shuffle(kinds)
    tried = 0
    while kinds and tried < 200:
        for kind in list(kinds):
            if not by_kind[kind]:
                kinds.remove(kind)
                continue
            pointer, change = by_kind[kind].pop()
            changed = copy.deepcopy(schema)
            node = changed
            for key in pointer:
                node = node[key]
            change(node)
            tried += 1
            yield kind, "/" + "/".join(map(str, pointer)), changed


SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def validator_faults(tree, random):
    """Changed copies of a validator's module, in a random order: (kind, line, tree)."""
    found = []
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in SWAPS:
                found.append(("comparison", node))
            elif isinstance(node, ast.BoolOp):
                found.append(("and / or", node))
            elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
                found.append(("not", node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
                found.append(("number", node))
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool):
                found.append(("answer", node))
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                found.append(("call left out", node))
    random.shuffle(found)
    for kind, node in found[:120]:
        if kind == "comparison":
            old, node.ops[0] = node.ops[0], SWAPS[type(node.ops[0])]()
            yield kind, node.lineno, tree
            node.ops[0] = old
        elif kind == "and / or":
            old, node.op = node.op, ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield kind, node.lineno, tree
            node.op = old
        elif kind == "not":
            operand = node.operand
            node.operand = ast.copy_location(ast.UnaryOp(op=ast.Not(), operand=operand), node)
            yield kind, node.lineno, tree
            node.operand = operand
        elif kind == "number":
            node.value += 1
            yield kind, node.lineno, tree
            node.value -= 1
        elif kind == "answer":
            node.value.value = not node.value.value
            yield kind, node.lineno, tree
            node.value.value = not node.value.value
        elif kind == "call left out":
            old, node.value = node.value, ast.copy_location(ast.Constant(value=None), node)
            yield kind, node.lineno, tree
            node.value = old


def model_faults(tree, random):
    """Changed copies of a module of models, in a random order: (kind, line, tree)."""
    found = []
    for kind in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        for node in kind.body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            if node.target.id in ("model_config", "root"):
                continue
            found += [("field left out", kind, node), ("type loosened", kind, node)]
            if node.value is None:
                found.append(("required made optional", kind, node))
            # Constraints are keyword arguments of `Field`, `StringConstraints` and their like.
            for call in [part for part in ast.walk(node.annotation) if isinstance(part, ast.Call)]:
                found += [("constraint left out", call, keyword) for keyword in call.keywords]
    random.shuffle(found)
    for kind, owner, node in found[:60]:
        if kind == "field left out":
            at = owner.body.index(node)
            owner.body[at] = ast.copy_location(ast.Pass(), node)
            yield kind, node.lineno, tree
            owner.body[at] = node
        elif kind == "type loosened":
            # `object` takes everything, as `Any` does, and needs no import.
            old, node.annotation = node.annotation, ast.copy_location(ast.Name("object", ast.Load()), node.annotation)
            yield kind, node.lineno, tree
            node.annotation = old
        elif kind == "required made optional":
            node.value = ast.copy_location(ast.Constant(None), node)
            yield kind, node.lineno, tree
            node.value = None
        elif kind == "constraint left out":
            at = owner.keywords.index(node)
            owner.keywords.pop(at)
            yield kind, owner.lineno, tree
            owner.keywords.insert(at, node)
