-- Fail an image whose process this worker has stopped. ARGV: index, worker, outcome.
local index, worker = ARGV[4], ARGV[5]
local _, _, _, begun_by = latest_attempt(index)
if begun_by ~= worker then return {0} end
local state = redis.call('HGET', STATES, index)
let_go(index, state)
if state ~= 'processing' then return {0} end
return {finish(index, 'processing', 'failed', ARGV[6]), take_turns()}
