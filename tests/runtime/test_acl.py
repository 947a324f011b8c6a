"""Users of a node, asked by its clients: what they may do, and what becomes of them.

Replies are those of Redis 7.0.15 and Valkey 9.1.2, taken from running servers.

Clauses: US-1, US-3, US-4, US-6, US-7, US-8, US-9, US-10, US-11, CM-85, RT-34.
"""

from pathlib import Path
from typing import Any

import attrs
import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1, Rules
from reference.runtime.commands.dispatch import execute
from reference.runtime.configuration.file import with_users
from reference.runtime.options import NodeOptions
from reference.runtime.server_options import ConfigFileError, started_with
from reference.runtime.serving.plain import is_plain
from reference.runtime.users.users import AclError, Users
from tests.runtime.room import Room

OPTIONS = NodeOptions(port=7000, cport=17000)
GONE, NOTHING = "<aborted>", "$-1"


@pytest.fixture(params=[REDIS_7_0, VALKEY_9_1], ids=lambda rules: rules.dialect)
def room(request: pytest.FixtureRequest) -> Room:
    return Room(request.param)


def refused(room: Room, command: str) -> str:
    """The error for a command that the user `u` may not have."""
    if room.node.state.rules is REDIS_7_0:
        return f"-NOPERM this user has no permissions to run the '{command}' command"
    return f"-NOPERM User u has no permissions to run the '{command}' command"


def come_in(room: Room, number: int, rules: str) -> None:
    """The client is the user `u`, who is made by these rules."""
    assert room(9, f"ACL SETUSER u {rules}") == "+OK"
    assert room(number, "AUTH u pw") == "+OK"


def test_who_has_come_in_may_do_what_the_user_may(room: Room) -> None:
    come_in(room, 1, "on >pw ~bar* +get +acl|whoami")

    assert room(1, "ACL WHOAMI") == "u"
    assert room(1, "GET bar") == NOTHING
    assert room(1, "SET bar 1") == refused(room, "set")
    assert room(1, "ACL LIST") == refused(room, "acl|list")
    assert "key" in room(1, "GET {bar}x")
    assert "user=u " in room(9, "CLIENT LIST")
    assert room(9, "SET bar 1") == "+OK"


def test_a_refused_command_spoils_the_transaction(room: Room) -> None:
    come_in(room, 1, "on >pw ~bar* +get +@transaction")
    room(1, "MULTI")

    assert room(1, "SET bar 1") == refused(room, "set")
    assert room(1, "EXEC").startswith("-EXECABORT")


def test_what_was_queued_is_looked_at_again(room: Room) -> None:
    come_in(room, 1, "on >pw ~bar* +get +@transaction")
    room(1, "MULTI")
    room(1, "GET bar")
    room(9, "ACL SETUSER u -get")

    reply = room(1, "EXEC")

    assert "NOPERM ACLs rules changed between" in reply
    assert reply.endswith("no permission to execute the command or subcommand")


@pytest.mark.parametrize(
    ("command", "fill", "had"),
    [
        ("BLPOP bar 0", "RPUSH bar x", "*2 bar x"),
        ("BLMOVE bar bar LEFT LEFT 0", "RPUSH bar x", "x"),
        ("BZPOPMIN bar 0", "ZADD bar 1 x", "*3 bar x 1"),
        ("XREAD BLOCK 0 STREAMS bar 0", "XADD bar 1-1 f v", "*1 *2 bar *1 *2 1-1 *2 f v"),
    ],
)
def test_who_waits_is_looked_at_again(room: Room, command: str, fill: str, had: str) -> None:
    come_in(room, 1, "on >pw ~bar* +@all")
    room(1, command)
    room(9, f"ACL SETUSER u -{command.split(maxsplit=1)[0]}")
    before = room(9, "EXISTS bar")

    room(9, fill)

    later = room.node.state.rules is not REDIS_7_0
    assert before == ":0"
    assert room.heard(1) == (refused(room, command.split(maxsplit=1)[0].lower()) if later else had)
    assert len(room.service.waits) == 0
    assert ("reason command" in room(9, "ACL LOG")) == later


def test_who_waits_and_may_do_so_still_is_served(room: Room) -> None:
    come_in(room, 1, "on >pw ~bar* +blpop")
    room(1, "BLPOP bar 0")
    room(9, "ACL SETUSER u -get +set")

    room(9, "RPUSH bar x")

    assert room.heard(1) == "*2 bar x"


def test_scripts_do_no_more_than_their_client(room: Room) -> None:
    come_in(room, 1, "on >pw ~bar* +@all")
    script = [b"EVAL", b"return redis.pcall('GET','{bar}x')", b"0"]

    reply: Any = execute(room.session(1), script)

    assert reply.text.startswith(
        "ERR The user executing the script can't access at least one of the keys"
        if room.node.state.rules is REDIS_7_0
        else "ERR ACL failure in script: No permissions to access a key"
    )


def test_plain_requests_are_looked_at_as_soon_as_a_user_changes(room: Room) -> None:
    come_in(room, 1, "on >pw allkeys allchannels +@all")
    assert is_plain(room.session(1))
    room.session(1).plain = True

    room(9, "ACL SETUSER u -get")

    assert not room.session(1).plain
    assert not is_plain(room.session(1))
    assert room(1, "GET bar") == refused(room, "get")


def test_users_who_are_removed_take_their_clients_with_them(room: Room) -> None:
    come_in(room, 1, "on >pw")
    come_in(room, 2, "on >pw")

    assert room(9, "ACL DELUSER u nobody") == ":1"
    assert (room.heard(1), room.heard(2), room.heard(9)) == (GONE, GONE, "")
    assert room(1, "AUTH u pw").startswith("-WRONGPASS")
    assert room(9, "ACL DELUSER default") == "-ERR The 'default' user cannot be removed"


def test_who_removes_himself_has_the_reply(room: Room) -> None:
    come_in(room, 1, "on >pw +@all")

    assert room(1, "ACL DELUSER u") == ":1"
    assert room.session(1).closing
    assert room.heard(1) == ""


def test_who_listens_to_what_he_may_not_hear_any_more_is_gone(room: Room) -> None:
    for number, line in enumerate(("SUBSCRIBE c", "PSUBSCRIBE c*", "SSUBSCRIBE bar", "PING"), 1):
        come_in(room, number, "on >pw +@all &c &c* &bar")
        room(number, line)

    room(9, "ACL SETUSER u &more")
    assert [room.heard(number) for number in (1, 2, 3, 4)] == [""] * 4

    room(9, "ACL SETUSER u resetchannels &c*")
    assert [room.heard(number) for number in (1, 2, 3, 4)] == ["", "", GONE, ""]

    room(9, "ACL SETUSER u resetchannels &c")
    assert [room.heard(number) for number in (1, 2, 4)] == ["", GONE, ""]


def test_a_password_is_asked_for_as_long_as_default_needs_one(room: Room) -> None:
    room(9, "ACL SETUSER default >pw")
    room.session(1).authenticated = False
    assert room(1, "GET bar").startswith("-NOAUTH")
    assert room(1, "AUTH default no").startswith("-WRONGPASS")

    room(9, "ACL SETUSER default nopass")
    assert room(1, "GET bar") == NOTHING

    room(9, "ACL SETUSER default off")
    assert room(1, "GET bar").startswith("-NOAUTH")


def test_the_log_counts_what_is_the_same(room: Room) -> None:
    room.node.options = attrs.evolve(OPTIONS, kept={"acllog-max-len": "2"})
    come_in(room, 1, "on >pw ~bar* +get")
    for line in ("SET bar 1", "GET {bar}", "SET bar 1", "AUTH nobody x", "DEL bar"):
        room(1, line)

    told: Any = execute(room.session(9), [b"ACL", b"LOG"])

    assert [(each["count"], each["reason"], each["object"]) for each in told] == [
        (1, "command", b"del"),
        (1, "auth", b"AUTH"),
    ]
    assert told[1]["username"] == b"nobody"
    assert "user=u" in told[0]["client-info"]
    later = {"entry-id", "timestamp-created", "timestamp-last-updated"}
    assert later.isdisjoint(told[0]) == (room.node.state.rules is REDIS_7_0)
    assert room(9, "ACL LOG RESET") == "+OK"
    assert room(9, "ACL LOG") == "*0"


def test_slow_requests_are_kept_without_passwords(room: Room) -> None:
    room.node.options = attrs.evolve(OPTIONS, kept={"slowlog-log-slower-than": "0"})
    for line in ("ACL SETUSER u >secret", "AUTH u secret", "HELLO 2 AUTH u secret"):
        room(9, line)

    told = room(9, "SLOWLOG GET 10")

    assert "secret" not in told
    assert told.count("(redacted)") == 6


def with_file(tmp_path: Path, text: str) -> NodeOptions:
    """Options whose users are in a file of this text."""
    (tmp_path / "users.acl").write_text(text)
    return attrs.evolve(OPTIONS, directory=tmp_path, kept={"aclfile": "users.acl"})


def started(rules: Rules, options: NodeOptions) -> Room:
    """A room whose node has begun with these options."""
    made = Room(rules)
    made.node.options = options
    made.service.users = Users(rules.dialect, options)
    return made


def test_users_come_from_a_file_and_go_back_into_it(tmp_path: Path) -> None:
    options = with_file(tmp_path, "user u on nopass +get ~x\n\nuser v off (+set ~y)\n")
    room = started(VALKEY_9_1, options)

    assert room(9, "ACL USERS") == "*3 default u v"
    room(9, "ACL DELUSER u")
    assert room(9, "ACL SAVE") == "+OK"
    assert (tmp_path / "users.acl").read_text() == (
        "user default on nopass ~* &* +@all\n"
        "user v off resetchannels -@all (~y resetchannels -@all +set)\n"
    )


@pytest.mark.parametrize(("rules", "stays"), [(REDIS_7_0, False), (VALKEY_9_1, True)])
def test_a_file_is_loaded_again(tmp_path: Path, rules: Rules, stays: bool) -> None:  # noqa: FBT001
    options = with_file(tmp_path, "user u on >pw +@all ~* &c\nuser gone on >pw\n")
    room = started(rules, options)
    room(1, "AUTH u pw")
    room(2, "AUTH gone pw")
    with_file(tmp_path, "user u on >pw +@all &c\nuser default on >x ~* &* +@all\n")

    assert room(9, "ACL LOAD") == "+OK"

    assert (room.heard(1), room.heard(2)) == ("" if stays else GONE, GONE)
    assert room(9, "ACL USERS") == "*2 default u"
    if stays:
        assert "key" in room(1, "GET bar")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("use u", "{}:1 should start with user keyword followed by the username. "),
        ("user u\nuser u", "WARNING: Duplicate user 'u' found on line 2. "),
        ("user u on foo bar", "{}:1: Syntax error. "),
        ("user u +foo", "{}:1: Error in applying operation '+foo': Unknown command or category "),
        ("user u (+get", "{}:1: Unmatched parenthesis in selector definition."),
        ("user u\tv on", "'{}:1: username 'u\tv' contains invalid characters. "),
    ],
)
def test_a_file_with_a_mistake_changes_nothing(tmp_path: Path, text: str, told: str) -> None:
    room = started(VALKEY_9_1, with_file(tmp_path, "user u on nopass"))
    path = tmp_path / "users.acl"
    path.write_text(text)

    reply = room(9, "ACL LOAD")

    assert reply.startswith("-ERR " + told.format(path))
    assert reply.endswith("no change to the previously active ACL rules was performed")
    assert room(9, "ACL USERS") == "*2 default u"
    with pytest.raises(AclError, match=r"^Aborting startup because of ACL errors: "):
        Users("valkey-9.1", room.node.options)


def test_a_pattern_for_all_keys_may_stand_beside_others(tmp_path: Path) -> None:
    room = started(VALKEY_9_1, with_file(tmp_path, ""))
    room(9, "ACL SETUSER u %R~* %W~* ~b")

    assert room(9, "ACL SAVE") == "+OK"
    assert room(9, "ACL LOAD") == "+OK"
    assert b"%RW~* ~b" in room.service.users.lines()[1]


def test_without_a_file_there_is_nothing_to_load(room: Room, tmp_path: Path) -> None:
    assert "is not configured to use an ACL file" in room(9, "ACL LOAD")
    assert "is not configured to use an ACL file" in room(9, "ACL SAVE")
    lost = attrs.evolve(OPTIONS, directory=tmp_path, kept={"aclfile": "nowhere/x"})
    with pytest.raises(AclError, match=r"opening file '.*x': No such file or directory"):
        Users("redis-7.0", lost)


def test_users_come_from_lines_of_the_configuration() -> None:
    text = (
        "cluster-enabled yes\nrequirepass pw\nacl-pubsub-default allchannels\n"
        "user alice on >pw ~* +@all (+get ~x)\nuser bob\n"
    )
    users = Users("redis-7.0", started_with(text, None, cluster_enabled=False))

    assert [user.name for user in users] == [b"alice", b"bob", b"default"]
    assert users.lines()[1] == b"user bob off &* -@all"
    assert not users.open
    assert users.authenticated(b"alice", b"pw") is not None
    assert users.authenticated(b"bob", b"pw") is None
    assert users.authenticated(b"default", b"pw") is not None


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("user x foo", "Error in user declaration 'foo': Syntax error"),
        ("user x (+get", "Error in user declaration '(+get': Wrong format"),
        ("user x\nuser x", "Error in user declaration 'x': Duplicate user found. "),
        ("user", "Bad directive or wrong number of arguments"),
    ],
)
def test_lines_that_no_node_can_start_with(lines: str, reason: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        started_with(f"cluster-enabled yes\n{lines}\n", None, cluster_enabled=False)

    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("users", "kept", "told"),
    [
        ((("x", "+nocmd"),), {}, "Error loading ACL rule '\\+nocmd' for the user named 'x': Unkn"),
        ((("a b", "on"),), {}, "Spaces not allowed in ACL usernames"),
        ((("x", "on"),), {"aclfile": "users.acl"}, "but not both"),
    ],
)
def test_users_that_no_node_can_start_with(
    users: tuple[tuple[str, ...], ...], kept: dict[str, str], told: str
) -> None:
    with pytest.raises(AclError, match=told):
        Users("valkey-9.1", attrs.evolve(OPTIONS, users=users, kept=kept))


def test_a_configuration_is_written_back_with_its_users() -> None:
    text = "port 1\nuser a on\n# b\nuser b on\ntimeout 3\n"

    assert with_users(text, ["user c", "user d", "user e"]) == (
        "port 1\nuser c\n# b\nuser d\ntimeout 3\nuser e\n"
    )
    assert with_users(text, []) == "port 1\n# b\ntimeout 3\n"


def test_a_new_password_is_that_of_default(room: Room) -> None:
    room(9, "ACL SETUSER default >other")
    room(9, "CONFIG SET maxmemory 0")
    assert room(1, "AUTH other") == "+OK"

    room(9, "CONFIG SET requirepass pw")
    assert room(1, "AUTH other").startswith("-WRONGPASS")
    assert room(1, "AUTH pw") == "+OK"


def test_nobody_needs_permission_to_come_in(room: Room) -> None:
    come_in(room, 1, "on >pw")

    assert room(1, "AUTH default x") == "+OK"
    room(1, "AUTH u pw")
    assert room(1, "RESET") == "+RESET"
    assert room(1, "ACL WHOAMI") == "default"
