-- Forget an upload. KEYS: as of create_upload. ARGV: its id, and 1 if only where nothing has used it for long enough. It
-- stays in the set, under the time 0, until its blob is deleted. Answers with 1 where that is to be done now.
local id, only_if_due = ARGV[1], ARGV[2] == '1'
local due = redis.call('ZSCORE', KEYS[2], id)
if not due or (only_if_due and tonumber(due) > tonumber(redis.call('TIME')[1])) then return 0 end
local record = redis.call('GET', KEYS[1])
if record then
  local known = cjson.decode(record)
  for _, name in ipairs({known.client, ''}) do
    if redis.call('HINCRBY', KEYS[3], name, -known.counted) <= 0 then redis.call('HDEL', KEYS[3], name) end
  end
  redis.call('DEL', KEYS[1])
end
redis.call('ZADD', KEYS[2], 0, id)
return 1
