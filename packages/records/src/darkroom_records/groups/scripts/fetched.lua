-- Let an image whose original was fetched wait to be processed, if this attempt is still the latest one. ARGV: index,
-- attempt. Answers with the turns that are due, its own among them or not.
local index, attempt = ARGV[4], tonumber(ARGV[5])
if not is_latest(index, attempt, '1') then return false end
local state = redis.call('HGET', STATES, index)
let_go(index, state)
if state ~= 'processing' then return false end
redis.call('HDEL', SOURCES, index)
redis.call('HDEL', ATTEMPTS, index)
move(index, 'processing', 'queued')
await_turn({index})
changed()
return take_turns()
