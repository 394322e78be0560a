-- Defines a budget or, without a definition, takes it away. 1 name, 2 definition, 3 new version
if not redis.call('GET', P .. 'epoch') then return {'unfilled'} end
local known = redis.call('HEXISTS', P .. 'budgets', ARGV[1])
if ARGV[2] == '' then
  redis.call('HDEL', P .. 'budgets', ARGV[1])
else
  redis.call('HSET', P .. 'budgets', ARGV[1], ARGV[2])
end
redis.call('SET', P .. 'budgets:version', ARGV[3])
redis.call('XADD', P .. 'records', '*', 'budget', ARGV[1], 'definition', ARGV[2])
return {'ok', known}
