-- Shared by all scripts: names of keys, and how a request is added to its sums.
-- Integers stay exact up to 2^53 nano-dollars (nine million dollars) in one sum.
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

-- Takes a reservation away. Returns its fields, or nil when there is none.
local function release(id)
  local key = P .. 'request:' .. id
  local found = redis.call('HMGET', key, 'c', 'hn', 'hk', 'g', 'x')
  if not found[1] then return nil end
  for _, counted in ipairs(lines(found[1])) do
    local sum = P .. 'sum:' .. counted
    if redis.call('EXISTS', sum) == 1 then
      redis.call('HINCRBY', sum, 'hn', text(0 - tonumber(found[2])))
      redis.call('HINCRBY', sum, 'hk', text(0 - tonumber(found[3])))
      redis.call('HINCRBY', sum, 'hu', -1)
    end
  end
  redis.call('SREM', P .. 'gateway:' .. found[4], id)
  if found[5] ~= '' then redis.call('SREM', P .. 'run:' .. found[5] .. ':open', id) end
  redis.call('DEL', key)
  return found
end

-- Adds figures (in the order of KINDS) to the sums that are here; one that is missing stays missing
-- until the writer fills it, from rows and from the records that have not become rows yet.
local function add(figures, counted, execution, attempt, agent, life)
  for _, name in ipairs(counted) do
    local sum = P .. 'sum:' .. name
    local dearest = redis.call('HGET', sum, 'd')
    if dearest then
      redis.call('HINCRBY', sum, 'n', figures[1])
      redis.call('HINCRBY', sum, 'k', figures[2])
      redis.call('HINCRBY', sum, 'u', figures[3])
      if tonumber(figures[1]) > tonumber(dearest) then redis.call('HSET', sum, 'd', figures[1]) end
      redis.call('EXPIRE', sum, life)
    end
  end
  local run = P .. 'run:' .. execution
  if execution ~= '' and redis.call('EXISTS', run) == 1 then
    for index, kind in ipairs(KINDS) do
      if figures[index] ~= '0' then redis.call('HINCRBY', run, kind, figures[index]) end
    end
    redis.call('HINCRBY', run, 'a' .. attempt .. ':n', figures[1])
    redis.call('HINCRBY', run, 'a' .. attempt .. ':c', figures[4])
    redis.call('EXPIRE', run, life)
  end
  local sum = P .. 'agent:' .. agent
  if redis.call('EXISTS', sum) == 1 then
    redis.call('HINCRBY', sum, 'n', figures[1])
    redis.call('HINCRBY', sum, 'c', figures[4])
    redis.call('EXPIRE', sum, life)
  end
end
