"""What names in a query mean: fields of the object, and of the parents reached from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.local_org.catalog.model import Catalog, Field, SObject
from pipelines.local_org.soql.compiled import KIND
from pipelines.local_org.soql.polymorphic import NAME, name_source
from pipelines.local_org.soql.tree import PathNode, QueryError, marked

MAX_PARENTS = 5


@dataclass(frozen=True)
class Resolved:
    """A field in a query: its SQL, and the relationship names that lead to it."""

    sql: str
    field: Field
    route: tuple[str, ...]


Place = tuple[str, SObject, tuple[str, ...]]
"""The alias and the object of a record, and the relationships that lead to it."""


@dataclass
class Scope:
    """The object a query reads and the parents it joins, as they come up."""

    catalog: Catalog
    sobject: SObject
    text: str
    alias_name: str | None = None
    alias: str = "t"
    joins: dict[tuple[str, ...], str] = field(default_factory=dict)
    objects: dict[tuple[str, ...], tuple[SObject, ...]] = field(default_factory=dict)
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
        return self._field((self.alias, self.sobject, ()), PathNode(tuple(names), node.position))

    def typed(self, node: PathNode) -> tuple[SObject, ...]:
        """The kinds that the parents at the end of a path may be of, for `TYPEOF`.

        Raises:
            QueryError: there is no such relationship, or it leads to one kind only.
        """
        reference = self._to(node.names[:-1], node)[1].parent(node.names[-1])
        targets = self.catalog.targets(reference) if reference is not None else ()
        if len(targets) < 2:
            message = f"TYPEOF needs a relationship to several objects, not '{node.names[-1]}'"
            raise QueryError("MALFORMED_QUERY", marked(self.text, node.position, message))
        return targets

    def resolve_typed(
        self, node: PathNode, kinds: tuple[SObject, ...], path: PathNode, *, rest: bool
    ) -> Resolved:
        """The field that a path names in a parent, where the parent is of one of some kinds.

        Args:
            node: the relationships that lead to the parent.
            kinds: one kind; or with `rest` those that the query does not name.
            path: the field, seen from the parent.
            rest: the parent has the fields of Name.
        """
        place = self._to(node.names[:-1], node)
        suffix = KIND if rest else KIND + kinds[0].name
        return self._field(self._join(place, node.names[-1], node, kinds, suffix), path)

    def _to(self, names: Sequence[str], node: PathNode) -> Place:
        place: Place = (self.alias, self.sobject, ())
        for name in names:
            place = self._join(place, name, node)
        return place

    def _field(self, place: Place, node: PathNode) -> Resolved:
        for name in node.names[:-1]:
            place = self._join(place, name, node)
        alias, sobject, route = place
        field = sobject.get(node.names[-1])
        if field is None:
            raise QueryError("INVALID_FIELD", self._unknown(node.names[-1], sobject, node))
        return Resolved(field.read_sql(alias), field, route)

    def _join(
        self,
        place: Place,
        name: str,
        node: PathNode,
        kinds: tuple[SObject, ...] = (),
        suffix: str = "",
    ) -> Place:
        """The parent that a relationship leads to; with `kinds`, only where it is of those."""
        alias, sobject, route = place
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
        parent = NAME if len(targets) > 1 and suffix in {"", KIND} else (kinds or targets)[0]
        targets = kinds or targets
        route = (*route, (reference.relationship or name) + suffix)
        key = tuple(step.lower() for step in route)
        if key not in self.joins:
            if len(route) > MAX_PARENTS:
                raise QueryError("INVALID_QUERY_FILTER_OPERATOR", "too many relationship levels")
            joined = f"{self.alias}{len(self.joins) + 1}"
            self.joins[key] = joined
            self.objects[key] = targets
            source = name_source(targets) if parent is NAME else parent.table
            self.lines.append(
                f'left join {source} {joined} on {joined}."Id" = {reference.read_sql(alias)}'
            )
        return self.joins[key], parent, route

    def _unknown(self, name: str, sobject: SObject, node: PathNode) -> str:
        message = (
            f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a "
            "custom field, be sure to append the '__c' after the custom field name. Please "
            "reference your WSDL or the describe call for the appropriate names."
        )
        return marked(self.text, node.position, message)
