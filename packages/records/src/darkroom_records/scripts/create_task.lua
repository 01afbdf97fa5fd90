-- Note a task, unless too many are open. KEYS: its record, the set of open tasks. A second call for it changes nothing.
local id, limit, seconds, expiry = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZSCORE', KEYS[2], id) then return 1 end
if redis.call('ZCARD', KEYS[2]) >= limit then return 0 end
redis.call('ZADD', KEYS[2], now + seconds, id)
redis.call('EXPIRE', KEYS[2], expiry)
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('EXPIRE', KEYS[1], expiry)
return 1
