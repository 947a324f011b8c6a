"""The directives: what they may say, what they change, and how they are given.

Clauses: CM-19, CM-41, CM-D2, CM-D3, RT-24, RT-30, RT-34.
"""

import logging
from collections.abc import Iterator

import attrs
import pytest
from click.testing import CliRunner

from reference.core.rules import DIALECTS
from reference.core.settings import Settings
from reference.runtime.command_line import node as node_command
from reference.runtime.configuration.directives import (
    DIRECTIVES,
    DirectiveError,
    configured,
    directives_of,
    values,
)
from reference.runtime.options import NodeOptions
from tests.runtime.node_double import Client, NodeDouble, three_masters

OPTIONS = NodeOptions(port=7000, cport=17000)


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(NodeDouble(three_masters(rules=DIALECTS["valkey-9.1"])))
    yield client
    client.keyspace.close()


# What a new value of each directive is, and how it is shown.
CHANGED = {
    "availability-zone": "zone-1",
    "cluster-announce-client-ipv4": "10.0.0.1",
    "cluster-announce-client-ipv6": "fe80::1",
    "cluster-announce-hostname": "a-1.example",
    "cluster-announce-human-nodename": "first",
    "cluster-announce-ip": "10.0.0.2",
    "cluster-preferred-endpoint-type": "hostname",
}


@pytest.mark.parametrize("directive", DIRECTIVES, ids=lambda directive: directive.name)
def test_every_directive_is_shown_as_it_was_set(client: Client, directive: object) -> None:
    name = getattr(directive, "name")  # noqa: B009
    before = client(f"CONFIG GET {name}")[name]
    new = CHANGED.get(name, {"yes": "no", "no": "yes"}.get(before, "77"))

    assert client(f"CONFIG SET {name.upper()} {new}") == "OK"

    assert before != new
    assert client(f"CONFIG GET {name}") == {name: new}


def test_aliases_are_directives_too(client: Client) -> None:
    assert client("CONFIG SET cluster-slave-no-failover yes") == "OK"

    assert client("CONFIG GET *-no-failover") == {
        "cluster-replica-no-failover": "yes",
        "cluster-slave-no-failover": "yes",
    }
    both = "CONFIG SET cluster-slave-no-failover no cluster-replica-no-failover yes"
    assert client(both) == "OK"


# Redis 7.0.15 and Valkey 9.1.2 were seen to answer so.
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("cluster-node-timeout x", "argument couldn't be parsed into an integer"),
        ("cluster-node-timeout 01", None),
        ("cluster-node-timeout -1", "argument must be between 0 and 9223372036854775807 inclusive"),
        ("cluster-announce-port 70000", "argument must be between 0 and 65535 inclusive"),
        ("cluster-require-full-coverage x", "argument must be 'yes' or 'no'"),
        ("cluster-enabled no", "can't set immutable config"),
        ("cluster-node-timeout 1 cluster-node-timeout 1", "duplicate parameter"),
        (
            "cluster-announce-hostname a_b",
            "Hostnames may only contain alphanumeric characters, hyphens or dots",
        ),
        (
            "cluster-preferred-endpoint-type x",
            "argument(s) must be one of the following: ip, hostname, unknown-endpoint",
        ),
        ("cluster-announce-client-ipv4 x", "Invalid IPv4 address"),
        ("cluster-announce-client-ipv6 x", "Invalid IPv6 address"),
    ],
)
def test_values_are_refused_as_servers_refuse_them(
    client: Client, words: str, reason: str | None
) -> None:
    name = words.split(maxsplit=1)[0]
    text = reason or "argument couldn't be parsed into an integer"

    reply = client(f"CONFIG SET {words}")

    failed = f"ERR CONFIG SET failed (possibly related to argument '{name}')"
    assert reply == f"{failed} - {text}"


def test_names_that_no_release_or_another_knows_are_refused(client: Client) -> None:
    unknown = "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"
    assert client("CONFIG SET foo 1") == unknown
    assert client("CONFIG SET cluster-node-timeout 1 foo") == "ERR syntax error"
    assert client("CONFIG SET foo") == "ERR wrong number of arguments for 'config|set' command"

    old = dict(directives_of("redis-7.0"))

    assert "cluster-announce-human-nodename" not in old
    assert "availability-zone" not in dict(directives_of("valkey-8.1"))
    assert dict(directives_of("strict")) == dict(directives_of("valkey-9.1"))


def test_one_refused_value_changes_nothing(client: Client) -> None:
    words = "cluster-node-timeout 9 cluster-migration-barrier x"

    assert client(f"CONFIG SET {words}").startswith("ERR CONFIG SET failed")

    assert client("CONFIG GET cluster-node-timeout") == {"cluster-node-timeout": "1500"}


@pytest.mark.parametrize(
    "pair",
    [
        ("cluster-announce-ip", "a b"),
        ("cluster-announce-human-nodename", "a=b"),
        ("availability-zone", "a=b"),
        ("cluster-blacklist-ttl", "-1"),
        ("cluster-announce-hostname", "a" * 256),
    ],
)
def test_what_a_file_cannot_hold_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(DirectiveError, match=pair[0]):
        configured(OPTIONS, [pair])


def test_rules_and_delays_get_what_concerns_them() -> None:
    options = configured(
        OPTIONS,
        [
            ("cluster-require-full-coverage", "no"),
            ("cluster-migration-barrier", "3"),
            ("cluster-blacklist-ttl", "5"),
            ("cluster-manual-failover-timeout", "900"),
            ("cluster-message-gossip-perc", "80"),
        ],
    )

    assert options.settings == Settings(require_full_coverage=False, migration_barrier=3)
    assert options.directives.blacklist_ttl == 5000
    assert options.directives.manual_failover_timeout == 900
    assert options.directives.gossip_percent == 80
    assert OPTIONS.settings == Settings()


def test_no_directive_is_shown_twice_or_lacks_a_field() -> None:
    fields = {field.name for field in attrs.fields(NodeOptions)}

    assert len({directive.option for directive in DIRECTIVES}) == len(DIRECTIVES)
    assert {directive.option for directive in DIRECTIVES} <= fields
    assert values(OPTIONS)["cluster-port"] == "17000"


def test_every_directive_is_an_option_of_the_command() -> None:
    told = CliRunner().invoke(node_command, ["--help"]).output

    assert [d.name for d in DIRECTIVES if f"--{d.name}" not in told] == []
    refused = CliRunner().invoke(node_command, ["--cluster-migration-barrier", "x"])
    assert refused.exit_code == 2
    assert "cluster-migration-barrier" in refused.output
    assert "argument couldn't be parsed into an integer" in refused.output


def test_kept_directives_are_checked_kept_and_shown(client: Client) -> None:
    failed = "ERR CONFIG SET failed (possibly related to argument"
    assert client("CONFIG SET maxmemory 1mb timeout 5") == "OK"
    assert client("CONFIG GET maxmemory timeout") == {"maxmemory": "1048576", "timeout": "5"}
    assert client("CONFIG SET maxmemory 1x") == (
        f"{failed} 'maxmemory') - argument must be a memory value"
    )
    assert client("CONFIG SET timeout -1") == (
        f"{failed} 'timeout') - argument must be between 0 and 2147483647 inclusive"
    )
    assert client("CONFIG SET dir /") == f"{failed} 'dir') - can't set protected config"
    assert client("CONFIG SET databases 3") == f"{failed} 'databases') - can't set immutable config"
    assert client("CONFIG REWRITE") == "ERR The server is running without a config file"


def test_log_level_is_changed_only_by_its_own_directive(client: Client) -> None:
    root = logging.getLogger()
    before = root.level
    try:
        root.setLevel(logging.ERROR)
        assert client("CONFIG SET timeout 5") == "OK"
        assert root.level == logging.ERROR
        assert client("CONFIG SET loglevel debug") == "OK"
        assert root.level == logging.DEBUG
    finally:
        root.setLevel(before)
