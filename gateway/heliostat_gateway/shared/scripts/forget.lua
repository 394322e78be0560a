-- Forgets a dead gateway that has nothing open. 1 gateway
local lease = redis.call('ZSCORE', P .. 'gateways', ARGV[1])
if lease and tonumber(lease) < now_ms() and redis.call('EXISTS', P .. 'gateway:' .. ARGV[1]) == 0 then
  redis.call('ZREM', P .. 'gateways', ARGV[1])
end
return {'ok'}
