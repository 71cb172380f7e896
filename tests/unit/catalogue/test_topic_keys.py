"""Which keys name a topic, and what is said about those that don't."""

import pytest

from sayso.model.topic import EVERY_TOPIC, TopicKind, parse_topic_key


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("purpose:marketing", TopicKind.PURPOSE),
        ("purpose:transcript.training", TopicKind.PURPOSE),
        ("cookie:performance", TopicKind.COOKIE),
        ("channel:sms", TopicKind.CHANNEL),
        ("permission:photos_add", TopicKind.PERMISSION),
        ("partner:vinsolutions:share", TopicKind.PARTNER),
        ("partner:ads-platform:receive", TopicKind.PARTNER),
        ("partner:a:combine", TopicKind.PARTNER),
        ("purpose:" + "a" * 96, TopicKind.PURPOSE),
    ],
)
def test_a_well_formed_key_tells_its_kind(key: str, kind: TopicKind) -> None:
    assert parse_topic_key(key) is kind


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("purpos:marketing", "did you mean `purpose:…`?"),
        ("marketing", "one starts with purpose:, cookie:, channel:, permission:, partner:"),
        ("", "one starts with purpose:"),
        ("purpose:", "names no purpose; write purpose:<name>"),
        ("purpose:Marketing", "after `purpose:` come 1 to 96 of a-z"),
        ("purpose:marketing\n", "after `purpose:` come 1 to 96 of a-z"),
        ("purpose:.hidden", "a letter or digit first"),
        ("purpose:" + "a" * 97, "1 to 96"),
        ("purpose:a:share", "after `purpose:` come"),
        ("partner:vinsolutions", "names no flow; write partner:<name>: and share, receive or combine"),
        ("partner:vinsolutions:sell", "names no flow"),
        ("partner::share", "names no flow"),
        (EVERY_TOPIC, "stands for every topic in a refusal"),
    ],
)
def test_a_malformed_key_is_refused_with_what_one_looks_like(key: str, hint: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is checked below, as it has regex characters
        parse_topic_key(key)
    assert hint in str(caught.value)


def test_a_very_long_key_is_not_repeated_in_full() -> None:
    with pytest.raises(ValueError, match="not a topic key") as caught:
        parse_topic_key("x" * 100_000)
    assert len(str(caught.value)) < 300
