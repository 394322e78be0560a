-- Sums as they are now. 1 run, agent or sum, 2 name. A run's is followed by its open requests, and
-- by 1 while a gateway may have more of it.
local LEASE_MS, SILENT_MS = 15000, 3000

-- A gateway may have booked alone what is not here yet: it has said so, or is silent, or has said
-- nothing since Redis started. One that could have spoken for the time of a lease is dead.
local function is_complete()
  local now = now_ms()
  local name, uptime = server()
  local gateways = redis.call('ZRANGE', P .. 'gateways', 0, -1, 'WITHSCORES')
  for at = 1, #gateways, 2 do
    local silent = now - (gateways[at + 1] - LEASE_MS)
    local home = redis.call('HGET', P .. 'home', gateways[at]) == name and silent <= SILENT_MS
    if not home and math.min(silent, uptime) <= LEASE_MS then return false end
  end
  return true
end

if not redis.call('GET', P .. 'epoch') then return {'unfilled'} end
local key = P .. ARGV[1] .. ':' .. ARGV[2]
if ARGV[1] == 'agent' then
  local found = redis.call('HMGET', key, 'n', 'c')
  if not found[1] then return {'missing'} end
  return {'ok', found[1], found[2] or '0'}
end
if ARGV[1] == 'sum' then
  local found = redis.call('HMGET', key, 'n', 'k', 'u', 'd', 'hn', 'hk', 'hu')
  if not found[4] then return {'missing'} end
  for i = 1, 7 do found[i] = tonumber(found[i] or 0) end
  return {'ok', text(found[1] + found[5]), text(found[2] + found[6]), text(found[3] + found[7])}
end
local fields = redis.call('HGETALL', key)
if #fields == 0 then return {'missing'} end
local open = {}
for _, id in ipairs(redis.call('SMEMBERS', key .. ':open')) do
  local found = redis.call('HMGET', P .. 'request:' .. id, 'head', 'b')
  if found[1] then open[#open + 1] = found[1]; open[#open + 1] = found[2] end
end
return {'ok', fields, open, is_complete() and 0 or 1}
