-- Prepended to the scripts that count emails. Counters are sorted sets of the names of requests, by their times.

-- The first of the counters that has no room for this request, by its position, and the seconds until it has; nothing
-- where all have. A request that was counted before has its room. `rules` has a list of {amount, seconds} per counter.
local function missing_room(counters, rules, name)
  local time = tonumber(redis.call('TIME')[1])
  for position, counter in ipairs(counters) do
    if not redis.call('ZSCORE', counter, name) then
      for _, rule in ipairs(rules[position]) do
        local amount, seconds = rule[1], rule[2]
        local since = '(' .. (time - seconds)
        local counted = redis.call('ZCOUNT', counter, since, '+inf')
        if counted >= amount then
          local blocking = redis.call('ZRANGEBYSCORE', counter, since, '+inf', 'WITHSCORES', 'LIMIT', counted - amount, 1)
          return {position, tostring(tonumber(blocking[2]) + seconds - time)}
        end
      end
    end
  end
end

local function count_request(counters, rules, name)
  local time = tonumber(redis.call('TIME')[1])
  for position, counter in ipairs(counters) do
    local longest = 0
    for _, rule in ipairs(rules[position]) do longest = math.max(longest, rule[2]) end
    redis.call('ZREMRANGEBYSCORE', counter, '-inf', time - longest)
    redis.call('ZADD', counter, 'NX', time, name)
    redis.call('EXPIRE', counter, longest)
  end
end
