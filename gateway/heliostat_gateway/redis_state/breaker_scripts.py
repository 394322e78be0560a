"""The rules of `breakers.py` in Lua, one script for each decision.

KEYS[1] is the hash of all breakers and the channel of their changes. ARGV[1] is the time in
milliseconds, for tests; empty for Redis's own clock, so that replicas need not agree on the time.
"""

_RULES = """
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
  return cjson.encode({key = name, left = left, opened = breaker.opened})
end
"""
READ = (
    _RULES
    + """
local found = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local breaker = cjson.decode(all[i + 1])
  if breaker['until'] then found[#found + 1] = say(all[i], breaker) end
end
return found
"""
)
ADMIT = (
    _RULES
    + """
local name, token = ARGV[2], ARGV[3]
local probe_ms, again_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local breaker = load(name)
if not breaker['until'] then return {'closed', 0} end
if now < breaker['until'] then return {'open', breaker['until'] - now} end
if breaker.probe ~= '' and now < breaker.probe_until then
  return {'open', math.min(breaker.probe_until - now, again_ms)}
end
breaker.probe = token
breaker.probe_until = now + probe_ms
redis.call('HSET', KEYS[1], name, cjson.encode(breaker))
return {'probe', 0}
"""
)
RECORD = (
    _RULES
    + """
local name, token, result = ARGV[2], ARGV[3], ARGV[4]
local limited_ms, ok, failed = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local part_ms, minimum, rate = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local first_ms, longest_ms = tonumber(ARGV[11]), tonumber(ARGV[12])
local breaker = load(name)
local before = say(name, breaker)
local function open()
  local wait = math.min(first_ms * 2 ^ math.min(breaker.opened, 30), longest_ms)
  -- A limit that was stated while the probe was under way holds beyond our own wait.
  breaker = {counts = {}, ['until'] = math.max(now + wait, breaker['until'] or 0),
             opened = breaker.opened + 1,
             probe = '', probe_until = 0}
end
if result == 'limited' then
  breaker.counts = {}
  breaker['until'] = math.max(now + limited_ms, breaker['until'] or 0)
  breaker.opened = math.max(breaker.opened, 1)
  if token == breaker.probe then breaker.probe = '' end
elseif breaker['until'] then
  if token == '' or token ~= breaker.probe then return before end
  if result == 'ok' then
    breaker = {counts = {}, opened = 0, probe = '', probe_until = 0}
  elseif result == 'unknown' then
    breaker.probe = ''
  else
    open()
  end
else
  local part = math.floor(now / part_ms)
  local kept, total, bad = {}, ok + failed, failed
  for _, each in ipairs(breaker.counts) do
    if each[1] == part then
      ok, failed = ok + each[2], failed + each[3]
      total, bad = total + each[2] + each[3], bad + each[3]
    elseif each[1] > part - 6 and each[1] < part then
      kept[#kept + 1] = each
      total, bad = total + each[2] + each[3], bad + each[3]
    end
  end
  if ok + failed > 0 then kept[#kept + 1] = {part, ok, failed} end
  breaker.counts = kept
  if tonumber(ARGV[7]) > 0 and total >= minimum and bad >= rate * total then open() end
end
if not breaker['until'] and #breaker.counts == 0 then
  redis.call('HDEL', KEYS[1], name)
else
  redis.call('HSET', KEYS[1], name, cjson.encode(breaker))
end
local after = say(name, breaker)
if after ~= before then redis.call('PUBLISH', KEYS[1], after) end
return after
"""
)
