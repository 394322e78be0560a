-- All breakers that are not closed.
local found = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local breaker = cjson.decode(all[i + 1])
  if breaker['until'] then found[#found + 1] = say(all[i], breaker) end
end
return found
