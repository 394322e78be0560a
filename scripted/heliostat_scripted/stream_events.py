"""Lists what happens in an answer, event by event, faults included. Pure: nothing waits here."""

from collections.abc import Iterator
from dataclasses import dataclass

from heliostat_scripted.faults import FaultName, OrderedFault
from heliostat_scripted.rendering import Omissions, Piece, Rendering, Report
from heliostat_scripted.script import Action, Break, Script, Wait

HUGE_BYTES = 34 * 1024 * 1024


@dataclass(frozen=True)
class Pause:
    """The pace of an answer between two deltas."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """The connection breaks."""


StreamEvent = Piece | Wait | Pause | Cut
_STALL = Wait(None)
# Faults that happen inside an answer, once it has shown something.
_INSIDE = frozenset(
    {
        FaultName.CUT_AFTER_FIRST_TOKEN,
        FaultName.STALL,
        FaultName.BAD_JSON,
        FaultName.ERROR_EVENT,
        FaultName.HUGE_EVENT,
    }
)


def omissions_of(fault: OrderedFault | None) -> Omissions:
    """Tells what an answer lacks by this fault."""
    name = fault.name if fault is not None else None
    return Omissions(usage=name is FaultName.NO_FINAL_USAGE, end=name is FaultName.NO_END)


def streamed_events(
    script: Script, rendering: Rendering, fault: OrderedFault | None
) -> Iterator[StreamEvent]:
    """Gives the events of a streamed answer."""
    ahead, answer = _streamed(script, rendering)
    if fault is not None and fault.name is FaultName.SLOW_FIRST_TOKEN:
        yield from ahead
        yield Wait(fault.after_or_default)
        yield from answer
    elif fault is not None and fault.name is FaultName.CUT_BEFORE_FIRST_TOKEN:
        yield from ahead
        yield Cut()
    elif fault is not None and fault.name in _INSIDE:
        yield from ahead
        yield from _before(answer, fault.after_or_default)
        yield from _trouble(fault.name, rendering)
    else:
        yield from ahead
        yield from answer


def whole_events(
    script: Script, rendering: Rendering, fault: OrderedFault | None
) -> Iterator[StreamEvent]:
    """Gives the events of an answer as one document: it shows nothing before it is whole."""
    if fault is not None and fault.name is FaultName.SLOW_FIRST_TOKEN:
        yield Wait(fault.after_or_default)
    whole = rendering.whole()
    half = Piece(whole.raw[: len(whole.raw) // 2])
    for action in script.actions:
        if isinstance(action, Wait):
            yield action
        elif isinstance(action, Break):
            yield from (half,) if action.malformed else (half, Cut())
            return
    yield from _whole_trouble(whole, half, fault)


def _whole_trouble(whole: Piece, half: Piece, fault: OrderedFault | None) -> Iterator[StreamEvent]:
    endings: dict[FaultName, tuple[StreamEvent, ...]] = {
        FaultName.CUT_BEFORE_FIRST_TOKEN: (Piece(b""), Cut()),
        FaultName.CUT_AFTER_FIRST_TOKEN: (half, Cut()),
        FaultName.STALL: (half, _STALL),
        FaultName.BAD_JSON: (half,),
    }
    if fault is not None and fault.name is FaultName.HUGE_EVENT:
        yield Piece(b'{"padding":"' + b"x" * HUGE_BYTES)
        yield _STALL
    elif fault is not None:
        yield from endings.get(fault.name, (whole,))
    else:
        yield whole


def _streamed(
    script: Script, rendering: Rendering
) -> tuple[list[StreamEvent], Iterator[StreamEvent]]:
    """Splits an answer into what comes before the first block, and the rest."""
    waits: list[StreamEvent] = []
    rest = list(script.actions)
    while rest and isinstance(first := rest[0], Wait):
        waits.append(first)
        del rest[0]
    return [*waits, *rendering.start()], _answer(script, rest, rendering)


def _answer(script: Script, actions: list[Action], rendering: Rendering) -> Iterator[StreamEvent]:
    index = 0
    for action in actions:
        if isinstance(action, Wait):
            yield action
        elif isinstance(action, Break):
            yield _broken(action, rendering)
            return
        else:
            for piece in rendering.block(action, index):
                if piece.characters and script.pace.seconds:
                    yield Pause(script.pace.seconds)
                yield piece
            index += 1
    yield from rendering.end()


def _broken(action: Break, rendering: Rendering) -> StreamEvent:
    if action.malformed:
        return Piece(rendering.bad_json())
    if action.error is not None:
        return _error(rendering, action.error.type, action.error.message)
    return Cut()


def _before(events: Iterator[StreamEvent], tokens: float) -> Iterator[StreamEvent]:
    """Cuts `events` after so many that show characters, and before the final usage."""
    shown = 0
    for event in events:
        is_end = isinstance(event, Piece) and event.report is Report.FINAL
        if shown >= tokens or is_end:
            return
        yield event
        shown += isinstance(event, Piece) and event.characters > 0


def _trouble(name: FaultName, rendering: Rendering) -> Iterator[StreamEvent]:
    if name is FaultName.CUT_AFTER_FIRST_TOKEN:
        yield Cut()
    elif name is FaultName.STALL:
        yield _STALL
    elif name is FaultName.BAD_JSON:
        yield Piece(rendering.bad_json())
    elif name is FaultName.ERROR_EVENT:
        yield _error(rendering, "overloaded_error", "Overloaded")
    else:
        yield Piece(rendering.padding(HUGE_BYTES))
        yield _STALL


def _error(rendering: Rendering, kind: str, message: str) -> Piece:
    return Piece(rendering.error_event(kind, message), report=Report.REFUSAL)
