-- Begin to process an image, or to fetch its original, unless another attempt is alive. ARGV: index, delivery, worker, most
-- attempts, outcome of an image that used them up, 1 if it is to be fetched. A higher delivery number means that the one
-- before it has ended, whatever its worker does.
local index, delivery, worker, most, used_up = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), ARGV[8]
local state = redis.call('HGET', STATES, index)
if state ~= 'queued' and state ~= 'processing' then return false end
if must_be_fetched(index) ~= (ARGV[9] == '1') then return false end
local attempt, begun_delivery, _, begun_by = latest_attempt(index)
if state == 'processing' and is_alive(begun_by) and delivery <= begun_delivery then return false end
if attempt >= most then
  finish(index, state, 'failed', used_up)
  return false
end
note_attempt(index, attempt + 1, delivery, worker)
if state == 'queued' then
  local _, sent = own_turns()
  if not redis.call('ZSCORE', sent, GROUP_ID .. '.' .. index) then leave_turn(index) end
  move(index, 'queued', 'processing')
  changed()
elseif begun_by == ORPHANED then
  changed() -- it is recovered
end
return token_of(attempt + 1)
