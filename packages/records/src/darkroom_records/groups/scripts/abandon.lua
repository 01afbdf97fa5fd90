-- Erase a group whose intake was not confirmed. ARGV: seconds that an intake may take.
local known = redis.call('HMGET', RECORD, 'unfinished', 'created_at')
if not known[2] then
  redis.call('ZREM', UNFINISHED, GROUP_ID)
  return 0
end
if not known[1] or tonumber(known[2]) > tonumber(now()) - tonumber(ARGV[4]) then return 0 end
erase()
return 1
