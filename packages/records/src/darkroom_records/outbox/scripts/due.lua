-- What must be looked at now of what is due, emails or webhooks, each given out once in a while. KEYS: what is due. ARGV: how
-- many at most, seconds until one of them is given out again.
local DUE, limit, patience = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local found = redis.call('ZRANGEBYSCORE', DUE, '-inf', string.format('%d.%06d', time[1], time[2]), 'LIMIT', 0, limit)
for _, id in ipairs(found) do
  redis.call('ZADD', DUE, time[1] + patience, id)
end
return found
