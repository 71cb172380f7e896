"""What is pending here, laid over what the server knows: a refusal counts at once, a grant on fresh data alone."""

import pytest

from sayso.client.pending import judge, refused_at_once
from sayso.client.reported import Published
from sayso.local.overlay import Overlay, PendingChoice

NOW = 1_000_000
MARKETING = "purpose:marketing"


def catalogue(**members):
    topics = [
        {"key": MARKETING, "kind": "purpose", "basis": "consent", "version": 2, **members},
        {"key": "channel:sms", "kind": "channel", "basis": "consent", "version": 1},
        {"key": "purpose:service", "kind": "purpose", "basis": "contract", "version": 1},
        {"key": "permission:camera", "kind": "permission", "basis": "consent", "version": 1},
    ]
    return Published.from_wire({"revision": 1, "brand": "dealer", "languages": ["en"], "topics": topics})


def said(answer: str, topic: str = MARKETING, **members) -> PendingChoice:
    return PendingChoice(f"id-{answer}-{topic}", topic, answer, NOW, **members)


def reason_of(
    overlay: Overlay, reason: str, topic: str = MARKETING, *, version: int = 5, known="there", device=None
) -> str:
    found = catalogue() if known == "there" else known
    return judge(overlay, "cust-42", topic, device, reason=reason, version=version, catalogue=found, now=NOW).reason


@pytest.fixture
def pending():
    def fill(*choices: PendingChoice) -> Overlay:
        overlay = Overlay()
        for choice in choices:
            overlay.add("cust-42", choice)
        return overlay

    return fill


@pytest.mark.parametrize("answer", ["denied", "withdrawn"])
def test_a_pending_refusal_counts_whatever_the_server_knows(pending, answer) -> None:
    overlay = pending(said(answer))

    assert refused_at_once(overlay, "cust-42", MARKETING).answer == answer
    assert refused_at_once(overlay, "cust-43", MARKETING) is None
    assert [reason_of(overlay, reason) for reason in ("granted", "default", "not_asked")] == [answer] * 3


def test_a_pending_refusal_of_everything_leaves_what_is_required(pending) -> None:
    overlay = pending(said("withdrawn", "*"))

    assert refused_at_once(overlay, "cust-42", MARKETING) is None
    assert (reason_of(overlay, "granted"), reason_of(overlay, "required", "purpose:service")) == (
        "withdrawn",
        "required",
    )


@pytest.mark.parametrize("reason", ["not_asked", "expired", "outdated"])
def test_a_pending_grant_counts_where_only_it_was_missing(pending, reason) -> None:
    assert reason_of(pending(said("granted")), reason) == "granted"


@pytest.mark.parametrize(
    "reason", ["minor", "signal", "restricted", "erased", "unknown_topic", "unavailable", "requires:channel:sms"]
)
def test_a_pending_grant_counts_for_nothing_where_something_else_stands_in_the_way(pending, reason) -> None:
    assert reason_of(pending(said("granted")), reason) == reason


@pytest.mark.parametrize(
    ("based_on", "expected"), [(None, "withdrawn"), (4, "withdrawn"), (5, "granted"), (6, "granted")]
)
def test_a_pending_grant_outdoes_a_refusal_only_if_it_has_seen_all_there_is(pending, based_on, expected) -> None:
    assert reason_of(pending(said("granted", based_on=based_on)), "withdrawn", version=5) == expected


@pytest.mark.parametrize(
    "members",
    [{"requires": ["channel:sms"]}, {"sale_or_share": True}, {"retired": True}, {"version": 3}, {"kind": "permission"}],
)
def test_a_pending_grant_counts_for_nothing_where_more_than_it_is_needed(pending, members) -> None:
    overlay = pending(said("granted", notice_version=2))

    assert reason_of(overlay, "not_asked", known=catalogue(**members)) == "not_asked"
    assert reason_of(overlay, "not_asked") == "granted"
    assert reason_of(overlay, "not_asked", known=None) == "not_asked"


@pytest.mark.parametrize(
    ("until", "expected"), [(None, "granted"), (NOW + 1, "granted"), (NOW, "not_asked"), (0, "not_asked")]
)
def test_a_pending_grant_counts_until_it_ends(pending, until, expected) -> None:
    assert reason_of(pending(said("granted", until=until)), "not_asked") == expected


def test_a_pending_refusal_of_what_a_topic_requires_refuses_it_too(pending) -> None:
    overlay = pending(said("withdrawn", "channel:sms"))
    needing = catalogue(requires=["channel:sms"])

    assert reason_of(overlay, "granted", known=needing) == "requires:channel:sms"
    assert reason_of(overlay, "granted") == "granted"
    assert reason_of(overlay, "granted", known=None) == "unavailable"


def test_a_pending_report_that_could_turn_a_yes_into_a_no_closes(pending) -> None:
    overlay = pending(said("", "pixel-8", kind="device"))

    assert reason_of(overlay, "granted", "permission:camera", device="pixel-8") == "unavailable"
    assert reason_of(overlay, "granted", "permission:camera", device="iphone-9") == "granted"
    assert reason_of(overlay, "not_asked", "permission:camera", device="pixel-8") == "not_asked"
    assert reason_of(pending(said("", "", kind="signal")), "required", "purpose:service") == "required"


@pytest.mark.parametrize("reason", ["granted", "default"])
@pytest.mark.parametrize(
    ("members", "found"),
    [({"until": NOW}, "denied"), ({"notice_version": 1}, "denied"), ({"notice_version": 2, "until": NOW + 1}, None)],
    ids=["ended", "another notice", "in force"],
)
def test_only_a_grant_that_is_in_force_takes_a_refusal_s_place(pending, reason, members, found) -> None:
    overlay = pending(said("denied", row=1), said("granted", row=2, seen_row=1, based_on=5, **members))

    assert reason_of(overlay, reason) == (found or reason)
