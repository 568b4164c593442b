"""The guide to the components as a page of somebody else's Langflow, for `lfx-sitetwin`; sitetwin's gateway has its own."""

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markupsafe import escape
from starlette.responses import HTMLResponse

from pipeline.content.frontmatter import split_front_matter
from pipeline.content.slugs import Slugger, plain_text

if TYPE_CHECKING:
    from fastapi import FastAPI

GUIDE = Path(__file__).with_name("help.md")
"""A link to the guide in docs/, so that an installed package has it too."""
HELP_PATH = "/sitetwin/help"
"""Where the components' links to their documentation lead."""
_OTHER_GUIDE = re.compile(r"\[([^\]]+)\]\((?!#)[^)]+\)")
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.55 system-ui, sans-serif }}
body {{ max-width: 44rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }}
th, td {{ border: 1px solid #8888; padding: .3rem .6rem; text-align: left }}
:target {{ background: #fc06 }}
</style>
<h1>{title}</h1>
{html}
</html>
"""


def page() -> str:
    """The guide as HTML. Each heading has the anchor that a component's link names; links to other guides are text."""
    front, text = split_front_matter(GUIDE.read_text(encoding="utf-8"))
    parser, slugger = MarkdownIt("commonmark").enable("table"), Slugger()
    tokens = parser.parse(_OTHER_GUIDE.sub(r"\1", text))
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slugger.slug(plain_text(inline.content)))
    return _PAGE.format(title=escape(front["title"]), html=parser.renderer.render(tokens, parser.options, {}))


def register(app: "FastAPI") -> None:
    """Adds the page to a Langflow, which calls this for the entry point group `langflow.plugins`."""
    app.get(HELP_PATH, include_in_schema=False)(_help)


def _help() -> HTMLResponse:
    return HTMLResponse(page())
