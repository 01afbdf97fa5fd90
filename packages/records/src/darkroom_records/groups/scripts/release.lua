-- Let an image wait, as if this attempt had not been, because the storage fails. ARGV: index, attempt, seconds until it
-- is sent to the queue again by whoever released it.
local index, attempt, seconds = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local latest, delivery = latest_attempt(index)
if latest ~= attempt then return 0 end
local state = redis.call('HGET', STATES, index)
if state == 'cancelled' then let_go(index) end
if state ~= 'processing' then return 0 end
note_attempt(index, attempt - 1, delivery, AWAITING_STORAGE, seconds)
move(index, 'processing', 'queued')
changed()
return 1
