"""`python -m heliostat_scripted --port N`: the scripted provider as a server."""

import argparse
import asyncio
import sys
from pathlib import Path

from heliostat_scripted.program import DEFAULT_BILL, Options, ProgramError, serve
from heliostat_scripted.scenario import ScenarioError


def main() -> int:
    """Serves until it is told to stop. Returns the exit code; 2 is a mistake in the options."""
    try:
        asyncio.run(serve(_read_options(), _say))
    except (ScenarioError, ProgramError) as error:
        print(f"heliostat-gateway-scripted: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _read_options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m heliostat_scripted")
    parser.add_argument("--port", type=int, required=True, help="0: any free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--scenarios", type=Path, metavar="DIR")
    parser.add_argument("--default", metavar="NAME", help="scenario for every other model name")
    parser.add_argument("--bill", type=Path, default=DEFAULT_BILL, metavar="FILE")
    parser.add_argument("--api-key", action="append", default=[], metavar="[NAME=]KEY")
    given = parser.parse_args()
    return Options(
        port=given.port,
        host=given.host,
        scenarios=given.scenarios,
        default=given.default,
        bill=given.bill,
        api_keys=tuple(given.api_key),
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
