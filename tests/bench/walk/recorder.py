"""Runs a module as a program, and notes which code of ours has frames while somebody asks for it.

`python -m bench.walk.recorder PORT -m MODULE [ARGUMENT ...]`; a `Tracer` listens on that port of
this machine. It says `begin` and `end`, a line each; the answer to `begin` is an empty list, that
to `end` a list of [file, name of the function], as JSON in a line.

Every call and every resumption of a coroutine is seen, in all threads: `sys.settrace` is set before
the program begins and asks for no lines. (`sys.monitoring` would be cheaper; Python 3.11 has none.)
"""

import json
import runpy
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType

ROOT = Path(__file__).resolve().parents[3]


class Recorder:
    """The code objects that had a frame since `begin`."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._prefixes = tuple(f"{folder}/" for folder in folders)
        self._seen: set[CodeType] | None = None

    def see(self, frame: FrameType, event: str, argument: object) -> None:
        """The trace function of every thread."""
        del event, argument
        seen = self._seen
        if seen is not None:
            seen.add(frame.f_code)

    def begin(self) -> None:
        self._seen = set()

    def end(self) -> list[tuple[str, str]]:
        """File, relative to the root, and name of each of ours."""
        seen, self._seen = self._seen or set(), None
        ours = (each for each in tuple(seen) if each.co_filename.startswith(self._prefixes))
        return sorted(
            (str(Path(each.co_filename).relative_to(ROOT)), each.co_qualname) for each in ours
        )

    def serve(self, port: int) -> None:
        """Does what the tracer says, until it hangs up."""
        with socket.create_connection(("127.0.0.1", port)) as connection:
            lines = connection.makefile("rw", encoding="utf-8")
            for line in lines:
                found: list[tuple[str, str]] = []
                if line == "begin\n":
                    self.begin()
                else:
                    found = self.end()
                lines.write(f"{json.dumps(found)}\n")
                lines.flush()


def packages_of_ours() -> list[Path]:
    """The folders of all our packages, whatever components there are."""
    return sorted(each.parent for each in ROOT.glob("*/heliostat_*/__init__.py"))


def main(port: str, _: str, module: str, *arguments: str) -> None:
    recorder = Recorder(packages_of_ours())
    threading.Thread(target=recorder.serve, args=[int(port)], daemon=True).start()
    threading.settrace(recorder.see)
    sys.settrace(recorder.see)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
