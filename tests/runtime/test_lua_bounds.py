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
