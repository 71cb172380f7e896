"""Form fields as HTML: each with its label, its hint and what is wrong with it, tied together for screen readers."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_ROWS: Final = 3


def radio(name: str, value: str, label: str, hint: str, *, checked: bool) -> str:
    """Give one of several to choose from, with what comes of it."""
    mark = " checked" if checked else ""
    return (
        f'<label class="choice"><input type="radio" name="{name}" value="{escape(value)}"{mark}>'
        f"<span><strong>{escape(label)}</strong><br>{escape(hint)}</span></label>"
    )


def select(
    text: Mapping[str, str],
    name: str,
    options: Sequence[tuple[str, str]],
    chosen: str,
    wrong: Mapping[str, str],
    *,
    hint: str = "",
    required: bool = False,
) -> str:
    """Give a list to choose one from."""
    items = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(label)}</option>'
        for value, label in options
    )
    needs = " required" if required else ""
    control = f'<select id="{name}" name="{name}"{needs}{_described(name, hint, wrong)}>{items}</select>'
    return _field(text, name, control, wrong, hint=hint, required=True)


def line(
    text: Mapping[str, str],
    name: str,
    values: Mapping[str, str],
    wrong: Mapping[str, str],
    *,
    kind: str = "text",
    autocomplete: str = "off",
    hint: str = "",
    required: bool = False,
    longest: int,
) -> str:
    """Give a field of one line."""
    control = (
        f'<input id="{name}" name="{name}" type="{kind}" value="{escape(values.get(name, ""))}" '
        f'autocomplete="{autocomplete}" maxlength="{longest}"{" required" if required else ""}'
        f"{_described(name, hint, wrong)}>"
    )
    return _field(text, name, control, wrong, hint=hint, required=required)


def area(
    text: Mapping[str, str],
    name: str,
    values: Mapping[str, str],
    wrong: Mapping[str, str],
    *,
    autocomplete: str = "off",
    hint: str = "",
    required: bool = False,
    longest: int,
) -> str:
    """Give a field of several lines."""
    control = (
        f'<textarea id="{name}" name="{name}" rows="{_ROWS}" autocomplete="{autocomplete}" maxlength="{longest}"'
        # The parser drops one line break that stands first.
        f"{' required' if required else ''}{_described(name, hint, wrong)}>\n{escape(values.get(name, ''))}</textarea>"
    )
    return _field(text, name, control, wrong, hint=hint, required=required)


def _field(
    text: Mapping[str, str], name: str, control: str, wrong: Mapping[str, str], *, hint: str, required: bool
) -> str:
    mark = "" if required else f' <span class="quiet">({escape(text["optional"])})</span>'
    said = f'<span class="quiet" id="{name}-hint">{escape(hint)}</span>' if hint else ""
    return (
        f'<div class="field"><label for="{name}">{escape(text[name])}{mark}</label>{said}'
        f"{said_wrong(name, wrong)}{control}</div>"
    )


def _described(name: str, hint: str, wrong: Mapping[str, str]) -> str:
    ids = [f"{name}-hint"] if hint else []
    if name in wrong:
        ids.append(f"{name}-wrong")
    described = f' aria-describedby="{" ".join(ids)}"' if ids else ""
    return described + (' aria-invalid="true"' if name in wrong else "")


def bad(name: str, wrong: Mapping[str, str]) -> str:
    """Give what ties a group to what is wrong with it."""
    return f' aria-describedby="{name}-wrong"' if name in wrong else ""


def said_wrong(name: str, wrong: Mapping[str, str]) -> str:
    """Give what is wrong with a field, if something is."""
    return f'<span class="bad" id="{name}-wrong">{escape(wrong[name])}</span>' if name in wrong else ""


def hidden(fields: Mapping[str, str]) -> str:
    """Give what is sent along unseen."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
