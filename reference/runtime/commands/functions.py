"""FUNCTION and FCALL: functions that clients load, which are data and reach replicas and files."""

from collections.abc import Mapping
from typing import Final

from reference.clauses import clause
from reference.core.slots import key_hash_slot
from reference.runtime.clients.arguments import CommandError
from reference.runtime.clients.session import Handler, Handlers, Session
from reference.runtime.commands.scripts import Run, Running, limit_s, own_session
from reference.runtime.libraries import LibraryError, Source
from reference.runtime.patterns import glob
from reference.runtime.replies import ClientReply, SetReply
from reference.runtime.scripts.functions import Library
from reference.runtime.scripts.known_scripts import Script
from reference.runtime.scripts.lua import NoLuaError, ScriptError
from reference.wire.rdb_dump import DumpFooterError
from reference.wire.rdb_functions import format_functions, parse_functions
from reference.wire.rdb_strings import RdbError
from reference.wire.resp import OK, ErrorReply, SimpleString

_HELP: Final = (
    ("DELETE <library>", "A library is gone."),
    ("DUMP", "A payload with all libraries, for RESTORE."),
    ("FLUSH [ASYNC|SYNC]", "All libraries are gone."),
    ("HELP", "Print these lines."),
    ("KILL", "End the function that runs; here none ever does."),
    ("LIST [LIBRARYNAME <pattern>] [WITHCODE]", "The libraries with their functions."),
    ("LOAD [REPLACE] <code>", "A library is there."),
    ("RESTORE <payload> [FLUSH|APPEND|REPLACE]", "The libraries of a payload are there."),
    ("STATS", "How many libraries and functions there are."),
)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def function_handlers(run: Run) -> Handlers:
    """The handlers of this module by command; functions' commands are carried out by `run`."""

    def call(session: Session, arguments: list[bytes]) -> ClientReply:
        return _call(session, arguments, run)

    handlers: dict[str, Handler] = {
        "fcall": call,
        "fcall_ro": call,
        "function|delete": delete,
        "function|dump": dump,
        "function|flush": flush,
        "function|help": _help,
        "function|kill": _kill,
        "function|list": list_libraries,
        "function|load": load,
        "function|restore": restore,
        "function|stats": _stats,
    }
    return {name: _answered(handler) for name, handler in handlers.items()}


def _answered(handler: Handler) -> Handler:
    """The same, but what cannot be is answered with an error."""

    def answer(session: Session, arguments: list[bytes]) -> ClientReply:
        try:
            return handler(session, arguments)
        except LibraryError as error:
            return ErrorReply(f"ERR {error}")
        except (NoLuaError, ScriptError) as error:
            return ErrorReply(str(error))

    return answer


def _tell(session: Session, *words: bytes) -> None:
    session.service.keyspace.tell([b"FUNCTION", *words])


def _library(session: Session, code: bytes, *, instead: frozenset[str]) -> Library:
    source = Source.parse(code)
    known = session.service.keyspace.libraries.get(source.name)
    if known is not None and source.name not in instead:
        raise LibraryError(f"Library '{source.name}' already exists")
    api = "server" if session.release.server == "valkey" else "redis"
    return session.service.functions.load(source, api, without=instead)


@clause("RP-14")
def load(session: Session, arguments: list[bytes]) -> ClientReply:
    """The library is there; its name. Counterpart: `functionLoadCommand`."""
    options, code = arguments[2:-1], arguments[-1]
    for option in options:
        if option.upper() != b"REPLACE":
            raise LibraryError(f"Unknown option given: {_text(option)}")
    instead = frozenset({Source.parse(code).name}) if options else frozenset[str]()
    library = _library(session, code, instead=instead)
    session.service.functions.keep(library)
    _tell(session, b"LOAD", b"REPLACE", code)
    return library.source.name


def delete(session: Session, arguments: list[bytes]) -> ClientReply:
    """The library is not there any more. Counterpart: `functionDeleteCommand`."""
    if not session.service.keyspace.libraries.remove(_text(arguments[2])):
        raise LibraryError("Library not found")
    _tell(session, b"DELETE", arguments[2])
    return OK


def flush(session: Session, arguments: list[bytes]) -> ClientReply:
    """There are no libraries. Counterpart: `functionFlushCommand`."""
    _check_count(arguments, 3)
    if len(arguments) == 3 and arguments[2].upper() not in (b"SYNC", b"ASYNC"):
        raise LibraryError("FUNCTION FLUSH only supports SYNC|ASYNC option")
    session.service.functions.forget()
    _tell(session, b"FLUSH")
    return OK


def _check_count(arguments: list[bytes], most: int) -> None:
    if len(arguments) > most:
        raise CommandError(
            "ERR unknown subcommand or wrong number of arguments for "
            f"'{_text(arguments[1])}'. Try FUNCTION HELP."
        )


@clause("RP-15")
def dump(session: Session, _arguments: list[bytes]) -> ClientReply:
    """A payload with all libraries. Counterpart: `functionDumpCommand`."""
    return format_functions(session.service.keyspace.libraries.codes)


@clause("RP-15")
def restore(session: Session, arguments: list[bytes]) -> ClientReply:
    """The libraries of the payload are there, all or none. Counterpart: `functionRestoreCommand`.

    APPEND refuses those that are there already, REPLACE takes their place, FLUSH that of all.
    """
    _check_count(arguments, 4)
    policy = arguments[3].upper() if len(arguments) == 4 else b"APPEND"
    if policy not in (b"FLUSH", b"APPEND", b"REPLACE"):
        raise LibraryError(
            "Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
        )
    try:
        codes = parse_functions(arguments[2])
    except DumpFooterError:
        raise LibraryError("DUMP payload version or checksum are wrong") from None
    except RdbError as error:
        raise LibraryError(error.reason) from None
    functions, libraries = session.service.functions, session.service.keyspace.libraries
    names = {Source.parse(code).name for code in codes}
    if policy == b"FLUSH":
        instead = frozenset(source.name for source in libraries)
    else:
        instead = frozenset(names) if policy == b"REPLACE" else frozenset()
    made: list[Library] = []
    for code in codes:
        library = _library(session, code, instead=instead)
        if any(library.names & other.names for other in made):
            raise LibraryError("failed loading the given functions payload")
        made.append(library)
    if policy == b"FLUSH":
        for name in instead:
            libraries.remove(name)
        _tell(session, b"FLUSH")
    for library in made:
        functions.keep(library)
        _tell(session, b"LOAD", b"REPLACE", library.source.code)
    return OK


def list_libraries(session: Session, arguments: list[bytes]) -> ClientReply:
    """The libraries with their functions. Counterpart: `functionListCommand`."""
    rest, pattern, with_code = arguments[2:], None, False
    while rest:
        word = rest.pop(0)
        if word.upper() == b"WITHCODE" and not with_code:
            with_code = True
        elif word.upper() == b"LIBRARYNAME" and pattern is None:
            if not rest:
                raise LibraryError("library name argument was not given")
            pattern = glob(rest.pop(0).lower())
        else:
            raise LibraryError(f"Unknown argument {_text(word)}")
    return [
        _described(library, with_code=with_code)
        for library in session.service.functions
        if pattern is None or pattern.fullmatch(library.source.name.lower().encode())
    ]


def _described(library: Library, *, with_code: bool) -> Mapping[bytes | str, ClientReply]:
    functions: list[ClientReply] = [
        {
            "name": each.declared.name,
            "description": each.declared.description,
            "flags": SetReply([SimpleString(flag) for flag in each.declared.flags]),
        }
        for each in library.functions
    ]
    described: dict[bytes | str, ClientReply] = {
        "library_name": library.source.name,
        "engine": "LUA",
        "functions": functions,
    }
    return described | {"library_code": library.source.code} if with_code else described


def _stats(session: Session, _arguments: list[bytes]) -> ClientReply:
    libraries = list(session.service.functions)
    counts: dict[bytes | str, ClientReply] = {
        "libraries_count": len(libraries),
        "functions_count": sum(len(library.functions) for library in libraries),
    }
    return {"running_script": None, "engines": {"LUA": counts}}


def _kill(_session: Session, _arguments: list[bytes]) -> ClientReply:
    """None runs when this is asked: a function ends by itself."""
    return ErrorReply("NOTBUSY No scripts in execution right now.")


def _help(_session: Session, _arguments: list[bytes]) -> ClientReply:
    lines = ["FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for usage, text in _HELP:
        lines += [usage, f"    {text}"]
    return [SimpleString(line) for line in lines]


@clause("RP-10", "RP-11", "RP-14")
def _call(session: Session, arguments: list[bytes], run: Run) -> ClientReply:
    """What the function answers; what it did is one change. Counterpart: `fcallCommandGeneric`."""
    function = session.service.functions.find(_text(arguments[1]))
    if function is None:
        raise LibraryError("Function not found")
    try:
        count = int(arguments[2]) if arguments[2].lstrip(b"-").isdigit() else None
    except ValueError:
        count = None
    if count is None:
        raise LibraryError("Bad number of keys provided")
    if count > len(arguments) - 3:
        raise LibraryError("Number of keys can't be greater than number of args")
    if count < 0:
        raise LibraryError("Number of keys can't be negative")
    reads_only, flags = arguments[0].lower() == b"fcall_ro", function.flags
    if "no-cluster" in flags:
        raise LibraryError("Can not run script on cluster, 'no-cluster' flag is set.")
    if reads_only and "no-writes" not in flags:
        raise LibraryError("Can not execute a script with write flag using *_ro command.")
    keys, values = arguments[3 : 3 + count], arguments[3 + count :]
    name = function.declared.name
    running = Running(
        session=own_session(session),
        script=Script(name=name, code=b"", flags=flags),
        reads_only="no-writes" in flags,
        run=run,
        slot=key_hash_slot(keys[0]) if keys else None,
    )
    lua = session.service.functions.lua
    with session.service.keyspace.together():
        try:
            return lua.call_function(function.place, keys, values, running.call, limit_s(session))
        except ScriptError as error:
            return ErrorReply(str(error).replace("{}", name))
