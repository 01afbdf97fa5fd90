-- Write down what an attempt came to, if it is still the latest one; an email that was given up as lost meanwhile is
-- known again. ARGV: attempt, new state, recipients that are left, accepted, refused, reason, seconds until it is tried again.
local known = redis.call('HMGET', RECORD, 'state', 'stage', 'attempt')
local state, stage = known[1], known[2]
if known[3] ~= ARGV[3] or not (state == 'sending' or stage == 'handing over') then return 0 end
redis.call('HSET', RECORD, 'stage', '', 'to', ARGV[5], 'accepted', ARGV[6], 'refused', ARGV[7])
if ARGV[4] ~= 'queued' then
  finish(ARGV[4], ARGV[8])
else
  local due_at = tonumber(now()) + tonumber(ARGV[9])
  redis.call('HSET', RECORD, 'state', 'queued', 'reason', ARGV[8], 'due_at', due_at)
  redis.call('HDEL', RECORD, 'ended_at')
  redis.call('PERSIST', RECORD)
  look_again_at(due_at)
end
return 1
