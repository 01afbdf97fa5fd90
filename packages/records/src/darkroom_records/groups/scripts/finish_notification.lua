-- Note that nothing is left to mail about a group's end. ARGV: time of that end, or nothing if there was none.
local finished_at = redis.call('HGET', RECORD, 'finished_at')
if tonumber(finished_at or nil) ~= tonumber(ARGV[4]) then return 0 end
redis.call('ZREM', TO_NOTIFY, GROUP_ID)
return 1
