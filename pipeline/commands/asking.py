"""`sitetwin search` and `ask`."""

from typing import TYPE_CHECKING

import click

from pipeline.commands.kit import as_json, print_json, with_scope, with_settings
from pipeline.settings import Mode, Retrieval, Settings, Visibility

if TYPE_CHECKING:
    from pipeline.chat import Answer
    from pipeline.index.filters import Filters


@click.command()
@click.argument("query")
@click.option("-k", "count", type=click.IntRange(1, 100), help="How many passages.")
@click.option("--retrieval", type=click.Choice(["hybrid", "dense", "keyword"]))
@with_scope
@click.option(
    "--explain", is_flag=True, help="Show each passage's rank and score at each stage, and why others were cut."
)
@as_json
@with_settings
def search(
    settings: Settings,
    query: str,
    count: int | None,
    retrieval: Retrieval | None,
    visibility: Visibility | None,
    filters: "Filters",
    explain: bool,
    as_json: bool,
) -> None:
    """Find passages of your notes."""
    from pipeline.site import Site

    with Site(settings).index() as opened:
        result = opened.search(query, count, retrieval, visibility, filters, explain, align=True)
    if as_json:
        print_json(result)
        return
    for number, passage in enumerate(result.passages, 1):
        where = f"{passage.title} › {passage.heading}" if passage.heading else passage.title
        click.secho(f"{number}. {where}", bold=True, nl=False)
        click.echo(
            f"  {passage.score:.3f}  {passage.document}" + ("  (private)" if passage.visibility == "private" else "")
        )
        click.echo(click.wrap_text(" ".join(passage.text.split())[:300], initial_indent="   ", subsequent_indent="   "))
    if not result.passages:
        click.echo(result.note or "nothing found")
    if result.explanation:
        from pipeline.index.explaining import table

        click.echo("\n" + "\n".join(table(result.explanation)))


@click.command()
@click.argument("question")
@click.option("--mode", type=click.Choice(["base", "rag", "lora", "hybrid"]), default="rag", show_default=True)
@click.option("--adapter", help="With --mode lora or hybrid: its name, or base for none; else the promoted one.")
@click.option("--retrieval", type=click.Choice(["hybrid", "dense", "keyword"]))
@click.option("--public", is_flag=True, help="Answer only from what visitors may see.")
@as_json
@with_settings
def ask(
    settings: Settings,
    question: str,
    mode: Mode,
    adapter: str | None,
    retrieval: Retrieval | None,
    public: bool,
    as_json: bool,
) -> None:
    """Ask a question; the answer names its sources."""
    from pipeline.site import Site

    visibility: Visibility | None = "public" if public else None
    pieces = Site(settings).assistant.ask(
        question, mode=mode, retrieval=retrieval, visibility=visibility, adapter=adapter
    )
    for piece in pieces:
        if isinstance(piece, str):
            if not as_json:
                click.echo(piece, nl=False)
        elif as_json:
            print_json(piece)
        else:
            _print_sources(piece)


def _print_sources(answer: "Answer") -> None:
    click.echo()
    if not answer.answer:
        click.echo(f"No answer: {answer.why_not}. Ask in other words, or with --mode rag.", err=True)
    for citation in answer.citations:
        where = f"{citation.title} › {citation.heading}" if citation.heading else citation.title
        click.secho(f"[{citation.n}] {where}  {citation.url or citation.document}", dim=True)
