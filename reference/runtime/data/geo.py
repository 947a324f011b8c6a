"""Places on the Earth: sorted sets whose scores are positions, as the servers keep them.

The engine has these commands too, but keeps texts where the servers have numbers, so that neither
a replica nor a file could hold them.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from reference.clauses import clause
from reference.runtime.replies import NULL_ARRAY, ClientReply
from reference.wire.resp import ErrorReply

Ask: TypeAlias = Callable[..., ClientReply]
"""The engine's reply, in version 2 of the protocol, to the words of a command."""

Point: TypeAlias = tuple[float, float]
"""Longitude and latitude in degrees."""

_BITS: Final = 26  # of each of the two in a score
_LONGITUDES: Final = (-180.0, 180.0)
_LATITUDES: Final = (-85.05112878, 85.05112878)
_RADIUS_M: Final = 6372797.560856
_UNITS: Final = {b"m": 1.0, b"km": 1000.0, b"ft": 0.3048, b"mi": 1609.34}
_ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"
_SYNTAX: Final = "ERR syntax error"
_NOT_FLOAT: Final = "ERR value is not a valid float"


class RefusedError(Exception):
    """The command is refused with this text."""


def _interleaved(low: int, high: int) -> int:
    return sum((low >> n & 1) << 2 * n | (high >> n & 1) << 2 * n + 1 for n in range(_BITS))


def score_of(point: Point, latitudes: Point = _LATITUDES) -> int:
    """The number that stands for the point. Counterpart: `geohashEncode`."""
    shares = (
        (value - low) / (high - low)
        for value, (low, high) in zip(reversed(point), (latitudes, _LONGITUDES), strict=True)
    )
    latitude, longitude = (int(share * (1 << _BITS)) for share in shares)
    return _interleaved(latitude, longitude)


def point_of(score: float) -> Point:
    """The middle of the cell that the number stands for. Counterpart: `geohashDecodeToLongLat`."""
    bits = int(score)
    found = []
    for shift, (low, high) in ((1, _LONGITUDES), (0, _LATITUDES)):
        cell = sum((bits >> 2 * n + shift & 1) << n for n in range(_BITS))
        edges = [low + (each / (1 << _BITS)) * (high - low) for each in (cell, cell + 1)]
        found.append(min(max(sum(edges) / 2, low), high))
    return found[0], found[1]


def distance_m(one: Point, other: Point) -> float:
    """Metres along the surface. Counterpart: `geohashGetDistance`."""
    (longitude, latitude), (longitude2, latitude2) = (map(math.radians, p) for p in (one, other))
    u = math.sin((latitude2 - latitude) / 2)
    v = math.sin((longitude2 - longitude) / 2)
    return 2 * _RADIUS_M * math.asin(
        math.sqrt(u * u + math.cos(latitude) * math.cos(latitude2) * v * v)
    )  # fmt: skip


def _number(word: bytes, error: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise RefusedError(error) from None


def _count(word: bytes) -> int:
    if not word.lstrip(b"-").isdigit() or len(word) > 18:
        raise RefusedError("ERR value is not an integer or out of range")
    if int(word) <= 0:
        raise RefusedError("ERR COUNT must be > 0")
    return int(word)


def _unit(word: bytes) -> float:
    found = _UNITS.get(word.lower())
    if found is None:
        raise RefusedError("ERR unsupported unit provided. please use M, KM, FT, MI")
    return found


def _point(longitude: bytes, latitude: bytes) -> Point:
    point = _number(longitude, _NOT_FLOAT), _number(latitude, _NOT_FLOAT)
    for value, (low, high) in zip(point, (_LONGITUDES, _LATITUDES), strict=True):
        if not low <= value <= high:
            raise RefusedError(
                f"ERR invalid longitude,latitude pair {point[0]:f},{point[1]:f}"
            )  # fmt: skip
    return point


def _scores(ask: Ask, key: bytes) -> dict[bytes, float]:
    """The members with their scores, in their order."""
    reply = ask(b"ZRANGE", key, b"0", b"-1", b"WITHSCORES")
    if isinstance(reply, ErrorReply):
        raise RefusedError(reply.text)
    words = [word for word in reply if isinstance(word, bytes)] if isinstance(reply, list) else []
    return {member: float(score) for member, score in zip(words[::2], words[1::2], strict=True)}


def _coordinates(point: Point, protocol: int) -> ClientReply:
    if protocol == 3:
        return list(point)
    return [f"{value:.17f}".rstrip("0").rstrip(".") for value in point]


def _add(ask: Ask, arguments: Sequence[bytes], _protocol: int) -> ClientReply:
    """GEOADD: the members are at these points."""
    at = 2
    while at < len(arguments) and arguments[at].upper() in (b"NX", b"XX", b"CH"):
        at += 1
    options, rest = arguments[2:at], arguments[at:]
    if not rest or len(rest) % 3 or {b"NX", b"XX"} <= {each.upper() for each in options}:
        return ErrorReply(_SYNTAX)
    words = []
    for longitude, latitude, member in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        words += [b"%d" % score_of(_point(longitude, latitude)), member]
    return ask(b"ZADD", arguments[1], *options, *words)


def _positions(ask: Ask, arguments: Sequence[bytes], protocol: int) -> ClientReply:
    """GEOPOS: where the members are."""
    scores = _scores(ask, arguments[1])
    return [
        _coordinates(point_of(scores[each]), protocol) if each in scores else NULL_ARRAY
        for each in arguments[2:]
    ]


def _hashes(ask: Ask, arguments: Sequence[bytes], _protocol: int) -> ClientReply:
    """GEOHASH: the points as others write them, eleven letters of which the last says nothing."""
    scores = _scores(ask, arguments[1])
    told: list[ClientReply] = []
    for member in arguments[2:]:
        if member not in scores:
            told.append(None)
            continue
        bits = score_of(point_of(scores[member]), (-90.0, 90.0))
        letters = (_ALPHABET[bits >> 52 - 5 * n & 31] for n in range(1, 11))
        told.append("".join(letters) + "0")
    return told


def _between(ask: Ask, arguments: Sequence[bytes], _protocol: int) -> ClientReply:
    """GEODIST: how far two members are from each other."""
    if len(arguments) > 5:
        return ErrorReply(_SYNTAX)
    unit = _unit(arguments[4]) if len(arguments) == 5 else 1.0
    scores = _scores(ask, arguments[1])
    if arguments[2] not in scores or arguments[3] not in scores:
        return None
    one, other = (point_of(scores[member]) for member in arguments[2:4])
    return f"{distance_m(one, other) / unit:.4f}"


@attrs.define
class Search:
    """What is looked for, and what is told of it (`geoshape` and the options)."""

    centre: Point | None = None
    member: bytes | None = None
    radius_m: float | None = None
    box_m: Point | None = None  # width and height
    unit: float = 1.0
    order: bytes = b""
    count: int = 0
    any: bool = False
    told: set[bytes] = attrs.field(factory=set)  # WITHDIST, WITHHASH, WITHCOORD
    target: bytes | None = None
    keeps_distances: bool = False  # in the target

    def distance(self, point: Point) -> float | None:
        """How far it is from the centre, None if it is not within the shape."""
        centre = self.centre or (0.0, 0.0)
        found = distance_m(centre, point)
        if self.box_m is None:
            return found if found <= (self.radius_m or 0) else None
        width, height = self.box_m
        across = distance_m((centre[0], point[1]), point)
        along = distance_m((0, centre[1]), (0, point[1]))
        return found if across <= width / 2 and along <= height / 2 else None


def _length(word: bytes, what: str) -> float:
    found = _number(word, f"ERR need numeric {what}")
    if found < 0:
        text = "radius" if what == "radius" else "height or width"
        raise RefusedError(f"ERR {text} cannot be negative")
    return found


def _take(search: Search, words: Iterator[bytes], *, has_shape: bool, may_store: bool) -> None:
    """The options, one after another, are known. StopIteration if one lacks its end."""
    for word in words:
        match word.upper():
            case b"WITHDIST" | b"WITHHASH" | b"WITHCOORD" as what:
                search.told.add(what)
            case b"ASC" | b"DESC" as order:
                search.order = order
            case b"ANY":
                search.any = True
            case b"COUNT":
                search.count = _count(next(words))
            case (b"STORE" | b"STOREDIST") as how if has_shape and may_store:
                search.target, search.keeps_distances = next(words), how == b"STOREDIST"
            case b"STOREDIST" if search.target is not None:
                search.keeps_distances = True
            case what if not has_shape:
                _take_shape(search, what, words)
            case _:
                raise RefusedError(_SYNTAX)


def _take_shape(search: Search, what: bytes, words: Iterator[bytes]) -> None:
    match what:
        case b"FROMMEMBER":
            search.member = next(words)
        case b"FROMLONLAT":
            search.centre = _point(next(words), next(words))
        case b"BYRADIUS":
            radius = _length(next(words), "radius")
            search.unit = _unit(next(words))
            search.radius_m = radius * search.unit
        case b"BYBOX":
            sides = _length(next(words), "width"), _length(next(words), "height")
            search.unit = _unit(next(words))
            search.box_m = (sides[0] * search.unit, sides[1] * search.unit)
        case _:
            raise RefusedError(_SYNTAX)


def _around(arguments: Sequence[bytes], name: str) -> tuple[Search, Sequence[bytes]]:
    """The search of GEORADIUS or GEORADIUSBYMEMBER, and the words behind its shape."""
    search = Search()
    if name.startswith("georadiusbymember"):
        search.member, rest = arguments[2], arguments[3:]
    else:
        search.centre, rest = _point(*arguments[2:4]), arguments[4:]
    if len(rest) < 2:
        raise RefusedError(_SYNTAX)
    radius = _length(rest[0], "radius")
    search.unit = _unit(rest[1])
    search.radius_m = radius * search.unit
    return search, rest[2:]


def _parsed(name: str, arguments: Sequence[bytes]) -> tuple[bytes, Search]:
    """The key in which is looked, and for what."""
    has_shape, key, search, rest = name.startswith("georadius"), arguments[1], Search(), arguments
    if has_shape:
        search, rest = _around(arguments, name)
    elif name == "geosearchstore":
        key, search.target, rest = arguments[2], arguments[1], arguments[3:]
    else:
        rest = arguments[2:]
    try:
        may_store = not name.endswith("_ro")
        _take(search, iter(rest), has_shape=has_shape, may_store=may_store)
    except StopIteration:
        raise RefusedError(_SYNTAX) from None
    if search.target is not None and search.told:
        which = "STORE option in GEORADIUS" if has_shape else "GEOSEARCHSTORE"
        raise RefusedError(
            f"ERR {which} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
        )
    if (search.centre is None) == (search.member is None):
        told = f"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}"
        raise RefusedError(told)
    if (search.radius_m is None) == (search.box_m is None):
        raise RefusedError(f"ERR exactly one of BYRADIUS and BYBOX can be specified for {name}")
    if search.any and not search.count:
        raise RefusedError("ERR the ANY argument requires COUNT argument")
    return key, search


def _search(name: str, ask: Ask, arguments: Sequence[bytes], protocol: int) -> ClientReply:
    """What is near, told or kept. Counterpart: `georadiusGeneric`."""
    key, search = _parsed(name, arguments)
    scores = _scores(ask, key)
    if search.member is not None and scores:
        if search.member not in scores:
            return ErrorReply("ERR could not decode requested zset member")
        search.centre = point_of(scores[search.member])
    found = [
        (distance, member, score)
        for member, score in scores.items()
        if (distance := search.distance(point_of(score))) is not None
    ]
    if search.order or (search.count and not search.any):
        found.sort(key=lambda each: each[0], reverse=search.order == b"DESC")
    found = found[: search.count or None]
    if search.target is not None:
        ask(b"DEL", search.target)
        words = [
            word
            for distance, member, score in found
            for word in (
                repr(distance / search.unit).encode() if search.keeps_distances else b"%d" % score,
                member,
            )
        ]
        if words:
            ask(b"ZADD", search.target, *words)
        return len(found)
    return [_told(search, *each, protocol) for each in found]


def _told(
    search: Search, distance: float, member: bytes, score: float, protocol: int
) -> ClientReply:
    parts: list[ClientReply] = [member]
    if b"WITHDIST" in search.told:
        parts.append(f"{distance / search.unit:.4f}")
    if b"WITHHASH" in search.told:
        parts.append(int(score))
    if b"WITHCOORD" in search.told:
        parts.append(_coordinates(point_of(score), protocol))
    return parts if search.told else member


_SIMPLE: Final[Mapping[str, Callable[[Ask, Sequence[bytes], int], ClientReply]]] = {
    "geoadd": _add,
    "geopos": _positions,
    "geohash": _hashes,
    "geodist": _between,
}
GEO_COMMANDS: Final = frozenset(_SIMPLE) | {
    "georadius", "georadius_ro", "georadiusbymember", "georadiusbymember_ro", "geosearch",
    "geosearchstore",
}  # fmt: skip
"""The commands of places."""


@clause("CM-98")
def carry_out_geo(name: str, arguments: Sequence[bytes], protocol: int, ask: Ask) -> ClientReply:
    """The reply to a command of places, by way of those of sorted sets."""
    try:
        if name in _SIMPLE:
            return _SIMPLE[name](ask, arguments, protocol)
        return _search(name, ask, arguments, protocol)
    except RefusedError as refused:
        return ErrorReply(str(refused))
