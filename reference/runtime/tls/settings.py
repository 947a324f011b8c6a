"""TLS as the configuration says it: whose certificates a node shows, and whom it believes."""

import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.configuration.directives import kept_text
from reference.runtime.options import NodeOptions

_PROTOCOLS: Final = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}
_USUAL_PROTOCOLS: Final = "TLSv1.2 TLSv1.3"
_ASKED: Final = {"yes": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "no": ssl.CERT_NONE}


class TlsError(Exception):
    """Why there can be no TLS with this configuration, in one line for its operator."""


@attrs.frozen(kw_only=True)
class TlsContexts:
    """How connections begin: those of clients, and those between nodes from both ends."""

    clients: ssl.SSLContext
    bus: ssl.SSLContext  # that other nodes dial
    dialling: ssl.SSLContext


class Tls:
    """What a node uses at this moment; connections that stand keep what they began with."""

    def __init__(self) -> None:
        """There is no TLS."""
        self._contexts: TlsContexts | None = None

    @clause("RT-61")
    def load(self, options: NodeOptions) -> Callable[[], None]:
        """What the files of these options hold now, for new connections once it is called.

        TlsError, and all is as before, if that cannot be. Counterpart: `tlsConfigure`.
        """
        wanted = options.tls_port or options.tls_cluster or options.tls_replication
        return partial(self._use, _contexts(options) if wanted else None)

    def _use(self, contexts: TlsContexts | None) -> None:
        self._contexts = contexts

    @property
    def contexts(self) -> TlsContexts:
        """Those that were loaded; TlsError if there are none."""
        if self._contexts is None:
            raise TlsError("there is no TLS here")
        return self._contexts

    def for_bus(self, options: NodeOptions) -> ssl.SSLContext | None:
        """How another node's bus, or a node that takes keys, is dialled; None: without TLS."""
        return self.contexts.dialling if options.tls_cluster else None

    def for_master(self, options: NodeOptions) -> ssl.SSLContext | None:
        """How a master, or a node that gets whole slots, is dialled; None: without TLS."""
        return self.contexts.dialling if options.tls_replication else None


def changes_tls(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether any of these directives has to do with TLS."""
    return any(name.lower().startswith("tls-") for name, _ in pairs)


@clause("RT-60", "RT-61")
def _contexts(options: NodeOptions) -> TlsContexts:
    given = {name: kept_text(options, f"tls-{name}") for name in _READ}
    if not given["cert-file"]:
        raise TlsError("No tls-cert-file configured!")
    if not given["key-file"]:
        raise TlsError("No tls-key-file configured!")
    believes = given["ca-cert-file"] or given["ca-cert-dir"]
    asks = given["auth-clients"] != "no" or options.tls_cluster or options.tls_replication
    if asks and not believes:
        raise TlsError(
            "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, "
            "tls-replication or tls-auth-clients are enabled!"
        )
    bus = _context(ssl.PROTOCOL_TLS_SERVER, given)
    clients = _context(ssl.PROTOCOL_TLS_SERVER, given)
    bus.verify_mode = ssl.CERT_REQUIRED
    clients.verify_mode = _ASKED[given["auth-clients"]]
    dialling = _context(ssl.PROTOCOL_TLS_CLIENT, given)
    return TlsContexts(clients=clients, bus=bus, dialling=dialling)


_READ: Final = (
    "auth-clients",
    "ca-cert-dir",
    "ca-cert-file",
    "cert-file",
    "ciphers",
    "ciphersuites",
    "client-cert-file",
    "client-key-file",
    "client-key-file-pass",
    "dh-params-file",
    "key-file",
    "key-file-pass",
    "prefer-server-ciphers",
    "protocols",
)


def _context(protocol: int, given: Mapping[str, str]) -> ssl.SSLContext:
    """A context for one end. Counterpart: `createSSLContext`."""
    context = ssl.SSLContext(protocol)
    context.check_hostname = False  # nodes are dialled by their addresses, which change
    _speak(context, given["protocols"] or _USUAL_PROTOCOLS)
    _show(context, given, dials=protocol is ssl.PROTOCOL_TLS_CLIENT)
    if given["ca-cert-file"] or given["ca-cert-dir"]:
        _believe(context, given)
    if given["ciphers"]:
        try:
            context.set_ciphers(given["ciphers"])
        except ssl.SSLError:
            raise TlsError(f"Failed to configure ciphers: {given['ciphers']}") from None
    if given["ciphersuites"]:
        _choose_suites(context, given["ciphersuites"])
    if protocol is ssl.PROTOCOL_TLS_SERVER:
        if given["prefer-server-ciphers"] == "yes":
            context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        else:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        if given["dh-params-file"]:
            try:
                context.load_dh_params(given["dh-params-file"])
            except OSError as error:
                raise _unread("DH parameters", given["dh-params-file"], error) from None
    return context


def _speak(context: ssl.SSLContext, protocols: str) -> None:
    """Only these protocols are spoken. Counterpart: `parseProtocolsConfig`."""
    words = set(protocols.lower().split())
    if not words or not words <= _PROTOCOLS.keys():
        raise TlsError(
            "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' "
            "and 'TLSv1.3'."
        )
    names = list(_PROTOCOLS)
    chosen = [number for number, name in enumerate(names) if name in words]
    if len(chosen) <= chosen[-1] - chosen[0]:
        raise TlsError("tls-protocols with a gap cannot be had: name those in between too")
    context.minimum_version = _PROTOCOLS[names[chosen[0]]]
    context.maximum_version = _PROTOCOLS[names[chosen[-1]]]


def _show(context: ssl.SSLContext, given: Mapping[str, str], *, dials: bool) -> None:
    """The node shows this certificate, when it dials maybe another one."""
    other = "client-" if dials and given["client-cert-file"] else ""
    certificate, key = given[f"{other}cert-file"], given[f"{other}key-file"]
    if not key:
        raise TlsError("tls-client-cert-file and tls-client-key-file belong together")
    password = given[f"{other}key-file-pass"]
    for what, path in (("certificate", certificate), ("private key", key)):
        try:
            with open(path, "rb"):  # noqa: PTH123 - OpenSSL opens it, and does not say which
                pass
        except OSError as error:
            raise _unread(what, path, error) from None
    try:
        # Without a password of ours OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, lambda: password)
    except (OSError, ValueError) as error:
        raise _unread("certificate or private key", f"{certificate}, {key}", error) from None


def _believe(context: ssl.SSLContext, given: Mapping[str, str]) -> None:
    """Certificates are right if these authorities have signed them."""
    file, directory = given["ca-cert-file"] or None, given["ca-cert-dir"] or None
    try:
        context.load_verify_locations(file, directory)
    except OSError as error:
        raise _unread("CA certificate(s) file/directory", str(file or directory), error) from None


@clause("RT-65")
def _choose_suites(context: ssl.SSLContext, suites: str) -> None:
    """TLS 1.3 uses these suites, where this Python can be told so."""
    choose = getattr(context, "set_ciphersuites", None)
    if choose is None:
        raise TlsError("tls-ciphersuites cannot be set with this version of Python")
    try:
        choose(suites)
    except ssl.SSLError:
        raise TlsError(f"Failed to configure ciphersuites: {suites}") from None


def _unread(what: str, path: str, error: Exception) -> TlsError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return TlsError(f"Failed to load {what}: {path}: {reason}")
