-- Refuses a request with the status in txn.refuse, once its body has been read.
local TEXT = {
  [401] = '{"error":"AuthError","message":"Unauthorized"}',
  [413] = '{"error":"PayloadTooLarge","message":"request body over the gateway limit"}',
}
-- The ingress lets 100 MiB through; whoever sends more comes from within the cluster.
local ENOUGH = 110000000

core.register_service("refuse", "http", function(applet)
  local code, seen = applet:get_var("txn.refuse"), 0
  while seen < ENOUGH do
    local data = applet:receive(65536)
    if not data or #data == 0 then break end
    seen = seen + #data
  end
  applet:set_status(code)
  applet:add_header("content-type", "application/json")
  applet:add_header("content-length", #TEXT[code])
  if code == 401 then applet:add_header("www-authenticate", 'Bearer realm="chroma"') end
  applet:start_response()
  applet:send(TEXT[code])
end)
