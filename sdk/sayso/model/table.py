"""What every table of a catalogue file has in common."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictStr, StringConstraints

_LONGEST_FORM: Final = 2000


class Table(BaseModel):
    """One table of a catalogue: frozen, and a key it does not know is an error rather than ignored.

    A misspelt `sale_or_shaer = true` that went unnoticed would let data out, so nothing is ignored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def matching(pattern: str, what: str) -> AfterValidator:
    """Make a check that a whole text has a form, with an error that says what is expected.

    Args:
        pattern: A regular expression for the whole text.
        what: What it describes, with an example.
    """
    form = re.compile(pattern)

    def check(text: str) -> str:
        if len(text) > _LONGEST_FORM or not form.fullmatch(text):
            raise ValueError(f"{text[:60]!r} is not {what}")
        return text

    return AfterValidator(check)


Language = Annotated[
    StrictStr,
    matching(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?", "a language tag like en or fr-CA"),
]
"""A BCP 47 language tag: language, optional script, optional region."""

Text = Annotated[StrictStr, StringConstraints(min_length=1, max_length=4000)]
"""One text for people, 1 to 4,000 characters."""

Line = Annotated[StrictStr, StringConstraints(min_length=1, max_length=400)]
"""One line for people, 1 to 400 characters, the same in every language."""

Texts = dict[Language, Text]
"""The same text in several languages, by language tag."""

Email = Annotated[StrictStr, matching(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+", "an e-mail address")]
"""An e-mail address, checked for shape only."""

HttpsUrl = Annotated[StrictStr, matching(r"https://[^\s/?#@]+(?:[/?#]\S*)?", "an address that starts with https://")]
"""An absolute https address without user name or password."""

Country = Annotated[StrictStr, matching(r"[A-Z]{2}", "an ISO 3166 country code such as US")]
"""An ISO 3166-1 alpha-2 country code."""


TimeZone = Annotated[
    StrictStr,
    matching(r"[A-Za-z]{1,20}(?:[/_+-][A-Za-z0-9]{1,20}){0,8}", "the name of a time zone, such as Europe/Paris"),
]
"""The name of a time zone in the IANA database, checked for shape; whether there is one needs its files."""

Region = Annotated[
    StrictStr,
    matching(r"\*|EEA|[A-Z]{2}(?:-[A-Z0-9]{1,3})?", "a country like CA, a part of one like CA-QC, EEA or *"),
]
"""Where a rule holds: an ISO 3166 country (`CA`) or subdivision (`CA-QC`), `EEA`, or `*` for everywhere."""


def text_in(texts: Mapping[str, str], language: str | None, default: str) -> tuple[str, str] | None:
    """Pick the text that a reader of `language` understands best.

    Args:
        texts: Text by language tag.
        language: The reader's language, or None for the default.
        default: The catalogue's default language.

    Returns:
        The language found and its text: the exact tag, else the same language of another region, else the
        default language, else whatever there is; None if there is no text at all.
    """
    if language is not None:
        if language in texts:
            return language, texts[language]
        primary = language.partition("-")[0]
        for tag, text in texts.items():
            if tag.partition("-")[0] == primary:
                return tag, text
    if default in texts:
        return default, texts[default]
    return next(iter(texts.items()), None)
