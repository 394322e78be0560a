-- What open requests have used so far; for each: id, nanos, tokens, firm, bookings.
for at = 1, #ARGV, 5 do
  local key = P .. 'request:' .. ARGV[at]
  local found = redis.call('HMGET', key, 'c', 'hn', 'hk', 'on', 'ok', 's')
  if found[1] then
    local firm = ARGV[at + 3] == '1' or found[6] == '1'
    local function held(before, noted, output)
      if not firm then before = math.min(before, noted + output) end
      return math.max(before, noted)
    end
    local nanos = held(tonumber(found[2]), tonumber(ARGV[at + 1]), tonumber(found[4]))
    local tokens = held(tonumber(found[3]), tonumber(ARGV[at + 2]), tonumber(found[5]))
    for _, counted in ipairs(lines(found[1])) do
      local sum = P .. 'sum:' .. counted
      if redis.call('HEXISTS', sum, 'd') == 1 then
        raise(sum, {'hn', 'hk'}, {nanos - tonumber(found[2]), tokens - tonumber(found[3])})
      end
    end
    redis.call('HSET', key, 'hn', text(nanos), 'hk', text(tokens), 'b', ARGV[at + 4])
  end
end
return {'ok'}
