-- End what has not ended of a group: what waits will never start, what runs is told to stop and may end nothing any more.
-- Who runs it stays noted among the attempts until it has stopped; who fetches it need not stop. ARGV: the state it ends in. An image expires only after
-- its group's deadline. Answers with the counts, the indices that were running, what their end brought about, and the turns
-- that are due now.
local final = ARGV[4]
if final == 'expired' then
  local deadline = redis.call('HGET', RECORD, 'deadline')
  if not deadline or tonumber(deadline) > tonumber(now()) then return false end
end
local states = redis.call('HGETALL', STATES)
local finished, aborted, never_started = 0, {}, 0
for position = 1, #states, 2 do
  local index, state = states[position], states[position + 1]
  if state == 'queued' then
    never_started = never_started + 1
  elseif state == 'processing' then
    aborted[#aborted + 1] = tonumber(index)
    if must_be_fetched(index) then redis.call('HDEL', ATTEMPTS, index) end
  else
    finished = finished + 1
  end
end
if never_started + #aborted == 0 then
  redis.call('ZREM', DEADLINES, GROUP_ID)
  return false
end
local image_webhooks, ended = 0, {}
for position = 1, #states, 2 do
  local index, state = states[position], states[position + 1]
  if state == 'queued' or state == 'processing' then
    ended[#ended + 1], ended[#ended + 2] = index, final
    image_webhooks = add_image_webhook(index, final, nil, 0)
  end
end
set_all(STATES, ended)
redis.call('HSET', RECORD, 'queued', 0, 'processing', 0)
redis.call('HINCRBY', RECORD, final, never_started + #aborted)
leave_turns()
local ending = image_webhooks + end_group_if_done()
changed()
return {finished, never_started, aborted, ending, take_turns()}
