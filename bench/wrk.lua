-- Sends the requests of a file, one a line (method, path and body between tabs), over and over; ends with a line of figures.
-- With a third argument `keys` each request has an Idempotency-Key of its own. The second argument is the status of the answers; `success` leaves their count to wrk, which is cheaper.
local requests = {}
local sent = 0
local thread
-- no key is sent in two runs
local run = os.time() .. '-' .. math.floor(os.clock() * 1e6)

-- global, as wrk reads them from the thread
wrong = 0
counts = false

function setup (it)
  thread = it
end

function init (args)
  for line in io.lines(args[1]) do
    local method, path, body = line:match('^([^\t]*)\t([^\t]*)\t(.*)$')
    local hasBody = body ~= ''
    local headers = hasBody and { ['Content-Type'] = 'application/json' } or {}
    requests[#requests + 1] = args[3] == 'keys' and { method, path, headers, body } or wrk.format(method, path, headers, hasBody and body or nil)
  end
  local expected = tonumber(args[2])
  counts = expected ~= nil
  if counts then
    function response (status)
      if status ~= expected then wrong = wrong + 1 end
    end
  end
end

function request ()
  sent = sent + 1
  local one = requests[(sent - 1) % #requests + 1]
  if type(one) == 'string' then return one end
  one[3]['Idempotency-Key'] = run .. '-' .. sent
  return wrk.format(one[1], one[2], one[3], one[4])
end

function done (summary, latency)
  local errors = summary.errors
  local refused = thread:get('counts') and thread:get('wrong') or errors.status
  io.write(string.format(
    'figures {"requests":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    refused + errors.connect + errors.read + errors.write + errors.timeout
  ))
end
