-- Forgets a gateway that has nothing open and is dead, or leaves. 1 gateway, 2 leaves
local lease = redis.call('ZSCORE', P .. 'gateways', ARGV[1])
local ended = ARGV[2] == '1' or (lease and tonumber(lease) < now_ms())
if ended and redis.call('EXISTS', P .. 'gateway:' .. ARGV[1]) == 0 then
  redis.call('ZREM', P .. 'gateways', ARGV[1])
  redis.call('HDEL', P .. 'home', ARGV[1])
end
return {'ok'}
