"""What the releases put on the wire and into nodes.conf, as tables; nobody compares versions."""

from types import MappingProxyType
from typing import Final

import attrs

from reference.clauses import clause
from reference.wire.bus_extensions import (
    COMMON_EXTENSIONS,
    AvailabilityZoneExtension,
    ClientIpv4Extension,
    ClientIpv6Extension,
    ClientPortExtension,
    ClientTlsPortExtension,
    ExtensionKinds,
    HostnameExtension,
    InternalSecretExtension,
    extension_kinds,
)

_AUX_8_0: Final = ("tls-port", "tcp-port", "nodename", "shard-id")
_AUX_8_1: Final = ("client-ipv6", "client-ipv4", *_AUX_8_0)
_AUX_9_1: Final = ("availability-zone", "client-tls-port", "client-tcp-port", *_AUX_8_1)

AUX_FIELDS: Final = frozenset(_AUX_9_1)
"""The facts that dialects after redis-7.0 add to the address (`auxFieldHandlers`)."""


@attrs.frozen(kw_only=True)
class WireDialect:
    """How one release reads and writes: the parameters of the codecs of this package."""

    name: str
    light_headers: bool  # BU-7, for `decode` and `FrameReader`
    extensions: ExtensionKinds  # BU-30, for `decode`
    aux_fields: tuple[str, ...]  # NC-11, in the order in which they are written
    role_synonyms: bool = False  # NC-12, primary and replica are read too


_COMMON_KINDS: Final = tuple(COMMON_EXTENSIONS.values())
_ADDRESS_KINDS: Final = (ClientIpv4Extension, ClientIpv6Extension)
_PORT_KINDS: Final = (ClientPortExtension, ClientTlsPortExtension, AvailabilityZoneExtension)

REDIS_7_0: Final = WireDialect(
    name="redis-7.0",
    light_headers=False,
    extensions=extension_kinds(HostnameExtension),
    aux_fields=(),
)
REDIS_8_0: Final = WireDialect(
    name="redis-8.0",
    light_headers=False,
    extensions=extension_kinds(*_COMMON_KINDS, InternalSecretExtension),
    aux_fields=_AUX_8_0,
)
VALKEY_8_1: Final = WireDialect(
    name="valkey-8.1",
    light_headers=True,
    extensions=extension_kinds(*_COMMON_KINDS, *_ADDRESS_KINDS),
    aux_fields=_AUX_8_1,
    role_synonyms=True,
)
VALKEY_9_1: Final = WireDialect(
    name="valkey-9.1",
    light_headers=True,
    extensions=extension_kinds(*_COMMON_KINDS, *_ADDRESS_KINDS, *_PORT_KINDS),
    aux_fields=_AUX_9_1,
    role_synonyms=True,
)
COMMON: Final = WireDialect(
    name="common",
    light_headers=True,
    extensions=COMMON_EXTENSIONS,
    aux_fields=_AUX_9_1,
    role_synonyms=True,
)
"""Reads what any release writes, and acts on what none of them means differently."""

WIRE_DIALECTS: Final = MappingProxyType(
    {dialect.name: dialect for dialect in (REDIS_7_0, REDIS_8_0, VALKEY_8_1, VALKEY_9_1)}
)


@clause("BU-30")
def wire_dialect(name: str) -> WireDialect:
    """The tables of the release; those that all can read for a dialect that is no release."""
    return WIRE_DIALECTS.get(name, COMMON)
