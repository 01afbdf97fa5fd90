-- Erase a group, whatever its state. Answers with the number of emails that went with it, or with nothing if there was none.
local is_known = redis.call('EXISTS', RECORD) == 1
local emails = erase()
return is_known and emails
