"""Uploaded files: cut into steps that hold whole chunks, refused where a quote stands alone."""

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local_org.bulk.csvfile import DELIMITERS, BadFile, CsvFile


@pytest.mark.parametrize("rows", [200, 7_000, 50_000, 200_000])
@pytest.mark.parametrize("skip", [0, 400])
def test_steps_are_of_one_size(tmp_path: Path, rows: int, skip: int) -> None:
    path, total = tmp_path / "upload.csv", 120_001
    path.write_text("LastName\n" + "".join(f"name {n}\n" for n in range(total)))
    steps = list(CsvFile(path, "COMMA", "LF").batches(1, rows, skip))
    assert [step.num_rows for step in steps[:-1]] == [rows] * (len(steps) - 1)
    numbers = [n for step in steps for n in step.column("_row").to_pylist()]
    texts = [text for step in steps for text in step.column("c0").to_pylist()]
    assert numbers == list(range(skip, total))
    assert texts == [f"name {n}" for n in numbers]


@pytest.mark.parametrize("delimiter", ["COMMA", "SEMICOLON"])
@pytest.mark.parametrize("ending", ["LF", "CRLF"])
@settings(deadline=None, max_examples=60)  # each example writes and reads files
@given(
    rows=st.lists(
        st.lists(st.text(st.sampled_from('ab",;\n '), min_size=1), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    ),
    place=st.integers(min_value=0),
)
def test_quotes(
    tmp_path_factory: pytest.TempPathFactory,
    delimiter: str,
    ending: str,
    rows: list[list[str]],
    place: int,
) -> None:
    """What a CSV writer writes is read; a quote put into a bare value refuses the file."""
    file = tmp_path_factory.mktemp("csv") / "upload.csv"
    text = io.StringIO(newline="")
    end, mark = {"LF": "\n", "CRLF": "\r\n"}[ending], DELIMITERS[delimiter]
    if ending == "CRLF":
        rows = [[value.replace("\n", "\r\n") for value in row] for row in rows]
    csv.writer(text, delimiter=mark, lineterminator=end).writerows([["h0", "h1"], *rows])
    written = text.getvalue()
    file.write_bytes(written.encode())
    source = CsvFile(file, delimiter, ending)
    tables = list(source.batches(2, 1000))
    read = [list(row.values())[1:] for table in tables for row in table.to_pylist()]
    assert read == rows
    bare = [m.start(1) for m in re.finditer(r'"(?:[^"]|"")*"|(?<=[ab ])()(?=[ab ])', written)]
    bare = [at for at in bare if at >= 0]
    if bare:
        at = bare[place % len(bare)]
        file.write_bytes((written[:at] + '"' + written[at:]).encode())
        with pytest.raises(BadFile, match="Found unescaped quote"):
            list(source.batches(2, 1000))
