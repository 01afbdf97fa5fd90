-- Prepended to every script. KEYS: the record, the emails that are due. ARGV: id, prefix of workers' heartbeats.
local RECORD, DUE = KEYS[1], KEYS[2]
local EMAIL_ID, HEARTBEAT = ARGV[1], ARGV[2]
local KEPT = 8 * 24 * 3600 -- seconds for which an email that ended is known: longer than an issue is the latest

local function now()
  local time = redis.call('TIME')
  return string.format('%d.%06d', time[1], time[2])
end

local function look_again_at(time)
  redis.call('ZADD', DUE, time, EMAIL_ID)
end

local function finish(state, reason)
  redis.call('HSET', RECORD, 'state', state, 'reason', reason, 'ended_at', now())
  redis.call('EXPIRE', RECORD, KEPT)
  redis.call('ZREM', DUE, EMAIL_ID)
end

local function is_alive(worker)
  return redis.call('EXISTS', HEARTBEAT .. worker) == 1
end
