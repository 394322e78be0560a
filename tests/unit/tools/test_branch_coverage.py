"""Which modules must have their branches tested, and what is said of one that has not."""

import re
from pathlib import Path

import pytest

from tools.branch_coverage import Contract, find_files, find_packages, measure

DECIDING = """
def decide(number):
    if number > 1:
        return "many"
    if number > 0:
        return "one"
    return "none"
"""


def test_packages_that_no_http_client_may_be_reached_from_are_held() -> None:
    contracts: list[Contract] = [
        {"source_modules": ["pure", "other.pure"], "forbidden_modules": ["asyncio", "aiohttp"]},
        {
            "source_modules": ["caller"],
            "forbidden_modules": ["aiohttp"],
            "allow_indirect_imports": True,
        },
        {"source_modules": ["ours"], "forbidden_modules": ["theirs"]},
        {"layers": ["high", "low"]},
    ]
    assert list(find_packages(contracts)) == ["pure", "other.pure"]


def test_a_package_stands_for_all_its_files(tmp_path: Path) -> None:
    inside = tmp_path / "core/pure"
    names = ["__init__.py", "one.py", "deep/__init__.py", "deep/two.py", "deep/note.txt"]
    for name in names:
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).touch()
    found = find_files(["pure.deep", "pure.one", "pure.deep.two"], tmp_path)
    assert found == [inside / "deep/__init__.py", inside / "deep/two.py", inside / "one.py"]


def test_a_contract_on_a_package_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape("gone.away, which a contract names")):
        find_files(["gone.away"], tmp_path)


def test_a_module_is_told_with_the_branches_that_nothing_takes(tmp_path: Path) -> None:
    """In a child process too, and with those of a module that nothing imports."""
    for name in ("seen", "unseen", "beside"):
        (tmp_path / f"{name}.py").write_text(DECIDING)
    (tmp_path / "child.py").write_text("import seen, beside\nseen.decide(2)\n")
    (tmp_path / "parent.py").write_text(
        "import seen, subprocess, sys\nseen.decide(0)\n"
        "subprocess.run([sys.executable, 'child.py'], check=True)\nsys.exit(3)\n"
    )
    files = [tmp_path / "seen.py", tmp_path / "unseen.py"]
    code, (seen, unseen) = measure(files, ["parent"], tmp_path)
    assert code == 3
    assert seen.format() == "seen.py: 3/4 (75 %), missing 5->6"
    assert unseen.format() == "unseen.py: 0/4 (0 %), missing 3->4, 3->5, 5->6, 5->7"
