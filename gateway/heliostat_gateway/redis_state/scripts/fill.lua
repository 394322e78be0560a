-- A sum that is missing: what the rows say up to an entry of the stream, what the entries after it
-- say, and what open requests hold. 1 sum, run or agent, 2 name, 3 last entry that is in the rows,
-- 4 seconds to live, then fields and values of the rows.
local what, name, life = ARGV[1], ARGV[2], ARGV[4]
local key = P .. what .. ':' .. name
if redis.call('EXISTS', key) == 1 then return {'ok'} end
local values = {}
for at = 5, #ARGV, 2 do values[ARGV[at]] = ARGV[at + 1] end
local function add(field, by)
  values[field] = text(tonumber(values[field] or 0) + tonumber(by))
end

local function is_of(entry)
  if what == 'sum' then return string.find('\n' .. (entry.c or '') .. '\n', '\n' .. name .. '\n', 1, true) end
  return entry[what == 'run' and 'x' or 'a'] == name
end

for _, item in ipairs(redis.call('XRANGE', P .. 'records', '(' .. ARGV[3], '+')) do
  local entry = {}
  for at = 1, #item[2], 2 do entry[item[2][at]] = item[2][at + 1] end
  if is_of(entry) then
    local index = 0
    for figure in string.gmatch(entry.f, '%S+') do
      index = index + 1
      local kind = KINDS[index]
      if what == 'run' or (what == 'sum' and index <= 3) or kind == 'n' or kind == 'c' then
        add(kind, figure)
      end
      if what == 'run' and kind == 'n' then add('a' .. entry.t .. ':n', figure) end
      if what == 'run' and kind == 'c' then add('a' .. entry.t .. ':c', figure) end
      if what == 'sum' and index == 1 and tonumber(figure) > tonumber(values.d) then values.d = figure end
    end
    if what == 'run' and entry.p ~= '' then values.p, values.m = entry.p, entry.m end
  end
end

if what == 'sum' then
  for _, gateway in ipairs(redis.call('ZRANGE', P .. 'gateways', 0, -1)) do
    for _, id in ipairs(redis.call('SMEMBERS', P .. 'gateway:' .. gateway)) do
      local found = redis.call('HMGET', P .. 'request:' .. id, 'c', 'hn', 'hk')
      if found[1] and is_of({c = found[1]}) then
        add('hn', found[2]); add('hk', found[3]); add('hu', 1)
      end
    end
  end
  values.c = nil
end
for field, value in pairs(values) do redis.call('HSET', key, field, value) end
redis.call('EXPIRE', key, life)
return {'ok'}
