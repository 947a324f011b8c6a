"""Patterns, searches and sorts of scripts: as Lua's own, and none keeps a script from its end.

Clauses: RP-12, RP-13.
"""

import random
from typing import Any

from lupa import lua51

from reference.runtime.scripts.lua_bounds import BOUNDS

_COMPARE = b"""
local made = bounds(function() end, 0)
local function told(fine, ...)
  local words = {tostring(fine), select('#', ...)}
  for place = 1, select('#', ...) do words[#words + 1] = tostring((select(place, ...))) end
  local text = table.concat(words, ' ')
  return (text:gsub('^false 1 .-:%d+: ', 'false 1 '))
end
local function each(gmatch, text, pattern)
  local found = {}
  for one, two in gmatch(text, pattern) do
    found[#found + 1] = tostring(one) .. ':' .. tostring(two)
    if #found > 50 then break end
  end
  return table.concat(found, ' ')
end
local ways = {
  function(of, text, pattern) return of.find(text, pattern) end,
  function(of, text, pattern, from) return of.find(text, pattern, from) end,
  function(of, text, pattern, from) return of.find(text, pattern, from, true) end,
  function(of, text, pattern, from) return of.match(text, pattern, from) end,
  function(of, text, pattern) return each(of.gmatch, text, pattern) end,
  function(of, text, pattern, from, with) return of.gsub(text, pattern, with) end,
  function(of, text, pattern, from, with) return of.gsub(text, pattern, with, from) end,
  function(of, text, pattern) return of.gsub(text, pattern, {a = 'x', ab = 1, b = false}) end,
  function(of, text, pattern)
    return of.gsub(text, pattern, function(one, two) return two or 'y' end)
  end,
}
return function(...)
  for number, way in ipairs(ways) do
    local own, real = told(pcall(way, made, ...)), told(pcall(way, string, ...))
    if own ~= real then return number .. ': ' .. own .. ' for ' .. real end
  end
end
"""

_PIECES = [
    "a", "b", "c", ".", "%a", "%d", "%z", "[ab]", "[^a]", "[%d-]", "[a-c]", "[]]", "%.", "%%", "-",
    "*", "+", "?", "-", "(", ")", "()", "(a)", "(.-)", "%1", "%2", "%0", "%b()", "%bab", "%f[ab]",
    "%f", "$", "^", "[", "%", "[^", "%b", "\0", "(", "a*", "b-", "%s*", "x?",
]  # fmt: skip
_CHARS = "aabbc1(). -\0%^"


def _made(source: bytes) -> Any:
    lua = lua51.LuaRuntime(encoding=None, unpack_returned_tuples=True)
    return lua.execute(BOUNDS + source)


def test_patterns_do_what_those_of_lua_do() -> None:
    compare = _made(_COMPARE)
    chance = random.Random(5)  # noqa: S311 - the same each time
    for _ in range(4000):
        pattern = "".join(chance.choices(_PIECES, k=chance.randint(0, 7)))
        text = "".join(chance.choices(_CHARS, k=chance.randint(0, 14)))
        with_ = "".join(chance.choices(["x", "%0", "%1", "%2", "%%", "%a"], k=chance.randint(0, 3)))
        given = (text.encode(), pattern.encode(), chance.randint(-4, 16), with_.encode())
        assert compare(*given) is None, given


_UNPACK = b"""
local _, own_table, own_unpack = bounds(function() end, 0)
local function counted(unpack)
  return function(first, last)
    local fine, result = pcall(function()
      return select('#', unpack({1, 2, 3}, first, last))
    end)
    return tostring(fine) .. ' ' .. tostring(result):gsub('^.-:%d+: ', '')
  end
end
return counted(own_unpack), counted(unpack), function(place)
  local fine, result = pcall(own_table.insert, {1, 2}, place, 0)
  return tostring(fine) .. ' ' .. tostring(result):gsub('^.-:%d+: ', '')
end
"""


def test_elements_are_counted_before_they_are_unpacked() -> None:
    ours, luas, insert = _made(_UNPACK)
    bounds = (None, 1, 3, -1, 2.9, b"2", 0, -2, 5, 2**32 + 1, 1e300, b"x", True)

    for first in bounds:
        for last in bounds:
            assert ours(first, last) == luas(first, last), (first, last)
    for first, last in ((-2, 2**31 - 1), (0, 2**31 - 1), (-(2**31), -2), (-(2**31), 2**31 - 1)):
        # Lua's own ends the process here.
        assert ours(first, last) == b"false too many results to unpack"
    assert ours(1, 7000) == b"true 7000"
    assert insert(-(2**31)) == b"false not enough memory"
    assert insert(1) == b"true nil"
