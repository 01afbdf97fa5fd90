-- Let an address confirm. KEYS: the address as a pending one. ARGV: seconds for which it may.
redis.call('SET', KEYS[1], 'asked', 'EX', ARGV[1])
return 1
