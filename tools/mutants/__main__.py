"""`python -m tools.mutants AREA SEED`: exit code 1 when fewer than 85 % are killed."""

import argparse
import ast
import secrets
import sys
import time

from tools.machine import ROOT
from tools.mutants import trials
from tools.mutants.areas import UnknownAreaError, find_area, product_files
from tools.mutants.coverage_map import CoverageMap, RecordingError, read_map
from tools.mutants.equal import EqualListError, find_outdated, read_equal, without_equal
from tools.mutants.places import Place, find_places
from tools.mutants.report import ENOUGH_PERCENT, format_summary, format_verdict, percent_killed
from tools.mutants.sampling import SIZE, sample
from tools.mutants.selection import Mentions, choose_tests


def find_candidates(area: str) -> list[Place]:
    """The places of an area without the equal mutants. Raises EqualListError."""
    equal = read_equal()
    outdated = find_outdated(equal)
    if outdated:
        told = "\n".join(f"  {each.module} {each.function}: {each.line}" for each in outdated)
        raise EqualListError(f"equal.toml has entries that match no fault:\n{told}")
    places = [place for source in find_area(area) for place in find_places(source)]
    return without_equal(places, equal)


def read_mentions(passed: CoverageMap) -> Mentions:
    mentions = Mentions()
    for path in product_files():
        mentions.add_module(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text()))
    for name in passed.tests:
        mentions.add_test_file(name, ast.parse((ROOT / name).read_text()))
    return mentions


def warm() -> None:
    """Imports what every test imports, once for all mutants."""
    import aiohttp  # noqa: F401
    import fastapi  # noqa: F401
    import hypothesis  # noqa: F401
    import kubernetes  # noqa: F401
    import pydantic  # noqa: F401


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("area", help="core, operator/runs, gateway/money, or any folder of ours")
    parser.add_argument("seed", nargs="?", help="which mutants are drawn; else by chance")
    parser.add_argument("--size", type=int, default=SIZE, help="how many")
    given = parser.parse_args(arguments)
    seed = given.seed or secrets.token_hex(3)
    print(f"AREA={given.area} SEED={seed}", flush=True)
    try:
        places = find_candidates(given.area)
        passed = read_map()
    except (UnknownAreaError, EqualListError, RecordingError) as error:
        print(error, file=sys.stderr)
        return 2
    mentions = read_mentions(passed)
    drawn = sample(places, seed, given.size)
    warm()
    chosen = [(mutation, choose_tests(mutation, passed, mentions)) for mutation in drawn]
    verdicts = []
    began = time.monotonic()
    try:
        trials.control(chosen, passed)
    except trials.ControlError as error:
        print(error, file=sys.stderr)
        return 2
    for verdict in trials.run(chosen, passed):
        verdicts.append(verdict)
        print(format_verdict(verdict), flush=True)
    print(format_summary(verdicts, given.area, seed, len(places)))
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if percent_killed(verdicts) >= ENOUGH_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
