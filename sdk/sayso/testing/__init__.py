"""For tests: a fake service, a clock that is set, and a pytest plugin. `import sayso` never imports it.

::

    # conftest.py
    pytest_plugins = ["sayso.testing.plugin"]


    # test_shop.py
    async def test_an_order_without_consent_sends_no_offer(privacy):
        privacy.consumer("cust-42").denies("purpose:marketing")
        ...

What it needs is what the SDK needs; the plugin and the contract suite also need pytest.
"""

from sayso.testing.arranging import Arranging, FakeConsumer
from sayso.testing.brand import CATALOGUE_FILE
from sayso.testing.clock import FrozenClock
from sayso.testing.disclosed import Disclosed
from sayso.testing.fake import FakeSayso
from sayso.testing.privacy import Privacy, PrivacyConsumer, SyncPrivacy, SyncPrivacyConsumer

__all__ = [
    "CATALOGUE_FILE",
    "Arranging",
    "Disclosed",
    "FakeConsumer",
    "FakeSayso",
    "FrozenClock",
    "Privacy",
    "PrivacyConsumer",
    "SyncPrivacy",
    "SyncPrivacyConsumer",
]
