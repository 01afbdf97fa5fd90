-- The images of a group that must be sent to the queue again. ARGV: since when the oldest waiting message waits,
-- seconds to leave a group alone after it was published, the most seconds a living worker can take for an image.
-- * What a worker had begun that died since, or that lost it unnoticed, is sent at once, and is from then on nobody's.
-- * What is nobody's is sent when its message must have left the queue (everything published before the oldest
--   waiting message has) and yet nobody began it.
local oldest_waiting, grace, longest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local published = tonumber(redis.call('HGET', RECORD, 'published_at'))
if not published then
  redis.call('ZREM', RUNNING, GROUP_ID)
  return false
end
local time = now()
local overdue = published < oldest_waiting and published < tonumber(time) - grace
local lost = {}
local states = redis.call('HGETALL', STATES)
for position = 1, #states, 2 do
  local index, state = states[position], states[position + 1]
  if state == 'queued' and overdue then
    lost[#lost + 1] = tonumber(index)
  elseif state == 'processing' then
    local attempt, delivery, begun_at, worker = latest_attempt(index)
    local held = is_alive(worker) and begun_at > tonumber(time) - longest
    if not held and worker ~= '' then note_attempt(index, attempt, delivery, '') end
    if not held and (worker ~= '' or overdue) then lost[#lost + 1] = tonumber(index) end
  end
end
if overdue and #lost > 0 then
  redis.call('HSET', RECORD, 'published_at', time)
  redis.call('ZADD', RUNNING, time, GROUP_ID)
end
return {time, lost, redis.call('HGET', RECORD, 'request_id') or ''}
