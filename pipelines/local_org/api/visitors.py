"""Who looks at the web pages: whoever is on this machine; with `--allow-host`, whoever logged in.

The login is a user of the org with its password. A cookie keeps it, which opens pages and nothing
else: the APIs take tokens from headers alone, so that no other site can make a browser use them.
"""

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from pipelines.local_org.api.oauth import check_password
from pipelines.local_org.api.router import Answer, Call, Handler, Router
from pipelines.local_org.api.web import page

router = Router()
COOKIE = "sid"
LOGIN = "/login"


def view(routes: Router, path: str) -> Callable[[Handler], Handler]:
    """Register the handler of a page; where a login is needed and missing, it is asked for."""

    def register(handler: Handler) -> Handler:
        def answer(call: Call) -> Answer:
            if call.org.hosts and not _is_logged_in(call):
                asked = call.path + ("?" + urlencode(call.query) if call.query else "")
                return _go(f"{LOGIN}?{urlencode({'to': asked})}")
            return handler(call)

        routes.route("GET", path, login=False)(answer)
        return handler

    return register


@router.route("GET", LOGIN, login=False)
def form(call: Call) -> Answer:
    """The page that asks who looks."""
    return _form(call, call.query.get("to", "/"))


@router.route("POST", LOGIN, login=False)
def log_in(call: Call) -> Answer:
    """Take a user name and a password, and go where the visitor wanted to."""
    fields = dict(parse_qsl(call.body.decode("utf-8", errors="replace")))
    to = fields.get("to", "/")
    user = check_password(call, fields.get("username", ""), fields.get("password", ""))
    if user is None:
        return _form(call, to, wrong=True)
    secure = "; Secure" if call.base_url.startswith("https:") else ""
    cookie = f"{COOKIE}={call.org.sessions.open(user)}; Path=/; HttpOnly; SameSite=Strict{secure}"
    return _go(to, {"Set-Cookie": cookie})


def _form(call: Call, to: str, *, wrong: bool = False) -> Answer:
    return page(call, "login", "Log in", 403 if wrong else 200, to=to, wrong=wrong)


def _go(to: str, headers: dict[str, str] | None = None) -> Answer:
    # Only to a page of this org: `//` and `/\` begin the address of another site.
    own = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    path = to if own and to.isascii() else "/"
    return Answer(303, headers={"Location": path, "Cache-Control": "no-store", **(headers or {})})


def _is_logged_in(call: Call) -> bool:
    try:
        cookies = SimpleCookie(call.headers.get("cookie", ""))
    except CookieError:
        return False
    token = cookies.get(COOKIE)
    return token is not None and call.org.sessions.user_of(token.value) is not None
