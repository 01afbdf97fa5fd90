-- Write a group down, once. ARGV[4] is the record, ARGV[5] the images, ARGV[6] the outcomes of those that failed
-- already (JSON objects, indices as strings). Answers with the time at which its images count as published.
if redis.call('EXISTS', RECORD) == 1 then
  return redis.call('HGET', RECORD, 'published_at')
end
local time = now()
local items, outcomes = cjson.decode(ARGV[5]), cjson.decode(ARGV[6])
local queued, failed = 0, 0
for index, item in pairs(items) do
  redis.call('HSET', ITEMS, index, item)
  if outcomes[index] then
    redis.call('HSET', OUTCOMES, index, outcomes[index])
    redis.call('HSET', STATES, index, 'failed')
    failed = failed + 1
  else
    redis.call('HSET', STATES, index, 'queued')
    queued = queued + 1
  end
end
for name, value in pairs(cjson.decode(ARGV[4])) do
  redis.call('HSET', RECORD, name, value)
end
redis.call('HSET', RECORD, 'version', 1, 'created_at', time, 'published_at', time,
  'queued', queued, 'processing', 0, 'succeeded', 0, 'failed', failed, 'cancelled', 0)
redis.call('ZADD', RUNNING, time, GROUP_ID)
count('groups', 1)
count('failures', failed)
end_group_if_done()
return time
