"""The demo from beginning to end."""

import asyncio
import secrets
import shlex
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sayso
from dealer_day.book import Book
from dealer_day.day import DayError, Delivery, read_day
from dealer_day.expectations import ANN, differences
from dealer_day.outcome import Outcome, outcome_of
from dealer_day.play import Player
from dealer_day.report.page import LastWord, day_span, report_page
from dealer_day.screen import print_table, with_progress
from dealer_day.server import Access, ServerError, running_server

LAST_TOPIC = "channel:sms"


class StoryError(Exception):
    """Something was not as it should be; the message says what."""


class Show:
    """Plays the day and tells about it.

    Args:
        catalogue: What can be asked about.
        day: The deliveries.
        report: Where the report goes.
        stays: Whether the server stays up at the end, until Ctrl-C.
    """

    def __init__(self, *, catalogue: Path, day: Path, report: Path, stays: bool) -> None:
        self.complete = False
        self._catalogue = catalogue
        self._day = day
        self._report = report
        self._stays = stays
        self._key = secrets.token_urlsafe(32)  # the dealer's own; a real one keeps it
        self._book = Book(self._key)

    async def run(self) -> None:
        """Run it.

        Raises:
            StoryError: Anything unexpected.
        """
        began = time.monotonic()
        try:
            deliveries = read_day(self._day)
            if not deliveries:
                raise StoryError(f"{self._day.name} has no deliveries")
            async with running_server(self._catalogue) as access:
                print(f"The server listens on {access.url} and has the dealer's catalogue.")
                await self._play(access, deliveries)
                self.complete = True
                print(f"That took {time.monotonic() - began:.0f} s.")
                if self._stays:
                    await self._serve_on(access)
        except (DayError, ServerError, sayso.Error, OSError) as error:
            raise StoryError(str(error) or type(error).__name__) from error

    async def _play(self, access: Access, deliveries: list[Delivery]) -> None:
        # No outbox: the server is this program's own, and what it doesn't take ends the demo with an error.
        async with sayso.Client(access.url, access.key_id, access.secret, outbox=False) as privacy:
            # The day is moved to end now: a phone's report, say, is believed for 24 hours.
            shift = datetime.now(UTC) - deliveries[-1].at
            player = Player(privacy, self._book, key=self._key, shift=shift)
            for delivery in with_progress(deliveries, "Playing the day"):
                await self._deliver(player, delivery)
            outcomes = await self._outcomes(privacy, player)
            print_table(list(outcomes.values()), self._book)
            wrong = list(differences(outcomes, self._book))
            if wrong:
                raise StoryError("the day did not end as it should:\n  " + "\n  ".join(wrong))
            last_word = await self._last_word(privacy)
            outcomes = await self._outcomes(privacy, player)
        self._write(list(outcomes.values()), deliveries, shift, last_word)

    async def _deliver(self, player: Player, delivery: Delivery) -> None:
        try:
            await player.play(delivery)
        except sayso.Error as error:
            raise StoryError(f"line {delivery.line} ({delivery.platform}): {error}") from error

    async def _outcomes(self, privacy: sayso.Client, player: Player) -> dict[str, Outcome]:
        catalogue = await privacy.catalogue()
        titles = {key: str(topic["title"]["en"]) for key, topic in catalogue.topics.items()}
        return {
            consumer_id: await outcome_of(privacy, self._book, consumer_id, track, titles)
            for consumer_id, track in player.tracks.items()
        }

    async def _last_word(self, privacy: sayso.Client) -> LastWord:
        ann = privacy.consumer(ANN.value)
        before = await ann.decide(LAST_TOPIC)
        await ann.withdraw(LAST_TOPIC, method="widget")
        after = await ann.decide(LAST_TOPIC)
        print(f"\nAnn takes {LAST_TOPIC} back:")
        print(f"  before  {before.explain()}")
        print(f"  after   {after.explain()}\n")
        if not before.allowed or after.allowed:
            raise StoryError(f"Ann's withdrawal changed the check from {before.reason} to {after.reason}")
        return LastWord("Ann", LAST_TOPIC, before.explain(), after.explain())

    def _write(
        self, outcomes: list[Outcome], deliveries: list[Delivery], shift: timedelta, last_word: LastWord
    ) -> None:
        figures = {
            "consumers": len(outcomes),
            "deliveries": len(deliveries),
            "choices kept": sum(len(outcome.history) for outcome in outcomes),
            "device reports": sum(e.kind == "device" for outcome in outcomes for e in outcome.track.entries),
            "messages that ask nothing": sum(outcome.track.messages for outcome in outcomes),
        }
        span = day_span(deliveries[0].at + shift, datetime.now(UTC))
        page = report_page(outcomes, self._book, span=span, figures=figures, last_word=last_word)
        self._report.parent.mkdir(parents=True, exist_ok=True)
        self._report.write_text(page, encoding="utf-8")
        print(f"The report: {self._report.resolve().as_uri()}")

    async def _serve_on(self, access: Access) -> None:
        print("\nThe server goes on until Ctrl-C. In another terminal:")
        print(f"  export SAYSO_URL={access.url}")
        print(f"  export SAYSO_KEY_ID={access.key_id}")
        print(f"  export SAYSO_SECRET={shlex.quote(access.secret)}")
        command = "sayso" if shutil.which("sayso") else f"{shlex.quote(sys.executable)} -m sayso"
        print(f"  {command} check {ANN.value} {LAST_TOPIC}")
        print(f"  {command} history {ANN.value}", flush=True)
        await asyncio.Event().wait()
