-- Write down what an attempt to deliver a webhook came to, if no other one has begun since. ARGV: name, number of the claim, new
-- state, error, its code, seconds until it is tried again, 1 if this was an attempt at all. Where the receiver wants no more, none
-- of the group is delivered from now on.
local name, state, wait = ARGV[4], ARGV[6], tonumber(ARGV[9])
local webhook = read_webhook(name)
if not webhook or webhook.state ~= 'sending' or webhook.claims ~= tonumber(ARGV[5]) then return 0 end
webhook.state, webhook.worker, webhook.claimed_at = state, nil, nil
if ARGV[10] == '1' then
  webhook.error, webhook.code = ARGV[7] ~= '' and ARGV[7] or nil, ARGV[8] ~= '' and ARGV[8] or nil
else
  webhook.attempts, webhook.tries = webhook.attempts - 1, webhook.tries - 1
end
local run, is_of_group = redis.call('HGET', RECORD, 'run') or '0', webhook_place(name) == RECORD
if state == 'pending' then
  local due_at = tonumber(now()) + wait
  webhook.due_at = string.format('%.6f', due_at)
  write_webhook(name, webhook)
  look_at_webhook(name, due_at)
elseif name == run then
  write_webhook(name, webhook)
  redis.call('ZREM', DUE_WEBHOOKS, GROUP_ID .. '.' .. name)
else
  forget_webhook(name) -- one of an image, or of a run before
end
if state == 'disabled' then
  redis.call('HSET', RECORD, 'webhook_off', 1)
  local latest = read_webhook(run)
  if latest and latest.state == 'pending' then
    latest.state, latest.error = 'disabled', webhook.error
    write_webhook(run, latest)
  end
  erase_webhooks()
  for before = 0, tonumber(run) - 1 do forget_webhook(tostring(before)) end
  if latest and latest.state == 'sending' then look_at_webhook(run, tonumber(now()) + WEBHOOK_PATIENCE) end
end
if is_of_group or state == 'disabled' then changed() end
return 1
