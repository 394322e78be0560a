"""The order of Gemini's turns, and the signatures of its function calls."""

from heliostat_json.objects import JsonObject, list_at, object_at, text_at
from heliostat_scripted.checks import refuse
from heliostat_scripted.reading.gemini import parts_of, spelling
from heliostat_scripted.signatures import signature_of_call

# Documented by Google for calls that another model made.
_FOREIGN = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
_DEMANDING = ("gemini-3", "gemini-4")  # these refuse a call of the present turn without one


def check_turns(request: JsonObject, model: str) -> None:
    """Raises RefusedError."""
    contents = [each for each in list_at(request, "contents") if isinstance(each, dict)]
    present = _start_of_present_turn(contents)
    called: list[str] = []
    for index, content in enumerate(contents):
        field = f"contents[{index}]"
        answers = _named(content, "functionResponse")
        if called and len(answers) != len(called):
            refuse(
                field,
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn.",
            )
        if answers and sorted(answers) != sorted(called):
            refuse(
                field,
                "Please ensure that function response turn comes immediately after a function "
                "call turn, with the same names.",
            )
        called = _named(content, "functionCall")
        if called and (index == 0 or contents[index - 1].get("role") == "model"):
            refuse(
                field,
                "Please ensure that function call turn comes immediately after a user turn or "
                "after a function response turn.",
            )
        _check_signatures(content, field, needed=model.startswith(_DEMANDING) and index > present)
    if called:
        refuse("contents", "The last function call turn has no function response turn.")


def _check_signatures(content: JsonObject, field: str, *, needed: bool) -> None:
    """The first call of each step is signed; a signature that is there must be true."""
    first = True
    for index, part in enumerate(parts_of(content)):
        call = object_at(part, spelling(part, "functionCall"))
        if not call:
            continue
        signature = text_at(part, spelling(part, "thoughtSignature"))
        name = text_at(call, "name")
        if not signature and needed and first:
            refuse(
                f"{field}.parts[{index}]",
                f"Function call `{name}` is missing a thought_signature.",
            )
        true = _bare(signature_of_call(name, object_at(call, "args")))
        if signature and signature not in _FOREIGN and _bare(signature) != true:
            refuse(f"{field}.parts[{index}].thought_signature", "Thought signature is not valid.")
        first = False


def _bare(signature: str) -> str:
    """Base64 in either alphabet, padded or not: bytes in protobuf JSON may be written so."""
    return signature.translate(str.maketrans("-_", "+/")).rstrip("=")


def _start_of_present_turn(contents: list[JsonObject]) -> int:
    """Where the user spoke last: a content of the user's with no function response in it."""
    spoken = [
        index
        for index, content in enumerate(contents)
        if content.get("role") != "model" and not _named(content, "functionResponse")
    ]
    return spoken[-1] if spoken else -1


def _named(content: JsonObject, kind: str) -> list[str]:
    found = [object_at(part, spelling(part, kind)) for part in parts_of(content)]
    return [text_at(each, "name") for each in found if each]
