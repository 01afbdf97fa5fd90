-- A worker has stopped what it did for a cancelled image. ARGV: index.
local index = ARGV[4]
if redis.call('HGET', STATES, index) ~= 'cancelled' then return 0 end
if redis.call('HDEL', ATTEMPTS, index) == 0 then return 0 end
redis.call('PUBLISH', CHANGES, GROUP_ID)
return 1
