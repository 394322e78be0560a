-- Closes a request once: takes its reservation away, adds it to its sums, writes its record.
-- 1 id, 2 how (shared, local, died), 3 epoch of the opening, 4 ended, 5 head, 6 bookings,
-- 7 execution, 8 attempt, 9 agent, 10 provider, 11 model, 12 seconds to live, 13 counted,
-- 14.. figures in the order of KINDS.
local id, how, life = ARGV[1], ARGV[2], ARGV[12]
local execution, attempt, agent, counted = ARGV[7], ARGV[8], ARGV[9], lines(ARGV[13])
local MARK_SECONDS = 7 * 24 * 3600
local figures = {}
for index = 1, #KINDS do figures[index] = tonumber(ARGV[13 + index]) end

local function joined(numbers)
  local texts = {}
  for index, number in ipairs(numbers) do texts[index] = text(number) end
  return table.concat(texts, ' ')
end

local epoch = redis.call('GET', P .. 'epoch')
if not epoch then return {'unfilled'} end
if how == 'died' then
  local gateway = redis.call('HGET', P .. 'request:' .. id, 'g')
  if not gateway then return {'done'} end
  local lease = redis.call('ZSCORE', P .. 'gateways', gateway)
  if lease and tonumber(lease) >= now_ms() then return {'alive'} end
end

local died = P .. 'died:' .. id
local held, held_nanos, held_tokens = take(id)
if not held then
  local before = redis.call('GET', died)
  if before then
    -- It seemed dead and was not: what it says itself replaces what was booked for it.
    local index = 0
    for value in string.gmatch(before, '%S+') do
      index = index + 1
      figures[index] = figures[index] - tonumber(value)
    end
    redis.call('DEL', died)
    redis.call('SET', P .. 'done:' .. id, 1, 'EX', MARK_SECONDS)
  elseif how == 'shared' and ARGV[3] == epoch then
    return {'done'}
  elseif not redis.call('SET', P .. 'done:' .. id, 1, 'EX', MARK_SECONDS, 'NX') then
    return {'done'}
  end
elseif how == 'died' then
  redis.call('SET', died, joined(figures), 'EX', MARK_SECONDS)
elseif how == 'local' then
  redis.call('SET', P .. 'done:' .. id, 1, 'EX', MARK_SECONDS)
end

for _, name in ipairs(held or counted) do
  settle_sum(name, figures[1], figures[2], figures[3], held_nanos or 0, held_tokens or 0,
    held and 1 or 0)
end
local run = P .. 'run:' .. execution
if execution ~= '' then
  local last = redis.call('HMGET', run, 'c', 'l')
  if last[1] then
    raise(run, {'a' .. attempt .. ':n', 'a' .. attempt .. ':c', unpack(KINDS)},
      {figures[1], figures[4], unpack(figures)})
    -- One that was never sent has no provider.
    if last[2] == id and ARGV[10] ~= '' then redis.call('HSET', run, 'p', ARGV[10], 'm', ARGV[11]) end
  end
end
local sum = P .. 'agent:' .. agent
if redis.call('EXISTS', sum) == 1 then raise(sum, {'n', 'c'}, {figures[1], figures[4]}) end
redis.call('XADD', P .. 'records', '*', 'h', ARGV[5], 'b', ARGV[6], 'e', ARGV[4],
  'f', joined(figures), 'c', ARGV[13], 'x', execution, 't', attempt, 'a', agent,
  'p', ARGV[10], 'm', ARGV[11])
return {'ok'}
