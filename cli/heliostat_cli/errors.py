"""What a person did or the world said, told in two lines: the fact, then the remedy."""

from heliostat_core.worlds import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
    WorldError,
)

FAILED = 1
USAGE = 2
INTERRUPTED = 130


class CliError(Exception):
    """An expected error: the command ends with `exit_code`, without a traceback."""

    exit_code = FAILED

    def __init__(self, fact: str, remedy: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.remedy = remedy


class UsageError(CliError):
    """The command can't be carried out as it was given."""

    exit_code = USAGE


_REMEDIES: tuple[tuple[type[WorldError], str], ...] = (
    (NotFoundError, "Install Heliostat there, if it is not yet: kubectl apply -k manifests/"),
    (InvalidError, "Fix the named field and try again."),
    (ConflictError, "Somebody changed it meanwhile: try again."),
    (ForbiddenError, "Ask for that right, or choose another context with --context."),
    (UnavailableError, "Check that the cluster runs and that --context names the one you mean."),
)


def explain(error: WorldError) -> CliError:
    """A world's refusal with the remedy that fits its kind."""
    remedy = next((text for type_, text in _REMEDIES if isinstance(error, type_)), "")
    return CliError(str(error), remedy)


def render_error(error: CliError) -> str:
    """`error: FACT`, and the remedy on a line of its own."""
    lines = [f"error: {error.fact}"]
    if error.remedy:
        lines.append(f"remedy: {error.remedy}")
    return "\n".join(lines)
