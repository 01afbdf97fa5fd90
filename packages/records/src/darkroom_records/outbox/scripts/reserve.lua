-- Count a request before its email is written down, if there is room for it. KEYS: the counters. ARGV: the request's
-- name, the rules of each counter. Answers with what is missing, or with nothing.
local name, rules = ARGV[1], cjson.decode(ARGV[2])
local missing = missing_room(KEYS, rules, name)
if missing then return missing end
count_request(KEYS, rules, name)
return false
