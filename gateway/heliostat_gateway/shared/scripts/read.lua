-- Sums as they are now. 1 run, agent or sum, 2 name
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
return {'ok', fields, open}
