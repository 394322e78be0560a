-- Whether to ask now. 2 name, 3 token, 4 milliseconds that a probe holds, 5 when to ask again
local name, token = ARGV[2], ARGV[3]
local probe_ms, again_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local breaker = load(name)
if not breaker['until'] then return {'closed', 0} end
if now < breaker['until'] then return {'open', breaker['until'] - now, breaker.status or 0} end
if breaker.probe ~= '' and now < breaker.probe_until then
  return {'open', math.min(breaker.probe_until - now, again_ms), breaker.status or 0}
end
breaker.probe = token
breaker.probe_until = now + probe_ms
redis.call('HSET', KEYS[1], name, cjson.encode(breaker))
return {'probe', 0}
