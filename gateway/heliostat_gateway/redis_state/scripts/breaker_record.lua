-- What became of a call, with successes counted since. 2 name, 3 token of a probe, 4 result, 5 how long
-- a limit holds, 6 and 7 successes and failures, 8 to 12 the policy, 13 the status of a limit; times in milliseconds
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
  if now + limited_ms > (breaker['until'] or 0) then breaker.status = tonumber(ARGV[13] or 0) end
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
