-- A worker has stopped what it did for a cancelled image. ARGV: index.
local index = ARGV[4]
if redis.call('HGET', STATES, index) ~= 'cancelled' then return 0 end
return let_go(index)
