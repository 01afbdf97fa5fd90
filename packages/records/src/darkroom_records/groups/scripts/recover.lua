-- The images of a group that must be sent to their queue again: those to be processed, and those to be fetched; and the turns
-- that are due, as when the window has grown, or what ended an image sent nothing. ARGV:
-- since when the oldest message waits in the queue of the former, seconds to leave alone what was just sent, the most
-- seconds a living worker can take for an image, since when the oldest message waits in the queue of the latter.
-- * What a worker had begun that died since, or that lost it unnoticed, is sent at once, and is from then on nobody's.
-- * What is nobody's is sent when its message must have left the queue (everything published before the oldest
--   waiting message has) and yet nobody began it.
-- * What has no message because its turn has not come is not lost.
local oldest_to_process, grace, max_hold, oldest_to_fetch = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local known = redis.call('HMGET', RECORD, 'published_at', 'queued', 'request_id')
if not known[1] then
  redis.call('ZREM', RUNNING, GROUP_ID)
  return false
end
count_waiting()
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
local is_known, unknown = {}, tonumber(known[2]) -- queued images of which nothing says why nobody has begun them
for position = 1, #attempts, 2 do
  local index = attempts[position]
  local attempt, delivery, since, worker = parse_attempt(attempts[position + 1])
  local state = redis.call('HGET', STATES, index)
  is_known[index] = true
  if state == 'queued' then unknown = unknown - 1 end
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

-- Those whose turn has come, which are few, too.
local _, sent = own_turns()
for _, index in ipairs(placed('+inf')) do
  local state, name = redis.call('HGET', STATES, index), GROUP_ID .. '.' .. index
  if state ~= 'queued' and state ~= 'processing' then
    redis.call('ZREM', sent, name) -- another version has ended it
  elseif state == 'queued' and not is_known[index] then
    is_known[index], unknown = true, unknown - 1
    if is_overdue(index, tonumber(redis.call('ZSCORE', sent, name))) then
      redis.call('ZADD', sent, time, name)
      to_process[#to_process + 1] = tonumber(index)
    end
  end
end

-- Those that nobody has begun and that have no turn, which may be many: to be fetched, or from another version, which sent
-- all messages at once. Looked through only where one of them can have been lost.
local published_at, newest = tonumber(known[1]), oldest_to_process
if redis.call('EXISTS', SOURCES) == 1 then newest = math.max(newest, oldest_to_fetch) end
unknown = unknown - redis.call('LLEN', WAITING)
if unknown > 0 and published_at < newest and published_at < tonumber(time) - grace then
  local states, still_waiting, to_wait = redis.call('HGETALL', STATES), false, {}
  for _, index in ipairs(redis.call('LRANGE', WAITING, 0, -1)) do is_known[index] = true end
  for position = 1, #states, 2 do
    local index = states[position]
    if states[position + 1] == 'queued' and not is_known[index] then
      if not is_overdue(index, published_at) then
        still_waiting = true
      elseif must_be_fetched(index) then
        send_again(index, 0, 0, PUT_BACK)
      else
        to_wait[#to_wait + 1] = tonumber(index)
      end
    end
  end
  table.sort(to_wait)
  await_turn(to_wait)
  if not still_waiting then
    redis.call('HSET', RECORD, 'published_at', time)
    redis.call('ZADD', RUNNING, time, GROUP_ID)
  end
end
return {time, to_process, known[3] or '', to_fetch, take_turns()}
