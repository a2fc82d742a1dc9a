"""Calls, answers and the table of routes. A composite request dispatches through the same table."""

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pipelines.local_org.dml.orgrules import WriteOptions
from pipelines.local_org.unconfirmed import Message

if TYPE_CHECKING:
    from pipelines.local_org.catalog.model import Catalog
    from pipelines.local_org.dml.write import Writer
    from pipelines.local_org.org import Org

OLDEST_VERSION, NEWEST_VERSION = 31, 67
Content = Any
log = logging.getLogger(__name__)


class ApiError(Exception):
    """A refusal: an HTTP status and Salesforce's error body."""

    def __init__(
        self, status: int, code: str, message: str, fields: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        body: dict[str, Any] = {"message": message, "errorCode": code}
        if fields is not None:
            body["fields"] = list(fields)
        self.body: Any = [body]


def refusal(message: Message, status: int = 400, **values: object) -> ApiError:
    """An error in words that no source confirms."""
    return ApiError(status, message.code, message(**values))


def unexpected(error: Exception, request: str) -> str:
    """What is said of an error that nobody thought of, with the mark it has in the org's log."""
    mark = secrets.token_hex(6)
    log.error("ErrorId %s: %s", mark, request, exc_info=error)
    return (
        "An unexpected error occurred. Please include this ErrorId if you contact support: " + mark
    )


@dataclass(frozen=True)
class Call:
    """One request, or one part of a composite request."""

    org: "Org"
    routes: "Router"
    method: str
    path: str
    base_url: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    body_file: Path | None = None
    user: str = ""
    token: str = ""
    json_body: Any = None
    names: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """What stands in the path at `{name}`."""
        return self.names[name]

    @property
    def version(self) -> str:
        """The API version in the path, such as `67.0`."""
        return self.names["version"]

    @property
    def catalog(self) -> "Catalog":
        """The objects and fields that the user may see."""
        return self.org.custom_fields.visible_to(self.user)

    @property
    def writer(self) -> "Writer":
        """Writes records as far as the user may."""
        return self.org.writer_for(self.user)

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ApiError: `UNSUPPORTED_MEDIA_TYPE` or `JSON_PARSER_ERROR`.
        """
        if self.json_body is not None:
            return self.json_body
        kind = self.headers.get("content-type", "").partition(";")[0].strip()
        is_own_api = not self.path.startswith("/services/")
        if kind and not kind.lower().endswith("json") and not is_own_api:
            message = f"MediaType of '{kind}' is not supported by this resource"
            raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
        from json import loads

        try:
            return loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from error

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            ApiError: it is none.
        """
        body = self.json()
        if not isinstance(body, dict):
            raise ApiError(400, "JSON_PARSER_ERROR", "The request body must be a JSON object")
        return body

    def write_options(self) -> WriteOptions:
        """What the request's headers say about assignment rules and duplicates.

        Without a header leads and cases go through the active assignment rule, whether they are
        made or changed (api-facts 2.5).
        """
        assign = self.headers.get("sforce-auto-assign", "true").strip()
        by_id = assign.lower() not in {"true", "false", ""}
        return WriteOptions(
            auto_assign=assign.lower() == "true",
            assignment_rule=assign if by_id else None,
            allow_duplicates=self.option("sforce-duplicate-rule-header").get("allowsave") == "true",
        )

    def option(self, header: str) -> dict[str, str]:
        """A header such as `Sforce-Query-Options: batchSize=200; x=y` as a dict in lower case."""
        pairs = (part.partition("=") for part in self.headers.get(header.lower(), "").split(";"))
        return {k.strip().lower(): v.strip().lower() for k, _, v in pairs if k.strip()}


@dataclass(frozen=True)
class Answer:
    """One response: `content` is JSON, or `raw` bytes, or a range of a file."""

    status: int = 200
    content: Content = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json;charset=UTF-8"
    files: tuple[tuple[Path, int, int], ...] | None = None
    """Parts of files to send one after the other: path, first byte, number of bytes."""


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A handler and what it answers to."""

    method: str
    path: str
    pattern: re.Pattern[str]
    handler: Handler
    login: bool
    upload: bool


class Router:
    """The table of routes, matched in the order they were added."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def route(
        self, method: str, path: str, *, login: bool = True, upload: bool = False
    ) -> Callable[[Handler], Handler]:
        """Register a handler for a path such as `/services/data/v{version}/limits`.

        `login`: needs a session. `upload`: the body goes to a file as it arrives.
        `{name*}` also takes slashes.
        """
        pattern = _pattern(path)

        def register(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, pattern, handler, login, upload))
            return handler

        return register

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def include(self, other: "Router") -> None:
        """Add the routes of another table."""
        self._routes += other._routes

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route for a request, and what stands at the names of its path.

        Raises:
            ApiError: 404, 405, or 410 for a retired API version.
        """
        allowed = []
        method = "GET" if method == "HEAD" else method
        for route in self._routes:
            match = route.pattern.fullmatch(path)
            if match is None:
                continue
            if route.method == method:
                names = {name: unquote(text) for name, text in match.groupdict().items()}
                _check_version(names.get("version"))
                return route, names
            allowed.append(route.method)
        if allowed:
            listed = ",".join(sorted({"HEAD", *allowed} if "GET" in allowed else set(allowed)))
            raise ApiError(
                405,
                "METHOD_NOT_ALLOWED",
                f"HTTP Method '{method}' not allowed. Allowed are {listed}",
            )
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")

    def dispatch(self, call: Call) -> Answer:
        """Run the handler of a call that is logged in already."""
        route, names = self.find(call.method, call.path)
        return route.handler(replace(call, names=names))


def _pattern(path: str) -> re.Pattern[str]:
    """`/x/{name}/{rest*}` as an expression; a name stands for one step, a starred one for all."""
    parts = re.split(r"\{(\w+\*?)\}", path)
    texts = [re.escape(text) for text in parts[::2]]
    names = [
        f"(?P<{name.rstrip('*')}>{'.+' if name.endswith('*') else '[^/]+'})" for name in parts[1::2]
    ]
    joined = "".join(part for pair in zip(texts, [*names, ""], strict=True) for part in pair)
    return re.compile(joined, re.IGNORECASE)


def _check_version(version: str | None) -> None:
    if version is None:
        return
    try:
        number = float(version)
    except ValueError:
        number = -1.0
    if number != int(number) or number > NEWEST_VERSION or number < 0:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    if number < OLDEST_VERSION:
        raise ApiError(410, "GONE", f"API version {version} has been retired")


def split_url(url: str) -> tuple[str, dict[str, str]]:
    """Path (slashes tidied) and query of a URL."""
    parts = urlsplit(url)
    return tidy(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))


def tidy(path: str) -> str:
    """A path without doubled and trailing slashes."""
    return re.sub("/{2,}", "/", path).rstrip("/") or "/"
