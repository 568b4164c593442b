"""Access to the editor: a link that works once sets a cookie, and the cookie opens the editor from then on.

Langflow listens on loopback, which every account of the machine and every page in the owner's browser can reach. The
gateway and `sitetwin flows` send the API key instead.
"""

import hashlib
import hmac
import secrets
import shutil
from pathlib import Path
from urllib.parse import urlencode

from flows.credentials import Credentials

OPEN_PATH = "/sitetwin/open"
COOKIE = "sitetwin_desk"
COOKIE_SECONDS = 365 * 24 * 3600


class Desk:
    """Decides which requests come from the owner.

    Args:
        home: Langflow's part of the state, which only the owner can read.
    """

    def __init__(self, home: Path, credentials: Credentials) -> None:
        self._links = home / "links"
        self.credentials = credentials
        self.cookie = hmac.digest(credentials.password.encode(), COOKIE.encode(), "sha256").hex()

    def new_link(self, base_url: str) -> str:
        """A new address that opens the editor once, in the first browser that uses it."""
        token = secrets.token_urlsafe(24)
        self._links.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._link(token).touch(0o600)
        return f"{base_url}{OPEN_PATH}?{urlencode({'key': token})}"

    def forget_links(self) -> None:
        """Make all unused links invalid."""
        shutil.rmtree(self._links, ignore_errors=True)

    def redeem(self, token: str) -> bool:
        """Use a link up. Returns whether `token` belongs to a link that was unused."""
        try:
            self._link(token).unlink()
        except FileNotFoundError:
            return False
        return True

    def knows(self, *, api_key: str, cookie: str) -> bool:
        """Whether a request with this key or this cookie comes from the owner."""
        return hmac.compare_digest(api_key.encode(), self.credentials.api_key.encode()) or hmac.compare_digest(
            cookie.encode(), self.cookie.encode()
        )

    def _link(self, token: str) -> Path:
        # The file has only the token's hash, so the token is in the address alone.
        return self._links / hashlib.sha256(token.encode()).hexdigest()
