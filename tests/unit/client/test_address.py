import pytest

from sayso import ConfigurationError
from sayso.transport.address import check_address


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://sayso.dealer.example", "https://sayso.dealer.example"),
        ("https://sayso.dealer.example:8443/privacy/", "https://sayso.dealer.example:8443/privacy"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("http://127.8.9.1:8787/", "http://127.8.9.1:8787"),
        ("http://localhost:8787", "http://localhost:8787"),
        ("http://[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_https_goes_anywhere_and_plain_http_to_this_machine(given: str, kept: str) -> None:
    assert check_address(given) == kept


@pytest.mark.parametrize(
    "address",
    [
        "http://sayso.dealer.example",
        "http://10.0.0.7:8787",
        "http://127.0.0.1.dealer.example",
        "http://localhost.dealer.example",
        "http://0.0.0.0:8787",
    ],
)
def test_plain_http_to_another_machine_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="plain http to another machine"):
        check_address(address)


@pytest.mark.parametrize(
    "address",
    ["", "sayso.dealer.example", "ftp://dealer.example", "https://", "https://dealer.example:x", "http://[::1"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a web address"):
        check_address(address)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_address("https://ann:hunter2@dealer.example", name="SAYSO_URL")

    assert str(caught.value).startswith("SAYSO_URL has a user name or password in it")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", ["https://dealer.example/?brand=a", "https://dealer.example/#a"])
def test_a_query_or_fragment_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="query or fragment"):
        check_address(address)


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8787/v1", "https://sayso.dealer.example/v1/", "https://dealer.example/privacy/v1"],
)
def test_the_apis_own_path_is_refused_and_the_remedy_named(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_address(address, name="SAYSO_URL")

    assert str(caught.value).startswith("SAYSO_URL ends in /v1, which the client adds itself; leave that out.")
    with pytest.raises(ConfigurationError, match=r"^url ends in /v1"):
        check_address(address)


def test_a_path_that_only_begins_like_it_is_kept() -> None:
    assert check_address("https://dealer.example/v1beta") == "https://dealer.example/v1beta"
