"""The dealer's customer records: who is who, what was said on the phone, and consents kept by an older system."""

from collections.abc import Mapping
from datetime import datetime

from dealer_day.happenings import By, Chose, Happening, Introduced, Who
from dealer_day.shape import Shape


def parse(payload: Shape, headers: Mapping[str, str], at: datetime) -> list[Happening]:
    """Read one entry of the records."""
    match payload["event"].one_of(("customer_known", "call_noted", "list_imported")):
        case "customer_known":
            return [_introduced(payload, at)]
        case "call_noted":
            return [_call(payload, at)]
        case _:
            return [_row(row, payload, at) for row in payload["rows"].each()]


def _introduced(payload: Shape, at: datetime) -> Happening:
    phone, chat, name = payload.find("phone"), payload.find("chat_id"), payload.find("first_name")
    addresses = [Who(By.PHONE, phone.text())] if phone is not None else []
    addresses += [Who(By.CHAT, chat.text())] if chat is not None else []
    return Introduced(
        Who(By.CUSTOMER, payload["customer"].text()),
        at,
        tuple(addresses),
        None if name is None else name.text(),
        payload["language"].text(),
    )


def _call(payload: Shape, at: datetime) -> Happening:
    who = Who(By.CUSTOMER, payload["customer"].text())
    answer = payload["answer"].one_of(("granted", "denied"))
    note = payload["note_id"].text()
    evidence = {"kind": "call_note", "ref": f"crm/{note}"}
    return Chose(who, at, payload["topic"].text(), answer, "phone", f"crm:{note}", evidence=evidence)


def _row(row: Shape, payload: Shape, at: datetime) -> Happening:
    """Somebody else's tick in a box: recorded as the brand's word, which never outweighs the person's own."""
    topic = row["topic"].text()
    phone = row.find("phone")
    who = Who(By.CUSTOMER, row["customer"].text()) if phone is None else Who(By.PHONE, phone.text())
    event_id = f"crm:{payload['import_id'].text()}:{who.by}:{who.value}:{topic}"
    # What they were asked, when and where: without it an imported tick is no consent.
    evidence = {
        "kind": "list",
        "ref": payload["list"].text(),
        "wording": payload["asked"].text(),
        "date": payload["asked_on"].text(),
        "source": payload["kept_in"].text(),
    }
    return Chose(who, at, topic, "granted", "import", event_id, actor="brand", evidence=evidence)
