-- Write a group down, once. ARGV[4] is the record, ARGV[5] the images, ARGV[6] the outcomes of those that failed
-- already, ARGV[7] the URLs of those to be fetched (JSON objects, indices as strings); ARGV[8] is 1 if its intake has to
-- be confirmed; ARGV[9] is its idempotency key, or nothing, ARGV[10] what is kept under it, ARGV[11] for how many seconds; ARGV[12] and
-- ARGV[13] are the most images that may wait, in all and of one owner. Answers with the time at which its images
-- count as published, or with what the key holds already: what was asked for, its group, and 1 if that is unfinished; or with nothing where too many images wait.
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
local record, queued, failed, all, states = cjson.decode(ARGV[4]), 0, 0, {}, {}
for index, item in pairs(items) do
  all[#all + 1], all[#all + 2] = index, item
  states[#states + 1], states[#states + 2] = index, outcomes[index] and 'failed' or 'queued'
  if outcomes[index] then failed = failed + 1 else queued = queued + 1 end
end
if not has_room(queued, record.owner, ARGV[12], ARGV[13]) then return false end
set_all(ITEMS, all)
set_all(STATES, states)
for index, outcome in pairs(outcomes) do redis.call('HSET', OUTCOMES, index, outcome) end
for index, source in pairs(sources) do redis.call('HSET', SOURCES, index, source) end
for name, value in pairs(record) do
  redis.call('HSET', RECORD, name, value)
end
redis.call('HSET', RECORD, 'version', 1, 'created_at', time, 'published_at', time,
  'queued', queued, 'processing', 0, 'succeeded', 0, 'failed', failed, 'cancelled', 0, 'expired', 0)
count_waiting()
if idempotency_key ~= '' then
  redis.call('SET', idempotency_key, ARGV[10], 'EX', ARGV[11])
  redis.call('HSET', RECORD, 'idempotency_key', idempotency_key)
end
if unfinished then
  redis.call('HSET', RECORD, 'unfinished', 1)
  redis.call('ZADD', UNFINISHED, time, GROUP_ID)
else
  admit(time)
  take_turns() -- for those who send no messages: recovery does
end
return time
