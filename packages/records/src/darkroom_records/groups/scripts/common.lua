-- Prepended to every script. A group's keys come in one order, always the same.
local RECORD, ITEMS, STATES, ATTEMPTS, OUTCOMES, SOURCES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local EMAILS, WEBHOOKS = KEYS[7], KEYS[8]
local RUNNING, ENDED, TO_NOTIFY, STATISTICS = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local CHANGES, GROUP_ID, HEARTBEAT = ARGV[1], ARGV[2], ARGV[3]

local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

local function changed()
  redis.call('HINCRBY', RECORD, 'version', 1)
  redis.call('PUBLISH', CHANGES, GROUP_ID)
end

local function move(index, from, to)
  redis.call('HSET', STATES, index, to)
  redis.call('HINCRBY', RECORD, from, -1)
  redis.call('HINCRBY', RECORD, to, 1)
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

-- Let a group whose record is complete be worked on.
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
end

local function finish(index, from, to, outcome)
  move(index, from, to)
  redis.call('HSET', OUTCOMES, index, outcome)
  redis.call('HDEL', ATTEMPTS, index)
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
