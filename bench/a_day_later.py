"""``python -m bench.a_day_later sync …``: the command as it runs a day after the last batch."""

from __future__ import annotations

import sys
from datetime import timedelta

from pipelines.cli import main
from pipelines.org import refresh

if __name__ == "__main__":
    # A snapshot reads the last 15 minutes twice, which is all that a bench has written.
    refresh.OVERLAP = timedelta(0)
    sys.argv[0] = "causeway"
    main()
