-- Write a group down, once. ARGV[4] is the record, ARGV[5] the images, ARGV[6] the outcomes of those that failed
-- already (JSON objects, indices as strings); ARGV[7] is 1 if its intake has to be confirmed; ARGV[8] is its idempotency
-- key, or nothing, ARGV[9] what is kept under it, ARGV[10] for how many seconds. Answers with the time at which its images
-- count as published, or with what the key holds already: what was asked for, its group, and 1 if that is unfinished.
if redis.call('EXISTS', RECORD) == 1 then
  return redis.call('HGET', RECORD, 'published_at')
end
local unfinished, idempotency_key = ARGV[7] == '1', ARGV[8]
if idempotency_key ~= '' then
  local made = redis.call('GET', idempotency_key)
  local group_id = made and cjson.decode(made).group_id
  local other = group_id and redis.call('HMGET', GROUP .. group_id, 'version', 'unfinished')
  -- A key without a group was taken by an older version, whose request is under way; one whose group is gone is free.
  if made and (not group_id or other[1]) then return {made, (not group_id or other[2]) and 1 or 0} end
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
if idempotency_key ~= '' then
  redis.call('SET', idempotency_key, ARGV[9], 'EX', ARGV[10])
  redis.call('HSET', RECORD, 'idempotency_key', idempotency_key)
end
if unfinished then
  redis.call('HSET', RECORD, 'unfinished', 1)
  redis.call('ZADD', UNFINISHED, time, GROUP_ID)
else
  admit(time)
end
return time
