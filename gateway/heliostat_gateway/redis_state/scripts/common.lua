-- Shared by all scripts of the ledger: names of keys, and how a request is added to its sums.
-- Integers stay exact up to 2^53 nano-dollars (nine million dollars) in one sum. Commands are few:
-- a sum is read and written whole, because each command costs as much as all arithmetic.
local P = 'heliostat:money:'
local KINDS = {'n', 'k', 'u', 'c', 'i', 'o', 'r', 'w', 'h', 's', 't', 'e'}

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function lines(text)
  local found = {}
  for line in string.gmatch(text, '[^\n]+') do found[#found + 1] = line end
  return found
end

local function text(number)
  return string.format('%.0f', number)
end

-- The name of this run of Redis, and for how long it has run.
local function server()
  local info = redis.call('INFO', 'server')
  return string.match(info, 'run_id:(%w+)'), string.match(info, 'uptime_in_seconds:(%d+)') * 1000
end

-- Raises fields of a hash by numbers.
local function raise(key, names, by)
  local values, change = redis.call('HMGET', key, unpack(names)), {}
  for index, name in ipairs(names) do
    if by[index] ~= 0 then
      change[#change + 1] = name
      change[#change + 1] = text(tonumber(values[index] or 0) + by[index])
    end
  end
  if #change > 0 then redis.call('HSET', key, unpack(change)) end
end

-- Takes a reservation away, but leaves what it holds. Returns its sums and what it holds, or nil.
local function take(id)
  local key = P .. 'request:' .. id
  local found = redis.call('HMGET', key, 'c', 'hn', 'hk', 'g', 'x')
  if not found[1] then return nil end
  redis.call('SREM', P .. 'gateway:' .. found[4], id)
  if found[5] ~= '' then redis.call('SREM', P .. 'run:' .. found[5] .. ':open', id) end
  redis.call('DEL', key)
  return lines(found[1]), tonumber(found[2]), tonumber(found[3])
end

-- Adds to a sum that is here and takes away what was held; one that is missing stays missing until
-- the writer fills it, from rows, from records that are not rows yet, and from open requests.
local function settle_sum(name, nanos, tokens, turns, held_nanos, held_tokens, held_turns)
  local key = P .. 'sum:' .. name
  local found = redis.call('HMGET', key, 'd', 'n', 'k', 'u', 'hn', 'hk', 'hu')
  if not found[1] then return end
  for i = 1, 7 do found[i] = tonumber(found[i] or 0) end
  redis.call('HSET', key, 'd', text(math.max(found[1], nanos)),
    'n', text(found[2] + nanos), 'k', text(found[3] + tokens), 'u', text(found[4] + turns),
    'hn', text(found[5] - held_nanos), 'hk', text(found[6] - held_tokens),
    'hu', text(found[7] - held_turns))
end
