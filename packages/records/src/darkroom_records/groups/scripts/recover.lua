-- The images of a group that must be sent to the queue again. ARGV: since when the oldest waiting message waits,
-- seconds to leave alone what was just sent, the most seconds a living worker can take for an image.
-- * What a worker had begun that died since, or that lost it unnoticed, is sent at once, and is from then on nobody's.
-- * What is nobody's is sent when its message must have left the queue (everything published before the oldest
--   waiting message has) and yet nobody began it.
local oldest_waiting, grace, max_hold = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local known = redis.call('HMGET', RECORD, 'published_at', 'queued', 'request_id')
if not known[1] then
  redis.call('ZREM', RUNNING, GROUP_ID)
  return false
end
local time = now()
local function is_overdue(sent_at)
  return sent_at < oldest_waiting and sent_at < tonumber(time) - grace
end
local lost, found_orphans = {}, false

-- Those that were begun, which are few.
local attempts = redis.call('HGETALL', ATTEMPTS)
local was_begun = {}
for position = 1, #attempts, 2 do
  local index = attempts[position]
  local attempt, delivery, since, worker = parse_attempt(attempts[position + 1])
  local state = redis.call('HGET', STATES, index)
  was_begun[index] = true
  if worker == ORPHANED or worker == AWAITING_STORAGE then
    if (state == 'queued' or state == 'processing') and is_overdue(since) then
      note_attempt(index, attempt, delivery, worker)
      lost[#lost + 1] = tonumber(index)
    end
  elseif state == 'processing' and not (is_alive(worker) and since > tonumber(time) - max_hold) then
    note_attempt(index, attempt, delivery, ORPHANED)
    lost[#lost + 1] = tonumber(index)
    found_orphans = true
  end
end
if found_orphans then changed() end

-- Those that were not, which may be many: looked through only where one of them can have been lost.
if is_overdue(tonumber(known[1])) and known[2] ~= '0' then
  local states = redis.call('HGETALL', STATES)
  for position = 1, #states, 2 do
    local index = states[position]
    if states[position + 1] == 'queued' and not was_begun[index] then lost[#lost + 1] = tonumber(index) end
  end
  redis.call('HSET', RECORD, 'published_at', time)
  redis.call('ZADD', RUNNING, time, GROUP_ID)
end
return {time, lost, known[3] or ''}
