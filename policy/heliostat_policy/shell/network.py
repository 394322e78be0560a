"""Programs that reach other machines: what they fetch, send, publish, pay for or delete."""

import re
from collections.abc import Iterable
from typing import Final

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Effect, Reason, unknown
from heliostat_policy.shell.options import Arguments, Options, options, read_arguments
from heliostat_policy.shell.places import writes
from heliostat_policy.shell.syntax import Command
from heliostat_policy.shell.words import Unreadable, Word
from heliostat_policy.tools import host_of

Argv = tuple[str, ...]

_CURL: Final = options(
    "-s -S -f -L -I -i -v -g -O -G -4 -6 --silent --show-error --fail --location --head --include "
    "--compressed --remote-name --get --verbose --no-progress-meter --fail-with-body --http1.1 "
    "--http2",
    "-m -A -e -H -o -w -X --max-time --connect-timeout --retry --retry-delay --user-agent "
    "--referer --header --output --write-out --request --max-redirs",
)
_CURL_SENDING: Final = Options(
    _CURL.flags,
    _CURL.valued
    | set(
        [
            "-d",
            "-F",
            "-T",
            "--data",
            "--data-raw",
            "--data-binary",
            "--data-urlencode",
            "--form",
            "--json",
        ]
    )
    | {"--upload-file"},
)
_WGET: Final = options(
    "-q -c -nv --quiet --no-verbose --no-check-certificate --continue --spider -S",
    "-O -T -t -U --output-document --timeout --tries --user-agent",
)
_PIP: Final = options(
    "-q -U -I -v --quiet --upgrade --user --no-deps --no-cache-dir --pre --force-reinstall "
    "--disable-pip-version-check --no-input --break-system-packages",
    "-r -c --requirement --constraint",
)
_SENT: Final = re.compile(
    r"-[A-Za-z#0-9]*[dFT].*|--(?:data|form|upload|json|url-query|mail|quote|crlf|post|body|method).*",
    re.DOTALL,
)
_SENDING_CURL: Final = re.compile(r"-[sSfLIivgOG46k#]*[dFT]")
_WEB: Final = re.compile(r"https?://[^\s{}\[\]\\^`|<>\"']+", re.IGNORECASE)
_BARE: Final = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?(?:/[^\s{}\[\]\\^`|<>\"']*)?")

SENDERS: Final = frozenset(
    [
        "ssh",
        "scp",
        "sftp",
        "ftp",
        "tftp",
        "telnet",
        "nc",
        "ncat",
        "netcat",
        "socat",
        "mail",
        "mailx",
        "mutt",
        "sendmail",
        "msmtp",
        "swaks",
        "rsync",
        "openssl",
        "dig",
        "nslookup",
        "host",
        "ping",
        "whois",
        "rclone",
        "gsutil",
        "curlie",
        "http",
        "https",
        "xh",
    ]
)
_BY_WORDS: Final[tuple[tuple[tuple[str, ...], ActionClass, Reason], ...]] = (
    (("npm", "publish"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("yarn", "publish"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("pnpm", "publish"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("twine", "upload"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("uv", "publish"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("poetry", "publish"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("cargo", "publish"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("gem", "push"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("docker", "push"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("podman", "push"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("helm", "push"), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("gh",), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("glab",), ActionClass.PUBLISH, Reason.PUBLISHES),
    (("stripe",), ActionClass.PAY, Reason.PAYS),
    (("aws", "ec2", "run-instances"), ActionClass.PAY, Reason.PAYS),
    (("gcloud", "compute", "instances", "create"), ActionClass.PAY, Reason.PAYS),
    (("terraform", "apply"), ActionClass.PAY, Reason.PAYS),
    (("terraform", "destroy"), ActionClass.DELETE_OUTSIDE, Reason.CHANGES_OUTSIDE),
    (("kubectl", "delete"), ActionClass.DELETE_OUTSIDE, Reason.CHANGES_OUTSIDE),
    (("aws", "s3", "rm"), ActionClass.DELETE_OUTSIDE, Reason.CHANGES_OUTSIDE),
    (("aws", "s3", "cp"), ActionClass.SEND, Reason.SENDS),
    (("aws", "s3", "sync"), ActionClass.SEND, Reason.SENDS),
    (("aws", "s3", "mv"), ActionClass.SEND, Reason.SENDS),
)


def is_web_address(text: str) -> bool:
    """Whether a text is a plain address of the web."""
    return _WEB.fullmatch(text) is not None


def judge_known_words(argv: Argv) -> list[Effect]:
    """Commands that are known by their first words, whatever follows; none for others."""
    if argv[0] in SENDERS:
        hosts = [host_of(each.rsplit("@", 1)[-1]) for each in argv[1:] if "." in each]
        return _sending(hosts, argv[0], argv)
    for words, class_, reason in _BY_WORDS:
        if argv[: len(words)] == words:
            return [Effect(class_, reason, " ".join(words), argv)]
    return []


def _sending(
    hosts: Iterable[str], name: str, argv: Argv, files: tuple[str, ...] = ()
) -> list[Effect]:
    """One effect for each host that is named, and one without: there may be others."""
    return [
        Effect(ActionClass.SEND, Reason.SENDS, each or name, argv, host=each, operands=files)
        for each in dict.fromkeys((*filter(None, hosts), ""))
    ]


def judge_curl(command: Command, root: str, argv: Argv) -> list[Effect]:
    """A plain GET reaches the network; what has a body, a form or a method of its own sends."""
    words = command.words[1:]
    if _sends(words):
        hosts = [host_of(each.text) for each in words if each.is_static and _is_address(each.text)]
        effects = _sending(hosts, "curl", argv, (*_files_sent(words), *command.inputs))
        return effects[:-1] if _names_its_hosts(words) else effects
    found = read_arguments(_CURL, words)
    if any(each.text.startswith("@") for each in found.values("-H", "--header")):
        return [unknown(Reason.UNKNOWN_OPTION, "curl", argv)]
    if any(
        each.text.startswith("@") or "%output" in each.text
        for each in found.values("-w", "--write-out")
    ):
        return [unknown(Reason.UNKNOWN_OPTION, "curl", argv)]
    return _fetched(
        found, ("-o", "--output"), found.has("-O", "--remote-name"), command, root, argv
    )


def judge_wget(command: Command, root: str, argv: Argv) -> list[Effect]:
    """Fetches into a file that it names, or that the address names."""
    words = command.words[1:]
    if any(each.text.startswith(("--post", "--body", "--method")) for each in words):
        hosts = [host_of(each.text) for each in words if is_web_address(each.text)]
        return _sending(hosts, "wget", argv)
    found = read_arguments(_WGET, words)
    outputs = ("-O", "--output-document")
    return _fetched(found, outputs, not found.values(*outputs), command, root, argv)


def judge_pip(words: tuple[Word, ...], argv: Argv) -> list[Effect]:
    """Installing fetches packages and runs what they bring; the rest of pip looks around."""
    if not words or not words[0].is_static:
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    if words[0].text in ("list", "show", "freeze", "check", "--version"):
        return [Effect(ActionClass.EXECUTE, Reason.RUNS_CODE, argv[0], argv)]
    if words[0].text not in ("install", "download"):
        return [unknown(Reason.UNKNOWN_OPTION, argv[0], argv)]
    read_arguments(_PIP, words[1:])
    return [
        Effect(ActionClass.NETWORK, Reason.REACHES_NETWORK, "pypi.org", argv, host="pypi.org"),
        Effect(ActionClass.EXECUTE, Reason.RUNS_CODE, argv[0], argv),
    ]


def _is_address(text: str) -> bool:
    return _WEB.fullmatch(text) is not None or (
        not text.startswith("-") and "." in text and _BARE.fullmatch(text) is not None
    )


def _sends(words: tuple[Word, ...]) -> bool:
    for place, word in enumerate(words):
        text = word.text
        if _SENDING_CURL.match(text) or (text.startswith("--") and _SENT.fullmatch(text)):
            return True
        method = _method(text, words[place + 1].text if place + 1 < len(words) else "")
        if method is not None and method.upper() not in ("GET", "HEAD"):
            return True
    return False


def _names_its_hosts(words: tuple[Word, ...]) -> bool:
    """Whether the addresses are the only places to which the command sends."""
    try:
        operands = read_arguments(_CURL_SENDING, words).operands
    except Unreadable:
        return False
    return bool(operands) and all(each.is_static and _is_address(each.text) for each in operands)


def _method(text: str, following: str) -> str | None:
    if text in ("-X", "--request"):
        return following
    if text.startswith("--request="):
        return text.removeprefix("--request=")
    found = re.match(r"-[sSfLIivgOG46k#]*X(.*)", text)
    return (found.group(1) or following) if found else None


def _files_sent(words: tuple[Word, ...]) -> tuple[str, ...]:
    found = []
    for place, word in enumerate(words):
        if "@" in word.text and not is_web_address(word.text):
            found.append(word.text.rsplit("@", 1)[1].split(";", 1)[0])
        elif word.text in ("-T", "--upload-file") and place + 1 < len(words):
            found.append(words[place + 1].text)
    return tuple(each for each in found if each and each != "-")


def _fetched(
    found: Arguments,
    outputs: tuple[str, ...],
    by_its_name: bool,
    command: Command,
    root: str,
    argv: Argv,
) -> list[Effect]:
    addresses = [each.text for each in found.operands]
    if not addresses or not all(
        each.is_static and _is_address(each.text) for each in found.operands
    ):
        return [unknown(Reason.NOT_STATIC, argv[0], argv)]
    effects = []
    for address in addresses:
        host = host_of(address)
        effects.append(Effect(ActionClass.NETWORK, Reason.REACHES_NETWORK, host, argv, host=host))
    targets = [each for each in found.values(*outputs) if each.text != "-"]
    if by_its_name:
        targets += [Word(_name_in(each)) for each in addresses]
    return effects + [writes(each, command.cwds, root, argv) for each in targets]


def _name_in(address: str) -> str:
    path = re.sub(r"^https?://", "", address, flags=re.IGNORECASE).partition("?")[0]
    return path.partition("/")[2].rsplit("/", 1)[-1] or "index.html"
