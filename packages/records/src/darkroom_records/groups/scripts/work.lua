-- Shared with begin.lua: the answer to a beginning is the number of the attempt, and with it goes what is to be done.
complete = function(attempt)
  local pipeline = attempt and redis.call('HGET', RECORD, 'pipeline')
  return pipeline and {attempt, redis.call('HGET', ITEMS, ARGV[4]), pipeline}
end
