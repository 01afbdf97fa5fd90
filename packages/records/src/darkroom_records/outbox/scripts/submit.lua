-- Write an email down, once, if there is room for it. KEYS[3]: where the email of an occasion is noted; KEYS[4]: the emails
-- of its group, KEYS[5]: the group's record, if it has one; from the sixth on the counters that bound it. ARGV: the record (a
-- JSON object), seconds that the email's message has before another is sent, seconds for which the occasion has its one
-- email (0: no occasion), the name of the request that it is counted by, the rules of each counter. Answers with the id of
-- the email that goes out, with what is missing, or with nothing if its group is gone.
local ONCE, record, patience, cool_down = KEYS[3], cjson.decode(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local GROUP_EMAILS, GROUP, counters, name, rules = KEYS[4], KEYS[5], {unpack(KEYS, 6)}, ARGV[6], cjson.decode(ARGV[7])
if GROUP ~= '' and redis.call('EXISTS', GROUP) == 0 then return false end
local missing = missing_room(counters, rules, name)
if missing then return missing end
if cool_down > 0 then
  local earlier, emails = redis.call('GET', ONCE), string.sub(RECORD, 1, -1 - #EMAIL_ID)
  local state = earlier and redis.call('HGET', emails .. earlier, 'state')
  if state and state ~= 'failed' and state ~= 'cancelled' then return earlier end
  redis.call('SET', ONCE, EMAIL_ID, 'EX', cool_down)
end
count_request(counters, rules, name)
if redis.call('EXISTS', RECORD) == 1 then return EMAIL_ID end
local time = now()
for name, value in pairs(record) do
  redis.call('HSET', RECORD, name, value)
end
redis.call('HSET', RECORD, 'state', 'queued', 'stage', '', 'attempt', 0, 'accepted', 0, 'refused', '{}',
  'created_at', time, 'due_at', time)
if cool_down > 0 then redis.call('HSET', RECORD, 'occasion', ONCE) end
if GROUP_EMAILS ~= '' then redis.call('SADD', GROUP_EMAILS, EMAIL_ID) end
look_again_at(time + patience)
return EMAIL_ID
