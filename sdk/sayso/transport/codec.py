"""JSON for the client: orjson where it is installed, the standard library otherwise."""

import json
from typing import Any

try:
    import orjson
except ImportError:

    def dumps(value: object) -> bytes:
        """Encode as compact UTF-8."""
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    def loads(data: bytes) -> Any:
        """Decode.

        Raises:
            ValueError: It is no JSON.
        """
        return json.loads(data)

else:

    def dumps(value: object) -> bytes:
        """Encode as compact UTF-8."""
        return orjson.dumps(value)

    def loads(data: bytes) -> Any:
        """Decode.

        Raises:
            ValueError: It is no JSON.
        """
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            # orjson takes no number beyond 1.8e308, which a refusal may have claimed: history shows it as it was sent.
            return json.loads(data)
