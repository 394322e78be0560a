"""Who hears of a thing."""

from heliostat_api.people.person import Person

CLUSTER = "cluster"


def audiences_of_thing(owner: str | None, namespace: str) -> tuple[str, ...]:
    """The owner alone, else those who operate the namespace, and admins."""
    return (f"person:{owner}",) if owner else (f"namespace:{namespace}", CLUSTER)


def audiences_of_person(person: Person) -> frozenset[str]:
    """Whatever this person may hear; an admin hears every namespace through one audience."""
    shared = {CLUSTER} if person.is_admin else {f"namespace:{name}" for name in person.namespaces}
    return frozenset({f"person:{person.id}", *shared})
