from dataclasses import asdict
from pathlib import Path

from bench import local_org, report
from bench.__main__ import fastest
from bench.run import BATCHES, MEASURED, measure
from bench.targets import TARGETS, seconds

PEOPLE = 2_000


def test_two_thousand_people_run_through(tmp_path: Path) -> None:
    run = measure(tmp_path, PEOPLE)

    assert run.people == PEOPLE
    for batch in BATCHES:
        assert list(getattr(run, batch)) == list(MEASURED)
    assert run.written > PEOPLE
    assert 0 < run.rejected < run.rows / 20
    assert run.precision == 1
    assert 0.6 < run.recall < 1
    assert all(target.value(run) for target in TARGETS)
    assert seconds(fastest([run, run]).first) == seconds(run.first)
    everything = report.whole([("`causeway --help`", 0.2, 0.5)])
    org = report.local_org(local_org.measure(tmp_path / "alone", contacts=500, calls=2))
    page = report.page([run], org, everything, report.machine(load=0.0))
    assert all(row[2] != "–" for row in org.rows)
    assert all(stage in page for stage in MEASURED)
    assert str(tmp_path) not in page
    assert asdict(run)["first"]["land"]["seconds"] > 0
