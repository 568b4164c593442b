"""What Langflow's own policy says once the owner has not switched stdio servers on; its names may change with it."""

import subprocess
import sys

CODE = """
from flows.guard import forbid_stdio_servers
forbid_stdio_servers()
from lfx.base.mcp.security import MCPStdioSecurityError
from lfx.base.mcp.util import validate_mcp_stdio_config
for command in ("python", "node", "npx", "uvx", "docker", "sh", "/bin/sh"):
    try:
        validate_mcp_stdio_config(command, ["x"], None)
    except MCPStdioSecurityError as error:
        print(command)
"""


def test_no_program_is_started_by_a_flow() -> None:
    refused = subprocess.run([sys.executable, "-W", "ignore", "-c", CODE], capture_output=True, text=True, check=True)
    assert refused.stdout.split() == ["python", "node", "npx", "uvx", "docker", "sh", "/bin/sh"]
