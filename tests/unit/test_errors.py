"""Everything Sayso raises on purpose comes from one tree, with the facts as attributes."""

import inspect
from datetime import timedelta
from typing import Any

import pytest

import sayso
from sayso import errors

RAISED: dict[str, type[BaseException]] = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == errors.__name__
}
TREE = {
    "Error": ("Exception",),
    "ConfigurationError": ("Error",),
    "CatalogueError": ("Error",),
    "InvalidError": ("Error", "ValueError"),
    "NotAuthenticatedError": ("Error",),
    "ForbiddenError": ("Error",),
    "NotFoundError": ("Error",),
    "ConflictError": ("Error",),
    "ErasedError": ("Error",),
    "RateLimitedError": ("Error",),
    "UnavailableError": ("Error",),
    "OutboxFullError": ("Error",),
    "NotAllowedError": ("Error",),
}
FAULT = errors.Problem("/choices/0/topic", "unknown_topic", "the catalogue has no such topic")


def test_everything_raised_derives_from_one_error() -> None:
    assert [name for name, error in RAISED.items() if not issubclass(error, sayso.Error)] == []


def test_there_is_one_class_for_each_reaction_and_no_other() -> None:
    assert {name: tuple(base.__name__ for base in error.__bases__) for name, error in RAISED.items()} == TREE


def test_the_docstring_draws_the_tree_with_every_class() -> None:
    drawn = {line.split()[1] for line in (errors.__doc__ or "").splitlines() if line.strip()[:1] in "├└" and line}

    assert drawn == set(RAISED) - {"Error"}


@pytest.mark.parametrize("name", RAISED)
def test_users_reach_every_error_from_the_package_itself(name: str) -> None:
    assert getattr(sayso, name) is RAISED[name]


@pytest.mark.parametrize("name", sorted(set(RAISED) - {"CatalogueError"}))
def test_an_error_keeps_its_facts_as_attributes(name: str) -> None:
    error: Any = RAISED[name]("refused", code="unknown_topic", request_id="0123456789abcdef", problems=(FAULT,))

    assert str(error) == "refused"
    assert (error.code, error.request_id) == ("unknown_topic", "0123456789abcdef")
    assert (error.problems, error.pointer) == ((FAULT,), "/choices/0/topic")


@pytest.mark.parametrize("name", sorted(set(RAISED) - {"CatalogueError"}))
def test_an_error_without_facts_has_none(name: str) -> None:
    error: Any = RAISED[name]("refused")

    assert (error.code, error.request_id, error.problems, error.pointer) == ("", "", (), "")


def test_a_refused_request_is_a_value_error_for_those_who_catch_that() -> None:
    with pytest.raises(ValueError, match="refused"):
        raise errors.InvalidError("refused")


def test_a_conflict_tells_the_version_there_is() -> None:
    assert errors.ConflictError("newer", current_version=7).current_version == 7
    assert errors.ConflictError("newer").current_version is None


def test_a_rate_limit_tells_how_long_to_wait() -> None:
    assert errors.RateLimitedError("slow", retry_after=timedelta(seconds=7)).retry_after == timedelta(seconds=7)
    assert errors.RateLimitedError("slow").retry_after == timedelta(0)


def test_a_catalogue_error_lists_what_was_found_by_table_and_key() -> None:
    found = (
        errors.CatalogueProblem('topics."purpose:ads"', "basis", "is missing; name one"),
        errors.CatalogueProblem("languages", "", "names none"),
        errors.CatalogueProblem("", "", "is empty"),
    )

    error = errors.CatalogueError("the catalogue can't be published", found=found)

    assert str(error) == (
        "the catalogue can't be published\n"
        '  [topics."purpose:ads"] basis: is missing; name one\n'
        "  [languages]: names none\n"
        "  : is empty"
    )
    assert (error.code, error.found) == ("catalogue_invalid", found)
