"""Laying what is pending over answers: finding the catalogue that it takes, and writing the result."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sayso.client.check import Check
from sayso.client.decision import Decision
from sayso.client.known_catalogue import KnownCatalogue
from sayso.client.pending import Verdict, judge, refused_at_once
from sayso.client.reported import Published
from sayso.client.snapshots import Snapshots
from sayso.local.answers import ALLOWED
from sayso.local.overlay import Overlay, PendingChoice
from sayso.model.instant import format_micros, from_micros
from sayso.transport.clock import Clock


class LaidOver:
    """Puts the pure rules of `pending` to use."""

    def __init__(self, overlay: Overlay, catalogue: KnownCatalogue, snapshots: Snapshots, clock: Clock) -> None:
        """Take what it works with."""
        self._overlay = overlay
        self._catalogue = catalogue
        self._snapshots = snapshots
        self._clock = clock

    def touches(self, *consumer_ids: str) -> bool:
        """Tell whether anything is pending of a consumer, under any id that they are known to have."""
        pending = self._overlay.consumers
        return bool(pending) and any(
            one in pending for consumer_id in consumer_ids for one in self._snapshots.aliases.all_of(consumer_id)
        )

    def refused(self, check: Check) -> PendingChoice | None:
        """Give the pending refusal that answers at once, under whichever id of the consumer it was made."""
        if not self._overlay.consumers:
            return None
        found = (refused_at_once(self._overlay, one, check.topic) for one in self._all_ids(check))
        return next((refusal for refusal in found if refusal is not None), None)

    async def catalogue(self, revision: int | None, time_box: timedelta) -> Published | None:
        """Give the catalogue to judge by; None if it can't be had, and then doubt decides."""
        return await self._catalogue.find(revision, time_box)

    def judge(self, check: Check, reason: str, version: int, catalogue: Published | None) -> Verdict:
        """Lay what is pending over one fresh answer."""
        verdict = Verdict(reason)
        for consumer_id in self._all_ids(check):
            found = judge(
                self._overlay,
                consumer_id,
                check.topic,
                check.device,
                reason=verdict.reason,
                version=version,
                catalogue=catalogue,
                now=self._clock.now(),
            )
            verdict = found if found.reason != verdict.reason else verdict
            if found.choice is not None and found.choice.refuses:
                return found  # no grant under another id outdoes it: that one was made without knowing of it
        return verdict

    def _all_ids(self, check: Check) -> tuple[str, ...]:
        return self._snapshots.aliases.all_of(check.consumer_id)

    def topics(self, consumer_id: str, data: Mapping[str, Any], catalogue: Published | None) -> dict[str, Any]:
        """Give a snapshot's topics with what is pending laid over each, also on each device."""
        version = int(data["version"])
        laid: dict[str, Any] = {}
        for topic, entry in data["topics"].items():
            check = Check(consumer_id, topic)
            laid[topic] = _entry(entry, self.judge(check, entry["reason"], version, catalogue))
            if entry.get("by_sender"):
                laid[topic]["by_sender"] = {
                    sender: _entry(there, self.judge(check, there["reason"], version, catalogue))
                    for sender, there in entry["by_sender"].items()
                }
            if entry.get("by_device"):
                laid[topic]["by_device"] = {
                    device: _entry(
                        there, self.judge(check._replace(device=device), there["reason"], version, catalogue)
                    )
                    for device, there in entry["by_device"].items()
                }
        return laid

    def decision(
        self,
        check: Check,
        reason: str,
        choice: PendingChoice | None,
        language: str,
        title: Mapping[str, str] | None = None,
    ) -> Decision:
        """Make a decision of what is known here alone."""
        ends = from_micros(choice.until) if choice is not None and choice.until else None
        return Decision(
            check.topic,
            reason in ALLOWED,
            reason,
            consumer_id=check.consumer_id,
            choice_id=None if choice is None else choice.choice_id,
            answer=None if choice is None else choice.answer,
            made_at=None if choice is None else from_micros(choice.made),
            expires_at=ends,
            valid_until=ends,
            notice_version=None if choice is None else choice.notice_version,
            device_id=check.device,
            title=title or {},
            _language=language,
        )


def _entry(entry: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    laid = {**entry, "allowed": verdict.allowed, "reason": verdict.reason}
    if verdict.choice is not None:
        laid.pop("ask_from", None)  # said of what the server knows; what is pending has not been asked about again
    if verdict.reason == entry["reason"]:
        return laid
    if verdict.choice is not None and "answer" in entry:
        ends = None if not verdict.choice.until else format_micros(verdict.choice.until)
        laid |= {
            "answer": verdict.choice.answer,
            "choice_id": verdict.choice.choice_id,
            "made_at": format_micros(verdict.choice.made),
            "expires_at": ends,
            "valid_until": ends,
            "notice_version": verdict.choice.notice_version,
        }
    return laid
