-- Put an image back into its queue, as if this attempt had not been: the storage fails, or the server of its URL is busy.
-- ARGV: index, attempt, seconds until it is sent to the queue again by whoever released it, 1 if it was to be fetched.
local index, attempt, seconds = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
if not is_latest(index, attempt, ARGV[7]) then return 0 end
local number, delivery = latest_attempt(index)
local state = redis.call('HGET', STATES, index)
let_go(index, state)
if state ~= 'processing' then return 0 end
note_attempt(index, number - 1, delivery, PUT_BACK, seconds)
move(index, 'processing', 'queued')
changed()
return 1
