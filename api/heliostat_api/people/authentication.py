"""Authentication finds the person that a request's credentials belong to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from heliostat_api.base.person import LOCAL, Person, PersonKind
from heliostat_api.base.roles import Claims, RoleRow, rights_of
from heliostat_api.people.api_keys import ApiKeys
from heliostat_api.people.credentials import Credentials, Visitor
from heliostat_api.people.iap import Iap
from heliostat_api.people.identities import is_guest_id, new_guest_id
from heliostat_api.people.repository import PersonRepository, Record
from heliostat_api.people.sessions import LIFETIME, Session, Sessions


@dataclass(frozen=True)
class OnePerson:
    """Knows the one person of `heliostat dev`. The cookie keeps other pages out."""

    sessions: Sessions
    register: PersonRepository
    api_keys: ApiKeys

    async def find(self, given: Credentials) -> Person | None:
        """The local person, for a cookie of ours or a key of theirs; nobody while all they have is
        being erased."""
        if given.bearer is not None:
            return await self._of_key(given.bearer)
        session = self.sessions.read(given.cookie)
        if session is None or session.person_id != LOCAL.id:
            return None
        record = await self.register.find(LOCAL.id)
        return LOCAL if record is None or is_welcome(record, session) else None

    async def acting(self, person_id: str) -> Person | None:
        """See People."""
        if person_id != LOCAL.id:
            return None
        record = await self.register.find(LOCAL.id)
        return replace(LOCAL, by_key=True) if record is None or not record.is_gone else None

    async def _of_key(self, bearer: str) -> Person | None:
        found = await self.api_keys.find(bearer)
        return await self.acting(found) if found is not None else None

    async def welcome(self, given: Credentials) -> Visitor:  # noqa: ARG002
        """Everybody is the same one."""
        return Visitor(LOCAL.id)


@dataclass(frozen=True)
class ManyPeople:
    """A server for many. One credential counts: a key, else the proxy's header, else the session.

    A key or a header that is wrong is nobody's, whatever cookie comes with it.
    """

    sessions: Sessions
    register: PersonRepository
    roles: Sequence[RoleRow]
    takes_guests: bool
    takes_unlisted: bool
    api_keys: ApiKeys
    iap: Iap | None = None

    async def find(self, given: Credentials) -> Person | None:
        """See People."""
        if given.bearer is not None:
            return await self._of_key(given.bearer)
        if self.iap is not None and given.assertion is not None:
            return await self._of_assertion(self.iap, given.assertion)
        session = self.sessions.read(given.cookie)
        return await self._of_session(session) if session else None

    async def welcome(self, given: Credentials) -> Visitor:
        """See People."""
        if self.iap is not None and given.assertion is not None:
            return Visitor(
                may_enter=await self._of_assertion(self.iap, given.assertion) is not None
            )
        session = self.sessions.read(given.cookie)
        if session is not None and await self._may_go_on(session):
            return Visitor(session.person_id)
        return Visitor(new_guest_id()) if self.takes_guests else Visitor(may_enter=False)

    async def acting(self, person_id: str) -> Person | None:
        """See People."""
        record = await self.register.find(person_id)
        if record is None:
            return None
        if not is_guest_id(person_id):
            person = self._user(person_id, record)
            return replace(person, by_key=True) if person else None
        if record.is_gone or not self.takes_guests:
            return None
        return Person(person_id, PersonKind.GUEST, by_key=True)

    def lets_in(self, claims: Claims) -> bool:
        """Whether somebody with these claims may be here at all."""
        return self.takes_unlisted or rights_of(claims, self.roles).is_listed

    async def _may_go_on(self, session: Session) -> bool:
        """A guest gets a document by the first request, so one without has done nothing yet."""
        if not is_guest_id(session.person_id):
            return await self._of_session(session) is not None
        record = await self.register.find(session.person_id)
        if record is not None:
            await self.register.touch(session.person_id, record)
        return self.takes_guests and (record is None or is_welcome(record, session))

    async def _of_key(self, bearer: str) -> Person | None:
        """A key has what its person has now, and never more; guests have none."""
        person_id = await self.api_keys.find(bearer)
        if person_id is None or is_guest_id(person_id):
            return None
        record = await self.register.find(person_id)
        if record is None:
            return None
        await self.register.touch(person_id, record)
        person = self._user(person_id, record)
        return replace(person, by_key=True) if person else None

    async def _of_session(self, session: Session) -> Person | None:
        person_id = session.person_id
        if is_guest_id(person_id):
            return await self._guest(session) if self.takes_guests else None
        record = await self.register.find(person_id)
        if record is None or not record.knows(session):
            return None
        await self.register.touch(person_id, record)
        return self._user(person_id, record)

    async def _guest(self, session: Session) -> Person | None:
        record = await self.register.see_guest(session.person_id)
        if not is_welcome(record, session):
            return None
        return Person(session.person_id, PersonKind.GUEST, expires=record.last_seen + LIFETIME)

    async def _of_assertion(self, iap: Iap, assertion: str) -> Person | None:
        identity = await iap.identify(assertion)
        if identity is None:
            return None
        return self._user(identity.person_id, await self.register.see_user(identity))

    def _user(self, person_id: str, record: Record) -> Person | None:
        """None for somebody whom the table of roles does not let in."""
        if record.is_gone or not self.lets_in(record.claims):
            return None
        rights = rights_of(record.claims, self.roles)
        return Person(
            person_id, PersonKind.USER, rights.is_admin, rights.namespaces, rights.approves
        )


def is_welcome(record: Record, session: Session) -> bool:
    """Whether this session lets its person in."""
    return not record.is_gone and record.knows(session)
