"""The form of the configuration: lines, quotes, arguments, files inside files.

Clauses: RT-30, RT-31, RT-32, RT-34.
"""

from pathlib import Path

import pytest

from reference.runtime.configuration.directives import values
from reference.runtime.configuration.file import (
    ConfigLineError,
    config_text,
    quoted,
    reads_stdin,
    rewritten,
    split_words,
)
from reference.runtime.configuration.kept_directives import kept_directives
from reference.runtime.options import NodeOptions, OptionError
from reference.runtime.server_options import ConfigFileError, started_with


def _options(*lines: str) -> NodeOptions:
    return started_with("\n".join(lines), None, cluster_enabled=True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("port 7000", ["port", "7000"]),
        ("  port\t7000 \r", ["port", "7000"]),
        ('save ""', ["save", ""]),
        ("logfile ''", ["logfile", ""]),
        (r'a "x y\n\x41\"" ', ["a", 'x y\nA"']),
        (r"a 'it\'s \n'", ["a", r"it's \n"]),
        ("port 7000 # x", ["port", "7000", "#", "x"]),
    ],
)
def test_words_are_split_as_servers_split_them(line: str, words: list[str]) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize("line", ['a "b', "a 'b", 'a "b"c', r'a "b\"'])
def test_quotes_that_do_not_match_are_refused(line: str) -> None:
    with pytest.raises(ConfigLineError, match="Unbalanced quotes"):
        split_words(line)


@pytest.mark.parametrize("text", ["", "a b", 'a"b\\', "tab\t", "\x01"])
def test_quoted_text_is_one_word_again(text: str) -> None:
    assert split_words(quoted(text)) == [text]


def test_arguments_follow_the_file_and_count_more(tmp_path: Path) -> None:
    conf = tmp_path / "c.conf"
    conf.write_text("port 7000\nmaxmemory 5mb\n")

    path, text = config_text([str(conf), "--port", "7001", "--maxclients 5", "-"], "timeout 9\n")
    options = started_with(text, path, cluster_enabled=True)

    assert options.port == 7001
    assert options.cport == 17001
    assert options.config_file == conf
    assert options.kept == {"maxmemory": "5242880", "timeout": "9", "maxclients": "5"}


def test_lines_of_save_add_up_until_an_empty_one() -> None:
    assert values(_options("save 900 1", "save 60 2"))["save"] == "900 1 60 2"
    assert values(_options("save 900 1", 'save ""', "save 60 2"))["save"] == "60 2"
    assert values(_options("port 7000"))["save"] == ""


def test_dash_is_standard_input() -> None:
    assert reads_stdin(["-"])
    assert reads_stdin(["c.conf", "--port", "7", "-"])
    assert not reads_stdin(["c.conf", "--port", "7"])
    assert not reads_stdin([])


def test_included_files_stand_where_they_are_named(tmp_path: Path) -> None:
    inner = tmp_path / "inner.conf"
    inner.write_text("port 7005\ntimeout 3\n")

    assert _options("port 7000", f"include {inner}").port == 7005
    assert _options(f"include {inner}", "port 7000").port == 7000
    with pytest.raises(OSError, match="nofile"):
        _options("include nofile.conf")
    inner.write_text(f"include {inner}\n")
    with pytest.raises(ConfigFileError, match="include each other"):
        _options(f"include {inner}")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("foo bar", "Bad directive"),
        ("cluster-enabled maybe", "argument must be 'yes' or 'no'"),
        ("port 99999", "between 0 and 65535"),
        ("loglevel foo", "debug, verbose, notice, warning, nothing"),
        ("bind ''", "an address to listen on is needed"),
        ("bind", "an address to listen on is needed"),
        ("rename-command GET x", "not served by slotproof"),
        ("dialect redis-1", "must be one of the following"),
        ('logfile "x', "Unbalanced quotes"),
    ],
)
def test_lines_that_cannot_be_meant_are_refused_with_their_number(line: str, reason: str) -> None:
    with pytest.raises(ConfigFileError, match=reason) as refused:
        _options("port 7000", line)

    assert refused.value.line.number == 2
    assert refused.value.line.text == line


def test_dialect_decides_which_directives_there_are() -> None:
    assert _options("cluster-ping-interval 5", "dialect valkey-9.1").ping_interval_ms == 5
    with pytest.raises(ConfigFileError, match="Bad directive"):
        _options("cluster-ping-interval 5", "dialect redis-7.0")


def test_only_nodes_of_a_cluster_with_ports_are_served() -> None:
    with pytest.raises(OptionError, match="cluster-enabled yes is needed"):
        _options("cluster-enabled no")
    with pytest.raises(OptionError, match="cluster-enabled yes is needed"):
        started_with("port 7000", None, cluster_enabled=False)
    with pytest.raises(OptionError, match="port 0"):
        _options("port 0")
    with pytest.raises(OptionError, match="port 60000 is too high"):
        _options("port 60000")
    assert _options("port 60000", "cluster-port 7").cport == 7


@pytest.mark.parametrize(
    ("line", "addresses"),
    [
        ("bind 127.0.0.1 -::1", "127.0.0.1 -::1"),
        ("bind -::1 10.0.0.1 10.0.0.2 -10.0.0.1", "10.0.0.1 -::1 10.0.0.2"),
        ("bind -::1", "::1"),
        ("bind localhost", "127.0.0.1"),
        ("bind * -::*", "0.0.0.0 -::"),
        ("timeout 0", "127.0.0.1"),
    ],
)
def test_the_first_address_without_a_dash_is_the_node_s_own(line: str, addresses: str) -> None:
    options = _options(line)

    assert options.bind == addresses.split(maxsplit=1)[0]
    assert values(options)["bind"] == addresses


def test_kept_directives_are_shown_with_all_their_names() -> None:
    shown = values(_options("slave-serve-stale-data no", "hash-max-ziplist-entries 9"))

    assert shown["replica-serve-stale-data"] == shown["slave-serve-stale-data"] == "no"
    assert shown["hash-max-listpack-entries"] == shown["hash-max-ziplist-entries"] == "9"
    assert kept_directives("valkey-9.1").keys() <= shown.keys()
    assert "sanitize-dump-payload" in kept_directives("redis-7.0")


def test_values_of_several_words_are_written_without_quotes() -> None:
    new = rewritten("", {"save": "1 1 2 2", "timeout": "", "a": "x y"}, {"a", "save"}, {"save"})

    assert new == '\n\n# Generated by CONFIG REWRITE\na "x y"\nsave 1 1 2 2\n'


def test_rewriting_keeps_comments_and_ends_repeated_lines() -> None:
    old = "# a\nsave 1 1\nsave 2 2\ninclude x\n"

    new = rewritten(old, {"save": "3 3", "timeout": "4", "port": "5"}, {"timeout"})

    assert new == '# a\nsave "3 3"\ninclude x\n\n# Generated by CONFIG REWRITE\ntimeout 4\n'
    assert rewritten(new, {"save": "3 3", "timeout": "4", "port": "5"}, {"timeout"}) == new
    more = rewritten(new, {"save": "3 3", "timeout": "4", "port": "5"}, {"timeout", "port"})
    assert more == new + "port 5\n"
