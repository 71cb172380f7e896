"""Whose word takes back a refusal before the server has it."""

import pytest

from sayso.local.outbox.row import is_own_word

YES = {"answer": "granted", "method": "chat", "notice": {"language": "en"}}


@pytest.mark.parametrize(
    ("entry", "own"),
    [
        (YES, True),
        (YES | {"detail": {"sender": "+15550100001"}}, True),
        (YES | {"actor": "brand"}, False),
        ({"answer": "granted", "method": "sms", "detail": {"sender": "+15550100001"}}, False),
        ({"answer": "granted", "method": "sms", "detail": {"controller": "brand"}}, False),
    ],
)
def test_a_start_by_text_lifts_one_senders_stop_and_is_no_word_about_the_topic(entry, own):
    assert is_own_word(entry) is own
