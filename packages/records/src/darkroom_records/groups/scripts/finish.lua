-- End an image, if this attempt is still the latest one. ARGV: index, attempt, final state, outcome, 1 if it was to be
-- fetched. If the image was cancelled meanwhile, nothing is ended; but whoever asks has just let go of it, and a
-- cancellation may wait for that.
local index, attempt = ARGV[4], tonumber(ARGV[5])
if not is_latest(index, attempt, ARGV[8]) then return {0} end
local state = redis.call('HGET', STATES, index)
let_go(index, state)
if state ~= 'processing' then return {0} end
return {finish(index, 'processing', ARGV[6], ARGV[7]), take_turns()}
