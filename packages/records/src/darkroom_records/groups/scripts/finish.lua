-- End an image, if this attempt is still the latest one. ARGV: index, attempt, final state, outcome. If the image was
-- cancelled meanwhile, nothing is ended; but whoever asks has just let go of it, and a cancellation may wait for that.
local index, attempt = ARGV[4], tonumber(ARGV[5])
if latest_attempt(index) ~= attempt then return 0 end
local state = redis.call('HGET', STATES, index)
if state == 'cancelled' then let_go(index) end
if state ~= 'processing' then return 0 end
return finish(index, 'processing', ARGV[6], ARGV[7])
