"""Device vocabularies: what a library reports about permissions, in one normal form.

Input is exactly what the library reports; the caller keeps that raw report beside the normal form, because
several vocabularies are lossy. A device grant is never a consent, and a device denial always wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sayso.rules.devices import (
    android,
    capacitor,
    expo,
    flutter,
    ios,
    react_native,
    react_native_permissions,
    web,
)
from sayso.rules.devices.findings import Findings, Report, UnknownValue
from sayso.rules.devices.order import Dated, newest

__all__ = ["VOCABULARIES", "Dated", "Report", "UnknownValue", "UnknownVocabularyError", "newest", "normalise"]

_READERS: Mapping[str, Callable[[str, object, Findings], None]] = MappingProxyType(
    {
        "ios": ios.read,
        "android": android.read,
        "web": web.read,
        "react-native-permissions": react_native_permissions.read,
        "react-native": react_native.read,
        "flutter": flutter.read,
        "capacitor": capacitor.read,
        "expo": expo.read,
    }
)

VOCABULARIES: tuple[str, ...] = tuple(_READERS)
"""The names a device report may give as its `vocabulary`."""


class UnknownVocabularyError(ValueError):
    """The report names a vocabulary that Sayso does not read.

    Attributes:
        vocabulary: the name given.
        known: the names there are.
    """

    def __init__(self, vocabulary: str) -> None:
        self.vocabulary = vocabulary
        self.known = VOCABULARIES
        super().__init__(f"unknown vocabulary; known are {', '.join(VOCABULARIES)}")


def normalise(vocabulary: str, states: Mapping[str, object]) -> Report:
    """Read a device's report.

    Args:
        vocabulary: one of `VOCABULARIES`.
        states: exactly what the library reports, as JSON. Keys about things Sayso does not track (contacts,
            calendars, Bluetooth) are passed over.

    Returns:
        One state per capability the report speaks of, and every key or value that no table lists. An unlisted
        value leaves its capability out even if another key grants it; a denial by another key stays.

    Raises:
        UnknownVocabularyError: `vocabulary` is none of `VOCABULARIES`.
    """
    read = _READERS.get(vocabulary)
    if read is None:
        raise UnknownVocabularyError(vocabulary)
    findings = Findings()
    for name, value in states.items():
        read(str(name), value, findings)  # Flutter's numbers may arrive as numbers
    return findings.report()
