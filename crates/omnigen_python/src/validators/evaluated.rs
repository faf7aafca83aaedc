//! `unevaluatedProperties` and `unevaluatedItems`: what other schemas that apply to the same value have left over.
//!
//! Which names and items a schema evaluates is mostly known when code is written; then these keywords cost no more than
//! `additionalProperties`. Where it hangs on which branch holds, a function tells it from the data. Such functions are written
//! where the keyword stands, also for schemas of other files: those know nothing of who asks.

use std::rc::Rc;

use omnigen_ir::{Contains, FileId, Node, Place, Schema, TypeSet};

use super::Emitter;
use super::check::fail_if;
use super::code::Code;
use super::condition::{Condition, Operator, quoted, together};
use super::rules::{found, has};
use super::simple::key;
use rustc_hash::FxHashSet;

/// What the keyword is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Properties,
    Items,
}

impl Kind {
    pub(super) fn types(self) -> TypeSet {
        match self {
            Kind::Properties => TypeSet::OBJECT,
            Kind::Items => TypeSet::ARRAY,
        }
    }

    /// Has a schema the keyword?
    fn keyword(self, node: &Node) -> bool {
        match self {
            Kind::Properties => node.object.as_deref().is_some_and(|rules| rules.unevaluated.is_some()),
            Kind::Items => node.array.as_deref().is_some_and(|rules| rules.unevaluated.is_some()),
        }
    }

    /// Does a schema speak of all that it does not name?
    fn rest(self, node: &Node) -> bool {
        match self {
            Kind::Properties => node.object.as_deref().is_some_and(|rules| rules.additional.is_some()),
            Kind::Items => node.array.as_deref().is_some_and(|rules| rules.items.is_some()),
        }
    }

    /// The prefix of its functions.
    fn function(self) -> &'static str {
        match self {
            Kind::Properties => "_evaluated_names",
            Kind::Items => "_evaluated_items",
        }
    }
}

/// What a schema evaluates of a value that is valid against it.
#[derive(Clone, Default)]
pub(super) struct Marks<'a> {
    /// Everything.
    all: bool,
    /// These properties.
    names: Vec<&'a str>,
    /// The properties that these patterns find.
    searches: Vec<&'a str>,
    /// So many items.
    count: u64,
    /// The items that match.
    contains: Vec<(Seat, &'a Contains)>,
    /// What depends on the value.
    choices: Vec<Choice<'a>>,
    /// What these functions say.
    calls: Vec<String>,
    /// What these schemas evaluate, which can be told without the data: until it is written, so that a chain of many does not
    /// gather what is behind it again for each link.
    more: Vec<Known>,
}

/// Which schema a summary is about, in which scope, for which keyword.
type Known = (usize, usize, Kind);

/// Where a schema stands: its file, and what is bound there.
#[derive(Clone)]
struct Seat {
    file: FileId,
    scope: usize,
}

#[derive(Clone)]
struct Choice<'a> {
    test: Test<'a>,
    then: Marks<'a>,
    otherwise: Marks<'a>,
}

#[derive(Clone)]
enum Test<'a> {
    Valid(Seat, &'a Schema),
    Has(&'a str),
}

/// What is known of the schema that a reference leads to.
#[derive(Clone)]
pub(super) enum Summary<'a> {
    /// It is under way: a schema that applies itself to the same value, which is reported elsewhere.
    Open,
    /// It can be told without the data; here is what the schema says by itself.
    Known(Rc<Marks<'a>>),
    /// A function tells.
    Call(String),
}

impl<'a> Marks<'a> {
    fn is_empty(&self) -> bool {
        let Marks { all, names, searches, count, contains, choices, calls, more } = self;
        !all && names.is_empty()
            && searches.is_empty()
            && *count == 0
            && contains.is_empty()
            && choices.is_empty()
            && calls.is_empty()
            && more.is_empty()
    }

    /// Is it known without a look at the data?
    fn known(&self) -> bool {
        self.all || (self.contains.is_empty() && self.choices.is_empty() && self.calls.is_empty())
    }
}

impl<'a> Emitter<'a> {
    /// `return False` if what is left over is not valid.
    pub(super) fn accept_unevaluated(&mut self, code: &mut Code<'a>, node: &'a Node, var: &str, known: TypeSet) {
        for (kind, schema) in unevaluated(node) {
            if !known.meets(kind.types()) {
                continue;
            }
            self.guarded(code, kind.types(), known, var, |this, code| {
                let marks = this.evaluated(node, kind);
                match schema {
                    Schema::Bool(false) => {
                        let left = this.left_over(&marks, node, kind, var);
                        fail_if(code, left);
                    }
                    _ => this.each_left_over(code, &marks, node, kind, var, &mut |this, code, value| {
                        this.accept(code, schema, value, TypeSet::ALL);
                    }),
                }
            });
        }
    }

    /// Is there something left over? A condition.
    fn left_over(&mut self, marks: &Marks<'a>, node: &'a Node, kind: Kind, var: &str) -> Condition<'a> {
        if marks.all {
            return Condition::Known(false);
        }
        if kind == Kind::Items {
            let count = format!("len({var})");
            if marks.known() {
                return match marks.count {
                    0 => Condition::call(self.arena, var),
                    most => Condition::of(self.arena, &[&count], Operator::Greater, &[&most.to_string()]),
                };
            }
            let seen = format!("len({}({var}))", self.evaluation(marks, node, kind));
            return Condition::of(self.arena, &[&seen], Operator::Less, &[&count]);
        }
        if marks.known() && marks.searches.is_empty() && marks.names.is_empty() {
            return Condition::call(self.arena, var);
        }
        let seen = if marks.known() && marks.searches.is_empty() {
            self.names_of(marks)
        } else {
            let function = self.evaluation(marks, node, kind);
            together(self.arena, &[&function, "(", var, ")"])
        };
        Condition::of(self.arena, &[seen, ".issuperset(", var, ")"], Operator::Not, &[])
    }

    /// The function of `data` that gives the names or indices which are evaluated; `None` if all are.
    pub(super) fn evaluated_function(&mut self, node: &'a Node, kind: Kind) -> Option<String> {
        let marks = self.evaluated(node, kind);
        if marks.all {
            return None;
        }
        if !marks.known() || !marks.searches.is_empty() {
            return Some(self.evaluation(&marks, node, kind));
        }
        Some(match kind {
            Kind::Items => format!("lambda data: range({})", marks.count),
            Kind::Properties if marks.names.is_empty() => "lambda data: ()".to_owned(),
            Kind::Properties => format!("lambda data: {}", self.names_of(&marks)),
        })
    }

    /// A loop over what is left over: `body` gets the value's variable.
    fn each_left_over(
        &mut self,
        code: &mut Code<'a>,
        marks: &Marks<'a>,
        node: &'a Node,
        kind: Kind,
        var: &str,
        body: &mut dyn FnMut(&mut Self, &mut Code<'a>, &str),
    ) {
        if marks.all {
            return;
        }
        let (key, value) = match kind {
            Kind::Properties => (code.variable("name").to_string(), code.variable("value").to_string()),
            Kind::Items => (code.variable("index").to_string(), code.variable("item").to_string()),
        };
        let start = code.mark();
        let seen = if marks.known() {
            None
        } else {
            let seen = code.variable("seen");
            let function = self.evaluation(marks, node, kind);
            code.line(&[&seen, " = ", &function, "(", var, ")"]);
            Some(seen)
        };
        let before = code.mark();
        let head = match (kind, &seen) {
            (Kind::Properties, _) => format!("for {key}, {value} in {var}.items():"),
            (Kind::Items, None) if marks.count > 0 => format!("for {value} in {var}[{}:]:", marks.count),
            (Kind::Items, None) => format!("for {value} in {var}:"),
            (Kind::Items, Some(_)) => format!("for {key}, {value} in enumerate({var}):"),
        };
        code.line(&[&head]);
        let left = match (&seen, kind) {
            (Some(seen), _) => Condition::of(self.arena, &[&key], Operator::NotIn, &[seen]),
            (None, Kind::Items) => Condition::Known(true),
            (None, Kind::Properties) => {
                let mut parts = Vec::new();
                if !marks.names.is_empty() {
                    let names = self.names_of(marks);
                    parts.push(Condition::of(self.arena, &[&key], Operator::NotIn, &[names]));
                }
                parts.extend(marks.searches.iter().map(|search| found(self.arena, search, &key).opposite(self.arena)));
                Condition::all(self.arena, &parts)
            }
        };
        let inner = code.mark();
        self.body(code, before, |this, code| this.block(code, left, |this, code| body(this, code, &value)));
        if !code.grew(inner) {
            code.back_to(start);
            return;
        }
        if seen.is_none() && !code.since(inner).contains(&value) && !code.since(inner).contains(&key) {
            // The same for each of them.
            let some = match marks.count {
                0 => format!("if {var}:"),
                count => format!("if len({var}) > {count}:"),
            };
            code.replace(before, &head, &some);
            return;
        }
        if kind == Kind::Items && head.contains("enumerate") && !code.since(inner).contains(&value) {
            code.replace(before, &head, &format!("for {key} in range(len({var})):"));
        }
        if kind == Kind::Properties {
            let text = code.since(inner);
            if !text.contains(&value) {
                code.replace(before, &head, &format!("for {key} in {var}:"));
            } else if !text.contains(&key) {
                code.replace(before, &head, &format!("for {value} in {var}.values():"));
            }
        }
    }

    /// The constant with the names that are evaluated in any case.
    fn names_of(&mut self, marks: &Marks<'a>) -> &'a str {
        let mut names: Vec<&str> = marks.names.clone();
        names.sort_unstable();
        names.dedup();
        let names: Vec<&str> = names.into_iter().map(|name| quoted(self.arena, &[], name, "")).collect();
        self.set(&names)
    }

    /// The function that gives the names or indices which are evaluated.
    fn evaluation(&mut self, marks: &Marks<'a>, node: &'a Node, kind: Kind) -> String {
        let known = (std::ptr::from_ref(node).addr(), self.scope, kind);
        if let Some(function) = self.evaluations.get(&known) {
            return function.clone();
        }
        let function = self.evaluation_function(marks, kind);
        self.evaluations.insert(known, function.clone());
        function
    }

    /// Writes a function that tells what is evaluated.
    fn evaluation_function(&mut self, marks: &Marks<'a>, kind: Kind) -> String {
        self.evaluation_count += 1;
        let name = format!("{}_{}", kind.function(), self.evaluation_count);
        let place = self.reserve();
        let mut code = self.code();
        let (item, set, what) = match kind {
            Kind::Properties => ("str", "names", "properties"),
            Kind::Items => ("int", "items", "items"),
        };
        code.call(&["def ", &name], &["data: Any"], &[" -> set[", item, "]:"].concat());
        code.indent();
        code.line(&["\"\"\"Tell which ", what, " are spoken for.\"\"\""]);
        if marks.names.is_empty() {
            code.line(&[set, ": set[", item, "] = set()"]);
        } else {
            let names = self.names_of(marks);
            code.line(&[set, " = set(", names, ")"]);
        }
        self.mark_more(&mut code, marks, kind, set);
        code.line(&["return ", set]);
        self.put(place, code);
        name
    }

    /// Code that adds what is evaluated to a set.
    fn mark(&mut self, code: &mut Code<'a>, marks: &Marks<'a>, kind: Kind, set: &str) {
        if marks.all {
            match kind {
                Kind::Properties => code.line(&[set, ".update(data)"]),
                Kind::Items => code.line(&[set, ".update(range(len(data)))"]),
            }
            return;
        }
        if !marks.names.is_empty() {
            let names = self.names_of(marks);
            code.line(&[set, ".update(", names, ")"]);
        }
        self.mark_more(code, marks, kind, set);
    }

    /// The same without the names that are evaluated in any case.
    fn mark_more(&mut self, code: &mut Code<'a>, marks: &Marks<'a>, kind: Kind, set: &str) {
        if !marks.searches.is_empty() {
            let name = code.variable("name");
            code.line(&["for ", &name, " in data:"]);
            code.indent();
            let finds = Condition::any(
                self.arena,
                &marks.searches.iter().map(|search| found(self.arena, search, &name)).collect::<Vec<_>>(),
            );
            finds.line(code, "if ", ":");
            code.indent();
            code.line(&[set, ".add(", &name, ")"]);
            code.dedent();
            code.dedent();
        }
        if marks.count > 0 {
            code.line(&[set, ".update(range(min(", &marks.count.to_string(), ", len(data))))"]);
        }
        for (seat, contains) in &marks.contains {
            let (index, item) = (code.variable("index"), code.variable("item"));
            let holds = self.seated(seat, |this| this.condition(&contains.schema, &item, TypeSet::ALL));
            match holds {
                Condition::Known(false) => {}
                Condition::Known(true) => code.line(&[set, ".update(range(len(data)))"]),
                holds => {
                    code.line(&["for ", &index, ", ", &item, " in enumerate(data):"]);
                    code.indent();
                    holds.line(code, "if ", ":");
                    code.indent();
                    code.line(&[set, ".add(", &index, ")"]);
                    code.dedent();
                    code.dedent();
                }
            }
        }
        for call in &marks.calls {
            code.line(&[set, ".update(", call, "(data))"]);
        }
        for Choice { test, then, otherwise } in &marks.choices {
            let test = match test {
                Test::Has(name) => has(self.arena, name, "data"),
                Test::Valid(seat, schema) => self.seated(seat, |this| this.condition(schema, "data", kind.types())),
            };
            let (holds, then, otherwise) = match test {
                Condition::Known(true) => (None, then, otherwise),
                Condition::Known(false) => (None, otherwise, then),
                test if then.is_empty() => (Some(test.opposite(self.arena)), otherwise, then),
                test => (Some(test), then, otherwise),
            };
            let Some(holds) = holds else {
                self.mark(code, then, kind, set);
                continue;
            };
            // What a part evaluates may turn out to be nothing only when it is written.
            let before = code.mark();
            holds.line(code, "if ", ":");
            self.body(code, before, |this, code| this.mark(code, then, kind, set));
            if otherwise.is_empty() {
                continue;
            }
            let (before, alone) = (code.mark(), !code.grew(before));
            if alone {
                holds.opposite(self.arena).line(code, "if ", ":");
            } else {
                code.line(&["else:"]);
            }
            self.body(code, before, |this, code| this.mark(code, otherwise, kind, set));
        }
    }

    /// Works for a schema of another file, or with other bindings.
    fn seated<R>(&mut self, seat: &Seat, work: impl FnOnce(&mut Self) -> R) -> R {
        let file = std::mem::replace(&mut self.file, seat.file.clone());
        let scope = std::mem::replace(&mut self.scope, seat.scope);
        let result = work(self);
        (self.file, self.scope) = (file, scope);
        result
    }

    /// What the schemas that apply in place, and the keywords beside, have evaluated for the node's own keyword.
    fn evaluated(&mut self, node: &'a Node, kind: Kind) -> Marks<'a> {
        let mut marks = Marks::default();
        self.gather_node(node, kind, false, &mut marks);
        self.flatten(&mut marks);
        marks
    }

    /// Takes in what the schemas evaluate of which only the place is noted.
    fn flatten(&self, marks: &mut Marks<'a>) {
        let mut queue = std::mem::take(&mut marks.more);
        let mut seen: FxHashSet<Known> = queue.iter().copied().collect();
        let mut at = 0;
        while let Some(known) = queue.get(at).filter(|_| !marks.all) {
            at += 1;
            let Some(Summary::Known(own)) = self.summaries.get(known) else { continue };
            let Marks { all, names, searches, count, contains: _, choices: _, calls: _, more } = &**own;
            marks.all |= all;
            marks.names.extend(names);
            marks.count = marks.count.max(*count);
            for search in searches {
                if !marks.searches.contains(search) {
                    marks.searches.push(search);
                }
            }
            queue.extend(more.iter().filter(|known| seen.insert(**known)));
        }
    }

    fn gather(&mut self, schema: &'a Schema, kind: Kind, own: bool, marks: &mut Marks<'a>) {
        if let Schema::Node(node) = schema {
            self.gather_node(node, kind, own, marks);
        }
    }

    fn gathered(&mut self, schema: &'a Schema, kind: Kind) -> Marks<'a> {
        let mut marks = Marks::default();
        self.gather(schema, kind, true, &mut marks);
        self.flatten(&mut marks);
        marks
    }

    /// `own`: the node's own `unevaluated…` counts too.
    fn gather_node(&mut self, node: &'a Node, kind: Kind, own: bool, marks: &mut Marks<'a>) {
        if own && kind.keyword(node) {
            // Nothing is left over, so that nobody has to look further: in a chain of such schemas each would look at all behind it.
            marks.all = true;
        }
        if marks.all {
            return;
        }
        let seat = Seat { file: self.file.clone(), scope: self.scope };
        match kind {
            Kind::Properties => {
                if let Some(rules) = node.object.as_deref() {
                    marks.all |= kind.rest(node);
                    marks.names.extend(rules.properties.iter().map(|property| &*property.name));
                    for (search, _) in self.searches(rules) {
                        if !marks.searches.contains(&search) {
                            marks.searches.push(search);
                        }
                    }
                }
            }
            Kind::Items => {
                if let Some(rules) = node.array.as_deref() {
                    marks.all |= kind.rest(node);
                    marks.count = marks.count.max(rules.prefix.len() as u64);
                    let contains = rules.contains.as_ref().filter(|contains| contains.evaluates);
                    marks.contains.extend(contains.map(|contains| (seat.clone(), contains)));
                }
            }
        }
        // An array has no properties, whatever it holds.
        let dependent = node.object.iter().filter(|_| kind == Kind::Properties);
        for (name, schema) in dependent.flat_map(|rules| &rules.dependent_schemas) {
            let then = self.gathered(schema, kind);
            if !then.is_empty() {
                marks.choices.push(Choice { test: Test::Has(name), then, otherwise: Marks::default() });
            }
        }
        if let Some(logic) = node.logic.as_deref() {
            for schema in &logic.all_of {
                self.gather(schema, kind, true, marks);
            }
            for schema in logic.any_of.iter().chain(&logic.one_of) {
                let then = self.gathered(schema, kind);
                if !then.is_empty() {
                    let test = Test::Valid(seat.clone(), schema);
                    marks.choices.push(Choice { test, then, otherwise: Marks::default() });
                }
            }
            if let Some(condition) = &logic.condition {
                let mut then = self.gathered(&condition.test, kind);
                if let Some(schema) = &condition.then {
                    self.gather(schema, kind, true, &mut then);
                }
                let otherwise = condition.otherwise.as_ref();
                let otherwise = otherwise.map_or_else(Marks::default, |schema| self.gathered(schema, kind));
                if !(then.is_empty() && otherwise.is_empty()) {
                    marks.choices.push(Choice { test: Test::Valid(seat, &condition.test), then, otherwise });
                }
            }
        }
        if let Some(reference) = &node.reference
            && let Some(place) = self.target(reference)
        {
            self.gather_target(&place, kind, marks);
        }
    }

    fn gather_target(&mut self, place: &Place, kind: Kind, marks: &mut Marks<'a>) {
        let Some((schema, seat, known)) = self.reached(place, kind).filter(|_| !marks.all) else { return };
        if !self.summaries.contains_key(&known) {
            self.summarize(schema, seat, known);
        }
        match self.summaries.get(&known) {
            None | Some(Summary::Open) => {}
            Some(Summary::Known(own)) => {
                marks.all |= own.all;
                marks.more.push(known);
            }
            Some(Summary::Call(function)) if marks.calls.contains(function) => {}
            Some(Summary::Call(function)) => marks.calls.push(function.clone()),
        }
    }

    /// The schema that a reference leads to, which is read where it stands.
    fn reached(&mut self, place: &Place, kind: Kind) -> Option<(&'a Schema, Seat, Known)> {
        let resolve = self.resolve;
        let schema = resolve.schema(place)?;
        let seat = Seat { file: place.file.clone(), scope: self.enter(self.scope, place) };
        let known = (key(schema), seat.scope, kind);
        Some((schema, seat, known))
    }

    /// Finds out what a schema evaluates, after those that it leads to: one by one, since a chain of references may be longer than any
    /// stack is deep.
    fn summarize(&mut self, schema: &'a Schema, seat: Seat, known: Known) {
        let kind = known.2;
        let next = self.seated(&seat, |this| this.followed(schema, kind));
        self.summaries.insert(known, Summary::Open);
        let mut stack = vec![(schema, seat, known, next)];
        while let Some((schema, seat, known, next)) = stack.last_mut() {
            if let Some(place) = next.pop() {
                let seat = seat.clone();
                let found = self.seated(&seat, |this| this.reached(&place, kind));
                let Some((schema, seat, known)) = found.filter(|found| !self.summaries.contains_key(&found.2)) else {
                    continue;
                };
                self.summaries.insert(known, Summary::Open);
                let next = self.seated(&seat, |this| this.followed(schema, kind));
                stack.push((schema, seat, known, next));
                continue;
            }
            let (schema, seat, known) = (*schema, seat.clone(), *known);
            stack.pop();
            let mut own = Marks::default();
            self.seated(&seat, |this| this.gather(schema, kind, true, &mut own));
            let summary = if own.known() {
                Summary::Known(Rc::new(own))
            } else {
                self.flatten(&mut own);
                Summary::Call(self.evaluation_function(&own, kind))
            };
            self.summaries.insert(known, summary);
        }
    }

    /// Where the references lead that [`Emitter::gather`] follows, the first one last.
    fn followed(&self, schema: &'a Schema, kind: Kind) -> Vec<Place> {
        let mut places = Vec::new();
        let mut nodes: Vec<&Node> = schema.node().into_iter().collect();
        // Nearest first, so that the last to be met is the first to be taken.
        while let Some(node) = nodes.pop() {
            if kind.keyword(node) || kind.rest(node) {
                continue;
            }
            let dependent = node.object.iter().filter(|_| kind == Kind::Properties);
            nodes.extend(dependent.flat_map(|rules| &rules.dependent_schemas).filter_map(|(_, schema)| schema.node()));
            if let Some(logic) = node.logic.as_deref() {
                nodes.extend(logic.all_of.iter().chain(&logic.any_of).chain(&logic.one_of).filter_map(Schema::node));
                let condition = logic.condition.iter();
                let parts = condition.flat_map(|c| [Some(&c.test), c.then.as_ref(), c.otherwise.as_ref()]);
                nodes.extend(parts.flatten().filter_map(Schema::node));
            }
            places.extend(node.reference.as_ref().and_then(|reference| self.target(reference)));
        }
        places
    }
}

/// The keywords that a node has and that ask for something.
pub(super) fn unevaluated(node: &Node) -> impl Iterator<Item = (Kind, &Schema)> {
    let properties = node.object.as_deref().and_then(|rules| rules.unevaluated.as_ref());
    let items = node.array.as_deref().and_then(|rules| rules.unevaluated.as_ref());
    let both = [(Kind::Properties, properties), (Kind::Items, items)];
    both.into_iter()
        .filter_map(|(kind, schema)| Some((kind, schema?)))
        .filter(|(_, schema)| **schema != Schema::Bool(true))
}
