-- Let the webhook of a group's latest end be delivered again, under the same id, also where its receiver wanted no more. Answers
-- with 1, with 0 if the group has none, with 2 if the group runs, or with nothing if there is no such group.
local known = redis.call('HMGET', RECORD, 'version', 'finished_at', 'run')
if not known[1] then return false end
if not known[2] then return 2 end
local name = known[3] or '0'
local webhook, time = read_webhook(name), now()
if not webhook then return 0 end
redis.call('HDEL', RECORD, 'webhook_off')
if webhook.state == 'sending' and is_alive(webhook.worker) then return 1 end -- it is delivered at this very moment
webhook.state, webhook.due_at, webhook.tries, webhook.error, webhook.code = 'pending', time, 0, nil, nil
write_webhook(name, webhook)
look_at_webhook(name, tonumber(time) + WEBHOOK_PATIENCE)
changed()
return 1
