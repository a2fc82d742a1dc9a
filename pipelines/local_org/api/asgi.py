"""The HTTP door: reads a request, finds who asks, dispatches, writes the answer."""

import asyncio
import gzip
import json
import tempfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from pipelines.local_org.api.hosts import is_answered
from pipelines.local_org.api.router import (
    Answer,
    ApiError,
    Call,
    Route,
    Router,
    tidy,
    unexpected,
)
from pipelines.local_org.api.routes import table
from pipelines.local_org.faults import (
    REFUSALS,
    AtRequest,
    Die,
    LoseAnswer,
    Refuse,
    Reset,
    Slow,
    die,
)
from pipelines.local_org.org import Org
from pipelines.local_org.store.history import doing

NOSNIFF = b"X-Content-Type-Options"
GZIP_FROM = 1024
BLOCK = 1 << 20
MAX_BODY = 64 << 20
SPELLED = {
    b"sforce-numberofrecords": b"Sforce-NumberOfRecords",
    b"www-authenticate": b"WWW-Authenticate",
    b"etag": b"ETag",
}
"""Headers of which Salesforce writes more than the first letter of each word large."""


class Application:
    """The ASGI application of one org."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._routes = table()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request, send = Request(scope, receive), _spelling(send)
        host = request.headers.get("host", "")
        if not is_answered(host, self._org.hosts):
            await _response(_misdirected(host), request)(scope, receive, send)
            return
        faults = self._faults(request)
        try:
            with self._org.writer.locks.request():
                if await _stopped_before(faults, receive):
                    return
                refusal = next((f for f in faults if isinstance(f, Refuse)), None)
                answer = _refusal(refusal) if refusal else await self._answer(request)
        except ClientDisconnect:
            return
        if _stopped_after(faults, receive):
            return
        reset = next((f for f in faults if isinstance(f, Reset)), None)
        if reset is not None:
            send = _part(send, receive, reset.after_bytes)
        await _response(answer, request)(scope, receive, send)

    def _faults(self, request: Request) -> list[AtRequest]:
        if self._org.faults is None or request.url.path.startswith("/control/"):
            return []
        return self._org.faults.request(request.method, request.url.path)

    async def _answer(self, request: Request) -> Answer:
        is_rest = False
        try:
            path = tidy(request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0])
            is_rest = path.lower().startswith("/services/data/")
            route, names = self._routes.find(request.method, path)
            call = replace(_call(self._org, self._routes, request, path), names=names)
            if route.login:
                call = _logged_in(call)
                self._org.usage.count("DailyApiRequests")
            call = await _with_body(call, request, route)
            try:
                with doing(f"{request.method} {path}"):
                    answer = await run_in_threadpool(route.handler, call)
            finally:
                if call.body_file is not None:
                    call.body_file.unlink(missing_ok=True)
        except ApiError as error:
            answer = Answer(error.status, error.body)
        except ClientDisconnect:
            raise
        except Exception as error:
            message = unexpected(error, f"{request.method} {request.url.path}")
            answer = Answer(500, [{"message": message, "errorCode": "UNKNOWN_EXCEPTION"}])
        if not is_rest:
            return answer
        limit = {"Sforce-Limit-Info": self._org.usage.api_usage()}
        return replace(answer, headers=limit | answer.headers)


def _misdirected(host: str) -> Answer:
    message = (
        f"This org is not asked by the name {host!r}. If it shall be: "
        "causeway org start --allow-host NAME"
    )
    return Answer(421, [{"message": message, "errorCode": "MISDIRECTED_REQUEST"}])


def _spelling(send: Send) -> Send:
    """A `send` that spells the names of headers as Salesforce does.

    HTTP does not care, but some clients do: they look for `Content-Type` in a plain dict.
    """

    async def send_spelled(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(_spelled(name), value) for name, value in message["headers"]]
            headers += (b"Date", formatdate(usegmt=True).encode()), (NOSNIFF, b"nosniff")
            message = {**message, "headers": headers}
        await send(message)

    return send_spelled


@cache
def _spelled(name: bytes) -> bytes:
    return SPELLED.get(name) or b"-".join(part.capitalize() for part in name.split(b"-"))


async def _stopped_before(faults: list[AtRequest], receive: Receive) -> bool:
    """Let happen what happens before the work; whether the work shall not be done."""
    for fault in faults:
        if isinstance(fault, Slow):
            await asyncio.sleep(fault.seconds)
        if isinstance(fault, Die) and fault.moment == "before_work":
            die()
        if isinstance(fault, Reset) and fault.during == "upload":
            received, more = 0, True
            while more and received <= fault.after_bytes:
                message = await receive()
                received += len(message.get("body", b""))
                more = message.get("more_body", False)
            _cut(receive)
            return True
    return False


def _stopped_after(faults: list[AtRequest], receive: Receive) -> bool:
    """Let happen what happens after the work; whether nobody shall be told of it."""
    if any(isinstance(fault, Die) for fault in faults):
        die()
    lost = any(isinstance(fault, LoseAnswer) for fault in faults)
    if lost:
        _cut(receive)
    return lost


def _refusal(fault: Refuse) -> Answer:
    code, message = REFUSALS[fault.status]
    return Answer(fault.status, [{"message": message, "errorCode": code}])


def _cut(receive: Receive) -> None:
    """Reset the connection; `receive` is a method of uvicorn's request cycle, which knows it."""
    cycle: Any = receive
    cycle.__self__.transport.abort()


def _part(send: Send, receive: Receive, after_bytes: int) -> Send:
    """A `send` that cuts the connection in the answer: after some bytes, or amid the first block.

    An answer without a body is not sent at all.
    """
    start: list[Message] = []
    remaining = after_bytes

    async def send_part(message: Message) -> None:
        nonlocal remaining
        body = message.get("body", b"")
        if message["type"] == "http.response.start":
            start.append(message)
            return
        if body and start:
            await send(start.pop())
        whole = len(body) < remaining
        cut = len(body) if whole else remaining or len(body) // 2
        if body:
            await send({**message, "body": body[:cut], "more_body": True})
        remaining -= cut
        if not whole or not message.get("more_body", False):
            await asyncio.sleep(0.05)
            _cut(receive)

    return send_part


def _call(org: Org, routes: Router, request: Request, path: str) -> Call:
    query = request.scope["query_string"].decode("latin-1")
    return Call(
        org=org,
        routes=routes,
        method=request.method,
        path=path,
        base_url=f"{request.url.scheme}://{request.headers.get('host', 'localhost')}",
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
    )


def _logged_in(call: Call) -> Call:
    """The call with its user.

    Raises:
        ApiError: 401 without a live session, 403 when the day's requests are used up.
    """
    kind, _, token = call.headers.get("authorization", "").partition(" ")
    if kind.lower() not in {"bearer", "oauth"}:
        token = call.headers.get("x-sfdc-session", "") or call.query.get("oauth_token", "")
    user = call.org.sessions.user_of(token.strip())
    if user is None:
        raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if call.org.usage.exhausted("DailyApiRequests"):
        raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    return replace(call, user=user, token=token.strip())


async def _with_body(call: Call, request: Request, route: Route) -> Call:
    blocks = _unzipped(request) if "gzip" in call.headers.get("content-encoding", "") else None
    stream = blocks or request.stream()
    if route.upload:
        call.org.home.jobs.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=call.org.home.jobs, prefix="upload-", delete=False
        ) as file:
            try:
                async for block in stream:
                    file.write(block)
            except ClientDisconnect:
                Path(file.name).unlink()
                raise
        return replace(call, body_file=Path(file.name))
    body = bytearray()
    async for block in stream:
        body += block
        if len(body) > MAX_BODY:
            raise ApiError(413, "REQUEST_TOO_LARGE", "The request body is too large")
    return replace(call, body=bytes(body))


async def _unzipped(request: Request) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
        async for block in request.stream():
            yield inflate.decompress(block)
        yield inflate.flush()
    except zlib.error as error:
        raise ApiError(400, "INVALID_CONTENT", f"The body is not gzip: {error}") from error


def _response(answer: Answer, request: Request) -> Response:
    if answer.files is not None:
        return StreamingResponse(
            _blocks(answer.files),
            answer.status,
            headers=answer.headers | {"content-type": answer.media_type},
        )
    body = answer.raw
    if body is None:
        empty = answer.content is None
        body = b"" if empty else json.dumps(answer.content, ensure_ascii=False).encode()
    headers = dict(answer.headers)
    if body or answer.raw is not None:
        headers["content-type"] = answer.media_type
    if len(body) >= GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=1)
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
    if request.method == "HEAD":
        body = b""
    return Response(body, answer.status, headers=headers)


async def _blocks(parts: tuple[tuple[Path, int, int], ...]) -> AsyncIterator[bytes]:
    for path, start, length in parts:
        with path.open("rb") as file:
            file.seek(start)
            remaining = length
            while remaining > 0:
                block = await run_in_threadpool(file.read, min(BLOCK, remaining))
                if not block:
                    break
                remaining -= len(block)
                yield block
