-- The rules of breakers.py, one script for each decision; this part stands before each of them.
-- KEYS[1] is the hash of all breakers and the channel of their changes. ARGV[1] is the time in
-- milliseconds, for tests; empty for Redis's own clock, so that replicas need not agree on the time.
local function now_of(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local now = now_of(ARGV[1])
local function load(name)
  local text = redis.call('HGET', KEYS[1], name)
  if text then return cjson.decode(text) end
  return {counts = {}, opened = 0, probe = '', probe_until = 0}
end
local function say(name, breaker)
  local left = nil  -- closed; negative when the wait is over
  if breaker['until'] then left = breaker['until'] - now end
  return cjson.encode({key = name, left = left, opened = breaker.opened, status = breaker.status or 0})
end
