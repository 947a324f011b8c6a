"""What a script finds around it, in Lua."""

from typing import Final

from reference.runtime.scripts.lua_bounds import BOUNDS

_AROUND: Final = b"""
local call, log, sha1hex, encode, decode, over, known_flag, wrong_name, packing = ...
local getinfo, sethook, setenv, load = debug.getinfo, debug.sethook, setfenv, loadstring
local null = newproxy()
local guarded = {}

local ended = false
local too_long = 'ERR the script ran for too long and was ended'
local function ask()
  if over() then
    ended = true
    error({err = too_long})
  end
end
local own_string, own_table, own_unpack = bounds(ask, 10000000)

local function refuse() error('Attempt to modify a readonly table', 2) end
local function guard(members)
  local made = setmetatable({}, {__index = members, __newindex = refuse, __metatable = false})
  guarded[made] = true
  return made
end

local function copy(from, without, instead)
  local made = {}
  for name, member in pairs(from) do if not without[name] then made[name] = member end end
  for name, member in pairs(instead or {}) do made[name] = member end
  return guard(made)
end

local user, from = '@user_script', 1  -- the name of what runs, and where it begins
local function placed(err)
  local level = 2
  local place = getinfo(level, 'Sl')
  while place and place.source ~= user do
    level = level + 1
    place = getinfo(level, 'Sl')
  end
  -- A call that a function ends with takes the place of that function.
  place = place or {source = user, currentline = from}
  if not rawget(err, 'source') then
    rawset(err, 'source', place.source)
    rawset(err, 'line', place.currentline)
  end
  return err
end

local redis = {LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
               REPL_ALL = 3, REPL_AOF = 1, REPL_REPLICA = 2, REPL_SLAVE = 2, REPL_NONE = 0}
local function build(kind, value)
  if kind == 'list' then
    local made = {}
    for place = 1, value.n do made[place] = build(value[2 * place - 1], value[2 * place]) end
    return made
  end
  if kind == 'nothing' then return false end
  if kind == 'ok' or kind == 'err' then return {[kind] = value} end
  return value
end
function redis.call(...)
  local reply = build(call(...))
  if type(reply) == 'table' and reply.err then error(placed(reply)) end
  return reply
end
function redis.pcall(...)
  local reply = build(call(...))
  if type(reply) == 'table' and reply.err then return placed(reply) end
  return reply
end
local function text_of(given)
  if type(given) ~= 'string' then error({err = 'ERR wrong number or type of arguments'}) end
  return given
end
function redis.error_reply(text)
  text = text_of(text):gsub('^-', '')
  if not text:find(' ', 1, true) then text = 'ERR ' .. text end
  return {err = text}
end
function redis.status_reply(text) return {ok = text_of(text)} end
function redis.sha1hex(text) return sha1hex(tostring(text)) end
function redis.log(level, ...)
  local words = {...}
  for place, word in ipairs(words) do words[place] = tostring(word) end
  log(level, table.concat(words, ' '))
end
function redis.replicate_commands() return true end
function redis.set_repl() end
function redis.setresp(version)
  if version ~= 2 then error({err = 'ERR scripts are answered in version 2 of the protocol'}) end
end

local function nulls(value)
  if type(value) ~= 'table' then return value end
  for name, member in pairs(value) do
    if member == '\\0null' then value[name] = null else nulls(member) end
  end
  return value
end
local cjson = {null = null}
local function plain(value, depth)
  if depth > 1000 then error('Cannot serialise, excessive depth', 0) end
  if value == null then return 'null' end
  local kind = type(value)
  if kind == 'string' then return encode(value) end
  if kind == 'boolean' then return tostring(value) end
  if kind == 'nil' then return 'null' end
  if kind == 'number' then
    if value ~= value or value == 1 / 0 or value == -1 / 0 then
      error('Cannot serialise number: must not be NaN or Inf', 0)
    end
    return (('%.14g'):format(value))
  end
  if kind ~= 'table' then error('Cannot serialise ' .. kind .. ': type not supported', 0) end
  local last, count = 0, 0
  for name in pairs(value) do
    count = count + 1
    if type(name) == 'number' and name > 0 and name % 1 == 0 then
      if name > last then last = name end
    else
      last = -1
      break
    end
  end
  local parts = {}
  if last > 0 and last <= 2 * count + 10 then
    for place = 1, last do parts[place] = plain(value[place], depth + 1) end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  for name, member in pairs(value) do
    parts[#parts + 1] = encode(tostring(name)) .. ':' .. plain(member, depth + 1)
  end
  return '{' .. table.concat(parts, ',') .. '}'
end
function cjson.encode(value) return plain(value, 1) end
function cjson.decode(text)
  local value, problem = decode(tostring(text))
  if problem then error(problem, 0) end
  if value == '\\0null' then return null end
  return nulls(value)
end

local function checked(problem, ...)
  if problem then error(problem, 3) end
  return ...
end
local function library_of(name)
  local made = {}
  for member, whole in pairs(packing[name]) do
    made[member] = function(...) return checked(whole(...)) end
  end
  return guard(made)
end

local allowed = {
  assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs,
  rawequal = rawequal, rawget = rawget, select = select, tonumber = tonumber,
  tostring = tostring, type = type, unpack = own_unpack, _VERSION = _VERSION,
  string = copy(string, {dump = true}, own_string), table = copy(table, {}, own_table),
  math = copy(math, {randomseed = true}),
  redis = guard(redis), server = guard(redis), cjson = guard(cjson),
  os = guard({clock = os.clock}),
  cmsgpack = library_of('cmsgpack'), struct = library_of('struct'), bit = library_of('bit'),
}
function allowed.getmetatable(value)
  return type(value) == 'table' and getmetatable(value) or nil
end
function allowed.setmetatable(value, meta)
  if guarded[value] then error('Attempt to modify a readonly table', 2) end
  return setmetatable(value, meta)
end
function allowed.rawset(value, name, member)
  if guarded[value] then error('Attempt to modify a readonly table', 2) end
  return rawset(value, name, member)
end
function allowed.collectgarbage(what)
  if what == 'count' then return collectgarbage('count') end
  return 0
end
getmetatable('').__index = allowed.string

local function unless_ended(...)
  if ended then error({err = too_long}) end  -- no pcall of a script goes on after its end
  return ...
end
function allowed.pcall(...) return unless_ended(pcall(...)) end
local function handled(handler, fine, ...)
  if fine then return true, ... end
  return false, handler(...)  -- not where the error is: hooks do not work there
end
function allowed.xpcall(code, handler) return handled(handler, allowed.pcall(code)) end

local function compile(code, source)
  sethook()
  user, from = source or '@user_script', 1
  if code:byte(1) == 27 then return nil, 'compiled code is not taken' end
  return load(code, user)
end
function allowed.loadstring(code, name)
  if type(code) ~= 'string' or code:byte(1) == 27 then
    return nil, 'compiled code is not taken'
  end
  local made, problem = load(code, name)
  if made then setenv(made, getfenv(2)) end
  return made, problem
end

local function told(err)
  if type(err) ~= 'table' then err = {err = 'ERR ' .. tostring(err)} end
  return placed(err)
end

local function strict(names)
  local world = setmetatable({}, {
    __index = function(_, name)
      local member = names[name]
      if member == nil then
        error("Script attempted to access nonexistent global variable '"
              .. tostring(name) .. "'", 2)
      end
      return member
    end,
    __newindex = refuse, __metatable = false})
  guarded[world] = true
  return world
end

local function watched(made)
  ended = false
  sethook(ask, '', 1000)
  local fine, result = xpcall(made, told)
  sethook()
  return fine, result
end

local function run(code, keys, values)
  local made, problem = compile(code)
  if not made then return false, {err = problem, compiling = true} end
  setenv(made, strict(setmetatable({KEYS = keys, ARGV = values}, {__index = allowed})))
  return watched(made)
end
"""

_LIBRARIES: Final = b"""
local function fail(text) error({err = 'ERR ' .. text}) end
local function name_of(given, problem)
  if type(given) ~= 'string' and type(given) ~= 'number' then fail(problem) end
  return tostring(given)
end
local function flags_of(given, api)
  if type(given) ~= 'table' then
    fail('flags argument to ' .. api
         .. '.register_function must be a table representing function flags')
  end
  local flags = {}
  for place, flag in ipairs(given) do
    if type(flag) ~= 'string' or not known_flag(flag) then fail('unknown flag given') end
    flags[place] = flag
  end
  return flags
end
local function by_name(given, api)
  local of, made = api .. '.register_function', {flags = {}}
  if type(given) ~= 'table' then
    fail('calling ' .. of .. ' with a single argument is only applicable to Lua table '
         .. '(representing named arguments).')
  end
  for key, value in pairs(given) do
    key = tostring(key):lower()
    if key == 'function_name' then
      made.name = name_of(value, 'function_name argument given to ' .. of .. ' must be a string')
    elseif key == 'description' then
      made.description =
        name_of(value, 'description argument given to ' .. of .. ' must be a string')
    elseif key == 'callback' then
      if type(value) ~= 'function' then
        fail('callback argument given to ' .. of .. ' must be a function')
      end
      made.callback = value
    elseif key == 'flags' then made.flags = flags_of(value, api)
    else fail('unknown argument given to ' .. of) end
  end
  if not made.name then fail(of .. ' must get a function name argument') end
  if not made.callback then fail(of .. ' must get a callback argument') end
  return made
end
local function by_place(name, callback, api)
  local of = api .. '.register_function'
  name = name_of(name, 'first argument to ' .. of .. ' must be a string')
  if type(callback) ~= 'function' then
    fail('second argument to ' .. of .. ' must be a function')
  end
  return {name = name, callback = callback, flags = {}}
end

local libraries = {}
local function library(code, number, api)
  local made, problem = compile(code, '@user_function')
  if not made then return false, {err = problem, compiling = true} end
  local found, loading = {}, true
  local members = {log = redis.log, REDIS_VERSION = '7.0.15', REDIS_VERSION_NUM = 458767}
  for name, value in pairs(redis) do
    if name:sub(1, 4) == 'LOG_' then members[name] = value end
  end
  function members.register_function(...)
    if not loading then
      fail(api .. '.register_function can only be called on FUNCTION LOAD command')
    end
    local count = select('#', ...)
    if count < 1 or count > 2 then
      fail('wrong number of arguments to ' .. api .. '.register_function')
    end
    local one, two = ...
    local each = count == 1 and by_name(one, api) or by_place(one, two, api)
    local wrong = wrong_name(each.name)
    if wrong then fail(wrong) end
    local key = each.name:lower()
    for _, other in ipairs(found) do
      if other.name:lower() == key then fail('Function already exists in the library') end
    end
    found[#found + 1] = each
  end
  local own = strict(setmetatable({}, {__index = members}))
  local names = {redis = own, server = own}
  setenv(made, strict(names))
  local fine, result = watched(made)
  loading = false
  if not fine then return false, result end
  names.redis, names.server = nil, nil
  setmetatable(names, {__index = allowed})
  libraries[number] = found
  return true, found
end

local function call_function(number, place, keys, values)
  sethook()
  local callback = libraries[number][place].callback
  user, from = '@user_function', getinfo(callback, 'S').linedefined
  return watched(function() return callback(keys, values) end)
end
local function forget(number) libraries[number] = nil end
local function collect()  -- if there is much
  if collectgarbage('count') > 16 * 1024 then collectgarbage() end
end
return run, compile, library, call_function, forget, collect, rawget
"""

WORLD: Final = BOUNDS + _AROUND + _LIBRARIES
"""What there is around scripts; they get hold of nothing else, above all of no object of Python."""
