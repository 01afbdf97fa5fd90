-- Confirm that a group was taken in as a whole, and let it be worked on. Answers with the turns that are due, or with nothing if
-- it was abandoned meanwhile.
local published_at, unfinished = unpack(redis.call('HMGET', RECORD, 'published_at', 'unfinished'))
if not published_at then return false end
if not unfinished then return take_turns() end
local time = now()
redis.call('HSET', RECORD, 'published_at', time)
redis.call('HDEL', RECORD, 'unfinished')
redis.call('ZREM', UNFINISHED, GROUP_ID)
admit(time)
return take_turns()
