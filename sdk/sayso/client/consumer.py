"""One consumer: everything a brand's code records about them and asks for them."""

from sayso.client.asking import Asking
from sayso.client.contacting import Contacting
from sayso.client.erasing import ErasingConsumers
from sayso.client.guardians import AskingGuardians
from sayso.client.guarding import Guarding
from sayso.client.noticing import Noticing
from sayso.client.partners import ChoosingPartners
from sayso.client.reporting import Reporting
from sayso.client.rights import Rights


class Consumer(
    ChoosingPartners,
    Reporting,
    Asking,
    Noticing,
    Rights,
    Contacting,
    AskingGuardians,
    ErasingConsumers,
    Guarding,
):
    """A handle on one consumer, from `privacy.consumer("cust-42")`. Cheap: it holds no data and opens nothing.

    Commands (`grant`, `withdraw`, `report_device`, …) return once the server has it on disk and raise from
    `sayso.Error`. Checks (`allows`, `decide`) never raise for an outage: they answer no within a second. What they do
    raise for is a key that the server doesn't accept, since no waiting mends that.

    Attributes:
        id: The brand's own id of the consumer.
    """

    __slots__ = ()
