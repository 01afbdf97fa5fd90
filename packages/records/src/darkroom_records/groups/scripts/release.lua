-- Let anyone begin an image again that this attempt could not end. ARGV: index, attempt.
local index, attempt = ARGV[4], tonumber(ARGV[5])
local latest, delivery = latest_attempt(index)
if redis.call('HGET', STATES, index) ~= 'processing' or latest ~= attempt then return 0 end
note_attempt(index, attempt, delivery, '')
return 1
