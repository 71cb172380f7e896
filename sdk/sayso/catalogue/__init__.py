"""Reads, checks and compares catalogues."""

from sayso.catalogue.change import Change, ChangeKind
from sayso.catalogue.compare import Comparison, Refusal, compare, with_retired
from sayso.catalogue.finding import Finding, Level
from sayso.catalogue.history import with_history
from sayso.catalogue.lint import lint, require_publishable
from sayso.catalogue.read import catalogue_from_python, read_catalogue

__all__ = [
    "Change",
    "ChangeKind",
    "Comparison",
    "Finding",
    "Level",
    "Refusal",
    "catalogue_from_python",
    "compare",
    "lint",
    "read_catalogue",
    "require_publishable",
    "with_history",
    "with_retired",
]
