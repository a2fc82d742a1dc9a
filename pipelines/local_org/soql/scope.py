"""What names in a query mean: fields of the object, and of the parents reached from it."""

from dataclasses import dataclass, field

from pipelines.local_org.catalog.model import Catalog, Field, SObject, literal, quoted
from pipelines.local_org.soql.tree import PathNode, QueryError, marked

MAX_PARENTS = 5


@dataclass(frozen=True)
class Resolved:
    """A field in a query: its SQL, and the relationship names that lead to it."""

    sql: str
    field: Field
    route: tuple[str, ...]


@dataclass
class Scope:
    """The object a query reads and the parents it joins, as they come up."""

    catalog: Catalog
    sobject: SObject
    text: str
    alias_name: str | None = None
    alias: str = "t"
    joins: dict[tuple[str, ...], str] = field(default_factory=dict)
    objects: dict[tuple[str, ...], SObject] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def resolve(self, node: PathNode) -> Resolved:
        """The field a path names.

        Raises:
            QueryError: `INVALID_FIELD`, as Salesforce words it.
        """
        names = list(node.names)
        own = {self.sobject.name.lower(), (self.alias_name or "").lower()}
        if len(names) > 1 and names[0].lower() in own and not self.sobject.parent(names[0]):
            names = names[1:]
        alias, sobject = self.alias, self.sobject
        route: tuple[str, ...] = ()
        for name in names[:-1]:
            alias, sobject, route = self._join(alias, sobject, route, name, node)
        field = sobject.get(names[-1])
        if field is None:
            raise QueryError("INVALID_FIELD", self._unknown(names[-1], sobject, node))
        return Resolved(field.read_sql(alias), field, route)

    def _join(
        self, alias: str, sobject: SObject, route: tuple[str, ...], name: str, node: PathNode
    ) -> tuple[str, SObject, tuple[str, ...]]:
        reference = sobject.parent(name)
        targets = self.catalog.targets(reference) if reference is not None else ()
        if reference is None or not targets:
            message = (
                f"Didn't understand relationship '{name}' in field path. If you are attempting to "
                "use a custom relationship, be sure to append the '__r' after the custom "
                "relationship name. Please reference your WSDL or the describe call for the "
                "appropriate names."
            )
            raise QueryError("INVALID_FIELD", marked(self.text, node.position, message))
        route = (*route, reference.relationship or name)
        key = tuple(step.lower() for step in route)
        if key not in self.joins:
            if len(route) > MAX_PARENTS:
                raise QueryError("INVALID_QUERY_FILTER_OPERATOR", "too many relationship levels")
            joined = f"{self.alias}{len(self.joins) + 1}"
            self.joins[key] = joined
            self.objects[key] = _parent_object(targets)
            source = _parent_source(targets)
            self.lines.append(
                f'left join {source} {joined} on {joined}."Id" = {reference.read_sql(alias)}'
            )
        return self.joins[key], self.objects[key], route

    def _unknown(self, name: str, sobject: SObject, node: PathNode) -> str:
        message = (
            f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a "
            "custom field, be sure to append the '__c' after the custom field name. Please "
            "reference your WSDL or the describe call for the appropriate names."
        )
        return marked(self.text, node.position, message)


def _parent_object(targets: tuple[SObject, ...]) -> SObject:
    """What is known of a parent that may be of several kinds: the fields of Salesforce's Name."""
    if len(targets) == 1:
        return targets[0]
    users = [t for t in targets if t.name == "User"]
    return (users or list(targets))[0]


def _parent_source(targets: tuple[SObject, ...]) -> str:
    if len(targets) == 1:
        return targets[0].table
    columns = _parent_object(targets).stored
    parts = []
    for target in targets:
        fields = [_common_column(target, column) for column in columns]
        parts.append(f"select {', '.join(fields)} from {target.table} p")
    return f"({' union all '.join(parts)})"


def _common_column(target: SObject, column: Field) -> str:
    own = target.get(column.name)
    if own is not None:
        return f"{own.read_sql('p')} as {quoted(column.name)}"
    if column.name == "LastName" and target.get("Name") is not None:
        return f"{target['Name'].read_sql('p')} as {quoted(column.name)}"
    return f"null::{column.column_type} as {quoted(column.name)}"


def type_sql(catalog: Catalog, id_sql: str) -> str:
    """SQL for the object name that an id belongs to."""
    cases = " ".join(f"when {literal(o.prefix)} then {literal(o.name)}" for o in catalog)
    return f"case substr({id_sql}, 1, 3) {cases} end"
