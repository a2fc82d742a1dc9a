"""The whole table of routes."""

from functools import cache

from pipelines.local_org.api import (
    classic,
    collections,
    composite,
    discovery,
    faults,
    ingest,
    metadata,
    oauth,
    pages,
    query,
    queryjobs,
    records,
    search,
    soap,
    tooling,
    uiapi,
)
from pipelines.local_org.api.router import Router


@cache
def table() -> Router:
    """Every route the org answers to; the narrow ones stand before the wide ones."""
    router = Router()
    for module in (
        faults,
        oauth,
        soap,
        classic,
        metadata,
        tooling,
        discovery,
        query,
        search,
        ingest,
        queryjobs,
        composite,
        collections,
        records,
        uiapi,
        pages,
    ):
        router.include(module.router)
    return router
