-- Give a group that has no address this one. ARGV: address. Answers with 1 if it is the group's address now, 0 if the
-- group has another, nothing if there is no such group.
if redis.call('EXISTS', RECORD) == 0 then return false end
local known = redis.call('HGET', RECORD, 'email')
if known then return known == ARGV[4] and 1 or 0 end
redis.call('HSET', RECORD, 'email', ARGV[4])
return 1
