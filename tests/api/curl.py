"""What a walk-through asks of curl, where there is none: ``-sS --fail-with-body -u USER:KEY -H HEADER -d BODY URL``."""

from __future__ import annotations

import argparse
import base64
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

HTTP_ERROR = 22
"""What curl exits with when the answer's status is 400 or more, and it was told to fail then."""


def main(arguments: Sequence[str]) -> int:
    """Send one request, GET or (with a body) POST, and print its answer; whatever else curl knows is refused."""
    parser = argparse.ArgumentParser("curl", allow_abbrev=False)
    parser.add_argument("-sS", action="store_true", required=True)
    parser.add_argument("--fail-with-body", action="store_true", required=True)
    parser.add_argument("-u", dest="user", required=True)
    parser.add_argument("-H", dest="header", required=True)
    parser.add_argument("-d", dest="body")
    parser.add_argument("url")
    asked = parser.parse_args(arguments)
    name, _, value = asked.header.partition(": ")
    basic = base64.b64encode(asked.user.encode()).decode()
    body = None if asked.body is None else asked.body.encode()
    request = urllib.request.Request(asked.url, body, {name: value, "Authorization": f"Basic {basic}"})
    try:
        with urllib.request.urlopen(request) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as refusal:
        sys.stdout.buffer.write(refusal.read())
        return HTTP_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
