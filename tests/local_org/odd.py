"""What the generators of odd requests share."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

BOUNDED = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def mostly(good: list[Any], bad: list[Any]) -> st.SearchStrategy[Any]:
    """One of the good ones, four times of five."""
    return st.integers(0, 4).flatmap(lambda n: st.sampled_from(good if n else bad))


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """A text, as a rule with something missing, doubled or put in."""
    for _ in range(draw(mostly([0], [1, 2]))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        odd = draw(
            st.sampled_from(["", "'", "(", ")", ",", ".", "\\", "\0", "é", "\n", " or ", "-"])
        )
        text = text[:start] + odd + text[end:]
    return text


def well_shaped(answer: Any) -> None:
    """No failure of the org; JSON, and errors in Salesforce's shape."""
    assert answer.status_code < 500, answer.text
    if answer.headers.get("Content-Type", "").startswith("text/csv") or not answer.content:
        assert answer.ok
        return
    content = answer.json()
    if answer.status_code >= 400 and not (isinstance(content, dict) and "hasErrors" in content):
        assert isinstance(content, list), answer.text
        assert all({"message", "errorCode"} <= set(error) for error in content), answer.text
    assert "UNKNOWN_EXCEPTION" not in answer.text
