-- Reserves on every sum, or says why not. The same rules as reservations.py.
-- 1 id, 2 gateway, 3 strict, 4 nanos, 5 tokens, 6 output nanos, 7 output tokens,
-- 8 bound: input tokens, 9 input nanos, 10 max tokens, 11 output rate, 12 choices,
-- 13 head, 14 bookings, 15 execution, 16 agent, 17 new account, 18 version of budgets, 19 provider,
-- 20 model, 21 without checks, 22 seconds to live, then for each sum: name and caps (n, k, u).
local id, gateway, strict = ARGV[1], ARGV[2], ARGV[3] == '1'
local execution, life, force = ARGV[15], ARGV[22], ARGV[21] == '1'
local request = P .. 'request:' .. id

local epoch = redis.call('GET', P .. 'epoch')
if not epoch then return {'unfilled'} end
if ARGV[18] ~= '' and redis.call('GET', P .. 'budgets:version') ~= ARGV[18] then return {'stale'} end
local known = redis.call('HMGET', request, 'hn', 'hk', 'max', 'epoch')
if known[1] then return {'ok', known[4], known[1], known[2], known[3]} end

local sums, missing = {}, {'missing'}
for at = 23, #ARGV, 4 do
  local sum = {name = ARGV[at], caps = {ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]}}
  local found = redis.call('HMGET', P .. 'sum:' .. sum.name, 'n', 'k', 'u', 'd', 'hn', 'hk', 'hu')
  if not found[4] then
    sum.new = true
    if at > 23 or ARGV[17] ~= '1' then missing[#missing + 1] = sum.name end
    found = {0, 0, 0, 0, 0, 0, 0}
  end
  for i = 1, 7 do found[i] = tonumber(found[i] or 0) end
  sum.used = {found[1] + found[5], found[2] + found[6], found[3] + found[7]}
  sum.held = {found[5], found[6], found[7]}
  sum.dearest = found[4]
  sums[#sums + 1] = sum
end
-- Without checks nothing may be missing but what the caller itself makes anew.
if #missing > 1 then return missing end

local nanos, tokens, allowed = tonumber(ARGV[4]), tonumber(ARGV[5]), -1
local function refusal(sum, what, needed)
  return {'cap', sum, what, text(sums[sum].used[what]), text(needed)}
end
if not force then
  for index, sum in ipairs(sums) do
    for what = 1, 3 do
      if sum.caps[what] ~= '' and sum.used[what] >= tonumber(sum.caps[what]) then
        return refusal(index, what, 0)
      end
    end
  end
  if strict then
    local input_tokens, input_nanos = tonumber(ARGV[8]), tonumber(ARGV[9])
    local rate, choices = tonumber(ARGV[11]) * tonumber(ARGV[12]), tonumber(ARGV[12])
    allowed = tonumber(ARGV[10])
    local least = math.min(1, allowed)
    for index, sum in ipairs(sums) do
      if sum.caps[1] ~= '' then
        local left = tonumber(sum.caps[1]) - sum.used[1] - input_nanos
        local room = left < 0 and -1 or allowed
        if left >= 0 and rate > 0 then
          room = math.min(allowed, math.floor(left / rate * 1000) + 1)
          while math.ceil(room * rate / 1000) > left do room = room - 1 end
        end
        if room < least then return refusal(index, 1, input_nanos + math.ceil(least * rate / 1000)) end
        allowed = math.min(allowed, room)
      end
      if sum.caps[2] ~= '' then
        local room = math.floor((tonumber(sum.caps[2]) - sum.used[2] - input_tokens) / choices)
        if room < least then return refusal(index, 2, input_tokens + least * choices) end
        allowed = math.min(allowed, room)
      end
    end
    nanos = input_nanos + math.ceil(allowed * rate / 1000)
    tokens = input_tokens + allowed * choices
  elseif sums[1].dearest > 0 then
    nanos = math.min(nanos, sums[1].dearest)
  end
end

local names, answer = {}, {'ok', epoch, text(nanos), text(tokens), text(allowed)}
for _, sum in ipairs(sums) do
  local key = P .. 'sum:' .. sum.name
  redis.call('HSET', key, 'hn', text(sum.held[1] + nanos), 'hk', text(sum.held[2] + tokens),
    'hu', text(sum.held[3] + 1))
  if sum.new then
    redis.call('HSET', key, 'n', 0, 'k', 0, 'u', 0, 'd', 0)
    redis.call('EXPIRE', key, life)
  end
  names[#names + 1] = sum.name
  for what = 1, 3 do answer[#answer + 1] = text(sum.used[what]) end
end
redis.call('HSET', request, 'c', table.concat(names, '\n'), 'g', gateway, 'x', execution,
  'hn', text(nanos), 'hk', text(tokens), 'max', text(allowed), 'on', ARGV[6], 'ok', ARGV[7], 's', ARGV[3],
  'head', ARGV[13], 'b', ARGV[14], 'epoch', epoch)
redis.call('SADD', P .. 'gateway:' .. gateway, id)
-- Whatever has something open can be found dead.
if not redis.call('ZSCORE', P .. 'gateways', gateway) then
  redis.call('ZADD', P .. 'gateways', now_ms() + 15000, gateway)
end
if execution ~= '' then
  local run = P .. 'run:' .. execution
  if sums[1].new and redis.call('HSETNX', run, 'c', 0) == 1 then redis.call('EXPIRE', run, life) end
  if redis.call('EXISTS', run) == 1 then
    redis.call('HSET', run, 'p', ARGV[19], 'm', ARGV[20], 'l', id)
  end
  redis.call('SADD', run .. ':open', id)
end
return answer
