-- A gateway says that it lives, and whether all that it did alone is here.
-- 1 gateway, 2 milliseconds that this holds, 3 home
local now = now_ms()
redis.call('ZADD', P .. 'gateways', now + ARGV[2], ARGV[1])
redis.call('HSET', P .. 'home', ARGV[1], ARGV[3] == '1' and server() or '')
local live = redis.call('ZCOUNT', P .. 'gateways', now, '+inf')
return {redis.call('GET', P .. 'epoch') or '', text(live)}
