"""Building HTML so that nothing can be forgotten: whatever is not made here is escaped."""

from html import escape

VOID = frozenset({"br", "meta"})


class Safe(str):
    """HTML that was made here. Only `tag` and `join` make it."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | None) -> Safe:
    """Make an element. Children and attribute values that are no Safe are escaped.

    Args:
        name: The element's name.
        children: Text or elements.
        attributes: `class_` stands for `class`, `aria_label` for `aria-label`. None leaves one out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = join(*children)
    return Safe(f"<{name}{given}>" if name in VOID else f"<{name}{given}>{inner}</{name}>")


def join(*children: str) -> Safe:
    """Put text and elements after one another."""
    return Safe("".join(child if isinstance(child, Safe) else escape(child) for child in children))


def style_sheet(css: str) -> Safe:
    """Make a style element of our own style sheet, the one text that can't be escaped."""
    if "</" in css:
        raise ValueError("a style sheet that could end its own element")
    return Safe(f"<style>{css}</style>")
