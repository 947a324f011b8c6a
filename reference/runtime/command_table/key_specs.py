"""Where the keys stand in a request: what of it clients are told, and finding them."""

from collections.abc import Sequence

import attrs

from reference.runtime.replies import ClientReply, SetReply
from reference.wire.resp import SimpleString

NO_KEYS = range(0)


@attrs.frozen(kw_only=True)
class KeySpec:
    """Where keys stand in a request; argument 0 is the command's name (`keySpec`)."""

    first: int  # or from where on the keyword is looked for
    last: int | None  # from the first key, or from the end if negative; None: a number says it
    step: int
    flags: tuple[str, ...]
    keyword: str = ""  # the keys follow it, if it is there
    limit: int = 0  # of the arguments that are left the keys are one part in so many
    unknown: bool = False  # only the command itself can tell
    optional: bool = False  # a number of keys may be 0

    @property
    def is_range(self) -> bool:
        """Whether it is one of those that COMMAND always had."""
        return self.last is not None and not self.keyword and not self.unknown

    def positions(self, arguments: Sequence[bytes]) -> range | None:
        """The positions of the keys, None if the request has none where it should."""
        if self.unknown:
            return NO_KEYS
        first = self._first(arguments)
        if first is None:
            return NO_KEYS
        if self.last is None:
            return self._counted(arguments, first)
        last = first + self.last if self.last >= 0 else len(arguments) + self.last
        if self.limit > 1:
            last = first + (len(arguments) - first) // self.limit + (self.last or 0)
        if last >= len(arguments):
            return None
        return range(first, last + 1, self.step)

    def _first(self, arguments: Sequence[bytes]) -> int | None:
        if not self.keyword:
            return self.first
        wanted = self.keyword.encode()
        places = range(self.first, len(arguments) - 1)
        if self.first < 0:  # from so far before the end backwards
            places = range(len(arguments) + self.first, 0, -1)
        for position in places:
            if arguments[position].upper() == wanted:
                return position + 1
        return None

    def _counted(self, arguments: Sequence[bytes], first: int) -> range | None:
        count = arguments[first] if first < len(arguments) else b""
        if not count.isdigit() or len(count) > len(b"%d" % len(arguments)):
            return NO_KEYS if self.optional else None
        end = first + 1 + int(count) * self.step
        if self.optional and (int(count) == 0 or end > len(arguments)):
            return NO_KEYS
        return range(first + 1, end, self.step) if first + 1 < end <= len(arguments) else None

    def describe(self) -> ClientReply:
        """The specification as COMMAND shows it."""
        flags = SetReply([SimpleString(flag) for flag in self.flags])
        if self.unknown:
            nothing: ClientReply = {"type": "unknown", "spec": {}}
            return {"flags": flags, "begin_search": nothing, "find_keys": nothing}
        begin: ClientReply = {"type": "index", "spec": {"index": self.first}}
        if self.keyword:
            spec: ClientReply = {"keyword": self.keyword, "startfrom": self.first}
            begin = {"type": "keyword", "spec": spec}
        kind = "range"
        found: ClientReply = {"lastkey": self.last, "keystep": self.step, "limit": self.limit}
        if self.last is None:
            kind, found = "keynum", {"keynumidx": 0, "firstkey": 1, "keystep": self.step}
        find: ClientReply = {"type": kind, "spec": found}
        return {"flags": flags, "begin_search": begin, "find_keys": find}


def parse_key_spec(word: str, *, optional: bool) -> KeySpec:
    """The specification that a word of a row tells; `rows` says how."""
    parts = word.split("/")
    if parts[0] == "?":
        return KeySpec(first=0, last=0, step=0, flags=_words(parts[1]), unknown=True)
    first, last, step, flags, *limit = parts
    keyword, at, start = first.partition("@")
    return KeySpec(
        first=int(start if at else first),
        last=None if last == "n" else int(last),
        step=int(step),
        flags=_words(flags),
        keyword=keyword if at else "",
        limit=int(limit[0]) if limit else 0,
        optional=optional,
    )


def _words(column: str) -> tuple[str, ...]:
    return () if column == "-" else tuple(column.split(","))
