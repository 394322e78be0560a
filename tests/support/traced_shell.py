"""Runs a shell command under strace in a workspace that is thrown away, and tells what it did."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

SECONDS: Final = 30
_CALLS: Final = (
    # A question mark: not every machine has the call.
    "execve,execveat,connect,sendto,sendmsg,bind,?open,openat,?openat2,?creat,?unlink,unlinkat,"
    "?rename,?renameat,renameat2,?mkdir,mkdirat,?rmdir,?link,linkat,?symlink,symlinkat,truncate,"
    "?chmod,fchmodat,?fchmodat2,?chown,?lchown,fchownat,?mknod,mknodat,utimensat,setxattr,"
    "lsetxattr,mount"
)
_LINE: Final = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?P<name>\w+)\((?P<rest>.*)$")
_RESULT: Final = re.compile(r"\)\s+= (?P<value>-?\d+|\?)(?:<[^>]*>)?(?: E\w+ .*)?$")
_TEXT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FOLDER: Final = re.compile(r"(?:AT_FDCWD|\d+)<([^>]*)>")
_OPENS: Final = frozenset({"open", "openat", "openat2", "creat"})
_WRITES: Final = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")
_DEVICES: Final = frozenset({"/dev/null", "/dev/tty", "/dev/stdout", "/dev/stderr"})
_NAME_SERVICE: Final = "/nscd/socket"
"""The C library looks for a cache of users there, whatever the program is."""
_SENDING: Final = frozenset({"connect", "sendto", "sendmsg", "bind"})


class NoStraceError(Exception):
    """This machine can't trace programs; the text holds the remedy."""


@dataclass(frozen=True)
class Deeds:
    """What a command did that others could notice."""

    programs: tuple[str, ...]
    connects: tuple[str, ...]
    outside: tuple[str, ...]
    code: int
    said: str = ""


def find_strace() -> str:
    """The program's path. Raises NoStraceError where it is missing or may not trace."""
    program = shutil.which("strace")
    if program is None:
        raise NoStraceError("no strace on this machine. Remedy: apt-get install strace")
    tried = subprocess.run([program, "-qq", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise NoStraceError(
            f"strace may not trace here: {tried.stderr.strip()[:200]}. Remedy: allow ptrace "
            "(CAP_SYS_PTRACE, or a seccomp profile that has it)"
        )
    return program


def isolation() -> list[str]:
    """Words before a command that take the network and the rights away, as far as this is ours."""
    words: list[str] = []
    unshare, setpriv = shutil.which("unshare"), shutil.which("setpriv")
    if unshare is not None:
        alone = [unshare, "--net"] if os.geteuid() == 0 else [unshare, "--net", "--map-root-user"]
        if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0:
            words += alone
    if os.geteuid() == 0 and setpriv is not None:
        words += [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
    return words


def run_traced(command: str, workspace: Path, home: Path, before: list[str]) -> Deeds:
    """Runs a command in the workspace; it is ended after some seconds, with all that it began."""
    log = workspace.parent / "strace.log"
    log.touch()
    log.chmod(0o666)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_PAGER": "cat",
    }
    strace = [
        find_strace(),
        "-f",
        "-qq",
        "-y",
        "-s",
        "4096",
        "-e",
        f"trace={_CALLS}",
        "-o",
        str(log),
    ]
    done = subprocess.run(
        [*before, *strace, "timeout", "-k", "1", str(SECONDS - 10), "bash", "-c", command],
        cwd=workspace,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    deeds = read_log(log.read_text(errors="replace"), workspace, done.returncode)
    return replace(deeds, said=done.stderr.decode(errors="replace"))


def read_log(text: str, workspace: Path, code: int = 0) -> Deeds:
    """What strace noted, without what failed."""
    programs, connects, outside = [], [], []
    for line in _whole_lines(text):
        found = _LINE.match(line)
        if found is None:
            continue
        name, rest = found["name"], found["rest"]
        result = _RESULT.search(rest)
        failed = result is not None and result["value"].startswith("-")
        if name in _SENDING:
            connects += [] if _NAME_SERVICE in rest else [line]
        elif name.startswith("execve"):
            if not failed:
                programs.append(_TEXT.findall(rest)[0])
        elif name not in _OPENS or name == "creat" or _WRITES.search(rest):
            outside += [] if failed else _outside(name, rest, workspace)
    return Deeds(tuple(programs), tuple(connects), tuple(outside), code)


def _whole_lines(text: str) -> list[str]:
    """Joins calls that strace tells in two halves, because another process came between."""
    waiting: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        pid = line.partition(" ")[0]
        if line.endswith("<unfinished ...>"):
            waiting[pid] = line.removesuffix("<unfinished ...>")
        elif " resumed>" in line and pid in waiting:
            lines.append(waiting.pop(pid) + line.partition(" resumed>")[2])
        else:
            lines.append(line)
    return lines + list(waiting.values())


def _outside(name: str, rest: str, workspace: Path) -> list[str]:
    texts = [
        each.encode().decode("unicode_escape").encode("latin-1").decode(errors="replace")
        for each in _TEXT.findall(rest)
    ]
    folders = _FOLDER.findall(rest.rpartition(") ")[0])
    paths = texts[1:] if name.startswith("symlink") else texts[: 2 if "rename" in name else 1]
    if name.startswith("link"):
        paths = texts[:2]
    base = Path(folders[0]) if folders else workspace
    found = []
    for path in paths:
        whole = os.path.realpath(base / path)
        if whole not in _DEVICES and not Path(whole).is_relative_to(workspace.resolve()):
            found.append(f"{name} {whole}")
    return found
