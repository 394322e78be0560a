-- A gateway says that it lives. 1 gateway, 2 milliseconds that this holds.
local now = now_ms()
redis.call('ZADD', P .. 'gateways', now + ARGV[2], ARGV[1])
local live = redis.call('ZCOUNT', P .. 'gateways', now, '+inf')
return {redis.call('GET', P .. 'epoch') or '', text(live)}
