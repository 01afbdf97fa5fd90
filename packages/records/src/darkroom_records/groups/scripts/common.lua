-- Prepended to every script. A group's keys come in one order, always the same.
local RECORD, ITEMS, STATES, ATTEMPTS, OUTCOMES, SOURCES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local EMAILS, WEBHOOKS = KEYS[7], KEYS[8]
local RUNNING, ENDED, TO_NOTIFY, STATISTICS = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local CHANGES, GROUP_ID, HEARTBEAT = ARGV[1], ARGV[2], ARGV[3]

local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

-- Give many fields of a hash their values: {field, value, field, value, ...}.
local CHUNK = 1000 -- what Lua unpacks at once is limited
local function set_all(key, fields)
  for first = 1, #fields, CHUNK do
    redis.call('HSET', key, unpack(fields, first, math.min(first + CHUNK - 1, #fields)))
  end
end

-- The backlog: images that wait, of all owners under an empty name, and of each owner under its own.
local function add_to_backlog(owner, number)
  for _, whose in ipairs({'', owner or nil}) do
    if redis.call('HINCRBY', BACKLOG, whose, number) <= 0 then redis.call('HDEL', BACKLOG, whose) end
  end
end

-- Let the backlog say of the group what its record does. What it has counted is noted in the record, so that a step of
-- another version that changed the group without counting is made up for by the next one.
local function count_waiting()
  local known = redis.call('HMGET', RECORD, 'queued', 'counted', 'owner')
  local more = tonumber(known[1] or 0) - tonumber(known[2] or 0)
  if not known[1] or more == 0 then return end
  redis.call('HSET', RECORD, 'counted', known[1])
  add_to_backlog(known[3], more)
end

-- Whether so many images more may wait. The limits are for all owners, and for one.
local function has_room(number, owner, limit, owner_limit)
  local waiting = redis.call('HMGET', BACKLOG, '', owner or '')
  local own = owner and tonumber(waiting[2] or 0) or 0
  return tonumber(waiting[1] or 0) + number <= tonumber(limit) and own + number <= tonumber(owner_limit)
end

local function changed()
  count_waiting()
  redis.call('HINCRBY', RECORD, 'version', 1)
  redis.call('PUBLISH', CHANGES, GROUP_ID)
end

local function move(index, from, to)
  redis.call('HSET', STATES, index, to)
  redis.call('HINCRBY', RECORD, from, -1)
  redis.call('HINCRBY', RECORD, to, 1)
end

-- Images take turns. The queue holds a window of messages for each owner; the other images wait in the record without one.
-- What ends an image sends the owner's next, of the group whose turn it is. A group without an owner is its own.
local WAITING = GROUP .. GROUP_ID .. ':waiting'

local function whose_turns(group_id, owner)
  local whose = owner and 'key:' .. owner or 'group:' .. group_id
  return TURNS .. whose, SENT .. whose
end

local function own_turns()
  return whose_turns(GROUP_ID, redis.call('HGET', RECORD, 'owner'))
end

-- How many messages of one owner the queue may hold: two for each process that works on images, so that none has to wait
-- for its next one. Looked up every few seconds.
local function window_size()
  local known = redis.call('GET', WINDOW_SIZE)
  if known then return tonumber(known) end
  local processes = 0
  for _, worker in ipairs(redis.call('ZRANGE', WORKERS, 0, -1)) do
    local beat = redis.call('GET', HEARTBEAT .. worker)
    local is_read, facts = pcall(cjson.decode, beat or '')
    if is_read and type(facts) == 'table' then
      for _, queue in ipairs(facts.queues or {}) do
        if queue == 'images' then processes = processes + (tonumber(facts.concurrency) or 0) end
      end
    end
  end
  local size = processes > 0 and 2 * processes or 4
  redis.pcall('SET', WINDOW_SIZE, size, 'EX', 5)
  return size
end

-- Let images wait for their turn, in this order.
local function await_turn(indices)
  if #indices == 0 then return end
  if redis.call('EXISTS', WAITING) == 0 then
    redis.call('RPUSH', own_turns(), GROUP_ID)
    redis.call('ZADD', WAITING_GROUPS, now(), GROUP_ID)
  end
  for first = 1, #indices, CHUNK do
    redis.call('RPUSH', WAITING, unpack(indices, first, math.min(first + CHUNK - 1, #indices)))
  end
end

-- Take the turns that are due: while the owner's window has room, the next image of the group whose turn it is. Answers with
-- the time that the messages are to carry, and of each image its group, its index, and the request it came with.
local function take_turns()
  local time, due = now(), {}
  local turns, sent = own_turns()
  if redis.call('EXISTS', turns) == 0 then return {time, due} end
  local room = window_size() - redis.call('ZCARD', sent)
  while room > 0 do
    local group_id = redis.call('LPOP', turns)
    if not group_id then break end
    local group = GROUP .. group_id
    local index = redis.call('LPOP', group .. ':waiting')
    if index and redis.call('HGET', group .. ':states', index) == 'queued' then
      if redis.call('ZADD', sent, time, group_id .. '.' .. index) == 1 then
        due[#due + 1] = {group_id, index, redis.call('HGET', group, 'request_id') or ''}
        room = room - 1
      end
    end
    if redis.call('EXISTS', group .. ':waiting') == 1 then
      redis.call('RPUSH', turns, group_id)
    else
      redis.call('ZREM', WAITING_GROUPS, group_id)
    end
  end
  return {time, due}
end

-- An image has ended: its place in the window is free.
local function free_place(index)
  local _, sent = own_turns()
  redis.call('ZREM', sent, GROUP_ID .. '.' .. index)
end

-- The indices of the group's images that have a place in the window and were sent at the latest by then.
local function placed(latest)
  local _, sent = own_turns()
  local indices, prefix = {}, GROUP_ID .. '.'
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', sent, '-inf', latest)) do
    if string.sub(name, 1, #prefix) == prefix then indices[#indices + 1] = string.sub(name, #prefix + 1) end
  end
  return indices
end

-- An image does not wait for its turn any more: somebody has begun it without.
local function leave_turn(index)
  if redis.call('LREM', WAITING, 1, index) == 1 and redis.call('EXISTS', WAITING) == 0 then
    redis.call('LREM', own_turns(), 0, GROUP_ID)
    redis.call('ZREM', WAITING_GROUPS, GROUP_ID)
  end
end

-- None of the group's images waits for a turn any more, or has a place in the window.
local function leave_turns()
  if redis.call('DEL', WAITING) == 1 then
    redis.call('LREM', own_turns(), 0, GROUP_ID)
    redis.call('ZREM', WAITING_GROUPS, GROUP_ID)
  end
  for _, index in ipairs(placed('+inf')) do free_place(index) end
end

-- Add to the statistics of this week, which are kept for eight.
local function count(what, number)
  redis.call('HINCRBY', STATISTICS, what, number)
  redis.call('EXPIRE', STATISTICS, 8 * 7 * 24 * 3600)
end

-- Forget the emails that carry the group's results, sent or not. Answers with their number.
local function erase_emails()
  local emails = redis.call('SMEMBERS', EMAILS)
  for _, email_id in ipairs(emails) do
    local occasion = redis.call('HGET', EMAIL .. email_id, 'occasion')
    if occasion then redis.call('DEL', occasion) end
    redis.call('DEL', EMAIL .. email_id)
    redis.call('ZREM', DUE_EMAILS, email_id)
  end
  redis.call('DEL', EMAILS)
  return #emails
end

-- A webhook is named by the run whose end it tells of, and by the image if it tells of one: '0', '0.12'. That of a group is
-- part of its record and is known for as long; that of an image is kept beside it until it has ended.
local WEBHOOK_PATIENCE = 10 -- seconds that a webhook's message has to be taken

local function webhook_place(name)
  if string.find(name, '.', 1, true) then return WEBHOOKS, name end
  return RECORD, 'webhook:' .. name
end

local function read_webhook(name)
  local key, field = webhook_place(name)
  local text = redis.call('HGET', key, field)
  return text and cjson.decode(text)
end

local function write_webhook(name, webhook)
  local key, field = webhook_place(name)
  redis.call('HSET', key, field, cjson.encode(webhook))
end

local function look_at_webhook(name, time)
  redis.call('ZADD', DUE_WEBHOOKS, string.format('%.6f', time), GROUP_ID .. '.' .. name)
end

local function forget_webhook(name)
  local key, field = webhook_place(name)
  redis.call('HDEL', key, field)
  redis.call('ZREM', DUE_WEBHOOKS, GROUP_ID .. '.' .. name)
end

-- Write a webhook down, with what it tells of, in the very step that it tells of. It is looked for after so many seconds.
local function add_webhook(name, event, seconds)
  local time = now()
  local is_off = redis.call('HEXISTS', RECORD, 'webhook_off') == 1
  write_webhook(name, {state = is_off and 'disabled' or 'pending', at = time, due_at = time, event = event,
    claims = 0, attempts = 0, tries = 0})
  if not is_off then look_at_webhook(name, tonumber(time) + seconds) end
end

-- Answers with 4 if a webhook was written down that tells of this image, and with 0 otherwise.
local function add_image_webhook(index, state, outcome, seconds)
  local known = redis.call('HMGET', RECORD, 'webhook_images', 'webhook_off', 'run')
  if not known[1] or known[2] then return 0 end
  local reason = outcome and cjson.decode(outcome) or {}
  local event = {state = state, error = reason.error, code = reason.code}
  add_webhook((known[3] or '0') .. '.' .. index, event, seconds)
  return 4
end

-- Let none of the group's webhooks be delivered any more. Answers with how many still were to be.
local function erase_webhooks()
  local number = 0
  for _, name in ipairs(redis.call('HKEYS', WEBHOOKS)) do
    number = number + redis.call('ZREM', DUE_WEBHOOKS, GROUP_ID .. '.' .. name)
  end
  for run = 0, tonumber(redis.call('HGET', RECORD, 'run') or 0) do
    number = number + redis.call('ZREM', DUE_WEBHOOKS, GROUP_ID .. '.' .. run)
  end
  redis.call('DEL', WEBHOOKS)
  return number
end

-- Forget the group, and note that its blobs are to be deleted. A full Redis refuses the note, but must be able to forget.
-- Answers with the number of its emails, and of its webhooks that were still to be delivered.
local function erase()
  redis.pcall('ZADD', ERASED, now(), GROUP_ID)
  local idempotency_key = redis.call('HGET', RECORD, 'idempotency_key')
  local made = idempotency_key and redis.call('GET', idempotency_key)
  if made and cjson.decode(made).group_id == GROUP_ID then redis.call('DEL', idempotency_key) end
  local owner = redis.call('HGET', RECORD, 'owner')
  if owner then redis.call('ZREM', OWNED .. owner, GROUP_ID) end
  leave_turns()
  add_to_backlog(owner, -(redis.call('HGET', RECORD, 'counted') or 0))
  local webhooks = erase_webhooks()
  redis.call('DEL', RECORD, ITEMS, STATES, ATTEMPTS, OUTCOMES, SOURCES)
  for _, set in ipairs({RUNNING, ENDED, EXPIRING, DEADLINES, TO_NOTIFY, UNFINISHED}) do
    redis.call('ZREM', set, GROUP_ID)
  end
  return {erase_emails(), webhooks}
end

-- Answers with 2 if the group ended and wants its results mailed, and with 1 otherwise; 8 more if its webhook is to be
-- delivered. Both are noted in the same step.
local function end_group_if_done()
  local known = redis.call('HMGET', RECORD, 'queued', 'processing', 'cancelled', 'notify', 'keep_for', 'webhook_url', 'run')
  if known[1] ~= '0' or known[2] ~= '0' then return 1 end
  local time = now()
  redis.call('HSET', RECORD, 'finished_at', time)
  redis.call('ZREM', RUNNING, GROUP_ID)
  redis.call('ZREM', DEADLINES, GROUP_ID)
  if known[5] then
    redis.call('ZADD', EXPIRING, tonumber(time) + tonumber(known[5]), GROUP_ID)
  else
    redis.call('ZADD', ENDED, time, GROUP_ID)
  end
  local ending = 1
  if known[3] == '0' and known[4] then
    redis.call('ZADD', TO_NOTIFY, time, GROUP_ID)
    ending = 2
  end
  if known[6] then
    local states = {'succeeded', 'failed', 'cancelled', 'expired'}
    local event, counts = {}, redis.call('HMGET', RECORD, unpack(states))
    for position, state in ipairs(states) do event[state] = tonumber(counts[position] or 0) end
    add_webhook(known[7] or '0', event, WEBHOOK_PATIENCE)
    ending = ending + 8
  end
  return ending
end

-- Let a group whose record is complete be worked on. Its images wait for their turns, but for those to be fetched first.
local function admit(time)
  redis.call('ZADD', RUNNING, time, GROUP_ID)
  local known = redis.call('HMGET', RECORD, 'owner', 'deadline')
  if known[1] then redis.call('ZADD', OWNED .. known[1], time, GROUP_ID) end
  if known[2] then redis.call('ZADD', DEADLINES, known[2], GROUP_ID) end
  count('groups', 1)
  local refused = tonumber(redis.call('HGET', RECORD, 'failed'))
  count('failures', refused)
  if refused > 0 and redis.call('HEXISTS', RECORD, 'webhook_images') == 1 then
    local outcomes = redis.call('HGETALL', OUTCOMES)
    for position = 1, #outcomes, 2 do add_image_webhook(outcomes[position], 'failed', outcomes[position + 1], 0) end
  end
  end_group_if_done()
  local states, to_fetch, waiting = redis.call('HGETALL', STATES), {}, {}
  for _, index in ipairs(redis.call('HKEYS', SOURCES)) do to_fetch[index] = true end
  for position = 1, #states, 2 do
    local index = states[position]
    if states[position + 1] == 'queued' and not to_fetch[index] then waiting[#waiting + 1] = tonumber(index) end
  end
  table.sort(waiting)
  await_turn(waiting)
end

local function finish(index, from, to, outcome)
  move(index, from, to)
  redis.call('HSET', OUTCOMES, index, outcome)
  redis.call('HDEL', ATTEMPTS, index)
  free_place(index)
  count(to == 'succeeded' and 'images' or 'failures', 1)
  local ending = add_image_webhook(index, to, outcome, WEBHOOK_PATIENCE) + end_group_if_done()
  changed()
  return ending
end

-- In a worker's place: nobody has the image, for its worker was lost, or for it was put back into the queue.
local ORPHANED, PUT_BACK = '', 'storage'

local function parse_attempt(text)
  local attempt, delivery, since, worker = string.match(text, '^(%d+)|(%d+)|([%d.]+)|(.*)$')
  return tonumber(attempt), tonumber(delivery), tonumber(since), worker
end

-- {attempt, delivery, time begun, worker} of an image's latest beginning
local function latest_attempt(index)
  local text = redis.call('HGET', ATTEMPTS, index)
  if not text then return 0, -1, 0, '' end
  return parse_attempt(text)
end

-- Note who has begun an image, or why nobody has it now, and since when: as of now, or of so many seconds later.
local function note_attempt(index, attempt, delivery, worker, seconds)
  local since = string.format('%.6f', tonumber(now()) + (seconds or 0))
  redis.call('HSET', ATTEMPTS, index, attempt .. '|' .. delivery .. '|' .. since .. '|' .. worker)
end

-- Whether the image's original must be fetched from a URL before it can be processed.
local function must_be_fetched(index)
  return redis.call('HEXISTS', SOURCES, index) == 1
end

-- What a worker knows an attempt by: its number in this run of the group, and 100 for each run before. A worker that was cut
-- off may still be at an attempt of an earlier one.
local function token_of(attempt)
  return attempt + 100 * tonumber(redis.call('HGET', RECORD, 'run') or 0)
end

-- Whether this attempt at an image is the latest one: an attempt to fetch its original, or else to process it. The two are
-- counted apart, and what was fetched is never fetched again.
local function is_latest(index, attempt, fetches)
  return token_of((latest_attempt(index))) == attempt and must_be_fetched(index) == (fetches == '1')
end

local function is_alive(worker)
  return worker ~= ORPHANED and worker ~= PUT_BACK and redis.call('EXISTS', HEARTBEAT .. worker) == 1
end

-- Note that nobody works any more on an image that was cancelled or that expired.
local function let_go(index, state)
  if state ~= 'cancelled' and state ~= 'expired' then return 0 end
  if redis.call('HDEL', ATTEMPTS, index) == 0 then return 0 end
  redis.call('PUBLISH', CHANGES, GROUP_ID)
  return 1
end
