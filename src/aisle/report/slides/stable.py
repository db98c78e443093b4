"""An Office file with the same bytes whenever it says the same."""

import io
import re
import zipfile
from typing import Final

_WHEN: Final = (1980, 1, 1, 0, 0, 0)
_DATED: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")
_DATE: Final = rb"\g<1>1980-01-01T00:00:00Z\g<2>"
_BOOKS: Final = (".xlsx",)
_FIRST: Final = "[Content_Types].xml"


def stable(content: bytes) -> bytes:
    """The same package: entries sorted, times fixed, also in the workbooks that charts carry.

    Entries are stored as they are, as what compression makes of them depends on a library that nobody pins.

    Raises:
        ValueError: it is no package of files.
    """
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as anew:
            for name in sorted(package.namelist(), key=lambda name: (name != _FIRST, name)):
                entry = zipfile.ZipInfo(name, _WHEN)
                entry.create_system = 3
                entry.external_attr = 0o644 << 16
                anew.writestr(entry, _undated(name, package.read(name)))
    except zipfile.BadZipFile:
        raise ValueError("An Office file must be a ZIP archive; this one is not.") from None
    return made.getvalue()


def _undated(name: str, content: bytes) -> bytes:
    if name.endswith(_BOOKS):
        return stable(content)
    return _DATED.sub(_DATE, content) if name == "docProps/core.xml" else content
