"""What a soak says for people: the table of docs/reliability.md."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from soak.judge import FAULTS
from soak.memory import MIB, ROOM
from soak.trial import Verdict

BEGIN, END = "<!-- soak:{} -->", "<!-- soak:end -->"


def build_table(verdict: Verdict, day: date, commit: str) -> str:
    """In Markdown. The commit says which judge it was: a later one may ask for more."""
    rows = [("what", "figure"), ("---", "---"), *_course(verdict), *_faults(verdict)]
    rows += [*_findings(verdict), *_memory(verdict)]
    lines = [f"| {what} | {figure} |" for what, figure in rows]
    return "\n".join([f"Taken on {day.isoformat()} at commit {commit}:", "", *lines])


def _course(verdict: Verdict) -> Iterable[tuple[str, str]]:
    record = verdict.record
    made, attempts = len(record.made), sum(len(run.attempts) for run in record.runs)
    yield "runs", f"{made} of {record.options.runs}"
    yield "attempts", str(attempts)
    yield "model calls with the runs' own keys", str(verdict.spoken)
    yield "time", f"{record.seconds:.0f} s, {made / max(1, record.seconds):.1f} runs a second"
    cpu = record.meter.cpu_seconds
    if cpu:
        yield "CPU of the operator for one run", f"{cpu / max(1, made) * 1000:.0f} ms"


def _faults(verdict: Verdict) -> Iterable[tuple[str, str]]:
    record = verdict.record
    told = Counter(run.story for run in record.runs)
    for story in record.options.stories:
        if story.by == "kwok":
            yield f"runs of which {story.what}", str(told[story.name])
        elif story.by == "us":
            done = verdict.done.get(story.name, 0)
            yield f"runs of which {story.what}", f"{done} (of {told[story.name]})"
    for part, times in sorted(record.restarts.items()):
        how = "lost with all of its pods" if part == "node" else "kill -9 and start"
        yield f"{part}: {how}", str(times)
    yield "the operator ended by itself", str(record.ended_by_itself)


def _findings(verdict: Verdict) -> Iterable[tuple[str, str]]:
    found = Counter(each.fault for each in verdict.findings)
    return [(f"**{fault}**", str(found[fault])) for fault in FAULTS]


def _memory(verdict: Verdict) -> Iterable[tuple[str, str]]:
    options = verdict.record.options
    runs, growth = options.runs, verdict.record.meter.growth(options.runs)
    name = f"operator's memory (PSS) after run {runs // 5} → after run {runs}"
    if growth is None:
        if options.must_measure:
            yield name, "not measured"
        return
    figure = f"{growth.early / MIB:.1f} → {growth.late / MIB:.1f} MiB (x {growth.factor:.3f}"
    whole = "one process" if growth.is_one_process else "not of one process"
    yield name, f"{figure}, at most x {ROOM}; {whole})"


def write_table(page: Path, name: str, table: str) -> None:
    """Between the page's markers of that name."""
    head, _, rest = page.read_text().partition(BEGIN.format(name))
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN.format(name)}\n{table}\n{END}{tail}")
