"""Composite requests: several calls in one."""

from pipelines.local_org.api.router import Router

router = Router()
