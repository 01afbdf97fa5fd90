-- Prepended to every script. A group's keys come in one order, always the same.
local RECORD, ITEMS, STATES, ATTEMPTS, OUTCOMES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local RUNNING, ENDED = KEYS[6], KEYS[7]
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

local function end_group_if_done()
  local left = redis.call('HMGET', RECORD, 'queued', 'processing')
  if left[1] == '0' and left[2] == '0' then
    local time = now()
    redis.call('HSET', RECORD, 'finished_at', time)
    redis.call('ZREM', RUNNING, GROUP_ID)
    redis.call('ZADD', ENDED, time, GROUP_ID)
  end
end

local function finish(index, from, to, outcome)
  move(index, from, to)
  redis.call('HSET', OUTCOMES, index, outcome)
  redis.call('HDEL', ATTEMPTS, index)
  end_group_if_done()
  changed()
end

-- {attempt, delivery, time begun, worker} of an image's latest beginning
local function latest_attempt(index)
  local text = redis.call('HGET', ATTEMPTS, index)
  if not text then return 0, -1, 0, '' end
  local attempt, delivery, begun_at, worker = string.match(text, '^(%d+)|(%d+)|([%d.]+)|(.*)$')
  return tonumber(attempt), tonumber(delivery), tonumber(begun_at), worker
end

local function note_attempt(index, attempt, delivery, worker)
  redis.call('HSET', ATTEMPTS, index, attempt .. '|' .. delivery .. '|' .. now() .. '|' .. worker)
end

local function is_alive(worker)
  return worker ~= '' and redis.call('EXISTS', HEARTBEAT .. worker) == 1
end
