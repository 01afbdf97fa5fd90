-- Subscribe an address that may confirm. KEYS: the address as a pending one, the subscribers, their bounces, the email
-- that asked. ARGV: address. Answers with 1 if it is subscribed now.
local PENDING, SUBSCRIBERS, BOUNCES, ASKED, address = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
if redis.call('EXISTS', PENDING) == 0 then
  return redis.call('ZSCORE', SUBSCRIBERS, address) and 1 or 0
end
redis.call('ZADD', SUBSCRIBERS, 0, address)
redis.call('HDEL', BOUNCES, address)
redis.call('DEL', PENDING, ASKED)
return 1
