-- Count that a server refused an email for good, and forget the address at the last of so many in a row. KEYS: the
-- address as a pending one, the subscribers, their bounces. ARGV: address, how many. Answers with 1 if it was forgotten.
local PENDING, SUBSCRIBERS, BOUNCES, address, limit = KEYS[1], KEYS[2], KEYS[3], ARGV[1], tonumber(ARGV[2])
if redis.call('HINCRBY', BOUNCES, address, 1) < limit then return 0 end
redis.call('ZREM', SUBSCRIBERS, address)
redis.call('HDEL', BOUNCES, address)
redis.call('DEL', PENDING)
return 1
