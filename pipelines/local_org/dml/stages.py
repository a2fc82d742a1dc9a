"""What the stage of an opportunity says of it: won or closed, how likely, how it is forecast.

`IsWon` and `IsClosed` are read from the stage. `Probability` and `ForecastCategoryName` follow it:
a new record takes those of its stage, an old one those of the stage it comes to, unless the write
gives others (object reference, Opportunity).
"""

from collections.abc import Iterator
from dataclasses import replace

from pipelines.local_org.catalog.model import SObject, literal
from pipelines.local_org.dml.request import Column, WriteRequest

SOURCE = "StageName"


def followers(sobject: SObject) -> Iterator[str]:
    """The fields of an object that follow its stage."""
    return (field.name for field in sobject.fields if field.by_stage)


def with_followers(request: WriteRequest) -> WriteRequest:
    """The request with a column for each field that follows the stage it writes, new ones empty."""
    if SOURCE not in request.by_field:
        return request
    missing = [n for n in followers(request.sobject) if n not in request.by_field]
    added = [
        Column(name, position, request.sobject[name])
        for position, name in enumerate(missing, start=len(request.columns))
    ]
    return replace(request, columns=(*request.columns, *added)) if added else request


def follows(request: WriteRequest) -> bool:
    """Whether a request writes a stage that fields follow."""
    return SOURCE in request.by_field and any(followers(request.sobject))


def of_stage_sql(request: WriteRequest, name: str) -> str | None:
    """SQL, over `work w`, for what the stage that a row gives says; None for other fields."""
    stage = request.by_field.get(SOURCE)
    by_stage = request.sobject[name].by_stage
    if stage is None or not by_stage:
        return None
    cases = " ".join(
        f"when {literal(label.lower())} then {literal(value)}" for label, value in by_stage
    )
    column_type = request.sobject[name].column_type
    return f"(case lower(w.{stage.value}) {cases} end)::{column_type}"


def moved_sql(request: WriteRequest) -> str:
    """SQL, over `work w` and the record `t`: does a row bring the record to another stage?"""
    stage = request.by_field[SOURCE]
    return f'(w.g{stage.position} and w.{stage.value} is distinct from t."{SOURCE}")'
