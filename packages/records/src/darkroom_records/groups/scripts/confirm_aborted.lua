-- A worker has stopped what it did for an image that was cancelled or that expired. ARGV: index.
local index = ARGV[4]
return let_go(index, redis.call('HGET', STATES, index))
