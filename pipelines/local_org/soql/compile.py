"""A parsed query as one SQL select."""

from pipelines.local_org.catalog.model import Catalog, Field, SObject
from pipelines.local_org.soql.compiled import Child, Compiled, Output
from pipelines.local_org.soql.expressions import Expressions
from pipelines.local_org.soql.filters import Filters
from pipelines.local_org.soql.scope import Scope
from pipelines.local_org.soql.selection import Selection
from pipelines.local_org.soql.tree import (
    Condition,
    Expression,
    FunctionNode,
    Item,
    Ordering,
    PathNode,
    Query,
    QueryError,
    last_name,
    marked,
)

MAX_OFFSET = 2000


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
        self.filters = Filters(query.text, self.expressions.plain, self.semi_join)
        self.groups: list[str] | None = None
        """What an aggregate query groups by; None while a row is a record."""
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
        if query.group or any(f.is_aggregate for f in functions):
            return self._aggregate(items)
        outputs = Selection(self.scope, query, self.expressions).all()
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
        for expression in (*(o.expression for o in self.query.order), *self.query.group):
            self.expressions.value(self._aliased(expression))
        joins = " ".join(["", *self.scope.lines])
        where = f" where {' and '.join(tests)}" if tests else ""
        return f"{self.sobject.table} {alias}{joins}{where}"

    def _order(self) -> str:
        keys = [self._ordering(ordering) for ordering in self.query.order]
        return f" order by {', '.join(keys)}" if keys else ""

    def _ordering(self, ordering: Ordering) -> str:
        expression = self._aliased(ordering.expression)
        sql, field = self._of_group(expression, "Ordered field")
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
        self.groups = [self._group(expression) for expression in self.query.group]
        outputs: list[Output] = []
        unnamed = 0
        for item in items:
            if item.alias is not None:
                self.aliases[item.alias.lower()] = item.expression
            sql, field = self._of_group(item.expression, "Field")
            plain = isinstance(item.expression, PathNode)
            name = item.alias or (last_name(item.expression) if plain else f"expr{unnamed}")
            unnamed += 0 if plain or item.alias else 1
            function = self._call_text(item.expression)
            outputs.append(Output((), name, field, sql, function))
        columns = ", ".join(f"{output.sql} as o{i}" for i, output in enumerate(outputs))
        source = self._source()
        grouped = f" group by {', '.join(self.groups)}" if self.groups else ""
        having = f" having {self._having(self.query.having)}" if self.query.having else ""
        sql = f"select {columns} from {source}{grouped}{having}{self._order()}{self._bounds()}"
        is_grouped = bool(self.query.group)
        return Compiled("aggregate", self.sobject, sql, tuple(outputs), grouped=is_grouped)

    def _call_text(self, expression: Expression) -> str:
        """A call as Salesforce writes it: `avg(Amount)`; blank for a plain field."""
        if isinstance(expression, PathNode):
            return ""
        inner = []
        for argument in expression.arguments:
            if isinstance(argument, PathNode):
                resolved = self.scope.resolve(argument)
                inner.append(".".join((*resolved.route, resolved.field.name)))
            else:
                inner.append(self._call_text(argument))
        return f"{expression.name.lower()}({', '.join(inner)})"

    def _having(self, condition: Condition) -> str:
        def value(expression: Expression) -> tuple[str, Field]:
            return self._of_group(self._aliased(expression), "Field")

        return Filters(self.query.text, value, self.semi_join).sql(condition)

    def _of_group(self, expression: Expression, what: str) -> tuple[str, Field]:
        """An expression that has one value for each row: of a record, or of a group of them."""
        if self.groups is None:
            return self.expressions.plain(expression)
        sql, field = self.expressions.value(expression)
        is_aggregate = isinstance(expression, FunctionNode) and expression.is_aggregate
        if not is_aggregate and sql not in self.groups:
            message = f"{what} must be grouped or aggregated: {last_name(expression)}"
            raise QueryError("MALFORMED_QUERY", self._at(expression, message))
        return sql, field

    def _group(self, expression: Expression) -> str:
        sql, field = self.expressions.plain(expression)
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
        sql, field = compiler.expressions.plain(item.expression)
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


def _unsupported(query: Query) -> str:
    message = (
        f"sObject type '{query.source}' is not supported. If you are attempting to use a custom "
        "object, be sure to append the '__c' after the entity name. Please reference your WSDL or "
        "the describe call for the appropriate names."
    )
    return marked(query.text, query.source_position, message)
