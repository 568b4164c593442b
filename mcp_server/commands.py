"""`sitetwin mcp`."""

import json

import click

from pipeline.commands.kit import with_settings
from pipeline.settings import Settings
from pipeline.surroundings import python_module

PLACES = {
    "claude": "`claude mcp add-json sitetwin '<the inner object>'`, or Claude Desktop's claude_desktop_config.json",
    "cursor": ".cursor/mcp.json in your project, or ~/.cursor/mcp.json",
}


@click.group(invoke_without_command=True)
@click.pass_context
def mcp(ctx: click.Context) -> None:
    """Serve search, ask and retraining to your agents over stdio."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(serve)


@mcp.command(hidden=True)
@with_settings
def serve(settings: Settings) -> None:
    """Run the server on stdin and stdout until the client closes them."""
    from mcp_server.server import create_server

    create_server(settings).run("stdio")


@mcp.command()
@click.argument("client", type=click.Choice(sorted(PLACES)))
@with_settings
def config(settings: Settings, client: str) -> None:
    """Print what CLIENT needs to start this server."""
    command, *arguments = python_module("pipeline", "--config", str(settings.file), "mcp")
    server = {"command": command, "args": arguments}
    click.echo(f"put this into {PLACES[client]}:", err=True)
    click.echo(json.dumps({"mcpServers": {"sitetwin": server}}, indent=2))
