-- Take a webhook to deliver it, unless it has ended, is not due, or another worker has it. ARGV: the run that it tells of, or
-- -1 for the latest; the index of its image, or -1 for that of the group; worker, seconds after which even a
-- living worker has stopped. Answers with its name, the number of this claim, and how often it was tried with this one.
local run, index, worker, max_duration = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
if run == '-1' then run = redis.call('HGET', RECORD, 'run') or '0' end
local name = index == '-1' and run or run .. '.' .. index
local webhook, time = read_webhook(name), tonumber(now())
if webhook and webhook.state == 'pending' then
  if tonumber(webhook.due_at) > time then return false end
elseif webhook and webhook.state == 'sending' then
  if is_alive(webhook.worker) and tonumber(webhook.claimed_at) > time - max_duration then return false end
else
  redis.call('ZREM', DUE_WEBHOOKS, GROUP_ID .. '.' .. name)
  return false
end
webhook.state, webhook.worker, webhook.claimed_at = 'sending', worker, now()
webhook.claims, webhook.attempts, webhook.tries = webhook.claims + 1, webhook.attempts + 1, webhook.tries + 1
write_webhook(name, webhook)
look_at_webhook(name, time + WEBHOOK_PATIENCE)
return {name, webhook.claims, webhook.tries}
