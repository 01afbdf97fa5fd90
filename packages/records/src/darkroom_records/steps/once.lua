-- Stands around every script: in place of SHARED come the functions that it shares with others, in place of STEP it
-- itself. A client sends a call again when its answer is lost, under the same key: then the step is not done twice, and
-- the answer is the first one. A call that comes after its caller has given up, because it lay in the buffers of a
-- Redis that was frozen, does nothing.
local ANSWER, KEPT, DEADLINE = table.remove(KEYS), table.remove(ARGV), tonumber(table.remove(ARGV))
local complete -- a shared function that adds to each answer what need not be kept with it, if the script has one

--SHARED--

local function step()
--STEP--
end

local function answer_once()
  local answered = redis.call('GET', ANSWER)
  if answered then return cmsgpack.unpack(answered) end
  local time = redis.call('TIME')
  if DEADLINE > 0 and tonumber(time[1]) + tonumber(time[2]) / 1000000 > DEADLINE then
    return redis.error_reply('TOOLATE The caller has given up; nothing was changed.')
  end
  local answer = step()
  if answer == nil then answer = false end
  -- A full Redis refuses to keep the answer; what was done, such as deleting, counts all the same.
  redis.pcall('SET', ANSWER, cmsgpack.pack(answer), 'EX', KEPT)
  return answer
end

local answer = answer_once()
if complete and not (type(answer) == 'table' and answer.err) then return complete(answer) end
return answer
