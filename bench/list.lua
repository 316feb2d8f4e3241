-- Pages of another size each time, so that none is answered from memory.
local number = 0

request = function()
  number = number + 1
  return wrk.format("GET", wrk.path .. "&page_size=" .. 91 + number % 10)
end
