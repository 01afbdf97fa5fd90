-- Note why the results of a group were not mailed at its end, if it has not been run again since. ARGV: time of that
-- end, reason.
local finished_at = redis.call('HGET', RECORD, 'finished_at')
if not finished_at or tonumber(finished_at) ~= tonumber(ARGV[4]) then return 0 end
if redis.call('HGET', RECORD, 'email_error') == ARGV[5] then return 1 end
redis.call('HSET', RECORD, 'email_error', ARGV[5])
changed()
return 1
