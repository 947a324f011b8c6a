"""What of Lua's own library could run for ever in one call, in a form that asks for the time."""

from typing import Final

BOUNDS: Final = b"""
-- `ask` returns as long as the script may go on; what takes Lua's own fewer steps than `short`
-- is left to it.
local function bounds(ask, short)
  local string, table, math, type, error, tostring, tonumber, select, unpack =
    string, table, math, type, error, tostring, tonumber, select, unpack
  local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
  local byte, sub, char = string.byte, string.sub, string.char

  local spent = 0
  local function spend(steps)
    spent = spent + steps
    if spent > 4000000 then
      spent = 0
      ask()
    end
  end

  local function wrong(number, name, wanted, given, level)
    error(("bad argument #" .. number .. " to '" .. name .. "' (" .. wanted
           .. " expected, got " .. (given == nil and 'no value' or type(given)) .. ")"), level + 1)
  end
  local function text_of(given, number, name)
    if type(given) == 'number' then return tostring(given) end
    if type(given) ~= 'string' then wrong(number, name, 'string', given, 3) end
    return given
  end
  local function whole_of(given, otherwise, number, name)
    if given == nil then return otherwise end
    local made = tonumber(given)
    if not made then wrong(number, name, 'number', given, 3) end
    return made >= 0 and math.floor(made) or math.ceil(made)
  end

  -- Patterns. Each is a list of items; what is wrong with one is said when it is reached.

  local members, count = {}, 0  -- by the text of a class
  local function members_of(text)
    local found = members[text]
    if found then return found end
    if count > 200 then members, count = {}, 0 end
    spend(256 * #text)
    found = {}
    local first = byte(text)
    for code = 0, 255 do
      local fits = first == code
      if first == 37 or first == 91 or text == '.' then fits = find(char(code), text) ~= nil end
      if fits then found[code] = true end
    end
    members[text], count = found, count + 1
    return found
  end

  local function class_end(pattern, at)  -- after the class that begins there, or what is wrong
    local code = byte(pattern, at)
    at = at + 1
    if code == 37 then
      if at > #pattern then return nil, "malformed pattern (ends with '%')" end
      return at + 1
    end
    if code ~= 91 then return at end
    if byte(pattern, at) == 94 then at = at + 1 end
    repeat
      if at > #pattern then return nil, "malformed pattern (missing ']')" end
      code = byte(pattern, at)
      at = at + 1
      if code == 37 and at <= #pattern then at = at + 1 end
    until byte(pattern, at) == 93
    return at + 1
  end

  local kinds = {[42] = 'most', [43] = 'some', [45] = 'least', [63] = 'maybe'}
  local function item_at(pattern, at)
    local code, after = byte(pattern, at, at + 1)
    if code == 40 then
      if after == 41 then return {kind = 'place'}, at + 2 end
      return {kind = 'open'}, at + 1
    end
    if code == 41 then return {kind = 'close'}, at + 1 end
    if code == 36 and at == #pattern then return {kind = 'end'}, at + 1 end
    if code == 37 and after == 98 then
      local opening, closing = byte(pattern, at + 2, at + 3)
      if not closing then
        return {kind = 'wrong', text = 'unbalanced pattern'}, #pattern + 1
      end
      return {kind = 'pair', opening = opening, closing = closing}, at + 4
    end
    if code == 37 and after == 102 then
      if byte(pattern, at + 2) ~= 91 then
        return {kind = 'wrong', text = "missing '[' after '%f' in pattern"}, #pattern + 1
      end
      local stop, problem = class_end(pattern, at + 2)
      if not stop then return {kind = 'wrong', text = problem}, #pattern + 1 end
      return {kind = 'edge', class = sub(pattern, at + 2, stop - 1)}, stop
    end
    if code == 37 and after and after >= 48 and after <= 57 then
      return {kind = 'again', number = after - 48}, at + 2
    end
    local stop, problem = class_end(pattern, at)
    if not stop then return {kind = 'wrong', text = problem}, #pattern + 1 end
    local kind = kinds[byte(pattern, stop)]
    return {kind = kind or 'one', class = sub(pattern, at, stop - 1)}, kind and stop + 1 or stop
  end

  local known, held = {}, 0
  local function items_of(pattern)
    local items = known[pattern]
    if items then return items end
    local text = pattern
    local zero = find(text, '\\0', 1, true)  -- where patterns end
    if zero then text = sub(text, 1, zero - 1) end
    items = {size = #text + 1}
    local at = 1
    if byte(text) == 94 then items.anchored, at = true, 2 end
    while at <= #text do items[#items + 1], at = item_at(text, at) end
    -- How often the rest of it may be tried: a run at its end, once.
    local last = #items
    while last > 0 and items[last].kind == 'close' do last = last - 1 end
    items.runs, items.forks, items.long = 0, 0, 0
    for number, item in ipairs(items) do
      local kind = item.kind
      if kind == 'least' or ((kind == 'most' or kind == 'some') and number < last) then
        items.runs = items.runs + 1
      elseif kind == 'maybe' then items.forks = items.forks + 1
      elseif kind == 'pair' or kind == 'again' then items.long = items.long + 1 end
    end
    if #pattern < 1000 then
      if held >= 200 then known, held = {}, 0 end
      known[pattern], held = items, held + 1
    end
    return items
  end

  local function is_short(items, length)  -- whether Lua's own cannot take long
    local places = length + 1
    local steps = items.size * (items.long > 0 and places or 1)
                  * (items.anchored and 1 or places)
    return steps * places ^ items.runs * 2 ^ items.forks < short
  end

  local function matcher(text, items)
    local length, level, starts, lengths = #text, 0, {}, {}
    local go
    for _, item in ipairs(items) do
      if item.class and not item.set then item.set = members_of(item.class) end
    end
    local function capture(number, from, stop)
      if number > level then
        if number == 1 then return sub(text, from, stop - 1) end
        error('invalid capture index', 0)
      end
      local long = lengths[number]
      if long == 'place' then return starts[number] end
      if not long then error('unfinished capture', 0) end
      return sub(text, starts[number], starts[number] + long - 1)
    end
    local function run(set, at)
      local stop = at
      while stop <= length and set[byte(text, stop)] do stop = stop + 1 end
      return stop
    end
    local function closed(at, number)
      local mine = level
      while mine > 0 and lengths[mine] do mine = mine - 1 end
      if mine == 0 then error('invalid pattern capture', 0) end
      lengths[mine] = at - starts[mine]
      local stop = go(at, number + 1)
      if not stop then lengths[mine] = false end
      return stop
    end
    local function opened(at, number, what)
      if level >= 32 then error('too many captures', 0) end
      level = level + 1
      starts[level], lengths[level] = at, what
      local stop = go(at, number + 1)
      if not stop then level = level - 1 end
      return stop
    end
    local function paired(at, item)
      if byte(text, at) ~= item.opening then return nil end
      local depth = 1
      for place = at + 1, length do
        local code = byte(text, place)
        if code == item.closing then
          depth = depth - 1
          if depth == 0 then return place + 1 end
        elseif code == item.opening then depth = depth + 1 end
      end
      return nil
    end
    local function again(at, number)
      if number < 1 or number > level or not lengths[number] then
        error('invalid capture index', 0)
      end
      local long = lengths[number]
      if long == 'place' or at + long - 1 > length then return nil end
      spend(long)
      local from = starts[number]
      if sub(text, at, at + long - 1) == sub(text, from, from + long - 1) then return at + long end
      return nil
    end
    function go(at, number)
      while true do
        local item = items[number]
        if not item then return at end
        local kind, set = item.kind, item.set
        if kind == 'one' then
          if at > length or not set[byte(text, at)] then return nil end
          at = at + 1
        elseif kind == 'most' or kind == 'some' then
          for place = run(set, at), kind == 'some' and at + 1 or at, -1 do
            local stop = go(place, number + 1)
            if stop then return stop end
          end
          return nil
        elseif kind == 'least' then
          while true do
            local stop = go(at, number + 1)
            if stop then return stop end
            if at > length or not set[byte(text, at)] then return nil end
            at = at + 1
          end
        elseif kind == 'maybe' then
          if at <= length and set[byte(text, at)] then
            local stop = go(at + 1, number + 1)
            if stop then return stop end
          end
        elseif kind == 'open' then return opened(at, number, false)
        elseif kind == 'place' then return opened(at, number, 'place')
        elseif kind == 'close' then return closed(at, number)
        elseif kind == 'end' then return at == length + 1 and at or nil
        elseif kind == 'edge' then
          local before, after = at > 1 and byte(text, at - 1) or 0, byte(text, at) or 0
          if set[before] or not set[after] then return nil end
        elseif kind == 'pair' then
          at = paired(at, item)
          if not at then return nil end
        elseif kind == 'again' then
          at = again(at, item.number)
          if not at then return nil end
        else error(item.text, 0) end
        number = number + 1
      end
    end
    local function captures(from, stop, number)
      number = number or 1
      if number > level and not (number == 1 and level == 0) then return end
      if number >= level then return capture(number, from, stop) end
      return capture(number, from, stop), captures(from, stop, number + 1)
    end
    local function first(from)
      for at = from, items.anchored and from or length + 1 do
        level = 0
        local stop = go(at, 1)
        if stop then return at, stop end
      end
      return nil
    end
    local function groups() return level end
    return first, captures, capture, groups
  end

  -- What Lua's own has raised is raised where the script has called.
  local function returned(name, fine, ...)
    if fine then return ... end
    local problem = ...
    if type(problem) ~= 'string' then error(problem) end
    error((gsub(problem, "^(bad argument #%d+ to )'%?'", "%1'" .. name .. "'")), 3)
  end

  local function start(given, length)
    if given < 0 then given = length + given + 1 end
    return math.max(1, math.min(given, length + 1))
  end

  -- Where a text is found as it stands, without ever going back in it.
  local function plainly(text, wanted, from)
    local longest, fits = {[0] = -1, [1] = 0}, 0
    for place = 2, #wanted do
      local code = byte(wanted, place)
      while fits >= 0 and byte(wanted, fits + 1) ~= code do fits = longest[fits] end
      fits = fits + 1
      longest[place] = fits
    end
    fits = 0
    for place = from, #text do
      local code = byte(text, place)
      while fits >= 0 and byte(wanted, fits + 1) ~= code do fits = longest[fits] end
      fits = fits + 1
      if fits == #wanted then return place - fits + 1, place end
    end
    return nil
  end

  local made = {}
  function made.find(text, pattern, from, plain)
    text, pattern = text_of(text, 1, 'find'), text_of(pattern, 2, 'find')
    from = start(whole_of(from, 1, 3, 'find'), #text)
    if plain or not find(pattern, '^[^%z]-[%^%$%*%+%?%.%(%[%%%-]') then
      spend(#text)
      if (#text - from) * #pattern <= 20 * short then return find(text, pattern, from, true) end
      return plainly(text, pattern, from)
    end
    local items = items_of(pattern)
    if is_short(items, #text) then return returned('find', pcall(find, text, pattern, from)) end
    local first, captures, _, groups = matcher(text, items)
    return returned('find', pcall(function()
      local at, stop = first(from)
      if not at then return nil end
      if groups() == 0 then return at, stop - 1 end
      return at, stop - 1, captures(at, stop)
    end))
  end
  function made.match(text, pattern, from)
    text, pattern = text_of(text, 1, 'match'), text_of(pattern, 2, 'match')
    from = start(whole_of(from, 1, 3, 'match'), #text)
    local items = items_of(pattern)
    if is_short(items, #text) then return returned('match', pcall(match, text, pattern, from)) end
    local first, captures = matcher(text, items)
    return returned('match', pcall(function()
      local at, stop = first(from)
      if not at then return nil end
      return captures(at, stop)
    end))
  end
  function made.gmatch(text, pattern)
    text, pattern = text_of(text, 1, 'gmatch'), text_of(pattern, 2, 'gmatch')
    if byte(pattern) == 94 then pattern = '[%^]' .. sub(pattern, 2) end  -- nothing special here
    local items = items_of(pattern)
    if is_short(items, #text) then return gmatch(text, pattern) end
    local first, captures = matcher(text, items)
    local from = 1
    return function()
      return returned('gmatch', pcall(function()
        local at, stop = first(from)
        if not at then
          from = #text + 2
          return nil
        end
        from = stop > at and stop or stop + 1
        return captures(at, stop)
      end))
    end
  end

  local function replaced(with, whole, from, stop, captures, capture)
    local kind, value = type(with), nil
    if kind == 'function' then value = with(captures(from, stop))
    elseif kind == 'table' then value = with[capture(1, from, stop)]
    else
      return (gsub(with, '%%(.?)', function(code)
        if code == '0' then return whole end
        if not find(code, '^%d') then return code end
        return tostring(capture(tonumber(code), from, stop))
      end))
    end
    if not value then return whole end
    if type(value) ~= 'string' and type(value) ~= 'number' then
      error('invalid replacement value (a ' .. type(value) .. ')', 0)
    end
    return tostring(value)
  end
  local function all_replaced(text, items, with, most)
    local first, captures, capture = matcher(text, items)
    local parts, from, changes = {}, 1, 0
    while changes < most do
      local at, stop = first(from)
      if not at then break end
      changes = changes + 1
      parts[#parts + 1] = sub(text, from, at - 1)
      parts[#parts + 1] =
        replaced(with, sub(text, at, stop - 1), at, stop, captures, capture)
      from = stop
      if stop == at then
        if at > #text then break end
        parts[#parts + 1] = sub(text, at, at)
        from = at + 1
      end
      if items.anchored then break end
    end
    parts[#parts + 1] = sub(text, from)
    return table.concat(parts), changes
  end
  function made.gsub(text, pattern, with, most)
    text, pattern = text_of(text, 1, 'gsub'), text_of(pattern, 2, 'gsub')
    local kind = type(with)
    if kind == 'number' then with = tostring(with)
    elseif kind ~= 'string' and kind ~= 'function' and kind ~= 'table' then
      wrong(3, 'gsub', 'string/function/table', with, 2)
    end
    most = whole_of(most, #text + 1, 4, 'gsub')
    local items = items_of(pattern)
    local short = is_short(items, #text)
    if kind == 'function' then  -- what it raises says where by itself
      if short then return gsub(text, pattern, with, most) end
      return all_replaced(text, items, with, most)
    end
    if short then return returned('gsub', pcall(gsub, text, pattern, with, most)) end
    return returned('gsub', pcall(all_replaced, text, items, with, most))
  end

  -- The rest: what takes as long as its text or table is.

  local most = 32 * 1024 * 1024  -- bytes that one call may make of a string
  function made.rep(text, count)
    if type(text) == 'number' then text = tostring(text) end
    if type(text) ~= 'string' or type(count) ~= 'number' then
      error("bad argument to 'rep'", 2)
    end
    count = math.floor(count)
    if count < 1 or text == '' then return '' end
    if #text * count > most then error('resulting string too large', 2) end
    spend(#text * count)
    local whole = ''
    while true do
      if count % 2 == 1 then whole = whole .. text end
      count = math.floor(count / 2)
      if count == 0 then return whole end
      text = text .. text
    end
  end
  for _, name in ipairs({'lower', 'upper', 'reverse', 'sub'}) do
    local whole = string[name]
    made[name] = function(text, ...)
      text = text_of(text, 1, name)
      if #text > 1000 then spend(#text) end
      return whole(text, ...)
    end
  end

  local ordered = {}
  local function less(one, other) return one < other end
  function ordered.sort(given, before)
    if type(given) ~= 'table' then wrong(1, 'sort', 'table', given, 2) end
    if before ~= nil then return table.sort(given, before) end
    if #given < 1000 then return returned('sort', pcall(table.sort, given)) end
    local fine, problem = pcall(table.sort, given, less)
    if not fine then error((gsub(problem, '^.-:%d+: ', '')), 2) end
  end
  for _, name in ipairs({'concat', 'insert', 'remove'}) do
    local whole = table[name]
    ordered[name] = function(given, ...)
      if type(given) == 'table' then spend(#given) end
      if name == 'insert' and select('#', ...) == 2 then  -- it makes room from there on
        local place = tonumber((...))
        if place and place < -4000000 then error('not enough memory', 2) end
      end
      return returned(name, pcall(whole, given, ...))
    end
  end

  -- Lua's own counts the elements in 32 bits, and writes beyond its stack if they do not fit.
  local function number_of(given, otherwise, number)
    local whole = whole_of(given, otherwise, number, 'unpack')
    if whole ~= whole or whole >= 2 ^ 63 or whole < -2 ^ 63 then return 0 end
    return (whole + 2 ^ 31) % 2 ^ 32 - 2 ^ 31
  end
  local function own_unpack(given, first, last)
    if type(given) ~= 'table' then wrong(1, 'unpack', 'table', given, 2) end
    first = number_of(first, 1, 2)
    last = number_of(last, #given, 3)
    if last - first >= 8000 then error('too many results to unpack', 2) end
    return unpack(given, first, last)
  end
  return made, ordered, own_unpack
end
"""
