"""What identifies an account to the platform and the product."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKeys:
    """What the console of an account shows. `mode` is plain, compatible or safe. A mini-program has no original id."""

    app_id: str
    app_secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    encoding_aes_key: str = field(default="", repr=False)
    mode: str = "safe"
    original_id: str = ""
