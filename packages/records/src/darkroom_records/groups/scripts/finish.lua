-- End an image, if this attempt is still the latest one. ARGV: index, attempt, final state, outcome.
local index, attempt = ARGV[4], tonumber(ARGV[5])
if redis.call('HGET', STATES, index) ~= 'processing' or latest_attempt(index) ~= attempt then return 0 end
return finish(index, 'processing', ARGV[6], ARGV[7])
