"""A parsed query as one SQL select."""

from pipelines.local_org.catalog.model import Catalog, Field, SObject
from pipelines.local_org.soql.columns import call_text
from pipelines.local_org.soql.compiled import Child, Compiled, Output
from pipelines.local_org.soql.expressions import AGGREGATES, Expressions
from pipelines.local_org.soql.filters import Filters
from pipelines.local_org.soql.scope import Resolved, Scope
from pipelines.local_org.soql.tree import (
    Expression,
    FunctionNode,
    Item,
    Ordering,
    PathNode,
    Query,
    QueryError,
    TypeOf,
    marked,
)

MAX_OFFSET = 2000
FIELDS_LIMIT = 200


def compile_query(catalog: Catalog, query: Query, *, deleted: bool = False) -> Compiled:
    """Compile a query; `deleted` says whether it also sees the recycle bin.

    Raises:
        QueryError: with the code and text that Salesforce would answer.
    """
    sobject = catalog.get(query.source)
    if sobject is None:
        raise QueryError("INVALID_TYPE", _unsupported(query))
    return _Compiler(catalog, query, sobject, deleted=deleted).compile()


class _Compiler:
    def __init__(
        self, catalog: Catalog, query: Query, sobject: SObject, *, deleted: bool, alias: str = "t"
    ) -> None:
        self.catalog, self.query, self.sobject, self.deleted = catalog, query, sobject, deleted
        self.scope = Scope(catalog, sobject, query.text, query.alias, alias)
        self.expressions = Expressions(self.scope, query.text)
        self.filters = Filters(query.text, self.expressions.value, self.semi_join)
        self.aliases: dict[str, Expression] = {}

    # -- the whole ---------------------------------------------------------------------------------

    def compile(self, reference: Field | None = None) -> Compiled:
        """Compile; with `reference`, as a sub-query whose rows name their parent."""
        query = self.query
        items = [item for item in query.items if isinstance(item, Item)]
        if len(items) == 1 and _is_plain_count(items[0].expression):
            sql = f"select count(*) from {self._source()}"
            return Compiled("count", self.sobject, sql, ())
        functions = [i.expression for i in items if isinstance(i.expression, FunctionNode)]
        if query.group or any(f.name.lower() in AGGREGATES for f in functions):
            return self._aggregate(items)
        outputs = [
            output
            for item in query.items
            if not isinstance(item, Query)
            for output in self._outputs(item)
        ]
        self._check_distinct(outputs)
        children = tuple(self._child(item) for item in query.items if isinstance(item, Query))
        source = self._source()
        order = self._order()
        routes = self._routes(outputs)
        columns = [f'{self.scope.alias}."Id" as _id']
        if reference is not None:
            columns.append(f"{reference.read_sql(self.scope.alias)} as _parent")
        columns += [
            f'{self.scope.joins[tuple(s.lower() for s in route)]}."Id" as _route{i}'
            for i, route in enumerate(routes)
        ]
        columns += [f"{output.sql} as o{i}" for i, output in enumerate(outputs)]
        # A sub-query's limit counts per parent, and stands before the order.
        bounds = self._bounds()
        tail = f"{order}{bounds}" if reference is None else f"{self._per_parent(reference)}{order}"
        sql = f"select {', '.join(columns)} from {source}{tail}"
        objects = tuple(self.scope.objects[tuple(s.lower() for s in route)] for route in routes)
        return Compiled(
            "records", self.sobject, sql, tuple(outputs), tuple(routes), objects, children
        )

    def _source(self) -> str:
        """From, joins and filter; compiled last of the parts that add joins is the order."""
        alias = self.scope.alias
        tests = []
        if not self.deleted and self.sobject.get("IsDeleted") is not None:
            tests.append(f'not {alias}."IsDeleted"')
        if self.query.where is not None:
            tests.append(self.filters.sql(self.query.where))
        for ordering in self.query.order:
            self.expressions.value(self._aliased(ordering.expression))
        for group in self.query.group:
            self.expressions.value(group)
        joins = " ".join(["", *self.scope.lines])
        where = f" where {' and '.join(tests)}" if tests else ""
        return f"{self.sobject.table} {alias}{joins}{where}"

    def _order(self) -> str:
        keys = [self._ordering(ordering) for ordering in self.query.order]
        return f" order by {', '.join(keys)}" if keys else ""

    def _ordering(self, ordering: Ordering) -> str:
        sql, field = self.expressions.value(self._aliased(ordering.expression))
        if not field.sortable or field.type == "address":
            message = f"field '{field.name}' can not be sorted in a query call"
            raise QueryError("INVALID_FIELD", self._at(ordering.expression, message))
        if field.column_type == "varchar" and field.type not in {"id", "reference"}:
            sql = f"lower({sql})"
        direction = "desc" if ordering.descending else "asc"
        return f"{sql} {direction} nulls {'last' if ordering.nulls_last else 'first'}"

    def _per_parent(self, reference: Field) -> str:
        if self.query.limit is None:
            return ""
        order = self._order()
        over = f"partition by {reference.read_sql(self.scope.alias)}{order}"
        return f" qualify row_number() over ({over}) <= {self.query.limit}"

    def _bounds(self) -> str:
        query = self.query
        if query.offset > MAX_OFFSET:
            raise QueryError(
                "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            )
        limit = f" limit {query.limit}" if query.limit is not None else ""
        return limit + (f" offset {query.offset}" if query.offset else "")

    # -- what is selected --------------------------------------------------------------------------

    def _check_distinct(self, outputs: list[Output]) -> None:
        """Refuse a field that is selected twice."""
        selected: set[tuple[str, ...]] = set()
        for output in outputs:
            place = (*output.route, output.name)
            if place in selected:
                raise QueryError("INVALID_FIELD", f"duplicate field selected: {output.name}")
            selected.add(place)

    def _typeof(self, item: TypeOf) -> list[Output]:
        """The fields that a parent is asked for by its kind."""
        kinds = self.scope.typed(item.relationship)
        named: list[SObject] = []
        outputs = []
        for name, paths in item.cases:
            kind = next((k for k in kinds if k.name.lower() == name.lower()), None)
            if kind is None or kind in named:
                message = f"'{name}' cannot stand behind WHEN here"
                raise QueryError("MALFORMED_QUERY", self._at(item.relationship, message))
            named.append(kind)
            for path in paths:
                resolved = self.scope.resolve_typed(item.relationship, (kind,), path, rest=False)
                outputs.append(self._output(resolved, path))
        others = tuple(kind for kind in kinds if kind not in named)
        for path in item.otherwise if others else ():
            resolved = self.scope.resolve_typed(item.relationship, others, path, rest=True)
            outputs.append(self._output(resolved, path))
        return outputs

    def _outputs(self, item: Item | TypeOf) -> list[Output]:
        if isinstance(item, TypeOf):
            return self._typeof(item)
        expression = item.expression
        if isinstance(expression, FunctionNode) and expression.name.lower() == "fields":
            return self._all_fields(expression)
        if isinstance(expression, FunctionNode):
            sql, field = self.expressions.value(expression)
            name = item.alias or _last_name(expression)
            return [Output((), name, field, sql)]
        if item.alias is not None:
            raise QueryError(
                "MALFORMED_QUERY",
                self._at(expression, "only aggregate expressions use field aliasing"),
            )
        resolved = self.scope.resolve(expression)
        return [self._output(resolved, expression)]

    def _output(self, resolved: Resolved, expression: PathNode) -> Output:
        sql = resolved.sql
        if resolved.field.type == "address":
            sql = self._address(resolved)
        return Output(resolved.route, resolved.field.name, resolved.field, sql)

    def _address(self, resolved: Resolved) -> str:
        """Compound addresses are read as a struct of their parts, null when all are."""
        key = tuple(step.lower() for step in resolved.route)
        owner = self.scope.objects[key][0] if key else self.sobject
        alias = self.scope.joins[key] if key else self.scope.alias
        stem = resolved.field.name.removesuffix("Address")
        parts = []
        for part in (
            "City",
            "Country",
            "GeocodeAccuracy",
            "Latitude",
            "Longitude",
            "PostalCode",
            "CountryCode",
            "State",
            "StateCode",
            "Street",
        ):
            field = owner.get(stem + part)
            if field is not None:
                parts.append((part[0].lower() + part[1:], field.read_sql(alias)))
        members = ", ".join(f"'{name}': {sql}" for name, sql in parts)
        nothing = " and ".join(f"{sql} is null" for _, sql in parts)
        return f"case when not ({nothing}) then {{{members}}} end"

    def _all_fields(self, function: FunctionNode) -> list[Output]:
        argument = function.arguments[0] if function.arguments else None
        kind = argument.names[0].lower() if isinstance(argument, PathNode) else ""
        if kind not in {"all", "standard", "custom"}:
            raise QueryError("MALFORMED_QUERY", self._at(function, "unexpected FIELDS() argument"))
        limit = self.query.limit
        if kind != "standard" and (limit is None or limit > FIELDS_LIMIT):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}"
            raise QueryError("MALFORMED_QUERY", self._at(function, message))
        fields = [f for f in self.sobject.fields if kind == "all" or f.custom == (kind == "custom")]
        nodes = [PathNode((field.name,), function.position) for field in fields]
        return [self._output(self.scope.resolve(node), node) for node in nodes]

    def _routes(self, outputs: list[Output]) -> list[tuple[str, ...]]:
        routes: dict[tuple[str, ...], None] = {}
        for output in outputs:
            for depth in range(1, len(output.route) + 1):
                routes[output.route[:depth]] = None
        return list(routes)

    def _child(self, query: Query) -> Child:
        name = query.source.lower()
        relation = next((c for c in self.sobject.children if (c.name or "").lower() == name), None)
        if relation is None or relation.name is None:
            message = (
                f"Didn't understand relationship '{query.source}' in FROM part of query call. If "
                "you are attempting to use a custom relationship, be sure to append the '__r' "
                "after the custom relationship name. Please reference your WSDL or the describe "
                "call for the appropriate names."
            )
            raise QueryError("INVALID_TYPE", marked(query.text, query.source_position, message))
        child = self.catalog[relation.child]
        reference = child[relation.field]
        compiler = _Compiler(self.catalog, query, child, deleted=self.deleted)
        return Child(relation.name, reference, compiler.compile(reference))

    # -- aggregates --------------------------------------------------------------------------------

    def _aggregate(self, items: list[Item]) -> Compiled:
        others = [item for item in self.query.items if not isinstance(item, Item)]
        if others:
            raise QueryError(
                "MALFORMED_QUERY", "Only fields and functions can be selected with aggregates"
            )
        groups = [self._group(expression) for expression in self.query.group]
        outputs: list[Output] = []
        unnamed = 0
        for item in items:
            if item.alias is not None:
                self.aliases[item.alias.lower()] = item.expression
            sql, field = self.expressions.value(item.expression)
            plain = isinstance(item.expression, PathNode)
            if plain and sql not in groups:
                message = f"Field must be grouped or aggregated: {_last_name(item.expression)}"
                raise QueryError("MALFORMED_QUERY", self._at(item.expression, message))
            name = item.alias or (_last_name(item.expression) if plain else f"expr{unnamed}")
            unnamed += 0 if plain or item.alias else 1
            function = "" if isinstance(item.expression, PathNode) else call_text(item.expression)
            outputs.append(Output((), name, field, sql, function))
        columns = ", ".join(f"{output.sql} as o{i}" for i, output in enumerate(outputs))
        source = self._source()
        grouped = f" group by {', '.join(groups)}" if groups else ""
        having = f" having {self.filters.sql(self.query.having)}" if self.query.having else ""
        sql = f"select {columns} from {source}{grouped}{having}{self._order()}{self._bounds()}"
        is_grouped = bool(self.query.group)
        return Compiled("aggregate", self.sobject, sql, tuple(outputs), grouped=is_grouped)

    def _group(self, expression: Expression) -> str:
        sql, field = self.expressions.value(expression)
        if not field.groupable or field.type == "address":
            message = f"field '{field.name}' can not be grouped in a query call"
            raise QueryError("INVALID_FIELD", self._at(expression, message))
        return sql

    def _aliased(self, expression: Expression) -> Expression:
        if isinstance(expression, PathNode) and len(expression.names) == 1:
            return self.aliases.get(expression.names[0].lower(), expression)
        return expression

    # -- sub-queries in conditions -----------------------------------------------------------------

    def semi_join(self, query: Query) -> str:
        """SQL for the ids that a sub-query in a condition yields."""
        sobject = self.catalog.get(query.source)
        if sobject is None:
            raise QueryError("INVALID_TYPE", _unsupported(query))
        compiler = _Compiler(
            self.catalog, query, sobject, deleted=self.deleted, alias=self.scope.alias + "s"
        )
        item = query.items[0]
        if len(query.items) != 1 or not isinstance(item, Item):
            raise QueryError("MALFORMED_QUERY", "a semi-join selects exactly one field")
        sql, field = compiler.expressions.value(item.expression)
        if field.type not in {"id", "reference"}:
            raise QueryError("MALFORMED_QUERY", f"The selected field '{field.name}' is no id")
        source = compiler._source()
        tests = "and" if " where " in source else "where"
        return f"select {sql} from {source} {tests} {sql} is not null"

    def _at(self, expression: Expression, message: str) -> str:
        return marked(self.query.text, expression.position, message)


def _is_plain_count(expression: Expression) -> bool:
    return (
        isinstance(expression, FunctionNode)
        and expression.name.lower() == "count"
        and not expression.arguments
    )


def _last_name(expression: Expression) -> str:
    while isinstance(expression, FunctionNode):
        expression = expression.arguments[0]
    return expression.names[-1]


def _unsupported(query: Query) -> str:
    message = (
        f"sObject type '{query.source}' is not supported. If you are attempting to use a custom "
        "object, be sure to append the '__c' after the entity name. Please reference your WSDL or "
        "the describe call for the appropriate names."
    )
    return marked(query.text, query.source_position, message)
