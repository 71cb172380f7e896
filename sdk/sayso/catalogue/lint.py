"""Whether a catalogue may be published."""

from collections.abc import Iterator
from datetime import date

from sayso.catalogue.finding import Finding, Level, error
from sayso.catalogue.lint_disclosed import contacts, deadlines, retention, sources, transfers
from sayso.catalogue.lint_partners import partners
from sayso.catalogue.lint_requires import requires
from sayso.catalogue.lint_texts import texts
from sayso.catalogue.lint_topics import topics
from sayso.errors import CatalogueError
from sayso.model.catalogue import Catalogue


def lint(catalogue: Catalogue, *, today: date | None = None) -> list[Finding]:
    """Find everything that is wrong or doubtful in a catalogue.

    Args:
        catalogue: As read.
        today: Names transfers whose review is overdue; None to leave dates alone.

    Returns:
        Errors first, then warnings, each in the order of the file's parts; empty for a clean catalogue.
    """
    found = list(_everything(catalogue, today))
    return sorted(found, key=lambda finding: finding.level is Level.WARNING)


def require_publishable(catalogue: Catalogue, *, today: date | None = None) -> list[Finding]:
    """Refuse a catalogue with errors.

    Args:
        catalogue: As read.
        today: As for `lint`.

    Returns:
        The warnings.

    Raises:
        CatalogueError: It has errors; `found` holds them.
    """
    found = lint(catalogue, today=today)
    errors = tuple(finding.problem for finding in found if finding.level is Level.ERROR)
    if errors:
        raise CatalogueError("The catalogue can't be published:", found=errors)
    return found


def _everything(catalogue: Catalogue, today: date | None) -> Iterator[Finding]:
    if not catalogue.topics:
        yield error("topics", "", "is empty; there is nothing to decide about")
    yield from texts(catalogue)
    yield from topics(catalogue)
    yield from requires(catalogue)
    yield from partners(catalogue)
    yield from retention(catalogue)
    yield from sources(catalogue)
    yield from transfers(catalogue, today)
    yield from deadlines(catalogue)
    yield from contacts(catalogue)
