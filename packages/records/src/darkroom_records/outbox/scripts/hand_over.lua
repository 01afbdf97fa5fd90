-- Note that the email's text is now given to a server, if this attempt is still the latest one. ARGV: attempt.
local known = redis.call('HMGET', RECORD, 'state', 'stage', 'attempt')
if known[1] ~= 'sending' or known[2] ~= 'preparing' or known[3] ~= ARGV[3] then return 0 end
redis.call('HSET', RECORD, 'stage', 'handing over')
return 1
