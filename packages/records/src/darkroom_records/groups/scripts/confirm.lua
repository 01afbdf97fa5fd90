-- Confirm that a group was taken in as a whole, and let it be worked on. Answers with the time at which its images count
-- as published, or with nothing if it was abandoned meanwhile.
local published_at, unfinished = unpack(redis.call('HMGET', RECORD, 'published_at', 'unfinished'))
if not published_at then return false end
if not unfinished then return published_at end
local time = now()
redis.call('HSET', RECORD, 'published_at', time)
redis.call('HDEL', RECORD, 'unfinished')
redis.call('ZREM', UNFINISHED, GROUP_ID)
admit(time)
return time
