"""What a query selects: fields, calls of functions, `FIELDS()`, `TYPEOF`, compound addresses."""

from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.soql.compiled import Output
from pipelines.local_org.soql.expressions import Expressions
from pipelines.local_org.soql.scope import Resolved, Scope
from pipelines.local_org.soql.tree import (
    Expression,
    FunctionNode,
    Item,
    PathNode,
    Query,
    QueryError,
    TypeOf,
    last_name,
    marked,
)

FIELDS_LIMIT = 200


class Selection:
    """Compiles the select list of a query whose rows are records."""

    def __init__(self, scope: Scope, query: Query, expressions: Expressions) -> None:
        self.scope, self.query, self.expressions = scope, query, expressions
        self.sobject = scope.sobject

    def all(self) -> list[Output]:
        """Every value of a row, sub-queries left out.

        Raises:
            QueryError: something cannot be selected, or is selected twice.
        """
        items = [item for item in self.query.items if not isinstance(item, Query)]
        outputs = [output for item in items for output in self._outputs(item)]
        selected: set[tuple[str, ...]] = set()
        for output in outputs:
            place = (*output.route, output.name)
            if place in selected:
                raise QueryError("INVALID_FIELD", f"duplicate field selected: {output.name}")
            selected.add(place)
        return outputs

    def _outputs(self, item: Item | TypeOf) -> list[Output]:
        if isinstance(item, TypeOf):
            return self._typeof(item)
        expression = item.expression
        if isinstance(expression, FunctionNode) and expression.name.lower() == "fields":
            return self._all_fields(expression)
        if isinstance(expression, FunctionNode):
            sql, field = self.expressions.value(expression)
            name = item.alias or last_name(expression)
            return [Output((), name, field, sql)]
        if item.alias is not None:
            raise QueryError(
                "MALFORMED_QUERY",
                self._at(expression, "only aggregate expressions use field aliasing"),
            )
        resolved = self.scope.resolve(expression)
        return [self._output(resolved, expression)]

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

    def _at(self, expression: Expression, message: str) -> str:
        return marked(self.query.text, expression.position, message)
