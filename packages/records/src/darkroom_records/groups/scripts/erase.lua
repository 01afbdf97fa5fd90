-- Erase a group, whatever its state. Answers with the numbers of emails and of webhooks that went with it, or with nothing if
-- there was no such group.
local is_known = redis.call('EXISTS', RECORD) == 1
local erased = erase()
return is_known and erased
