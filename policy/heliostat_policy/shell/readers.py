"""Programs that only read, and the options with which they still do."""

from typing import Final

from heliostat_policy.shell.options import Options, options

_CONTEXT: Final = "-A -B -C --after-context --before-context --context"
_DIGEST: Final = options("-b -c -t -z --check --quiet --status --tag --text --binary --strict")
_GREP: Final = options(
    "-E -F -G -P -i -v -w -x -c -L -l -o -q -s -b -H -h -n -T -Z -z -a -I -r -R -U "
    "--extended-regexp --fixed-strings --basic-regexp --perl-regexp --ignore-case --no-ignore-case "
    "--invert-match --word-regexp --line-regexp --count --files-without-match "
    "--files-with-matches --only-matching --quiet --silent --no-messages --byte-offset "
    "--with-filename --no-filename --line-number --null --null-data --text --recursive "
    "--dereference-recursive --color --color= --colour= --line-buffered --version",
    f"-e -f -m -d {_CONTEXT} --regexp --file --max-count --include --exclude --exclude-dir "
    "--exclude-from --binary-files --label",
    numbers=True,
    patterns=True,
)

ANY_WORDS: Final = frozenset({"echo", "true", "false", ":", "pwd", "basename", "dirname"})
"""Programs that do nothing but print, whatever their words are."""

READERS: Final[dict[str, Options]] = {
    "cat": options(
        "-A -b -e -E -n -s -t -T -u -v --show-all --number-nonblank --show-ends --number "
        "--squeeze-blank --show-tabs --show-nonprinting",
        patterns=True,
    ),
    "tac": options("-b -r -s --before --regex", patterns=True),
    "rev": options("", patterns=True),
    "head": options(
        "-q -v -z --quiet --silent --verbose", "-n -c --lines --bytes", numbers=True, patterns=True
    ),
    "tail": options(
        "-q -v -z --quiet --silent --verbose", "-n -c --lines --bytes", numbers=True, patterns=True
    ),
    "wc": options(
        "-c -m -l -L -w --bytes --chars --lines --words --max-line-length", patterns=True
    ),
    "nl": options("-p", "-b -d -f -h -i -l -n -s -v -w", patterns=True),
    "cut": options(
        "-n -s -z --complement --only-delimited",
        "-b -c -d -f --bytes --characters --delimiter --fields --output-delimiter",
        patterns=True,
    ),
    "paste": options("-s -z --serial", "-d --delimiters", patterns=True),
    "tr": options("-c -C -d -s -t --complement --delete --squeeze-repeats --truncate-set1"),
    "comm": options("-1 -2 -3 -z --total --check-order --nocheck-order", "--output-delimiter"),
    "join": options("-i -z --header --check-order --nocheck-order", "-1 -2 -a -e -j -o -t -v"),
    "sort": options(
        "-b -d -f -g -h -i -M -n -R -r -V -c -C -m -s -u -z --ignore-leading-blanks "
        "--dictionary-order --ignore-case --general-numeric-sort --human-numeric-sort "
        "--month-sort --numeric-sort --random-sort --reverse --version-sort --check --merge "
        "--stable --unique --zero-terminated",
        "-k -t --key --field-separator --sort",
    ),
    "uniq": options(
        "-c -d -D -i -u -z --count --repeated --ignore-case --unique",
        "-f -s -w --skip-fields --skip-chars --check-chars",
    ),
    "grep": _GREP,
    "egrep": _GREP,
    "fgrep": _GREP,
    "rg": options(
        "-n -N -i -S -s -w -x -v -c -l -L -o -q -u -a -F -P -U -H -I -p --files --hidden "
        "--no-ignore --line-number --ignore-case --smart-case --case-sensitive --word-regexp "
        "--invert-match --count --count-matches --files-with-matches --files-without-match "
        "--only-matching --quiet --fixed-strings --multiline --no-heading --heading --trim "
        "--with-filename --no-filename --json --stats --vimgrep --pcre2 --text --color= "
        "--version --sort=",
        f"-e -f -g -t -T -m -d -M -r -j {_CONTEXT} --regexp --glob --iglob --type --type-not "
        "--max-count --max-depth --max-columns --replace --sort --color --threads",
        numbers=False,
    ),
    "ls": options(
        "-a -A -b -B -c -C -d -F -f -g -G -h -H -i -k -l -L -m -n -N -o -p -q -Q -r -R -s -S -t -u "
        "-U -v -x -X -Z -1 --all --almost-all --directory --human-readable --inode --recursive "
        "--reverse --size --color --color= --full-time --group-directories-first --sort= --time= "
        "--time-style= --classify --si",
        "-I -w -T --ignore --hide",
        patterns=True,
    ),
    "tree": options(
        "-a -d -f -i -l -p -s -h -D -F -r -t -v -C -n --dirsfirst --noreport --du --prune",
        "-L -P -I --filelimit",
    ),
    "du": options(
        "-0 -a -b -c -D -h -H -k -L -l -m -P -S -s -x --all --apparent-size --bytes --total "
        "--human-readable --summarize --one-file-system",
        "-d -B -t --max-depth --exclude --threshold --block-size",
        patterns=True,
    ),
    "df": options("-a -h -H -i -k -l -P -T --human-readable --inodes --total", "-t -x --output"),
    "stat": options("-L -f -t --dereference --terse", "-c --format --printf", patterns=True),
    "file": options("-b -i -k -L -h -N -n -r -s --brief --mime --mime-type", "-F"),
    "realpath": options("-e -m -L -P -q -s -z", "--relative-to --relative-base", patterns=True),
    "readlink": options("-f -e -m -n -q -s -v -z", patterns=True),
    "seq": options("-w --equal-width", "-f -s --format --separator"),
    "sleep": options(""),
    "date": options("-u -R --utc --rfc-email", "-d -r -I --date --reference --rfc-3339 --iso-8601"),
    "which": options("-a"),
    "type": options("-a -t -p -P -f"),
    "id": options("-u -g -G -n -r"),
    "whoami": options(""),
    "groups": options(""),
    "nproc": options("--all"),
    "uname": options("-a -s -n -r -v -m -p -i -o"),
    "uptime": options("-p -s"),
    "free": options("-b -k -m -g -h -t -w"),
    "ps": options("-A -e -a -f -l -x -u -w -H", "-o -p -C --sort"),
    "md5sum": _DIGEST,
    "sha1sum": _DIGEST,
    "sha224sum": _DIGEST,
    "sha256sum": _DIGEST,
    "sha384sum": _DIGEST,
    "sha512sum": _DIGEST,
    "b2sum": _DIGEST,
    "cksum": options(""),
    "cmp": options("-b -l -s --print-bytes --verbose --quiet --silent", "-i -n"),
    "diff": options(
        "-q -s -c -u -e -n -y -p -t -T -r -N -a -b -B -d -E -i -w -Z --brief --unified "
        "--report-identical-files --side-by-side --recursive --new-file --ignore-case "
        "--ignore-all-space --ignore-space-change --ignore-blank-lines --suppress-common-lines "
        "--color --color= --unified= --text --minimal",
        "-C -U -W -x -I --exclude --width --label",
    ),
    "column": options("-t -x -n -e -J", "-s -o -c -N -R -H -d -l --table-columns --separator"),
    "fold": options("-b -s", "-w --width", patterns=True),
    "fmt": options("-c -s -t -u", "-w -p -g", numbers=True, patterns=True),
    "expand": options("-i", "-t", patterns=True),
    "unexpand": options("-a", "-t", patterns=True),
    "od": options("-a -b -c -d -f -i -l -o -s -v -x", "-A -j -N -t -w -S", patterns=True),
    "hexdump": options("-b -c -C -d -o -x -v", "-n -s"),
    "zcat": options("-f"),
    "strings": options("-a -f", "-n -t -e"),
    "base64": options("-d -i --decode --ignore-garbage", "-w --wrap"),
    "base32": options("-d -i --decode --ignore-garbage", "-w --wrap"),
    "bc": options("-l -q -s --mathlib --quiet"),
    "factor": options(""),
    "test": options(""),
    "exit": options(""),
    "wait": options(""),
    "cd": options("-P -L"),
    "read": options("-r -s", "-d -n -N -t -p"),
}

OF_NO_FILES: Final = frozenset(
    {"tr", "seq", "sleep", "which", "type", "exit", "wait", "read", "factor", "date", "id"}
)
"""Readers whose operands are no paths."""
