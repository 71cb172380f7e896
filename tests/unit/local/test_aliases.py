"""Visitors who turned out to be somebody."""

from sayso.local import aliases
from sayso.local.aliases import Aliases


def test_everybody_stands_for_all_of_their_ids() -> None:
    known = Aliases()
    known.learn("anon_a", "cust-42")
    known.learn("anon_b", "cust-42")
    known.learn("anon_b", "cust-42")

    assert (known.known_id("anon_a"), known.known_id("cust-42")) == ("cust-42", "cust-42")
    assert known.all_of("anon_b") == ("anon_b", "cust-42", "anon_a")
    assert known.all_of("cust-42") == ("cust-42", "anon_a", "anon_b")
    assert known.all_of("cust-43") == ("cust-43",)


def test_a_visitor_heard_of_as_somebody_else_is_the_former_no_longer() -> None:
    known = Aliases()
    known.learn("anon_a", "cust-42")
    known.learn("anon_a", "cust-43")

    assert (known.all_of("cust-42"), known.all_of("cust-43")) == (("cust-42",), ("cust-43", "anon_a"))


def test_the_visitors_heard_of_first_are_forgotten_first(monkeypatch) -> None:
    monkeypatch.setattr(aliases, "MOST", 1)
    known = Aliases()
    known.learn("anon_a", "cust-42")
    known.learn("anon_b", "cust-42")

    assert (known.known_id("anon_a"), known.all_of("cust-42")) == ("anon_a", ("cust-42", "anon_b"))
