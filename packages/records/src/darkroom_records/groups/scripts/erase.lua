-- Erase a group, whatever its state.
local is_known = redis.call('EXISTS', RECORD)
erase()
return is_known
