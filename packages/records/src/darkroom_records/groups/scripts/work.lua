-- Shared with begin.lua: the answer to a beginning is the number of the attempt, and with it goes what is to be done.
complete = function(attempt)
  local known = redis.call('HMGET', RECORD, 'pipeline', 'outputs', 'metadata')
  if not attempt or not known[1] then return false end
  local item, source = redis.call('HGET', ITEMS, ARGV[4]), redis.call('HGET', SOURCES, ARGV[4])
  return {attempt, item, known[1], known[2] or '', known[3] or '', source or ''}
end
