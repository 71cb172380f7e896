"""Who may call a route: which roles count for which class of token."""

from dataclasses import dataclass

from sayso.wire import Role, TokenClass


@dataclass(frozen=True, slots=True)
class Access:
    """The roles that count, by class of token. A key may have both classes and every role; its tokens have one class.

    Attributes:
        backend: Roles of which a backend's token needs one; none keep backends out.
        staff: Roles of which a staff token needs one; none keep staff out.
        consumer: Whether consumers' tokens may call; they have no roles.
    """

    backend: frozenset[Role] = frozenset()
    staff: frozenset[Role] = frozenset()
    consumer: bool = False

    @property
    def classes(self) -> frozenset[TokenClass]:
        """The classes that may call at all; none for a public route."""
        may = {
            TokenClass.BACKEND: bool(self.backend),
            TokenClass.STAFF: bool(self.staff),
            TokenClass.CONSUMER: self.consumer,
        }
        return frozenset(token_class for token_class, allowed in may.items() if allowed)

    def roles(self, token_class: TokenClass) -> frozenset[Role]:
        """The roles that count for a class."""
        match token_class:
            case TokenClass.BACKEND:
                return self.backend
            case TokenClass.STAFF:
                return self.staff
            case TokenClass.CONSUMER:
                return frozenset()


PUBLIC = Access()
CONSUMER = Access(consumer=True)
RECORD = Access(backend=frozenset({Role.BACKEND}), staff=frozenset({Role.AGENT, Role.PRIVACY_OFFICER}))
"""What a backend records is the consumer's own say, so it takes the backend's role; what staff record is an agent's."""
READ = Access(
    backend=frozenset({Role.BACKEND, Role.PRIVACY_OFFICER, Role.AUDITOR}),
    staff=frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR}),
)
EXPORT = Access(
    backend=frozenset({Role.BACKEND, Role.PRIVACY_OFFICER}),
    staff=frozenset({Role.PRIVACY_OFFICER}),
)
BACKEND = Access(backend=frozenset({Role.BACKEND}))
AUDIT = Access(
    backend=frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR}),
    staff=frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR}),
)
ADMIN = Access(backend=frozenset({Role.ADMIN}))
ANYONE = Access(backend=frozenset(Role) - {Role.AGENT}, staff=frozenset(Role) - {Role.BACKEND}, consumer=True)
