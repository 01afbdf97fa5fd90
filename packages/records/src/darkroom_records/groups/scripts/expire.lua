-- Erase a group whose results were kept for long enough and that has not been run again since. ARGV: the time that counts
-- as now, seconds for which results are kept where the group does not say so itself.
local known = redis.call('HMGET', RECORD, 'finished_at', 'keep_for')
if redis.call('EXISTS', RECORD) == 1 then
  if not known[1] or tonumber(known[1]) + tonumber(known[2] or ARGV[5]) > tonumber(ARGV[4]) then return 0 end
end
erase()
return 1
