"""What the console gives a browser to keep, made so that nobody else can: form tokens and notices."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

_TOKEN_BYTES: Final = 18
# A cookie holds 4 KB; a sentence is a few dozen characters.
_LONGEST_NOTICE: Final = 400


class Seals:
    """Makes and checks them with the key of `[security] session_key`."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def form_token(self, owner: str) -> str:
        """The token of all forms of a session, or of a browser before one; `owner` is its secret."""
        return self._mark("form", owner)

    def is_form_token(self, given: str, owner: str) -> bool:
        """Whether the form was made for this session."""
        return bool(owner) and hmac.compare_digest(given.encode(), self.form_token(owner).encode())

    def browser(self, cookie: str) -> str:
        """The fingerprint of a browser by what it keeps."""
        return self._mark("browser", cookie)

    def wrap(self, notice: str) -> str:
        """A sentence in the form a cookie can hold."""
        plain = base64.urlsafe_b64encode(notice[:_LONGEST_NOTICE].encode()).decode()
        return f"{plain}.{self._mark('notice', plain)}"

    def unwrap(self, cookie: str) -> str:
        """The sentence, "" when it is none of ours."""
        plain, _, mark = cookie.partition(".")
        if not hmac.compare_digest(mark.encode(), self._mark("notice", plain).encode()):
            return ""
        return base64.urlsafe_b64decode(plain).decode()

    def _mark(self, purpose: str, text: str) -> str:
        digest = hmac.digest(self._key, f"console.{purpose}:{text}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()


def new_cookie() -> str:
    """Something nobody can guess."""
    return secrets.token_urlsafe(_TOKEN_BYTES)
