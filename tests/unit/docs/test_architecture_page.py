"""What docs/architecture.md names is there."""

import re

import pytest

from tools.machine import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
NAMED = re.compile(r"`([a-z][\w./-]*(?:\.py|/))`")
PACKAGE = re.compile(r"[a-z_]+/heliostat_[a-z]+/")


def paths_of(page: str) -> list[str]:
    """Every path, from the root; one that is not is below the package that was named last."""
    package, found = "", []
    for name in NAMED.findall(page):
        if PACKAGE.fullmatch(name):
            package = name
        found.append(name if (ROOT / name.partition("/")[0]).is_dir() else f"{package}{name}")
    return found


def test_a_short_path_is_below_the_package_that_was_named_last() -> None:
    page = "In `api/heliostat_api/`: `app/main.py`; `docs/x/` and `base/`"
    found = ["api/heliostat_api/", "api/heliostat_api/app/main.py", "docs/x/"]
    assert paths_of(page) == [*found, "api/heliostat_api/base/"]


@pytest.mark.parametrize("path", sorted(set(paths_of(PAGE))))
def test_what_the_page_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()
