"""Reads JSON lines as strictly as the standard has them, for the interop tests.

usage: strict.py < LINES

Prints each line's fields, bytes as base64, in the order they stand; the first
line that is no JSON object, has a name twice, is no UTF-8, or holds half a
surrogate pair, NaN or Infinity ends it with status 1.
"""
import json
import sys


def pairs(found):
    names = [name for name, _ in found]
    for text in names + [value for _, value in found if isinstance(value, str)]:
        text.encode("utf-8", "strict")
    if len(set(names)) != len(names):
        raise ValueError(f"a name stands twice: {names}")
    return found


def constant(name):
    raise ValueError(f"{name} is no JSON")


decoder = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=constant, strict=True)
for number, raw in enumerate(sys.stdin.buffer, 1):
    try:
        if not raw.endswith(b"\n"):
            raise ValueError("the line does not end")
        line = raw[:-1].decode("utf-8", "strict")
        if not line.startswith("{"):
            raise ValueError("no object")
        fields, end = decoder.raw_decode(line)
        if end != len(line):
            raise ValueError(f"{line[end:]!r} stands behind it")
        print(json.dumps([name for name, _ in fields]))
    except ValueError as err:
        sys.exit(f"line {number}: {err}: {raw!r}")
