"""Write every generated file: `make generate`. What is generated is listed here and nowhere else.

`--verify` does the same, then fails when git sees a difference: a changed file, a file that no
commit holds, or a leftover in a folder that is generated as a whole.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tools import command_reference, conditions_page, crd_manifests, make_targets
from tools.sections import replace_section

ROOT = Path(__file__).resolve().parent.parent

# A whole folder: file name -> text. Files of the folder that are not named are leftovers, and go.
FOLDERS: list[tuple[str, Callable[[], Mapping[str, str]]]] = [
    ("manifests/crds", crd_manifests.build_files),
]
# A part of a page that people write: the text between `<!-- generated:NAME -->` and the end mark.
SECTIONS: list[tuple[str, str, Callable[[], str]]] = [
    ("CONTRIBUTING.md", "make", make_targets.table),
    ("docs/cli.md", "commands", command_reference.build_reference),
    *(("docs/conditions.md", name, body) for name, body in conditions_page.SECTIONS.items()),
]


def render() -> dict[Path, str]:
    """The text of every generated file, by its path."""
    texts: dict[Path, str] = {}
    for folder, files in FOLDERS:
        texts |= {ROOT / folder / name: text for name, text in files().items()}
    for name, section, body in SECTIONS:
        page = ROOT / name
        texts[page] = replace_section(texts.get(page) or page.read_text(), section, body())
    return texts


def find_leftovers(texts: Mapping[Path, str]) -> list[Path]:
    """Files in generated folders that nothing generates any more."""
    present = (path for folder, _ in FOLDERS for path in (ROOT / folder).glob("*"))
    return [path for path in present if path not in texts]


def write(texts: Mapping[Path, str]) -> list[Path]:
    """Bring the files up to date; returns those that changed."""
    changed = [
        path for path, text in texts.items() if not path.exists() or path.read_text() != text
    ]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path])
    leftovers = find_leftovers(texts)
    for path in leftovers:
        path.unlink()
    return changed + leftovers


def find_uncommitted(paths: Iterable[Path]) -> list[str]:
    """git's words for those paths that differ from the index or that it does not know."""
    names = [str(path.relative_to(ROOT)) for path in paths] + [folder for folder, _ in FOLDERS]
    if not names:
        return []
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--", *names]
    status = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [line for line in status.splitlines() if line[1] != " "]


def main(arguments: list[str]) -> int:
    texts = render()
    for path in write(texts):
        print(f"generated {path.relative_to(ROOT)}")
    if "--verify" not in arguments:
        return 0
    differences = find_uncommitted(texts)
    for line in differences:
        print(line)
    if differences:
        print("generated files differ from what git holds: `git add` what `make generate` wrote")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
