-- Erase a group that has ended before a time (ARGV) and has not been run again since.
local finished_at = redis.call('HGET', RECORD, 'finished_at')
local is_known = redis.call('EXISTS', RECORD) == 1
if is_known and (not finished_at or tonumber(finished_at) > tonumber(ARGV[4])) then return 0 end
erase()
return 1
