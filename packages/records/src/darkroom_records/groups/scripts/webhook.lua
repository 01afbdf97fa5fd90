-- Shared with claim_webhook.lua: the answer to a claim is the webhook's name and the number of the claim, and with it goes what
-- is to be delivered, and where to.
complete = function(claimed)
  local webhook = claimed and read_webhook(claimed[1])
  local known = redis.call('HMGET', RECORD, 'webhook_url', 'outputs', 'request_id')
  if not webhook or not known[1] then return false end
  local index = string.match(claimed[1], '%.(%d+)$')
  local item = index and redis.call('HGET', ITEMS, index)
  return {claimed[1], claimed[2], claimed[3], known[1], cjson.encode(webhook.event), webhook.at, known[2] or '',
    known[3] or '', item or ''}
end
