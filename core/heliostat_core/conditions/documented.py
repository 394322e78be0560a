"""An enum whose members are part of the API and carry a sentence for people."""

from enum import StrEnum


class Documented(StrEnum):
    """An enum whose members carry a sentence for people."""

    description: str

    def __new__(cls, value: str, description: str = "") -> "Documented":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member
