"""The control endpoint for faults; there only when the org was started with them."""

from pipelines.local_org.api import control
from pipelines.local_org.api.control import owner_only
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.faults import ExpireSessions, Faults, WrongFault

router = Router()
router.include(control.router)


@router.route("GET", "/control/faults", login=False)
def listing(call: Call) -> Answer:
    """The faults still to happen."""
    return Answer(content=_faults(call).listed())


@router.route("POST", "/control/faults", login=False)
def arm(call: Call) -> Answer:
    """Add faults: a JSON list."""
    faults = _faults(call)
    try:
        armed = faults.arm(call.json())
    except WrongFault as error:
        raise ApiError(400, "INVALID_FAULT", str(error)) from error
    if any(isinstance(fault, ExpireSessions) for fault in armed):
        call.org.sessions.expire_all()
    return Answer(content=faults.listed())


@router.route("DELETE", "/control/faults", login=False)
def clear(call: Call) -> Answer:
    """Forget all faults."""
    _faults(call).clear()
    return Answer(204)


def _faults(call: Call) -> Faults:
    owner_only(call)
    if call.org.faults is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return call.org.faults
