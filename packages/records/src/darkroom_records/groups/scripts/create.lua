-- Write a group down, once. ARGV[4] is the record, ARGV[5] the images, ARGV[6] the outcomes of those that failed
-- already, ARGV[7] the URLs of those to be fetched (JSON objects, indices as strings); ARGV[8] is 1 if its intake has to
-- be confirmed; ARGV[9] is its idempotency key, or nothing, ARGV[10] what is kept under it, ARGV[11] for how many seconds. Answers with the time at which its images
-- count as published, or with what the key holds already: what was asked for, its group, and 1 if that is unfinished.
if redis.call('EXISTS', RECORD) == 1 then
  return redis.call('HGET', RECORD, 'published_at')
end
local unfinished, idempotency_key = ARGV[8] == '1', ARGV[9]
if idempotency_key ~= '' then
  local made = redis.call('GET', idempotency_key)
  local group_id = made and cjson.decode(made).group_id
  local other = group_id and redis.call('HMGET', GROUP .. group_id, 'version', 'unfinished')
  -- A key without a group was taken by an older version, whose request is under way; one whose group is gone is free.
  if made and (not group_id or other[1]) then return {made, (not group_id or other[2]) and 1 or 0} end
end
local time = now()
local items, outcomes, sources = cjson.decode(ARGV[5]), cjson.decode(ARGV[6]), cjson.decode(ARGV[7])
local queued, failed = 0, 0
for index, item in pairs(items) do
  redis.call('HSET', ITEMS, index, item)
  if outcomes[index] then
    redis.call('HSET', OUTCOMES, index, outcomes[index])
    redis.call('HSET', STATES, index, 'failed')
    failed = failed + 1
  else
    redis.call('HSET', STATES, index, 'queued')
    if sources[index] then redis.call('HSET', SOURCES, index, sources[index]) end
    queued = queued + 1
  end
end
for name, value in pairs(cjson.decode(ARGV[4])) do
  redis.call('HSET', RECORD, name, value)
end
redis.call('HSET', RECORD, 'version', 1, 'created_at', time, 'published_at', time,
  'queued', queued, 'processing', 0, 'succeeded', 0, 'failed', failed, 'cancelled', 0, 'expired', 0)
if idempotency_key ~= '' then
  redis.call('SET', idempotency_key, ARGV[10], 'EX', ARGV[11])
  redis.call('HSET', RECORD, 'idempotency_key', idempotency_key)
end
if unfinished then
  redis.call('HSET', RECORD, 'unfinished', 1)
  redis.call('ZADD', UNFINISHED, time, GROUP_ID)
else
  admit(time)
end
return time
