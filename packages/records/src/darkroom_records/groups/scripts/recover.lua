-- The images of a group that must be sent to their queue again: those to be processed, and those to be fetched. ARGV:
-- since when the oldest message waits in the queue of the former, seconds to leave alone what was just sent, the most
-- seconds a living worker can take for an image, since when the oldest message waits in the queue of the latter.
-- * What a worker had begun that died since, or that lost it unnoticed, is sent at once, and is from then on nobody's.
-- * What is nobody's is sent when its message must have left the queue (everything published before the oldest
--   waiting message has) and yet nobody began it.
local oldest_to_process, grace, max_hold, oldest_to_fetch = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local known = redis.call('HMGET', RECORD, 'published_at', 'queued', 'request_id')
if not known[1] then
  redis.call('ZREM', RUNNING, GROUP_ID)
  return false
end
local time = now()
local function is_overdue(index, sent_at)
  local oldest_waiting = must_be_fetched(index) and oldest_to_fetch or oldest_to_process
  return sent_at < oldest_waiting and sent_at < tonumber(time) - grace
end
local to_process, to_fetch, found_orphans = {}, {}, false
local function send_again(index, attempt, delivery, place)
  note_attempt(index, attempt, delivery, place)
  local list = must_be_fetched(index) and to_fetch or to_process
  list[#list + 1] = tonumber(index)
end

-- Those that were begun, which are few.
local attempts = redis.call('HGETALL', ATTEMPTS)
local was_begun = {}
for position = 1, #attempts, 2 do
  local index = attempts[position]
  local attempt, delivery, since, worker = parse_attempt(attempts[position + 1])
  local state = redis.call('HGET', STATES, index)
  was_begun[index] = true
  if worker == ORPHANED or worker == PUT_BACK then
    if (state == 'queued' or state == 'processing') and is_overdue(index, since) then
      send_again(index, attempt, delivery, worker)
    end
  elseif state == 'processing' and not (is_alive(worker) and since > tonumber(time) - max_hold) then
    send_again(index, attempt, delivery, ORPHANED)
    found_orphans = true
  end
end
if found_orphans then changed() end

-- Those that were not, which may be many: looked through only where one of them can have been lost.
local published_at, newest = tonumber(known[1]), oldest_to_process
if redis.call('EXISTS', SOURCES) == 1 then newest = math.max(newest, oldest_to_fetch) end
if published_at < newest and published_at < tonumber(time) - grace and known[2] ~= '0' then
  local states, still_waiting = redis.call('HGETALL', STATES), false
  for position = 1, #states, 2 do
    local index = states[position]
    if states[position + 1] == 'queued' and not was_begun[index] then
      if is_overdue(index, published_at) then
        send_again(index, 0, 0, PUT_BACK)
      else
        still_waiting = true
      end
    end
  end
  if not still_waiting then
    redis.call('HSET', RECORD, 'published_at', time)
    redis.call('ZADD', RUNNING, time, GROUP_ID)
  end
end
return {time, to_process, known[3] or '', to_fetch}
