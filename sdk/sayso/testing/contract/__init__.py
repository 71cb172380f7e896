"""What any Sayso server keeps to, as tests: run them against your own.

::

    export SAYSO_URL=… SAYSO_KEY_ID=… SAYSO_SECRET=…
    pytest -p sayso.testing.plugin --pyargs sayso.testing.contract

The key is one that `sayso-server brand create` made, of a brand kept for this, which has published
`sayso.testing.CATALOGUE_FILE` (`sayso-server catalogue publish FILE --brand ID`). Every test makes consumers of its
own, with random ids; nothing else of the brand is touched. To start a server from the tests instead, define the
fixture `sayso_server_under_test` in a plugin of yours, and give it a `ServerUnderTest`.
"""

from sayso.testing.contract.wire import ServerUnderTest

__all__ = ["ServerUnderTest"]
