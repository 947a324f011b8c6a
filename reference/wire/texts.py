"""Which texts are addresses, and which ones a line of nodes.conf can hold."""

import ipaddress
import re
from functools import lru_cache
from typing import Final

from reference.clauses import clause

_FORBIDDEN: Final = frozenset("=!#$%&()*+;<>?@[]^{|}~")
_SEPARATORS: Final = re.compile(r"""[\x00-\x20\x7f,"']""")


@clause("BU-31", "NC-9")
@lru_cache(maxsize=4096)
def is_ipv4(text: str) -> bool:
    """Whether it is an IPv4 address of four decimal numbers without leading zeros.

    Counterpart: `auxAnnounceClientIpV4Setter`.
    """
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


@clause("BU-31", "NC-9")
@lru_cache(maxsize=4096)
def is_ipv6(text: str) -> bool:
    """Whether it is an IPv6 address, without a zone.

    Counterpart: `auxAnnounceClientIpV6Setter`.
    """
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return address.scope_id is None


@clause("NC-10")
def is_word(text: str) -> bool:
    """Whether it stays one value when it is written into a line and read back."""
    return not _SEPARATORS.search(text)


@clause("BU-D3", "NC-9")
def is_aux_value(text: str) -> bool:
    """Whether servers take it as the value of an auxiliary field; it may be empty.

    Counterpart: `isValidAuxString`.
    """
    return is_word(text) and _FORBIDDEN.isdisjoint(text)
