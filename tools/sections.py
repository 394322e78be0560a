"""Generated parts inside pages that people write."""

from collections.abc import Sequence

END = "<!-- generated:end -->"


def replace_section(page: str, name: str, body: str) -> str:
    """The page with the text between `<!-- generated:NAME -->` and the end mark replaced.

    Raises ValueError when the page has no such part.
    """
    start = f"<!-- generated:{name} -->"
    before, found, rest = page.partition(start)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"the page must have a part from {start!r} to {END!r}")
    return f"{before}{start}\n{body.strip()}\n{END}{after}"


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )
