"""What may have been meant."""

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like it; none when nothing is near."""
    return next(iter(difflib.get_close_matches(word, list(known), 1, cutoff=0.6)), "")
