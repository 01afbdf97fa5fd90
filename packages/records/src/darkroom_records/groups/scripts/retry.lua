-- Run the failed images of an ended group again, but for those that were refused when they were taken in: there is
-- nothing to run. ARGV: the most images that may wait, in all and of one owner. Answers with the time at which they count as
-- published, the indices of those to be processed and of those to be fetched first, and the turns that are due; or with 0 where
-- too many images wait. A deadline that the group had was for its first run.
if not redis.call('HGET', RECORD, 'finished_at') then return false end
local states = redis.call('HGETALL', STATES)
local to_process, to_fetch = {}, {}
for position = 1, #states, 2 do
  local index, state = states[position], states[position + 1]
  if state == 'failed' and not cjson.decode(redis.call('HGET', ITEMS, index)).refused then
    local list = must_be_fetched(index) and to_fetch or to_process
    list[#list + 1] = tonumber(index)
  end
end
local time = now()
if #to_process + #to_fetch > 0 then
  if not has_room(#to_process + #to_fetch, redis.call('HGET', RECORD, 'owner'), ARGV[4], ARGV[5]) then return 0 end
  for _, list in ipairs({to_process, to_fetch}) do
    for _, index in ipairs(list) do
      move(index, 'failed', 'queued')
      redis.call('HDEL', OUTCOMES, index)
      redis.call('HDEL', ATTEMPTS, index)
    end
  end
  table.sort(to_process)
  await_turn(to_process)
  redis.call('HDEL', RECORD, 'finished_at', 'email_error', 'deadline')
  local run = redis.call('HGET', RECORD, 'run') or '0'
  local webhook = read_webhook(run)
  if webhook and webhook.state ~= 'pending' and webhook.state ~= 'sending' then forget_webhook(run) end
  redis.call('HINCRBY', RECORD, 'run', 1)
  redis.call('HSET', RECORD, 'published_at', time)
  redis.call('ZREM', ENDED, GROUP_ID)
  redis.call('ZREM', EXPIRING, GROUP_ID)
  redis.call('ZADD', RUNNING, time, GROUP_ID)
  changed()
end
return {time, to_process, to_fetch, take_turns()}
