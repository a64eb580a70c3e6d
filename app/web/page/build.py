"""Make what nginx serves: one self-contained page, its version file, and the headers that guard it.

Usage: build.py VERSION REVISION OUT. One file and not three, because during a rolling update the
next request may reach another version: style and script always belong to the page they came with.
"""

import base64
import hashlib
import html
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def page(version: str, revision: str) -> str:
    """Return the page with style and script inside."""
    text = (HERE / "index.html").read_text()
    for mark, value in {
        "{{style}}": style(),
        "{{script}}": script(),
        "{{version}}": html.escape(version),
        "{{revision}}": html.escape(revision[:12]),
    }.items():
        if mark not in text:
            raise ValueError(f"index.html has no {mark}")
        text = text.replace(mark, value)
    return text


def style() -> str:
    """Return the style as it stands between the tags."""
    return "\n" + (HERE / "style.css").read_text()


def script() -> str:
    """Return the script as it stands between the tags."""
    return "\n" + (HERE / "script.js").read_text()


def headers() -> str:
    """Return nginx's header lines; the policy admits exactly this style and this script."""
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script())}'",
            f"style-src '{_digest(style())}'",
            "img-src data:",
            "connect-src 'self'",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return "".join(
        f'add_header {name} "{value}" always;\n'
        for name, value in {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }.items()
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def write(version: str, revision: str, out: Path) -> None:
    """Write the folder `out`."""
    (out / "html").mkdir(parents=True)
    (out / "html" / "index.html").write_text(page(version, revision))
    (out / "html" / "version.json").write_text(json.dumps({"version": version, "revision": revision}) + "\n")
    (out / "headers.conf").write_text(headers())


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
