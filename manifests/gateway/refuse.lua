-- Answers requests that are refused, with the status in txn.refuse, and sees to it that no answer is lost over a body.

-- What Chroma takes. It refuses what goes beyond, and stops reading. Only bodies that come in chunks get so far: others say
-- beforehand how long they are.
local LIMIT = 40 * 1024 * 1024
-- What Chroma needs to see that it is too much.
local BEYOND = 65536
-- Seconds in which the body of a refused request may come to its end; then the connection ends, whatever its state.
local PATIENCE = 20

local wanted = "in the header X-Chroma-Token"
local challenges = {'ApiKey realm="chroma", header="X-Chroma-Token"'}
if os.getenv("GATEWAY_ACCEPTS_BEARER") then
  wanted = wanted .. ", or in Authorization as Bearer"
  challenges[2] = 'Bearer realm="chroma"'
end
local TEXT = {
  [401] = '{"error":"AuthError","message":"Unauthorized: show the token ' .. wanted .. '"}',
  [413] = '{"error":"PayloadTooLarge","message":"request body over the gateway limit"}',
  [507] = '{"error":"InsufficientStorage","message":"nothing was written: the volume of Chroma is nearly full; what reads and what deletes is answered"}',
}

-- The answer waits for nothing: what wants to switch protocols has no end.
core.register_service("refuse", "http", function(applet)
  local code = applet:get_var("txn.refuse")
  applet:set_status(code)
  applet:add_header("content-type", "application/json")
  applet:add_header("content-length", #TEXT[code])
  if code == 401 then
    for _, challenge in ipairs(challenges) do applet:add_header("www-authenticate", challenge) end
  end
  applet:start_response()
  applet:send(TEXT[code])
end)

-- Who is still sending when the connection ends loses the answer, and the ingress makes a 502 of it. So what nobody reads
-- is read here.
local Bodies = {id = "bodies", flags = filter.FLT_CFG_FL_HTX}
Bodies.__index = Bodies

function Bodies:new()
  return setmetatable({room = LIMIT + BEYOND}, Bodies)
end

function Bodies:http_headers(txn, message)
  if message.channel:is_resp() then return end
  if txn:get_var("txn.refuse") then
    self.room, self.ends = 0, core.now().sec + PATIENCE
  end
  if self.ends or message:get_headers()["transfer-encoding"] then
    filter.register_data_filter(self, message.channel)
  end
end

function Bodies:http_payload(txn, message)
  if self.ends and core.now().sec > self.ends then txn:done() end
  local here = message:input()
  if here > self.room then message:remove(self.room, here - self.room) end
  self.room = math.max(0, self.room - here)
  -- What is no data, such as the end, cannot be removed, and has to go on.
  return message:input()
end

core.register_filter("bodies", Bodies, function(bodies) return bodies end)
