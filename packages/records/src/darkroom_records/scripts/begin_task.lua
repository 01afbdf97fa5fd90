-- Count a task that waited in its queue as open anew. KEYS: its record, the set of open tasks.
local id, seconds = ARGV[1], tonumber(ARGV[2])
local now = tonumber(redis.call('TIME')[1])
if redis.call('HGET', KEYS[1], 'kind') == false then return 1 end -- written by a version that did not bound them
if tonumber(redis.call('ZSCORE', KEYS[2], id) or 0) <= now then return 0 end
redis.call('ZADD', KEYS[2], now + seconds, id)
return 1
