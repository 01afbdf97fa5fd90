-- Write an upload down, unless that were too many bytes. KEYS: its record, the set of all uploads, the bytes of each
-- client and, under an empty name, of all. ARGV: its id, its record, seconds until it is dropped, its client, the bytes
-- it counts as, the most of a client, the most of all. Answers with 'client' or 'all' where that is the limit it is
-- over, and with nothing where it was written down.
local id, record, keep_for, client, bytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
if redis.call('EXISTS', KEYS[1]) == 1 then return '' end
local taken = redis.call('HMGET', KEYS[3], client, '')
if tonumber(taken[1] or 0) + bytes > tonumber(ARGV[6]) then return 'client' end
if tonumber(taken[2] or 0) + bytes > tonumber(ARGV[7]) then return 'all' end
local time = redis.call('TIME')
redis.call('SET', KEYS[1], record)
redis.call('ZADD', KEYS[2], string.format('%d', time[1] + math.ceil(keep_for)), id)
redis.call('HINCRBY', KEYS[3], client, bytes)
redis.call('HINCRBY', KEYS[3], '', bytes)
return ''
