-- Keep uploads for longer, now that they are used. KEYS: the set of all uploads. ARGV: seconds until they are dropped, and
-- their ids. Those that are about to be deleted are not in the set under a time to come any more, and stay so.
local now = tonumber(redis.call('TIME')[1])
local till = string.format('%d', now + math.ceil(tonumber(ARGV[1])))
for position = 2, #ARGV do
  local due = redis.call('ZSCORE', KEYS[1], ARGV[position])
  if due and tonumber(due) > 0 then redis.call('ZADD', KEYS[1], 'GT', till, ARGV[position]) end
end
return ''
