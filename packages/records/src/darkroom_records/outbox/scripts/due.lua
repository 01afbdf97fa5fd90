-- The emails that must be looked at now, each given out once in a while. KEYS: the emails that are due. ARGV: how many at
-- most, seconds until one of them is given out again.
local DUE, limit, patience = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = tonumber(redis.call('TIME')[1])
local found = redis.call('ZRANGEBYSCORE', DUE, '-inf', time, 'LIMIT', 0, limit)
for _, email_id in ipairs(found) do
  redis.call('ZADD', DUE, time + patience, email_id)
end
return found
