-- Forget an address. KEYS: the address as a pending one, the subscribers, their bounces. ARGV: address.
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[1])
return 1
