"""The landing page and the guides, as HTML."""

from pathlib import Path, PurePosixPath

import anyio
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from components.help import GUIDE
from pipeline.content.frontmatter import split_front_matter
from pipeline.content.title_questions import questions
from pipeline.settings import Settings
from web.guides import Guide, Guides
from web.markdown import render

_SHOWN_QUESTIONS = 5
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


class Pages:
    """The handlers of the requests for pages."""

    def __init__(self, settings: Settings, guides: Guides) -> None:
        self._settings = settings
        self._guides = guides

    async def suggested(self) -> list[str]:
        """The questions that the chat suggests before the first message."""
        return await anyio.to_thread.run_sync(self._suggested)

    async def landing(self, request: Request) -> Response:
        """The landing page."""
        return await anyio.to_thread.run_sync(self._landing)

    async def compare(self, request: Request) -> Response:
        """The page that compares ways to answer. It holds nothing itself: what it asks for decides who may see what."""
        guides = await anyio.to_thread.run_sync(self._guides.all)
        return self._html("compare.html", guides=guides, current=None, title="Compare")

    async def page(self, request: Request) -> Response:
        """The guide at the request's path, or 404. A private document gives 404 too."""
        return await anyio.to_thread.run_sync(self._page, f"/{request.path_params['path']}")

    async def help(self, request: Request) -> Response:
        """The guide to Langflow's components, to which their links in the editor lead, in any site."""
        return await anyio.to_thread.run_sync(self._help)

    def _help(self) -> Response:
        guides = self._guides.all()
        front, text = split_front_matter(GUIDE.read_text(encoding="utf-8"))
        # The other guides have no pages in the owner's site.
        rendered = render(text, link=lambda address: address if address.startswith("#") else None)
        return self._html(
            "guide.html",
            guides=guides,
            current=None,
            title=front["title"],
            description=front["description"],
            html=Markup(rendered.html),
            headings=[heading for heading in rendered.headings if heading.level == 2],
            previous=None,
            next=None,
        )

    def _suggested(self) -> list[str]:
        if self._settings.site.questions:
            return self._settings.site.questions
        return questions([guide.document for guide in self._guides.all()])[:_SHOWN_QUESTIONS]

    def _landing(self) -> Response:
        guides = self._guides.all()
        index = next((guide for guide in guides if _is_index(guide)), None)
        site = self._settings.site
        # An index with its own address is one of the cards. An index at / is shown on the landing page.
        whole = index if index and not index.path else None
        return self._html(
            "landing.html",
            guides=guides,
            current=None,
            title="",
            description=index.description if index and index.description else site.description,
            questions=self._suggested(),
            html=Markup(self._guides.render(whole).html) if whole else "",
            cards=[guide for guide in guides if guide is not whole],
        )

    def _page(self, path: str) -> Response:
        guides = self._guides.all()
        current = self._guides.find(path)
        if current is None:
            return self._html("missing.html", 404, guides=guides, current=None, title="There is no such page")
        if path != current.path:
            return RedirectResponse(current.href, 308)
        rendered = self._guides.render(current)
        at = guides.index(current)
        return self._html(
            "guide.html",
            guides=guides,
            current=current,
            title=current.document.title,
            description=current.description,
            html=Markup(rendered.html),
            headings=[heading for heading in rendered.headings if heading.level in (2, 3) and heading.anchor],
            previous=guides[at - 1] if at else None,
            next=guides[at + 1] if at + 1 < len(guides) else None,
        )

    def _html(self, template: str, status: int = 200, **values: object) -> Response:
        return HTMLResponse(_TEMPLATES.get_template(template).render(site=self._settings.site, **values), status)


def _is_index(guide: Guide) -> bool:
    name = PurePosixPath(guide.document.id)
    return guide.path == "" or (name.stem.lower() == "index" and len(name.parts) == 2)
