"""Topics: on which ones a thing is reported, and how a document says whose it is."""

from heliostat_api.base.person import Person

CLUSTER = "cluster"
_NAMESPACE = "namespace:"
_APPROVERS = "approvers:"


def topics_of_thing(owner: str | None, namespace: str) -> tuple[str, ...]:
    """The owner alone, else those who operate the namespace, and admins."""
    return topics_of_owner_field(owner_field(owner, namespace))


def owner_field(owner: str | None, namespace: str) -> str:
    """What `userId` says: a person's id, or whose business a thing without owner is."""
    return owner or f"{_NAMESPACE}{namespace}"


def is_nobodys(owner: str) -> bool:
    """Whether a `userId` says whose business a thing without owner is."""
    return owner.startswith(_NAMESPACE)


def topics_of_owner_field(owner: str) -> tuple[str, ...]:
    """The audiences of a document by its `userId`."""
    return (owner, CLUSTER) if is_nobodys(owner) else (topic_of_person(owner),)


def topic_of_person(person_id: str) -> str:
    """Where the things of one person are told."""
    return f"person:{person_id}"


def topic_of_approvers(namespace: str) -> str:
    """Where asks are told that need somebody beside the owner."""
    return f"{_APPROVERS}{namespace}"


def topics_of_person(person: Person) -> frozenset[str]:
    """Whatever this person may hear; an admin hears every namespace through one audience."""
    shared = {CLUSTER} if person.is_admin else {_NAMESPACE + name for name in person.namespaces}
    asks = map(topic_of_approvers, person.approves)
    return frozenset({topic_of_person(person.id), *shared, *asks})
