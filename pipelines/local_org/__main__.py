"""`python -m pipelines.local_org serve --home DIR [--port N]`."""

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Parse the command line and serve until told to stop; the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.local_org", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve an org until SIGTERM or Ctrl+C")
    serve.add_argument("--home", type=Path, required=True, help="the org's folder")
    serve.add_argument(
        "--port", type=int, default=0, help="for https; http takes the next (default: as last time)"
    )
    serve.add_argument(
        "--faults", action="store_true", help="let /control/faults make things go wrong"
    )
    serve.add_argument("--rules", type=Path, help="rules of your own; kept in the home")
    serve.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name than this machine's own to be asked by; pages then need a login",
    )
    arguments = parser.parse_args()
    from pipelines.local_org.serve import serve_forever

    return serve_forever(
        arguments.home,
        arguments.port,
        faults=arguments.faults,
        rules=arguments.rules,
        hosts=arguments.allow_host,
    )


if __name__ == "__main__":
    sys.exit(main())
