"""The words of our emails: templates that people edit, each email as plain text and as HTML."""

from dataclasses import dataclass
from typing import Any

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_inliner = css_inline.CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Words:
    """What an email says, in both forms."""

    subject: str
    text: str
    html: str


def render(name: str, **values: Any) -> Words:
    """The words of the templates ``{name}.txt``, whose first statement sets the subject, and ``{name}.html``.

    Styles are written into the elements they apply to, since most mail programs ignore style sheets.
    """
    text = _templates.get_template(f"{name}.txt").make_module(values)
    subject = str(text.subject)  # type: ignore[attr-defined]  # set by the template
    html = _templates.get_template(f"{name}.html").render(values, subject=subject)
    return Words(subject=_line(subject), text=str(text).strip() + "\n", html=_inliner.inline(html))


def _line(text: str) -> str:
    """The text on one line: nothing a user named can start a new one."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


_templates = Environment(
    loader=PackageLoader("darkroom_mailer"),
    autoescape=select_autoescape(["html"]),  # and not in plain text
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {"line": _line, "count": _count}
