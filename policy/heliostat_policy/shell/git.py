"""git: what reads, changes the workspace, may run a hook, or reaches other places."""

from typing import Final

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.shell.network import is_web_address
from heliostat_policy.shell.options import Options, options, read_arguments
from heliostat_policy.shell.places import check_reading, reads, writes
from heliostat_policy.shell.syntax import Command
from heliostat_policy.shell.words import Unreadable, Word
from heliostat_policy.tools import host_of

Argv = tuple[str, ...]

_SHOWN: Final = (
    "--stat --shortstat --numstat --dirstat --summary --name-only --name-status --oneline --graph "
    "--all --decorate --decorate= --no-decorate --patch --no-patch --raw --cached --staged "
    "--no-color --color --color= --word-diff --word-diff= --reverse --merges --no-merges --follow "
    "--first-parent --abbrev-commit --no-abbrev-commit --date-order --topo-order --relative-date "
    "--branches --tags --remotes --check --quiet --ignore-all-space --ignore-space-change "
    "--minimal --no-renames --find-renames --full-index --no-ext-diff --no-textconv "
    "--format= --pretty= --stat= --abbrev= --unified= -p -u -s -w -b -z -q -R -i -M -C"
)
_SHOWN_VALUED: Final = (
    "-n -U -S -G -L --since --until --after --before --author --committer --grep --max-count "
    "--skip --date --diff-filter --format --pretty"
)
_SHOWING: Final = options(_SHOWN, _SHOWN_VALUED, numbers=True)

READING: Final[dict[str, Options]] = {
    "status": options(
        "-s -b -u -z --short --branch --porcelain --porcelain= --long --ignored --show-stash -v "
        "--untracked-files="
    ),
    "diff": _SHOWING,
    "log": _SHOWING,
    "show": _SHOWING,
    "shortlog": options("-s -n -e -c --summary --numbered --email --all", "--since --until"),
    "whatchanged": _SHOWING,
    "blame": options("-w -s -e -l -t -c -p --porcelain --line-porcelain", "-L --since"),
    "ls-files": options(
        "-c -d -m -o -s -u -z --cached --deleted --modified --others --stage --exclude-standard "
        "--error-unmatch --full-name",
        "-x --exclude",
    ),
    "ls-tree": options("-r -t -d -l -z --name-only --full-tree --long --full-name"),
    "grep": options(
        "-n -i -l -L -c -w -v -h -H -E -F -P -o -q --cached --untracked --line-number "
        "--ignore-case --files-with-matches --count --word-regexp --name-only",
        "-e -f -A -B -C -m",
    ),
    "rev-parse": options(
        "--short --short= --abbrev-ref --verify --show-toplevel --git-dir --is-inside-work-tree "
        "--show-prefix --show-cdup -q --quiet --all --branches"
    ),
    "rev-list": options("--count --all --no-merges --merges --reverse --objects", "-n --since"),
    "describe": options("--tags --always --dirty --long --all --abbrev= --exact-match", "--match"),
    "cat-file": options("-t -s -p -e"),
    "merge-base": options("--is-ancestor --all --fork-point"),
    "name-rev": options("--name-only --tags"),
    "reflog": options("--all --date=", "-n", numbers=True),
    "count-objects": options("-v -H"),
    "check-ignore": options("-v -q"),
    "version": options(""),
    "--version": options(""),
}
CHANGING: Final[dict[str, Options]] = {
    "add": options("-A -u -v -n -f -N --all --update --verbose --dry-run --force --intent-to-add"),
    "init": options("-q --quiet", "-b --initial-branch"),
}
_HOOKED: Final[dict[str, Options]] = {
    "commit": options(
        "-a -q -s -v -n --all --amend --no-edit --quiet --signoff --allow-empty --no-verify "
        "--verbose --dry-run",
        "-m -F --message --file --author --date",
    ),
    "checkout": options("-b -B -f -q --force --quiet --orphan --detach"),
    "switch": options("-c -C -q --create --detach --quiet"),
    "restore": options("-S -W -q --staged --worktree --quiet", "-s --source"),
    "stash": options("-u -q --include-untracked --keep-index", "-m --message"),
    "merge": options("--no-ff --ff-only --no-edit --squash --abort --continue -q", "-m"),
    "rebase": options("--abort --continue --skip -q", "--onto"),
    "cherry-pick": options("-n -x --no-commit --abort --continue"),
    "revert": options("-n --no-edit --no-commit --abort"),
    "reset": options("--hard --soft --mixed --keep -q"),
    "branch": options("-d -D -m -M -c -f --delete --move --copy --force"),
    "tag": options("-a -d -f --annotate --delete --force", "-m --message"),
    "mv": options("-f -n -v"),
    "rm": options("-r -f -q --cached"),
    "worktree": options(""),
    "apply": options("--check --stat --index --3way"),
}
_LISTING: Final = {
    "branch": options("-a -r -v --list --all --remotes --show-current --merged --no-merged"),
    "tag": options("-l -n --list", "--sort --points-at"),
    "remote": options("-v --verbose"),
    "stash": options(""),
}
_FETCHING: Final = {
    "fetch": options("-a -p -t -q -v --all --prune --tags --quiet --unshallow", "--depth"),
    "pull": options("-q -v --rebase --ff-only --no-rebase --quiet --tags --prune", "--depth"),
    "clone": options("-q --quiet --bare --single-branch --no-tags", "-b --branch --depth"),
    "ls-remote": options("-h -t -q --heads --tags"),
}
_PUSHING: Final = options("-u -f -q -v -n --set-upstream --force --tags --all --dry-run --quiet")
_PASSED: Final = frozenset({"--no-pager", "--no-optional-locks", "--literal-pathspecs"})


def judge_git(command: Command, root: str, argv: Argv) -> list[Effect]:
    """What a command of git does. Settings and folders given on the command line are unknown."""
    words = list(command.words[1:])
    while words and words[0].is_static and words[0].text in _PASSED:
        words.pop(0)
    if not words or not words[0].is_static:
        return [unknown(Reason.NOT_STATIC, "git", argv)]
    name, rest = words[0].text, tuple(words[1:])
    if name == "push":
        host = _pushed_host(rest)
        return [Effect(ActionClass.PUBLISH, Reason.PUBLISHES, host or "git push", argv, host=host)]
    if name in _LISTING and _is_listing(name, rest):
        return [reads(argv)]
    if name in READING:
        return _reading(name, rest, command, root, argv)
    if name in CHANGING:
        return _changing(name, rest, command, root, argv)
    if name in _FETCHING:
        return _fetching(name, rest, command, root, argv)
    if name in _HOOKED:
        if name == "stash" and rest and rest[0].text in ("push", "pop", "apply", "drop", "clear"):
            rest = rest[1:]
        read_arguments(_HOOKED[name], rest)
        return [Effect(ActionClass.EXECUTE, Reason.RUNS_CODE, f"git {name}", argv)]
    return [unknown(Reason.UNKNOWN_OPTION, f"git {name}", argv)]


def _pushed_host(rest: tuple[Word, ...]) -> str:
    """The host of an address to push to; where a name leads stands in the settings."""
    try:
        operands = read_arguments(_PUSHING, rest).operands
    except Unreadable:
        return ""
    first = operands[0].text if operands and operands[0].is_static else ""
    return host_of(first) if is_web_address(first) else ""


def _is_listing(name: str, rest: tuple[Word, ...]) -> bool:
    try:
        found = read_arguments(_LISTING[name], rest)
    except Unreadable:
        return False
    if name == "stash":
        return [each.text for each in found.operands] in (["list"], ["show"])
    return not found.operands or found.has("-l", "--list")


def _reading(
    name: str, rest: tuple[Word, ...], command: Command, root: str, argv: Argv
) -> list[Effect]:
    found = read_arguments(READING[name], rest)
    operands = found.operands if name != "grep" else found.operands[1:]
    return [check_reading(operands, command.cwds, root) or reads(argv)]


def _changing(
    name: str, rest: tuple[Word, ...], command: Command, root: str, argv: Argv
) -> list[Effect]:
    found = read_arguments(CHANGING[name], rest)
    if name == "init":
        targets = found.operands or (Word("x"),)
        return [
            writes(Word(f"{each.text}/x", each.kind), command.cwds, root, argv) for each in targets
        ]
    return [
        check_reading(found.operands, command.cwds, root)
        or writes(Word("x"), command.cwds, root, argv)
    ]


def _fetching(
    name: str, rest: tuple[Word, ...], command: Command, root: str, argv: Argv
) -> list[Effect]:
    found = read_arguments(_FETCHING[name], rest)
    operands = found.operands
    if any("::" in each.text or not each.is_static for each in operands):
        return [unknown(Reason.NOT_STATIC, f"git {name}", argv)]
    if name == "clone":
        if not operands or not is_web_address(operands[0].text) or len(operands) > 2:
            return [unknown(Reason.UNKNOWN_OPTION, "git clone", argv)]
        host = host_of(operands[0].text)
        target = operands[1] if len(operands) == 2 else Word("x")
        return [
            Effect(ActionClass.NETWORK, Reason.REACHES_NETWORK, host, argv, host=host),
            writes(target, command.cwds, root, argv),
        ]
    reached = Effect(ActionClass.NETWORK, Reason.REACHES_NETWORK, f"git {name}", argv)
    # What is pulled is merged, with the hooks of that.
    hooks = Effect(ActionClass.EXECUTE, Reason.RUNS_CODE, "git pull", argv)
    return [reached, hooks] if name == "pull" else [reached]
