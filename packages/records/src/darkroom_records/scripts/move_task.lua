-- Change a record only where it stands in one of the states named, so that nothing follows an ending.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or not string.find(ARGV[1], state, 1, true) then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[2])
local kind = redis.call('HGET', KEYS[1], 'kind')
if kind and redis.call('HGET', KEYS[1], 'state') ~= 'processing' then
  redis.call('ZREM', KEYS[2] .. kind, ARGV[3])
end
return 1
