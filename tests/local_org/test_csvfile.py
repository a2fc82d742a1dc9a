"""Uploaded files are cut into steps that hold whole chunks, however the reader hands them over."""

from pathlib import Path

import pytest

from pipelines.local_org.bulk.csvfile import CsvFile


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
