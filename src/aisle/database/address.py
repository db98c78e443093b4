"""The address of a server, its password kept out of everything that is written or shown."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

REMEDY = "look at the user, the password and the database of its address"
"""What to do when a server refuses a connection."""


@dataclass(frozen=True)
class Address:
    """Where a server is and who asks; the text of an address shows no password."""

    scheme: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, url: str, *, scheme: str, port: int) -> "Address":
        """The parts of ``scheme://user:password@host:port/database``; special characters are percent-encoded.

        Raises:
            ValueError: it is not such an address; the message does not repeat it, as it may hold a password.
        """
        form = f"{scheme}://user:password@host:port/database"
        try:
            parts = urlsplit(url)
            given_port = parts.port
        except ValueError:
            raise ValueError(
                f"The address of the database must read {form}; its host or port cannot be read."
            ) from None
        database = unquote(parts.path.removeprefix("/"))
        if parts.scheme != scheme:
            raise ValueError(f"The address of the database must read {form}; its scheme is {parts.scheme!r}.")
        if parts.query or parts.fragment or "@" in database:  # a password that is not percent-encoded, say
            raise ValueError(f"The address of the database must read {form}; special characters must be %-encoded.")
        if not parts.hostname or not database or "/" in database:
            raise ValueError(f"The address of the database must read {form}; it names no host or no database.")
        return cls(
            scheme=scheme,
            host=parts.hostname,
            port=given_port or port,
            database=database,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def __str__(self) -> str:
        who = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{who}{self.host}:{self.port}/{self.database}"
