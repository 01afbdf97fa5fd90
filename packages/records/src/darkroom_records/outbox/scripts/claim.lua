-- Take an email to send it, unless it has ended, is not due, or another worker has it. ARGV: worker, seconds in which the
-- slowest sending is over, seconds until the email is looked at again, reason of an email that was lost while handed over.
local worker, max_duration, patience, in_doubt = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local known = redis.call('HMGET', RECORD, 'state', 'stage', 'worker', 'due_at', 'claimed_at')
local state, stage, holder, due_at, claimed_at = known[1], known[2], known[3], tonumber(known[4]), tonumber(known[5])
local time = tonumber(now())
if state == 'queued' then
  if due_at > time then return false end
elseif state == 'sending' then
  if is_alive(holder) and claimed_at > time - max_duration then return false end
  if stage == 'handing over' then
    finish('failed', in_doubt)
    return false
  end
else
  redis.call('ZREM', DUE, EMAIL_ID)
  return false
end
redis.call('HINCRBY', RECORD, 'attempt', 1)
redis.call('HSET', RECORD, 'state', 'sending', 'stage', 'preparing', 'worker', worker, 'claimed_at', now())
look_again_at(time + patience)
return redis.call('HGETALL', RECORD)
