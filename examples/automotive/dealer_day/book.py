"""The dealer's address book: who is behind a phone number, a chat participant or a visitor's id."""

from dataclasses import dataclass

import sayso
from dealer_day.happenings import By, Introduced, Renumbered, SignedIn, Who

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Person:
    """What the dealer knows of a consumer: just enough to address them."""

    name: str | None = None
    language: str = DEFAULT_LANGUAGE


class Book:
    """Turns what platforms call a person into the consumer id under which choices are kept.

    Phone numbers are never kept, only their pseudonyms under the dealer's key: nobody without the key can test a
    number against them. Somebody who is in no customer record is known to Sayso by the pseudonym alone.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._consumers: dict[str, str] = {}
        self._people: dict[str, Person] = {}

    def consumer_id(self, who: Who) -> str:
        opaque = self._opaque(who)
        return self._consumers.get(opaque, opaque)

    def person(self, consumer_id: str) -> Person:
        return self._people.get(consumer_id, Person())

    def introduce(self, customer: Introduced) -> None:
        consumer_id = customer.who.value
        self._people[consumer_id] = Person(customer.name, customer.language or DEFAULT_LANGUAGE)
        for address in customer.addresses:
            self._consumers[self._opaque(address)] = consumer_id

    def renumber(self, change: Renumbered) -> None:
        """A new number leads to the same consumer. The old one may be somebody else's tomorrow, and leads nowhere."""
        consumer_id = self.consumer_id(change.who)
        self._consumers.pop(self._opaque(change.who), None)
        self._consumers[self._opaque(change.number)] = consumer_id

    def sign_in(self, signed_in: SignedIn) -> None:
        self._consumers[signed_in.visitor] = signed_in.who.value

    def _opaque(self, who: Who) -> str:
        if who.by in (By.CUSTOMER, By.VISITOR):
            return who.value
        return sayso.pseudonym(f"{who.by}:{who.value}", key=self._key)
